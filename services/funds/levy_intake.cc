#include "services/funds/levy_intake.h"

#include <map>
#include <set>
#include <utility>

#include "common/base/resource_name.h"
#include "common/base/text.h"
#include "services/funds/levy_obligations.h"
#include "services/funds/levy_pages.h"

namespace gonghui::funds {
namespace {

constexpr int64_t kMostAtOnce = 1000;

constexpr sql::Query kListExceptions{
    "funds.list_levy_exceptions",
    "SELECT " RECEIPT_COLUMNS
    " FROM levy_receipts WHERE tenant = $1 AND batch_id = $2 AND state = 2 AND "
    "(CAST($3 AS BIGINT) = 0 OR exception = $3) ORDER BY serial_no, receipt_id LIMIT $4"};

}  // namespace

absl::Status SerialTaken(const v1::LevyReceipt& receipt) {
  return AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                       StrCat("the serial number '", receipt.serial(),
                              "' is there with other content; correct the row"),
                       StrCat("登记序号“", receipt.serial(), "”已存在且内容不同，请核对"))
      .With("serial", receipt.serial())
      .At("serial");
}

absl::StatusOr<LevyIntake> LevyIntake::Begin(const Levies& levies, const rpc::Call& call,
                                             const std::string& organization) {
  ASSIGN_OR_RETURN(auto below, Below(*levies.tree, call, organization));
  ASSIGN_OR_RETURN(auto tree, levies.tree->Get(call.federation));
  return LevyIntake(levies, call, std::move(tree), std::move(below));
}

absl::Status LevyIntake::Take(sql::Tx& tx, const std::vector<ReceiptRow>& rows,
                              const std::string& batch, v1::ImportLevyReceiptsResponse& response,
                              std::vector<ReceiptRow>& added) const {
  std::vector<std::string> ids;
  for (const ReceiptRow& row : rows) ids.push_back(row.id);
  ASSIGN_OR_RETURN(const auto known, FindReceipts(tx, call_.federation, ids));
  std::map<std::string, const ReceiptRow*> by_id;
  for (const ReceiptRow& row : known) by_id[row.id] = &row;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto old = by_id.find(rows[i].id);
    if (old == by_id.end()) {
      added.push_back(rows[i]);
      added.back().view.set_batch(batch);
    } else if (old->second->digest == rows[i].digest) {
      response.set_known(response.known() + 1);
    } else {
      *response.add_failures() = ToItemFailure(static_cast<int>(i), SerialTaken(rows[i].view));
    }
  }
  LevyMatching matching(levies_, call_, tree_, below_);
  RETURN_IF_ERROR(matching.Load(tx, added));
  for (ReceiptRow& row : added) {
    RETURN_IF_ERROR(matching.Match(row));
    if (row.view.state() == v1::LEVY_RECEIPT_STATE_EXCEPTION) {
      *response.add_exceptions() = ReceiptView(call_.federation, row);
    }
  }
  response.set_added(static_cast<int32_t>(added.size()));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ReceiptRow>> LevyIntake::FindExceptions(
    sql::Tx& tx, const v1::ResolveLevyReceiptsRequest& request) const {
  const std::string batch(LeafOf(request.name()));
  std::vector<ReceiptRow> rows;
  if (request.receipts().empty()) {
    ASSIGN_OR_RETURN(const sql::Rows found,
                     tx.Run(kListExceptions,
                            {call_.federation, batch, int64_t{request.exception()}, kMostAtOnce}));
    for (size_t i = 0; i < found.size(); ++i) rows.push_back(ToReceipt(found[i]));
    return rows;
  }
  std::set<std::string> wanted;
  for (const std::string& name : request.receipts()) wanted.insert(std::string(LeafOf(name)));
  ASSIGN_OR_RETURN(rows, FindReceipts(tx, call_.federation, {wanted.begin(), wanted.end()}));
  std::erase_if(rows, [&](const ReceiptRow& row) {
    return row.view.batch() != batch || row.view.state() != v1::LEVY_RECEIPT_STATE_EXCEPTION;
  });
  if (rows.size() == wanted.size()) return rows;
  return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                            "one of the receipts is no exception of this batch; "
                            "ListLevyReceipts shows its state",
                            "所列收款中有的不是本批次的异常收款，请用 ListLevyReceipts 查看")
      .With("allowed", "receipts in state EXCEPTION")
      .At("receipts");
}

absl::StatusOr<ObligationRow> LevyIntake::AssessBy(sql::Tx& tx, const ReceiptRow& row,
                                                   const v1::LevyPayer& payer) const {
  v1::LevyObligation given;
  given.set_period(row.period);
  given.set_payroll_fen(row.view.payroll_fen());
  given.set_relief_fen(row.view.relief_fen());
  if (row.view.relief_fen() > 0) given.set_relief_reason(row.view.serial());
  ASSIGN_OR_RETURN(ObligationRow owed, Assess(*levies_.rules, *tree_, payer, given));
  RETURN_IF_ERROR(CheckOverlap(tx, call_.federation, owed));
  return owed;
}

absl::Status LevyIntake::Resolve(sql::Tx& tx, const v1::ResolveLevyReceiptsRequest& request,
                                 std::vector<ReceiptRow>& rows,
                                 std::vector<ObligationRow>& assessed) const {
  ASSIGN_OR_RETURN(rows, FindExceptions(tx, request));
  const v1::LevyResolution resolution = request.resolution();
  if (resolution == v1::LEVY_RESOLUTION_REJECT) {
    for (ReceiptRow& row : rows) row.view.set_state(v1::LEVY_RECEIPT_STATE_REJECTED);
    return absl::OkStatus();
  }
  if (resolution == v1::LEVY_RESOLUTION_REMATCH && !request.unit().empty()) {
    for (ReceiptRow& row : rows) row.view.set_unit(request.unit());
  }
  LevyMatching matching(levies_, call_, tree_, below_);
  RETURN_IF_ERROR(matching.Load(tx, rows));
  std::set<UnitPeriod> fresh;
  for (ReceiptRow& row : rows) {
    const v1::LevyPayer* payer = matching.PayerOf(row);
    if (resolution == v1::LEVY_RESOLUTION_ASSESS && payer != nullptr &&
        row.view.exception() == v1::LEVY_EXCEPTION_NO_PAYROLL &&
        fresh.emplace(row.view.unit(), row.period).second) {
      ASSIGN_OR_RETURN(ObligationRow owed, AssessBy(tx, row, *payer));
      matching.Add(owed);
      assessed.push_back(std::move(owed));
    }
    RETURN_IF_ERROR(matching.Match(row, resolution == v1::LEVY_RESOLUTION_ACCEPT));
  }
  return absl::OkStatus();
}

}  // namespace gonghui::funds
