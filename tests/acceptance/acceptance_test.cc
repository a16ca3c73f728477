// The main job end to end with the real programs: the district's files through gonghui import into
// gonghuid, its figures against the published ones and against a recount from the raw rows; again
// after a restart, a replay, and a kill in the middle of the import.
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gonghui/reports/v1/report.pb.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "tests/acceptance/comparison.h"
#include "tests/acceptance/oracle.h"

namespace gonghui::district {
namespace {

namespace fs = std::filesystem;

constexpr char kBin[] = GONGHUI_BIN_DIR;
constexpr char kExpected[] = GONGHUI_SOURCE_DIR "/tests/acceptance/district-2020H1.csv";
constexpr char kOracle[] = GONGHUI_SOURCE_DIR "/tests/acceptance/oracle.sql";
constexpr size_t kFigures = 60;
constexpr int kTowns = 14;

std::string ReadText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Starts a program with its output in a file. Returns its process.
pid_t Start(const std::vector<std::string>& command, const fs::path& output) {
  std::vector<char*> words;
  words.reserve(command.size() + 1);
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    const int file = open(output.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    execv(words[0], words.data());
    _exit(127);
  }
  return child;
}

// Exit status of a process; 128 + signal when a signal ended it.
int WaitFor(pid_t process) {
  int status = 0;
  waitpid(process, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

class MainJob : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "gonghui-acceptance.XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    for (const char* name : {"GONGHUI_CONFIG", "GONGHUI_PROFILE"}) unsetenv(name);
    setenv("GONGHUI_FEDERATION", "demo", 1);
    setenv("GONGHUI_TOKEN_FILE", (folder_ / "token").c_str(), 1);
  }

  void TearDown() override {
    if (server_ > 0) Stop(SIGKILL);
    if (!HasFailure()) fs::remove_all(folder_);
  }

  // Starts gonghuid on the data of this test and waits until it answers.
  void Serve() {
    fs::remove(folder_ / "port");
    server_ =
        Start({absl::StrCat(kBin, "/gonghuid"), "--dev", "--data", Path("data"), "--listen",
               "127.0.0.1:0", "--http-port", "-1", "--ops-port", "-1", "--port-file", Path("port")},
              folder_ / "gonghuid.log");
    const absl::Time limit = absl::Now() + absl::Seconds(60);
    while (!fs::exists(folder_ / "port")) {
      ASSERT_EQ(waitpid(server_, nullptr, WNOHANG), 0) << ReadText(folder_ / "gonghuid.log");
      ASSERT_LT(absl::Now(), limit) << "gonghuid is not ready";
      absl::SleepFor(absl::Milliseconds(20));
    }
    std::string port = ReadText(folder_ / "port");
    port.erase(port.find_last_not_of('\n') + 1);
    setenv("GONGHUI_SERVER", absl::StrCat("127.0.0.1:", port).c_str(), 1);
  }

  int Stop(int signal) {
    kill(server_, signal);
    const int status = WaitFor(server_);
    server_ = 0;
    return status;
  }

  // Runs gonghui; its output is in output_.
  int Gonghui(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), absl::StrCat(kBin, "/gonghui"));
    fs::remove(folder_ / "output");
    const int status = WaitFor(Start(arguments, folder_ / "output"));
    output_ = ReadText(folder_ / "output");
    return status;
  }

  void MakeFiles() {
    ASSERT_EQ(
        WaitFor(Start({absl::StrCat(kBin, "/district"), "--seed", "2020", "--out", Path("import")},
                      folder_ / "output")),
        0)
        << ReadText(folder_ / "output");
  }

  void FoundFederation() {
    ASSERT_EQ(Gonghui({"token", "--dev", "--data", Path("data"), "--role", "admin", "--out",
                       Path("token")}),
              0)
        << output_;
    ASSERT_EQ(Gonghui({"federation", "create", "demo", "--name", "澄湖区总工会"}), 0) << output_;
  }

  void Import(const std::string& batch = "1000") {
    ASSERT_EQ(
        Gonghui({"import-dir", Path("import"), "--receipt", Path("receipts"), "--batch", batch}), 0)
        << output_.substr(0, 4000);
  }

  void ExpectPublishedFigures() {
    ASSERT_EQ(Gonghui({"wait", "--timeout", "300"}), 0) << output_;
    const absl::Status compared =
        Compare(kExpected, Path("comparison.csv"),
                {absl::StrCat(kBin, "/gonghui"), "figures", "--org", "D01", "--csv"});
    EXPECT_TRUE(compared.ok()) << compared.message();
    EXPECT_EQ(Gonghui({"verify", "rollups"}), 0) << output_;
  }

  // What the direct children and the organisation itself contribute makes the figure; distinct
  // counts lie between their largest part and their sum.
  void ExpectPartsMakeFigures(const std::string& organization) {
    absl::StatusOr<std::vector<ExpectedFigure>> figures = ReadExpected(kExpected);
    ASSERT_TRUE(figures.ok());
    for (const ExpectedFigure& figure : *figures) {
      std::vector<std::string> command = {"explain",  "--json",      "--org",     organization,
                                          "--period", figure.period, "--measure", figure.measure};
      if (!figure.dimensions.empty()) {
        command.insert(command.end(), {"--dimensions", figure.dimensions});
      }
      ASSERT_EQ(Gonghui(command), 0) << output_;
      reports::v1::ExplainFigureResponse answer;
      ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(output_, &answer).ok()) << output_;
      ExpectPartsMake(answer);
    }
  }

  static void ExpectPartsMake(const reports::v1::ExplainFigureResponse& answer) {
    if (answer.parts_size() > 0) return;  // A ratio adds up in its parts.
    int64_t sum = 0, largest = 0;
    for (const reports::v1::Cell& cell : answer.cells()) {
      sum += cell.value();
      largest = std::max(largest, cell.value());
    }
    const int64_t value = answer.figure().value();
    if (answer.additive()) {
      EXPECT_EQ(sum, value) << answer.figure().name();
    } else {
      EXPECT_LE(largest, value) << answer.figure().name();
      EXPECT_GE(sum, value) << answer.figure().name();
    }
  }

  // Every figure of the district and of each town and street that gonghui figures answers.
  void AskFigures() {
    answered_.clear();
    std::vector<std::string> organizations = {"D01"};
    for (int i = 1; i <= kTowns; ++i) organizations.push_back(absl::StrFormat("T%02d", i));
    for (const std::string& organization : organizations) {
      for (const Days& days : Periods()) {
        ASSERT_EQ(Gonghui({"figures", "--csv", "--org", organization, "--period", days.period}), 0)
            << output_;
        answered_.merge(ParseFigures(output_));
      }
    }
    EXPECT_GT(answered_.size(), 3000u);
  }

  // Counts the files of a folder anew. gonghuid must not be running.
  Figures RecountIn(const std::string& folder) {
    absl::StatusOr<Oracle> oracle = ReadOracle(kOracle);
    EXPECT_TRUE(oracle.ok()) << oracle.status();
    if (!oracle.ok()) return {};
    absl::StatusOr<Figures> recounted = Recount(*oracle, Path(folder), Periods());
    EXPECT_TRUE(recounted.ok()) << recounted.status();
    return recounted.ok() ? *recounted : Figures();
  }

  void ExpectRecountAgrees() {
    const Figures recounted = RecountIn("data");
    EXPECT_THAT(Differences(recounted, answered_), testing::IsEmpty());
    ExpectPublishedFiguresIn(recounted);
  }

  static void ExpectPublishedFiguresIn(const Figures& recounted) {
    absl::StatusOr<std::vector<ExpectedFigure>> published = ReadExpected(kExpected);
    absl::StatusOr<Oracle> oracle = ReadOracle(kOracle);
    ASSERT_TRUE(published.ok() && oracle.ok());
    std::map<std::string, const Count*> counts;
    for (const Count& count : oracle->counts) counts[count.measure] = &count;
    for (const ExpectedFigure& figure : *published) {
      const Count* count = counts[figure.measure];
      ASSERT_NE(count, nullptr) << figure.measure;
      const std::string value =
          Published(recounted, figure, Restricting(*count, figure.dimensions));
      EXPECT_TRUE(SameFigure(figure.value, value))
          << figure.fig_id << " " << figure.measure << ": published " << figure.value
          << ", recounted " << value;
    }
  }

  // The recounted value of a published figure. Of a list of values each counted thing has one, so
  // their counts add up.
  static std::string Published(const Figures& recounted, const ExpectedFigure& figure,
                               const std::string& dimensions) {
    const auto value = [&](const std::string& restricted) {
      const auto found = recounted.find({figure.measure, restricted, figure.period, "D01"});
      return found == recounted.end() ? "0" : found->second;
    };
    if (!absl::StrContains(dimensions, ',')) return value(dimensions);
    const std::pair<std::string, std::string> pair = absl::StrSplit(dimensions, '=');
    int64_t sum = 0;
    for (absl::string_view part : absl::StrSplit(pair.second, ',')) {
      int64_t one = 0;
      EXPECT_TRUE(absl::SimpleAtoi(value(absl::StrCat(pair.first, "=", part)), &one));
      sum += one;
    }
    return absl::StrCat(sum);
  }

  // A recount that could not differ would prove nothing: rows changed behind the services' back
  // are named, figure by figure. gonghuid must not be running.
  void ExpectRecountNamesChangedRows() {
    fs::create_directory(folder_ / "changed");
    for (const char* name : {"membership", "funds", "activities", "casework"}) {
      const std::string file = absl::StrCat(name, ".db");
      fs::copy_file(folder_ / "data" / file, folder_ / "changed" / file);
    }
    // One of the twelve job fairs; a member of the third town, now in the fourth.
    Change("changed/activities.db",
           "UPDATE records SET cancelled = 1 WHERE record_id = (SELECT MIN(record_id) FROM records "
           "WHERE kind = 'job_fair' AND on_date BETWEEN '2020-05-01' AND '2020-05-31')");
    Change("changed/membership.db",
           "UPDATE members SET organization = 'T04' WHERE member_id = (SELECT MIN(member_id) FROM "
           "members WHERE organization LIKE 'T03-%' AND joined_on < '2020-01-01')");
    const std::vector<std::string> differences = Differences(RecountIn("changed"), answered_);
    // Fairs and their vacancies in the district and a town in three periods; members of two towns
    // in four periods, all, of one sex, and among the workers.
    EXPECT_EQ(differences.size(), 2u * 2 * 3 + 2 * 4 * 3);
    EXPECT_THAT(differences,
                testing::Contains("job_fairs_held of D01 in 2020H1: recounted 11, answered 12"));
    EXPECT_THAT(differences, testing::Contains(testing::StartsWith("members_total of T03 in ")));
    EXPECT_THAT(differences, testing::Contains(testing::StartsWith("members_total of T04 in ")));
    EXPECT_THAT(differences,
                testing::Not(testing::Contains(testing::StartsWith("members_total of D01"))));
  }

  void Change(const std::string& database, const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(Path(database).c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db);
    EXPECT_EQ(sqlite3_changes(db), 1) << sql;
    sqlite3_close(db);
  }

  static std::vector<Days> Periods() {
    return {{"2020H1", "2020-01-01", "2020-06-30"},
            {"2020Q1", "2020-01-01", "2020-03-31"},
            {"2020-05", "2020-05-01", "2020-05-31"},
            {"2020", "2020-01-01", "2020-12-31"}};  // With what July brings.
  }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }

  fs::path folder_;
  pid_t server_ = 0;
  std::string output_;
  Figures answered_;
};

TEST(Expected, SelectsFiguresThatRecordsMustYield) {
  absl::StatusOr<std::vector<ExpectedFigure>> figures = ReadExpected(kExpected);
  ASSERT_TRUE(figures.ok());
  EXPECT_EQ(figures->size(), kFigures);
}

TEST(Expected, ComparesAtPrintedPrecision) {
  EXPECT_TRUE(SameFigure("833.1", "833.10"));
  EXPECT_TRUE(SameFigure("833.1", "833.14"));
  EXPECT_TRUE(SameFigure("833.1", "833.05"));
  EXPECT_FALSE(SameFigure("833.1", "833.16"));
  EXPECT_TRUE(SameFigure("226", "226"));
  EXPECT_FALSE(SameFigure("226", ""));
  EXPECT_FALSE(SameFigure("226", "none"));
  EXPECT_TRUE(SameFigure("-3", "-2.5"));
}

TEST_F(MainJob, SameSeedMakesSameFiles) {
  MakeFiles();
  fs::rename(folder_ / "import", folder_ / "first");
  MakeFiles();
  size_t files = 0;
  for (const fs::directory_entry& file : fs::directory_iterator(folder_ / "first")) {
    ++files;
    EXPECT_EQ(ReadText(file.path()), ReadText(folder_ / "import" / file.path().filename()))
        << file.path();
  }
  EXPECT_GT(files, 40u);
}

TEST_F(MainJob, YieldsThePublishedFiguresAlsoAfterRestartAndReplay) {
  MakeFiles();
  ASSERT_NO_FATAL_FAILURE(Serve());
  ASSERT_NO_FATAL_FAILURE(FoundFederation());
  ASSERT_NO_FATAL_FAILURE(Import());
  ASSERT_NO_FATAL_FAILURE(ExpectPublishedFigures());
  ASSERT_NO_FATAL_FAILURE(ExpectPartsMakeFigures("D01"));
  ASSERT_NO_FATAL_FAILURE(ExpectPartsMakeFigures("T01"));
  ASSERT_NO_FATAL_FAILURE(AskFigures());

  EXPECT_EQ(Stop(SIGTERM), 0) << "gonghuid did not drain";
  ASSERT_NO_FATAL_FAILURE(ExpectRecountAgrees());
  ASSERT_NO_FATAL_FAILURE(ExpectRecountNamesChangedRows());
  ASSERT_NO_FATAL_FAILURE(Serve());
  ASSERT_NO_FATAL_FAILURE(ExpectPublishedFigures());

  ASSERT_NO_FATAL_FAILURE(Import());  // The same requests: they are answered as before.
  ASSERT_NO_FATAL_FAILURE(ExpectPublishedFigures());

  // Files of several batches cut otherwise: other requests with the same records.
  ASSERT_NO_FATAL_FAILURE(Import("700"));
  for (const char* unchanged :
       {"\nmember: 51564 rows, 0 created", "\nmutual_aid_insured: 56557 rows, 0 created",
        "\ncontest_entry: 55922 rows, 0 created"}) {
    EXPECT_TRUE(absl::StrContains(output_, unchanged)) << unchanged;
  }
  ASSERT_NO_FATAL_FAILURE(ExpectPublishedFigures());
}

TEST_F(MainJob, YieldsThePublishedFiguresAfterAKillInTheMiddleOfTheImport) {
  MakeFiles();
  ASSERT_NO_FATAL_FAILURE(Serve());
  ASSERT_NO_FATAL_FAILURE(FoundFederation());
  const pid_t import = Start(
      {absl::StrCat(kBin, "/gonghui"), "import-dir", Path("import"), "--receipt", Path("receipts")},
      folder_ / "import.log");
  // Members are being written once the organisations' receipt lies there.
  const absl::Time limit = absl::Now() + absl::Minutes(2);
  while (!fs::exists(folder_ / "receipts/01-organization.json") && absl::Now() < limit) {
    absl::SleepFor(absl::Milliseconds(10));
  }
  absl::SleepFor(absl::Milliseconds(1500));
  EXPECT_EQ(Stop(SIGKILL), 128 + SIGKILL);
  kill(import, SIGKILL);
  EXPECT_EQ(WaitFor(import), 128 + SIGKILL) << "the import ended before the kill";

  ASSERT_NO_FATAL_FAILURE(Serve());
  ASSERT_NO_FATAL_FAILURE(Import());
  ASSERT_NO_FATAL_FAILURE(ExpectPublishedFigures());
}

}  // namespace
}  // namespace gonghui::district
