// The two signature algorithms of our tokens over OpenSSL: Ed25519 ("EdDSA") and ECDSA on P-256
// with SHA-256 ("ES256"). Private to common/auth.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "openssl/evp.h"

namespace gonghui::auth {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using KeyHandle = std::unique_ptr<EVP_PKEY, FreeKey>;

enum class Algorithm { kEd25519, kEs256 };

// The name in a token's header: "EdDSA" or "ES256".
std::string_view NameOf(Algorithm algorithm);

// From 32 raw bytes; nullptr when they are no key.
KeyHandle Ed25519PublicKey(std::string_view raw);
// From the coordinates, 32 bytes each; nullptr when they are no point of the curve.
KeyHandle P256PublicKey(std::string_view x, std::string_view y);
KeyHandle GenerateEd25519();
// The 32 raw bytes of an Ed25519 public key.
absl::StatusOr<std::string> RawPublicKey(const EVP_PKEY& key);

// `signature`: 64 bytes, for ES256 r and s. Thread-safe on one key.
bool IsSignedBy(const EVP_PKEY& key, Algorithm algorithm, std::string_view message,
                std::string_view signature);
// With Ed25519.
absl::StatusOr<std::string> SignEd25519(const EVP_PKEY& key, std::string_view message);

}  // namespace gonghui::auth
