#include "common/base/config.h"

#include <filesystem>
#include <fstream>

#include "common/testing/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gonghui {
namespace {

using testing::HasReason;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<ConfigOption> Options() {
  return {{.key = "data_dir", .default_value = "var", .help = "folder"},
          {.key = "port", .default_value = "7000", .help = "port"},
          {.key = "services", .default_value = "all", .help = "list"},
          {.key = "db_url", .default_value = "", .help = "database", .secret = true},
          {.key = "dev", .default_value = "false", .help = "dev", .boolean = true}};
}

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() {
    file_ = std::filesystem::temp_directory_path() /
            (std::string("gonghui-config-") +
             ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".yaml");
  }
  ~ConfigTest() override { std::filesystem::remove(file_); }
  std::string File(std::string_view text) {
    std::ofstream(file_) << text;
    return file_.string();
  }

 private:
  std::filesystem::path file_;
};

TEST_F(ConfigTest, LaterSourcesWin) {
  const std::string file = File("data_dir: from-file\nport: 1\nservices: [a, b]\n");
  ASSERT_OK_AND_ASSIGN(
      const Config config,
      Config::Load(Options(), {"--config", file, "--data-dir=from-flag", "--dev"},
                   {{"GONGHUI_PORT", "2"}, {"GONGHUI_DATA_DIR", "from-env"}, {"PATH", "/bin"}}));
  EXPECT_EQ(config.Get("data_dir"), "from-flag");
  EXPECT_EQ(config.GetInt("port").value(), 2);
  EXPECT_EQ(config.Get("services"), "a,b");
  EXPECT_EQ(config.Get("db_url"), "");
  EXPECT_TRUE(config.GetBool("dev"));
  EXPECT_THAT(config.Dump(), HasSubstr("port = 2 (environment)"));
}

TEST_F(ConfigTest, FlagsTakeBothSpellings) {
  ASSERT_OK_AND_ASSIGN(const Config config,
                       Config::Load(Options(), {"--data_dir", "x", "--dev=false"}, {}));
  EXPECT_EQ(config.Get("data_dir"), "x");
  EXPECT_FALSE(config.GetBool("dev"));
}

TEST_F(ConfigTest, UnknownKeysNameTheNearest) {
  const auto flag = Config::Load(Options(), {"--prot=1"}, {});
  EXPECT_THAT(std::string(flag.status().message()), HasSubstr("did you mean --port?"));
  const auto env = Config::Load(Options(), {}, {{"GONGHUI_DATADIR", "x"}});
  EXPECT_THAT(std::string(env.status().message()), HasSubstr("did you mean GONGHUI_DATA_DIR?"));
  const auto file = Config::Load(Options(), {"--config", File("service: x\n")}, {});
  EXPECT_THAT(std::string(file.status().message()), HasSubstr("did you mean services?"));
  EXPECT_TRUE(Config::Load(Options(), {}, {{"GONGHUI_TEST_PG", "x"}}, {"GONGHUI_TEST_PG"}).ok());
}

TEST_F(ConfigTest, RefusesWhatItCannotRead) {
  const auto reason = HasReason(common::v1::REASON_FIELD_INVALID);
  EXPECT_THAT(Config::Load(Options(), {"--port"}, {}), reason);
  EXPECT_THAT(Config::Load(Options(), {"stray"}, {}), reason);
  EXPECT_THAT(Config::Load(Options(), {"--dev=maybe"}, {}), reason);
  EXPECT_THAT(Config::Load(Options(), {"--config", "/nonexistent.yaml"}, {}), reason);
  EXPECT_THAT(Config::Load(Options(), {"--config", File("- a\n- b\n")}, {}), reason);
  EXPECT_THAT(Config::Load(Options(), {"--config", File("port: {deep: 1}\n")}, {}), reason);
  EXPECT_THAT(Config::Load(Options(), {"--config", File("port: [\n")}, {}), reason);
  ASSERT_OK_AND_ASSIGN(const Config config, Config::Load(Options(), {"--port=x"}, {}));
  EXPECT_THAT(config.GetInt("port"), reason);
}

TEST_F(ConfigTest, SecretsStayHidden) {
  ASSERT_OK_AND_ASSIGN(const Config config,
                       Config::Load(Options(), {"--db-url=postgres://u:hush@h/d"}, {}));
  EXPECT_THAT(config.Dump(), Not(HasSubstr("hush")));
  EXPECT_THAT(Config::Help(Options()), HasSubstr("--data-dir"));
}

}  // namespace
}  // namespace gonghui
