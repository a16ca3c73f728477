#include "common/rpc/request_batch.h"

#include <map>
#include <tuple>
#include <utility>

#include "common/base/status.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/request_digest.h"
#include "common/rpc/service.h"
#include "common/sql/insert.h"

namespace gonghui::rpc {
namespace {

constexpr sql::Query kFindRequest{
    "rpc.find_request_of_batch",
    "SELECT tenant, caller, request_id, request_hash, response FROM requests "
    "WHERE tenant = $1 AND caller = $2 AND method = $3 AND request_id = $4"};

const sql::Insert& InsertRequests() {
  static const auto& insert = *new sql::Insert(
      "rpc.insert_requests", "requests",
      {"tenant", "caller", "method", "request_id", "request_hash", "response", "create_time_us"});
  return insert;
}

struct Stored {
  std::string hash;
  std::string response;
};

}  // namespace

absl::StatusOr<std::vector<StoredResponse>> FindResponses(sql::Tx& tx,
                                                          absl::Span<const KeyedRequest> requests) {
  std::vector<sql::Args> keys;
  keys.reserve(requests.size());
  for (const KeyedRequest& r : requests) {
    keys.push_back({r.call->federation, r.call->actor.subject, r.call->method->full_name,
                    std::string(r.request_id)});
  }
  std::map<std::tuple<std::string, std::string, std::string>, Stored> found;
  RETURN_IF_ERROR(tx.ReadMany(kFindRequest, keys, [&](const sql::Rows::Row& row) {
    found[{row.Get<std::string>(0), row.Get<std::string>(1), row.Get<std::string>(2)}] = {
        row.Get<std::string>(3), row.Get<sql::Bytes>(4).data};
  }));
  std::vector<StoredResponse> responses(requests.size(), StoredResponse(std::nullopt));
  if (found.empty()) return responses;
  for (size_t i = 0; i < requests.size(); ++i) {
    const KeyedRequest& r = requests[i];
    const auto it =
        found.find({r.call->federation, r.call->actor.subject, std::string(r.request_id)});
    if (it == found.end()) continue;
    if (it->second.hash == DigestOf(*r.request)) {
      responses[i] = std::optional<std::string>(it->second.response);
    } else {
      responses[i] = RequestIdReused(r.request_id);
    }
  }
  return responses;
}

absl::Status StoreResponses(sql::Tx& tx, absl::Span<const KeyedRequest> requests,
                            absl::Span<const google::protobuf::Message* const> responses) {
  std::vector<sql::Args> rows;
  rows.reserve(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    const KeyedRequest& r = requests[i];
    rows.push_back({r.call->federation, r.call->actor.subject, r.call->method->full_name,
                    std::string(r.request_id), DigestOf(*r.request),
                    sql::Bytes{responses[i]->SerializeAsString()}, r.call->clock->NowMicros()});
  }
  return InsertRequests().Run(tx, std::move(rows));
}

}  // namespace gonghui::rpc
