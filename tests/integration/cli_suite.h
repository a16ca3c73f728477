// The gonghui binary and a running suite, for the tests of the command line.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/server/suite.h"

namespace gonghui {

namespace fs = std::filesystem;

struct Result {
  int code = -1;
  std::string out;
  std::string err;
};

inline std::string Read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

inline void Write(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

// A made-up resident identity number with a valid check digit.
inline std::string IdNumber(int serial) {
  const std::string digits = absl::StrFormat("3204021980%02d%02d%03d", 1 + serial / 28000 % 12,
                                             1 + serial / 1000 % 28, serial % 1000);
  static constexpr int kWeights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  int sum = 0;
  for (int i = 0; i < 17; ++i) sum += (digits[i] - '0') * kWeights[i];
  return digits + "10X98765432"[sum % 11];
}

inline constexpr char kOrganizations[] =
    "工会编码,上级工会编码,工会名称,组织层级,成立日期\n"
    "E1,T1,甲厂工会,企业,2010-01-01\n"
    "T1,D01,城东街道总工会,镇街,2003-05-01\n"
    "D01,,示范区总工会,district,1990-01-01\n"
    "T2,D01,城西街道总工会,镇街,2003-05-01\n";

class CliTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              absl::StrCat("cli_", getpid(), "_",
                           ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    StartSuite("127.0.0.1:0");
    ASSERT_EQ(Gonghui("token --dev --role admin --data '" + (folder_ / "data").string() +
                      "' --out '" + (folder_ / "token").string() + "'")
                  .code,
              0);
    ASSERT_EQ(Gonghui("federation create demo --name 示范区总工会").code, 0);
  }
  void TearDown() override {
    suite_.reset();
    fs::remove_all(folder_);
  }

  void StartSuite(const std::string& listen) {
    Suite::Options options;
    options.data_dir = (folder_ / "data").string();
    options.dev = true;
    options.log_calls = false;
    options.listen = {listen};
    auto suite = Suite::Start(std::move(options));
    ASSERT_TRUE(suite.ok()) << suite.status();
    suite_ = *std::move(suite);
    port_ = suite_->port();
  }

  // Runs the program with the arguments as a shell reads them.
  Result Gonghui(const std::string& arguments, const std::string& environment = "") {
    const int serial = ++runs_;
    const fs::path out = folder_ / absl::StrCat("out", serial);
    const fs::path err = folder_ / absl::StrCat("err", serial);
    const std::string command = absl::StrCat(
        "cd '", folder_.string(), "' && env -i PATH=\"$PATH\" HOME='", folder_.string(),
        "' GONGHUI_SERVER=127.0.0.1:", port_, " GONGHUI_FEDERATION=demo GONGHUI_TOKEN_FILE=token ",
        environment, " '", GONGHUI_BINARY, "' ", arguments, " >'", out.string(), "' 2>'",
        err.string(), "'");
    const int status = std::system(command.c_str());
    return {WEXITSTATUS(status), Read(out), Read(err)};
  }

  std::string MemberFile(int first, int count) {
    std::string text = "所属工会编码,姓名,证件号码,入会日期,岗位\n";
    for (int i = first; i < first + count; ++i) {
      absl::StrAppend(&text, "E1,张三,", IdNumber(i), ",2018-03-01,焊工\n");
    }
    return text;
  }

  int CountMembers() {
    const Result list = Gonghui("member list --all --lang en");
    return static_cast<int>(std::count(list.out.begin(), list.out.end(), '\n')) - 2;
  }

  void ImportOrganizations() {
    Write(folder_ / "organizations.csv", kOrganizations);
    const Result run = Gonghui("import organization organizations.csv");
    ASSERT_EQ(run.code, 0) << run.out << run.err;
  }

  fs::path folder_;
  std::unique_ptr<Suite> suite_;
  int port_ = 0;
  std::atomic<int> runs_{0};
};

}  // namespace gonghui
