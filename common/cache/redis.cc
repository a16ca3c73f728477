#include "common/cache/redis.h"

#include <hiredis/hiredis.h>
#include <signal.h>
#include <sys/time.h>

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/base/text.h"

namespace gonghui::cache {
namespace {

constexpr int kFailuresToOpen = 5;
constexpr absl::Duration kBreak = absl::Seconds(1);
constexpr size_t kMaxPipeline = 256;
constexpr size_t kRunIdSize = 40;

}  // namespace

// One question to Redis and its answer.
struct Redis::Request {
  std::string run;
  std::vector<std::string> words;
  absl::Notification done;
  bool elsewhere = false;  // The server is of another run.
  std::optional<Reply> reply;
};

// A connection and the run of the server behind it. Used by the worker only.
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
    if (!ReadRun()) return false;
    options_.on_connect(run_);
    return true;
  }

  // Sends all and reads all; after any error the connection is dropped, for later replies would be
  // shifted.
  void Exchange(const std::vector<std::shared_ptr<Request>>& requests) {
    const auto elsewhere = [this](const auto& request) { return request->run != run_; };
    // The address may lead to another server by now.
    if (std::any_of(requests.begin(), requests.end(), elsewhere)) Close();
    if (!Open()) return;
    for (const auto& request : requests) {
      request->elsewhere = elsewhere(request);
      if (!request->elsewhere) Append(request->words);
    }
    for (const auto& request : requests) {
      if (request->elsewhere) continue;
      if (!Receive(request->reply)) return;
    }
  }

 private:
  void Append(const std::vector<std::string>& words) {
    std::vector<const char*> data;
    std::vector<size_t> sizes;
    for (const std::string& word : words) {
      data.push_back(word.data());
      sizes.push_back(word.size());
    }
    redisAppendCommandArgv(context_, static_cast<int>(data.size()), data.data(), sizes.data());
  }

  // False when the connection is lost; `reply` stays empty where Redis reports an error.
  bool Receive(std::optional<Reply>& reply) {
    redisReply* received = nullptr;
    if (redisGetReply(context_, reinterpret_cast<void**>(&received)) != REDIS_OK ||
        received == nullptr) {
      Close();
      return false;
    }
    if (received->type == REDIS_REPLY_STRING) {
      reply = Reply{.nil = false, .text = std::string(received->str, received->len)};
    } else if (received->type != REDIS_REPLY_ERROR) {
      reply = Reply{.nil = received->type == REDIS_REPLY_NIL, .text = ""};
    }
    freeReplyObject(received);
    return true;
  }

  std::optional<Reply> Simple(const std::vector<std::string>& words) {
    Append(words);
    std::optional<Reply> reply;
    Receive(reply);
    return reply;
  }

  bool ReadRun() {
    if (const std::optional<Reply> info = Simple({"INFO", "server"}); info.has_value()) {
      const size_t at = info->text.find("run_id:");
      if (at != std::string::npos) {
        run_ = info->text.substr(at + 7, kRunIdSize);
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
  std::string run_;
};

Redis::Redis(Options options) : options_(std::move(options)), worker_([this] { Work(); }) {}

Redis::~Redis() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  worker_.join();
  absl::MutexLock lock(&mutex_);
  if (failures_ >= kFailuresToOpen) open_.Add(-1);
}

std::string Redis::Tell() {
  absl::MutexLock lock(&mutex_);
  return StrCat("redis ", options_.address,
                failures_ < kFailuresToOpen ? ": in use, " : ": skipped, it does not answer, ",
                queue_.size(), " questions waiting");
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
  connection.Open();  // Tells the run early.
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
    if (failures_ >= kFailuresToOpen) {
      log::Info("redis_back");
      open_.Add(-1);
    }
    failures_ = 0;
    return;
  }
  if (++failures_ == kFailuresToOpen) {
    log::Warning("redis_away");
    open_.Add(1);
  }
  if (failures_ >= kFailuresToOpen) closed_until_ = absl::Now() + kBreak;
}

std::optional<Redis::Reply> Redis::Ask(const std::string& run, std::vector<std::string> words) {
  auto request = std::make_shared<Request>();
  request->run = run;
  request->words = std::move(words);
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_ || absl::Now() < closed_until_) return std::nullopt;
    queue_.push_back(request);
  }
  // Twice the budget: once for what is before us in the pipeline, once for ours.
  const bool answered = request->done.WaitForNotificationWithTimeout(2 * options_.budget);
  if (answered && request->elsewhere) return std::nullopt;  // No failure of Redis.
  Count(!answered || !request->reply.has_value());
  return answered ? request->reply : std::nullopt;
}

}  // namespace gonghui::cache
