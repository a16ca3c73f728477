// TLS of the gRPC server and of clients, from files that may change while the process runs.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace grpc {
class ChannelCredentials;
class ServerCredentials;
}  // namespace grpc

namespace gonghui::rpc {

// PEM files. They are looked at every `reload_every`; new connections use what stands there then.
// Change key and certificate together: replace the folder, or a link to it.
struct TlsFiles {
  std::string cert_file;        // Chain, own certificate first; empty: plaintext.
  std::string key_file;         // Private key.
  std::string client_ca_file;   // What certificates of clients are verified against.
  bool require_client = false;  // Clients without a certificate are refused.
  std::string ca_file;  // What certificates of servers are verified against; empty: the system's.
  absl::Duration reload_every = absl::Seconds(10);  // At least a second.
};

// An error that says what is wrong with the files: missing, no PEM, expired, key and certificate of
// different pairs, one without the other.
absl::Status CheckTlsFiles(const TlsFiles& files);

// nullptr without cert_file. TLS 1.2 at least.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const TlsFiles& files);

// Verifies the server's chain and name; shows cert_file where there is one.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeChannelCredentials(
    const TlsFiles& files);

}  // namespace gonghui::rpc
