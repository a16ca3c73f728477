// request_id: a repeated request has one effect and one answer. The key, the request's hash and the
// response are stored in the writing transaction, in the table `requests` (common/rpc/schema) of
// the service's own database.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "google/protobuf/message.h"

namespace gonghui::rpc {

// The stored response bytes for this caller, method and request_id; nullopt when new.
// REASON_REQUEST_ID_REUSED when the id came with another request.
absl::StatusOr<std::optional<std::string>> FindResponse(sql::Tx& tx, const Call& call,
                                                        std::string_view request_id,
                                                        const google::protobuf::Message& request);
absl::Status StoreResponse(sql::Tx& tx, const Call& call, std::string_view request_id,
                           const google::protobuf::Message& request,
                           const google::protobuf::Message& response);

// The standard way of a writing operation: one transaction that looks the request_id up, runs the
// body if it is new, and stores the response. An empty request_id runs the body without replay
// protection.
template <typename Response, typename Request, typename Body>
absl::StatusOr<Response> WriteOnce(sql::Database& db, const Call& call, const Request& request,
                                   Body body) {
  Response response;
  absl::Status status = db.ReadWrite(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    if (!request.request_id().empty()) {
      auto stored = FindResponse(tx, call, request.request_id(), request);
      if (!stored.ok()) return stored.status();
      if (stored->has_value()) {
        return response.ParseFromString(**stored)
                   ? absl::OkStatus()
                   : absl::InternalError("stored response unreadable");
      }
    }
    auto result = body(tx);
    if (!result.ok()) return result.status();
    response = *std::move(result);
    return request.request_id().empty()
               ? absl::OkStatus()
               : StoreResponse(tx, call, request.request_id(), request, response);
  });
  if (!status.ok()) return status;
  return response;
}

}  // namespace gonghui::rpc
