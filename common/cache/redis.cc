#include "common/cache/redis.h"

#include <hiredis/hiredis.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <signal.h>
#include <sys/time.h>

#include <cstring>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/base/log.h"

namespace gonghui::cache {
namespace {

constexpr int kFailuresToOpen = 5;
constexpr absl::Duration kBreak = absl::Seconds(1);
constexpr size_t kMacBytes = 16;
constexpr size_t kMaxPipeline = 256;
constexpr size_t kMaxMissedRaises = 10000;

// KEYS: value, floor. ARGV: version, sealed value, ttl in ms. Kept only at or above the floor.
constexpr char kPutScript[] =
    "local floor = tonumber(redis.call('GET', KEYS[2]) or '0') "
    "if tonumber(ARGV[1]) >= floor then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end "
    "return 1";
// KEYS: value, floor. ARGV: version, ttl in ms.
constexpr char kRaiseScript[] =
    "local floor = tonumber(redis.call('GET', KEYS[2]) or '0') "
    "if tonumber(ARGV[1]) > floor then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) end "
    "redis.call('DEL', KEYS[1]) return 1";

}  // namespace

// One question to Redis and its answer.
struct Redis::Request {
  std::vector<std::string> words;  // Keys are prefixed by the connection, see `keys`.
  std::vector<size_t> keys;        // Positions in `words` that are keys.
  absl::Notification done;
  bool failed = true;
  std::optional<std::string> reply;
};

// A connection and the generation of the server behind it. Used by the worker only.
class Redis::Connection {
 public:
  explicit Connection(const Options& options) : options_(options) {}
  ~Connection() { Close(); }

  bool Open() {
    if (context_ != nullptr) return true;
    const timeval timeout = absl::ToTimeval(options_.budget);
    if (options_.address.rfind("unix:", 0) == 0) {
      context_ = redisConnectUnixWithTimeout(options_.address.c_str() + 5, timeout);
    } else {
      const size_t colon = options_.address.rfind(':');
      int port = 6379;
      if (colon != std::string::npos &&
          !absl::SimpleAtoi(options_.address.substr(colon + 1), &port))
        return false;
      context_ = redisConnectWithTimeout(options_.address.substr(0, colon).c_str(), port, timeout);
    }
    if (context_ == nullptr || context_->err != 0 ||
        redisSetTimeout(context_, timeout) != REDIS_OK) {
      Close();
      return false;
    }
    if (!options_.password.empty() && !Simple({"AUTH", options_.password})) {
      Close();
      return false;
    }
    return ReadGeneration();
  }

  // Sends all and reads all; after any error the connection is dropped, for later replies would be
  // shifted.
  void Exchange(const std::vector<std::shared_ptr<Request>>& requests) {
    if (!Open()) return;
    for (const auto& request : requests) Append(*request);
    for (const auto& request : requests) {
      redisReply* reply = nullptr;
      if (redisGetReply(context_, reinterpret_cast<void**>(&reply)) != REDIS_OK ||
          reply == nullptr) {
        Close();
        return;
      }
      request->failed = reply->type == REDIS_REPLY_ERROR;
      if (reply->type == REDIS_REPLY_STRING) request->reply = std::string(reply->str, reply->len);
      freeReplyObject(reply);
    }
  }

 private:
  void Append(Request& request) {
    for (size_t position : request.keys) request.words[position].insert(0, generation_);
    std::vector<const char*> data;
    std::vector<size_t> sizes;
    for (const std::string& word : request.words) {
      data.push_back(word.data());
      sizes.push_back(word.size());
    }
    redisAppendCommandArgv(context_, static_cast<int>(data.size()), data.data(), sizes.data());
  }

  bool Simple(const std::vector<std::string>& words) {
    Request request;
    request.words = words;
    Append(request);
    redisReply* reply = nullptr;
    if (redisGetReply(context_, reinterpret_cast<void**>(&reply)) != REDIS_OK || reply == nullptr)
      return false;
    const bool ok = reply->type != REDIS_REPLY_ERROR;
    if (reply->type == REDIS_REPLY_STRING) text_.assign(reply->str, reply->len);
    freeReplyObject(reply);
    return ok;
  }

  // Keys carry the server's run id: what an earlier run had stored (or a snapshot brought back) is
  // never read.
  bool ReadGeneration() {
    if (Simple({"INFO", "server"})) {
      const size_t at = text_.find("run_id:");
      if (at != std::string::npos) {
        generation_ = absl::StrCat("gonghui:", text_.substr(at + 7, 40), ":");
        return true;
      }
    }
    Close();
    return false;
  }

  void Close() {
    if (context_ != nullptr) redisFree(context_);
    context_ = nullptr;
  }

  const Options& options_;
  redisContext* context_ = nullptr;
  std::string generation_;
  std::string text_;
};

Redis::Redis(Options options) : options_(std::move(options)), worker_([this] { Work(); }) {}

Redis::~Redis() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  worker_.join();
}

std::vector<std::shared_ptr<Redis::Request>> Redis::Take() {
  absl::MutexLock lock(&mutex_);
  const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || !queue_.empty();
  };
  mutex_.Await(absl::Condition(&ready));
  const size_t n = std::min(queue_.size(), kMaxPipeline);
  std::vector<std::shared_ptr<Request>> taken(queue_.begin(),
                                              queue_.begin() + static_cast<ptrdiff_t>(n));
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<ptrdiff_t>(n));
  return taken;
}

void Redis::Work() {
  // hiredis writes without MSG_NOSIGNAL: a server that went away must be an error, not a signal.
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  Connection connection(options_);
  while (true) {
    std::vector<std::shared_ptr<Request>> requests = Take();
    if (requests.empty()) return;
    connection.Exchange(requests);
    for (const auto& request : requests) request->done.Notify();
  }
}

void Redis::Count(bool failed) {
  absl::MutexLock lock(&mutex_);
  if (!failed) {
    if (failures_ >= kFailuresToOpen) log::Info("redis_back");
    failures_ = 0;
    return;
  }
  if (++failures_ == kFailuresToOpen) log::Warning("redis_away");
  if (failures_ >= kFailuresToOpen) closed_until_ = absl::Now() + kBreak;
}

std::optional<std::string> Redis::Ask(std::vector<std::string> words, bool& failed) {
  auto request = std::make_shared<Request>();
  // EVAL script 2 key key …, else COMMAND key …
  request->keys = words[0] == "EVAL" ? std::vector<size_t>{3, 4} : std::vector<size_t>{1};
  request->words = std::move(words);
  failed = true;
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_ || absl::Now() < closed_until_) return std::nullopt;
    queue_.push_back(request);
  }
  // Twice the budget: once for what is before us in the pipeline, once for ours.
  const bool answered = request->done.WaitForNotificationWithTimeout(2 * options_.budget);
  failed = !answered || request->failed;
  Count(failed);
  return failed ? std::nullopt : request->reply;
}

bool Redis::RepeatMissedRaises() {
  std::deque<std::pair<std::string, int64_t>> missed;
  {
    absl::MutexLock lock(&mutex_);
    if (repeating_) return false;  // What the other reader repeats may not have arrived yet.
    if (missed_raises_.empty()) return true;
    missed.swap(missed_raises_);
    repeating_ = true;
  }
  for (const auto& [key, version] : missed) Raise(key, version, absl::Minutes(5));
  absl::MutexLock lock(&mutex_);
  repeating_ = false;
  return missed_raises_.empty();
}

std::optional<std::string> Redis::Get(const std::string& key) {
  if (!RepeatMissedRaises()) return std::nullopt;
  bool failed = false;
  std::optional<std::string> sealed = Ask({"GET", absl::StrCat("v:", key)}, failed);
  return sealed.has_value() ? Opened(key, *sealed) : std::nullopt;
}

void Redis::Put(const std::string& key, int64_t version, std::string_view value,
                absl::Duration ttl) {
  bool failed = false;
  Ask({"EVAL", kPutScript, "2", absl::StrCat("v:", key), absl::StrCat("f:", key),
       absl::StrCat(version), Sealed(key, version, value),
       absl::StrCat(absl::ToInt64Milliseconds(ttl))},
      failed);
}

void Redis::Raise(const std::string& key, int64_t version, absl::Duration ttl) {
  bool failed = false;
  Ask({"EVAL", kRaiseScript, "2", absl::StrCat("v:", key), absl::StrCat("f:", key),
       absl::StrCat(version), absl::StrCat(absl::ToInt64Milliseconds(ttl))},
      failed);
  if (!failed) return;
  absl::MutexLock lock(&mutex_);
  missed_raises_.emplace_back(key, version);
  // A process that missed this much stays off Redis until it restarts: it no longer knows what it
  // must withdraw.
  if (missed_raises_.size() > kMaxMissedRaises) closed_until_ = absl::InfiniteFuture();
}

std::string Redis::Sealed(const std::string& key, int64_t version, std::string_view value) const {
  std::string body = absl::StrCat(version, ":", std::string(value));
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  const std::string text = absl::StrCat(key, "\n", body);
  HMAC(EVP_sha256(), options_.mac_key.data(), static_cast<int>(options_.mac_key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
  return std::string(reinterpret_cast<char*>(mac), kMacBytes) + body;
}

std::optional<std::string> Redis::Opened(const std::string& key, const std::string& sealed) const {
  const size_t colon = sealed.find(':', kMacBytes);
  int64_t version = 0;
  if (sealed.size() < kMacBytes || colon == std::string::npos ||
      !absl::SimpleAtoi(sealed.substr(kMacBytes, colon - kMacBytes), &version)) {
    return std::nullopt;
  }
  std::string value = sealed.substr(colon + 1);
  const std::string expected = Sealed(key, version, value);
  const bool genuine = expected.size() == sealed.size() &&
                       CRYPTO_memcmp(expected.data(), sealed.data(), expected.size()) == 0;
  return genuine ? std::make_optional(std::move(value)) : std::nullopt;
}

}  // namespace gonghui::cache
