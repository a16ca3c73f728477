#include "services/cli/session.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/config.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/tls.h"
#include "google/protobuf/util/json_util.h"
#include "services/cli/csv.h"
#include "services/cli/text.h"

namespace gonghui::cli {
namespace {

constexpr char kDefaultServer[] = "127.0.0.1:8081";

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string ProfilePath(const std::string& flag) {
  if (!flag.empty()) return flag;
  if (const std::string path = Environment("GONGHUI_PROFILE"); !path.empty()) return path;
  std::error_code error;
  for (const std::string& path :
       {std::string(".gonghui.yaml"), Environment("HOME") + "/.config/gonghui.yaml"}) {
    if (std::filesystem::exists(path, error)) return path;
  }
  return "";
}

bool WantsChinese(const std::string& flag) {
  if (!flag.empty()) return flag.starts_with("zh");
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    if (const std::string value = Environment(name); !value.empty()) return value.starts_with("zh");
  }
  return false;
}

// What a status without a message of ours means.
std::pair<std::string, std::string> PlainWords(const Session& session, const absl::Status& status) {
  const std::string& server = session.server();
  if (absl::IsUnavailable(status)) {
    return {
        "Cannot reach the server at " + server +
            ". Check that it runs and that --server (or GONGHUI_SERVER) is right.",
        "无法连接服务器 " + server + "。请确认服务已启动，且 --server（或 GONGHUI_SERVER）正确。"};
  }
  if (absl::IsDeadlineExceeded(status)) {
    return {
        "The server at " + server + " did not answer in time. Try again, or ask for less at once.",
        "服务器 " + server + " 未及时应答。请重试，或缩小查询范围。"};
  }
  if (absl::IsUnimplemented(status)) {
    return {"The server at " + server + " does not host the service this command needs.",
            "服务器 " + server + " 没有提供此命令所需的服务。"};
  }
  if (absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status)) {
    return {"The server does not accept this token. Check --token-file, or get a new token.",
            "服务器不接受此令牌。请检查 --token-file，或换取新令牌。"};
  }
  return {"The server could not do this. Its log names the cause.",
          "服务器未能完成此操作，原因见服务器日志。"};
}

}  // namespace

absl::Status Session::Resolve() {
  chinese_ = WantsChinese(globals_->language);
  const std::vector<ConfigOption> options = {
      {"server", kDefaultServer, "address of the server"},
      {"token_file", "", "file with the caller's token"},
      {"federation", "", "federation to work in"},
      {"ca_file", "", "certificates that verify the server"},
      {"tls", "false", "speak TLS", false, true},
  };
  std::vector<std::string> flags;
  const auto add = [&](const char* flag, const std::string& value) {
    if (!value.empty()) flags.insert(flags.end(), {flag, value});
  };
  add("--config", ProfilePath(globals_->config));
  add("--server", globals_->server);
  add("--token-file", globals_->token_file);
  add("--federation", globals_->federation);
  add("--ca-file", globals_->ca_file);
  if (globals_->tls) flags.emplace_back("--tls");
  std::map<std::string, std::string> environment;
  for (const char* name :
       {"GONGHUI_SERVER", "GONGHUI_TOKEN_FILE", "GONGHUI_FEDERATION", "GONGHUI_CA_FILE"}) {
    if (const std::string value = Environment(name); !value.empty()) environment[name] = value;
  }
  ASSIGN_OR_RETURN(const Config config, Config::Load(options, flags, environment));
  server_ = config.Get("server");
  ca_file_ = config.Get("ca_file");
  uses_tls_ = config.GetBool("tls") || !ca_file_.empty();
  constexpr std::string_view kHttps = "https://";
  if (server_.starts_with(kHttps)) {
    uses_tls_ = true;
    server_.erase(0, kHttps.size());
  }
  token_file_ = config.Get("token_file");
  federation_ = config.Get("federation");
  return absl::OkStatus();
}

absl::StatusOr<const rpc::Client*> Session::Connect() {
  if (client_ != nullptr) return client_.get();
  if (token_file_.empty()) {
    return Unauthenticated(common::v1::REASON_TOKEN_MISSING,
                           "No token: name a file that holds one with --token-file (or "
                           "GONGHUI_TOKEN_FILE). gonghui token --dev makes one for a server "
                           "started with --dev.",
                           "没有令牌：请用 --token-file（或 GONGHUI_TOKEN_FILE）指定令牌文件。"
                           "对以 --dev 启动的服务器，可用 gonghui token --dev 生成。");
  }
  ASSIGN_OR_RETURN(const std::string content, ReadFile(token_file_));
  // Batches, recounts and summaries are slow on a small machine.
  ASSIGN_OR_RETURN(client_, Open(Trimmed(content), absl::Minutes(2)));
  return client_.get();
}

absl::StatusOr<std::unique_ptr<rpc::Client>> Session::Open(const std::string& token,
                                                           absl::Duration timeout) const {
  rpc::Client::Options options;
  options.address = server_;
  if (uses_tls_) {
    rpc::TlsFiles files;
    files.ca_file = ca_file_;
    ASSIGN_OR_RETURN(options.credentials, rpc::MakeChannelCredentials(files));
  }
  if (!token.empty()) options.token = [token] { return token; };
  options.timeout = timeout;
  return std::make_unique<rpc::Client>(std::move(options));
}

absl::StatusOr<std::string> Session::Parent() const {
  if (!federation_.empty()) return "federations/" + federation_;
  return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                         "Name the federation with --federation (or GONGHUI_FEDERATION).",
                         "请用 --federation（或 GONGHUI_FEDERATION）指定联合会。");
}

absl::StatusOr<std::string> Session::NameOf(std::string_view collection,
                                            std::string_view id) const {
  ASSIGN_OR_RETURN(const std::string parent, Parent());
  return StrCat(parent, "/", collection, "/", LeafOf(id));
}

void Print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void PrintNote(std::string_view text) {
  const std::string line = std::string(text) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void PrintJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string json;
  if (google::protobuf::util::MessageToJsonString(message, &json, options).ok()) Print(json);
}

std::string Explanation(const Session& session, const absl::Status& status) {
  const std::string zh = MessageZhOf(status);
  if (zh.empty()) {  // Every error of the platform has one: this is the network's or the library's.
    const auto [en, plain_zh] = PlainWords(session, status);
    return absl::StrCat(session.Say(en, plain_zh), " [", absl::StatusCodeToString(status.code()),
                        "]");
  }
  const std::string field = FieldOf(status);
  return absl::StrCat(session.Say(std::string(status.message()), zh), " [",
                      ReasonName(ReasonOf(status)), field.empty() ? "" : " " + field, "]");
}

ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kSuccess;
    case absl::StatusCode::kInvalidArgument:
      return kUsage;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return kUnreachable;
    default:
      return kServerError;
  }
}

}  // namespace gonghui::cli
