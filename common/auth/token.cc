#include "common/auth/token.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/synchronization/mutex.h"
#include "common/auth/claims.h"
#include "common/auth/signature.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "nlohmann/json.hpp"
#include "openssl/bio.h"
#include "openssl/pem.h"

namespace gonghui::auth {
namespace {

using nlohmann::json;

constexpr size_t kLongestToken = 8 << 10;
constexpr size_t kRememberedTokens = 10'000;

std::string TextAt(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// base64url without padding (RFC 7515); nullopt when it is none.
std::optional<std::string> Decode(std::string_view text) {
  std::string bytes;
  if (text.find_first_of("=+/") != text.npos) return std::nullopt;
  if (!absl::WebSafeBase64Unescape(ToAbsl(text), &bytes)) return std::nullopt;
  return bytes;
}

std::string Encode(std::string_view bytes) { return absl::WebSafeBase64Escape(ToAbsl(bytes)); }

Error BadKeySet(std::string_view why) {
  return InvalidArgument(
      common::v1::REASON_FIELD_INVALID,
      StrCat("The key set ", why,
             "; give a JWK set (RFC 7517) of public keys: Ed25519, P-256 or RSA "
             "of 2048 bits at least"),
      StrCat("密钥集有误（", why, "）；请提供Ed25519、P-256或至少2048位RSA公钥的JWK集合"));
}

Error FileError(const std::string& path, std::string_view what) {
  return FailedPrecondition(
      common::v1::REASON_NOT_FOUND,
      StrCat("Cannot ", what, " ", path, ": ", std::string_view(std::strerror(errno))),
      StrCat("无法访问文件", path, "：", std::string_view(std::strerror(errno))));
}

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

struct PublicKey {
  Algorithm algorithm;
  KeyHandle key;
};

absl::StatusOr<PublicKey> ReadKey(const json& jwk) {
  const std::string kty = TextAt(jwk, "kty"), crv = TextAt(jwk, "crv"), alg = TextAt(jwk, "alg");
  const auto x = Decode(TextAt(jwk, "x")), y = Decode(TextAt(jwk, "y"));
  if (jwk.contains("d")) return BadKeySet("holds a private key");
  if (const std::string use = TextAt(jwk, "use"); !use.empty() && use != "sig") {
    return BadKeySet(StrCat("has a key whose use is ", use));
  }
  PublicKey result;
  if (kty == "OKP" && crv == "Ed25519") {
    result = {Algorithm::kEd25519, x.has_value() ? Ed25519PublicKey(*x) : nullptr};
  } else if (kty == "EC" && crv == "P-256") {
    result = {Algorithm::kEs256, x.has_value() && y.has_value() ? P256PublicKey(*x, *y) : nullptr};
  } else if (kty == "RSA") {
    const auto n = Decode(TextAt(jwk, "n")), e = Decode(TextAt(jwk, "e"));
    result = {Algorithm::kRs256, n.has_value() && e.has_value() ? RsaPublicKey(*n, *e) : nullptr};
  } else {
    return BadKeySet(StrCat("has a key of type ", kty, " ", crv));
  }
  if (result.key == nullptr) return BadKeySet("has a key whose numbers are wrong or too short");
  if (!alg.empty() && alg != NameOf(result.algorithm)) {
    return BadKeySet(StrCat("has a key whose alg ", alg, " does not fit its type"));
  }
  return result;
}

// A token in its three parts, decoded but for the signed text.
struct Token {
  std::string_view signed_text;
  std::string algorithm;
  std::string key_id;
  std::string claims;
  std::string signature;
};

absl::StatusOr<Token> Split(std::string_view text) {
  const Error malformed = TokenInvalid("is no JSON Web Token", "格式不正确");
  if (text.size() > kLongestToken) return malformed;
  const std::vector<std::string_view> parts = gonghui::Split(text, '.');
  if (parts.size() != 3) return malformed;
  const auto header = Decode(parts[0]), claims = Decode(parts[1]), signature = Decode(parts[2]);
  if (!header.has_value() || !claims.has_value() || !signature.has_value()) return malformed;
  const json fields = ParseObject(*header);
  // "crit" lists extensions that a reader must understand: we know none. Keys that a header names
  // or holds ("jku", "x5u", "jwk", "x5c") are not looked at.
  if (!fields.is_object() || fields.contains("crit")) return malformed;
  const std::string type = ToLower(TextAt(fields, "typ"));
  if (!type.empty() && type != "jwt" && type != "at+jwt" && type != "application/at+jwt") {
    return TokenInvalid("is no access token", "不是访问令牌");
  }
  return Token{.signed_text = text.substr(0, parts[0].size() + 1 + parts[1].size()),
               .algorithm = TextAt(fields, "alg"),
               .key_id = TextAt(fields, "kid"),
               .claims = *claims,
               .signature = *signature};
}

}  // namespace

struct KeySet::State {
  // Shared, because a set may be added to another one.
  std::map<std::string, std::shared_ptr<const PublicKey>> keys;
  absl::Mutex mutex;
  // By token text. Immutable once in.
  std::unordered_map<std::string, std::shared_ptr<const Claims>, TextHash, std::equal_to<>> verified
      ABSL_GUARDED_BY(mutex);

  std::shared_ptr<const Claims> Remembered(std::string_view token) {
    absl::ReaderMutexLock lock(&mutex);
    const auto found = verified.find(token);
    return found == verified.end() ? nullptr : found->second;
  }

  void Remember(std::string_view token, Claims claims, absl::Time now) {
    absl::MutexLock lock(&mutex);
    if (verified.size() >= kRememberedTokens) {
      std::erase_if(verified,
                    [&](const auto& entry) { return IsExpired(entry.second->expires, now); });
      if (verified.size() >= kRememberedTokens) verified.clear();
    }
    verified.insert_or_assign(std::string(token),
                              std::make_shared<const Claims>(std::move(claims)));
  }

  absl::StatusOr<Claims> VerifyAnew(std::string_view text, const TokenRules& rules,
                                    absl::Time now) const {
    ASSIGN_OR_RETURN(const Token token, Split(text));
    const auto found = keys.find(token.key_id);
    if (found == keys.end()) {
      return TokenInvalid("is signed with a key that this server does not trust",
                          "的签名密钥不受本服务信任");
    }
    const PublicKey& key = *found->second;
    if (token.algorithm != NameOf(key.algorithm)) {
      return TokenInvalid("names an algorithm that is not its key's", "的签名算法与密钥不符");
    }
    if (!IsSignedBy(*key.key, key.algorithm, token.signed_text, token.signature)) {
      return TokenInvalid("has a wrong signature", "签名无效");
    }
    return ReadClaims(token.claims, rules, now);
  }

  absl::Status AddKey(const json& jwk) {
    const std::string key_id = jwk.is_object() ? TextAt(jwk, "kid") : "";
    if (key_id.empty()) return BadKeySet("has a key without \"kid\"");
    ASSIGN_OR_RETURN(PublicKey key, ReadKey(jwk));
    if (!keys.try_emplace(key_id, std::make_shared<const PublicKey>(std::move(key))).second) {
      return BadKeySet(StrCat("has two keys with the kid ", key_id));
    }
    return absl::OkStatus();
  }
};

KeySet::KeySet() : state_(std::make_unique<State>()) {}
KeySet::~KeySet() = default;
KeySet::KeySet(KeySet&&) noexcept = default;
KeySet& KeySet::operator=(KeySet&&) noexcept = default;

absl::StatusOr<KeySet> KeySet::FromJson(std::string_view jwks) {
  const json set = json::parse(jwks, nullptr, /*allow_exceptions=*/false);
  if (!set.is_object() || !set.contains("keys") || !set["keys"].is_array()) {
    return BadKeySet("is no JSON object with a list \"keys\"");
  }
  KeySet result;
  for (const json& jwk : set["keys"]) RETURN_IF_ERROR(result.state_->AddKey(jwk));
  return result;
}

absl::StatusOr<KeySet> KeySet::FromIssuer(std::string_view jwks) {
  const json set = json::parse(jwks, nullptr, /*allow_exceptions=*/false);
  if (!set.is_object() || !set.contains("keys") || !set["keys"].is_array()) {
    return BadKeySet("is no JSON object with a list \"keys\"");
  }
  KeySet result;
  absl::Status last = BadKeySet("is empty");
  for (const json& jwk : set["keys"]) {
    if (absl::Status added = result.state_->AddKey(jwk); !added.ok()) last = std::move(added);
  }
  if (result.state_->keys.empty()) return last;
  return result;
}

absl::StatusOr<KeySet> KeySet::FromFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) return FileError(path, "read the key set");
  return FromJson(text.str());
}

void KeySet::Add(const KeySet& other) {
  for (const auto& [key_id, key] : other.state_->keys) state_->keys.insert_or_assign(key_id, key);
  absl::MutexLock lock(&state_->mutex);
  state_->verified.clear();
}

std::optional<absl::StatusOr<Actor>> KeySet::Recall(std::string_view token, const TokenRules& rules,
                                                    absl::Time now) const {
  const auto is_in = [](const std::string& text, const std::vector<std::string>& list) {
    return std::find(list.begin(), list.end(), text) != list.end();
  };
  const auto known = state_->Remembered(token);
  if (known == nullptr || !is_in(known->issuer, rules.issuers) ||
      !is_in(known->audience, rules.audiences)) {
    return std::nullopt;
  }
  if (IsExpired(known->expires, now)) return absl::Status(TokenExpired());
  return known->actor;
}

absl::StatusOr<Actor> KeySet::Verify(std::string_view token, const TokenRules& rules,
                                     absl::Time now) const {
  if (auto known = Recall(token, rules, now)) return *std::move(known);
  ASSIGN_OR_RETURN(Claims claims, state_->VerifyAnew(token, rules, now));
  Actor actor = claims.actor;
  state_->Remember(token, std::move(claims), now);
  return actor;
}

bool KeySet::Has(std::string_view key_id) const {
  return state_->keys.contains(std::string(key_id));
}

std::string KeyIdOf(std::string_view token) {
  const absl::StatusOr<Token> parts = Split(token);
  return parts.ok() ? parts->key_id : "";
}

struct SigningKey::State {
  std::string key_id;
  KeyHandle key;
  std::string raw_public_key;
};

SigningKey::SigningKey() : state_(std::make_unique<State>()) {}
SigningKey::~SigningKey() = default;
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;

absl::StatusOr<SigningKey> SigningKey::Generate(std::string key_id) {
  SigningKey result;
  result.state_->key_id = std::move(key_id);
  result.state_->key = GenerateEd25519();
  if (result.state_->key == nullptr) return Internal("OpenSSL: no Ed25519 key generated");
  ASSIGN_OR_RETURN(result.state_->raw_public_key, RawPublicKey(*result.state_->key));
  return result;
}

absl::StatusOr<SigningKey> SigningKey::FromPemFile(const std::string& path, std::string key_id) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new_file(path.c_str(), "r"), &BIO_free);
  if (file == nullptr) return FileError(path, "read the signing key");
  SigningKey result;
  result.state_->key_id = std::move(key_id);
  result.state_->key.reset(PEM_read_bio_PrivateKey(file.get(), nullptr, nullptr, nullptr));
  if (result.state_->key == nullptr ||
      EVP_PKEY_get_base_id(result.state_->key.get()) != EVP_PKEY_ED25519) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           StrCat(path, " holds no Ed25519 private key in PEM form"),
                           StrCat(path, "不含PEM格式的Ed25519私钥"));
  }
  ASSIGN_OR_RETURN(result.state_->raw_public_key, RawPublicKey(*result.state_->key));
  return result;
}

absl::Status SigningKey::WritePemFile(const std::string& path) const {
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new(BIO_s_mem()), &BIO_free);
  if (text == nullptr || PEM_write_bio_PrivateKey(text.get(), state_->key.get(), nullptr, nullptr,
                                                  0, nullptr, nullptr) != 1) {
    return Internal("OpenSSL: the signing key cannot be written as PEM");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(text.get(), &data);
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return FileError(path, "write the signing key to");
  const bool written = fchmod(file, 0600) == 0 && write(file, data, size) == size;
  if (close(file) != 0 || !written) return FileError(path, "write the signing key to");
  return absl::OkStatus();
}

std::string SigningKey::PublicJwks() const {
  const json key = {{"kty", "OKP"},
                    {"crv", "Ed25519"},
                    {"alg", NameOf(Algorithm::kEd25519)},
                    {"kid", state_->key_id},
                    {"x", Encode(state_->raw_public_key)}};
  return json{{"keys", json::array({key})}}.dump();
}

absl::StatusOr<std::string> SigningKey::Sign(const Claims& claims, absl::Time now) const {
  const json header = {
      {"alg", NameOf(Algorithm::kEd25519)}, {"typ", "JWT"}, {"kid", state_->key_id}};
  const std::string text = StrCat(Encode(header.dump()), ".", Encode(ClaimsToJson(claims, now)));
  ASSIGN_OR_RETURN(const std::string signature, SignEd25519(*state_->key, text));
  return StrCat(text, ".", Encode(signature));
}

absl::StatusOr<std::string> SigningKey::SignBytes(std::string_view message) const {
  return SignEd25519(*state_->key, message);
}

const std::string& SigningKey::raw_public_key() const { return state_->raw_public_key; }

bool IsSignedWith(std::string_view raw_public_key, std::string_view message,
                  std::string_view signature) {
  const KeyHandle key = Ed25519PublicKey(raw_public_key);
  return key != nullptr && IsSignedBy(*key, Algorithm::kEd25519, message, signature);
}

}  // namespace gonghui::auth
