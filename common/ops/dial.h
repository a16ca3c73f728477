// Whether a server of ours lives, seen from outside over a new connection.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace gonghui::ops {

// Connects to HOST:PORT, opens HTTP/2 and waits for any answer: a gRPC server that accepts
// connections sends its settings at once, one that speaks TLS hangs up.
absl::Status DialServer(const std::string& address, absl::Duration limit);

// For supervisors: `target` is HOST:PORT of a gRPC server, or http://HOST:PORT/PATH, which must
// answer 200.
absl::Status Probe(const std::string& target);

// Where a server that listens on `listen` ("0.0.0.0:8081", with `port` in place of its port) is
// reached from this machine; empty for a socket of the file system.
std::string LocalAddress(const std::string& listen, int port);

}  // namespace gonghui::ops
