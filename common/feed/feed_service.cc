#include "common/feed/feed_service.h"

#include <utility>

#include "common/base/status.h"
#include "common/rpc/page.h"

namespace gonghui::feed {
namespace {

constexpr sql::Query kListEvents{"feed.list_events",
                                 "SELECT sequence, event FROM feed WHERE tenant = $1 AND sequence "
                                 "> $2 ORDER BY sequence LIMIT $3"};
constexpr sql::Query kGetHead{"feed.get_head", "SELECT sequence FROM feed_head WHERE tenant = $1"};
constexpr sql::Query kListHeads{"feed.list_heads",
                                "SELECT tenant, sequence FROM feed_head ORDER BY tenant"};
constexpr size_t kPageBytes = 1 << 20;

}  // namespace

FeedService::FeedService(std::map<std::string, sql::Database*> sources)
    : sources_(std::move(sources)) {}

absl::StatusOr<sql::Database*> FeedService::Source(const std::string& name) const {
  auto it = sources_.find(name);
  if (it != sources_.end()) return it->second;
  return NotFound(common::v1::REASON_NOT_FOUND,
                  "this server keeps no feed of '" + name + "'; ask the server that hosts it",
                  "本服务没有“" + name + "”的变更流，请向承载它的服务查询")
      .With("source", name)
      .At("source");
}

absl::StatusOr<v1::ListEventsResponse> FeedService::ListEvents(
    rpc::Call& call, const v1::ListEventsRequest& request) {
  ASSIGN_OR_RETURN(sql::Database * db, Source(request.source()));
  ASSIGN_OR_RETURN(int64_t limit, rpc::PageSize(request.page_size()));
  RETURN_IF_ERROR(call.CheckScope(""));
  v1::ListEventsResponse response;
  RETURN_IF_ERROR(db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    ASSIGN_OR_RETURN(sql::Rows head, tx.Run(kGetHead, {request.federation()}));
    response.set_head(head.empty() ? 0 : head[0].Get<int64_t>(0));
    if (response.head() <= request.after_sequence()) return absl::OkStatus();
    size_t bytes = 0;
    return tx.Stream(kListEvents, {request.federation(), request.after_sequence(), limit},
                     [&](const sql::Rows::Row& row) -> absl::Status {
                       if (bytes > kPageBytes) return absl::OkStatus();
                       v1::Event& event = *response.add_events();
                       std::string stored = row.Get<sql::Bytes>(1).data;
                       bytes += stored.size();
                       if (!event.ParseFromString(stored)) return Internal("feed event unreadable");
                       event.set_federation(request.federation());
                       event.set_sequence(row.Get<int64_t>(0));
                       return absl::OkStatus();
                     });
  }));
  return response;
}

absl::StatusOr<v1::ListHeadsResponse> FeedService::ListHeads(rpc::Call& call,
                                                             const v1::ListHeadsRequest& request) {
  ASSIGN_OR_RETURN(sql::Database * db, Source(request.source()));
  v1::ListHeadsResponse response;
  RETURN_IF_ERROR(db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    ASSIGN_OR_RETURN(sql::Rows rows, tx.Run(kListHeads));
    for (size_t i = 0; i < rows.size(); ++i) {
      std::string federation = rows[i].Get<std::string>(0);
      if (call.actor.federation != "*" && call.actor.federation != federation) continue;
      v1::Head& head = *response.add_heads();
      head.set_federation(std::move(federation));
      head.set_sequence(rows[i].Get<int64_t>(1));
    }
    return absl::OkStatus();
  }));
  return response;
}

}  // namespace gonghui::feed
