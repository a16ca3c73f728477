#include "common/rpc/rate_limits.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/synchronization/mutex.h"
#include "common/base/china_time.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/catalog/yaml_message.h"

namespace gonghui::rpc {
namespace {

constexpr size_t kShards = 64;
constexpr size_t kBucketsPerShard = 4096;
constexpr double kBurstSeconds = 2;

using Name = std::pair<std::string_view, std::string_view>;  // Federation, subject.

struct NameHash {
  using is_transparent = void;
  template <typename Text>
  size_t operator()(const std::pair<Text, Text>& name) const {
    return absl::HashOf(std::string_view(name.first), std::string_view(name.second));
  }
};

struct NameEqual {
  using is_transparent = void;
  template <typename A, typename B>
  bool operator()(const std::pair<A, A>& a, const std::pair<B, B>& b) const {
    return a.first == b.first && a.second == b.second;
  }
};

template <typename Value>
using ByName = std::unordered_map<std::pair<std::string, std::string>, Value, NameHash, NameEqual>;

struct Limit {
  double per_second = 0;
  int64_t per_day = 0;
};

struct Bucket {
  double tokens = 0;
  absl::Time filled = absl::InfinitePast();
  absl::CivilDay day;
  int64_t calls_of_day = 0;
};

Error TooMany(absl::Duration wait, std::string_view whose, std::string_view whose_zh) {
  const int64_t milliseconds = std::max<int64_t>(1, absl::ToInt64Milliseconds(wait) + 1);
  return ResourceExhausted(
             common::v1::REASON_RATE_LIMITED,
             StrCat(whose, " makes more calls than it may; retry after ", milliseconds,
                    " ms, send batches instead of single records, or ask the operator for more"),
             StrCat(whose_zh, "的调用次数超过限额；请", milliseconds,
                    "毫秒后重试，改用批量接口，或向运维人员申请提高限额"))
      .With("retry_ms", StrCat(milliseconds));
}

// Takes one call from the bucket, or tells how long to wait for it; zero: taken.
absl::Duration Take(Bucket& bucket, const Limit& limit, absl::Time now) {
  if (limit.per_day > 0) {
    const absl::CivilDay today(absl::ToCivilDay(now, ChinaTime()));
    if (bucket.day != today) {
      bucket.day = today;
      bucket.calls_of_day = 0;
    }
    if (bucket.calls_of_day >= limit.per_day) {
      return absl::FromCivil(today + 1, ChinaTime()) - now;
    }
  }
  if (limit.per_second > 0) {
    // At least one call fits, however slow the rate.
    const double most = std::max(1.0, limit.per_second * kBurstSeconds);
    const double since = absl::ToDoubleSeconds(now - bucket.filled);
    bucket.tokens = std::min(most, bucket.tokens + std::max(0.0, since) * limit.per_second);
    bucket.filled = now;  // Also where the clock was set back.
    if (bucket.tokens < 1) return absl::Seconds((1 - bucket.tokens) / limit.per_second);
    bucket.tokens -= 1;
  }
  ++bucket.calls_of_day;
  return absl::ZeroDuration();
}

}  // namespace

struct RateLimits::State {
  struct Shard {
    absl::Mutex mutex;
    ByName<Bucket> buckets ABSL_GUARDED_BY(mutex);
  };

  absl::Duration Take(const Name& name, const Limit& limit, absl::Time now) {
    Shard& shard = shards[NameHash()(name) % kShards];
    const absl::MutexLock lock(&shard.mutex);
    auto found = shard.buckets.find(name);
    if (found == shard.buckets.end()) {
      // Whoever has not called for a while has a full bucket again, which is what a new one is.
      if (shard.buckets.size() >= kBucketsPerShard) {
        std::erase_if(shard.buckets, [&](const auto& entry) {
          return now - entry.second.filled > absl::Minutes(1) &&
                 entry.second.day == absl::CivilDay();
        });
      }
      found = shard.buckets.try_emplace({std::string(name.first), std::string(name.second)}).first;
    }
    return rpc::Take(found->second, limit, now);
  }

  const Limit& LimitOf(const Name& caller) const {
    if (quotas.empty()) return caller_limit;
    auto found = quotas.find(caller);
    if (found == quotas.end()) found = quotas.find(Name("", caller.second));
    return found == quotas.end() ? caller_limit : found->second;
  }

  Limit caller_limit;
  Limit federation_limit;
  ByName<Limit> quotas;
  std::array<Shard, kShards> shards;
};

RateLimits::RateLimits(Options options) : state_(std::make_unique<State>()) {
  state_->caller_limit.per_second = options.caller_per_second;
  state_->federation_limit.per_second = options.federation_per_second;
  for (const common::v1::CallQuota& quota : options.quotas.quotas()) {
    const double rate = quota.calls_per_second();
    state_->quotas[{quota.federation(), quota.subject()}] = {
        .per_second = rate > 0 ? rate : options.caller_per_second,
        .per_day = quota.calls_per_day()};
  }
}

RateLimits::~RateLimits() = default;

absl::Status RateLimits::AdmitCaller(std::string_view federation, std::string_view subject,
                                     absl::Time now) {
  const Name caller(federation, subject);
  const Limit& limit = state_->LimitOf(caller);
  if (limit.per_second <= 0 && limit.per_day <= 0) return absl::OkStatus();
  const absl::Duration wait = state_->Take(caller, limit, now);
  if (wait == absl::ZeroDuration()) return absl::OkStatus();
  return TooMany(wait, "The caller", "该调用方");
}

absl::Status RateLimits::AdmitFederation(std::string_view federation, absl::Time now) {
  if (state_->federation_limit.per_second <= 0 || federation.empty()) return absl::OkStatus();
  // No caller's subject is empty.
  const absl::Duration wait = state_->Take(Name(federation, ""), state_->federation_limit, now);
  if (wait == absl::ZeroDuration()) return absl::OkStatus();
  return TooMany(wait, "The federation", "该联合会");
}

absl::StatusOr<common::v1::CallQuotas> ReadQuotas(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) {
    const std::string_view why = std::strerror(errno);
    return FailedPrecondition(common::v1::REASON_NOT_FOUND,
                              StrCat("Cannot read the quotas ", path, ": ", why),
                              StrCat("无法读取限额文件", path, "：", why));
  }
  common::v1::CallQuotas quotas;
  RETURN_IF_ERROR(catalog::ParseYaml(path, text.str(), quotas));
  for (const common::v1::CallQuota& quota : quotas.quotas()) {
    if (quota.subject().empty() || quota.calls_per_second() < 0 || quota.calls_per_day() < 0) {
      return InvalidArgument(
          common::v1::REASON_FIELD_INVALID,
          StrCat(path, ": each quota needs a subject and limits that are not negative"),
          StrCat(path, "：每条限额须有subject，且数值不得为负"));
    }
  }
  return quotas;
}

}  // namespace gonghui::rpc
