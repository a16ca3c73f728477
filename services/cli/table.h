// Tables on a terminal.
#pragma once

#include <string>
#include <vector>

namespace gonghui::cli {

// Columns as wide as their widest cell; ideographs take two places.
class Table {
 public:
  // A heading that starts with '>' names a right-aligned column.
  explicit Table(std::vector<std::string> headings);
  void Add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  std::string Text() const;
  bool empty() const { return rows_.empty(); }

 private:
  std::string Line(const std::vector<std::string>& cells, const std::vector<int>& widths) const;

  std::vector<std::string> headings_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace gonghui::cli
