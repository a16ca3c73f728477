// gonghui doctor: is a deployment well, seen from where its callers are, and what to do if not.
#include <httplib.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/base/version.h"
#include "common/ops/dial.h"
#include "gonghui/common/v1/job.pb.h"
#include "gonghui/common/v1/record.pb.h"
#include "gonghui/membership/v1/federation.pb.h"
#include "gonghui/reports/v1/report.pb.h"
#include "google/protobuf/empty.pb.h"
#include "google/protobuf/unknown_field_set.h"
#include "services/cli/certificate.h"
#include "services/cli/csv.h"
#include "services/cli/program.h"
#include "services/cli/text.h"

namespace gonghui::cli {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(5);  // For one answer.
constexpr absl::Duration kTokenEndsSoon = absl::Minutes(10);
constexpr absl::Duration kCertificateEndsSoon = absl::Hours(24 * 14);
constexpr absl::Duration kClockSkew = absl::Seconds(10);   // Tokens are judged by the clock.
constexpr absl::Duration kClockWrong = absl::Seconds(60);  // What the server forgives.
constexpr int64_t kEventsBehind = 1000;
constexpr double kFull = 0.9;

enum Verdict { kOk, kWarn, kFail };
constexpr const char* kVerdicts[] = {"OK", "WARN", "FAIL"};

// A text in both languages.
struct Words {
  std::string en;
  std::string zh;
};

struct Check {
  std::string name;
  Verdict verdict;
  Words finding;
  Words advice;  // Empty when all is well.
};

class Doctor {
 public:
  Doctor(const Session& session, std::string ops) : session_(session), ops_(std::move(ops)) {}

  const std::vector<Check>& Examine();

 private:
  void Add(std::string name, Verdict verdict, Words finding, Words advice = {}) {
    checks_.push_back({std::move(name), verdict, std::move(finding), std::move(advice)});
  }
  bool CheckServer();
  void CheckEncryption();
  void CheckCertificate();
  bool CheckToken();
  void CheckLife(const std::string& token);
  bool CheckFederation();
  void CheckServices();
  void CheckFeed();
  void CheckVerification();
  void CheckOps();
  void CheckReady(const httplib::Result& ready);
  void CheckClock(const std::string& date);
  void CheckMetrics(const std::string& metrics);
  void CheckShare(const std::string& name, double used, double all, const Words& of,
                  const Words& advice);

  const Session& session_;
  const std::string ops_;  // Base URL; empty: unknown.
  std::unique_ptr<rpc::Client> client_;
  std::vector<Check> checks_;
};

const std::vector<Check>& Doctor::Examine() {
  if (CheckServer()) {
    CheckEncryption();
    if (CheckToken()) {
      CheckServices();
      if (CheckFederation()) {
        CheckFeed();
        CheckVerification();
      }
    }
  }
  if (!ops_.empty()) CheckOps();
  return checks_;
}

Words Because(const Session& session, const absl::Status& status) {
  const std::string zh = MessageZhOf(status);
  const std::string plain = Explanation(session, status);
  return {zh.empty() ? plain : std::string(status.message()), zh.empty() ? plain : zh};
}

// Asks the health protocol of gRPC, whose messages Debian has no proto of: an empty request for the
// whole server, an answer of one number, 1 where it serves.
absl::StatusOr<bool> Serves(const rpc::Client& client) {
  google::protobuf::Empty answer;
  RETURN_IF_ERROR(client.InvokeMessage("/grpc.health.v1.Health/Check", google::protobuf::Empty(),
                                       answer, nullptr));
  const auto& fields = answer.GetReflection()->GetUnknownFields(answer);
  for (int i = 0; i < fields.field_count(); ++i) {
    const google::protobuf::UnknownField& field = fields.field(i);
    if (field.number() == 1 && field.type() == google::protobuf::UnknownField::TYPE_VARINT) {
      return field.varint() == 1;
    }
  }
  return false;
}

bool Doctor::CheckServer() {
  const std::string& server = session_.server();
  const absl::Time start = absl::Now();
  if (server.find('/') == std::string::npos) {  // dns:///… and sockets are gRPC's to resolve.
    const absl::Status dialled = ops::DialServer(server, kPatience);
    if (!dialled.ok()) {
      Add("server", kFail, {std::string(dialled.message()), MessageZhOf(dialled)},
          {"Check --server (GONGHUI_SERVER), that gonghuid runs, and firewalls between.",
           "请检查 --server（GONGHUI_SERVER）、gonghuid 是否运行以及中间的防火墙。"});
      return false;
    }
  }
  auto client = session_.Open("", kPatience);
  const absl::StatusOr<bool> serves = client.ok() ? Serves(**client) : client.status();
  if (!serves.ok()) {
    Add("server", kFail,
        {StrCat(server, " can be reached, but does not answer gRPC: ",
                absl::StatusCodeToString(serves.status().code())),
         StrCat(server, " 可以连接，但没有 gRPC 应答")},
        {"Is this the gRPC port, and is TLS meant (--tls, --ca-file), or not?",
         "请确认端口是否为 gRPC 端口，以及是否应使用 TLS（--tls、--ca-file）。"});
    return false;
  }
  if (!*serves) {
    Add("server", kFail, {server + " starts or drains", server + " 正在启动或停止"},
        {"Wait; then look at /readyz (--ops).", "请稍候，再查看 /readyz（--ops）。"});
    return false;
  }
  const std::string ms = StrCat(absl::ToInt64Milliseconds(absl::Now() - start));
  Add("server", kOk,
      {StrCat(server, " serves, answered in ", ms, " ms"),
       StrCat(server, " 正常服务，应答用时 ", ms, " 毫秒")});
  return true;
}

void Doctor::CheckEncryption() {
  const std::string& server = session_.server();
  const bool local = server.starts_with("unix:") || server.starts_with("127.") ||
                     server.starts_with("localhost:") || server.starts_with("[::1]");
  if (session_.uses_tls()) {
    CheckCertificate();
  } else if (local) {
    Add("encryption", kOk, {"none needed on one machine", "本机连接，无需加密"});
  } else {
    Add("encryption", kWarn, {"tokens and data travel in plain text", "令牌和数据以明文传输"},
        {"Give the server a certificate (gonghuid --tls-cert-file) and call it with --tls.",
         "请为服务器配置证书（gonghuid --tls-cert-file），并以 --tls 访问。"});
  }
}

void Doctor::CheckCertificate() {
  const absl::StatusOr<absl::Time> end = CertificateEnd(session_.server());
  if (!end.ok()) {  // A socket or a name that only gRPC resolves.
    Add("encryption", kOk, {"TLS, the certificate is good", "TLS，证书有效"});
    return;
  }
  const std::string day = absl::FormatTime("%Y-%m-%d", *end, absl::LocalTimeZone());
  const Words finding = {StrCat("TLS, the certificate is good until ", day),
                         StrCat("TLS，证书有效期至 ", day)};
  if (*end - absl::Now() > kCertificateEndsSoon) {
    Add("encryption", kOk, finding);
  } else {
    Add("encryption", kWarn, finding,
        {"Put a new certificate in its place; it is read without a restart.",
         "请更换证书文件，无需重启即可生效。"});
  }
}

// When the token ends by its own words; the server judges its signature.
std::optional<absl::Time> EndOf(const std::string& token) {
  const std::vector<std::string_view> parts = Split(token, '.');
  std::string body;
  if (parts.size() != 3 || !absl::WebSafeBase64Unescape(ToAbsl(parts[1]), &body)) {
    return std::nullopt;
  }
  const nlohmann::json claims = nlohmann::json::parse(body, nullptr, false);
  if (!claims.is_object() || !claims.contains("exp") || !claims["exp"].is_number()) {
    return std::nullopt;
  }
  return absl::FromUnixSeconds(claims["exp"].get<int64_t>());
}

bool Doctor::CheckToken() {
  const Words get = {
      "Get a new token from your issuer; gonghui token --dev makes one for a server with --dev.",
      "请向令牌签发方换取新令牌；对以 --dev 启动的服务器可用 gonghui token --dev 生成。"};
  const auto content = session_.token_file().empty() ? absl::StatusOr<std::string>(std::string())
                                                     : ReadFile(session_.token_file());
  const std::string token = content.ok() ? Trimmed(*content) : "";
  if (token.empty()) {
    Add("token", kFail, {"there is no token", "没有令牌"},
        {"Name a file that holds one with --token-file (GONGHUI_TOKEN_FILE).",
         "请用 --token-file（GONGHUI_TOKEN_FILE）指定令牌文件。"});
    return false;
  }
  auto client = session_.Open(token, kPatience);
  absl::Status status = client.status();
  if (client.ok()) {
    client_ = *std::move(client);
    status =
        client_
            ->Invoke<common::v1::ListKindsResponse>(
                "/gonghui.membership.v1.RegisterService/ListKinds", common::v1::ListKindsRequest())
            .status();
  }
  if (absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status)) {
    Add("token", kFail, Because(session_, status), get);
    return false;
  }
  CheckLife(token);
  return true;
}

void Doctor::CheckLife(const std::string& token) {
  const std::optional<absl::Time> end = EndOf(token);
  if (!end.has_value()) {
    Add("token", kOk, {"the server takes it", "服务器接受此令牌"});
    return;
  }
  const absl::Duration left = *end - absl::Now();
  const std::string until = absl::FormatTime("%Y-%m-%d %H:%M", *end, absl::LocalTimeZone());
  const Words finding = {StrCat("the server takes it, until ", until),
                         StrCat("服务器接受此令牌，有效期至 ", until)};
  if (left > kTokenEndsSoon) {
    Add("token", kOk, finding);
  } else {
    Add("token", kWarn, finding, {"It ends soon: get a new one.", "令牌即将到期，请换取新令牌。"});
  }
}

bool Doctor::CheckFederation() {
  const auto parent = session_.Parent();
  if (!parent.ok()) {
    Add("federation", kWarn, {"none is named", "未指定联合会"},
        {"Name it with --federation (GONGHUI_FEDERATION) to have it looked at.",
         "请用 --federation（GONGHUI_FEDERATION）指定，以便检查。"});
    return false;
  }
  membership::v1::GetFederationRequest request;
  request.set_name(*parent);
  const auto federation = client_->Invoke<membership::v1::Federation>(
      "/gonghui.membership.v1.FederationService/GetFederation", request);
  if (federation.ok()) {
    const std::string text = StrCat(session_.federation(), " ", federation->display_name());
    Add("federation", kOk, {text, text});
    return true;
  }
  Add("federation", kFail, Because(session_, federation.status()),
      {"Check --federation, and that the token is of it.",
       "请检查 --federation 以及令牌所属联合会。"});
  return false;
}

void Doctor::CheckServices() {
  const std::pair<const char*, const char*> calls[] = {
      {"membership", "/gonghui.membership.v1.RegisterService/ListKinds"},
      {"funds", "/gonghui.funds.v1.BenefitService/ListKinds"},
      {"activities", "/gonghui.activities.v1.ActivityService/ListKinds"},
      {"casework", "/gonghui.casework.v1.CaseService/ListKinds"},
      {"reports", "/gonghui.reports.v1.ReportService/ListMeasures"}};
  for (const auto& [area, method] : calls) {
    // Both requests are empty, and of the answer only its coming counts.
    google::protobuf::Empty answer;
    const absl::Time start = absl::Now();
    const absl::Status status =
        client_->InvokeMessage(method, google::protobuf::Empty(), answer, nullptr);
    const std::string ms = StrCat(absl::ToInt64Milliseconds(absl::Now() - start));
    const std::string name = StrCat("service ", area);
    if (status.ok()) {
      Add(name, kOk, {StrCat("answers in ", ms, " ms"), StrCat("应答用时 ", ms, " 毫秒")});
    } else {
      Add(name, kFail, Because(session_, status),
          {StrCat("Does a process with --services=", area, " run, and does the way lead to it?"),
           StrCat("请确认承载 ", area, " 的进程（--services=", area, "）在运行且可以访问。")});
    }
  }
}

void Doctor::CheckFeed() {
  reports::v1::GetFreshnessRequest request;
  request.set_parent(StrCat("federations/", session_.federation()));
  const auto freshness = client_->Invoke<reports::v1::GetFreshnessResponse>(
      "/gonghui.reports.v1.ReportService/GetFreshness", request);
  if (!freshness.ok()) {
    Add("figures", kWarn, Because(session_, freshness.status()),
        {"How far figures are behind is not known.", "无法得知数据汇总的进度。"});
    return;
  }
  int64_t behind = 0;
  for (const reports::v1::Freshness& source : freshness->sources()) {
    behind += std::max<int64_t>(source.head() - source.applied(), 0);
    if (source.error().empty()) continue;
    Add("figures", kFail,
        {StrCat("stand still: ", source.source(), " after ", source.applied(), ": ",
                source.error()),
         StrCat("汇总已停止：", source.source(), " 第 ", source.applied(), " 条之后：",
                source.error())},
        {"The log of reports names the event and its trace (follower_stopped).",
         "reports 的日志（follower_stopped）记有该事件及其追踪号。"});
    return;
  }
  const Words finding = {StrCat(behind, " changes are not in the figures yet"),
                         StrCat("尚有 ", behind, " 条变更未计入数据")};
  if (behind <= kEventsBehind) {
    Add("figures", kOk, finding);
  } else {
    Add("figures", kWarn, finding,
        {"gonghui wait shows whether they catch up; else see the load of reports.",
         "可用 gonghui wait 观察是否跟上；否则请检查 reports 的负载。"});
  }
}

void Doctor::CheckVerification() {
  common::v1::ListJobsRequest request;
  request.set_parent(StrCat("federations/", session_.federation()));
  request.set_kind("VerifyRollups");
  request.set_state(common::v1::JOB_STATE_SUCCEEDED);
  request.set_page_size(1);
  const auto jobs = client_->Invoke<common::v1::ListJobsResponse>(
      "/gonghui.reports.v1.JobService/ListJobs", request);
  reports::v1::VerifyRollupsResult result;
  if (!jobs.ok() || jobs->jobs().empty() || !jobs->jobs(0).result().UnpackTo(&result)) return;
  const std::string day = absl::FormatTime(
      "%Y-%m-%d", absl::FromUnixMicros(jobs->jobs(0).end_time_us()), absl::LocalTimeZone());
  const Words finding = {
      StrCat("of ", result.cells(), " figures ", result.divergent(),
             " differed from their records on ", day),
      StrCat(day, " 核对 ", result.cells(), " 个数据，", result.divergent(), " 个与记录不符")};
  if (result.divergent() == 0) {
    Add("verification", kOk, finding);
  } else {
    Add("verification", kFail, finding,
        {"gonghui verify rollups names them, gonghui rebuild makes them anew; publish nothing "
         "before.",
         "gonghui verify rollups 可列出，gonghui rebuild 可重新生成；此前请勿公布数据。"});
  }
}

void Doctor::CheckOps() {
  httplib::Client http(ops_);
  http.set_connection_timeout(absl::ToChronoSeconds(kPatience));
  http.set_read_timeout(absl::ToChronoSeconds(kPatience));
  const httplib::Result ready = http.Get("/readyz");
  CheckReady(ready);
  if (!ready) return;
  CheckClock(ready->get_header_value("Date"));
  if (const httplib::Result metrics = http.Get("/metrics"); metrics && metrics->status == 200) {
    CheckMetrics(metrics->body);
  }
}

void Doctor::CheckReady(const httplib::Result& ready) {
  if (!ready) {
    Add("ready", kFail, {ops_ + " does not answer", ops_ + " 没有应答"},
        {"Check the address of the operator's port (gonghuid --ops-port).",
         "请检查运维端口地址（gonghuid --ops-port）。"});
  } else if (ready->status == 200) {
    Add("ready", kOk, {"the process takes calls", "进程可以处理请求"});
  } else {
    const std::string reason(Strip(ready->body));
    Add("ready", kFail, {reason, reason}, {"See to what it waits for.", "请处理它所等待的依赖。"});
  }
}

void Doctor::CheckClock(const std::string& date) {
  absl::Time server;
  if (!absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", date, absl::UTCTimeZone(), &server, nullptr)) {
    return;
  }
  const absl::Duration skew = absl::AbsDuration(absl::Now() - server);
  const std::string seconds = StrCat(absl::ToInt64Seconds(skew));
  const Words finding = {StrCat("client and server differ by ", seconds, " s"),
                         StrCat("客户端与服务器相差 ", seconds, " 秒")};
  const Words advice = {"Keep both by NTP: tokens are judged by the clock.",
                        "请以 NTP 校准两端时钟：令牌有效期按时钟判断。"};
  if (skew <= kClockSkew) {
    Add("clock", kOk, finding);
  } else {
    Add("clock", skew <= kClockWrong ? kWarn : kFail, finding, advice);
  }
}

// Values of the series without labels, and the version.
std::map<std::string, std::string> ReadMetrics(const std::string& text) {
  constexpr std::string_view kBuild = "gonghui_build_info{version=\"";
  std::map<std::string, std::string> values;
  for (const std::string_view line : Split(text, '\n')) {
    if (line.starts_with('#')) continue;
    if (line.starts_with(kBuild)) {
      values["version"] = line.substr(kBuild.size(), line.rfind('"') - kBuild.size());
    } else if (const size_t space = line.find(' ');
               space != line.npos && line.find('{') == line.npos) {
      values[std::string(line.substr(0, space))] = line.substr(space + 1);
    }
  }
  return values;
}

void Doctor::CheckShare(const std::string& name, double used, double all, const Words& of,
                        const Words& advice) {
  if (all <= 0) return;
  const std::string percent = StrCat(static_cast<int>(used / all * 100));
  const Words finding = {StrCat(percent, " % of ", of.en),
                         StrCat("已用", of.zh, " ", percent, " %")};
  if (used < kFull * all) {
    Add(name, kOk, finding);
  } else {
    Add(name, kWarn, finding, advice);
  }
}

void Doctor::CheckMetrics(const std::string& text) {
  std::map<std::string, std::string> values = ReadMetrics(text);
  const auto number = [&](const char* name) {
    double value = 0;
    (void)absl::SimpleAtod(values[name], &value);
    return value;
  };
  const std::string server = values["version"];
  const Words versions = {StrCat("client ", kVersion, ", server ", server),
                          StrCat("客户端 ", kVersion, "，服务器 ", server)};
  if (server == kVersion) {
    Add("version", kOk, versions);
  } else {
    Add("version", kWarn, versions,
        {"Use the gonghui of the server's release.", "请使用与服务器同版本的 gonghui。"});
  }
  CheckShare("descriptors", number("process_open_fds"), number("process_max_fds"),
             {"the open files and connections allowed", "可打开文件和连接数"},
             {"Raise the limit (LimitNOFILE=), and see who holds so many connections.",
              "请提高限制（LimitNOFILE=），并查看连接来源。"});
  const double size = number("gonghui_data_size_bytes");
  CheckShare("disk", size - number("gonghui_data_free_bytes"), size,
             {"the disk of the data folder is used", "数据目录所在磁盘"},
             {"Free space or enlarge the disk: a full one refuses every write.",
              "请清理或扩容：磁盘写满后将拒绝所有写入。"});
}

void PrintChecks(const Session& session, const std::vector<Check>& checks) {
  for (const Check& check : checks) {
    const std::string name =
        check.name + std::string(20 - std::min<size_t>(check.name.size(), 19), ' ');
    const std::string verdict(kVerdicts[check.verdict]);
    Print(StrCat(verdict, std::string(6 - verdict.size(), ' '), name,
                 session.Say(check.finding.en, check.finding.zh), "\n"));
    const std::string& advice = session.Say(check.advice.en, check.advice.zh);
    if (!advice.empty()) Print(StrCat("      ", std::string(20, ' '), "-> ", advice, "\n"));
  }
}

void PrintChecksJson(const std::vector<Check>& checks, Verdict worst) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Check& check : checks) {
    list.push_back({{"check", check.name},
                    {"verdict", kVerdicts[check.verdict]},
                    {"finding", check.finding.en},
                    {"finding_zh", check.finding.zh},
                    {"advice", check.advice.en},
                    {"advice_zh", check.advice.zh}});
  }
  const nlohmann::ordered_json report = {{"verdict", kVerdicts[worst]}, {"checks", list}};
  Print(report.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

absl::StatusOr<int> Examine(const Session& session, const std::string& ops) {
  Doctor doctor(session, ops);
  const std::vector<Check>& checks = doctor.Examine();
  Verdict worst = kOk;
  for (const Check& check : checks) worst = std::max(worst, check.verdict);
  if (session.json()) {
    PrintChecksJson(checks, worst);
  } else {
    PrintChecks(session, checks);
  }
  return worst == kOk ? kSuccess : worst == kWarn ? kRejected : kUnreachable;
}

}  // namespace

void AddDoctorCommands(Program& program) {
  auto ops = std::make_shared<std::string>();
  CLI::App* doctor = AddCommand(
      program.app, "doctor",
      "Examine a deployment from here: what is well, what is not, what to do",
      "gonghui doctor --ops http://127.0.0.1:8082\n\nExit codes: 0 well; 1 something to see to; 3 "
      "something does not work.");
  doctor->add_option("--ops", *ops, "The operator's port: clock, version, disk, descriptors")
      ->type_name("URL");
  OnRun(doctor, program, [&program, ops] { return Examine(program.session, *ops); });
}

}  // namespace gonghui::cli
