#include "services/membership/name_key_backfill.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/base/status.h"
#include "services/membership/name_key.h"

namespace gonghui::membership {
namespace {

constexpr int64_t kPage = 1000;
constexpr absl::Duration kTimeout = absl::Seconds(30);

constexpr sql::Query kTenants{"membership.federations_of_members",
                              "SELECT tenant FROM federations ORDER BY tenant"};
constexpr sql::Query kMissing{
    "membership.members_without_name_key",
    "SELECT member_id, full_name FROM members WHERE tenant=$1 AND name_key='' AND member_id>$2 "
    "ORDER BY member_id LIMIT $3"};
constexpr sql::Query kFill{
    "membership.fill_name_key",
    "UPDATE members SET name_key=$3 WHERE tenant=$1 AND member_id=$2 AND name_key=''"};

// One page after a member; sets `after` to the last of it, empty at the end.
absl::Status FillPage(sql::Tx& tx, const std::string& tenant, std::string& after) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kMissing, {tenant, after, kPage}));
  std::vector<sql::Args> filled;
  for (size_t i = 0; i < rows.size(); ++i) {
    std::string key = NameKey(rows[i].Get<std::string>(1));
    if (!key.empty()) filled.push_back({tenant, rows[i].Get<std::string>(0), std::move(key)});
  }
  if (!filled.empty()) RETURN_IF_ERROR(tx.RunMany(kFill, filled).status());
  const bool more = static_cast<int64_t>(rows.size()) == kPage;
  after = more ? rows[rows.size() - 1].Get<std::string>(0) : "";
  return absl::OkStatus();
}

}  // namespace

absl::Status FillNameKeys(sql::Database& db) {
  std::vector<std::string> tenants;
  RETURN_IF_ERROR(db.ReadOnly(absl::Now() + kTimeout, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kTenants));
    tenants.clear();
    for (size_t i = 0; i < rows.size(); ++i) tenants.push_back(rows[i].Get<std::string>(0));
    return absl::OkStatus();
  }));
  for (const std::string& tenant : tenants) {
    std::string after;
    do {
      std::string next;
      RETURN_IF_ERROR(db.ReadWrite(absl::Now() + kTimeout, [&](sql::Tx& tx) {
        next = after;
        return FillPage(tx, tenant, next);
      }));
      after = std::move(next);
    } while (!after.empty());
  }
  return absl::OkStatus();
}

}  // namespace gonghui::membership
