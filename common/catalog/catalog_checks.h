// What must hold in a catalogue beyond its form.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/catalog/catalog.h"

namespace gonghui::catalog {

// Lower_snake: a-z, 0-9 and _, beginning with a letter.
bool IsSnake(std::string_view name);

// Names, codes, references, states, transitions, keys, facts, postings and rules of one kind. The
// error begins with `where` (file and kind).
absl::Status CheckKind(const Catalog& catalog, const common::v1::Kind& kind,
                       std::string_view where);

}  // namespace gonghui::catalog
