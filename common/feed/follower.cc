#include "common/feed/follower.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/base/status.h"

namespace gonghui::feed {
namespace {

constexpr sql::Query kGetCursor{
    "feed.get_cursor", "SELECT sequence FROM feed_cursor WHERE tenant = $1 AND source = $2"};
constexpr sql::Query kSetCursor{
    "feed.set_cursor",
    "INSERT INTO feed_cursor (tenant, source, sequence) VALUES ($1, $2, $3) "
    "ON CONFLICT (tenant, source) DO UPDATE SET sequence = $3"};
constexpr absl::Duration kTimeout = absl::Seconds(60);
constexpr absl::Duration kLongestPause = absl::Seconds(5);

absl::StatusOr<int64_t> Cursor(sql::Tx& tx, const std::string& federation,
                               const std::string& source) {
  ASSIGN_OR_RETURN(sql::Rows rows, tx.Run(kGetCursor, {federation, source}));
  return rows.empty() ? 0 : rows[0].Get<int64_t>(0);
}

}  // namespace

Follower::Follower(Options options, Apply apply)
    : options_(std::move(options)), apply_(std::move(apply)) {}

Follower::~Follower() { Stop(); }

void Follower::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Follower::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

Follower::Position Follower::PositionOf(const std::string& federation) const {
  absl::MutexLock lock(&mutex_);
  auto it = positions_.find(federation);
  return it == positions_.end() ? Position{} : it->second;
}

absl::StatusOr<bool> Follower::PollOnce() {
  v1::ListHeadsRequest request;
  request.set_source(options_.source);
  ASSIGN_OR_RETURN(auto heads, options_.client->Invoke<v1::ListHeadsResponse>(
                                   "/gonghui.feed.v1.FeedService/ListHeads", request));
  bool moved = false;
  absl::Status failed;
  for (const v1::Head& head : heads.heads()) {
    absl::StatusOr<bool> advanced = Advance(head.federation(), head.sequence());
    if (advanced.ok()) {
      moved = moved || *advanced;
      continue;
    }
    failed = advanced.status();
    absl::MutexLock lock(&mutex_);
    Position& position = positions_[head.federation()];
    const std::string reason(failed.message());
    if (position.error != reason) {
      log::Error("follower_stopped", {{"source", std::string_view(options_.source)},
                                      {"federation", std::string_view(head.federation())},
                                      {"reason", std::string_view(reason)}});
    }
    position.error = reason;
  }
  if (!failed.ok() && !moved) return failed;
  return moved;
}

absl::StatusOr<bool> Follower::Advance(const std::string& federation, int64_t head) {
  int64_t applied = 0;
  bool known = false;
  {
    absl::MutexLock lock(&mutex_);
    Position& position = positions_[federation];
    applied = position.applied;
    position.head = std::max(position.head, head);
    known = applied > 0;
  }
  if (!known) {
    RETURN_IF_ERROR(options_.db->ReadOnly(absl::Now() + kTimeout, [&](sql::Tx& tx) -> absl::Status {
      ASSIGN_OR_RETURN(applied, Cursor(tx, federation, options_.source));
      return absl::OkStatus();
    }));
  }
  bool moved = false;
  while (applied < head) {
    v1::ListEventsRequest request;
    request.set_source(options_.source);
    request.set_federation(federation);
    request.set_after_sequence(applied);
    request.set_page_size(options_.page_size);
    ASSIGN_OR_RETURN(auto page, options_.client->Invoke<v1::ListEventsResponse>(
                                    "/gonghui.feed.v1.FeedService/ListEvents", request));
    const std::vector<v1::Event> events(page.events().begin(), page.events().end());
    if (events.empty()) break;
    if (events.front().sequence() != applied + 1) {
      return Internal("feed of " + options_.source + " has a gap before " +
                      std::to_string(events.front().sequence()));
    }
    int64_t reached = 0;
    RETURN_IF_ERROR(
        options_.db->ReadWrite(absl::Now() + kTimeout, [&](sql::Tx& tx) -> absl::Status {
          ASSIGN_OR_RETURN(reached, Cursor(tx, federation, options_.source));
          if (reached != applied)
            return absl::OkStatus();  // Another replica was faster: go on from there.
          RETURN_IF_ERROR(apply_(tx, events));
          reached = events.back().sequence();
          return tx.Run(kSetCursor, {federation, options_.source, reached}).status();
        }));
    applied = reached;
    moved = true;
    {
      absl::MutexLock lock(&mutex_);
      Position& position = positions_[federation];
      position.applied = applied;
      position.head = std::max(position.head, page.head());
      position.error.clear();
      if (stopping_) break;
    }
    if (options_.applied) options_.applied(federation);
  }
  absl::MutexLock lock(&mutex_);
  positions_[federation].applied = applied;
  return moved;
}

void Follower::Run() {
  absl::Duration pause = options_.poll;
  while (true) {
    absl::StatusOr<bool> moved = PollOnce();
    pause = moved.ok() ? options_.poll : std::min(pause * 2, kLongestPause);
    absl::MutexLock lock(&mutex_);
    if (stopping_) return;
    if (moved.ok() && *moved) continue;
    mutex_.AwaitWithTimeout(absl::Condition(&stopping_), pause);
    if (stopping_) return;
  }
}

}  // namespace gonghui::feed
