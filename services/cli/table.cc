#include "services/cli/table.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/cli/text.h"

namespace gonghui::cli {

Table::Table(std::vector<std::string> headings) {
  for (std::string_view heading : headings) {
    right_.push_back(heading.starts_with('>'));
    headings_.emplace_back(heading.substr(right_.back() ? 1 : 0));
  }
}

std::string Table::Line(const std::vector<std::string>& cells,
                        const std::vector<int>& widths) const {
  std::string line;
  for (size_t i = 0; i < widths.size(); ++i) {
    const std::string cell = i < cells.size() ? cells[i] : "";
    const std::string padding(widths[i] - DisplayWidth(cell), ' ');
    absl::StrAppend(&line, i == 0 ? "" : "  ", right_[i] ? padding : cell,
                    right_[i] ? cell : padding);
  }
  absl::StripTrailingAsciiWhitespace(&line);
  return line + "\n";
}

std::string Table::Text() const {
  std::vector<int> widths;
  for (const std::string& heading : headings_) widths.push_back(DisplayWidth(heading));
  for (const auto& row : rows_) {
    for (size_t i = 0; i < widths.size() && i < row.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(row[i]));
    }
  }
  std::vector<std::string> rule;
  for (int width : widths) rule.emplace_back(width, '-');
  std::string text = Line(headings_, widths) + Line(rule, widths);
  for (const auto& row : rows_) text += Line(row, widths);
  return text;
}

}  // namespace gonghui::cli
