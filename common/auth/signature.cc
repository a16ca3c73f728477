#include "common/auth/signature.h"

#include "common/base/status.h"
#include "common/base/text.h"
#include "openssl/bn.h"
#include "openssl/core_names.h"
#include "openssl/ec.h"
#include "openssl/err.h"
#include "openssl/param_build.h"

namespace gonghui::auth {
namespace {

constexpr size_t kSignatureSize = 64;
constexpr size_t kCoordinateSize = 32;
constexpr int kLeastRsaBits = 2048;
constexpr int kMostRsaBits = 8192;  // Longer ones would make a check slow.

const unsigned char* Data(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

absl::Status OpenSslError(std::string_view what) {
  char text[256];
  ERR_error_string_n(ERR_get_error(), text, sizeof(text));
  ERR_clear_error();
  return Internal(StrCat("OpenSSL: ", what, ": ", std::string_view(text)));
}

struct Free {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(OSSL_PARAM* params) const { OSSL_PARAM_free(params); }
};
template <typename T>
using Handle = std::unique_ptr<T, Free>;

KeyHandle FromParams(const char* type, OSSL_PARAM* params) {
  const Handle<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  return KeyHandle(key);
}

// Tokens carry r and s side by side (RFC 7518, 3.4); OpenSSL takes them in DER. Empty on failure.
std::string ToDer(std::string_view signature) {
  Handle<ECDSA_SIG> pair(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(Data(signature), kCoordinateSize, nullptr);
  BIGNUM* s = BN_bin2bn(Data(signature) + kCoordinateSize, kCoordinateSize, nullptr);
  if (pair == nullptr || ECDSA_SIG_set0(pair.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return "";
  }
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  if (size <= 0) return "";
  std::string result(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return result;
}

}  // namespace

std::string_view NameOf(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kEd25519:
      return "EdDSA";
    case Algorithm::kEs256:
      return "ES256";
    case Algorithm::kRs256:
      return "RS256";
  }
  return "";
}

KeyHandle Ed25519PublicKey(std::string_view raw) {
  return KeyHandle(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Data(raw), raw.size()));
}

KeyHandle P256PublicKey(std::string_view x, std::string_view y) {
  if (x.size() != kCoordinateSize || y.size() != kCoordinateSize) return nullptr;
  const std::string point = StrCat("\x04", x, y);  // Uncompressed form.
  Handle<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  Handle<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(builder.get()));
  KeyHandle result = FromParams("EC", params.get());
  if (result == nullptr) return nullptr;
  Handle<EVP_PKEY_CTX> check(EVP_PKEY_CTX_new_from_pkey(nullptr, result.get(), nullptr));
  return EVP_PKEY_public_check(check.get()) == 1 ? std::move(result) : nullptr;
}

KeyHandle RsaPublicKey(std::string_view modulus, std::string_view exponent) {
  if (modulus.size() > kMostRsaBits / 8 + 1 || exponent.empty() || exponent.size() > 8) {
    return nullptr;
  }
  const Handle<BIGNUM> n(BN_bin2bn(Data(modulus), static_cast<int>(modulus.size()), nullptr));
  const Handle<BIGNUM> e(BN_bin2bn(Data(exponent), static_cast<int>(exponent.size()), nullptr));
  if (n == nullptr || e == nullptr || BN_num_bits(n.get()) < kLeastRsaBits ||
      BN_num_bits(n.get()) > kMostRsaBits || BN_is_odd(e.get()) == 0 || BN_num_bits(e.get()) < 2) {
    return nullptr;
  }
  Handle<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return nullptr;
  }
  Handle<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(builder.get()));
  return FromParams("RSA", params.get());
}

KeyHandle GenerateEd25519() { return KeyHandle(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }

absl::StatusOr<std::string> RawPublicKey(const EVP_PKEY& key) {
  std::string raw(kCoordinateSize, '\0');
  size_t size = raw.size();
  if (EVP_PKEY_get_raw_public_key(&key, reinterpret_cast<unsigned char*>(raw.data()), &size) != 1 ||
      size != raw.size()) {
    return OpenSslError("reading a public key");
  }
  return raw;
}

bool IsSignedBy(const EVP_PKEY& key, Algorithm algorithm, std::string_view message,
                std::string_view signature) {
  const bool is_rsa = algorithm == Algorithm::kRs256;
  const size_t size = is_rsa ? static_cast<size_t>(EVP_PKEY_get_size(&key)) : kSignatureSize;
  if (signature.size() != size) return false;
  const bool is_ecdsa = algorithm == Algorithm::kEs256;
  const std::string encoded = is_ecdsa ? ToDer(signature) : std::string(signature);
  Handle<EVP_MD_CTX> context(EVP_MD_CTX_new());
  const bool good =
      context != nullptr &&
      EVP_DigestVerifyInit(context.get(), nullptr, is_ecdsa || is_rsa ? EVP_sha256() : nullptr,
                           nullptr, const_cast<EVP_PKEY*>(&key)) == 1 &&
      EVP_DigestVerify(context.get(), Data(encoded), encoded.size(), Data(message),
                       message.size()) == 1;
  ERR_clear_error();
  return good;
}

absl::StatusOr<std::string> SignEd25519(const EVP_PKEY& key, std::string_view message) {
  Handle<EVP_MD_CTX> context(EVP_MD_CTX_new());
  std::string signature(kSignatureSize, '\0');
  size_t size = signature.size();
  if (context == nullptr ||
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, const_cast<EVP_PKEY*>(&key)) !=
          1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     Data(message), message.size()) != 1) {
    return OpenSslError("signing");
  }
  return signature;
}

}  // namespace gonghui::auth
