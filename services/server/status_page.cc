#include "services/server/status_page.h"

#include <unistd.h>

#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/ops/process.h"
#include "common/ops/recent.h"
#include "common/ops/section.h"

namespace gonghui {
namespace {

std::string OrNone(const std::string& value) { return value.empty() ? "-" : value; }

std::string ProcessText(const std::string& state, int port, int http_port) {
  const ops::ProcessFacts facts = ops::ReadProcess();
  return StrCat(ops::BuildText(), "\n\nprocess ", getpid(), ": ", state, ", up ",
                absl::ToInt64Seconds(absl::Now() - facts.started), " s since ",
                absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", facts.started, absl::UTCTimeZone()), "\n  ",
                facts.resident_bytes >> 20, " MiB, ", facts.open_fds, " of ", facts.max_fds,
                " descriptors\n  gRPC port ", port, ", HTTP port ",
                http_port == 0 ? "none" : StrCat(http_port), "\n");
}

// What is secret is in files: their places are told, not what they hold.
std::string OptionsText(const Suite::Options& options) {
  std::string text = StrCat(
      "\noptions\n  services: ", absl::StrJoin(options.services, ","),
      "\n  listen: ", absl::StrJoin(options.listen, ","), "\n  data: ", options.data_dir,
      "\n  dev: ", options.dev ? "true" : "false", "\n  catalog: ", OrNone(options.catalog_dir),
      "\n  redis: ", OrNone(options.redis), "\n  cache_bytes: ", options.cache_bytes,
      "\n  keys_file: ", OrNone(options.issuers.keys_file),
      "\n  keys_url: ", OrNone(WithoutPassword(options.issuers.keys_url)),
      "\n  tls_cert_file: ", OrNone(options.tls.cert_file),
      "\n  tls_client_ca_file: ", OrNone(options.tls.client_ca_file),
      "\n  tls_require_client: ", options.tls.require_client ? "true" : "false",
      "\n  tls_ca_file: ", OrNone(options.tls.ca_file),
      "\n  service_names: ", OrNone(absl::StrJoin(options.service_names, ",")),
      "\n  caller_calls_per_second: ", options.limits.caller_per_second,
      "\n  federation_calls_per_second: ", options.limits.federation_per_second,
      "\n  service_token_file: ", OrNone(options.service_token_file),
      "\n  personal_keys_file: ", OrNone(options.personal_keys_file),
      "\n  personal_keys_command: ", options.personal_keys_command.empty() ? "-" : "(set)",
      "\n  ledger_key_file: ", OrNone(options.ledger_key_file),
      "\n  ledger_anchor: ", OrNone(WithoutPassword(options.ledger_anchor)),
      "\n  ledger_anchor_seconds: ", absl::ToInt64Seconds(options.ledger_anchor_every),
      "\n  request_days: ", options.request_days, "\n");
  for (const auto& [area, url] : options.database_urls) {
    StrAppend(&text, "  database of ", area, ": ", WithoutPassword(url), "\n");
  }
  for (const auto& [area, address] : options.peers) {
    StrAppend(&text, "  peer ", area, ": ", address, "\n");
  }
  return text;
}

std::string Titled(std::string_view title, std::string_view lines) {
  std::string text = StrCat("\n", title, "\n");
  for (const std::string_view line : Split(lines, '\n')) {
    if (!line.empty()) StrAppend(&text, "  ", line, "\n");
  }
  return text;
}

}  // namespace

std::string WithoutPassword(const std::string& url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  std::string shown = url.substr(0, url.find('?'));  // Parameters may hold a password too.
  const size_t begin = scheme + 3;
  const size_t at = shown.rfind('@');  // A password may hold one, and a slash before it.
  if (at == std::string::npos || at < begin) return shown;
  const size_t colon = shown.find(':', begin);
  if (colon < at) shown.replace(colon + 1, at - colon - 1, "***");
  return shown;
}

std::string StatusPage(const Suite::Options& options, const std::string& state, int port,
                       int http_port) {
  return StrCat(ProcessText(state, port, http_port), OptionsText(options), ops::TellSections(),
                Titled("slow statements", ops::RecentSlowStatements()),
                Titled("last errors", ops::RecentErrors()));
}

}  // namespace gonghui
