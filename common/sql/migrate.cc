#include "common/sql/migrate.h"

#include <algorithm>
#include <map>
#include <string>

#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::sql {
namespace {

constexpr std::string_view kCreateTable =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    "name TEXT PRIMARY KEY, checksum TEXT NOT NULL, applied_us BIGINT NOT NULL)";
constexpr Query kListApplied{"sql.list_migrations", "SELECT name, checksum FROM schema_migrations"};

// Two processes that start together take turns; the second finds the work done.
constexpr std::string_view kPostgresTurn = "SELECT pg_advisory_xact_lock(7310460);\n";

using Checksums = std::map<std::string, std::string, std::less<>>;

bool RunsOn(std::string_view file, std::string_view engine) {
  const bool postgres_only = file.ends_with(".postgres.sql");
  const bool sqlite_only = file.ends_with(".sqlite.sql");
  return !(postgres_only && engine != "postgres") && !(sqlite_only && engine != "sqlite");
}

absl::Status Refuse(std::string_view file, std::string_view why, std::string_view why_zh) {
  return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                            StrCat("schema migration ", file, " ", why),
                            StrCat("数据库结构脚本 ", file, " ", why_zh))
      .With("migration", std::string(file));
}

absl::StatusOr<Checksums> ListApplied(Database& db) {
  Checksums applied;
  RETURN_IF_ERROR(db.ReadOnly(absl::InfiniteFuture(), [&](Tx& tx) -> absl::Status {
    applied.clear();
    ASSIGN_OR_RETURN(const Rows rows, tx.Run(kListApplied));
    for (size_t i = 0; i < rows.size(); ++i) {
      applied.emplace(rows[i].Get<std::string>(0), rows[i].Get<std::string>(1));
    }
    return absl::OkStatus();
  }));
  return applied;
}

absl::Status Changed(const EmbeddedFile& file) {
  return Refuse(file.name, "was changed after it was applied; add a new file instead",
                "应用后内容被修改，请新增脚本文件");
}

// The scripts of the database's engine, in order. An error where two have one name.
absl::Status Arrange(const Database& db, std::vector<EmbeddedFile>& migrations) {
  std::erase_if(migrations,
                [&](const EmbeddedFile& file) { return !RunsOn(file.name, db.engine()); });
  std::sort(migrations.begin(), migrations.end(),
            [](const EmbeddedFile& a, const EmbeddedFile& b) { return a.name < b.name; });
  const auto twin = std::adjacent_find(
      migrations.begin(), migrations.end(),
      [](const EmbeddedFile& a, const EmbeddedFile& b) { return a.name == b.name; });
  if (twin == migrations.end()) return absl::OkStatus();
  return Refuse(twin->name, "exists twice; rename one of the files", "重名，请改名");
}

// The scripts that a newer program applied; an error where one of them took something away.
absl::StatusOr<std::vector<std::string>> Newer(const Checksums& applied,
                                               const std::vector<EmbeddedFile>& files) {
  std::vector<std::string> newer;
  for (const auto& [name, checksum] : applied) {
    const bool known = std::any_of(files.begin(), files.end(),
                                   [&n = name](const EmbeddedFile& f) { return f.name == n; });
    if (known) continue;
    if (name.find(".contract.") != std::string::npos) {
      return Refuse(name, "took away what this program needs; run the newer program",
                    "已移除本程序所需的结构，请使用更新版本的程序");
    }
    newer.push_back(name);
  }
  return newer;
}

absl::Status Apply(Database& db, const EmbeddedFile& file, const std::string& checksum,
                   int64_t now_us) {
  const bool postgres = db.engine() == "postgres";
  // The parts are a file name of ours, hex digits and a number: nothing to escape.
  return db.RunScript(
      StrCat(postgres ? kPostgresTurn : "", file.text,
             "\n;INSERT INTO schema_migrations (name, checksum, applied_us) VALUES ('", file.name,
             "', '", checksum, "', ", now_us, ");"));
}

}  // namespace

absl::Status Migrate(Database& db, std::vector<EmbeddedFile> migrations, int64_t now_us) {
  RETURN_IF_ERROR(Arrange(db, migrations));
  const bool postgres = db.engine() == "postgres";
  RETURN_IF_ERROR(db.RunScript(StrCat(postgres ? kPostgresTurn : "", kCreateTable)));
  ASSIGN_OR_RETURN(Checksums applied, ListApplied(db));
  ASSIGN_OR_RETURN(const std::vector<std::string> newer, Newer(applied, migrations));
  if (!newer.empty()) {
    log::Warning("schema_is_newer", {{"first", newer.front()}, {"engine", db.engine()}});
  }
  for (const EmbeddedFile& file : migrations) {
    const std::string checksum = Sha256Hex(file.text);
    if (!applied.contains(file.name)) {
      const absl::Status status = Apply(db, file, checksum, now_us);
      if (status.ok()) continue;
      // Another process may have applied it in between.
      ASSIGN_OR_RETURN(applied, ListApplied(db));
      if (!applied.contains(file.name)) {
        log::Error("migration_failed", {{"migration", file.name}, {"engine", db.engine()}});
        return status;
      }
    }
    if (applied.find(file.name)->second != checksum) return Changed(file);
  }
  return absl::OkStatus();
}

absl::StatusOr<MigrationPlan> PlanMigration(Database& db, std::vector<EmbeddedFile> migrations) {
  RETURN_IF_ERROR(Arrange(db, migrations));
  absl::StatusOr<Checksums> applied = ListApplied(db);
  // The statement fails where nothing was ever applied: there is no table.
  if (absl::IsInternal(applied.status())) applied = Checksums();
  RETURN_IF_ERROR(applied.status());
  MigrationPlan plan;
  ASSIGN_OR_RETURN(plan.newer, Newer(*applied, migrations));
  for (const EmbeddedFile& file : migrations) {
    const auto found = applied->find(file.name);
    if (found == applied->end()) {
      plan.pending.emplace_back(file.name);
    } else if (found->second != Sha256Hex(file.text)) {
      return Changed(file);
    } else {
      ++plan.applied;
    }
  }
  return plan;
}

}  // namespace gonghui::sql
