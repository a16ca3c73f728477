// The writing side of the feed: one event per transaction, numbered densely per federation.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "gonghui/feed/v1/feed.pb.h"

namespace gonghui::feed {

// Appends `event` (type, resources and facts set by the caller) as the next of the call's
// federation. Call it last in the transaction: it takes the federation's head row, which orders
// sequence numbers as commits.
absl::Status Append(sql::Tx& tx, const rpc::Call& call, const feed::v1::Event& event);
// The same for an event in wire format, which may be that of several one behind the other: they are
// read as one.
absl::Status AppendPacked(sql::Tx& tx, const rpc::Call& call, std::string event);

}  // namespace gonghui::feed
