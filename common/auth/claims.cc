#include "common/auth/claims.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "common/base/date.h"
#include "common/base/text.h"
#include "nlohmann/json.hpp"

namespace gonghui::auth {
namespace {

using nlohmann::json;

constexpr absl::Duration kClockSkew = absl::Seconds(60);
constexpr size_t kMostGrants = 1000;

std::string TextAt(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<absl::Time> TimeAt(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  const double seconds = found->get<double>();
  if (!(std::abs(seconds) < 1e12)) return std::nullopt;
  return absl::UnixEpoch() + absl::Seconds(seconds);
}

// The first of our audiences that the token is for; empty: none. "aud" is one text or a list (RFC
// 7519, 4.1.3).
std::string AudienceOf(const json& claims, const std::vector<std::string>& audiences) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return "";
  const auto names = [](const json& item, const std::string& audience) {
    return item.is_string() && item.get_ref<const std::string&>() == audience;
  };
  for (const std::string& audience : audiences) {
    if (names(*found, audience)) return audience;
    if (found->is_array() && std::any_of(found->begin(), found->end(),
                                         [&](const json& item) { return names(item, audience); })) {
      return audience;
    }
  }
  return "";
}

// Identity providers sign ID and refresh tokens with the same keys, and say so in "typ".
bool IsAccessToken(const json& claims) {
  const std::string type = ToLower(TextAt(claims, "typ"));
  return type.empty() || type == "bearer" || type == "jwt" || type == "at+jwt";
}

bool IsDateOrEmpty(const std::string& text) { return text.empty() || ParseDate(text).ok(); }

absl::StatusOr<std::vector<common::v1::Grant>> ReadGrants(const json& claims) {
  std::vector<common::v1::Grant> grants;
  const auto found = claims.find("grants");
  if (found == claims.end()) return grants;
  const Error malformed = TokenInvalid("has malformed grants", "中的授权格式有误");
  if (!found->is_array() || found->size() > kMostGrants) return malformed;
  for (const json& item : *found) {
    if (!item.is_object()) return malformed;
    common::v1::Grant grant;
    grant.set_role(TextAt(item, "role"));
    grant.set_organization(TextAt(item, "org"));
    grant.set_below(item.value("below", json(false)) == json(true));
    grant.set_from(TextAt(item, "from"));
    grant.set_until(TextAt(item, "until"));
    if (grant.role().empty() || grant.organization().empty() || !IsDateOrEmpty(grant.from()) ||
        !IsDateOrEmpty(grant.until())) {
      return malformed;
    }
    grants.push_back(std::move(grant));
  }
  return grants;
}

// "ROLE@ORG", "ROLE@ORG/*" or "ROLE@*"; nullopt for any other text.
std::optional<common::v1::Grant> ReadGrantText(std::string_view text) {
  const size_t at = text.find('@');
  if (at == 0 || at == text.npos) return std::nullopt;
  std::string_view organization = text.substr(at + 1);
  common::v1::Grant grant;
  grant.set_role(std::string(text.substr(0, at)));
  if (organization.ends_with("/*")) {
    organization.remove_suffix(2);
    grant.set_below(true);
  }
  if (organization.empty()) return std::nullopt;
  grant.set_organization(std::string(organization));
  return grant;
}

// `path` leads to a text or a list of texts; what is not there grants nothing.
void AddGrantTexts(const json& claims, std::string_view path,
                   std::vector<common::v1::Grant>& grants) {
  const json* at = &claims;
  for (std::string_view step : Split(path, '.')) {
    if (!at->is_object() || !at->contains(std::string(step))) return;
    at = &(*at)[std::string(step)];
  }
  const json list = at->is_array() ? *at : json::array({*at});
  for (const json& item : list) {
    if (!item.is_string() || grants.size() >= kMostGrants) continue;
    if (auto grant = ReadGrantText(item.get_ref<const std::string&>())) {
      grants.push_back(*std::move(grant));
    }
  }
}

}  // namespace

json ParseObject(std::string_view text) {
  constexpr int kDeepest = 16;
  std::vector<std::set<std::string>> names;  // Of the objects that are open.
  bool good = true;
  const json::parser_callback_t watch = [&](int depth, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start) names.emplace_back();
    if (event == json::parse_event_t::object_end) names.pop_back();
    if (event == json::parse_event_t::key) {
      good = good && names.back().insert(value.get<std::string>()).second;
    }
    good = good && depth <= kDeepest;
    return good;  // What is left out now costs nothing more.
  };
  json object = json::parse(text, watch, /*allow_exceptions=*/false);
  return good && object.is_object() ? std::move(object) : json(json::value_t::discarded);
}

Error TokenExpired() {
  return Unauthenticated(common::v1::REASON_TOKEN_EXPIRED, "The token has expired; get a new one",
                         "令牌已过期；请重新获取");
}

Error TokenInvalid(std::string_view why, std::string_view why_zh) {
  return Unauthenticated(common::v1::REASON_TOKEN_INVALID,
                         StrCat("The token ", why, "; get a new one from your federation's issuer"),
                         StrCat("令牌", why_zh, "；请向本联合会的签发方重新获取"));
}

bool IsExpired(absl::Time expires, absl::Time now) { return now >= expires + kClockSkew; }

std::string ClaimsToJson(const Claims& claims, absl::Time now) {
  json grants = json::array();
  for (const common::v1::Grant& grant : claims.actor.grants) {
    json item = {{"role", grant.role()}, {"org", grant.organization()}};
    if (grant.below()) item["below"] = true;
    if (!grant.from().empty()) item["from"] = grant.from();
    if (!grant.until().empty()) item["until"] = grant.until();
    grants.push_back(std::move(item));
  }
  const json body = {{"iss", claims.issuer},
                     {"aud", claims.audience},
                     {"sub", claims.actor.subject},
                     {"federation", claims.actor.federation},
                     {"grants", std::move(grants)},
                     {"iat", absl::ToUnixSeconds(now)},
                     {"nbf", absl::ToUnixSeconds(now)},
                     {"exp", absl::ToUnixSeconds(claims.expires)}};
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

absl::StatusOr<Claims> ReadClaims(std::string_view text, const TokenRules& rules, absl::Time now) {
  const json body = ParseObject(text);
  if (!body.is_object()) return TokenInvalid("holds no claims", "不含声明内容");
  Claims claims;
  claims.issuer = TextAt(body, "iss");
  if (std::find(rules.issuers.begin(), rules.issuers.end(), claims.issuer) == rules.issuers.end()) {
    return TokenInvalid("comes from another issuer", "的签发方不符");
  }
  claims.audience = AudienceOf(body, rules.audiences);
  if (claims.audience.empty()) return TokenInvalid("is for another audience", "不适用于本服务");
  if (!IsAccessToken(body)) return TokenInvalid("is no access token", "不是访问令牌");
  const std::optional<absl::Time> expires = TimeAt(body, "exp");
  if (!expires.has_value()) return TokenInvalid("names no time of expiry", "未载明有效期");
  claims.expires = *expires;
  if (IsExpired(claims.expires, now)) return TokenExpired();
  if (body.contains("nbf")) {
    const std::optional<absl::Time> not_before = TimeAt(body, "nbf");
    if (!not_before.has_value() || now + kClockSkew < *not_before) {
      return TokenInvalid("is not valid yet", "尚未生效");
    }
  }
  claims.actor.subject = TextAt(body, "sub");
  claims.actor.federation = TextAt(body, "federation");
  if (claims.actor.subject.empty() || claims.actor.federation.empty()) {
    return TokenInvalid("names no subject or no federation", "未载明持有人或所属联合会");
  }
  ASSIGN_OR_RETURN(claims.actor.grants, ReadGrants(body));
  if (!rules.grants_claim.empty()) {
    AddGrantTexts(body, rules.grants_claim, claims.actor.grants);
  }
  return claims;
}

}  // namespace gonghui::auth
