#include "common/rpc/security_log.h"

#include <array>
#include <cstdint>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/base/library_log.h"
#include "common/ops/metrics.h"

namespace gonghui::rpc {
namespace {

constexpr int kLinesPerSecond = 20;
constexpr std::array<std::string_view, 4> kKinds = {"token_refused", "certificate_refused",
                                                    "rate_limited", "service_denied"};

struct Kind {
  explicit Kind(std::string_view name)
      : events("gonghui_security_events_total", "Calls refused for reasons of security.",
               {{"kind", name}}) {}

  // False where the line is to be left out; otherwise how many were since the last one.
  bool Admit(int64_t& left_out) {
    const absl::MutexLock lock(&mutex);
    const int64_t now = absl::ToUnixSeconds(absl::Now());
    if (now != second) {
      second = now;
      lines = 0;
    }
    if (lines == kLinesPerSecond) {
      ++unwritten;
      return false;
    }
    ++lines;
    left_out = unwritten;
    unwritten = 0;
    return true;
  }

  const ops::Counter events;
  absl::Mutex mutex;
  int64_t second ABSL_GUARDED_BY(mutex) = 0;
  int lines ABSL_GUARDED_BY(mutex) = 0;
  int64_t unwritten ABSL_GUARDED_BY(mutex) = 0;
};

Kind& KindOf(SecurityEvent event) {
  static auto& kinds = *new std::array<Kind, kKinds.size()>{Kind(kKinds[0]), Kind(kKinds[1]),
                                                            Kind(kKinds[2]), Kind(kKinds[3])};
  return kinds[static_cast<size_t>(event)];
}

// As OpenSSL words it. Failures of another kind are those of probes and scanners.
void CountRefusedHandshake(std::string_view line) {
  if (line.find("certificate verify failed") != line.npos ||
      line.find("did not return a certificate") != line.npos) {
    KindOf(SecurityEvent::kCertificateRefused).events.Add();
  }
}

}  // namespace

void WatchSecurity() {
  KindOf(SecurityEvent::kTokenRefused);
  log::ObserveLibraryLines(CountRefusedHandshake);
}

void ReportSecurityEvent(SecurityEvent event, std::vector<log::Field> fields) {
  Kind& kind = KindOf(event);
  kind.events.Add();
  int64_t left_out = 0;
  if (!kind.Admit(left_out)) return;
  fields.insert(fields.begin(), {"kind", kKinds[static_cast<size_t>(event)]});
  if (left_out > 0) fields.emplace_back("left_out_before", left_out);
  log::Warning("security_event", fields);
}

}  // namespace gonghui::rpc
