// Entering members: one by one, in batches, and those whose calls wait together.

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "common/base/id.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/request_batch.h"
#include "common/rpc/validate.h"
#include "services/membership/batch.h"
#include "services/membership/member_rules.h"
#include "services/membership/members.h"
#include "services/membership/open_organizations.h"

namespace gonghui::membership {
namespace {

// Whether the person was entered with just this content, and where the register stands since.
bool SameContent(const MemberRow& existing, const MemberRow& wanted) {
  v1::Member a = existing.member;
  v1::Member b = wanted.member;
  if (b.left_on().empty()) a.clear_left_on();
  for (v1::Member* member : {&a, &b}) {
    ClearOutputs(*member);
  }
  return a.SerializeAsString() == b.SerializeAsString();
}

void AddFacts(feed::v1::Event& event, const std::string& name,
              const std::vector<common::v1::Fact>& facts) {
  event.add_resources(name);
  common::v1::RecordFacts& record = *event.add_facts();
  record.set_record(name);
  record.mutable_facts()->Assign(facts.begin(), facts.end());
}

}  // namespace

Members::Candidate Members::Prepare(const rpc::Call& call, const v1::Member& member,
                                    std::string at) const {
  Candidate candidate{.at = std::move(at)};
  MemberRow& row = candidate.row;
  row.member = member;
  ClearOutputs(row.member);
  candidate.status = NormalizeMember(catalog_, candidate.at, row.member);
  if (candidate.status.ok()) Complete(call, candidate);
  return candidate;
}

void Members::Complete(const rpc::Call& call, Candidate& candidate) const {
  MemberRow& row = candidate.row;
  row.id = NewId(call.clock->Now());
  row.id_index = store_.IndexOf(call.federation, row.member.id_type(), row.member.id_number());
  row.member.set_state(row.member.left_on().empty() ? "active" : "left");
  if (row.member.state() == "left") row.leave_reason = "unknown";
  row.member.set_create_time_us(call.clock->NowMicros());
  row.created_by = call.actor.subject;
  absl::StatusOr<std::vector<common::v1::Fact>> facts = MemberFacts(kind_, row, {});
  candidate.status = facts.status();
  if (facts.ok()) candidate.facts = *std::move(facts);
}

absl::Status Members::CheckOrganizations(sql::Tx& tx, const std::string& federation,
                                         absl::Span<const Candidate> candidates,
                                         absl::Span<absl::Status> statuses) const {
  OpenOrganizations organizations(tx, federation, &known_);
  std::set<std::string> named;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (statuses[i].ok()) named.insert(candidates[i].row.member.organization());
  }
  RETURN_IF_ERROR(organizations.Read(std::move(named)));
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (!statuses[i].ok()) continue;
    RETURN_IF_ERROR(organizations.Check(candidates[i].row.member.organization(),
                                        StrCat(candidates[i].at, "organization"), statuses[i]));
  }
  return absl::OkStatus();
}

void Members::RefuseDuplicates(absl::Span<const Candidate> candidates,
                               absl::Span<absl::Status> statuses) {
  std::set<std::string_view> persons;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (!statuses[i].ok() || persons.insert(candidates[i].row.id_index).second) continue;
    statuses[i] = InvalidArgument(common::v1::REASON_DUPLICATE_IN_REQUEST,
                                  "the same person stands twice in this file or request; keep one",
                                  "同一人在本次导入中重复，请保留一条")
                      .At("id_number");
  }
}

absl::Status Members::InsertNew(sql::Tx& tx, const std::string& federation,
                                absl::Span<const Candidate> candidates,
                                absl::Span<const sql::Args> args, absl::Span<absl::Status> statuses,
                                std::vector<bool>& existing) const {
  std::vector<size_t> good;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (statuses[i].ok()) good.push_back(i);
  }
  std::vector<sql::Args> some;
  if (good.size() < args.size()) {
    for (size_t i : good) some.push_back(args[i]);
    args = some;
  }
  if (good.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const int64_t inserted, store_.Insert(tx, args));
  if (inserted == static_cast<int64_t>(good.size())) return absl::OkStatus();
  return JudgeRegistered(tx, federation, candidates, statuses, existing);
}

absl::Status Members::JudgeRegistered(sql::Tx& tx, const std::string& federation,
                                      absl::Span<const Candidate> candidates,
                                      absl::Span<absl::Status> statuses,
                                      std::vector<bool>& existing) const {
  std::vector<std::string> indexes;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (statuses[i].ok()) indexes.push_back(candidates[i].row.id_index);
  }
  ASSIGN_OR_RETURN(const std::vector<MemberRow> rows, store_.FindPersons(tx, federation, indexes));
  std::map<std::string_view, const MemberRow*> by_index;
  for (const MemberRow& row : rows) by_index[row.id_index] = &row;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    const auto at = by_index.find(candidate.row.id_index);
    if (!statuses[i].ok() || at == by_index.end()) continue;
    const MemberRow& found = *at->second;
    if (found.id == candidate.row.id) continue;
    existing[i] = SameContent(found, candidate.row);
    statuses[i] =
        AlreadyRegistered(federation, found, candidate.row.member.organization(), candidate.at);
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::BatchCreateMembersResponse> Members::BatchCreate(
    rpc::Call& call, const v1::BatchCreateMembersRequest& request) {
  std::vector<Candidate> candidates;
  std::vector<sql::Args> args;
  std::vector<absl::Status> checked;
  std::map<std::string, absl::Status> scopes;
  candidates.reserve(request.members_size());
  for (const v1::Member& member : request.members()) {
    absl::Status valid = rpc::Validate(member);
    candidates.push_back(valid.ok() ? Prepare(call, member, "") : Candidate{.status = valid});
    const Candidate& candidate = candidates.back();
    absl::Status& status = checked.emplace_back(candidate.status);
    sql::Args& row = args.emplace_back();
    if (!status.ok()) continue;
    auto scope = scopes.find(member.organization());
    if (scope == scopes.end()) {
      scope = scopes.emplace(member.organization(), call.CheckScope(member.organization())).first;
    }
    status = scope->second;
    if (status.ok()) row = store_.ToArgs(call.federation, candidate.row);
  }
  using Response = v1::BatchCreateMembersResponse;
  return WriteBatch<Response>(db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Response> {
    std::vector<absl::Status> statuses = checked;
    std::vector<bool> existing(candidates.size());
    const absl::Span<absl::Status> verdicts = absl::MakeSpan(statuses);
    RETURN_IF_ERROR(CheckOrganizations(tx, call.federation, candidates, verdicts));
    RefuseDuplicates(candidates, verdicts);
    RETURN_IF_ERROR(InsertNew(tx, call.federation, candidates, args, verdicts, existing));
    Response answer;
    feed::v1::Event event;
    event.set_type("gonghui.membership.v1.MembersCreated");
    for (size_t i = 0; i < candidates.size(); ++i) {
      common::v1::BatchItem& item = *answer.add_items();
      item.set_existing(existing[i]);
      if (existing[i]) {
        answer.set_existing(answer.existing() + 1);
        continue;
      }
      if (!statuses[i].ok()) {
        *answer.add_failures() = ToItemFailure(static_cast<int>(i), statuses[i]);
        continue;
      }
      item.set_name(MemberName(call.federation, candidates[i].row.id));
      answer.set_created(answer.created() + 1);
      AddFacts(event, item.name(), candidates[i].facts);
    }
    if (answer.created() > 0) RETURN_IF_ERROR(feed::Append(tx, call, std::move(event)));
    return answer;
  });
}

// Calls of one federation that wait together.
struct Members::Round {
  std::vector<CreateCall*> calls;
  std::vector<Candidate> candidates;
  std::vector<sql::Args> args;
  std::vector<absl::StatusOr<v1::Member>> results;  // Of the transaction's last try.
};

absl::Status Members::CreateRound(sql::Tx& tx, Round& round) const {
  const size_t size = round.calls.size();
  const std::string& federation = round.calls[0]->call->federation;
  std::vector<rpc::KeyedRequest> keys;
  for (const CreateCall* waiting : round.calls) {
    keys.push_back({waiting->call, waiting->request->request_id(), waiting->request});
  }
  ASSIGN_OR_RETURN(const std::vector<rpc::StoredResponse> stored, rpc::FindResponses(tx, keys));
  round.results.assign(size, absl::UnknownError("not judged yet"));
  std::vector<absl::Status> statuses(size);
  for (size_t i = 0; i < size; ++i) {
    if (stored[i].ok() && !stored[i]->has_value()) continue;
    v1::Member replayed;
    if (!stored[i].ok()) {
      round.results[i] = stored[i].status();
    } else if (replayed.ParseFromString(**stored[i])) {
      round.results[i] = std::move(replayed);
    } else {
      round.results[i] = absl::Status(Internal("a stored Member cannot be read"));
    }
    statuses[i] = absl::CancelledError("answered");
  }
  const std::vector<absl::Status> before = statuses;
  std::vector<bool> existing(size);
  RETURN_IF_ERROR(CheckOrganizations(tx, federation, round.candidates, absl::MakeSpan(statuses)));
  RETURN_IF_ERROR(
      InsertNew(tx, federation, round.candidates, round.args, absl::MakeSpan(statuses), existing));
  feed::v1::Event event;
  event.set_type("gonghui.membership.v1.MembersCreated");
  std::vector<rpc::KeyedRequest> created_keys;
  std::vector<const google::protobuf::Message*> responses;
  for (size_t i = 0; i < size; ++i) {
    if (!before[i].ok()) continue;
    const Candidate& candidate = round.candidates[i];
    if (!statuses[i].ok()) {
      round.results[i] = statuses[i];
      continue;
    }
    round.results[i] = MaskedView(federation, candidate.row);
    AddFacts(event, round.results[i]->name(), candidate.facts);
    if (keys[i].request_id.empty()) continue;
    created_keys.push_back(keys[i]);
    responses.push_back(&*round.results[i]);
  }
  if (event.resources().empty()) return absl::OkStatus();
  RETURN_IF_ERROR(rpc::StoreResponses(tx, created_keys, responses));
  return feed::Append(tx, *round.calls[0]->call, std::move(event));
}

void Members::CreateWaiting(absl::Span<CreateCall> calls) {
  // One transaction a federation; a request_id that waits twice takes part in two.
  std::vector<Round> rounds;
  std::map<std::tuple<std::string, std::string, std::string>, int> seen;
  std::map<std::pair<std::string, int>, size_t> round_of;
  for (CreateCall& waiting : calls) {
    Candidate candidate = Prepare(*waiting.call, waiting.request->member(), "member.");
    if (!candidate.status.ok()) {
      waiting.result = candidate.status;
      continue;
    }
    const std::string& federation = waiting.call->federation;
    const std::string& request_id = waiting.request->request_id();
    const int turn =
        request_id.empty() ? 0 : seen[{federation, waiting.call->actor.subject, request_id}]++;
    const auto [at, is_new] = round_of.try_emplace({federation, turn}, rounds.size());
    if (is_new) rounds.emplace_back();
    Round& round = rounds[at->second];
    round.calls.push_back(&waiting);
    round.args.push_back(store_.ToArgs(federation, candidate.row));
    round.candidates.push_back(std::move(candidate));
  }
  for (Round& round : rounds) {
    absl::Time deadline = absl::InfinitePast();
    for (const CreateCall* waiting : round.calls) {
      deadline = std::max(deadline, waiting->call->deadline);
    }
    const absl::Status written =
        db_.ReadWrite(deadline, [&](sql::Tx& tx) { return CreateRound(tx, round); });
    for (size_t i = 0; i < round.calls.size(); ++i) {
      if (written.ok()) {
        round.calls[i]->result = std::move(round.results[i]);
      } else {
        round.calls[i]->result = written;
      }
    }
  }
}

}  // namespace gonghui::membership
