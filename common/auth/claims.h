// The body of our tokens: JSON claims. Private to common/auth.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/auth/token.h"
#include "common/base/status.h"
#include "nlohmann/json.hpp"

namespace gonghui::auth {

std::string ClaimsToJson(const Claims& claims, absl::Time now);

// Checks form, issuer, audience and times; 60 s of clock skew are allowed. Errors: TOKEN_INVALID,
// TOKEN_EXPIRED.
absl::StatusOr<Claims> ReadClaims(std::string_view json, const TokenRules& rules, absl::Time now);

// A JSON object in which no name stands twice, at most 16 levels deep; a discarded value otherwise.
// Readers differ in which of two values they take, so neither is taken.
nlohmann::json ParseObject(std::string_view text);

// Whether a token that expires then is still good.
bool IsExpired(absl::Time expires, absl::Time now);
Error TokenExpired();
Error TokenInvalid(std::string_view why, std::string_view why_zh);

}  // namespace gonghui::auth
