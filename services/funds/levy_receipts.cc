#include "services/funds/levy_receipts.h"

#include <map>
#include <set>
#include <utility>

#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "common/rpc/validate.h"
#include "services/funds/levy_intake.h"
#include "services/funds/levy_obligations.h"
#include "services/funds/levy_pages.h"

namespace gonghui::funds {
namespace {

constexpr sql::Query kListReceipts{
    "funds.list_levy_receipts",
    "SELECT " RECEIPT_COLUMNS
    " FROM levy_receipts WHERE tenant = $1 AND owner = $2 AND (serial_no, receipt_id) > ($3, $4) "
    "AND (CAST($6 AS TEXT) = '' OR batch_id = $6) AND (CAST($7 AS BIGINT) = 0 OR state = $7) "
    "ORDER BY serial_no, receipt_id LIMIT $5"};
constexpr sql::Query kListBatches{
    "funds.list_levy_batches",
    "SELECT batch_id, create_time_us FROM levy_batches WHERE tenant = $1 AND organization = $2 "
    "AND (CAST($4 AS TEXT) = '' OR create_time_us < $3 OR (create_time_us = $3 AND batch_id < $4)) "
    "ORDER BY create_time_us DESC, batch_id DESC LIMIT $5"};
constexpr sql::Query kDropReceipts{"funds.delete_levy_receipts",
                                   "DELETE FROM levy_receipts WHERE tenant = $1 AND batch_id = $2"};
constexpr sql::Query kMarkUndone{
    "funds.undo_levy_batch",
    "UPDATE levy_batches SET undone = $3 WHERE tenant = $1 AND batch_id = $2"};

absl::Status CheckReceipt(const v1::LevyReceipt& r) {
  RETURN_IF_ERROR(rpc::Validate(r));
  RETURN_IF_ERROR(CheckFen(r.paid_fen(), "paid_fen", true));
  RETURN_IF_ERROR(CheckFen(r.payroll_fen(), "payroll_fen"));
  RETURN_IF_ERROR(CheckFen(r.due_fen(), "due_fen"));
  RETURN_IF_ERROR(CheckFen(r.relief_fen(), "relief_fen"));
  if (!PeriodOfDays(r.period_from(), r.period_to()).empty()) return absl::OkStatus();
  return InvalidArgument(
             common::v1::REASON_PERIOD_INVALID,
             StrCat("'", r.period_from(), "' to '", r.period_to(),
                    "' is no whole month or quarter"),
             StrCat("所属期“", r.period_from(), "”至“", r.period_to(), "”不是整月或整季"))
      .At("period_from");
}

absl::Status BatchUndone(const std::string& id) {
  return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                            StrCat("the batch '", id, "' was undone; import into a new one"),
                            StrCat("收缴批次“", id, "”已撤销，请另建批次导入"))
      .With("batch", id)
      .With("allowed", "ImportLevyReceipts into another batch");
}

absl::Status ConfirmedAlready(int64_t confirmed) {
  return FailedPrecondition(
             common::v1::REASON_STATE_FORBIDS,
             StrCat(confirmed,
                    " receipts of the batch are confirmed; it cannot be undone. Take the confirmed "
                    "ones back with ReverseLevyReceipt"),
             StrCat("批次中已有 ", confirmed, " 笔确认入账，不能撤销；确认的收款请逐笔冲销"))
      .With("confirmed", StrCat(confirmed))
      .With("allowed", "ResolveLevyReceipts, ConfirmLevyReceipts, ReverseLevyReceipt");
}

// The batch of the request, made where it is new.
absl::Status EnsureBatch(sql::Tx& tx, const rpc::Call& call,
                         const v1::ImportLevyReceiptsRequest& request, const std::string& id) {
  absl::StatusOr<v1::LevyBatch> found = FindBatch(tx, call.federation, id, "batch_id");
  if (absl::IsNotFound(found.status())) {
    v1::LevyBatch batch;
    batch.set_organization(request.organization());
    batch.set_channel(request.channel());
    batch.set_source(request.source());
    batch.set_create_time_us(call.clock->NowMicros());
    return InsertBatch(tx, call.federation, id, batch);
  }
  RETURN_IF_ERROR(found.status());
  if (found->undone()) return BatchUndone(id);
  if (found->organization() == request.organization() && found->channel() == request.channel()) {
    return absl::OkStatus();
  }
  return AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                       StrCat("the batch '", id,
                              "' belongs to another organisation or channel; "
                              "choose another id"),
                       StrCat("收缴批次“", id, "”属于其他工会或渠道，请换用其他编号"))
      .With("batch", id)
      .At("batch_id");
}

}  // namespace

absl::StatusOr<std::vector<ReceiptRow>> LevyReceipts::ReadRows(
    const v1::ImportLevyReceiptsRequest& request, v1::ImportLevyReceiptsResponse& failed) const {
  std::vector<ReceiptRow> rows;
  std::set<std::string> serials;
  for (int i = 0; i < request.receipts_size(); ++i) {
    const v1::LevyReceipt& given = request.receipts(i);
    absl::Status fault = CheckReceipt(given);
    if (fault.ok() && !serials.insert(given.serial()).second) {
      fault = Twice(given.serial(), "serial");
    }
    ReceiptRow row;
    row.view = given;
    if (fault.ok() && !given.item().empty()) {
      const auto item = levies_.rules->FindItem(given.item(), "item");
      fault = item.status();
      if (item.ok()) row.view.set_item((*item)->code());
    }
    if (!fault.ok()) {
      *failed.add_failures() = ToItemFailure(i, fault);
      continue;
    }
    row.id = ReceiptId(request.channel(), given.serial());
    row.digest = DigestOf(row.view);
    row.owner = request.organization();
    row.period = PeriodOfDays(given.period_from(), given.period_to());
    row.view.set_channel(request.channel());
    for (std::string* text : {row.view.mutable_organization(), row.view.mutable_collector(),
                              row.view.mutable_rule(), row.view.mutable_voucher()}) {
      text->clear();
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

absl::StatusOr<v1::ImportLevyReceiptsResponse> LevyReceipts::Import(
    rpc::Call& call, const v1::ImportLevyReceiptsRequest& request) {
  using Response = v1::ImportLevyReceiptsResponse;
  if (!levies_.rules->HasChannel(request.channel())) {
    return InvalidArgument(common::v1::REASON_CODE_UNKNOWN,
                           StrCat("there is no channel '", request.channel(),
                                  "'; the catalogue levy.yaml lists them"),
                           StrCat("没有收缴渠道“", request.channel(), "”；渠道见目录 levy.yaml"))
        .With("channel", request.channel())
        .At("channel");
  }
  ASSIGN_OR_RETURN(const LevyIntake intake,
                   LevyIntake::Begin(levies_, call, request.organization()));
  Response failed;
  ASSIGN_OR_RETURN(const std::vector<ReceiptRow> rows, ReadRows(request, failed));
  if (!failed.failures().empty()) return failed;
  const std::string id = request.batch_id().empty() ? NewId(call.clock->Now()) : request.batch_id();
  Response seen;
  RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    seen.Clear();
    std::vector<ReceiptRow> added;
    return intake.Take(tx, rows, id, seen, added);
  }));
  if (!seen.failures().empty()) {
    failed.mutable_failures()->Swap(seen.mutable_failures());
    return failed;
  }
  if (request.validate_only()) return seen;
  return rpc::WriteOnce<Response>(
      *levies_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Response> {
        RETURN_IF_ERROR(EnsureBatch(tx, call, request, id));
        Response response;
        std::vector<ReceiptRow> added;
        RETURN_IF_ERROR(intake.Take(tx, rows, id, response, added));
        if (!response.failures().empty()) return SerialTaken(rows.front().view);
        RETURN_IF_ERROR(InsertReceipts(tx, call.federation, added));
        ASSIGN_OR_RETURN(*response.mutable_batch(), FindBatch(tx, call.federation, id, "batch_id"));
        feed::v1::Event event;
        event.set_type("gonghui.funds.v1.LevyReceiptsImported");
        event.add_resources(response.batch().name());
        RETURN_IF_ERROR(feed::Append(tx, call, event));
        return response;
      });
}

absl::StatusOr<v1::ListLevyReceiptsResponse> LevyReceipts::List(
    rpc::Call& call, const v1::ListLevyReceiptsRequest& request) {
  ASSIGN_OR_RETURN(const auto tree, levies_.tree->Get(call.federation));
  const std::string owner = request.organization().empty() ? tree->Root() : request.organization();
  v1::ListLevyReceiptsResponse response;
  const PageQuery page{&kListReceipts,
                       {std::string(request.batch().empty() ? "" : LeafOf(request.batch())),
                        int64_t{request.state()}},
                       [&](const sql::Rows::Row& row) {
                         const ReceiptRow receipt = ToReceipt(row);
                         *response.add_receipts() = ReceiptView(call.federation, receipt);
                         return std::vector<std::string>{receipt.view.serial(), receipt.id};
                       }};
  RETURN_IF_ERROR(
      FillPage(*levies_.db, call, request, {owner}, page, response, [&] { response.Clear(); }));
  return response;
}

absl::StatusOr<v1::ResolveLevyReceiptsResponse> LevyReceipts::Resolve(
    rpc::Call& call, const v1::ResolveLevyReceiptsRequest& request) {
  using Response = v1::ResolveLevyReceiptsResponse;
  const std::string id(LeafOf(request.name()));
  v1::LevyBatch batch;
  RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(batch, FindBatch(tx, call.federation, id, "name"));
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(call.CheckScope(batch.organization()));
  ASSIGN_OR_RETURN(const LevyIntake intake, LevyIntake::Begin(levies_, call, batch.organization()));
  const auto answer = [&](const std::vector<ReceiptRow>& rows) {
    Response response;
    for (const ReceiptRow& row : rows) {
      *response.add_receipts() = ReceiptView(call.federation, row);
    }
    return response;
  };
  if (request.validate_only()) {
    std::vector<ReceiptRow> rows;
    RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
      std::vector<ObligationRow> assessed;
      return intake.Resolve(tx, request, rows, assessed);
    }));
    return answer(rows);
  }
  return rpc::WriteOnce<Response>(
      *levies_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Response> {
        std::vector<ReceiptRow> rows;
        std::vector<ObligationRow> assessed;
        RETURN_IF_ERROR(intake.Resolve(tx, request, rows, assessed));
        feed::v1::Event event;
        event.set_type("gonghui.funds.v1.LevyReceiptsResolved");
        event.add_resources(request.name());
        RETURN_IF_ERROR(WriteAssessed(tx, call, *levies_.rules, std::move(assessed), event));
        RETURN_IF_ERROR(UpdateReceipts(tx, call.federation, rows));
        RETURN_IF_ERROR(feed::Append(tx, call, event));
        return answer(rows);
      });
}

absl::StatusOr<v1::LevyBatch> LevyReceipts::Undo(rpc::Call& call,
                                                 const v1::UndoLevyBatchRequest& request) {
  const std::string id(LeafOf(request.name()));
  v1::LevyBatch batch;
  RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(batch, FindBatch(tx, call.federation, id, "name"));
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(call.CheckScope(batch.organization()));
  return rpc::WriteOnce<v1::LevyBatch>(
      *levies_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::LevyBatch> {
        ASSIGN_OR_RETURN(const v1::LevyBatch now, FindBatch(tx, call.federation, id, "name"));
        if (now.undone()) return BatchUndone(id);
        if (now.confirmed() > 0) return ConfirmedAlready(now.confirmed());
        RETURN_IF_ERROR(tx.Run(kDropReceipts, {call.federation, id}).status());
        RETURN_IF_ERROR(tx.Run(kMarkUndone, {call.federation, id, true}).status());
        feed::v1::Event event;
        event.set_type("gonghui.funds.v1.LevyBatchUndone");
        event.add_resources(now.name());
        RETURN_IF_ERROR(feed::Append(tx, call, event));
        return FindBatch(tx, call.federation, id, "name");
      });
}

absl::StatusOr<v1::ListLevyBatchesResponse> LevyReceipts::ListBatches(
    rpc::Call& call, const v1::ListLevyBatchesRequest& request) {
  ASSIGN_OR_RETURN(const auto tree, levies_.tree->Get(call.federation));
  const std::string owner = request.organization().empty() ? tree->Root() : request.organization();
  ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const auto after, rpc::ReadPageToken(request, request.page_token(), 2));
  int64_t time = 0;
  if (!after.empty() && !ParseInteger(after[0], &time)) return rpc::DamagedPageToken();
  v1::ListLevyBatchesResponse response;
  RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    ASSIGN_OR_RETURN(const sql::Rows rows,
                     tx.Run(kListBatches, {call.federation, owner, time,
                                           after.empty() ? "" : after[1], int64_t{size} + 1}));
    for (size_t i = 0; i < rows.size(); ++i) {
      if (i == static_cast<size_t>(size)) {
        const auto& last = rows[i - 1];
        response.set_next_page_token(
            rpc::MakePageToken(request, {StrCat(last.Get<int64_t>(1)), last.Get<std::string>(0)}));
        break;
      }
      ASSIGN_OR_RETURN(*response.add_batches(),
                       FindBatch(tx, call.federation, rows[i].Get<std::string>(0), "name"));
    }
    return absl::OkStatus();
  }));
  return response;
}

}  // namespace gonghui::funds
