#include "common/rpc/tls.h"

#include <algorithm>
#include <cstdio>

#include "common/base/status.h"
#include "common/base/text.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "openssl/err.h"
#include "openssl/pem.h"
#include "openssl/x509.h"

namespace gonghui::rpc {
namespace {

using grpc::experimental::FileWatcherCertificateProvider;

struct Free {
  void operator()(std::FILE* file) const { std::fclose(file); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <typename T>
using Handle = std::unique_ptr<T, Free>;

Error BadFile(const std::string& path, std::string_view why, std::string_view why_zh) {
  ERR_clear_error();
  return FailedPrecondition(common::v1::REASON_FILE_UNREADABLE,
                            StrCat("TLS: ", path, " ", why,
                                   "; name a PEM file that this process "
                                   "may read"),
                            StrCat("TLS：", path, why_zh, "；请指定本进程可读的PEM文件"));
}

absl::StatusOr<Handle<X509>> ReadCertificate(const std::string& path) {
  const Handle<std::FILE> file(std::fopen(path.c_str(), "r"));
  if (file == nullptr) return BadFile(path, "cannot be opened", "无法打开");
  Handle<X509> certificate(PEM_read_X509(file.get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) return BadFile(path, "holds no certificate", "不含证书");
  return certificate;
}

absl::Status CheckPair(const TlsFiles& files) {
  ASSIGN_OR_RETURN(const Handle<X509> certificate, ReadCertificate(files.cert_file));
  if (X509_cmp_current_time(X509_get0_notAfter(certificate.get())) <= 0) {
    return BadFile(files.cert_file, "has expired", "已过期");
  }
  const Handle<std::FILE> file(std::fopen(files.key_file.c_str(), "r"));
  if (file == nullptr) return BadFile(files.key_file, "cannot be opened", "无法打开");
  const Handle<EVP_PKEY> key(PEM_read_PrivateKey(file.get(), nullptr, nullptr, nullptr));
  if (key == nullptr) return BadFile(files.key_file, "holds no private key", "不含私钥");
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return BadFile(files.key_file, "is not the key of the certificate", "与证书不匹配");
  }
  return absl::OkStatus();
}

unsigned int Seconds(const TlsFiles& files) {
  return static_cast<unsigned int>(std::max<int64_t>(1, absl::ToInt64Seconds(files.reload_every)));
}

}  // namespace

absl::Status CheckTlsFiles(const TlsFiles& files) {
  if (files.cert_file.empty() != files.key_file.empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                           "TLS: a certificate needs its key: give --tls-cert-file and "
                           "--tls-key-file together",
                           "TLS：证书与私钥须同时提供：请一并给出--tls-cert-file与--tls-key-file");
  }
  if (files.cert_file.empty() && (files.require_client || !files.client_ca_file.empty())) {
    return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                           "TLS: certificates of clients are looked at only with a certificate of "
                           "the server's own: give --tls-cert-file",
                           "TLS：校验客户端证书须先配置服务端证书：请给出--tls-cert-file");
  }
  if (files.require_client && files.client_ca_file.empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                           "TLS: --tls-require-client needs --tls-client-ca-file to verify with",
                           "TLS：--tls-require-client须同时给出--tls-client-ca-file");
  }
  if (!files.cert_file.empty()) RETURN_IF_ERROR(CheckPair(files));
  for (const std::string& path : {files.client_ca_file, files.ca_file}) {
    if (!path.empty()) RETURN_IF_ERROR(ReadCertificate(path).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const TlsFiles& files) {
  RETURN_IF_ERROR(CheckTlsFiles(files));
  if (files.cert_file.empty()) return std::shared_ptr<grpc::ServerCredentials>();
  grpc::experimental::TlsServerCredentialsOptions options(
      std::make_shared<FileWatcherCertificateProvider>(files.key_file, files.cert_file,
                                                       files.client_ca_file, Seconds(files)));
  options.watch_identity_key_cert_pairs();
  if (!files.client_ca_file.empty()) {
    options.watch_root_certs();
    options.set_cert_request_type(files.require_client
                                      ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                      : GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return grpc::experimental::TlsServerCredentials(options);
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeChannelCredentials(
    const TlsFiles& files) {
  RETURN_IF_ERROR(CheckTlsFiles(files));
  grpc::experimental::TlsChannelCredentialsOptions options;
  if (!files.cert_file.empty() || !files.ca_file.empty()) {
    options.set_certificate_provider(std::make_shared<FileWatcherCertificateProvider>(
        files.key_file, files.cert_file, files.ca_file, Seconds(files)));
  }
  if (!files.cert_file.empty()) options.watch_identity_key_cert_pairs();
  if (!files.ca_file.empty()) options.watch_root_certs();
  return grpc::experimental::TlsCredentials(options);
}

}  // namespace gonghui::rpc
