// The signature algorithms of tokens over OpenSSL: Ed25519 ("EdDSA"), ECDSA on P-256 with SHA-256
// ("ES256") and RSA PKCS #1 v1.5 with SHA-256 ("RS256"). Private to common/auth.
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

enum class Algorithm { kEd25519, kEs256, kRs256 };

// The name in a token's header: "EdDSA", "ES256" or "RS256".
std::string_view NameOf(Algorithm algorithm);

// From 32 raw bytes; nullptr when they are no key.
KeyHandle Ed25519PublicKey(std::string_view raw);
// From the coordinates, 32 bytes each; nullptr when they are no point of the curve.
KeyHandle P256PublicKey(std::string_view x, std::string_view y);
// From modulus and exponent, big-endian; nullptr below 2048 or above 8192 bits, or for an even or
// tiny exponent.
KeyHandle RsaPublicKey(std::string_view modulus, std::string_view exponent);
KeyHandle GenerateEd25519();
// The 32 raw bytes of an Ed25519 public key.
absl::StatusOr<std::string> RawPublicKey(const EVP_PKEY& key);

// `signature`: 64 bytes, for ES256 r and s; for RS256 as long as the modulus. Thread-safe on one
// key.
bool IsSignedBy(const EVP_PKEY& key, Algorithm algorithm, std::string_view message,
                std::string_view signature);
// With Ed25519.
absl::StatusOr<std::string> SignEd25519(const EVP_PKEY& key, std::string_view message);

}  // namespace gonghui::auth
