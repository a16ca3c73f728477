// Certificates for tests of TLS, made with OpenSSL: P-256 keys, SHA-256.
#pragma once

#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace gonghui::testing {

// Both in PEM.
struct CertificatePair {
  std::string certificate;
  std::string key;
};

class CertificateAuthority {
 public:
  explicit CertificateAuthority(const std::string& name);
  ~CertificateAuthority();

  const std::string& certificate() const { return certificate_; }  // PEM.
  // A certificate for the names "DNS:localhost,IP:127.0.0.1,URI:spiffe://…", good from a day before
  // `ends` - or of now, whichever is earlier - until `ends`.
  CertificatePair Issue(const std::string& names,
                        absl::Time ends = absl::Now() + absl::Hours(1)) const;

 private:
  struct Keys;
  std::unique_ptr<Keys> keys_;
  std::string certificate_;
};

// Files cert.pem, key.pem and ca.pem (`roots`) in a folder that is replaced at once, as Kubernetes
// does with secrets: FOLDER is a link.
void PublishCertificates(const std::string& folder, const CertificatePair& pair,
                         const std::string& roots);

}  // namespace gonghui::testing
