// What those who guard an installation want to see: a log line "security_event" and a count each.
#pragma once

#include <string_view>
#include <vector>

#include "common/base/log.h"

namespace gonghui::rpc {

enum class SecurityEvent {
  kTokenRefused,        // Forged, expired, of another issuer …
  kCertificateRefused,  // In a handshake; or a service's token without a service's certificate.
  kRateLimited,
  kServiceDenied,  // A service account asked for what it may not do.
};

// Counts gonghui_security_events_total{kind} and writes one line; at most 20 lines of a kind a
// second, the next one tells how many were left out. No token text and no personal data in
// `fields`.
void ReportSecurityEvent(SecurityEvent event, std::vector<log::Field> fields);

// Makes the counters, so that they show 0 from the start, and has handshakes that fail for want of
// a good certificate counted (their lines are gRPC's own: see log::CaptureLibraryLogs).
void WatchSecurity();

}  // namespace gonghui::rpc
