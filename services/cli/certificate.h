// The certificate that a server shows.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace gonghui::cli {

// When the certificate of HOST:PORT ends. Verifies nothing: whoever calls the server does.
absl::StatusOr<absl::Time> CertificateEnd(const std::string& address);

}  // namespace gonghui::cli
