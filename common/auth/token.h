// JSON Web Tokens signed with Ed25519 (EdDSA), ES256 or RS256, checked against a key set.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/auth/grants.h"

namespace gonghui::auth {

inline constexpr std::string_view kIssuer = "gonghui";    // Default of --token-issuer.
inline constexpr std::string_view kAudience = "gonghui";  // Default of --token-audience.

// Claims: iss, aud, sub, exp, iat, nbf, and ours: "federation", "grants":
// [{"role","org","below","from","until"}].
struct Claims {
  std::string issuer;
  std::string audience;
  Actor actor;
  absl::Time expires;
};

// What a token must say to be accepted.
struct TokenRules {
  std::vector<std::string> issuers{std::string(kIssuer)};      // One of them is "iss".
  std::vector<std::string> audiences{std::string(kAudience)};  // One of them is in "aud".
  std::string grants_claim;  // Also holds grants, as texts: see TrustedIssuers::Options.
};

// Public keys by key id, read from a JWK set (RFC 7517): kty OKP/Ed25519, EC/P-256 and RSA of 2048
// bits or more only. The algorithm is the key's, never the token's. Immutable; thread-safe.
class KeySet {
 public:
  // Refuses a set with a key that cannot be used.
  static absl::StatusOr<KeySet> FromJson(std::string_view jwks);
  // Passes over such keys, for issuers serve them as well; refuses a set without a good one.
  static absl::StatusOr<KeySet> FromIssuer(std::string_view jwks);
  static absl::StatusOr<KeySet> FromFile(const std::string& path);
  void Add(const KeySet& other);

  // Errors: TOKEN_INVALID, TOKEN_EXPIRED. 60 s of clock skew are allowed. Verified tokens are
  // remembered until they expire (bounded), so that a repeated token costs a look-up.
  absl::StatusOr<Actor> Verify(std::string_view token, const TokenRules& rules,
                               absl::Time now) const;
  // The answer from memory alone; nullopt for a token that is not remembered.
  std::optional<absl::StatusOr<Actor>> Recall(std::string_view token, const TokenRules& rules,
                                              absl::Time now) const;
  bool Has(std::string_view key_id) const;

  KeySet();
  ~KeySet();
  KeySet(KeySet&&) noexcept;
  KeySet& operator=(KeySet&&) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The key id that a token names; empty where it names none. Proves nothing.
std::string KeyIdOf(std::string_view token);

// A private Ed25519 key: of development servers, of the tokens a process makes for itself, of
// ledger heads.
class SigningKey {
 public:
  static absl::StatusOr<SigningKey> Generate(std::string key_id);
  static absl::StatusOr<SigningKey> FromPemFile(const std::string& path, std::string key_id);
  absl::Status WritePemFile(const std::string& path) const;  // Mode 0600.

  std::string PublicJwks() const;  // {"keys":[…]}
  absl::StatusOr<std::string> Sign(const Claims& claims, absl::Time now) const;
  // Of other bytes than tokens: 64 bytes. These must not be taken for a token: begin them with a
  // name.
  absl::StatusOr<std::string> SignBytes(std::string_view message) const;
  const std::string& raw_public_key() const;  // 32 bytes.

  ~SigningKey();
  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;

 private:
  SigningKey();
  struct State;
  std::unique_ptr<State> state_;
};

// `signature` was made with SignBytes by the owner of the public key.
bool IsSignedWith(std::string_view raw_public_key, std::string_view message,
                  std::string_view signature);

}  // namespace gonghui::auth
