// Whose tokens a server accepts: keys of its own, of a file and of an issuer's address (JWKS),
// taken over while the server runs.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/auth/token.h"

namespace gonghui::auth {

// Who a token says its holder is.
struct Identity {
  Actor actor;
  bool is_own = false;  // Signed by this process, for calls between its own services.
};

// Thread-safe once started.
class TrustedIssuers {
 public:
  struct Options {
    // Values of "iss" and "aud" of which a token from outside must have one each.
    std::vector<std::string> issuers{std::string(kIssuer)};
    std::vector<std::string> audiences{std::string(kAudience)};
    std::string keys_file;  // JWK set, read again when it changes; empty: none.
    // http(s)://HOST[:PORT]/PATH of a JWK set; empty: none. Asked every `refresh_every` and, at
    // most every `refresh_at_once_every`, when a token names an unknown key. While the issuer is
    // away the last keys stay in use.
    std::string keys_url;
    std::string keys_ca_file;  // Verifies that address; empty: the system's certificates.
    // Where the issuer's tokens hold grants as texts "ROLE@ORG" (there), "ROLE@ORG/*" (there and
    // below) or "ROLE@*" (everywhere): a claim, as a path with dots. Other texts there are passed
    // over. Empty: only the claim "grants" of our own form.
    std::string grants_claim;
    absl::Duration refresh_every = absl::Minutes(10);
    absl::Duration refresh_at_once_every = absl::Seconds(30);
    absl::Duration file_every = absl::Seconds(1);
  };
  explicit TrustedIssuers(Options options);
  ~TrustedIssuers();

  // Keys that sign as the issuer "gonghui" for the audience "gonghui". Before Start.
  void Add(const KeySet& keys);
  void AddOwn(const KeySet& keys);  // Of this process: see Identity.

  // Reads file and address, and watches them from now on. Errors: a file that is missing or no key
  // set; an address of the wrong form. An issuer that is away is no error.
  absl::Status Start();

  // UNAUTHENTICATED with a reason for the log; callers are to be told less. Does not block: a token
  // with a new key of the issuer is refused until the keys have been fetched.
  absl::StatusOr<Identity> Verify(std::string_view token, absl::Time now) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gonghui::auth
