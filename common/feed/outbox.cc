#include "common/feed/outbox.h"

#include <string>
#include <utility>

#include "common/base/status.h"

namespace gonghui::feed {
namespace {

constexpr sql::Query kNextSequence{
    "feed.next_sequence",
    "INSERT INTO feed_head (tenant, sequence) VALUES ($1, 1) "
    "ON CONFLICT (tenant) DO UPDATE SET sequence = feed_head.sequence + 1 RETURNING sequence"};
constexpr sql::Query kInsertEvent{"feed.insert_event",
                                  "INSERT INTO feed (tenant, sequence, event) VALUES ($1, $2, $3)"};

}  // namespace

absl::Status Append(sql::Tx& tx, const rpc::Call& call, v1::Event event) {
  event.set_create_time_us(call.clock->NowMicros());
  event.set_traceparent(call.traceparent);
  ASSIGN_OR_RETURN(sql::Rows head, tx.Run(kNextSequence, {call.federation}));
  return tx
      .Run(kInsertEvent,
           {call.federation, head[0].Get<int64_t>(0), sql::Bytes{event.SerializeAsString()}})
      .status();
}

}  // namespace gonghui::feed
