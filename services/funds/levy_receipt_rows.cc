#include "services/funds/levy_receipt_rows.h"

#include "common/base/id.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/sql/insert.h"

namespace gonghui::funds {
namespace {

constexpr sql::Query kFindReceipt{"funds.find_levy_receipt",
                                  "SELECT " RECEIPT_COLUMNS
                                  " FROM levy_receipts WHERE tenant = $1 AND receipt_id = $2"};
constexpr sql::Query kUpdateReceipt{
    "funds.update_levy_receipt",
    "UPDATE levy_receipts SET unit = $3, item = $4, state = $5, exception = $6, organization = $7, "
    "collector = $8, rule = $9, voucher = $10, settled_on = $11 "
    "WHERE tenant = $1 AND receipt_id = $2"};
constexpr sql::Query kFindBatch{
    "funds.find_levy_batch",
    "SELECT organization, channel, source, undone, create_time_us FROM levy_batches "
    "WHERE tenant = $1 AND batch_id = $2"};
constexpr sql::Query kCountBatch{
    "funds.count_levy_batch",
    "SELECT state, COUNT(*), CAST(SUM(paid_fen) AS BIGINT) FROM levy_receipts "
    "WHERE tenant = $1 AND batch_id = $2 GROUP BY state"};
constexpr sql::Query kInsertBatch{
    "funds.insert_levy_batch",
    "INSERT INTO levy_batches (tenant, batch_id, organization, channel, source, undone, "
    "create_time_us) VALUES ($1, $2, $3, $4, $5, $6, $7)"};

const sql::Insert& PutReceipts() {
  static const auto& insert = *new sql::Insert(
      "funds.insert_levy_receipts", "levy_receipts",
      {"tenant",  "receipt_id", "batch_id",   "owner",        "channel",     "serial_no",
       "digest",  "unit",       "first_day",  "last_day",     "period",      "payroll_fen",
       "rate",    "due_fen",    "relief_fen", "paid_fen",     "received_on", "ticket",
       "item",    "state",      "exception",  "organization", "collector",   "rule",
       "voucher", "settled_on"});
  return insert;
}

}  // namespace

ReceiptRow ToReceipt(const sql::Rows::Row& row) {
  ReceiptRow out;
  v1::LevyReceipt& r = out.view;
  out.id = row.Get<std::string>(0);
  r.set_batch(row.Get<std::string>(1));
  out.owner = row.Get<std::string>(2);
  r.set_channel(row.Get<std::string>(3));
  r.set_serial(row.Get<std::string>(4));
  out.digest = row.Get<std::string>(5);
  r.set_unit(row.Get<std::string>(6));
  r.set_period_from(row.Get<std::string>(7));
  r.set_period_to(row.Get<std::string>(8));
  out.period = row.Get<std::string>(9);
  r.set_payroll_fen(row.Get<int64_t>(10));
  r.set_rate(row.Get<int>(11));
  r.set_due_fen(row.Get<int64_t>(12));
  r.set_relief_fen(row.Get<int64_t>(13));
  r.set_paid_fen(row.Get<int64_t>(14));
  r.set_received_on(row.Get<std::string>(15));
  r.set_ticket(row.Get<std::string>(16));
  r.set_item(row.Get<std::string>(17));
  r.set_state(static_cast<v1::LevyReceiptState>(row.Get<int>(18)));
  r.set_exception(static_cast<v1::LevyException>(row.Get<int>(19)));
  r.set_organization(row.Get<std::string>(20));
  r.set_collector(row.Get<std::string>(21));
  r.set_rule(row.Get<std::string>(22));
  r.set_voucher(row.Get<std::string>(23));
  out.settled_on = row.Get<std::string>(24);
  return out;
}

v1::LevyReceipt ReceiptView(std::string_view tenant, const ReceiptRow& row) {
  v1::LevyReceipt view = row.view;
  view.set_name(ReceiptName(tenant, row.id));
  view.set_batch(BatchName(tenant, row.view.batch()));
  return view;
}

std::string ReceiptId(std::string_view channel, std::string_view serial) {
  return ContentId(StrCat(channel, "\x1f", serial));
}

std::string DigestOf(const v1::LevyReceipt& r) {
  return ContentId(StrCat(r.unit(), "\x1f", r.period_from(), "\x1f", r.period_to(), "\x1f",
                          r.payroll_fen(), "\x1f", r.rate(), "\x1f", r.due_fen(), "\x1f",
                          r.relief_fen(), "\x1f", r.paid_fen(), "\x1f", r.received_on(), "\x1f",
                          r.ticket(), "\x1f", r.item()));
}

std::string ReceiptName(std::string_view tenant, std::string_view id) {
  return StrCat("federations/", tenant, "/levyReceipts/", id);
}

std::string BatchName(std::string_view tenant, std::string_view id) {
  return StrCat("federations/", tenant, "/levyBatches/", id);
}

absl::Status NoSuchReceipt(std::string_view id, std::string_view field) {
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no receipt '", id, "'; ListLevyReceipts shows them"),
                  StrCat("没有收款“", id, "”；请用 ListLevyReceipts 查看"))
      .At(std::string(field));
}

absl::Status InsertReceipts(sql::Tx& tx, const std::string& tenant,
                            const std::vector<ReceiptRow>& rows) {
  std::vector<sql::Args> args;
  args.reserve(rows.size());
  for (const ReceiptRow& row : rows) {
    const v1::LevyReceipt& r = row.view;
    args.push_back({tenant,
                    row.id,
                    r.batch(),
                    row.owner,
                    r.channel(),
                    r.serial(),
                    row.digest,
                    r.unit(),
                    r.period_from(),
                    r.period_to(),
                    row.period,
                    r.payroll_fen(),
                    int64_t{r.rate()},
                    r.due_fen(),
                    r.relief_fen(),
                    r.paid_fen(),
                    r.received_on(),
                    r.ticket(),
                    r.item(),
                    int64_t{r.state()},
                    int64_t{r.exception()},
                    r.organization(),
                    r.collector(),
                    r.rule(),
                    r.voucher(),
                    row.settled_on});
  }
  return PutReceipts().Run(tx, std::move(args));
}

absl::Status UpdateReceipts(sql::Tx& tx, const std::string& tenant,
                            const std::vector<ReceiptRow>& rows) {
  std::vector<sql::Args> args;
  args.reserve(rows.size());
  for (const ReceiptRow& row : rows) {
    const v1::LevyReceipt& r = row.view;
    args.push_back({tenant, row.id, r.unit(), r.item(), int64_t{r.state()}, int64_t{r.exception()},
                    r.organization(), r.collector(), r.rule(), r.voucher(), row.settled_on});
  }
  return tx.RunMany(kUpdateReceipt, args).status();
}

absl::StatusOr<std::optional<ReceiptRow>> FindReceipt(sql::Tx& tx, const std::string& tenant,
                                                      const std::string& id) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFindReceipt, {tenant, id}));
  if (rows.empty()) return std::nullopt;
  return ToReceipt(rows[0]);
}

absl::StatusOr<std::vector<ReceiptRow>> FindReceipts(sql::Tx& tx, const std::string& tenant,
                                                     const std::vector<std::string>& ids) {
  std::vector<sql::Args> keys;
  for (const std::string& id : ids) keys.push_back({tenant, id});
  std::vector<ReceiptRow> rows;
  RETURN_IF_ERROR(tx.ReadMany(kFindReceipt, keys,
                              [&](const sql::Rows::Row& row) { rows.push_back(ToReceipt(row)); }));
  return rows;
}

absl::StatusOr<v1::LevyBatch> FindBatch(sql::Tx& tx, const std::string& tenant,
                                        const std::string& id, std::string_view field) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFindBatch, {tenant, id}));
  if (rows.empty()) {
    return NotFound(common::v1::REASON_NOT_FOUND,
                    StrCat("there is no batch '", id, "'; ListLevyBatches shows them"),
                    StrCat("没有收缴批次“", id, "”；请用 ListLevyBatches 查看"))
        .With("batch", id)
        .At(std::string(field));
  }
  v1::LevyBatch batch;
  batch.set_name(BatchName(tenant, id));
  batch.set_organization(rows[0].Get<std::string>(0));
  batch.set_channel(rows[0].Get<std::string>(1));
  batch.set_source(rows[0].Get<std::string>(2));
  batch.set_undone(rows[0].Get<bool>(3));
  batch.set_create_time_us(rows[0].Get<int64_t>(4));
  ASSIGN_OR_RETURN(const sql::Rows counts, tx.Run(kCountBatch, {tenant, id}));
  for (size_t i = 0; i < counts.size(); ++i) {
    const auto count = counts[i].Get<int64_t>(1);
    batch.set_receipts(batch.receipts() + count);
    batch.set_paid_fen(batch.paid_fen() + counts[i].Get<int64_t>(2));
    switch (counts[i].Get<int64_t>(0)) {
      case v1::LEVY_RECEIPT_STATE_MATCHED:
        batch.set_matched(count);
        break;
      case v1::LEVY_RECEIPT_STATE_EXCEPTION:
        batch.set_exceptions(count);
        break;
      case v1::LEVY_RECEIPT_STATE_REJECTED:
        batch.set_rejected(count);
        break;
      default:
        batch.set_confirmed(batch.confirmed() + count);
    }
  }
  return batch;
}

absl::Status InsertBatch(sql::Tx& tx, const std::string& tenant, const std::string& id,
                         const v1::LevyBatch& batch) {
  return tx
      .Run(kInsertBatch, {tenant, id, batch.organization(), batch.channel(), batch.source(),
                          batch.undone(), batch.create_time_us()})
      .status();
}

}  // namespace gonghui::funds
