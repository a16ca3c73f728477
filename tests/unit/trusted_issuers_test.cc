// Tokens of an outside issuer: its keys, and every way to forge one.
#include "common/auth/trusted_issuers.h"

#include <gtest/gtest.h>
#include <httplib.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "absl/strings/escaping.h"
#include "common/base/text.h"
#include "common/testing/matchers.h"

namespace gonghui::auth {
namespace {

using gonghui::testing::IsOk;

const absl::Time kNow = absl::FromUnixSeconds(1'600'000'000);

std::string Encode(const std::string& bytes) { return absl::WebSafeBase64Escape(bytes); }

// An issuer as Keycloak or another product is one: RSA keys, and a JWKS address.
class RsaIssuer {
 public:
  explicit RsaIssuer(unsigned bits = 2048) : key_(EVP_RSA_gen(bits)) {}
  RsaIssuer(const RsaIssuer&) = delete;
  ~RsaIssuer() { EVP_PKEY_free(key_); }

  std::string Jwk(const std::string& key_id, const std::string& extra = "") const {
    return StrCat(R"({"kty":"RSA","kid":")", key_id, R"(","n":")",
                  Encode(Number(OSSL_PKEY_PARAM_RSA_N)), R"(","e":")",
                  Encode(Number(OSSL_PKEY_PARAM_RSA_E)), "\"", extra, "}");
  }
  std::string Sign(const std::string& text) const {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    std::string signature(static_cast<size_t>(EVP_PKEY_get_size(key_)), '\0');
    size_t size = signature.size();
    EXPECT_EQ(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key_), 1);
    EXPECT_EQ(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                             reinterpret_cast<const unsigned char*>(text.data()), text.size()),
              1);
    EVP_MD_CTX_free(context);
    return signature;
  }
  std::string Token(const std::string& header, const std::string& claims) const {
    const std::string text = StrCat(Encode(header), ".", Encode(claims));
    return StrCat(text, ".", Encode(Sign(text)));
  }
  std::string Modulus() const { return Number(OSSL_PKEY_PARAM_RSA_N); }

 private:
  std::string Number(const char* name) const {
    BIGNUM* number = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(key_, name, &number), 1);
    std::string bytes(static_cast<size_t>(BN_num_bytes(number)), '\0');
    BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
    BN_free(number);
    return bytes;
  }

  EVP_PKEY* key_;
};

std::string SetOf(const std::string& keys) { return StrCat(R"({"keys":[)", keys, "]}"); }

constexpr char kHeader[] = R"({"alg":"RS256","typ":"JWT","kid":"r1"})";

// Good claims with `change` in place of the name that it holds, or in addition.
std::string ClaimsWith(const std::string& name = "", const std::string& value = "") {
  std::map<std::string, std::string> claims = {{"iss", R"("https://sso.example.org/realms/gh")"},
                                               {"aud", R"(["account","gonghui-api"])"},
                                               {"sub", R"("f:17:zhang")"},
                                               {"federation", R"("demo")"},
                                               {"exp", "1600000300"},
                                               {"iat", "1600000000"},
                                               {"typ", R"("Bearer")"}};
  if (!name.empty()) claims[name] = value;
  std::string text = "{";
  for (const auto& [key, what] : claims) {
    if (!what.empty()) StrAppend(&text, text.size() > 1 ? "," : "", "\"", key, "\":", what);
  }
  return StrCat(text, "}");
}

TrustedIssuers::Options OutsideOptions() {
  TrustedIssuers::Options options;
  options.issuers = {"https://sso.example.org/realms/gh", "https://sso2.example.org"};
  options.audiences = {"gonghui-api"};
  options.grants_claim = "realm_access.roles";
  return options;
}

class TrustedIssuersTest : public ::testing::Test {
 protected:
  TrustedIssuersTest()
      : file_((std::filesystem::path(::testing::TempDir()) /
               StrCat("issuer_keys_", getpid(), ".json"))
                  .string()) {
    WriteKeys(SetOf(outside_.Jwk("r1", R"(,"alg":"RS256","use":"sig")")));
  }

  void WriteKeys(const std::string& set) {
    std::ofstream(file_ + ".new") << set;
    std::filesystem::rename(file_ + ".new", file_);
  }

  const std::string file_;
  const RsaIssuer outside_;
};

TEST_F(TrustedIssuersTest, GoodTokensOfEachKind) {
  TrustedIssuers::Options options = OutsideOptions();
  options.keys_file = file_;
  TrustedIssuers issuers(options);
  const SigningKey own = *SigningKey::Generate("own"), dev = *SigningKey::Generate("dev");
  issuers.AddOwn(*KeySet::FromJson(own.PublicJwks()));
  issuers.Add(*KeySet::FromJson(dev.PublicJwks()));
  ASSERT_THAT(issuers.Start(), IsOk());

  const std::string roles =
      R"({"roles":["offline_access","registrar@T01/*","accountant@E01","admin@*","@x","y@",7]})";
  const std::string token = outside_.Token(kHeader, ClaimsWith("realm_access", roles));
  for (int round = 0; round < 2; ++round) {  // The second from memory.
    const auto identity = issuers.Verify(token, kNow);
    ASSERT_THAT(identity, IsOk());
    EXPECT_FALSE(identity->is_own);
    EXPECT_EQ(identity->actor.subject, "f:17:zhang");
    ASSERT_EQ(identity->actor.grants.size(), 3u);
    EXPECT_EQ(identity->actor.grants[0].role(), "registrar");
    EXPECT_EQ(identity->actor.grants[0].organization(), "T01");
    EXPECT_TRUE(identity->actor.grants[0].below());
    EXPECT_FALSE(identity->actor.grants[1].below());
    EXPECT_EQ(identity->actor.grants[2].organization(), "*");
  }
  EXPECT_THAT(
      issuers.Verify(outside_.Token(kHeader, ClaimsWith("iss", R"("https://sso2.example.org")")),
                     kNow),
      IsOk());

  Claims claims{.issuer = std::string(kIssuer),
                .audience = std::string(kAudience),
                .actor = {.subject = "s", .federation = "demo"},
                .expires = kNow + absl::Hours(1)};
  EXPECT_TRUE(issuers.Verify(*own.Sign(claims, kNow), kNow)->is_own);
  EXPECT_FALSE(issuers.Verify(*dev.Sign(claims, kNow), kNow)->is_own);
  // Keys of ours sign as ours only, those outside as theirs only.
  claims.issuer = "https://sso2.example.org";
  claims.audience = "gonghui-api";
  EXPECT_FALSE(issuers.Verify(*own.Sign(claims, kNow), kNow).ok());
  EXPECT_FALSE(issuers.Verify(*dev.Sign(claims, kNow), kNow).ok());
  EXPECT_FALSE(
      issuers.Verify(outside_.Token(kHeader, ClaimsWith("iss", R"("gonghui")")), kNow).ok());
}

using NamedTokens = std::vector<std::pair<std::string, std::string>>;

std::string WithHeader(const RsaIssuer& issuer, const std::string& header) {
  return issuer.Token(header, ClaimsWith());
}

std::string WithClaim(const RsaIssuer& issuer, const std::string& name, const std::string& value) {
  return issuer.Token(kHeader, ClaimsWith(name, value));
}

// Signed with a secret that everybody knows: the public key.
std::string KeyedWith(const std::string& key) {
  const std::string text =
      StrCat(Encode(R"({"alg":"HS256","kid":"r1"})"), ".", Encode(ClaimsWith()));
  unsigned char mac[32];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
  return StrCat(text, ".", Encode(std::string(reinterpret_cast<char*>(mac), size)));
}

// Tokens that nobody with the issuer's key signed, or that try to choose the key.
NamedTokens BadSignatures(const RsaIssuer& issuer) {
  const RsaIssuer stranger;
  const std::string good = issuer.Token(kHeader, ClaimsWith());
  const auto part = [&](int n) { return std::string(Split(good, '.')[static_cast<size_t>(n)]); };
  const std::string none = Encode(R"({"alg":"none","kid":"r1"})");
  return {
      {"alg none", StrCat(none, ".", part(1), ".")},
      {"alg none, with a signature", StrCat(none, ".", part(1), ".", part(2))},
      {"HS256 with the modulus", KeyedWith(issuer.Modulus())},
      {"HS256 with the JWK", KeyedWith(issuer.Jwk("r1"))},
      {"another algorithm of RSA", WithHeader(issuer, R"({"alg":"PS256","kid":"r1"})")},
      {"no algorithm", WithHeader(issuer, R"({"kid":"r1"})")},
      {"changed payload",
       StrCat(part(0), ".", Encode(ClaimsWith("federation", R"("*")")), ".", part(2))},
      {"cut signature", good.substr(0, good.size() - 8)},
      {"no signature", StrCat(part(0), ".", part(1), ".")},
      {"longer signature", good + "AAAA"},
      {"another key under the kid", stranger.Token(kHeader, ClaimsWith())},
      {"unknown kid", WithHeader(issuer, R"({"alg":"RS256","kid":"r2"})")},
      {"no kid", WithHeader(issuer, R"({"alg":"RS256"})")},
      {"kid is a path", WithHeader(issuer, R"({"alg":"RS256","kid":"../../../../etc/passwd"})")},
      {"kid is SQL", WithHeader(issuer, R"({"alg":"RS256","kid":"r1' OR '1'='1"})")},
      {"kid is no text", WithHeader(issuer, R"({"alg":"RS256","kid":["r1"]})")},
      {"jwk in the header",
       stranger.Token(StrCat(R"({"alg":"RS256","kid":"r9","jwk":)", stranger.Jwk("r9"), "}"),
                      ClaimsWith())},
      {"jwk in the header under a good kid",
       stranger.Token(StrCat(R"({"alg":"RS256","kid":"r1","jwk":)", stranger.Jwk("r1"), "}"),
                      ClaimsWith())},
      {"jku and x5u in the header",
       stranger.Token(
           R"({"alg":"RS256","kid":"r1","jku":"http://127.0.0.1:1/k","x5u":"http://127.0.0.1:1/c"})",
           ClaimsWith())},
      {"crit in the header", WithHeader(issuer, R"({"alg":"RS256","kid":"r1","crit":["x"]})")},
      {"two kids", WithHeader(issuer, R"({"alg":"RS256","kid":"r1","kid":"r1"})")},
      {"refresh token by its header",
       WithHeader(issuer, R"({"alg":"RS256","kid":"r1","typ":"Refresh"})")}};
}

// Tokens of the issuer that are not meant for us, or not now.
NamedTokens BadClaims(const RsaIssuer& issuer) {
  return {{"ID token by its claim", WithClaim(issuer, "typ", R"("ID")")},
          {"refresh token by its claim", WithClaim(issuer, "typ", R"("Refresh")")},
          {"expired beyond the leeway", WithClaim(issuer, "exp", "1599999940")},
          {"not valid yet", WithClaim(issuer, "nbf", "1600000061")},
          {"no expiry", WithClaim(issuer, "exp", "")},
          {"expiry is a text", WithClaim(issuer, "exp", R"("1600000300")")},
          {"expiry is absurd", WithClaim(issuer, "exp", "1e300")},
          {"other audience", WithClaim(issuer, "aud", R"("payroll")")},
          {"no audience", WithClaim(issuer, "aud", "")},
          {"audience is a number", WithClaim(issuer, "aud", "7")},
          {"other issuer", WithClaim(issuer, "iss", R"("https://sso.example.com/realms/gh")")},
          {"issuer with a slash more",
           WithClaim(issuer, "iss", R"("https://sso.example.org/realms/gh/")")},
          {"no subject", WithClaim(issuer, "sub", "")},
          {"no federation", WithClaim(issuer, "federation", "")},
          {"two federations", WithClaim(issuer, "x", R"(1,"federation":"*")")},
          {"duplicate claims deep inside", WithClaim(issuer, "x", R"({"a":{"b":1,"b":2}})")},
          {"deep claims", WithClaim(issuer, "x", std::string(64, '[') + std::string(64, ']'))},
          {"claims are a list", issuer.Token(kHeader, "[]")},
          {"claims are cut", issuer.Token(kHeader, R"({"iss":)")},
          {"a megabyte",
           issuer.Token(kHeader, ClaimsWith("x", StrCat("\"", std::string(1 << 20, 'x'), "\"")))},
          {"a megabyte of dots", std::string(1 << 20, '.')},
          {"nothing", ""}};
}

TEST_F(TrustedIssuersTest, EveryForgedTokenIsRefused) {
  TrustedIssuers::Options options = OutsideOptions();
  options.keys_file = file_;
  TrustedIssuers issuers(options);
  ASSERT_THAT(issuers.Start(), IsOk());
  ASSERT_THAT(issuers.Verify(outside_.Token(kHeader, ClaimsWith()), kNow), IsOk());

  for (const NamedTokens& forged : {BadSignatures(outside_), BadClaims(outside_)}) {
    for (const auto& [what, token] : forged) {
      EXPECT_EQ(issuers.Verify(token, kNow).status().code(), absl::StatusCode::kUnauthenticated)
          << what;
    }
  }
  // Leeway is a minute, no more.
  EXPECT_THAT(issuers.Verify(WithClaim(outside_, "exp", "1599999941"), kNow), IsOk());
  EXPECT_THAT(issuers.Verify(WithClaim(outside_, "nbf", "1600000060"), kNow), IsOk());
  const std::string typed = R"({"alg":"RS256","kid":"r1","typ":"at+jwt"})";
  EXPECT_THAT(issuers.Verify(WithHeader(outside_, typed), kNow), IsOk());
}

TEST_F(TrustedIssuersTest, KeysThatAreTooWeakOrOfAnotherUse) {
  EXPECT_FALSE(KeySet::FromJson(SetOf(RsaIssuer(1024).Jwk("weak"))).ok());
  EXPECT_FALSE(KeySet::FromJson(SetOf(outside_.Jwk("r", R"(,"use":"enc")"))).ok());
  EXPECT_FALSE(KeySet::FromJson(SetOf(outside_.Jwk("r", R"(,"alg":"RS512")"))).ok());
  EXPECT_FALSE(KeySet::FromJson(SetOf(R"({"kty":"RSA","kid":"e","n":"AQAB","e":"AQAB"})")).ok());
  EXPECT_FALSE(KeySet::FromJson(SetOf(R"({"kty":"oct","kid":"s","k":"c2VjcmV0"})")).ok());
  // An issuer serves such keys beside those that we can use.
  const std::string mixed =
      SetOf(StrCat(outside_.Jwk("enc", R"(,"use":"enc")"), ",",
                   R"({"kty":"oct","kid":"s","k":"c2VjcmV0"})", ",", outside_.Jwk("good")));
  EXPECT_FALSE(KeySet::FromJson(mixed).ok());
  const auto lenient = KeySet::FromIssuer(mixed);
  ASSERT_THAT(lenient, IsOk());
  EXPECT_TRUE(lenient->Has("good"));
  EXPECT_FALSE(lenient->Has("enc"));
  EXPECT_FALSE(lenient->Has("s"));
  EXPECT_FALSE(KeySet::FromIssuer(SetOf(R"({"kty":"oct","kid":"s","k":"c2VjcmV0"})")).ok());
  EXPECT_FALSE(KeySet::FromIssuer("<html>").ok());
}

// Waits until the token is taken or not, as wanted; false after five seconds.
bool Becomes(const TrustedIssuers& issuers, const std::string& token, bool accepted) {
  for (int i = 0; i < 500; ++i) {
    if (issuers.Verify(token, kNow).ok() == accepted) return true;
    absl::SleepFor(absl::Milliseconds(10));
  }
  return false;
}

TEST_F(TrustedIssuersTest, TheFileIsReadAgainWhenItChanges) {
  TrustedIssuers::Options options = OutsideOptions();
  options.keys_file = file_;
  options.file_every = absl::Milliseconds(20);
  TrustedIssuers issuers(options);
  ASSERT_THAT(issuers.Start(), IsOk());
  const RsaIssuer next;
  const std::string old_token = outside_.Token(kHeader, ClaimsWith());
  const std::string new_token = next.Token(R"({"alg":"RS256","kid":"r2"})", ClaimsWith());
  EXPECT_THAT(issuers.Verify(old_token, kNow), IsOk());
  EXPECT_FALSE(issuers.Verify(new_token, kNow).ok());

  WriteKeys(SetOf(StrCat(outside_.Jwk("r1"), ",", next.Jwk("r2"))));
  EXPECT_TRUE(Becomes(issuers, new_token, true));
  EXPECT_THAT(issuers.Verify(old_token, kNow), IsOk());
  WriteKeys("half a fi");  // The keys at hand stay.
  absl::SleepFor(absl::Milliseconds(100));
  EXPECT_THAT(issuers.Verify(new_token, kNow), IsOk());
  WriteKeys(SetOf(next.Jwk("r2")));  // A withdrawn key takes its remembered tokens along.
  EXPECT_TRUE(Becomes(issuers, old_token, false));
  EXPECT_THAT(issuers.Verify(new_token, kNow), IsOk());

  options.keys_file = "/nowhere/keys.json";
  EXPECT_FALSE(TrustedIssuers(options).Start().ok());
}

// A JWKS address.
class KeyAddress {
 public:
  explicit KeyAddress(std::string set) : set_(std::move(set)) {
    server_.Get("/realms/gh/certs", [this](const httplib::Request&, httplib::Response& response) {
      const std::lock_guard lock(mutex_);
      ++asked_;
      if (set_.empty()) {
        response.status = 503;
      } else {
        response.set_content(set_, "application/json");
      }
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) absl::SleepFor(absl::Milliseconds(1));
  }
  ~KeyAddress() {
    server_.stop();
    thread_.join();
  }
  std::string url() const { return StrCat("http://127.0.0.1:", port_, "/realms/gh/certs"); }
  void Serve(const std::string& set) {
    const std::lock_guard lock(mutex_);
    set_ = set;
  }
  int asked() const { return asked_; }

 private:
  httplib::Server server_;
  std::thread thread_;
  std::mutex mutex_;
  std::string set_;
  std::atomic<int> asked_ = 0;
  int port_ = 0;
};

TEST_F(TrustedIssuersTest, TheAddressIsAskedWhenAKeyIsUnknown) {
  KeyAddress address(SetOf(outside_.Jwk("r1")));
  TrustedIssuers::Options options = OutsideOptions();
  options.keys_url = address.url();
  options.file_every = absl::Milliseconds(20);
  options.refresh_at_once_every = absl::Milliseconds(300);
  TrustedIssuers issuers(options);
  ASSERT_THAT(issuers.Start(), IsOk());
  EXPECT_THAT(issuers.Verify(outside_.Token(kHeader, ClaimsWith()), kNow), IsOk());
  EXPECT_EQ(address.asked(), 1);

  const RsaIssuer next;
  address.Serve(SetOf(StrCat(outside_.Jwk("r1"), ",", next.Jwk("r2"))));
  const std::string token = next.Token(R"({"alg":"RS256","kid":"r2"})", ClaimsWith());
  EXPECT_FALSE(issuers.Verify(token, kNow).ok());
  EXPECT_TRUE(Becomes(issuers, token, true));
  EXPECT_EQ(address.asked(), 2);

  // A flood of invented keys does not become a flood of questions.
  const absl::Time start = absl::Now();
  for (int i = 0; absl::Now() - start < absl::Milliseconds(700); ++i) {
    EXPECT_FALSE(
        issuers
            .Verify(next.Token(StrCat(R"({"alg":"RS256","kid":"x)", i, "\"}"), ClaimsWith()), kNow)
            .ok());
  }
  EXPECT_LE(address.asked(), 2 + 3);

  address.Serve("");  // Away: the last keys stay.
  const int before = address.asked();
  for (int i = 0; address.asked() == before && i < 200; ++i) {
    EXPECT_FALSE(
        issuers.Verify(next.Token(R"({"alg":"RS256","kid":"y"})", ClaimsWith()), kNow).ok());
    absl::SleepFor(absl::Milliseconds(10));
  }
  EXPECT_GT(address.asked(), before);
  EXPECT_THAT(issuers.Verify(token, kNow), IsOk());
}

TEST_F(TrustedIssuersTest, AnIssuerThatIsAwayAtTheStartComesLater) {
  KeyAddress address("");
  TrustedIssuers::Options options = OutsideOptions();
  options.keys_url = address.url();
  options.file_every = absl::Milliseconds(20);
  options.refresh_every = absl::Milliseconds(50);
  TrustedIssuers issuers(options);
  ASSERT_THAT(issuers.Start(), IsOk());
  const std::string token = outside_.Token(kHeader, ClaimsWith());
  EXPECT_FALSE(issuers.Verify(token, kNow).ok());
  address.Serve(SetOf(outside_.Jwk("r1")));
  EXPECT_TRUE(Becomes(issuers, token, true));

  options.keys_url = "sso.example.org/certs";
  EXPECT_FALSE(TrustedIssuers(options).Start().ok());
}

}  // namespace
}  // namespace gonghui::auth
