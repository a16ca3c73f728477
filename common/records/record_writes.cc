// The operations that write.
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/records/engine.h"
#include "common/records/record_batch.h"
#include "common/records/record_change.h"
#include "common/records/records.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/update.h"

namespace gonghui::records {
namespace {

using common::v1::BatchCreateRecordsRequest;
using common::v1::BatchCreateRecordsResponse;
using common::v1::Record;

// Rolls a transaction back whose answer is given all the same.
absl::Status NothingWritten() { return absl::CancelledError("nothing written"); }

}  // namespace

absl::StatusOr<BatchCreateRecordsResponse> Records::BatchCreate(
    rpc::Call& call, const BatchCreateRecordsRequest& request) {
  RecordBatch batch(options_, call, request, "");
  RETURN_IF_ERROR(batch.Prepare());
  if (request.validate_only()) {
    RETURN_IF_ERROR(options_.db->ReadOnly(
        call.deadline, [&](sql::Tx& tx) { return batch.Resolve(tx, Purpose::kDryRun); }));
    return batch.Answer();
  }
  // Where nothing is written no answer is stored either: a repetition is judged afresh, as what was
  // missing may have come since.
  std::optional<BatchCreateRecordsResponse> unwritten;
  auto written = rpc::WriteOnce<BatchCreateRecordsResponse>(
      *options_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<BatchCreateRecordsResponse> {
        unwritten.reset();
        RETURN_IF_ERROR(batch.Resolve(tx, Purpose::kWrite));
        BatchCreateRecordsResponse answer = batch.Answer();
        if (answer.created() == 0) {
          unwritten = std::move(answer);
          return NothingWritten();
        }
        RETURN_IF_ERROR(batch.Write(tx));
        return answer;
      });
  if (unwritten.has_value()) return *std::move(unwritten);
  return written;
}

absl::StatusOr<Record> Records::Create(rpc::Call& call,
                                       const common::v1::CreateRecordRequest& request) {
  BatchCreateRecordsRequest one;
  *one.add_records() = request.record();
  RecordBatch batch(options_, call, one, "record.");
  RETURN_IF_ERROR(batch.Prepare());
  const Purpose purpose = request.validate_only() ? Purpose::kDryRun : Purpose::kWrite;
  const auto resolve = [&](sql::Tx& tx) -> absl::Status {
    RETURN_IF_ERROR(batch.Resolve(tx, purpose));
    return batch.FirstFault();
  };
  if (request.validate_only()) {
    RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, resolve));
    Record record = batch.RecordAt(0);
    if (batch.HasNew()) record.clear_name();
    return record;
  }
  return rpc::WriteOnce<Record>(*options_.db, call, request,
                                [&](sql::Tx& tx) -> absl::StatusOr<Record> {
                                  RETURN_IF_ERROR(resolve(tx));
                                  if (batch.HasNew()) RETURN_IF_ERROR(batch.Write(tx));
                                  return batch.RecordAt(0);
                                });
}

absl::StatusOr<Record> Records::Update(rpc::Call& call,
                                       const common::v1::UpdateRecordRequest& request) {
  const Record& wanted = request.record();
  ASSIGN_OR_RETURN(const auto paths, rpc::ReadMask(request.update_mask(), wanted));
  ASSIGN_OR_RETURN(RecordChange change, RecordChange::Open(options_, call, wanted.name()));
  RETURN_IF_ERROR(change.SeeOrganizations(wanted));
  return rpc::WriteOnce<Record>(
      *options_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Record> {
        RETURN_IF_ERROR(change.Begin(tx, wanted.etag()));
        RETURN_IF_ERROR(change.CheckOpen("update_mask"));
        Record record = change.AsRecord();
        const Record old = record;
        rpc::MergeMasked(paths, wanted, record);
        if (record.kind() != old.kind() || record.organization() != old.organization() ||
            record.number() != old.number()) {
          return InvalidArgument(common::v1::REASON_UPDATE_MASK_INVALID,
                                 "kind, number and organization of a record never change; cancel "
                                 "it and create another",
                                 "记录的种类、编号和所属组织不能修改，请撤销后重新录入")
              .At("update_mask");
        }
        RETURN_IF_ERROR(change.Read(record, "record."));
        return change.Save(tx, "RecordUpdated");
      });
}

absl::StatusOr<Record> Records::Advance(rpc::Call& call,
                                        const common::v1::AdvanceRecordRequest& request) {
  ASSIGN_OR_RETURN(RecordChange change, RecordChange::Open(options_, call, request.name()));
  Record given;
  *given.mutable_fields() = request.fields();
  RETURN_IF_ERROR(change.SeeOrganizations(given));
  return rpc::WriteOnce<Record>(
      *options_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Record> {
        RETURN_IF_ERROR(change.Begin(tx, request.etag()));
        if (!request.fields().empty()) {
          Record record = change.AsRecord();
          for (const auto& [name, value] : request.fields()) {
            (*record.mutable_fields())[name] = value;
          }
          RETURN_IF_ERROR(change.Read(record, ""));
        }
        RETURN_IF_ERROR(change.Step(tx, request.transition(), request.on_date(), request.remark()));
        return change.Save(tx, "RecordAdvanced");
      });
}

absl::StatusOr<Record> Records::Cancel(rpc::Call& call,
                                       const common::v1::CancelRecordRequest& request) {
  ASSIGN_OR_RETURN(RecordChange change, RecordChange::Open(options_, call, request.name()));
  return rpc::WriteOnce<Record>(*options_.db, call, request,
                                [&](sql::Tx& tx) -> absl::StatusOr<Record> {
                                  RETURN_IF_ERROR(change.Begin(tx, request.etag()));
                                  RETURN_IF_ERROR(change.Cancel(tx, request.remark()));
                                  return change.Save(tx, "RecordCancelled");
                                });
}

}  // namespace gonghui::records
