#include "common/rpc/idempotency.h"

#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/base/status.h"
#include "common/rpc/request_digest.h"
#include "common/rpc/service.h"

namespace gonghui::rpc {
namespace {

constexpr sql::Query kFindRequest{
    "rpc.find_request",
    "SELECT request_hash, response FROM requests "
    "WHERE tenant = $1 AND caller = $2 AND method = $3 AND request_id = $4"};
constexpr sql::Query kStoreRequest{
    "rpc.store_request",
    "INSERT INTO requests (tenant, caller, method, request_id, request_hash, response, "
    "create_time_us) VALUES ($1, $2, $3, $4, $5, $6, $7)"};

constexpr sql::Query kListRequests{
    "rpc.list_requests",
    "SELECT tenant, caller, method, request_id, create_time_us FROM requests "
    "WHERE (tenant, caller, method, request_id) > ($1, $2, $3, $4) "
    "ORDER BY tenant, caller, method, request_id LIMIT $5"};
constexpr sql::Query kForgetRequest{
    "rpc.forget_request",
    "DELETE FROM requests WHERE tenant = $1 AND caller = $2 AND method = $3 AND request_id = $4"};

constexpr int64_t kListed = 5000;  // Requests looked at between two transactions.
constexpr absl::Duration kForgetTimeout = absl::Seconds(30);

// Whether the failed write may be one that was committed under the same request_id.
bool MayBeCommitted(const absl::Status& status) {
  return absl::IsAlreadyExists(status) || ReasonOf(status) == common::v1::REASON_OUTCOME_UNKNOWN;
}

absl::Status Parse(const std::string& stored, google::protobuf::Message& response) {
  return response.ParseFromString(stored)
             ? absl::OkStatus()
             : absl::Status(
                   Internal("requests.response holds no " + response.GetDescriptor()->full_name()));
}

}  // namespace

absl::Status RequestIdReused(std::string_view request_id) {
  return InvalidArgument(common::v1::REASON_REQUEST_ID_REUSED,
                         "This request_id was used before with a different request; make a new one",
                         "该request_id已用于内容不同的请求；请换用新的request_id")
      .With("request_id", std::string(request_id))
      .At("request_id");
}

absl::StatusOr<std::optional<std::string>> FindResponse(sql::Tx& tx, const Call& call,
                                                        std::string_view request_id,
                                                        const google::protobuf::Message& request) {
  ASSIGN_OR_RETURN(const sql::Rows rows,
                   tx.Run(kFindRequest, {call.federation, call.actor.subject,
                                         call.method->full_name, std::string(request_id)}));
  if (rows.empty()) return std::nullopt;
  if (rows[0].Get<std::string>(0) != DigestOf(request)) {
    return RequestIdReused(request_id);
  }
  return rows[0].Get<sql::Bytes>(1).data;
}

absl::Status StoreResponse(sql::Tx& tx, const Call& call, std::string_view request_id,
                           const google::protobuf::Message& request,
                           const google::protobuf::Message& response) {
  const sql::Args row = {call.federation,        call.actor.subject,
                         call.method->full_name, std::string(request_id),
                         DigestOf(request),      sql::Bytes{response.SerializeAsString()},
                         call.clock->NowMicros()};
  return tx.RunLater(kStoreRequest, {&row, 1});
}

absl::Status ForgetResponses(sql::Database& db, int64_t before_us) {
  sql::Args after = {"", "", "", ""};
  for (bool more = true; more;) {
    const sql::Args place = after;
    std::vector<sql::Args> old;
    RETURN_IF_ERROR(db.ReadOnly(absl::Now() + kForgetTimeout, [&](sql::Tx& tx) -> absl::Status {
      old.clear();
      sql::Args from = place;
      from.emplace_back(kListed);
      ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kListRequests, std::move(from)));
      more = static_cast<int64_t>(rows.size()) == kListed;
      for (size_t i = 0; i < rows.size(); ++i) {
        sql::Args key = {rows[i].Get<std::string>(0), rows[i].Get<std::string>(1),
                         rows[i].Get<std::string>(2), rows[i].Get<std::string>(3)};
        if (i + 1 == rows.size()) after = key;
        if (rows[i].Get<int64_t>(4) < before_us) old.push_back(std::move(key));
      }
      return absl::OkStatus();
    }));
    if (old.empty()) continue;
    RETURN_IF_ERROR(db.ReadWrite(absl::Now() + kForgetTimeout, [&](sql::Tx& tx) {
      return tx.RunMany(kForgetRequest, old).status();
    }));
  }
  return absl::OkStatus();
}

absl::Status WriteMessageOnce(sql::Database& db, const Call& call, std::string_view request_id,
                              const google::protobuf::Message& request,
                              google::protobuf::Message& response, const sql::Closure& body) {
  if (request_id.empty()) return db.ReadWrite(call.deadline, body);
  const absl::Status written = db.ReadWrite(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                     FindResponse(tx, call, request_id, request));
    if (stored.has_value()) return Parse(*stored, response);
    RETURN_IF_ERROR(body(tx));
    return StoreResponse(tx, call, request_id, request, response);
  });
  if (!MayBeCommitted(written)) return written;
  bool found = false;
  const absl::Status looked_up = db.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                     FindResponse(tx, call, request_id, request));
    found = stored.has_value();
    return found ? Parse(*stored, response) : absl::OkStatus();
  });
  return looked_up.ok() && found ? absl::OkStatus() : written;
}

}  // namespace gonghui::rpc
