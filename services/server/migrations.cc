#include "services/server/migrations.h"

#include <filesystem>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/base/clock.h"
#include "common/base/embedded.h"
#include "common/base/status.h"
#include "common/records/record_service.h"
#include "common/sql/migrate.h"
#include "common/sql/schema.embedded.h"
#include "common/sql/sql.h"
#include "services/funds/service.h"
#include "services/membership/service.h"
#include "services/reports/service.h"

namespace gonghui {
namespace {

std::vector<EmbeddedFile> SchemaOf(const std::string& area) {
  if (area == "membership") return membership::MembershipSchema();
  if (area == "funds") return funds::FundsSchema();
  if (area == "reports") return reports::ReportsSchema();
  return records::RecordSchema();
}

bool IsNewFile(const std::string& url) {
  absl::string_view path = url;
  return absl::ConsumePrefix(&path, "sqlite:") && !std::filesystem::exists(std::string(path));
}

}  // namespace

absl::StatusOr<std::string> PlanMigrations(const std::map<std::string, std::string>& databases) {
  std::string text;
  for (const auto& [area, url] : databases) {
    if (IsNewFile(url)) {
      absl::StrAppend(&text, area, ": a new database will be made\n");
      continue;
    }
    ASSIGN_OR_RETURN(const auto db, sql::Database::Open({.url = url, .connections = 1}));
    ASSIGN_OR_RETURN(const sql::MigrationPlan plan, sql::PlanMigration(*db, SchemaOf(area)));
    absl::StrAppend(&text, area, ": ", plan.applied, " applied");
    if (plan.pending.empty()) absl::StrAppend(&text, ", nothing to do");
    if (!plan.pending.empty()) {
      absl::StrAppend(&text, ", to apply: ", absl::StrJoin(plan.pending, ", "));
    }
    if (!plan.newer.empty()) {
      absl::StrAppend(&text, "; a newer program applied ", absl::StrJoin(plan.newer, ", "));
    }
    text += "\n";
  }
  return text;
}

absl::Status MigrateAll(const std::map<std::string, std::string>& databases) {
  for (const auto& [area, url] : databases) {
    ASSIGN_OR_RETURN(const auto db, sql::Database::Open({.url = url, .connections = 1}));
    RETURN_IF_ERROR(sql::Migrate(*db, SchemaOf(area), Clock::System().NowMicros()));
  }
  return absl::OkStatus();
}

absl::Status DistributeAll(const std::map<std::string, std::string>& databases) {
  RETURN_IF_ERROR(MigrateAll(databases));
  for (const auto& [area, url] : databases) {
    ASSIGN_OR_RETURN(const auto db, sql::Database::Open({.url = url, .connections = 1}));
    if (db->engine() != "postgres") {
      return FailedPrecondition(
          common::v1::REASON_STATE_FORBIDS,
          absl::StrCat(area, " is on SQLite; give the URL of a Citus coordinator"),
          absl::StrCat(area, " 使用 SQLite；请提供 Citus 协调节点的数据库地址"));
    }
    for (const EmbeddedFile& file : embedded::common_sql_schema()) {
      RETURN_IF_ERROR(db->RunScript(file.text));
    }
  }
  return absl::OkStatus();
}

}  // namespace gonghui
