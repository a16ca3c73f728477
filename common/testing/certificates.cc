#include "common/testing/certificates.h"

#include <atomic>
#include <filesystem>
#include <fstream>

#include "common/base/text.h"
#include "google/protobuf/stubs/logging.h"
#include "openssl/bio.h"
#include "openssl/evp.h"
#include "openssl/pem.h"
#include "openssl/x509v3.h"

namespace gonghui::testing {
namespace {

namespace fs = std::filesystem;

struct Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* text) const { BIO_free(text); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
};
template <typename T>
using Handle = std::unique_ptr<T, Free>;

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}

std::string PemOf(X509* certificate) {
  const Handle<BIO> text(BIO_new(BIO_s_mem()));
  GOOGLE_CHECK_EQ(PEM_write_bio_X509(text.get(), certificate), 1);
  return TextOf(text.get());
}

std::string PemOf(EVP_PKEY* key) {
  const Handle<BIO> text(BIO_new(BIO_s_mem()));
  GOOGLE_CHECK_EQ(PEM_write_bio_PrivateKey(text.get(), key, nullptr, nullptr, 0, nullptr, nullptr),
                  1);
  return TextOf(text.get());
}

void Extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Handle<X509_EXTENSION> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  GOOGLE_CHECK(extension != nullptr) << value;
  X509_add_ext(certificate, extension.get(), -1);
}

// Not signed yet.
Handle<X509> NewCertificate(const std::string& common_name, EVP_PKEY* key, absl::Time ends) {
  static std::atomic<long> serial{1};
  Handle<X509> certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  const absl::Time begins = std::min(absl::Now(), ends) - absl::Hours(24);
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), absl::ToTimeT(begins));
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), absl::ToTimeT(ends));
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                             0);
  return certificate;
}

void WriteFile(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

struct CertificateAuthority::Keys {
  Handle<EVP_PKEY> key{EVP_EC_gen("P-256")};
  Handle<X509> certificate;
};

CertificateAuthority::CertificateAuthority(const std::string& name)
    : keys_(std::make_unique<Keys>()) {
  keys_->certificate = NewCertificate(name, keys_->key.get(), absl::Now() + absl::Hours(24));
  X509* const certificate = keys_->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  Extend(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  Extend(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  Extend(certificate, certificate, NID_subject_key_identifier, "hash");
  GOOGLE_CHECK_GT(X509_sign(certificate, keys_->key.get(), EVP_sha256()), 0);
  certificate_ = PemOf(certificate);
}

CertificateAuthority::~CertificateAuthority() = default;

CertificatePair CertificateAuthority::Issue(const std::string& names, absl::Time ends) const {
  const Handle<EVP_PKEY> key(EVP_EC_gen("P-256"));
  const Handle<X509> certificate = NewCertificate("gonghui", key.get(), ends);
  X509* const issuer = keys_->certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer));
  Extend(certificate.get(), issuer, NID_subject_alt_name, names);
  Extend(certificate.get(), issuer, NID_ext_key_usage, "serverAuth,clientAuth");
  Extend(certificate.get(), issuer, NID_authority_key_identifier, "keyid");
  GOOGLE_CHECK_GT(X509_sign(certificate.get(), keys_->key.get(), EVP_sha256()), 0);
  return {PemOf(certificate.get()), PemOf(key.get())};
}

void PublishCertificates(const std::string& folder, const CertificatePair& pair,
                         const std::string& roots) {
  static std::atomic<int> version{0};
  const fs::path content = StrCat(folder, "-", ++version);
  fs::create_directories(content);
  WriteFile(content / "cert.pem", pair.certificate);
  WriteFile(content / "key.pem", pair.key);
  WriteFile(content / "ca.pem", roots);
  const fs::path link = StrCat(folder, ".new");
  fs::create_directory_symlink(content, link);
  fs::rename(link, folder);
}

}  // namespace gonghui::testing
