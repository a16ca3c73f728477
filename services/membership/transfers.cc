#include "services/membership/transfers.h"

#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "common/base/date.h"
#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "common/rpc/update.h"
#include "services/membership/codes.h"
#include "services/membership/member_rules.h"
#include "services/membership/open_organizations.h"

namespace gonghui::membership {
namespace {

#define TRANSFER_COLUMNS                                                                         \
  "transfer_id, member_id, source, target, started_by, effective_on, reason, state, answer_by, " \
  "note, start_actor, end_actor, create_time_us, end_time_us, version"

constexpr sql::Query kInsert{"membership.insert_transfer",
                             "INSERT INTO transfers (tenant, " TRANSFER_COLUMNS
                             ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, "
                             "$14, $15, 1)"};
constexpr sql::Query kFind{"membership.find_transfer",
                           "SELECT " TRANSFER_COLUMNS
                           " FROM transfers WHERE tenant=$1 AND transfer_id=$2"};
constexpr sql::Query kPendingOf{"membership.pending_transfer_of",
                                "SELECT transfer_id, answer_by FROM transfers WHERE tenant=$1 AND "
                                "member_id=$2 AND state=1"};
constexpr sql::Query kLapse{
    "membership.lapse_transfer",
    "UPDATE transfers SET state=5, version=version+1 WHERE tenant=$1 AND transfer_id=$2"};
constexpr sql::Query kEnd{
    "membership.end_transfer",
    "UPDATE transfers SET state=$3, effective_on=$4, note=$5, end_actor=$6, end_time_us=$7, "
    "version=$8 WHERE tenant=$1 AND transfer_id=$2 AND version=$8-1"};
// A pending one has lapsed ($4 is today) after its last day.
#define TRANSFER_FILTER                                                                   \
  "transfer_id<$3 AND (CAST($5 AS BIGINT)=0 OR CAST($5 AS BIGINT)=CASE WHEN state=1 AND " \
  "answer_by<$4 THEN 5 ELSE state END) "                                                  \
  "AND ($6='' OR (state=1 AND answer_by<=$6)) AND ($7='' OR member_id=$7) "               \
  "ORDER BY transfer_id DESC LIMIT $8"
constexpr sql::Query kListAll{"membership.list_transfers",
                              "SELECT " TRANSFER_COLUMNS
                              " FROM transfers WHERE tenant=$1 AND $2='' AND " TRANSFER_FILTER};
constexpr sql::Query kListFrom{
    "membership.list_transfers_from",
    "SELECT " TRANSFER_COLUMNS
    " FROM transfers WHERE tenant=$1 AND source=$2 AND " TRANSFER_FILTER};
constexpr sql::Query kListTo{"membership.list_transfers_to",
                             "SELECT " TRANSFER_COLUMNS
                             " FROM transfers WHERE tenant=$1 AND target=$2 AND " TRANSFER_FILTER};

std::string TransferName(std::string_view federation, std::string_view id) {
  return StrCat("federations/", federation, "/transfers/", id);
}

v1::Transfer ToTransfer(const rpc::Call& call, const sql::Rows::Row& row) {
  v1::Transfer transfer;
  transfer.set_name(TransferName(call.federation, row.Get<std::string>(0)));
  transfer.set_member(MemberName(call.federation, row.Get<std::string>(1)));
  transfer.set_source(row.Get<std::string>(2));
  transfer.set_target(row.Get<std::string>(3));
  transfer.set_started_by(static_cast<v1::TransferSide>(row.Get<int64_t>(4)));
  transfer.set_effective_on(row.Get<std::string>(5));
  transfer.set_reason(row.Get<std::string>(6));
  transfer.set_state(static_cast<v1::TransferState>(row.Get<int64_t>(7)));
  transfer.set_answer_by(row.Get<std::string>(8));
  transfer.set_note(row.Get<std::string>(9));
  transfer.set_start_actor(row.Get<std::string>(10));
  transfer.set_end_actor(row.Get<std::string>(11));
  transfer.set_create_time_us(row.Get<int64_t>(12));
  transfer.set_end_time_us(row.Get<int64_t>(13));
  transfer.set_etag(rpc::MakeEtag(row.Get<int64_t>(14)));
  if (transfer.state() == v1::TRANSFER_STATE_PENDING && transfer.answer_by() < call.Today()) {
    transfer.set_state(v1::TRANSFER_STATE_LAPSED);
  }
  return transfer;
}

Error UnknownTransfer(std::string_view name) {
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no transfer '", LeafOf(name), "'; ListTransfers finds them"),
                  StrCat("没有转会“", LeafOf(name), "”，可用 ListTransfers 查找"))
      .At("name");
}

// What became of a transfer that does not wait any more.
absl::Status ExpectPending(const v1::Transfer& transfer) {
  std::string en, zh;
  switch (transfer.state()) {
    case v1::TRANSFER_STATE_PENDING:
      return absl::OkStatus();
    case v1::TRANSFER_STATE_ACCEPTED:
      en = "was accepted already", zh = "已接收";
      break;
    case v1::TRANSFER_STATE_REJECTED:
      en = "was rejected", zh = "已被拒绝";
      break;
    case v1::TRANSFER_STATE_CANCELLED:
      en = "was cancelled", zh = "已撤销";
      break;
    default:
      en = StrCat("lapsed: it was to be answered by ", transfer.answer_by());
      zh = StrCat("已逾期失效（最迟应于 ", transfer.answer_by(), " 确认）");
  }
  return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                            StrCat("the transfer ", en, "; StartTransfer begins a new one"),
                            StrCat("该转会", zh, "，如仍需办理请重新发起（StartTransfer）"))
      .With("state", v1::TransferState_Name(transfer.state()))
      .With("allowed", "StartTransfer")
      .At("name");
}

// The person must still be where the transfer starts from.
absl::Status ExpectAtSource(const MemberEdit& edit, const v1::Transfer& transfer) {
  const v1::Member& member = edit.member();
  if (member.state() == "active" && member.organization() == transfer.source()) {
    return absl::OkStatus();
  }
  if (member.state() == kMerged) return edit.ExpectState("active");
  const bool moved = member.state() == "active";
  return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                            moved ? StrCat("the person is a member of '", member.organization(),
                                           "' by now, not of '", transfer.source(),
                                           "'; start a new transfer from there if needed")
                                  : StrCat("the person has left '", transfer.source(),
                                           "' since; JoinMember takes them in at the target"),
                            moved ? StrCat("此人现为“", member.organization(), "”的会员，已不在“",
                                           transfer.source(), "”，如仍需办理请从现工会重新发起")
                                  : StrCat("此人已离开“", transfer.source(),
                                           "”，可由接收工会办理重新入会（JoinMember）"))
      .With("state", member.state())
      .With("organization", member.organization())
      .With("allowed", moved ? "CancelTransfer, StartTransfer" : "CancelTransfer, JoinMember")
      .At("name");
}

std::string SideOf(const v1::Transfer& transfer, bool starter) {
  const bool source = (transfer.started_by() == v1::TRANSFER_SIDE_SOURCE) == starter;
  return source ? transfer.source() : transfer.target();
}

absl::Status CheckEffectiveDay(const rpc::Call& call, const v1::Member& member,
                               const std::string& day, std::string_view field) {
  RETURN_IF_ERROR(NotInFuture(call, field, day));
  if (day > member.joined_on()) return absl::OkStatus();
  return InvalidArgument(
             common::v1::REASON_FIELD_INVALID,
             StrCat("the person joined the source on ", member.joined_on(),
                    "; the first day at the target must be a later one"),
             StrCat("此人于 ", member.joined_on(), " 加入转出工会，转入首日必须晚于该日"))
      .With("joined_on", member.joined_on())
      .At(std::string(field));
}

}  // namespace

absl::StatusOr<MemberRow> Transfers::FindPerson(const rpc::Call& call,
                                                const v1::StartTransferRequest& request) const {
  if (request.member().empty() == request.id_number().empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                           "name the person either by member or by id_number",
                           "请用 member 或 id_number 之一指明会员")
        .At("member");
  }
  std::string index;
  if (request.member().empty()) {
    v1::Member paper;
    paper.set_id_type(request.id_type());
    paper.set_id_number(request.id_number());
    RETURN_IF_ERROR(NormalizePaper(catalog_, "", paper));
    index = register_.store.IndexOf(call.federation, paper.id_type(), paper.id_number());
  }
  std::optional<MemberRow> found;
  const std::string id(LeafOf(request.member()));
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    found.reset();
    if (index.empty()) {
      ASSIGN_OR_RETURN(found, register_.store.Find(tx, call.federation, id));
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(std::vector<MemberRow> persons,
                     register_.store.FindPersons(tx, call.federation, {index}));
    if (!persons.empty()) found = std::move(persons[0]);
    return absl::OkStatus();
  }));
  if (found.has_value()) return *std::move(found);
  if (index.empty()) return UnknownMember(id, "member");
  return NotFound(common::v1::REASON_NOT_FOUND,
                  "nobody is registered with this number; CreateMember registers a new member",
                  "没有以该证件号码登记的会员，新会员请办理入会（CreateMember）")
      .At("id_number");
}

absl::StatusOr<v1::Transfer> Transfers::StartOne(sql::Tx& tx, const rpc::Call& call,
                                                 const MemberEdit& edit,
                                                 const v1::StartTransferRequest& request) const {
  RETURN_IF_ERROR(edit.ExpectState("active"));
  const v1::Member& member = edit.member();
  if (request.target() == member.organization()) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           StrCat("the person is a member of '", request.target(), "' already"),
                           StrCat("此人已是“", request.target(), "”的会员"))
        .At("target");
  }
  if (!request.effective_on().empty()) {
    RETURN_IF_ERROR(CheckEffectiveDay(call, member, request.effective_on(), "effective_on"));
  }
  absl::Status open;
  OpenOrganizations organizations(tx, call.federation);
  RETURN_IF_ERROR(organizations.Check(request.target(), "target", open));
  RETURN_IF_ERROR(open);
  ASSIGN_OR_RETURN(const sql::Rows waiting, tx.Run(kPendingOf, {call.federation, edit.id()}));
  if (!waiting.empty()) {
    const auto id = waiting[0].Get<std::string>(0);
    if (waiting[0].Get<std::string>(1) >= call.Today()) {
      return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                                "a transfer of this person waits for an answer already; answer or "
                                "cancel the one named in the metadata first",
                                "此人已有一笔待确认的转会，请先处理元数据中的那一笔")
          .With("transfer", TransferName(call.federation, id))
          .With("allowed", "AcceptTransfer, RejectTransfer, CancelTransfer")
          .At("member");
    }
    RETURN_IF_ERROR(tx.Run(kLapse, {call.federation, id}).status());
  }
  ASSIGN_OR_RETURN(const absl::CivilDay today, ParseDate(call.Today()));
  ASSIGN_OR_RETURN(const int64_t days, LimitOn(catalog_, "transfer_answer_days", call.Today()));
  const std::string answer_by = FormatDate(today + days);
  const std::string id = NewId(call.clock->Now());
  RETURN_IF_ERROR(
      tx.Run(kInsert,
             {call.federation, id, edit.id(), member.organization(), request.target(),
              static_cast<int64_t>(request.side()), request.effective_on(), request.reason(),
              static_cast<int64_t>(v1::TRANSFER_STATE_PENDING), answer_by, std::string(),
              call.actor.subject, std::string(), call.clock->NowMicros(), int64_t{0}})
          .status());
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFind, {call.federation, id}));
  return ToTransfer(call, rows[0]);
}

absl::StatusOr<v1::Transfer> Transfers::Start(rpc::Call& call,
                                              const v1::StartTransferRequest& request) {
  // The target's side shows its right before it learns whether the person is registered.
  const bool by_target = request.side() == v1::TRANSFER_SIDE_TARGET;
  if (by_target) RETURN_IF_ERROR(call.CheckScope(request.target()));
  v1::StartTransferRequest normal = request;
  RETURN_IF_ERROR(ToCode(catalog_, "transfer_reason", "reason", *normal.mutable_reason()));
  ASSIGN_OR_RETURN(const MemberRow person, FindPerson(call, request));
  if (!by_target) RETURN_IF_ERROR(call.CheckScope(person.member.organization()));
  return rpc::WriteOnce<v1::Transfer>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Transfer> {
        ASSIGN_OR_RETURN(const MemberEdit edit,
                         MemberEdit::Begin(tx, register_, call.federation, person.id, "member"));
        // The right was checked for where the person was.
        if (edit.member().organization() != person.member.organization()) {
          return Aborted(common::v1::REASON_CONFLICT,
                         "the member moved to another organisation at the same moment; try again",
                         "该会员同时转到了其他工会，请重试");
        }
        ASSIGN_OR_RETURN(v1::Transfer transfer, StartOne(tx, call, edit, normal));
        feed::v1::Event event;
        event.set_type("gonghui.membership.v1.TransferStarted");
        event.add_resources(transfer.name());
        RETURN_IF_ERROR(feed::Append(tx, call, std::move(event)));
        return transfer;
      });
}

absl::StatusOr<v1::Transfer> Transfers::Read(const rpc::Call& call, const std::string& name) const {
  std::optional<v1::Transfer> transfer;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const sql::Rows rows,
                     tx.Run(kFind, {call.federation, std::string(LeafOf(name))}));
    transfer.reset();
    if (!rows.empty()) transfer = ToTransfer(call, rows[0]);
    return absl::OkStatus();
  }));
  if (!transfer.has_value()) return UnknownTransfer(name);
  return *std::move(transfer);
}

template <typename Request>
absl::StatusOr<v1::Transfer> Transfers::End(
    rpc::Call& call, const Request& request, v1::TransferState state,
    const std::function<absl::Status(sql::Tx&, v1::Transfer&, feed::v1::Event&)>& effect) {
  ASSIGN_OR_RETURN(const v1::Transfer seen, Read(call, request.name()));
  RETURN_IF_ERROR(call.CheckScope(SideOf(seen, /*starter=*/state == v1::TRANSFER_STATE_CANCELLED)));
  const std::string id(LeafOf(request.name()));
  auto ended = rpc::WriteOnce<v1::Transfer>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Transfer> {
        ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFind, {call.federation, id}));
        if (rows.empty()) return UnknownTransfer(request.name());
        v1::Transfer transfer = ToTransfer(call, rows[0]);
        const int64_t version = rows[0].template Get<int64_t>(14);
        RETURN_IF_ERROR(rpc::CheckEtag(request.etag(), version));
        RETURN_IF_ERROR(ExpectPending(transfer));
        feed::v1::Event event;
        RETURN_IF_ERROR(effect(tx, transfer, event));
        ASSIGN_OR_RETURN(const sql::Rows written,
                         tx.Run(kEnd, {call.federation, id, static_cast<int64_t>(state),
                                       transfer.effective_on(), transfer.note(), call.actor.subject,
                                       call.clock->NowMicros(), version + 1}));
        if (written.affected() != 1) {
          return Aborted(common::v1::REASON_CONFLICT,
                         "the transfer was answered by another call at the same moment; look at it",
                         "该转会同时被其他操作处理，请查看结果");
        }
        event.set_type(StrCat("gonghui.membership.v1.",
                              state == v1::TRANSFER_STATE_ACCEPTED   ? "TransferAccepted"
                              : state == v1::TRANSFER_STATE_REJECTED ? "TransferRejected"
                                                                     : "TransferCancelled"));
        event.add_resources(transfer.name());
        RETURN_IF_ERROR(feed::Append(tx, call, std::move(event)));
        ASSIGN_OR_RETURN(const sql::Rows now, tx.Run(kFind, {call.federation, id}));
        return ToTransfer(call, now[0]);
      });
  return ended;
}

absl::StatusOr<v1::Transfer> Transfers::Accept(rpc::Call& call,
                                               const v1::AcceptTransferRequest& request) {
  std::string member_id;
  auto accepted = End(
      call, request, v1::TRANSFER_STATE_ACCEPTED,
      [&](sql::Tx& tx, v1::Transfer& transfer, feed::v1::Event& event) -> absl::Status {
        member_id = LeafOf(transfer.member());
        ASSIGN_OR_RETURN(MemberEdit edit,
                         MemberEdit::Begin(tx, register_, call.federation, member_id, "name"));
        RETURN_IF_ERROR(ExpectAtSource(edit, transfer));
        if (transfer.effective_on().empty()) transfer.set_effective_on(call.Today());
        RETURN_IF_ERROR(CheckEffectiveDay(call, edit.member(), transfer.effective_on(), "name"));
        absl::Status open;
        OpenOrganizations organizations(tx, call.federation);
        RETURN_IF_ERROR(organizations.Check(transfer.target(), "name", open));
        RETURN_IF_ERROR(open);
        edit.Transfer(transfer.target(), transfer.effective_on());
        v1::MemberEvent happened;
        happened.set_kind(v1::MEMBER_EVENT_KIND_TRANSFERRED);
        happened.set_on_date(transfer.effective_on());
        happened.set_organization(transfer.target());
        happened.set_from_organization(transfer.source());
        happened.set_reason(transfer.reason());
        happened.set_related(transfer.name());
        return edit.Write(tx, call, std::move(happened), event);
      });
  // A replayed answer has run no effect; whoever wrote it may have died before it raised.
  if (member_id.empty() && accepted.ok()) member_id = LeafOf(accepted->member());
  if (!member_id.empty()) {
    const absl::Status raised = RaiseMember(db_, cache_, call, member_id);
    if (accepted.ok()) RETURN_IF_ERROR(raised);
  }
  return accepted;
}

absl::StatusOr<v1::Transfer> Transfers::Reject(rpc::Call& call,
                                               const v1::RejectTransferRequest& request) {
  return End(call, request, v1::TRANSFER_STATE_REJECTED,
             [&](sql::Tx&, v1::Transfer& transfer, feed::v1::Event&) {
               transfer.set_note(request.note());
               return absl::OkStatus();
             });
}

absl::StatusOr<v1::Transfer> Transfers::Cancel(rpc::Call& call,
                                               const v1::CancelTransferRequest& request) {
  return End(call, request, v1::TRANSFER_STATE_CANCELLED,
             [&](sql::Tx&, v1::Transfer& transfer, feed::v1::Event&) {
               transfer.set_note(request.note());
               return absl::OkStatus();
             });
}

absl::StatusOr<v1::Transfer> Transfers::Get(rpc::Call& call,
                                            const v1::GetTransferRequest& request) {
  ASSIGN_OR_RETURN(v1::Transfer transfer, Read(call, request.name()));
  if (call.CheckScope(transfer.source()).ok()) return transfer;
  RETURN_IF_ERROR(call.CheckScope(transfer.target()));
  return transfer;
}

absl::StatusOr<v1::ListTransfersResponse> Transfers::List(rpc::Call& call,
                                                          const v1::ListTransfersRequest& request) {
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 1));
  ASSIGN_OR_RETURN(const auto tree, tree_.Get(call.federation, request.organization()));
  const auto key = [&](const std::string& organization) -> sql::Args {
    return {call.federation,
            organization,
            after.empty() ? "~" : after[0],
            call.Today(),
            static_cast<int64_t>(request.state()),
            request.answer_by(),
            std::string(LeafOf(request.member())),
            int64_t{page_size} + 1};
  };
  std::vector<sql::Args> keys;
  std::vector<const sql::Query*> queries = {&kListAll};
  const bool all = request.organization().empty() || request.organization() == tree->Root();
  if (all) {
    keys.push_back(key(""));
  } else {
    for (const std::string& organization : tree->Subtree(request.organization(), call.Today())) {
      keys.push_back(key(organization));
    }
    queries = {&kListFrom, &kListTo};
    if (request.side() == v1::TRANSFER_SIDE_SOURCE) queries = {&kListFrom};
    if (request.side() == v1::TRANSFER_SIDE_TARGET) queries = {&kListTo};
  }
  std::map<std::string, v1::Transfer, std::greater<>> found;  // Newest first.
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    found.clear();
    for (const sql::Query* query : queries) {
      RETURN_IF_ERROR(tx.ReadMany(*query, keys, [&](const sql::Rows::Row& row) {
        found.emplace(row.Get<std::string>(0), ToTransfer(call, row));
      }));
    }
    return absl::OkStatus();
  }));
  v1::ListTransfersResponse response;
  for (auto& [id, transfer] : found) {
    if (response.transfers_size() == page_size) {
      const std::string& last = response.transfers(page_size - 1).name();
      response.set_next_page_token(rpc::MakePageToken(request, {std::string(LeafOf(last))}));
      break;
    }
    *response.add_transfers() = std::move(transfer);
  }
  return response;
}

}  // namespace gonghui::membership
