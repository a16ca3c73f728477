// request_id for batched methods: the keys of many calls in few statements (idempotency.h has the
// rules).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "google/protobuf/message.h"

namespace gonghui::rpc {

// One call of a batched method. Points to what lives as long as the call.
struct KeyedRequest {
  const Call* call;
  std::string_view request_id;
  const google::protobuf::Message* request;
};

// Per call, in order: the stored response bytes, nullopt when new, or REQUEST_ID_REUSED.
using StoredResponse = absl::StatusOr<std::optional<std::string>>;
absl::StatusOr<std::vector<StoredResponse>> FindResponses(sql::Tx& tx,
                                                          absl::Span<const KeyedRequest> requests);

// Stores responses[i] for requests[i]. Where one of the requests has a response by now, the
// transaction fails with ALREADY_EXISTS.
absl::Status StoreResponses(sql::Tx& tx, absl::Span<const KeyedRequest> requests,
                            absl::Span<const google::protobuf::Message* const> responses);

}  // namespace gonghui::rpc
