#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "gonghui/membership/v1/federation.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "tests/bench/benches.h"

namespace gonghui::bench {
namespace {

namespace fs = std::filesystem;

constexpr int kUnions = 100;

char CheckDigit(const std::string& first17) {
  constexpr int kWeights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  int sum = 0;
  for (int i = 0; i < 17; ++i) sum += (first17[i] - '0') * kWeights[i];
  return "10X98765432"[sum % 11];
}

void Check(int code, sqlite3* db) {
  if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
  std::fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(db));
  std::_Exit(1);
}

struct RawRow {
  std::vector<sqlite3_value*> values;
};

std::vector<RawRow> ReadRows(sqlite3* db, const std::string& table) {
  sqlite3_stmt* statement = nullptr;
  Check(sqlite3_prepare_v2(db, absl::StrCat("SELECT * FROM ", table).c_str(), -1, &statement,
                           nullptr),
        db);
  std::vector<RawRow> rows;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    RawRow row;
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      row.values.push_back(sqlite3_value_dup(sqlite3_column_value(statement, i)));
    }
    rows.push_back(std::move(row));
  }
  sqlite3_finalize(statement);
  return rows;
}

void CopySchema(sqlite3* from, sqlite3* to) {
  sqlite3_stmt* statement = nullptr;
  Check(sqlite3_prepare_v2(
            from, "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC, name",
            -1, &statement, nullptr),
        from);
  while (sqlite3_step(statement) == SQLITE_ROW) {
    Check(sqlite3_exec(to, reinterpret_cast<const char*>(sqlite3_column_text(statement, 0)),
                       nullptr, nullptr, nullptr),
          to);
  }
  sqlite3_finalize(statement);
}

}  // namespace

BenchSuite::BenchSuite(Suite::Options options) {
  char folder[] = "/tmp/gonghui-bench-XXXXXX";
  folder_ = mkdtemp(folder);
  options.data_dir = folder_;
  options.dev = true;
  options.log_calls = false;
  auto suite = Suite::Start(std::move(options));
  if (!suite.ok()) Fail(suite.status());
  suite_ = *std::move(suite);
  auth::Actor actor{.subject = "bench", .federation = "bench"};
  common::v1::Grant grant;
  grant.set_role("admin");
  grant.set_organization("*");
  actor.grants.push_back(grant);
  token_ = *suite_->DevToken(actor);
  client_ = suite_->NewClient(token_);

  membership::v1::CreateFederationRequest federation;
  federation.set_federation_id("bench");
  federation.mutable_federation()->set_display_name("bench");
  Must<membership::v1::Federation>("/gonghui.membership.v1.FederationService/CreateFederation",
                                   federation);
  membership::v1::BatchCreateOrganizationsRequest organizations;
  organizations.set_parent("federations/bench");
  for (int i = -1; i < kUnions; ++i) {
    membership::v1::Organization& organization = *organizations.add_organizations();
    organization.set_id(i < 0 ? "D01" : absl::StrFormat("U%03d", i));
    if (i >= 0) organization.set_parent("D01");
    organization.set_display_name(organization.id());
    organization.set_kind(i < 0 ? "district" : "enterprise");
    organization.set_founded_on("2010-01-01");
  }
  auto created = Must<membership::v1::BatchCreateOrganizationsResponse>(
      "/gonghui.membership.v1.OrganizationService/BatchCreateOrganizations", organizations);
  if (created.created() != kUnions + 1) Fail(absl::InternalError(created.ShortDebugString()));
}

BenchSuite::~BenchSuite() {
  client_.reset();
  suite_.reset();
  fs::remove_all(folder_);
}

std::string BenchSuite::address() const { return absl::StrCat("127.0.0.1:", suite_->port()); }

void BenchSuite::Fail(const absl::Status& status) {
  std::fprintf(stderr, "bench: %s\n", status.ToString().c_str());
  std::_Exit(1);
}

membership::v1::Member MakeMember(int n) {
  membership::v1::Member member;
  member.set_organization(absl::StrFormat("U%03d", n % kUnions));
  member.set_full_name("张建国");
  const int day = n % 28;
  const int month = n / 28 % 12;
  const int year = n / 336 % 40;
  std::string id =
      absl::StrFormat("320402%04d%02d%02d%03d", 1960 + year, month + 1, day + 1, n / 13440 % 1000);
  member.set_id_number(id + CheckDigit(id));
  member.set_phone("13800001234");
  member.set_employment("on_post");
  member.set_job("钳工");
  member.set_joined_on("2015-03-01");
  return member;
}

std::vector<std::string> BenchSuite::LoadMembers(int count, int first) {
  std::vector<std::string> names;
  for (int at = first; at < first + count;) {
    membership::v1::BatchCreateMembersRequest request;
    request.set_parent("federations/bench");
    for (; at < first + count && request.members_size() < 1000; ++at)
      *request.add_members() = MakeMember(at);
    auto response = Must<membership::v1::BatchCreateMembersResponse>(
        "/gonghui.membership.v1.MemberService/BatchCreateMembers", request);
    if (response.failures_size() > 0)
      Fail(absl::InternalError(response.failures(0).ShortDebugString()));
    for (const auto& item : response.items()) names.push_back(item.name());
  }
  return names;
}

double RawInsertRate(const std::string& schema_of, const std::vector<RawTable>& tables, int batch,
                     int64_t* count) {
  sqlite3* from = nullptr;
  Check(sqlite3_open_v2(schema_of.c_str(), &from, SQLITE_OPEN_READONLY, nullptr), from);
  const std::string path = absl::StrCat(schema_of, ".raw");
  sqlite3* to = nullptr;
  Check(sqlite3_open(path.c_str(), &to), to);
  for (const char* pragma : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
                             "PRAGMA wal_autocheckpoint=20000", "PRAGMA cache_size=-65536"}) {
    Check(sqlite3_exec(to, pragma, nullptr, nullptr, nullptr), to);
  }
  CopySchema(from, to);
  int64_t total = 0;
  absl::Duration spent;
  for (const RawTable& table : tables) {
    const std::vector<RawRow> rows = ReadRows(from, table.name);
    if (rows.empty()) continue;
    const std::vector<std::string> marks(rows[0].values.size(), "?");
    const absl::Time start = absl::Now();
    std::vector<sqlite3_stmt*> statements(table.also.empty() ? 1 : 2);
    const std::string insert =
        absl::StrCat("INSERT INTO ", table.name, " VALUES (", absl::StrJoin(marks, ","), ")");
    Check(sqlite3_prepare_v2(to, insert.c_str(), -1, &statements[0], nullptr), to);
    if (!table.also.empty()) {
      Check(sqlite3_prepare_v2(to, table.also.c_str(), -1, &statements[1], nullptr), to);
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      if (i % batch == 0) Check(sqlite3_exec(to, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), to);
      for (sqlite3_stmt* statement : statements) {
        for (int c = 0; c < sqlite3_bind_parameter_count(statement); ++c) {
          Check(sqlite3_bind_value(statement, c + 1, rows[i].values[static_cast<size_t>(c)]), to);
        }
        Check(sqlite3_step(statement), to);
        sqlite3_reset(statement);
      }
      if ((i + 1) % batch == 0 || i + 1 == rows.size())
        Check(sqlite3_exec(to, "COMMIT", nullptr, nullptr, nullptr), to);
    }
    spent += absl::Now() - start;
    for (sqlite3_stmt* statement : statements) sqlite3_finalize(statement);
    total += static_cast<int64_t>(rows.size());
    for (const RawRow& row : rows) {
      for (sqlite3_value* value : row.values) sqlite3_value_free(value);
    }
  }
  sqlite3_close(from);
  sqlite3_close(to);
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(path + suffix);
  if (count != nullptr) *count = total;
  return static_cast<double>(total) / absl::ToDoubleSeconds(spent);
}

}  // namespace gonghui::bench
