#include "services/cli/levy_file.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "common/base/date.h"
#include "common/base/money.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/sheet/headings.h"
#include "common/sheet/reader.h"
#include "services/cli/csv.h"
#include "services/cli/text.h"

namespace gonghui::cli {
namespace {

// Positions of the columns among the headings; -1 where there is none.
std::vector<int> PlacesOf(const sheet::Cells& row, const std::vector<LevyColumn>& columns) {
  sheet::Headings headings;
  for (size_t i = 0; i < row.size(); ++i) headings.Add(row[i], static_cast<int>(i));
  std::vector<int> places;
  for (const LevyColumn& column : columns) {
    int place = -1;
    for (const std::string& name : column.names) {
      if (place < 0) place = headings.Find(name);
    }
    places.push_back(place);
  }
  return places;
}

}  // namespace

absl::StatusOr<LevyFile> LevyFile::Read(const std::string& path,
                                        const std::vector<LevyColumn>& columns) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  ASSIGN_OR_RETURN(const std::vector<sheet::Table> tables, sheet::ReadTables(bytes));
  LevyFile file;
  file.columns_ = columns;
  std::string missing;
  for (const LevyColumn& column : columns) {
    if (column.required) StrAppend(&missing, missing.empty() ? "" : ", ", column.names.front());
  }
  for (const sheet::Table& table : tables) {
    for (size_t i = 0; i < table.rows.size(); ++i) {
      if (!file.places_.empty()) {
        if (!sheet::IsSkippedRow(table.rows[i])) file.rows_.emplace_back(i + 1, table.rows[i]);
        continue;
      }
      std::vector<int> places = PlacesOf(table.rows[i], columns);
      bool all = true;
      for (size_t c = 0; c < columns.size(); ++c) {
        all = all && (places[c] >= 0 || !columns[c].required);
      }
      if (all) file.places_ = std::move(places);
    }
    if (!file.places_.empty()) return file;
  }
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat(path, " has no row of headings with: ", missing),
                         StrCat(path, " 中没有包含以下列名的表头：", missing));
}

std::string LevyFile::Text(size_t row, size_t column) const {
  const int place = places_[column];
  const sheet::Cells& cells = rows_[row].second;
  if (place < 0 || static_cast<size_t>(place) >= cells.size()) return "";
  return Trimmed(Halfwidth(cells[static_cast<size_t>(place)]));
}

absl::Status LevyFile::Bad(size_t row, size_t column) const {
  const std::string& name = columns_[column].names.front();
  return InvalidArgument(
      common::v1::REASON_FIELD_INVALID,
      StrCat("row ", line(row), ", ", name, ": '", Text(row, column),
             "' cannot be read; correct the file"),
      StrCat("第 ", line(row), " 行“", name, "”：“", Text(row, column), "”无法识别，请改正文件"));
}

absl::StatusOr<int64_t> LevyFile::Fen(size_t row, size_t column) const {
  const std::string text = Text(row, column);
  if (text.empty()) return 0;
  const auto fen = ParseYuan(text);
  return fen.ok() ? *fen : absl::StatusOr<int64_t>(Bad(row, column));
}

absl::StatusOr<int32_t> LevyFile::Rate(size_t row, size_t column) const {
  std::string text = Text(row, column);
  if (text.empty()) return 0;
  const bool percent = text.ends_with('%');
  if (percent) text.pop_back();
  double value = 0;
  if (!absl::SimpleAtod(text, &value) || !(value >= 0) || value > 100) return Bad(row, column);
  return static_cast<int32_t>(std::lround(value * (percent ? 100 : 10'000)));
}

absl::StatusOr<std::string> LevyFile::Date(size_t row, size_t column) const {
  const std::string text = Text(row, column);
  if (text.empty()) return text;
  const auto date = NormalizeDate(text);
  return date.ok() ? *date : absl::StatusOr<std::string>(Bad(row, column));
}

LevyFaults::LevyFaults(const Session& session)
    : session_(session),
      table_({session.Say(">row", ">行"), session.Say("field", "字段"),
              session.Say("fault", "错误")}) {}

void LevyFaults::AddOne(size_t line, const common::v1::ItemFailure& failure) {
  table_.Add(
      {StrCat(line), failure.field(), session_.Say(failure.message(), failure.message_zh())});
}

void LevyFaults::Show() const {
  if (!session_.json()) Print(table_.Text());
}

}  // namespace gonghui::cli
