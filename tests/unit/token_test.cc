#include "common/auth/token.h"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "absl/strings/escaping.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::auth {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'600'000'000);

std::string Encode(const std::string& bytes) { return absl::WebSafeBase64Escape(bytes); }

Claims GoodClaims() {
  Claims claims{.issuer = std::string(kIssuer),
                .audience = std::string(kAudience),
                .actor = {.subject = "clerk-7", .federation = "demo", .grants = {}},
                .expires = kNow + absl::Hours(1)};
  common::v1::Grant grant;
  grant.set_role("clerk");
  grant.set_organization("T01");
  grant.set_below(true);
  grant.set_until("2021-01-01");
  claims.actor.grants.push_back(grant);
  return claims;
}

Reason ReasonFor(const KeySet& keys, const std::string& token, absl::Time now = kNow) {
  const absl::Status status = keys.Verify(token, {}, now).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << token;
  return ReasonOf(status);
}

std::vector<std::string> Parts(const std::string& token) {
  std::vector<std::string> parts;
  for (std::string_view part : Split(token, '.')) parts.emplace_back(part);
  return parts;
}

class TokenTest : public ::testing::Test {
 protected:
  TokenTest() : key_(*SigningKey::Generate("k1")), keys_(*KeySet::FromJson(key_.PublicJwks())) {}

  std::string SignedBody(const std::string& header, const std::string& body) {
    return Encode(header) + "." + Encode(body) + "." + Parts(*key_.Sign(GoodClaims(), kNow))[2];
  }

  SigningKey key_;
  KeySet keys_;
};

TEST_F(TokenTest, GoodTokenNamesItsActor) {
  const std::string token = *key_.Sign(GoodClaims(), kNow);
  for (int round = 0; round < 2; ++round) {  // The second is answered from memory.
    const absl::StatusOr<Actor> actor = keys_.Verify(token, {}, kNow);
    ASSERT_TRUE(actor.ok()) << actor.status();
    EXPECT_EQ(actor->subject, "clerk-7");
    EXPECT_EQ(actor->federation, "demo");
    ASSERT_EQ(actor->grants.size(), 1u);
    EXPECT_EQ(actor->grants[0].SerializeAsString(),
              GoodClaims().actor.grants[0].SerializeAsString());
  }
}

TEST_F(TokenTest, ForgedSignature) {
  const std::vector<std::string> parts = Parts(*key_.Sign(GoodClaims(), kNow));
  Claims more = GoodClaims();
  more.actor.federation = "*";
  const std::vector<std::string> other = Parts(*key_.Sign(more, kNow));
  EXPECT_EQ(ReasonFor(keys_, parts[0] + "." + other[1] + "." + parts[2]),
            common::v1::REASON_TOKEN_INVALID);
  EXPECT_EQ(ReasonFor(keys_, parts[0] + "." + parts[1] + "."), common::v1::REASON_TOKEN_INVALID);
  const SigningKey stranger = *SigningKey::Generate("k1");  // The same key id.
  EXPECT_EQ(ReasonFor(keys_, *stranger.Sign(GoodClaims(), kNow)), common::v1::REASON_TOKEN_INVALID);
}

TEST_F(TokenTest, UnknownKey) {
  const SigningKey stranger = *SigningKey::Generate("k2");
  EXPECT_EQ(ReasonFor(keys_, *stranger.Sign(GoodClaims(), kNow)), common::v1::REASON_TOKEN_INVALID);
}

TEST_F(TokenTest, AlgorithmNone) {
  const std::string body =
      R"({"iss":"gonghui","aud":"gonghui","sub":"x","federation":"*","exp":9999999999})";
  for (const char* alg : {"none", "None", "HS256", "ES256", ""}) {
    const std::string header = StrCat(R"({"alg":")", alg, R"(","kid":"k1"})");
    EXPECT_EQ(ReasonFor(keys_, Encode(header) + "." + Encode(body) + "."),
              common::v1::REASON_TOKEN_INVALID);
    EXPECT_EQ(ReasonFor(keys_, SignedBody(header, body)), common::v1::REASON_TOKEN_INVALID);
  }
}

TEST_F(TokenTest, Expiry) {
  const std::string token = *key_.Sign(GoodClaims(), kNow);
  const absl::Time end = GoodClaims().expires;
  EXPECT_TRUE(keys_.Verify(token, {}, end + absl::Seconds(59)).ok());
  // Remembered tokens expire as well.
  EXPECT_EQ(ReasonFor(keys_, token, end + absl::Seconds(60)), common::v1::REASON_TOKEN_EXPIRED);
  const KeySet fresh = *KeySet::FromJson(key_.PublicJwks());
  EXPECT_EQ(ReasonFor(fresh, token, end + absl::Seconds(60)), common::v1::REASON_TOKEN_EXPIRED);
  EXPECT_EQ(ReasonFor(fresh, token, kNow - absl::Seconds(61)), common::v1::REASON_TOKEN_INVALID);
  EXPECT_TRUE(fresh.Verify(token, {}, kNow - absl::Seconds(59)).ok());
}

TEST_F(TokenTest, WrongAudienceOrIssuer) {
  Claims claims = GoodClaims();
  claims.audience = "payroll";
  const std::string for_others = *key_.Sign(claims, kNow);
  EXPECT_EQ(ReasonFor(keys_, for_others), common::v1::REASON_TOKEN_INVALID);
  // Remembered for one audience is not good for another.
  EXPECT_TRUE(keys_.Verify(for_others, {.audiences = {"payroll"}}, kNow).ok());
  EXPECT_EQ(ReasonFor(keys_, for_others), common::v1::REASON_TOKEN_INVALID);
  claims = GoodClaims();
  claims.issuer = "elsewhere";
  EXPECT_EQ(ReasonFor(keys_, *key_.Sign(claims, kNow)), common::v1::REASON_TOKEN_INVALID);
}

TEST_F(TokenTest, IncompleteClaims) {
  for (auto spoil :
       {+[](Claims& c) { c.actor.subject.clear(); }, +[](Claims& c) { c.actor.federation.clear(); },
        +[](Claims& c) { c.actor.grants[0].clear_role(); },
        +[](Claims& c) { c.actor.grants[0].clear_organization(); },
        +[](Claims& c) { c.actor.grants[0].set_from("soon"); }}) {
    Claims claims = GoodClaims();
    spoil(claims);
    EXPECT_EQ(ReasonFor(keys_, *key_.Sign(claims, kNow)), common::v1::REASON_TOKEN_INVALID);
  }
}

TEST_F(TokenTest, Garbage) {
  const std::string token = *key_.Sign(GoodClaims(), kNow);
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("a.b.c"),
        std::string("a.b.c.d"), token + "=", token + ".x", " " + token, std::string(100'000, 'a'),
        Encode("[]") + "." + Encode("[]") + "." + Encode("x")}) {
    EXPECT_EQ(ReasonFor(keys_, bad), common::v1::REASON_TOKEN_INVALID);
  }
}

// A P-256 key made with OpenSSL alone, as a foreign issuer would.
class EcIssuer {
 public:
  EcIssuer() : key_(EVP_EC_gen("P-256")) {}
  ~EcIssuer() { EVP_PKEY_free(key_); }

  std::string Jwk(const std::string& key_id, const std::string& extra = "") const {
    unsigned char point[65];
    size_t size = 0;
    EXPECT_EQ(EVP_PKEY_get_octet_string_param(key_, "pub", point, sizeof(point), &size), 1);
    EXPECT_EQ(size, sizeof(point));
    const std::string text(reinterpret_cast<char*>(point), size);
    return StrCat(R"({"kty":"EC","crv":"P-256","kid":")", key_id, R"(","x":")",
                  Encode(text.substr(1, 32)), R"(","y":")", Encode(text.substr(33)), "\"", extra,
                  "}");
  }

  std::string Sign(const std::string& text) const {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    unsigned char der[128];
    size_t size = sizeof(der);
    EXPECT_EQ(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key_), 1);
    EXPECT_EQ(EVP_DigestSign(context, der, &size,
                             reinterpret_cast<const unsigned char*>(text.data()), text.size()),
              1);
    EVP_MD_CTX_free(context);
    const unsigned char* at = der;
    ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size));
    std::string raw(64, '\0');
    auto* out = reinterpret_cast<unsigned char*>(raw.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + 32, 32);
    ECDSA_SIG_free(signature);
    return raw;
  }

  std::string Token(const std::string& alg) const {
    const std::string text =
        Encode(StrCat(R"({"alg":")", alg, R"(","kid":"ec"})")) + "." +
        Encode(R"({"iss":"gonghui","aud":["x","gonghui"],"sub":"s","federation":"demo",)"
               R"("exp":1600000100.5})");
    return text + "." + Encode(Sign(text));
  }

 private:
  EVP_PKEY* key_;
};

std::string SetOf(const std::string& keys) { return StrCat(R"({"keys":[)", keys, "]}"); }

TEST_F(TokenTest, Es256) {
  const EcIssuer issuer;
  const auto keys = KeySet::FromJson(SetOf(issuer.Jwk("ec", R"(,"alg":"ES256")")));
  ASSERT_TRUE(keys.ok()) << keys.status();
  const auto actor = keys->Verify(issuer.Token("ES256"), {}, kNow);
  ASSERT_TRUE(actor.ok()) << actor.status();
  EXPECT_EQ(actor->subject, "s");
  EXPECT_TRUE(actor->grants.empty());
  // Key confusion: the algorithm is the key's, whatever the token says.
  EXPECT_EQ(ReasonFor(*keys, issuer.Token("EdDSA")), common::v1::REASON_TOKEN_INVALID);
  EXPECT_EQ(ReasonFor(*keys, EcIssuer().Token("ES256")), common::v1::REASON_TOKEN_INVALID);
}

TEST_F(TokenTest, SetsCanBeJoined) {
  const EcIssuer issuer;
  keys_.Add(*KeySet::FromJson(SetOf(issuer.Jwk("ec"))));
  EXPECT_TRUE(keys_.Verify(issuer.Token("ES256"), {}, kNow).ok());
  EXPECT_TRUE(keys_.Verify(*key_.Sign(GoodClaims(), kNow), {}, kNow).ok());
}

TEST_F(TokenTest, RefusesBadKeySets) {
  const EcIssuer issuer;
  const std::string x(43, 'A');
  for (const std::string& bad :
       {std::string("{}"), std::string("[]"), std::string("nonsense"), SetOf("7"),
        SetOf(issuer.Jwk("")), SetOf(issuer.Jwk("a") + "," + issuer.Jwk("a")),
        SetOf(issuer.Jwk("a", R"(,"alg":"HS256")")), SetOf(issuer.Jwk("a", R"(,"d":"AA")")),
        SetOf(R"({"kty":"oct","kid":"a","k":"AAAA"})"),
        SetOf(R"({"kty":"RSA","kid":"a","n":"AAAA","e":"AQAB"})"),
        SetOf(R"({"kty":"OKP","crv":"Ed25519","kid":"a","x":"AAAA"})"),
        // Not on the curve.
        SetOf(StrCat(R"({"kty":"EC","crv":"P-256","kid":"a","x":")", x, R"(","y":")", x, "\"}"))}) {
    EXPECT_FALSE(KeySet::FromJson(bad).ok()) << bad;
  }
}

TEST_F(TokenTest, KeyFilesAreKeptPrivate) {
  const std::string path = ::testing::TempDir() + "/signing-key.pem";
  ASSERT_TRUE(key_.WritePemFile(path).ok());
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const auto read = SigningKey::FromPemFile(path, "k1");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(keys_.Verify(*read->Sign(GoodClaims(), kNow), {}, kNow).ok());
  EXPECT_FALSE(SigningKey::FromPemFile(path + ".missing", "k1").ok());
  std::filesystem::remove(path);
}

TEST_F(TokenTest, ManyThreadsManyTokens) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        Claims claims = GoodClaims();
        claims.actor.subject = StrCat("u", (i * 7 + t) % 50);
        const auto actor = keys_.Verify(*key_.Sign(claims, kNow), {}, kNow);
        ASSERT_TRUE(actor.ok());
        ASSERT_EQ(actor->subject, claims.actor.subject);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace gonghui::auth
