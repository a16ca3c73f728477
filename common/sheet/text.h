// Text as spreadsheets and people write it: encodings, full-width characters, headings, column
// widths.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace gonghui::sheet {

// The bytes of a text file as UTF-8 without byte order mark: a mark decides, else strict UTF-8,
// else GB18030. Errors: FIELD_INVALID for workbooks (xlsx, xls) and for bytes that are none of
// these encodings.
absl::StatusOr<std::string> DecodeText(std::string_view bytes);

bool IsUtf8(std::string_view text);  // Strict: no surrogates, no overlong forms.

// Full-width ASCII and the ideographic space become their ordinary forms: "２０２０－０１" ->
// "2020-01".
std::string Halfwidth(std::string_view text);

// Without white space at the ends, ideographic and no-break spaces included.
std::string Trimmed(std::string_view text);

// What two spellings of one heading have in common: half width, lower case, no white space,
// brackets or asterisks.
std::string HeadingKey(std::string_view heading);

// Without the part in brackets: "金额(元)" -> "金额".
std::string WithoutBrackets(std::string_view heading);

// Columns of a terminal that the text takes; ideographs take two.
int DisplayWidth(std::string_view text);

// The candidate nearest to `text` by edit distance over characters; empty when none is near.
std::string Nearest(std::string_view text, const std::vector<std::string>& candidates);

}  // namespace gonghui::sheet
