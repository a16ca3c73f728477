#include "services/membership/member_import_work.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "common/base/id.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/sheet/row_reader.h"
#include "services/membership/member_import_rejects.h"

namespace gonghui::membership {
namespace {

constexpr size_t kStepRows = 1000;
constexpr size_t kEventRest = 128;  // Bytes of an event beside its facts.

// What can be learnt of a member that is touched: everything that hangs on it.
constexpr sql::Query kFindUntouched{
    "membership.find_untouched_member",
    "SELECT " MEMBER_COLUMNS
    " FROM members WHERE tenant=$1 AND member_id=$2 AND version=1 "
    "AND NOT EXISTS (SELECT 1 FROM cards c WHERE c.tenant=$1 AND c.member_id=$2) "
    "AND NOT EXISTS (SELECT 1 FROM employments e WHERE e.tenant=$1 AND e.member_id=$2) "
    "AND NOT EXISTS (SELECT 1 FROM transfers t WHERE t.tenant=$1 AND t.member_id=$2) "
    "AND NOT EXISTS (SELECT 1 FROM member_events v WHERE v.tenant=$1 AND v.member_id=$2)"};
constexpr sql::Query kFindAny{"membership.find_imported_member",
                              "SELECT member_id FROM members WHERE tenant=$1 AND member_id=$2"};
constexpr sql::Query kDelete{"membership.delete_imported_member",
                             "DELETE FROM members WHERE tenant=$1 AND member_id=$2 AND version=1"};

absl::Status TakenOver() {
  return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                            "a later start or undoing of the import took the place of this job; "
                            "GetMemberImport tells where it stands",
                            "该导入已由之后的启动或撤销接手，可用 GetMemberImport 查看");
}

// The first 96 bits of a blind index, 32 hex digits: among a million persons two agree in them once
// in 10^17 files.
std::array<uint32_t, 3> PersonKey(const std::string& index) {
  std::array<uint32_t, 3> key{};
  for (size_t i = 0; i < key.size(); ++i) {
    std::from_chars(index.data() + i * 8, index.data() + (i + 1) * 8, key[i], 16);
  }
  return key;
}

bool ColumnBefore(const v1::MemberImportFault& a, const v1::MemberImportFault& b) {
  return std::pair(a.column().size(), std::string_view(a.column())) <
         std::pair(b.column().size(), std::string_view(b.column()));
}

v1::MemberImportFault KeptFault(int64_t row, std::string member) {
  v1::MemberImportFault fault;
  fault.set_row(row);
  fault.set_reason(ReasonName(common::v1::REASON_STATE_FORBIDS));
  fault.set_message("the member was touched since the import; record its leaving by LeaveMember");
  fault.set_message_zh("该会员在导入后已有变动，请另行办理离会");
  fault.set_member(std::move(member));
  return fault;
}

}  // namespace

// The rows of one transaction, prepared before it begins.
struct MemberImportWork::Step {
  std::vector<MemberSheetRow> rows;
  std::vector<size_t> good;  // Positions in `rows`; the rest stands beside them.
  std::vector<Members::Candidate> candidates;
  std::vector<sql::Args> args;
  std::string event;               // If all of them become members, in wire format.
  std::vector<size_t> event_ends;  // Where the part of each ends.
};

MemberImportWork::MemberImportWork(const MemberImportTools& tools, rpc::JobRun& run,
                                   std::string import_id)
    : tools_(tools), run_(run), id_(std::move(import_id)), federation_(run.federation()) {
  call_.clock = &tools.clock;
  call_.federation = federation_;
  call_.actor.subject = run.caller();
  call_.actor.federation = federation_;
  place_.ParseFromString(run.progress().checkpoint);
}

absl::Status MemberImportWork::Save(
    const std::function<absl::Status(sql::Tx&, StoredImport&, Place&)>& body) {
  Place next;
  StoredImport stored;
  rpc::JobProgress progress = run_.progress();
  RETURN_IF_ERROR(run_.Save(progress, [&](sql::Tx& tx) -> absl::Status {
    next = place_;
    ASSIGN_OR_RETURN(stored, tools_.store.Find(tx, federation_, id_));
    if (!place_.run().empty() && stored.run != place_.run()) return TakenOver();
    RETURN_IF_ERROR(body(tx, stored, next));
    progress.done = next.checked_rows() + next.rows() + next.undone() + next.kept();
    const bool undoing = next.phase() == Place::PHASE_TAKE_BACK && next.checked_rows() == 0;
    progress.total = undoing ? stored.import.created() : next.checked_rows() * 2;
    progress.checkpoint = next.SerializeAsString();
    return absl::OkStatus();
  }));
  place_ = std::move(next);
  stored_ = std::move(stored);
  return absl::OkStatus();
}

absl::Status MemberImportWork::BeginImport(v1::MemberImportMode mode) {
  return Save([&](sql::Tx& tx, StoredImport& stored, Place& place) -> absl::Status {
    if (!place.run().empty()) return absl::OkStatus();  // A later attempt.
    place.set_run(NewId(tools_.clock.Now()));
    place.set_phase(mode == v1::MEMBER_IMPORT_MODE_PARTIAL ? Place::PHASE_WRITE
                                                           : Place::PHASE_CHECK);
    ASSIGN_OR_RETURN(const int64_t last, tools_.store.LastStep(tx, federation_, id_, nullptr));
    place.set_step(last);
    place.set_base_step(last);
    stored.run = place.run();
    stored.import.set_job(run_.name());
    stored.import.set_state(v1::MEMBER_IMPORT_STATE_RUNNING);
    for (auto clear :
         {&v1::MemberImport::clear_rows, &v1::MemberImport::clear_existing,
          &v1::MemberImport::clear_rejected, &v1::MemberImport::clear_faults,
          &v1::MemberImport::clear_rejects_bytes, &v1::MemberImport::clear_ignored_columns}) {
      (stored.import.*clear)();
    }
    RETURN_IF_ERROR(tools_.store.DropFaults(tx, federation_, id_, false));
    RETURN_IF_ERROR(tools_.store.DropFaults(tx, federation_, id_, true));
    RETURN_IF_ERROR(tools_.store.DropRejects(tx, federation_, id_));
    return tools_.store.Update(tx, federation_, stored);
  });
}

absl::Status MemberImportWork::LoadOrganizations() {
  const std::string& top = stored_.import.organization();
  ASSIGN_OR_RETURN(const auto tree, tools_.tree.Get(federation_, top));
  const std::string today = tools_.clock.Today();
  std::vector<std::string> below = tree->Subtree(top, today);
  for (const std::string& id : below) {
    const tree::Version* version = tree->Find(id, today);
    if (version == nullptr) continue;
    const auto [at, is_new] = organizations_.try_emplace(version->display_name, id);
    if (!is_new) at->second.clear();
  }
  for (std::string& id : below) organizations_.insert_or_assign(id, id);  // Ids go before names.
  return absl::OkStatus();
}

void MemberImportWork::PlaceMember(const MemberSheet& file, MemberSheetRow& row) {
  const std::string& top = stored_.import.organization();
  const std::string written = row.member.organization();
  if (written.empty()) return row.member.set_organization(top);
  const auto found = organizations_.find(written);
  if (found != organizations_.end() && !found->second.empty()) {
    return row.member.set_organization(found->second);
  }
  if (found != organizations_.end()) {
    return file.AddFault(row, "organization",
                         InvalidArgument(common::v1::REASON_REFERENCE_NOT_FOUND,
                                         "several organisations have this name; write the id",
                                         "有多个工会叫这个名称，请填写编码"));
  }
  file.AddFault(row, "organization",
                InvalidArgument(common::v1::REASON_REFERENCE_NOT_FOUND,
                                StrCat("no organisation at or below '", top,
                                       "' has this id or name; gonghui tree shows them"),
                                StrCat("“", top, "”及其下级中没有此编码或名称的工会")));
}

void MemberImportWork::ClaimPerson(const MemberSheet& file, MemberSheetRow& row) {
  const std::string index = tools_.members_register.store.IndexOf(federation_, row.member.id_type(),
                                                                  row.member.id_number());
  const auto [at, is_new] =
      persons_.try_emplace(PersonKey(index), static_cast<uint32_t>(row.number));
  if (is_new) return;
  file.AddFault(row, "id_number",
                InvalidArgument(
                    common::v1::REASON_DUPLICATE_IN_REQUEST,
                    StrCat("the same person stands in row ", at->second, "; keep one of the rows"),
                    StrCat("与第 ", at->second, " 行为同一人，请保留一行")));
}

absl::Status MemberImportWork::ReadFile(bool whole) {
  persons_.clear();
  writes_ = place_.phase() == Place::PHASE_WRITE;
  SealedFile bytes(tools_.db, tools_.store.files, federation_, MemberImportStore::ContentFile(id_),
                   stored_.import.size_bytes());
  ASSIGN_OR_RETURN(auto reader, sheet::OpenRows(bytes));
  ASSIGN_OR_RETURN(MemberSheet file, MemberSheet::Open(tools_.catalog, std::move(reader)));
  if (place_.row() == 0) {
    RETURN_IF_ERROR(Save([&](sql::Tx& tx, StoredImport& stored, Place& place) -> absl::Status {
      std::vector<StoredRow> head;
      for (const auto& [number, cells] : file.head()) head.push_back({number, true, cells});
      place.set_row(head.back().number);
      stored.import.mutable_ignored_columns()->Assign(file.ignored_columns().begin(),
                                                      file.ignored_columns().end());
      RETURN_IF_ERROR(tools_.store.DropRejects(tx, federation_, id_));
      RETURN_IF_ERROR(tools_.store.AddRows(tx, federation_, id_, head));
      return tools_.store.Update(tx, federation_, stored);
    }));
  }
  const int64_t taken = place_.row();  // Up to here by an earlier attempt.
  // One step is read and sealed while the one before is written.
  std::future<absl::Status> writing;
  Step step;
  for (bool more = true; more;) {
    MemberSheetRow row;
    ASSIGN_OR_RETURN(more, file.Next(row));
    if (more) {
      PlaceMember(file, row);
      if (row.faults.empty()) ClaimPerson(file, row);
      if (row.number > taken) RETURN_IF_ERROR(AddRow(std::move(row), step));
    }
    if (step.rows.size() < kStepRows && (more || step.rows.empty())) continue;
    if (writing.valid()) RETURN_IF_ERROR(writing.get());
    if (!whole && place_.rejected() > 0) return absl::OkStatus();  // All or nothing: nothing.
    writing = std::async(std::launch::async, [this, &file, done = std::exchange(step, {})] {
      return Save([&](sql::Tx& tx, StoredImport& stored, Place& place) -> absl::Status {
        RETURN_IF_ERROR(WriteStep(tx, file, done, place));
        SetCounts(place, stored.import);
        return tools_.store.Update(tx, federation_, stored);
      });
    });
  }
  return writing.valid() ? writing.get() : absl::OkStatus();
}

void MemberImportWork::SetCounts(const Place& place, v1::MemberImport& import) const {
  import.set_rows(place.rows());
  import.set_existing(place.existing());
  import.set_rejected(place.rejected());
  import.set_faults(place.faults());
  import.set_created(import.created() + place.created() - place_.created());
}

absl::Status MemberImportWork::AddRow(MemberSheetRow row, Step& step) {
  if (row.faults.empty()) {
    Members::Candidate& candidate = step.candidates.emplace_back();
    candidate.row.member = std::move(row.member);
    tools_.members.Complete(call_, candidate);
    RETURN_IF_ERROR(candidate.status);
    step.good.push_back(step.rows.size());
    if (writes_) {
      step.args.push_back(tools_.members_register.store.ToArgs(federation_, candidate.row));
      PackFacts(candidate, step);
    }
  }
  step.rows.push_back(std::move(row));
  return absl::OkStatus();
}

// Packed at once and one behind the other, the parts of thousands of members are one text.
void MemberImportWork::PackFacts(Members::Candidate& candidate, Step& step) {
  part_.Clear();
  common::v1::RecordFacts& record = *part_.add_facts();
  record.set_record(MemberName(federation_, candidate.row.id));
  part_.add_resources(record.record());
  for (const common::v1::Fact& fact : candidate.facts) *record.add_facts() = fact;
  candidate.facts.clear();
  part_.AppendToString(&step.event);
  step.event_ends.push_back(step.event.size());
}

std::string MemberImportWork::EventOf(const Step& step, absl::Span<const absl::Status> statuses) {
  feed::v1::Event event;
  event.set_type("gonghui.membership.v1.MembersCreated");
  std::string packed = event.SerializeAsString();
  packed.reserve(packed.size() + step.event.size() + kEventRest);
  size_t from = 0;
  for (size_t i = 0; i < statuses.size(); ++i) {
    if (statuses[i].ok()) packed.append(step.event, from, step.event_ends[i] - from);
    from = step.event_ends[i];
  }
  return packed;
}

absl::Status MemberImportWork::WriteStep(sql::Tx& tx, const MemberSheet& file, const Step& step,
                                         Place& place) {
  std::vector<absl::Status> statuses(step.good.size());
  std::vector<bool> existing(step.good.size());
  const absl::Span<absl::Status> verdicts = absl::MakeSpan(statuses);
  RETURN_IF_ERROR(tools_.members.CheckOrganizations(tx, federation_, step.candidates, verdicts));
  RETURN_IF_ERROR(writes_ ? tools_.members.InsertNew(tx, federation_, step.candidates, step.args,
                                                     verdicts, existing)
                          : tools_.members.JudgeRegistered(tx, federation_, step.candidates,
                                                           verdicts, existing));
  v1::MemberImportStep created;
  std::vector<MemberSheetRow> rejected;
  for (size_t i = 0, next = 0; i < step.rows.size(); ++i) {
    const MemberSheetRow& row = step.rows[i];
    if (next == step.good.size() || step.good[next] != i) {
      rejected.push_back(row);
      continue;
    }
    const size_t at = next++;
    if (existing[at]) {
      place.set_existing(place.existing() + 1);
    } else if (!statuses[at].ok()) {
      rejected.push_back(row);
      file.AddFault(rejected.back(), FieldOf(statuses[at]), statuses[at]);
    } else if (writes_) {
      created.add_rows(row.number);
      created.add_member_ids(step.candidates[at].row.id);
    }
  }
  std::vector<v1::MemberImportFault> faults;
  std::vector<StoredRow> stored_rows;
  for (MemberSheetRow& row : rejected) {
    std::stable_sort(row.faults.begin(), row.faults.end(), ColumnBefore);
    std::move(row.faults.begin(), row.faults.end(), std::back_inserter(faults));
    stored_rows.push_back({row.number, false, std::move(row.cells)});
  }
  RETURN_IF_ERROR(tools_.store.AddFaults(tx, federation_, id_, false, faults));
  RETURN_IF_ERROR(tools_.store.AddRows(tx, federation_, id_, stored_rows));
  place.set_row(step.rows.back().number);
  place.set_rows(place.rows() + static_cast<int64_t>(step.rows.size()));
  place.set_rejected(place.rejected() + static_cast<int64_t>(rejected.size()));
  place.set_faults(place.faults() + static_cast<int64_t>(faults.size()));
  if (created.rows().empty()) return absl::OkStatus();
  place.set_created(place.created() + created.rows_size());
  place.set_step(place.step() + 1);
  RETURN_IF_ERROR(tools_.store.AddStep(tx, federation_, id_, place.step(), created));
  return feed::AppendPacked(tx, call_, EventOf(step, statuses));
}

absl::StatusOr<v1::MemberImport> MemberImportWork::Import(v1::MemberImportMode mode) {
  RETURN_IF_ERROR(BeginImport(mode));
  if (place_.phase() == Place::PHASE_DONE) return stored_.import;
  RETURN_IF_ERROR(LoadOrganizations());
  const bool all = mode == v1::MEMBER_IMPORT_MODE_ALL_OR_NOTHING;
  if (place_.phase() == Place::PHASE_CHECK) {
    RETURN_IF_ERROR(ReadFile(true));
    const bool goes_on = all && place_.rejected() == 0;
    RETURN_IF_ERROR(Save([&](sql::Tx&, StoredImport&, Place& place) {
      place.set_phase(goes_on ? Place::PHASE_WRITE : Place::PHASE_REJECTS);
      if (!goes_on) return absl::OkStatus();
      place.set_checked_rows(place.rows());
      place.set_row(0);
      place.set_rows(0);
      place.set_existing(0);
      return absl::OkStatus();
    }));
  }
  if (place_.phase() == Place::PHASE_WRITE) {
    RETURN_IF_ERROR(ReadFile(!all));
    const bool refused = all && place_.rejected() > 0;
    RETURN_IF_ERROR(Save([&](sql::Tx&, StoredImport&, Place& place) {
      place.set_phase(refused ? Place::PHASE_TAKE_BACK : Place::PHASE_REJECTS);
      return absl::OkStatus();
    }));
  }
  if (place_.phase() == Place::PHASE_TAKE_BACK) RETURN_IF_ERROR(TakeBack());
  if (place_.rejected() > 0) RETURN_IF_ERROR(WriteRejects());
  const bool written = mode == v1::MEMBER_IMPORT_MODE_PARTIAL || (all && place_.rejected() == 0);
  return End(written ? v1::MEMBER_IMPORT_STATE_IMPORTED : v1::MEMBER_IMPORT_STATE_CHECKED);
}

absl::Status MemberImportWork::WriteRejects() {
  MemberRejectsWriter writer(tools_.store, federation_, id_);
  bool first = true;
  for (bool more = true; more;) {
    RETURN_IF_ERROR(tools_.db.ReadOnly(absl::InfiniteFuture(), [&](sql::Tx& tx) -> absl::Status {
      ASSIGN_OR_RETURN(more, writer.Read(tx));
      return absl::OkStatus();
    }));
    RETURN_IF_ERROR(writer.Write(!more));
    RETURN_IF_ERROR(Save([&](sql::Tx& tx, StoredImport& stored, Place&) -> absl::Status {
      if (first) {
        RETURN_IF_ERROR(SealedFiles::Delete(tx, federation_, MemberImportStore::RejectsFile(id_)));
      }
      ASSIGN_OR_RETURN(const int64_t size, writer.Keep(tx));
      stored.import.set_rejects_bytes(size);
      return tools_.store.Update(tx, federation_, stored);
    }));
    writer.Kept();
    first = false;
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::MemberImport> MemberImportWork::End(v1::MemberImportState state) {
  RETURN_IF_ERROR(Save([&](sql::Tx& tx, StoredImport& stored, Place& place) {
    v1::MemberImport& import = stored.import;
    import.set_state(state);
    if (state == v1::MEMBER_IMPORT_STATE_UNDONE) {
      import.set_undone(import.undone() + place.undone());
      import.set_kept(place.kept());
    } else {
      SetCounts(place, import);
      import.set_created(import.created() - place.undone());
    }
    place.set_phase(Place::PHASE_DONE);
    return tools_.store.Update(tx, federation_, stored);
  }));
  return stored_.import;
}

absl::Status MemberImportWork::BeginUndo() {
  return Save([&](sql::Tx& tx, StoredImport& stored, Place& place) -> absl::Status {
    if (!place.run().empty()) return absl::OkStatus();
    place.set_run(NewId(tools_.clock.Now()));
    place.set_phase(Place::PHASE_TAKE_BACK);
    stored.run = place.run();
    stored.import.set_job(run_.name());
    stored.import.set_state(v1::MEMBER_IMPORT_STATE_RUNNING);
    RETURN_IF_ERROR(tools_.store.DropFaults(tx, federation_, id_, true));
    return tools_.store.Update(tx, federation_, stored);
  });
}

absl::StatusOr<v1::MemberImport> MemberImportWork::Undo() {
  RETURN_IF_ERROR(BeginUndo());
  if (place_.phase() == Place::PHASE_DONE) return stored_.import;
  RETURN_IF_ERROR(TakeBack());
  return End(v1::MEMBER_IMPORT_STATE_UNDONE);
}

absl::Status MemberImportWork::TakeBack() {
  for (bool more = true; more;) {
    std::vector<std::string> gone;
    RETURN_IF_ERROR(Save([&](sql::Tx& tx, StoredImport&, Place& place) -> absl::Status {
      gone.clear();
      v1::MemberImportStep step;
      ASSIGN_OR_RETURN(const int64_t seq, tools_.store.LastStep(tx, federation_, id_, &step));
      more = seq > place.base_step();
      if (!more) return absl::OkStatus();
      RETURN_IF_ERROR(tools_.store.DropStep(tx, federation_, id_, seq));
      return TakeBackStep(tx, step, gone, place);
    }));
    // No cache serves the record, which was at version 1, from here on.
    for (const std::string& id : gone) {
      RETURN_IF_ERROR(
          tools_.cache.Raise(MemberCacheKey(federation_, id), 2, absl::InfiniteFuture()));
    }
  }
  return absl::OkStatus();
}

absl::Status MemberImportWork::TakeBackStep(sql::Tx& tx, const v1::MemberImportStep& step,
                                            std::vector<std::string>& gone, Place& place) {
  std::vector<sql::Args> keys;
  for (const std::string& id : step.member_ids()) keys.push_back({federation_, id});
  std::vector<MemberRow> untouched;
  absl::Status unreadable;
  RETURN_IF_ERROR(tx.ReadMany(kFindUntouched, keys, [&](const sql::Rows::Row& row) {
    auto member = tools_.members_register.store.ToRow(federation_, row);
    unreadable.Update(member.status());
    if (member.ok()) untouched.push_back(*std::move(member));
  }));
  RETURN_IF_ERROR(unreadable);
  feed::v1::Event event;
  event.set_type("gonghui.membership.v1.MembersWithdrawn");
  std::vector<sql::Args> deletes;
  for (const MemberRow& row : untouched) {
    ASSIGN_OR_RETURN(auto facts, MemberFacts(*tools_.members_register.kind, row, {}));
    common::v1::RecordFacts& record = *event.add_facts();
    record.set_record(MemberName(federation_, row.id));
    for (common::v1::Fact& fact : facts) {
      fact.set_delta(-fact.delta());
      *record.add_facts() = std::move(fact);
    }
    event.add_resources(record.record());
    deletes.push_back({federation_, row.id});
    gone.push_back(row.id);
  }
  RETURN_IF_ERROR(tx.RunMany(kDelete, deletes).status());
  const std::set<std::string_view> taken(gone.begin(), gone.end());
  std::map<std::string, int64_t> others;  // Member -> row of the file.
  std::vector<sql::Args> other_keys;
  for (int i = 0; i < step.rows_size(); ++i) {
    if (taken.contains(step.member_ids(i))) continue;
    others[step.member_ids(i)] = step.rows(i);
    other_keys.push_back({federation_, step.member_ids(i)});
  }
  std::vector<v1::MemberImportFault> kept;
  RETURN_IF_ERROR(tx.ReadMany(kFindAny, other_keys, [&](const sql::Rows::Row& found) {
    const auto id = found.Get<std::string>(0);
    kept.push_back(KeptFault(others[id], MemberName(federation_, id)));
  }));
  RETURN_IF_ERROR(tools_.store.AddFaults(tx, federation_, id_, true, kept));
  place.set_undone(place.undone() + static_cast<int64_t>(gone.size()));
  place.set_kept(place.kept() + static_cast<int64_t>(kept.size()));
  if (gone.empty()) return absl::OkStatus();
  return feed::Append(tx, call_, std::move(event));
}

}  // namespace gonghui::membership
