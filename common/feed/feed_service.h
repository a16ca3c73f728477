// FeedService over the outboxes of the services that a process hosts.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "gonghui/feed/v1/feed.pb.h"

namespace gonghui::feed {

class FeedService {
 public:
  // Service area -> its database. The databases outlive this object.
  explicit FeedService(std::map<std::string, sql::Database*> sources);

  absl::StatusOr<v1::ListEventsResponse> ListEvents(rpc::Call& call,
                                                    const v1::ListEventsRequest& request);
  absl::StatusOr<v1::ListHeadsResponse> ListHeads(rpc::Call& call,
                                                  const v1::ListHeadsRequest& request);

 private:
  absl::StatusOr<sql::Database*> Source(const std::string& name) const;
  std::map<std::string, sql::Database*> sources_;
};

}  // namespace gonghui::feed
