#include "common/cache/lease.h"

#include <time.h>

#include <utility>

#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/base/status.h"

namespace gonghui::cache {
namespace {

constexpr sql::Query kGetTrips{"cache.get_trips",
                               "SELECT trips, redis_run FROM cache_trips WHERE tenant = $1"};
constexpr sql::Query kAddTrip{
    "cache.add_trip",
    "INSERT INTO cache_trips (tenant, trips, redis_run) VALUES ($1, 1, '') "
    "ON CONFLICT (tenant) DO UPDATE SET trips = cache_trips.trips + 1"};
constexpr sql::Query kChangeRun{
    "cache.change_run",
    "INSERT INTO cache_trips (tenant, trips, redis_run) VALUES ($1, 1, $2) "
    "ON CONFLICT (tenant) DO UPDATE SET trips = cache_trips.trips + 1, redis_run = $2 "
    "WHERE cache_trips.redis_run <> $2"};
constexpr char kAllTenants[] = "";

// In terms of a lease; cache.h reasons with them.
constexpr double kSettled = 1.125;
constexpr int kCovered = 2;
constexpr int kRenewable = 3;
constexpr int kQuiet = 5;

absl::StatusOr<Lease::Space> GetTrips(sql::Tx& tx) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kGetTrips, {kAllTenants}));
  if (rows.empty()) return Lease::Space();
  return Lease::Space{.trips = rows[0].Get<int64_t>(0), .run = rows[0].Get<std::string>(1)};
}

}  // namespace

absl::Duration SinceBoot() {
  timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return absl::DurationFromTimespec(now);
}

Lease::Lease(sql::Database& db, absl::Duration term)
    : db_(db), term_(term), watcher_([this] { Watch(); }) {}

Lease::~Lease() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  watcher_.join();
}

void Lease::Watch() {
  while (true) {
    {
      absl::MutexLock one(&asking_);
      Read(absl::Now() + term_).IgnoreError();  // The lease runs out.
    }
    absl::MutexLock lock(&mutex_);
    if (mutex_.AwaitWithTimeout(absl::Condition(&stopping_), term_ / 2)) return;
  }
}

absl::Status Lease::Read(absl::Time deadline) {
  const absl::Duration asked = SinceBoot();
  std::string found;
  absl::Duration unchanged;
  {
    absl::MutexLock lock(&mutex_);
    found.swap(found_run_);
    unchanged = asked_;
  }
  Space space;
  RETURN_IF_ERROR(db_.ReadOnly(deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(space, GetTrips(tx));
    return absl::OkStatus();
  }));
  // Once for each connection that was made: two servers at one address must not alternate faster.
  if (!found.empty() && found != space.run) {
    RETURN_IF_ERROR(db_.ReadWrite(deadline, [&](sql::Tx& tx) -> absl::Status {
      RETURN_IF_ERROR(tx.Run(kChangeRun, {kAllTenants, found}).status());
      ASSIGN_OR_RETURN(space, GetTrips(tx));
      return absl::OkStatus();
    }));
  }
  Observe(space, asked, unchanged);
  return absl::OkStatus();
}

absl::Status Lease::AddTrip(absl::Time deadline) {
  const absl::Duration asked = SinceBoot();
  Space space;
  RETURN_IF_ERROR(db_.ReadWrite(deadline, [&](sql::Tx& tx) -> absl::Status {
    RETURN_IF_ERROR(tx.Run(kAddTrip, {kAllTenants}).status());
    ASSIGN_OR_RETURN(space, GetTrips(tx));
    return absl::OkStatus();
  }));
  Observe(space, asked, asked);
  return absl::OkStatus();
}

void Lease::Observe(const Space& space, absl::Duration asked, absl::Duration began) {
  absl::MutexLock lock(&mutex_);
  if (space.trips != space_.trips || space.run != space_.run) {
    const absl::Duration now = SinceBoot();
    const bool quiet_already = now >= settled_ && now <= began_ + kRenewable * term_;
    settled_ = quiet_already ? now : now + kSettled * term_;
    quiet_until_ = now + kQuiet * term_;
    began_ = began;
    space_ = space;
    log::Info("cache_trip", {{"trips", space.trips}});
  }
  asked_ = asked;
}

bool Lease::Held(absl::Duration now) const { return now < asked_ + term_; }

bool Lease::Covers(absl::Duration since) const { return since <= began_ + kCovered * term_; }

std::optional<Lease::Space> Lease::ForReading() const {
  absl::MutexLock lock(&mutex_);
  const absl::Duration now = SinceBoot();
  if (!Held(now) || now < quiet_until_) return std::nullopt;
  return space_;
}

absl::StatusOr<std::optional<Lease::Space>> Lease::ForWriting(absl::Duration since,
                                                              absl::Time deadline) {
  while (true) {
    absl::Duration wait;
    {
      absl::MutexLock lock(&mutex_);
      const absl::Duration now = SinceBoot();
      wait = settled_ - now;
      if (wait <= absl::ZeroDuration()) {
        if (Covers(since)) return std::nullopt;
        if (Held(now)) return space_;
      }
    }
    if (wait > absl::ZeroDuration()) {
      absl::SleepFor(wait);
    } else {
      absl::MutexLock one(&asking_);
      RETURN_IF_ERROR(Read(deadline));
    }
  }
}

absl::Status Lease::Trip(absl::Duration since, absl::Time deadline) {
  {
    absl::MutexLock one(&asking_);
    bool covered = false;  // By another writer's trip.
    {
      absl::MutexLock lock(&mutex_);
      covered = Covers(since);
    }
    if (!covered) RETURN_IF_ERROR(AddTrip(deadline));
  }
  return ForWriting(since, deadline).status();
}

void Lease::FoundRun(std::string run) {
  absl::MutexLock lock(&mutex_);
  found_run_ = std::move(run);
}

}  // namespace gonghui::cache
