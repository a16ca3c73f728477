#include "common/feed/follower.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/base/trace.h"

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
    : options_(std::move(options)),
      apply_(std::move(apply)),
      lag_events_("gonghui_feed_lag_events", "Events that are not applied yet.",
                  {{"source", options_.source}}),
      lag_seconds_("gonghui_feed_lag_seconds",
                   "For how long the follower has not been level with its source, or not heard it.",
                   {{"source", options_.source}}),
      stopped_("gonghui_feed_stopped", "Federations whose next event cannot be applied.",
               {{"source", options_.source}}),
      section_("feed", [this] { return Tell(); }) {}

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

std::string Follower::Tell() {
  const absl::Time now = absl::Now();
  absl::MutexLock lock(&mutex_);
  absl::Time since = std::min(away_since_, now);
  int64_t events = 0;
  int stopped = 0;
  std::string text;
  for (const auto& [federation, position] : positions_) {
    since = std::min(since, position.behind_since);
    events += std::max<int64_t>(position.head - position.applied, 0);
    if (position.error.empty()) continue;
    ++stopped;
    StrAppend(&text, "\n  ", federation, " stopped after ", position.applied, ": ", position.error);
  }
  lag_events_.Set(static_cast<double>(events));
  lag_seconds_.Set(absl::ToDoubleSeconds(now - since));
  stopped_.Set(stopped);
  return StrCat(options_.source, ": ", events, " events and ",
                absl::ToInt64Milliseconds(now - since), " ms behind, ", stopped,
                " federations stopped", away_since_ < now ? ", the source does not answer" : "",
                text);
}

absl::StatusOr<bool> Follower::PollOnce() {
  v1::ListHeadsRequest request;
  request.set_source(options_.source);
  auto heads = options_.client->Invoke<v1::ListHeadsResponse>(
      "/gonghui.feed.v1.FeedService/ListHeads", request);
  {
    absl::MutexLock lock(&mutex_);
    away_since_ = heads.ok() ? absl::InfiniteFuture() : std::min(away_since_, absl::Now());
  }
  RETURN_IF_ERROR(heads.status());
  bool moved = false;
  absl::Status failed;
  for (const v1::Head& head : heads->heads()) {
    absl::StatusOr<bool> advanced = Advance(head.federation(), head.sequence());
    if (advanced.ok()) {
      moved = moved || *advanced;
      continue;
    }
    failed = advanced.status();
    absl::MutexLock lock(&mutex_);
    positions_[head.federation()].error = std::string(failed.message());
  }
  if (!failed.ok() && !moved) return failed;
  return moved;
}

absl::StatusOr<int64_t> Follower::ApplyPage(const std::string& federation, int64_t applied,
                                            const std::vector<v1::Event>& events) {
  const std::string_view trace = TraceOf(events.front().traceparent());
  const TraceScope scope(trace);
  const absl::Time start = absl::Now();
  int64_t reached = 0;
  const absl::Status status =
      options_.db->ReadWrite(start + kTimeout, [&](sql::Tx& tx) -> absl::Status {
        ASSIGN_OR_RETURN(reached, Cursor(tx, federation, options_.source));
        if (reached != applied) return absl::OkStatus();  // Another replica was faster.
        RETURN_IF_ERROR(apply_(tx, events));
        reached = events.back().sequence();
        return tx.Run(kSetCursor, {federation, options_.source, reached}).status();
      });
  const auto tell = [&](log::Level level, std::string_view event, std::string_view reason) {
    log::Write(level, event,
               {{"source", std::string_view(options_.source)},
                {"federation", std::string_view(federation)},
                {"first", events.front().sequence()},
                {"last", events.back().sequence()},
                {"ms", absl::ToDoubleMilliseconds(absl::Now() - start)},
                {"trace", trace},
                {"reason", reason}});
  };
  if (status.ok()) {
    if (absl::Now() - start > options_.slow) tell(log::Level::kWarning, "follower_slow", "");
    return reached;
  }
  if (events.size() == 1 && PositionOf(federation).error != FromAbsl(status.message())) {
    tell(log::Level::kError, "follower_stopped", FromAbsl(status.message()));
  }
  return status;
}

void Follower::Reach(const std::string& federation, int64_t applied, int64_t head) {
  absl::MutexLock lock(&mutex_);
  Position& position = positions_[federation];
  position.head = std::max(position.head, head);
  if (applied > position.applied) position.error.clear();
  position.applied = applied;
  if (applied >= position.head) {
    position.behind_since = absl::InfiniteFuture();
  } else {
    position.behind_since = std::min(position.behind_since, absl::Now());
  }
}

absl::StatusOr<bool> Follower::Advance(const std::string& federation, int64_t head) {
  int64_t applied = PositionOf(federation).applied;
  if (applied == 0) {
    RETURN_IF_ERROR(options_.db->ReadOnly(absl::Now() + kTimeout, [&](sql::Tx& tx) -> absl::Status {
      ASSIGN_OR_RETURN(applied, Cursor(tx, federation, options_.source));
      return absl::OkStatus();
    }));
  }
  Reach(federation, applied, head);
  bool moved = false;
  int64_t one_by_one_until = 0;  // After a page failed: what can be applied of it is.
  while (applied < head) {
    v1::ListEventsRequest request;
    request.set_source(options_.source);
    request.set_federation(federation);
    request.set_after_sequence(applied);
    request.set_page_size(applied < one_by_one_until ? 1 : options_.page_size);
    ASSIGN_OR_RETURN(auto page, options_.client->Invoke<v1::ListEventsResponse>(
                                    "/gonghui.feed.v1.FeedService/ListEvents", request));
    const std::vector<v1::Event> events(page.events().begin(), page.events().end());
    if (events.empty()) break;
    if (events.front().sequence() != applied + 1) {
      return Internal("feed of " + options_.source + " has a gap before " +
                      std::to_string(events.front().sequence()));
    }
    const absl::StatusOr<int64_t> reached = ApplyPage(federation, applied, events);
    if (!reached.ok() && events.size() > 1) {
      one_by_one_until = events.back().sequence();
      continue;
    }
    RETURN_IF_ERROR(reached.status());
    applied = *reached;
    moved = true;
    Reach(federation, applied, page.head());
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) break;
    }
    if (options_.applied) options_.applied(federation);
  }
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
