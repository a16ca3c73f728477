#include "common/records/records.h"

#include <utility>

#include "common/base/status.h"
#include "common/records/engine.h"
#include "common/records/record_change.h"
#include "common/records/record_store.h"
#include "common/rpc/page.h"

namespace gonghui::records {

using common::v1::Record;

Records::Records(Options options) : options_(std::move(options)) {}

void Records::Serve(rpc::Service& service) {
  service.Handle("CreateRecord", this, &Records::Create);
  service.Handle("BatchCreateRecords", this, &Records::BatchCreate);
  service.Handle("GetRecord", this, &Records::Get);
  service.Handle("ListRecords", this, &Records::List);
  service.Handle("UpdateRecord", this, &Records::Update);
  service.Handle("AdvanceRecord", this, &Records::Advance);
  service.Handle("CancelRecord", this, &Records::Cancel);
  service.Handle("ListKinds", this, &Records::ListKinds);
}

absl::StatusOr<Record> Records::Get(rpc::Call& call, const common::v1::GetRecordRequest& request) {
  ASSIGN_OR_RETURN(const Target target, FindTarget(options_, call, request.name()));
  Record record = ToRecord(*target.kind, target.row, request.name());
  record.mutable_steps()->Add(target.steps.begin(), target.steps.end());
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
  if (request.overdue()) query.overdue_at = call.Today();
  query.limit = page_size + 1;  // One more tells whether there is a next page.
  if (!request.organization().empty()) {
    ASSIGN_OR_RETURN(const TreePtr tree,
                     options_.tree->Get(call.federation, request.organization()));
    if (request.organization() != tree->Root()) {
      query.organizations = tree->Subtree(request.organization(), call.Today());
      if (query.organizations.empty()) query.organizations.push_back(request.organization());
    }
  }
  std::vector<Row> rows;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(rows, ListRows(tx, call.federation, query));
    return absl::OkStatus();
  }));
  common::v1::ListRecordsResponse response;
  const bool more = static_cast<int>(rows.size()) > page_size;
  if (more) rows.pop_back();
  for (const Row& row : rows) {
    *response.add_records() = ToRecord(*kind, row, NameOf(options_, call, row.id));
  }
  if (more) {
    response.set_next_page_token(
        rpc::MakePageToken(request, {rows.back().on_date, rows.back().id}));
  }
  return response;
}

absl::StatusOr<common::v1::ListKindsResponse> Records::ListKinds(
    rpc::Call& call, const common::v1::ListKindsRequest& request) {
  common::v1::ListKindsResponse response;
  for (const common::v1::Kind* kind : options_.catalog->Kinds()) *response.add_kinds() = *kind;
  *response.mutable_code_lists() = options_.catalog->message().code_lists();
  response.set_version(options_.catalog->message().version());
  return response;
}

}  // namespace gonghui::records
