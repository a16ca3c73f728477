// A file of members that the server reads, checks, seals and writes, against the bare engine that
// takes the same rows: batches of 1000 inserts on SQLite, COPY on PostgreSQL.
#include <libpq-fe.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/testing/database.h"
#include "gonghui/common/v1/job.pb.h"
#include "gonghui/membership/v1/member_import.pb.h"
#include "tests/bench/benches.h"
#include "tests/bench/measure.h"

namespace gonghui::bench {
namespace {

using membership::v1::MemberImport;

constexpr int kRows = 20'000;
constexpr char kService[] = "/gonghui.membership.v1.MemberImportService/";

std::string Roster(int first) {
  std::string text = "姓名,证件号码,手机号,就业状况,岗位,入会日期,所属工会\n";
  for (int n = first; n < first + kRows; ++n) {
    const membership::v1::Member member = MakeMember(n);
    absl::StrAppend(&text, member.full_name(), ",", member.id_number(), ",", member.phone(), ",",
                    member.employment(), ",", member.job(), ",", member.joined_on(), ",",
                    member.organization(), "\n");
  }
  return text;
}

// Rows a second from the start of the job to its end.
double ImportRate(BenchSuite& suite, int first) {
  membership::v1::CreateMemberImportRequest create;
  create.set_parent("federations/bench");
  create.mutable_member_import()->set_organization("D01");
  const auto made = suite.Must<MemberImport>(absl::StrCat(kService, "CreateMemberImport"), create);
  const std::string text = Roster(first);
  constexpr size_t kPiece = 2 << 20;
  for (size_t at = 0; at < text.size(); at += kPiece) {
    membership::v1::AppendMemberImportRequest append;
    append.set_name(made.name());
    append.set_offset(static_cast<int64_t>(at));
    append.set_content(text.substr(at, kPiece));
    suite.Must<MemberImport>(absl::StrCat(kService, "AppendMemberImport"), append);
  }
  membership::v1::StartMemberImportRequest start;
  start.set_name(made.name());
  start.set_mode(membership::v1::MEMBER_IMPORT_MODE_PARTIAL);
  const absl::Time begin = absl::Now();
  auto job = suite.Must<common::v1::Job>(absl::StrCat(kService, "StartMemberImport"), start);
  common::v1::GetJobRequest get;
  get.set_name(job.name());
  while (job.end_time_us() == 0) {
    absl::SleepFor(absl::Milliseconds(5));
    job = suite.Must<common::v1::Job>("/gonghui.membership.v1.JobService/GetJob", get);
  }
  const absl::Duration took = absl::Now() - begin;
  MemberImport result;
  if (!job.result().UnpackTo(&result) || result.created() != kRows) {
    BenchSuite::Fail(absl::InternalError(job.ShortDebugString()));
  }
  return kRows / absl::ToDoubleSeconds(took);
}

void Must(PGconn* connection, PGresult* result, ExecStatusType wanted) {
  const bool good = PQresultStatus(result) == wanted;
  PQclear(result);
  if (!good) BenchSuite::Fail(absl::InternalError(PQerrorMessage(connection)));
}

// Rows a second at which COPY takes all members into an empty table of the same form.
double CopyRate(const std::string& url) {
  PGconn* connection = PQconnectdb(url.c_str());
  const auto run = [&](const char* statement, ExecStatusType wanted) {
    Must(connection, PQexec(connection, statement), wanted);
  };
  run("SET client_min_messages = warning", PGRES_COMMAND_OK);
  run("DROP TABLE IF EXISTS copied", PGRES_COMMAND_OK);
  run("CREATE TABLE copied (LIKE members INCLUDING ALL)", PGRES_COMMAND_OK);
  run("COPY members TO STDOUT (FORMAT binary)", PGRES_COPY_OUT);
  std::string bytes;
  char* piece = nullptr;
  for (int size = PQgetCopyData(connection, &piece, 0); size > 0;
       size = PQgetCopyData(connection, &piece, 0)) {
    bytes.append(piece, static_cast<size_t>(size));
    PQfreemem(piece);
  }
  Must(connection, PQgetResult(connection), PGRES_COMMAND_OK);
  while (PGresult* rest = PQgetResult(connection)) PQclear(rest);
  const absl::Time begin = absl::Now();
  run("COPY copied FROM STDIN (FORMAT binary)", PGRES_COPY_IN);
  PQputCopyData(connection, bytes.data(), static_cast<int>(bytes.size()));
  PQputCopyEnd(connection, nullptr);
  PGresult* copied = PQgetResult(connection);
  const double rows = std::strtod(PQcmdTuples(copied), nullptr);
  Must(connection, copied, PGRES_COMMAND_OK);
  const absl::Duration took = absl::Now() - begin;
  PQfinish(connection);
  return rows / absl::ToDoubleSeconds(took);
}

void BenchBulkOn(const Settings& settings, const std::string& engine) {
  std::unique_ptr<testing::TempDatabase> database;
  Suite::Options options;
  options.services = {"membership"};
  if (engine == "postgres") {
    database = std::make_unique<testing::TempDatabase>(engine);
    options.database_urls["membership"] = database->Close();
  }
  BenchSuite suite(std::move(options));
  int next = 0;
  const auto import = [&] {
    const double rate = ImportRate(suite, next);
    next += kRows;
    return rate;
  };
  import();
  const auto bare = [&] {
    if (database != nullptr) return CopyRate(database->url());
    return RawInsertRate(suite.folder() + "/membership.db", {RawTable{"members"}}, 1000);
  };
  const std::vector<double> rates =
      Interleave({{"bare", bare}, {"import", import}}, settings.repetitions);
  Print(absl::StrCat("bulk_import_", engine), rates[1], "rows/s", rates[0],
        database != nullptr ? 0.4 : 0.5);
}

}  // namespace

void BenchBulk(const Settings& settings) {
  BenchBulkOn(settings, "sqlite");
  if (!settings.postgres.empty()) BenchBulkOn(settings, "postgres");
}

}  // namespace gonghui::bench
