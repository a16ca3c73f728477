// Values of code lists as callers write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/catalog/catalog.h"

namespace gonghui::membership {

// Replaces a code, label or alias of the list by the code; empty stays empty, and an open list
// keeps what it does not know. REASON_CODE_UNKNOWN at `field` otherwise.
absl::Status ToCode(const catalog::Catalog& catalog, std::string_view list, std::string_view field,
                    std::string& value);

// The value that a limit of the catalogue has everywhere on a day. INTERNAL where the
// installation's catalogue sets none.
absl::StatusOr<int64_t> LimitOn(const catalog::Catalog& catalog, std::string_view name,
                                std::string_view day);

}  // namespace gonghui::membership
