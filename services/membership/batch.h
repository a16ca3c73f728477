// Batches that answer every fault of their items and write all, the good ones, or nothing.
#pragma once

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "common/rpc/idempotency.h"

namespace gonghui::membership {

// Runs `body` (absl::StatusOr<Response>(sql::Tx&)), which writes the good items and lists the
// others in `failures`. Where nothing may stay written (validate_only, or a failure without
// `partial`) the transaction is rolled back and the answer given all the same.
template <typename Response, typename Request, typename Body>
absl::StatusOr<Response> WriteBatch(sql::Database& db, const rpc::Call& call,
                                    const Request& request, Body body) {
  std::optional<Response> unwritten;
  absl::StatusOr<Response> written =
      rpc::WriteOnce<Response>(db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Response> {
        unwritten.reset();
        absl::StatusOr<Response> response = body(tx);
        if (!response.ok()) return response;
        const bool refused = !response->failures().empty() && !request.partial();
        if (!refused && !request.validate_only()) return response;
        for (auto& item : *response->mutable_items()) item.clear_name();
        if (refused) response->set_created(0);
        unwritten = *std::move(response);
        return absl::CancelledError("rolled back on purpose");
      });
  if (unwritten.has_value()) return *std::move(unwritten);
  return written;
}

}  // namespace gonghui::membership
