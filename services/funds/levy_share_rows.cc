#include "services/funds/levy_share_rows.h"

#include <algorithm>

#include "common/base/status.h"
#include "common/sql/insert.h"
#include "services/funds/levy_receipt_rows.h"

namespace gonghui::funds {
namespace {

constexpr sql::Query kSharesOfReceipt{
    "funds.list_levy_shares",
    "SELECT " SHARE_COLUMNS
    " FROM levy_shares WHERE tenant = $1 AND receipt_id = $2 ORDER BY position"};

const sql::Insert& PutShares() {
  static const auto& insert =
      *new sql::Insert("funds.insert_levy_shares", "levy_shares",
                       {"tenant", "receipt_id", "position", "level", "organization", "share",
                        "rest", "amount_fen", "received_on", "holder", "way", "remittance_id"});
  return insert;
}

}  // namespace

ShareRow ToShare(const sql::Rows::Row& row) {
  ShareRow out;
  out.receipt_id = row.Get<std::string>(0);
  out.position = row.Get<int64_t>(1);
  out.share.level = row.Get<std::string>(2);
  out.share.organization = row.Get<std::string>(3);
  out.share.share = row.Get<int>(4);
  out.share.rest = row.Get<bool>(5);
  out.share.amount_fen = row.Get<int64_t>(6);
  out.received_on = row.Get<std::string>(7);
  out.holder = row.Get<std::string>(8);
  out.share.way = static_cast<Way>(row.Get<int64_t>(9));
  return out;
}

v1::LevyShare ShareView(std::string_view tenant, const ShareRow& row) {
  v1::LevyShare view;
  view.set_level(row.share.level);
  view.set_organization(row.share.organization);
  view.set_share(row.share.share);
  view.set_amount_fen(row.share.amount_fen);
  view.set_holder(row.holder);
  view.set_rest(row.share.rest);
  view.set_receipt(ReceiptName(tenant, row.receipt_id));
  return view;
}

std::vector<ShareRow> RowsOf(const std::string& receipt_id, const std::string& received_on,
                             const Shared& shared) {
  std::vector<ShareRow> rows;
  for (size_t i = 0; i < shared.levels.size(); ++i) {
    rows.push_back(
        {receipt_id, static_cast<int64_t>(i) + 1, shared.levels[i], received_on, shared.collector});
  }
  return rows;
}

absl::Status InsertShares(sql::Tx& tx, const std::string& tenant,
                          const std::vector<ShareRow>& rows) {
  std::vector<sql::Args> args;
  args.reserve(rows.size());
  for (const ShareRow& row : rows) {
    const LevelShare& s = row.share;
    args.push_back({tenant, row.receipt_id, row.position, s.level, s.organization, int64_t{s.share},
                    s.rest, s.amount_fen, row.received_on, row.holder, static_cast<int64_t>(s.way),
                    std::string()});
  }
  return PutShares().Run(tx, std::move(args));
}

absl::StatusOr<std::vector<ShareRow>> FindShares(sql::Tx& tx, const std::string& tenant,
                                                 const std::vector<std::string>& receipt_ids) {
  std::vector<sql::Args> keys;
  for (const std::string& id : receipt_ids) keys.push_back({tenant, id});
  std::vector<ShareRow> rows;
  RETURN_IF_ERROR(tx.ReadMany(kSharesOfReceipt, keys,
                              [&](const sql::Rows::Row& row) { rows.push_back(ToShare(row)); }));
  return rows;
}

void AddToLevels(const std::vector<LevelShare>& shares,
                 google::protobuf::RepeatedPtrField<v1::LevyShare>& levels) {
  for (const LevelShare& share : shares) {
    auto level = std::find_if(levels.begin(), levels.end(),
                              [&](const v1::LevyShare& sum) { return sum.level() == share.level; });
    v1::LevyShare& sum = level == levels.end() ? *levels.Add() : *level;
    sum.set_level(share.level);
    sum.set_amount_fen(sum.amount_fen() + share.amount_fen);
  }
}

}  // namespace gonghui::funds
