// What an operation knows about the call it serves.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/auth/grants.h"
#include "common/base/clock.h"

namespace gonghui::rpc {

struct Method;

// Lives as long as the call. Read-only for operations; used by one thread at a time.
struct Call {
  const Method* method = nullptr;
  const Clock* clock = &Clock::System();
  absl::Time deadline = absl::InfiniteFuture();
  std::string
      federation;  // The tenant: from the request's parent or name, checked against the token.
  auth::Actor actor;
  std::string traceparent;  // W3C, ours to pass on.
  std::string token;        // As received, for calls made on the caller's behalf.
  const auth::Roles* roles = nullptr;
  const auth::OrganizationScope* scope = nullptr;
  std::function<bool()> is_cancelled = [] { return false; };

  // OK when the caller holds this method's permission at the organisation (id); empty: the whole
  // federation.
  absl::Status CheckScope(std::string_view organization) const;
  // The same for another permission.
  absl::Status CheckScope(std::string_view permission, std::string_view organization) const;
  std::string Today() const { return clock->Today(); }
  std::string trace_id() const { return traceparent.size() >= 35 ? traceparent.substr(3, 32) : ""; }
};

}  // namespace gonghui::rpc
