// gonghui doctor against a suite that runs, one that does not, and with tokens that are no good.
#include <gmock/gmock.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "common/testing/certificates.h"
#include "tests/integration/cli_suite.h"

namespace gonghui {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class DoctorTest : public CliTest {
 protected:
  // The suite anew on the same data, changed.
  void Restart(const std::function<void(Suite::Options&)>& change) {
    suite_.reset();
    Suite::Options options;
    options.data_dir = (folder_ / "data").string();
    options.dev = true;
    options.log_calls = false;
    change(options);
    auto suite = Suite::Start(std::move(options));
    ASSERT_TRUE(suite.ok()) << suite.status();
    suite_ = *std::move(suite);
    port_ = suite_->port();
  }

  // The verdict of a check; "none" where it was not made.
  static std::string VerdictOf(const Result& result, const std::string& name) {
    const auto report = nlohmann::json::parse(result.out, nullptr, false);
    if (!report.is_object()) return "no report: " + result.out + result.err;
    for (const auto& check : report["checks"]) {
      if (check["check"] == name) return check["verdict"];
    }
    return "none";
  }
};

TEST_F(DoctorTest, FindsARunningSuiteWell) {
  const Result text = Gonghui("doctor --lang en");
  EXPECT_EQ(text.code, 0) << text.out << text.err;
  for (const char* line : {"OK    server", "OK    encryption", "OK    token", "OK    federation",
                           "OK    service membership", "OK    service funds", "OK    figures"}) {
    EXPECT_THAT(text.out, HasSubstr(line));
  }
  EXPECT_THAT(text.out, Not(HasSubstr("->")));
  EXPECT_THAT(Gonghui("doctor --lang zh").out, HasSubstr("正常服务"));

  const Result json = Gonghui("doctor --json");
  EXPECT_EQ(VerdictOf(json, "service reports"), "OK");
  EXPECT_EQ(VerdictOf(json, "clock"), "none");
}

TEST_F(DoctorTest, ReadsTheOperatorsPort) {
  Restart([](Suite::Options& options) { options.ops_port = 0; });
  const Result json =
      Gonghui(absl::StrCat("doctor --json --ops http://127.0.0.1:", suite_->ops_port()));
  for (const char* check : {"ready", "clock", "version", "descriptors"}) {
    EXPECT_EQ(VerdictOf(json, check), "OK") << check << json.out;
  }
  EXPECT_THAT(VerdictOf(json, "disk"), ::testing::AnyOf("OK", "WARN"));
  const Result closed = Gonghui("doctor --json --ops http://127.0.0.1:1");
  EXPECT_EQ(closed.code, 3);
  EXPECT_EQ(VerdictOf(closed, "ready"), "FAIL");
}

TEST_F(DoctorTest, TellsAServerThatIsNotThere) {
  suite_.reset();
  const Result text = Gonghui("doctor --lang en");
  EXPECT_EQ(text.code, 3);
  EXPECT_THAT(text.out, HasSubstr("FAIL  server"));
  EXPECT_THAT(text.out, HasSubstr("-> Check --server"));
  EXPECT_THAT(text.out, Not(HasSubstr("token")));
  EXPECT_EQ(Gonghui("doctor", "GONGHUI_SERVER=no-such-host.invalid:1").code, 3);
}

TEST_F(DoctorTest, TellsAWrongToken) {
  Write(folder_ / "wrong", "no.token.atall");
  const Result wrong = Gonghui("doctor --json --token-file wrong");
  EXPECT_EQ(wrong.code, 3);
  EXPECT_EQ(VerdictOf(wrong, "server"), "OK");
  EXPECT_EQ(VerdictOf(wrong, "token"), "FAIL");
  EXPECT_EQ(VerdictOf(wrong, "figures"), "none");
  EXPECT_EQ(VerdictOf(Gonghui("doctor --json --token-file missing"), "token"), "FAIL");
  const Result nobody = Gonghui("doctor --json --federation nobody");
  EXPECT_EQ(nobody.code, 3);
  EXPECT_EQ(VerdictOf(nobody, "federation"), "FAIL");
  EXPECT_EQ(VerdictOf(nobody, "service casework"), "OK");
}

TEST_F(DoctorTest, TellsAServiceThatIsMissing) {
  Restart([](Suite::Options& options) { options.services = {"membership"}; });
  const Result json = Gonghui("doctor --json");
  EXPECT_EQ(json.code, 3);
  EXPECT_EQ(VerdictOf(json, "service membership"), "OK");
  EXPECT_EQ(VerdictOf(json, "service funds"), "FAIL");
  EXPECT_EQ(VerdictOf(json, "figures"), "WARN");
}

TEST_F(DoctorTest, TellsWhenTheCertificateEnds) {
  const testing::CertificateAuthority authority("test");
  const std::string folder = (folder_ / "tls").string();
  const auto doctor = [&](absl::Duration life) {
    testing::PublishCertificates(folder,
                                 authority.Issue("DNS:localhost,IP:127.0.0.1", absl::Now() + life),
                                 authority.certificate());
    Restart([&](Suite::Options& options) {
      options.tls.cert_file = folder + "/cert.pem";
      options.tls.key_file = folder + "/key.pem";
      options.tls.ca_file = folder + "/ca.pem";
    });
    return Gonghui(absl::StrCat("doctor --json --ca-file '", folder, "/ca.pem'"));
  };
  const Result well = doctor(absl::Hours(24 * 90));
  EXPECT_EQ(well.code, 0) << well.out << well.err;
  EXPECT_EQ(VerdictOf(well, "encryption"), "OK");
  EXPECT_THAT(well.out, HasSubstr("good until"));
  const Result soon = doctor(absl::Hours(24 * 3));
  EXPECT_EQ(soon.code, 1) << soon.out << soon.err;
  EXPECT_EQ(VerdictOf(soon, "encryption"), "WARN");
  const Result plain = Gonghui("doctor --json");
  EXPECT_EQ(plain.code, 3);
  EXPECT_EQ(VerdictOf(plain, "server"), "FAIL");
}

}  // namespace
}  // namespace gonghui
