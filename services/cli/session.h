// What a command works with: where the server is, who asks, for which federation, in which
// language.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/version.h"
#include "common/rpc/client.h"
#include "google/protobuf/message.h"

namespace gonghui::cli {

// Exit codes of the program.
enum ExitCode {
  kSuccess = 0,
  kRejected = 1,     // Some rows rejected; roll-ups divergent.
  kUsage = 2,        // The command, a file or a request is wrong.
  kUnreachable = 3,  // The server does not answer, or does not let the caller in.
  kServerError = 4,  // Everything else that the server answers.
};

// Options that every command takes; empty where not given.
struct Globals {
  std::string server;
  std::string token_file;
  std::string federation;
  std::string ca_file;
  bool tls = false;
  std::string config;
  std::string language;
  bool json = false;
};

class Session {
 public:
  explicit Session(const Globals* globals) : globals_(globals) {}

  // Merges defaults, profile, environment and flags. The profile is --config, $GONGHUI_PROFILE,
  // ./.gonghui.yaml or
  // ~/.config/gonghui.yaml, the first that is there.
  absl::Status Resolve();
  // A client with the caller's token. TOKEN_MISSING without a token.
  absl::StatusOr<const rpc::Client*> Connect();
  // A client of its own, with this token (empty: none).
  absl::StatusOr<std::unique_ptr<rpc::Client>> Open(const std::string& token,
                                                    absl::Duration timeout) const;

  template <typename Response, typename Request>
  absl::StatusOr<Response> Invoke(std::string_view method, const Request& request) {
    auto client = Connect();
    if (!client.ok()) return client.status();
    return (*client)->Invoke<Response>(method, request);
  }

  // "federations/demo". FIELD_REQUIRED when no federation is named.
  absl::StatusOr<std::string> Parent() const;
  // "federations/demo/COLLECTION/ID"; `id` may be a whole name.
  absl::StatusOr<std::string> NameOf(std::string_view collection, std::string_view id) const;
  const std::string& federation() const { return federation_; }
  const std::string& server() const { return server_; }
  const std::string& token_file() const { return token_file_; }
  bool uses_tls() const { return uses_tls_; }
  bool json() const { return globals_->json; }
  bool chinese() const { return chinese_; }
  const std::string& Say(const std::string& en, const std::string& zh) const {
    return chinese_ ? zh : en;
  }

 private:
  const Globals* globals_;
  std::string server_;
  std::string token_file_;
  std::string federation_;
  std::string ca_file_;
  bool uses_tls_ = false;
  bool chinese_ = false;
  std::unique_ptr<rpc::Client> client_;
};

void Print(std::string_view text);      // On stdout.
void PrintNote(std::string_view text);  // On stderr, with a line end.
void PrintJson(const google::protobuf::Message& message);

// One paragraph for the user, in the session's language: what, why, what next, and the reason's
// name.
std::string Explanation(const Session& session, const absl::Status& status);
ExitCode ExitCodeOf(const absl::Status& status);

}  // namespace gonghui::cli
