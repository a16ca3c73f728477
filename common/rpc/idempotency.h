// request_id: a repeated request has one effect and one answer. The key, the request's hash and the
// response are stored in the writing transaction, in the table `requests` (common/rpc/schema) of
// the service's own database.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "google/protobuf/message.h"

namespace gonghui::rpc {

// The error REASON_REQUEST_ID_REUSED.
absl::Status RequestIdReused(std::string_view request_id);

// The stored response bytes for this caller, method and request_id; nullopt when new.
// REASON_REQUEST_ID_REUSED when the id came with another request.
absl::StatusOr<std::optional<std::string>> FindResponse(sql::Tx& tx, const Call& call,
                                                        std::string_view request_id,
                                                        const google::protobuf::Message& request);
absl::Status StoreResponse(sql::Tx& tx, const Call& call, std::string_view request_id,
                           const google::protobuf::Message& request,
                           const google::protobuf::Message& response);

// Deletes what was stored before an instant: a request that is repeated after that runs anew.
absl::Status ForgetResponses(sql::Database& db, int64_t before_us);

// WriteOnce below without its types: the body fills `response`.
absl::Status WriteMessageOnce(sql::Database& db, const Call& call, std::string_view request_id,
                              const google::protobuf::Message& request,
                              google::protobuf::Message& response, const sql::Closure& body);

// The standard way of a writing operation: one transaction that looks the request_id up, runs the
// body if it is new, and stores the response. An empty request_id runs the body without replay
// protection. Where the write fails because the same request was committed at the same moment, or
// the answer to COMMIT was lost, the stored response is given if there is one.
template <typename Response, typename Request, typename Body>
absl::StatusOr<Response> WriteOnce(sql::Database& db, const Call& call, const Request& request,
                                   Body body) {
  Response response;
  absl::Status status = WriteMessageOnce(db, call, request.request_id(), request, response,
                                         [&](sql::Tx& tx) -> absl::Status {
                                           absl::StatusOr<Response> result = body(tx);
                                           if (!result.ok()) return std::move(result).status();
                                           response = *std::move(result);
                                           return absl::OkStatus();
                                         });
  if (!status.ok()) return status;
  return response;
}

}  // namespace gonghui::rpc
