// Values of code lists as callers write them.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/catalog/catalog.h"

namespace gonghui::membership {

// Replaces a code, label or alias of the list by the code; empty stays empty, and an open list
// keeps what it does not know. REASON_CODE_UNKNOWN at `field` otherwise.
absl::Status ToCode(const catalog::Catalog& catalog, std::string_view list, std::string_view field,
                    std::string& value);

}  // namespace gonghui::membership
