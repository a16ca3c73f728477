#include "common/auth/trusted_issuers.h"

#include <httplib.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/auth/claims.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::auth {
namespace {

constexpr time_t kFetchSeconds = 3;  // For connecting and for reading, each.
constexpr size_t kLargestSet = 1 << 20;

// What tells that a file was written anew, also one that a link leads to.
struct FileStamp {
  int64_t device = 0, node = 0, size = 0, seconds = 0, nanoseconds = 0;
  bool operator==(const FileStamp&) const = default;

  static FileStamp Of(const std::string& path) {
    struct stat found = {};
    if (stat(path.c_str(), &found) != 0) return {};
    return {static_cast<int64_t>(found.st_dev), static_cast<int64_t>(found.st_ino), found.st_size,
            found.st_mtim.tv_sec, found.st_mtim.tv_nsec};
  }
};

// "https://host:443" and "/path" of an address; nullopt when it is none.
std::optional<std::pair<std::string, std::string>> SplitUrl(std::string_view url) {
  if (!url.starts_with("https://") && !url.starts_with("http://")) return std::nullopt;
  const size_t path = url.find('/', url.find("//") + 2);
  if (path == url.npos) return std::nullopt;
  return std::pair(std::string(url.substr(0, path)), std::string(url.substr(path)));
}

Error Unreachable(std::string_view why) {
  return Unavailable(common::v1::REASON_UNAVAILABLE,
                     StrCat("The issuer's keys cannot be fetched: ", why,
                            "; check --keys-url and that the issuer answers"),
                     StrCat("无法获取签发方公钥（", why, "）；请检查--keys-url及签发方服务"));
}

absl::StatusOr<KeySet> Fetch(const std::string& url, const std::string& ca_file) {
  const auto parts = SplitUrl(url);
  if (!parts.has_value()) return Unreachable("the address is no http(s)://HOST/PATH");
  httplib::Client client(parts->first);
  client.set_connection_timeout(kFetchSeconds);
  client.set_read_timeout(kFetchSeconds);
  client.set_write_timeout(kFetchSeconds);
  client.set_keep_alive(false);
  if (!ca_file.empty()) client.set_ca_cert_path(ca_file.c_str());
  client.enable_server_certificate_verification(true);
  std::string body;
  const httplib::Result answer =
      client.Get(parts->second.c_str(), [&body](const char* data, size_t size) {
        body.append(data, size);
        return body.size() <= kLargestSet;
      });
  if (!answer) return Unreachable(httplib::to_string(answer.error()));
  if (answer->status != 200) return Unreachable(StrCat("HTTP ", answer->status));
  return KeySet::FromIssuer(body);
}

}  // namespace

struct TrustedIssuers::State {
  explicit State(Options o)
      : options(std::move(o)),
        outside_rules{options.issuers, options.audiences, options.grants_claim} {}

  absl::Status ReadFile() {
    if (options.keys_file.empty()) return absl::OkStatus();
    const FileStamp now = FileStamp::Of(options.keys_file);
    if (now == stamp) return absl::OkStatus();
    stamp = now;  // A bad file is told once.
    ASSIGN_OR_RETURN(file_keys, KeySet::FromFile(options.keys_file));
    Publish();
    return absl::OkStatus();
  }

  void FetchKeys() {
    fetched = absl::Now();
    wanted = false;
    absl::StatusOr<KeySet> keys = Fetch(options.keys_url, options.keys_ca_file);
    if (!keys.ok()) {
      log::Warning("issuer_keys_unavailable", {{"message", FromAbsl(keys.status().message())}});
      return;
    }
    url_keys = *std::move(keys);
    Publish();
  }

  // Tokens that were good with earlier keys are forgotten.
  void Publish() {
    auto all = std::make_shared<KeySet>();
    all->Add(url_keys);
    all->Add(file_keys);
    const absl::MutexLock lock(&mutex);
    outside = std::move(all);
  }

  void Watch() {
    while (true) {
      {
        const absl::MutexLock lock(&mutex);
        const auto is_due = [this] { return stopping || MayFetchAtOnce(); };
        mutex.AwaitWithTimeout(absl::Condition(&is_due), options.file_every);
        if (stopping) return;
      }
      if (absl::Status status = ReadFile(); !status.ok()) {
        log::Warning("keys_file_unusable", {{"message", FromAbsl(status.message())}});
      }
      if (!options.keys_url.empty() &&
          (MayFetchAtOnce() || absl::Now() - fetched >= options.refresh_every)) {
        FetchKeys();
      }
    }
  }

  bool MayFetchAtOnce() const {
    return wanted && absl::Now() - fetched >= options.refresh_at_once_every;
  }

  std::shared_ptr<const KeySet> Outside() {
    const absl::ReaderMutexLock lock(&mutex);
    return outside;
  }

  const Options options;
  const TokenRules inside_rules;
  const TokenRules outside_rules;
  KeySet own;
  KeySet ours;
  // Only of the thread that watches, once it runs.
  std::optional<FileStamp> stamp;
  KeySet file_keys;
  KeySet url_keys;
  absl::Time fetched = absl::InfinitePast();

  std::atomic<bool> wanted = false;  // A token named a key that is not here.
  absl::Mutex mutex;
  std::shared_ptr<const KeySet> outside ABSL_GUARDED_BY(mutex) = std::make_shared<KeySet>();
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  std::thread thread;
};

TrustedIssuers::TrustedIssuers(Options options)
    : state_(std::make_unique<State>(std::move(options))) {}

TrustedIssuers::~TrustedIssuers() {
  {
    const absl::MutexLock lock(&state_->mutex);
    state_->stopping = true;
  }
  if (state_->thread.joinable()) state_->thread.join();
}

void TrustedIssuers::Add(const KeySet& keys) { state_->ours.Add(keys); }
void TrustedIssuers::AddOwn(const KeySet& keys) { state_->own.Add(keys); }

absl::Status TrustedIssuers::Start() {
  const std::string& url = state_->options.keys_url;
  if (!url.empty() && !SplitUrl(url).has_value()) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           StrCat("--keys-url: ", url, " is no http(s)://HOST[:PORT]/PATH"),
                           StrCat("--keys-url：", url, "不是http(s)://主机[:端口]/路径"));
  }
  RETURN_IF_ERROR(state_->ReadFile());
  if (!url.empty()) state_->FetchKeys();
  if (!url.empty() || !state_->options.keys_file.empty()) {
    state_->thread = std::thread([this] { state_->Watch(); });
  }
  return absl::OkStatus();
}

absl::StatusOr<Identity> TrustedIssuers::Verify(std::string_view token, absl::Time now) const {
  State& state = *state_;
  const std::shared_ptr<const KeySet> outside = state.Outside();
  struct Choice {
    const KeySet* keys;
    const TokenRules* rules;
  };
  const Choice choices[] = {{&state.own, &state.inside_rules},
                            {&state.ours, &state.inside_rules},
                            {outside.get(), &state.outside_rules}};
  const auto identity = [&](const Choice& choice,
                            absl::StatusOr<Actor> actor) -> absl::StatusOr<Identity> {
    if (!actor.ok()) return std::move(actor).status();
    return Identity{*std::move(actor), choice.keys == &state.own};
  };
  for (const Choice& choice : choices) {
    if (auto known = choice.keys->Recall(token, *choice.rules, now)) {
      return identity(choice, *std::move(known));
    }
  }
  const std::string key_id = KeyIdOf(token);
  for (const Choice& choice : choices) {
    // The first set with the key decides: nobody outside can stand in for a key of ours.
    if (choice.keys->Has(key_id)) {
      return identity(choice, choice.keys->Verify(token, *choice.rules, now));
    }
  }
  if (!key_id.empty() && !state.options.keys_url.empty()) {
    const absl::MutexLock lock(&state.mutex);  // Wakes the watching thread.
    state.wanted = true;
  }
  return TokenInvalid("is signed with a key that this server does not trust",
                      "的签名密钥不受本服务信任");
}

}  // namespace gonghui::auth
