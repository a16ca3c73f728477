#include "common/crypto/sm3.h"

#include <gcrypt.h>

#include "absl/strings/escaping.h"
#include "common/base/text.h"
#include "common/crypto/gcrypt_must.h"

namespace gonghui::crypto {

struct Sm3::State {
  State() { Must(gcry_md_open(&handle, GCRY_MD_SM3, 0)); }
  ~State() { gcry_md_close(handle); }
  gcry_md_hd_t handle = nullptr;
};

Sm3::Sm3() : state_(std::make_unique<State>()) {}
Sm3::~Sm3() = default;

void Sm3::Add(std::string_view bytes) { gcry_md_write(state_->handle, bytes.data(), bytes.size()); }

std::string Sm3::Hex() const {
  gcry_md_hd_t copy = nullptr;
  Must(gcry_md_copy(&copy, state_->handle));
  const auto* digest = reinterpret_cast<const char*>(gcry_md_read(copy, GCRY_MD_SM3));
  const std::string hex = absl::BytesToHexString(
      ToAbsl({digest, static_cast<size_t>(gcry_md_get_algo_dlen(GCRY_MD_SM3))}));
  gcry_md_close(copy);
  return hex;
}

}  // namespace gonghui::crypto
