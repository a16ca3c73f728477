// Calls of libgcrypt that cannot fail in a sane process.
#pragma once

#include <gcrypt.h>

#include <cstdlib>
#include <string_view>

#include "common/base/log.h"

namespace gonghui::crypto {

// libgcrypt fails only when misused or out of memory: nothing can go on then.
inline void Must(gcry_error_t error) {
  if (error == 0) return;
  log::Error("crypto", {{"cause", std::string_view(gcry_strerror(error))}});
  std::abort();
}

}  // namespace gonghui::crypto
