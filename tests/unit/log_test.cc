#include "common/base/log.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace gonghui {
namespace {

using ::testing::IsEmpty;

template <typename F>
std::string Logged(F write) {
  ::testing::internal::CaptureStderr();
  write();
  return ::testing::internal::GetCapturedStderr();
}

TEST(LogTest, WritesOneJsonObjectALine) {
  const std::string line = Logged([] {
    log::Info("rpc", {{"method", "Get\"Member\"\n"},
                      {"took_us", int64_t{1234}},
                      {"ratio", 0.5},
                      {"ok", true},
                      {"broken", "\xff"}});
  });
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto parsed = nlohmann::json::parse(line);
  EXPECT_EQ(parsed["level"], "info");
  EXPECT_EQ(parsed["event"], "rpc");
  EXPECT_EQ(parsed["method"], "Get\"Member\"\n");
  EXPECT_EQ(parsed["took_us"], 1234);
  EXPECT_EQ(parsed["ratio"], 0.5);
  EXPECT_EQ(parsed["ok"], true);
  EXPECT_THAT(parsed["time"].get<std::string>(),
              ::testing::MatchesRegex("[0-9-]+T[0-9:]+\\.[0-9]{6}Z"));
}

TEST(LogTest, LevelsHideWhatLiesBelow) {
  EXPECT_THAT(Logged([] { log::Write(log::Level::kDebug, "detail"); }), IsEmpty());
  log::SetLevel(log::Level::kError);
  EXPECT_THAT(Logged([] { log::Warning("warning"); }), IsEmpty());
  EXPECT_FALSE(Logged([] { log::Error("error"); }).empty());
  log::SetLevel(log::Level::kInfo);
}

TEST(LogTest, LibrariesSpeakJsonToo) {
  log::CaptureLibraryLogs();
  const std::string line = Logged([] { gpr_log(GPR_ERROR, "from %s", "gRPC"); });
  const auto parsed = nlohmann::json::parse(line);
  EXPECT_EQ(parsed["library"], "grpc");
  EXPECT_EQ(parsed["message"], "from gRPC");
  EXPECT_THAT(Logged([] { gpr_log(GPR_INFO, "chatter"); }), IsEmpty());
  const std::string warned = Logged([] { GOOGLE_LOG(WARNING) << "odd"; });
  EXPECT_EQ(nlohmann::json::parse(warned)["library"], "protobuf");
  const std::string flood = Logged([] {
    for (int i = 0; i < 200; ++i) gpr_log(GPR_ERROR, "again");
  });
  EXPECT_LE(std::count(flood.begin(), flood.end(), '\n'), 60);
}

}  // namespace
}  // namespace gonghui
