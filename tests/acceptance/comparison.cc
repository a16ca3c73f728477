#include "tests/acceptance/comparison.h"

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/acceptance/csv_file.h"

namespace gonghui::district {
namespace {

using Rows = std::vector<std::vector<std::string>>;

constexpr size_t kValueColumn = 5;  // Of the file of computed figures.
constexpr int kDecimals = 6;        // Kept while comparing.

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
  if (rows->empty()) return absl::InvalidArgumentError(absl::StrCat(path, " is empty"));
  std::map<std::string, size_t> column;
  for (size_t i = 0; i < rows->front().size(); ++i) column[rows->front()[i]] = i;
  std::vector<ExpectedFigure> figures;
  for (size_t i = 1; i < rows->size(); ++i) {
    const std::vector<std::string>& row = (*rows)[i];
    const auto cell = [&](const std::string& name) {
      const auto found = column.find(name);
      return found == column.end() || found->second >= row.size() ? "" : row[found->second];
    };
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

absl::Status Compare(const std::string& expected_path, const std::string& figures_path,
                     const std::string& out_path) {
  absl::StatusOr<std::vector<ExpectedFigure>> expected = ReadExpected(expected_path);
  if (!expected.ok()) return expected.status();
  absl::StatusOr<Rows> figures = ReadRows(figures_path);
  if (!figures.ok()) return figures.status();
  std::map<std::string, std::string> computed;
  for (const std::vector<std::string>& row : *figures) {
    if (row.size() > kValueColumn) computed[row[0]] = row[kValueColumn];
  }

  CsvFile out({{"fig_id", ""},
               {"measure", ""},
               {"dimensions", ""},
               {"period", ""},
               {"expected", ""},
               {"computed", ""},
               {"equal", ""}});
  size_t equal = 0;
  for (const ExpectedFigure& figure : *expected) {
    const std::string value = computed[figure.fig_id];
    const bool same = SameFigure(figure.value, value);
    equal += same ? 1 : 0;
    out.Add({figure.fig_id, figure.measure, figure.dimensions, figure.period, figure.value, value,
             same ? "true" : "false"});
    std::printf("%s %s %12s %12s %-12s %s%s%s  %s\n", same ? "=" : "X", figure.fig_id.c_str(),
                figure.value.c_str(), value.empty() ? "-" : value.c_str(), figure.unit.c_str(),
                figure.measure.c_str(), figure.dimensions.empty() ? "" : " ",
                figure.dimensions.c_str(), figure.label.c_str());
  }
  std::printf("%zu of %zu figures are equal\n", equal, expected->size());
  if (absl::Status written = out.Write(out_path); !written.ok()) return written;
  if (equal == expected->size()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      expected->size() - equal, " of ", expected->size(), " figures differ; see ", out_path));
}

}  // namespace gonghui::district
