#include "common/records/records.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/records/engine.h"
#include "common/records/record_board.h"
#include "common/records/record_change.h"
#include "common/records/record_store.h"
#include "common/rpc/page.h"

namespace gonghui::records {

using common::v1::Record;

namespace {

// The state of the kind that is a public notice; FIELD_INVALID where there is none or `asked` is
// another.
absl::StatusOr<std::string> NoticeState(const common::v1::Kind& kind, const std::string& asked) {
  for (const auto& state : kind.states()) {
    if (state.notice() && (asked.empty() || asked == state.name())) return state.name();
  }
  return InvalidArgument(
             common::v1::REASON_FIELD_INVALID,
             StrCat("records of kind '", kind.name(), "' are not under public notice",
                    asked.empty() ? "" : " in that state", "; ListKinds shows which states are"),
             StrCat("“", kind.label().zh(), "”在该状态下没有公示"))
      .At("notice");
}

}  // namespace

Records::Records(Options options) : options_(std::move(options)) {}

void Records::Serve(rpc::Service& service) {
  service.Handle("CreateRecord", this, &Records::Create);
  service.Handle("BatchCreateRecords", this, &Records::BatchCreate);
  service.Handle("GetRecord", this, &Records::Get);
  service.Handle("ListRecords", this, &Records::List);
  service.Handle("GetBoard", this, &Records::GetBoard);
  service.Handle("UpdateRecord", this, &Records::Update);
  service.Handle("AdvanceRecord", this, &Records::Advance);
  service.Handle("CancelRecord", this, &Records::Cancel);
  service.Handle("ListKinds", this, &Records::ListKinds);
}

absl::StatusOr<Record> Records::Get(rpc::Call& call, const common::v1::GetRecordRequest& request) {
  ASSIGN_OR_RETURN(const Target target, FindTarget(options_, call, request.name()));
  Record record = ToRecord(*target.kind, target.row, request.name());
  record.mutable_steps()->Add(target.steps.begin(), target.steps.end());
  const auto& rules = target.kind->rules();
  const bool warns =
      std::any_of(rules.begin(), rules.end(), [](const auto& rule) { return rule.warn(); });
  if (!warns || target.row.cancelled) return record;
  std::optional<Row> above;
  if (!target.row.parent_id.empty()) {
    RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
      ASSIGN_OR_RETURN(above, FindRow(tx, call.federation, target.row.parent_id));
      return absl::OkStatus();
    }));
  }
  Parent parent;
  if (above.has_value()) parent = {options_.catalog->FindKind(above->kind), &*above};
  ASSIGN_OR_RETURN(const TreePtr tree, options_.tree->Get(call.federation));
  const auto source = ToSource(*options_.catalog, *target.kind, target.row, parent, *tree);
  AddWarnings(ChecksFor(options_, call, *target.kind, *tree, "").Warnings(source), record);
  return record;
}

absl::StatusOr<common::v1::ListRecordsResponse> Records::List(
    rpc::Call& call, const common::v1::ListRecordsRequest& request) {
  ASSIGN_OR_RETURN(const common::v1::Kind* kind, KindNamed(options_, request.kind(), "kind"));
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  ListQuery query;
  ASSIGN_OR_RETURN(query.after, rpc::ReadPageToken(request, request.page_token(), 2));
  query.kind = kind->name();
  query.state = request.state();
  query.from_date = request.from_date();
  query.to_date = request.to_date();
  query.number = request.number();
  query.due_from = request.due_from();
  query.due_to = request.due_to();
  if (request.notice()) {
    ASSIGN_OR_RETURN(query.state, NoticeState(*kind, request.state()));
  }
  if (request.overdue()) query.overdue_at = call.Today();
  query.limit = page_size + 1;  // One more tells whether there is a next page.
  ASSIGN_OR_RETURN(query.organizations, Below(call, request.organization(), call.Today()));
  std::vector<Row> rows;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(rows, ListRows(tx, call.federation, query));
    return absl::OkStatus();
  }));
  common::v1::ListRecordsResponse response;
  const bool more = static_cast<int>(rows.size()) > page_size;
  if (more) rows.pop_back();
  for (const Row& row : rows) {
    *response.add_records() = request.notice()
                                  ? ToNotice(*kind, row)
                                  : ToRecord(*kind, row, NameOf(options_, call, row.id));
  }
  if (more) {
    response.set_next_page_token(
        rpc::MakePageToken(request, {rows.back().on_date, rows.back().id}));
  }
  return response;
}

absl::StatusOr<std::vector<std::string>> Records::Below(const rpc::Call& call,
                                                        const std::string& organization,
                                                        const std::string& on_date) {
  if (organization.empty()) return std::vector<std::string>();
  ASSIGN_OR_RETURN(const TreePtr tree, options_.tree->Get(call.federation, organization));
  if (organization == tree->Root()) return std::vector<std::string>();
  std::vector<std::string> below = tree->Subtree(organization, on_date);
  if (below.empty()) below.push_back(organization);
  return below;
}

absl::StatusOr<common::v1::GetBoardResponse> Records::GetBoard(
    rpc::Call& call, const common::v1::GetBoardRequest& request) {
  ASSIGN_OR_RETURN(const common::v1::Kind* kind, KindNamed(options_, request.kind(), "kind"));
  const std::string on_date = request.on_date().empty() ? call.Today() : request.on_date();
  ASSIGN_OR_RETURN(const auto organizations, Below(call, request.organization(), on_date));
  ASSIGN_OR_RETURN(const TreePtr tree, options_.tree->Get(call.federation));
  std::vector<Standing> standings;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(standings, CountStandings(tx, call.federation, kind->name()));
    return absl::OkStatus();
  }));
  return BoardOf(*kind, standings, organizations, *tree, on_date);
}

absl::StatusOr<common::v1::ListKindsResponse> Records::ListKinds(
    rpc::Call& call, const common::v1::ListKindsRequest& request) {
  common::v1::ListKindsResponse response;
  for (const common::v1::Kind* kind : options_.catalog->Kinds()) *response.add_kinds() = *kind;
  *response.mutable_code_lists() = options_.catalog->message().code_lists();
  *response.mutable_limits() = options_.catalog->message().limits();
  response.set_version(options_.catalog->message().version());
  return response;
}

}  // namespace gonghui::records
