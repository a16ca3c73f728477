#include "common/auth/claims.h"

#include <algorithm>
#include <cmath>
#include <optional>

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

// "aud" is one text or a list (RFC 7519, 4.1.3).
bool IsFor(const json& claims, std::string_view audience) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return false;
  if (found->is_string()) return found->get_ref<const std::string&>() == audience;
  return found->is_array() && std::any_of(found->begin(), found->end(), [&](const json& item) {
           return item.is_string() && item.get_ref<const std::string&>() == audience;
         });
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

}  // namespace

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

absl::StatusOr<Claims> ReadClaims(std::string_view text, std::string_view issuer,
                                  std::string_view audience, absl::Time now) {
  const json body = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!body.is_object()) return TokenInvalid("holds no claims", "不含声明内容");
  Claims claims;
  claims.issuer = TextAt(body, "iss");
  claims.audience = audience;
  if (claims.issuer != issuer) return TokenInvalid("comes from another issuer", "的签发方不符");
  if (!IsFor(body, audience)) return TokenInvalid("is for another audience", "不适用于本服务");
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
  return claims;
}

}  // namespace gonghui::auth
