// A file of members across kill -9: the server dies in the middle, and the next goes on from the
// last step. Afterwards everything is as if it had not died.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/base/status.h"
#include "common/testing/matchers.h"
#include "common/testing/settings.h"
#include "gonghui/membership/v1/member_import.pb.h"
#include "tests/bench/city_server.h"

namespace gonghui::bench {
namespace {

using common::v1::Job;
using membership::v1::MemberImport;
using testing::IsOk;

constexpr char kService[] = "/gonghui.membership.v1.MemberImportService/";
constexpr char kJobs[] = "gonghui.membership.v1.JobService";
constexpr int kFaultEvery = 20;

std::string IdNumber(int n) {
  const std::string digits = absl::StrFormat("320402%04d%02d%02d%03d", 1950 + n / 336000 % 40,
                                             1 + n / 28000 % 12, 1 + n / 1000 % 28, n % 1000);
  static constexpr int kWeights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  int sum = 0;
  for (int i = 0; i < 17; ++i) sum += (digits[i] - '0') * kWeights[i];
  return digits + "10X98765432"[sum % 11];
}

// Every twentieth row has one of several faults.
std::string Roster(const City& city, int rows) {
  std::string text = "姓名,证件号码,性别,手机号,就业状况,入会日期,所属工会,岗位\n";
  for (int n = 0; n < rows; ++n) {
    std::string number = IdNumber(n);
    std::string sex, employment = "在岗", joined_on = "2018-03-01";
    std::string organization = city.Union(n % city.unions());
    if (n % kFaultEvery == 0) {
      switch (n / kFaultEvery % 5) {
        case 0:
          number = "1.1E+17";
          break;
        case 1:
          sex = "雄";
          break;
        case 2:
          employment = "在岗啦";
          break;
        case 3:
          joined_on = "昨天";
          break;
        default:
          organization = "nowhere";
      }
    }
    absl::StrAppend(&text, "张建国,", number, ",", sex, ",13800001234,", employment, ",", joined_on,
                    ",", organization, ",钳工\n");
  }
  return text;
}

class Importing {
 public:
  explicit Importing(CityServer& server) : server_(server) {}

  absl::StatusOr<std::string> Upload(const std::string& bytes) {
    membership::v1::CreateMemberImportRequest create;
    create.set_parent(absl::StrCat("federations/", City::kFederation));
    create.mutable_member_import()->set_organization(City::kRoot);
    ASSIGN_OR_RETURN(const MemberImport made,
                     server_.client().Invoke<MemberImport>(
                         absl::StrCat(kService, "CreateMemberImport"), create));
    constexpr size_t kPiece = 2 << 20;
    for (size_t at = 0; at < bytes.size(); at += kPiece) {
      membership::v1::AppendMemberImportRequest append;
      append.set_name(made.name());
      append.set_offset(static_cast<int64_t>(at));
      append.set_content(bytes.substr(at, kPiece));
      RETURN_IF_ERROR(
          server_.client()
              .Invoke<MemberImport>(absl::StrCat(kService, "AppendMemberImport"), append)
              .status());
    }
    return made.name();
  }
  absl::StatusOr<Job> Start(const std::string& name, membership::v1::MemberImportMode mode) {
    membership::v1::StartMemberImportRequest start;
    start.set_name(name);
    start.set_mode(mode);
    return server_.client().Invoke<Job>(absl::StrCat(kService, "StartMemberImport"), start);
  }
  absl::StatusOr<Job> Undo(const std::string& name) {
    membership::v1::UndoMemberImportRequest undo;
    undo.set_name(name);
    return server_.client().Invoke<Job>(absl::StrCat(kService, "UndoMemberImport"), undo);
  }
  absl::StatusOr<Job> Get(const std::string& name) {
    common::v1::GetJobRequest get;
    get.set_name(name);
    return server_.client().Invoke<Job>(absl::StrCat("/", kJobs, "/GetJob"), get);
  }
  // Kills the server once the job has done something, and starts it anew.
  absl::Status KillDuring(const Job& job) {
    for (int64_t done = 0; done == 0;) {
      ASSIGN_OR_RETURN(const Job now, Get(job.name()));
      done = now.done();
    }
    server_.Kill();
    return server_.Start();
  }
  absl::StatusOr<MemberImport> Await(Job job) {
    while (job.end_time_us() == 0) {
      absl::SleepFor(absl::Milliseconds(50));
      ASSIGN_OR_RETURN(job, Get(job.name()));
    }
    MemberImport result;
    if (!job.result().UnpackTo(&result)) return absl::InternalError(job.ShortDebugString());
    attempts = job.attempts();
    return result;
  }

  int attempts = 0;  // Of the job awaited last.

 private:
  CityServer& server_;
};

TEST(MemberImportKillTest, GoesOnFromTheLastStep) {
  const City city({.unions = 100});
  const int rows = testing::FullSize() ? 1'000'000 : 20'000;
  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / absl::StrCat("import_kill_", getpid());
  {
    CityServer server(GONGHUID_BINARY, folder);
    ASSERT_THAT(server.Start(), IsOk());
    ASSERT_THAT(server.Found(city), IsOk());
    Importing importing(server);
    ASSERT_OK_AND_ASSIGN(const std::string name, importing.Upload(Roster(city, rows)));
    const absl::Time begin = absl::Now();
    ASSERT_OK_AND_ASSIGN(const Job job,
                         importing.Start(name, membership::v1::MEMBER_IMPORT_MODE_PARTIAL));
    ASSERT_THAT(importing.KillDuring(job), IsOk());
    ASSERT_OK_AND_ASSIGN(const MemberImport made, importing.Await(job));
    const absl::Duration took = absl::Now() - begin;
    EXPECT_GT(importing.attempts, 1);
    EXPECT_EQ(made.rows(), rows);
    EXPECT_EQ(made.rejected(), rows / kFaultEvery);
    EXPECT_EQ(made.faults(), rows / kFaultEvery);
    EXPECT_EQ(made.created(), rows - rows / kFaultEvery);
    std::printf("%d rows in %.1f s with the kill, peak memory %lld MiB\n", rows,
                absl::ToDoubleSeconds(took), static_cast<long long>(server.PeakKib() / 1024));
    // The register holds just these.
    ASSERT_OK_AND_ASSIGN(const Job check,
                         importing.Start(name, membership::v1::MEMBER_IMPORT_MODE_VALIDATE_ONLY));
    ASSERT_OK_AND_ASSIGN(const MemberImport checked, importing.Await(check));
    EXPECT_EQ(checked.existing(), made.created());
    EXPECT_EQ(checked.rejected(), made.rejected());
    // And nothing of them after an undoing that was killed, too.
    ASSERT_OK_AND_ASSIGN(const Job undo, importing.Undo(name));
    ASSERT_THAT(importing.KillDuring(undo), IsOk());
    ASSERT_OK_AND_ASSIGN(const MemberImport undone, importing.Await(undo));
    EXPECT_EQ(undone.undone(), made.created());
    EXPECT_EQ(undone.kept(), 0);
    ASSERT_OK_AND_ASSIGN(const Job last,
                         importing.Start(name, membership::v1::MEMBER_IMPORT_MODE_VALIDATE_ONLY));
    ASSERT_OK_AND_ASSIGN(const MemberImport empty, importing.Await(last));
    EXPECT_EQ(empty.existing(), 0);
  }
  if (!::testing::Test::HasFailure()) std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace gonghui::bench
