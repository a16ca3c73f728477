// The cache that replicas share: values lie in Redis, the lease says whether they may be used.
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <atomic>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/cache/counts.h"
#include "common/cache/lease.h"
#include "common/cache/redis.h"

namespace gonghui::cache {
namespace {

constexpr size_t kMacBytes = 16;
// Longer than a read of the database takes; meanwhile nobody else fills the key.
constexpr absl::Duration kTicketLife = absl::Seconds(5);
// KEYS: place. ARGV: token, sealed value, ttl in ms.
constexpr char kPutScript[] =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then "
    "redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end return 1";

std::string Milliseconds(absl::Duration duration) {
  return absl::StrCat(absl::ToInt64Milliseconds(duration));
}

std::string RandomBytes() {
  std::string bytes(16, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  return bytes;
}

class SharedCache : public Cache {
 public:
  SharedCache(const SharedOptions& options, sql::Database& db)
      : options_(options),
        installation_(absl::BytesToHexString(Mac("installation"))),
        token_prefix_(RandomBytes()),
        lease_(db, options.lease),
        redis_({.address = options.redis,
                .password = options.password,
                .budget = options.budget,
                .on_connect = [this](const std::string& run) { lease_.FoundRun(run); }}) {}

  // Only Redis knows whether a value is still the newest.
  std::optional<std::string> Peek(std::string_view) override { return std::nullopt; }

  Lookup Get(std::string_view key) override {
    const std::optional<Lease::Space> space = lease_.ForReading();
    if (!space.has_value()) return {};
    Ticket ticket{.place = Place(*space, key),
                  .run = space->run,
                  .token = absl::StrCat(token_prefix_, tokens_++)};
    const auto reply = redis_.Ask(space->run, {"SET", ticket.place, ticket.token, "NX", "GET", "PX",
                                               Milliseconds(kTicketLife)});
    Lookup lookup;
    if (reply.has_value() && !reply->nil) lookup.value = Opened(ticket.place, reply->text);
    (lookup.value.has_value() ? counts_.hit : counts_.miss).Add();
    if (reply.has_value() && reply->nil) lookup.ticket = std::move(ticket);
    return lookup;
  }

  void Put(std::string_view, int64_t, std::string_view value, const Ticket& ticket) override {
    if (ticket.token.empty()) return;
    redis_.Ask(ticket.run, {"EVAL", kPutScript, "1", ticket.place, ticket.token,
                            Sealed(ticket.place, value), Milliseconds(options_.ttl)});
  }

  absl::Status Raise(std::string_view key, int64_t, absl::Time deadline) override {
    const absl::Duration since = SinceBoot();
    auto space = lease_.ForWriting(since, deadline);
    absl::Status raised = space.status();
    if (space.ok() && space->has_value() &&
        !redis_.Ask((*space)->run, {"DEL", Place(**space, key)}).has_value()) {
      raised = lease_.Trip(since, deadline);
    }
    if (raised.ok()) return raised;
    return Unavailable(common::v1::REASON_OUTCOME_UNKNOWN,
                       "the change is stored, but other replicas may still answer what was before "
                       "it; repeat the request with the same request_id",
                       "修改已保存，但其他副本可能仍返回修改前的内容，请用相同的 request_id 重试");
  }

 private:
  // What `mac_key` tells apart shares a Redis without meeting.
  std::string Place(const Lease::Space& space, std::string_view key) const {
    return StrCat("gonghui:", installation_, ":", space.trips, ":", key);
  }

  std::string Mac(std::string_view text) const {
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    HMAC(EVP_sha256(), options_.mac_key.data(), static_cast<int>(options_.mac_key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
    return std::string(reinterpret_cast<char*>(mac), kMacBytes);
  }

  std::string Sealed(const std::string& place, std::string_view value) const {
    return StrCat(Mac(StrCat(place, "\n", value)), value);
  }

  // nullopt for a token, too.
  std::optional<std::string> Opened(const std::string& place, const std::string& sealed) const {
    if (sealed.size() < kMacBytes) return std::nullopt;
    std::string value = sealed.substr(kMacBytes);
    const std::string expected = Mac(StrCat(place, "\n", value));
    if (CRYPTO_memcmp(expected.data(), sealed.data(), kMacBytes) != 0) return std::nullopt;
    return value;
  }

  const SharedOptions options_;
  const std::string installation_;
  const std::string token_prefix_;
  std::atomic<int64_t> tokens_{0};
  const Counts counts_{"redis"};
  Lease lease_;
  Redis redis_;
};

}  // namespace

std::unique_ptr<Cache> Cache::OpenShared(const SharedOptions& options, sql::Database& db) {
  return std::make_unique<SharedCache>(options, db);
}

}  // namespace gonghui::cache
