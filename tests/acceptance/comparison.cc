#include "tests/acceptance/comparison.h"

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/acceptance/csv_file.h"

namespace gonghui::district {
namespace {

using Rows = std::vector<std::vector<std::string>>;

constexpr int kDecimals = 6;  // Kept while comparing.

// Cells by heading.
class Table {
 public:
  explicit Table(Rows rows) : rows_(std::move(rows)) {
    for (size_t i = 0; !rows_.empty() && i < rows_[0].size(); ++i) column_[rows_[0][i]] = i;
  }
  size_t rows() const { return rows_.empty() ? 0 : rows_.size() - 1; }
  // Empty where the column or cell is missing.
  std::string Cell(size_t row, const std::string& heading) const {
    const auto column = column_.find(heading);
    if (row >= rows() || column == column_.end()) return "";
    const std::vector<std::string>& cells = rows_[row + 1];
    return column->second < cells.size() ? cells[column->second] : "";
  }

 private:
  Rows rows_;
  std::map<std::string, size_t> column_;
};

std::string Quoted(absl::string_view word) {
  return absl::StrCat("'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'");
}

// The value that the command answers for one figure; empty when it knows none.
absl::StatusOr<std::string> Ask(const std::vector<std::string>& command,
                                const ExpectedFigure& figure) {
  std::string line;
  for (const std::string& word : command) absl::StrAppend(&line, Quoted(word), " ");
  absl::StrAppend(&line, "--period ", Quoted(figure.period), " --measure ", Quoted(figure.measure));
  if (!figure.dimensions.empty()) {
    absl::StrAppend(&line, " --dimensions ", Quoted(figure.dimensions));
  }
  std::FILE* pipe = popen(line.c_str(), "r");
  if (pipe == nullptr) return absl::UnavailableError(absl::StrCat("cannot run ", line));
  std::string answer;
  char buffer[4096];
  while (size_t read = std::fread(buffer, 1, sizeof buffer, pipe)) answer.append(buffer, read);
  if (pclose(pipe) != 0) return absl::UnavailableError(absl::StrCat("failed: ", line));
  return Table(ParseCsv(answer)).Cell(0, "value");
}

absl::StatusOr<Rows> ReadRows(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  std::stringstream text;
  text << file.rdbuf();
  return ParseCsv(text.str());
}

// In units of 10^-6; nothing when the text is no decimal number.
std::optional<int64_t> ParseDecimal(absl::string_view text) {
  bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  int64_t value = 0;
  int decimals = -1;
  for (char c : text) {
    if (c == '.' && decimals < 0) {
      decimals = 0;
    } else if (c >= '0' && c <= '9' && decimals < kDecimals) {
      value = value * 10 + (c - '0');
      if (decimals >= 0) ++decimals;
    } else {
      return std::nullopt;
    }
  }
  for (int i = decimals < 0 ? 0 : decimals; i < kDecimals; ++i) value *= 10;
  return negative ? -value : value;
}

int64_t RoundTo(int64_t value, int64_t step) {
  const int64_t half = value < 0 ? -step / 2 : step / 2;
  return (value + half) / step * step;
}

}  // namespace

absl::StatusOr<std::vector<ExpectedFigure>> ReadExpected(const std::string& path) {
  absl::StatusOr<Rows> rows = ReadRows(path);
  if (!rows.ok()) return rows.status();
  const Table table(*std::move(rows));
  std::vector<ExpectedFigure> figures;
  for (size_t i = 0; i < table.rows(); ++i) {
    const auto cell = [&](const std::string& heading) { return table.Cell(i, heading); };
    const std::string derived = cell("derived"), note = cell("note");
    const bool from_records =
        derived == "sum" || derived == "count" || derived == "count_distinct" || derived == "ratio";
    if (!from_records || absl::StrContains(note, "implied") ||
        absl::StrContains(note, "qualitative")) {
      continue;
    }
    figures.push_back({cell("fig_id"), cell("measure"), cell("zh_label"), cell("value"),
                       cell("unit"), cell("period"), cell("dimensions")});
  }
  return figures;
}

bool SameFigure(absl::string_view expected, absl::string_view computed) {
  const std::optional<int64_t> left = ParseDecimal(expected), right = ParseDecimal(computed);
  if (!left.has_value() || !right.has_value()) return false;
  const size_t point = expected.find('.');
  const size_t decimals = point == absl::string_view::npos ? 0 : expected.size() - point - 1;
  int64_t step = 1;
  for (size_t i = decimals; i < kDecimals; ++i) step *= 10;
  return *left == RoundTo(*right, step);
}

absl::Status Compare(const std::string& expected_path, const std::string& out_path,
                     const std::vector<std::string>& command) {
  absl::StatusOr<std::vector<ExpectedFigure>> expected = ReadExpected(expected_path);
  if (!expected.ok()) return expected.status();
  CsvFile out({{"fig_id", ""},
               {"measure", ""},
               {"dimensions", ""},
               {"period", ""},
               {"expected", ""},
               {"computed", ""},
               {"equal", ""}});
  size_t equal = 0;
  for (const ExpectedFigure& figure : *expected) {
    absl::StatusOr<std::string> value = Ask(command, figure);
    if (!value.ok()) return value.status();
    const bool same = SameFigure(figure.value, *value);
    equal += same ? 1 : 0;
    out.Add({figure.fig_id, figure.measure, figure.dimensions, figure.period, figure.value, *value,
             same ? "true" : "false"});
    std::printf("%s %s %10s %10s %-11s %s%s%s  %s\n", same ? "=" : "X", figure.fig_id.c_str(),
                figure.value.c_str(), value->empty() ? "-" : value->c_str(), figure.unit.c_str(),
                figure.measure.c_str(), figure.dimensions.empty() ? "" : " ",
                figure.dimensions.c_str(), figure.label.c_str());
  }
  std::printf("%zu of %zu figures are equal\n", equal, expected->size());
  if (absl::Status written = out.Write(out_path); !written.ok()) return written;
  if (equal == expected->size() && equal > 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      expected->size() - equal, " of ", expected->size(), " figures differ; see ", out_path));
}

}  // namespace gonghui::district
