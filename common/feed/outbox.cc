#include "common/feed/outbox.h"

#include <string>
#include <utility>

#include "common/base/status.h"

namespace gonghui::feed {
namespace {

constexpr sql::Query kNextSequence{
    "feed.next_sequence",
    "INSERT INTO feed_head (tenant, sequence) VALUES ($1, 1) "
    "ON CONFLICT (tenant) DO UPDATE SET sequence = feed_head.sequence + 1"};
constexpr sql::Query kInsertEvent{"feed.insert_event",
                                  "INSERT INTO feed (tenant, sequence, event) "
                                  "SELECT tenant, sequence, $2 FROM feed_head WHERE tenant = $1"};

}  // namespace

absl::Status Append(sql::Tx& tx, const rpc::Call& call, const v1::Event& event) {
  return AppendPacked(tx, call, event.SerializeAsString());
}

absl::Status AppendPacked(sql::Tx& tx, const rpc::Call& call, std::string event) {
  v1::Event when;
  when.set_create_time_us(call.clock->NowMicros());
  when.set_traceparent(call.traceparent);
  when.AppendToString(&event);
  const sql::Args head = {call.federation};
  const sql::Args row = {call.federation, sql::Bytes{std::move(event)}};
  RETURN_IF_ERROR(tx.RunLater(kNextSequence, {&head, 1}));
  return tx.RunLater(kInsertEvent, {&row, 1});
}

}  // namespace gonghui::feed
