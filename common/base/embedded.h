// Files compiled into the binary (schema/*.sql, catalog/*.yaml); CMake generates the accessors, for
// example gonghui::embedded::services_funds_schema() in "services/funds/embedded.h".
#pragma once

#include <string_view>
#include <vector>

namespace gonghui {

struct EmbeddedFile {
  std::string_view name;  // File name without folder.
  std::string_view text;
};

}  // namespace gonghui
