#include "services/funds/anchors.h"

#include <fcntl.h>
#include <httplib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/synchronization/mutex.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::funds {
namespace {

constexpr int kTimeoutSeconds = 10;

absl::Status Away(std::string_view target, std::string_view what) {
  return Unavailable(common::v1::REASON_UNAVAILABLE,
                     StrCat("The anchor ", target, " cannot be ", what, "; see to it."),
                     StrCat("账本锚点 ", target, " 不可用，请检查。"));
}

std::string ToLines(absl::Span<const SignedHead> heads) {
  std::string lines;
  for (const SignedHead& head : heads) StrAppend(&lines, ToLine(head), "\n");
  return lines;
}

void ShowLines(std::istream& lines, const std::function<void(const SignedHead&)>& head) {
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) head(ParseLine(line));
  }
}

class Nowhere : public Anchor {
 public:
  absl::Status Write(absl::Span<const SignedHead>) override { return absl::OkStatus(); }
  absl::Status Read(const std::function<void(const SignedHead&)>&) override {
    return absl::OkStatus();
  }
};

class AnchorFile : public Anchor {
 public:
  explicit AnchorFile(std::string path) : path_(std::move(path)) {}

  absl::Status Write(absl::Span<const SignedHead> heads) override {
    const std::string lines = ToLines(heads);
    absl::MutexLock lock(&mutex_);
    const int file = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (file < 0) return Away(path_, "opened");
    const bool written =
        write(file, lines.data(), lines.size()) == static_cast<ssize_t>(lines.size()) &&
        fdatasync(file) == 0;
    if (close(file) != 0 || !written) return Away(path_, "written");
    return absl::OkStatus();
  }
  absl::Status Read(const std::function<void(const SignedHead&)>& head) override {
    std::ifstream file(path_);
    if (!file.is_open() && std::filesystem::exists(path_)) return Away(path_, "read");
    ShowLines(file, head);
    return absl::OkStatus();
  }

 private:
  const std::string path_;
  absl::Mutex mutex_;  // Lines do not mix.
};

class AnchorEndpoint : public Anchor {
 public:
  AnchorEndpoint(std::string origin, std::string path)
      : origin_(std::move(origin)), path_(std::move(path)) {}

  absl::Status Write(absl::Span<const SignedHead> heads) override {
    const auto answer = Client()->Post(path_.c_str(), ToLines(heads), "application/x-ndjson");
    return answer && answer->status / 100 == 2 ? absl::OkStatus() : Away(origin_, "written");
  }
  absl::Status Read(const std::function<void(const SignedHead&)>& head) override {
    const auto answer = Client()->Get(path_.c_str());
    if (!answer || answer->status / 100 != 2) return Away(origin_, "read");
    std::istringstream lines(answer->body);
    ShowLines(lines, head);
    return absl::OkStatus();
  }

 private:
  std::unique_ptr<httplib::Client> Client() const {
    auto client = std::make_unique<httplib::Client>(origin_);
    client->set_connection_timeout(kTimeoutSeconds);
    client->set_read_timeout(kTimeoutSeconds);
    client->set_tcp_nodelay(true);
    return client;
  }

  const std::string origin_;
  const std::string path_;
};

}  // namespace

std::string ToLine(const SignedHead& head) {
  return nlohmann::json{{"content", absl::Base64Escape(head.content)},
                        {"signature", absl::Base64Escape(head.signature)}}
      .dump();
}

SignedHead ParseLine(std::string_view line) {
  const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
  SignedHead head;
  if (!json.is_object() || !json.contains("content") || !json["content"].is_string() ||
      !json.contains("signature") || !json["signature"].is_string() ||
      !absl::Base64Unescape(json["content"].get<std::string>(), &head.content) ||
      !absl::Base64Unescape(json["signature"].get<std::string>(), &head.signature)) {
    return {};
  }
  return head;
}

absl::StatusOr<std::unique_ptr<Anchor>> OpenAnchor(const std::string& target) {
  if (target.empty()) return std::make_unique<Nowhere>();
  constexpr std::string_view kHttp = "http://";
  if (target.starts_with(kHttp)) {
    const size_t slash = target.find('/', kHttp.size());
    const std::string origin = target.substr(0, slash);
    return std::make_unique<AnchorEndpoint>(
        origin, slash == std::string::npos ? "/" : target.substr(slash));
  }
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::path(target).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) return Away(target, "made");
  return std::make_unique<AnchorFile>(target);
}

}  // namespace gonghui::funds
