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

absl::Status CheckKnown(const Checksums& applied, const std::vector<EmbeddedFile>& files) {
  for (const auto& [name, checksum] : applied) {
    const bool known = std::any_of(files.begin(), files.end(),
                                   [&n = name](const EmbeddedFile& f) { return f.name == n; });
    if (!known) {
      return Refuse(name, "is applied but unknown to this program; run the newer program",
                    "已应用，但本程序不认识，请使用更新版本的程序");
    }
  }
  return absl::OkStatus();
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
  std::erase_if(migrations,
                [&](const EmbeddedFile& file) { return !RunsOn(file.name, db.engine()); });
  std::sort(migrations.begin(), migrations.end(),
            [](const EmbeddedFile& a, const EmbeddedFile& b) { return a.name < b.name; });
  const auto twin = std::adjacent_find(
      migrations.begin(), migrations.end(),
      [](const EmbeddedFile& a, const EmbeddedFile& b) { return a.name == b.name; });
  if (twin != migrations.end()) {
    return Refuse(twin->name, "exists twice; rename one of the files", "重名，请改名");
  }
  const bool postgres = db.engine() == "postgres";
  RETURN_IF_ERROR(db.RunScript(StrCat(postgres ? kPostgresTurn : "", kCreateTable)));
  ASSIGN_OR_RETURN(Checksums applied, ListApplied(db));
  RETURN_IF_ERROR(CheckKnown(applied, migrations));
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
    if (applied.find(file.name)->second != checksum) {
      return Refuse(file.name, "was changed after it was applied; add a new file instead",
                    "应用后内容被修改，请新增脚本文件");
    }
  }
  return absl::OkStatus();
}

}  // namespace gonghui::sql
