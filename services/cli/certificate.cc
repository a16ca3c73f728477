#include "services/cli/certificate.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::cli {
namespace {

absl::Status NoCertificate(const std::string& address) {
  return Unavailable(common::v1::REASON_UNAVAILABLE, StrCat(address, " shows no certificate"),
                     StrCat(address, " 没有出示证书"));
}

}  // namespace

absl::StatusOr<absl::Time> CertificateEnd(const std::string& address) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  SSL_CTX_free);
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> connection(BIO_new_ssl_connect(context.get()),
                                                                 BIO_free_all);
  SSL* ssl = nullptr;
  BIO_get_ssl(connection.get(), &ssl);
  const std::string host = address.substr(0, address.rfind(':'));
  constexpr unsigned char kHttp2[] = {2, 'h', '2'};
  SSL_set_alpn_protos(ssl, kHttp2, sizeof(kHttp2));
  SSL_set_tlsext_host_name(ssl, host.c_str());
  BIO_set_conn_hostname(connection.get(), address.c_str());
  if (BIO_do_connect(connection.get()) <= 0) return NoCertificate(address);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(ssl),
                                                                X509_free);
  std::tm end{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1) {
    return NoCertificate(address);
  }
  return absl::FromTM(end, absl::UTCTimeZone());
}

}  // namespace gonghui::cli
