#include "services/reports/return_sheet.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/sheet/text.h"
#include "services/reports/returns.h"

namespace gonghui::reports {
namespace {

using sheet::Cell;

constexpr std::string_view kForm = "报表代码";
constexpr std::string_view kPeriod = "报告期";
constexpr std::string_view kUnit = "填报单位";
constexpr std::string_view kItem = "项目";
constexpr std::string_view kCode = "代码";
constexpr std::string_view kMeasuredIn = "计量单位";
constexpr std::string_view kReason = "说明";
constexpr size_t kFixedColumns = 3;  // Item, code, unit: values follow.
// What people write where there is nothing.
constexpr std::string_view kBlanks[] = {"", "-", "--", "—", "——", "/", "…", "……"};

Cell Text(std::string_view text) { return {std::string(text), Cell::Kind::kText}; }
Cell Head(std::string_view text) { return {std::string(text), Cell::Kind::kHead}; }

// The cell of a row in a column; nullptr where the form has none there.
const FormPlace* PlaceAt(const Form& form, int row, int column) {
  for (const FormPlace& place : form.places()) {
    if (place.row_index == row && place.column_index == column) return &place;
  }
  return nullptr;
}

struct Words {
  std::string en;
  std::string zh;
};

// A decimal number as people type it, in 10^-decimals units; nullopt with `wrong` set.
std::optional<int64_t> ReadNumber(std::string_view raw, int decimals, Words& wrong, Words& hint) {
  std::string text;
  for (const char c : sheet::Halfwidth(raw)) {
    if (c != ',' && c != ' ' && c != '\'') text += c;
  }
  const bool negative = text.starts_with('-');
  std::string_view rest = std::string_view(text).substr(negative || text.starts_with('+') ? 1 : 0);
  const size_t dot = rest.find('.');
  std::string digits(rest.substr(0, dot));
  std::string fraction(dot == std::string_view::npos ? "" : rest.substr(dot + 1));
  while (fraction.ends_with('0')) fraction.pop_back();
  const std::string all = digits + fraction;
  if (digits.empty() || !std::all_of(all.begin(), all.end(), absl::ascii_isdigit)) {
    wrong = {StrCat("'", raw, "' is no number"), StrCat("“", raw, "”不是数字")};
    hint = {"write digits only, without units, formulas or 1.1E+17; leave blank what is unknown",
            "只写数字，不带单位、公式或 1.1E+17 形式；不掌握的留空"};
    return std::nullopt;
  }
  if (fraction.size() > static_cast<size_t>(decimals)) {
    wrong = {StrCat("'", raw, "' has more than ", decimals, " decimals"),
             StrCat("“", raw, "”的小数超过 ", decimals, " 位")};
    hint = {StrCat("round it to ", decimals, " decimals"),
            StrCat("请四舍五入到 ", decimals, " 位")};
    return std::nullopt;
  }
  fraction.resize(static_cast<size_t>(decimals), '0');
  int64_t value = 0;
  if (!ParseInteger(digits + fraction, &value) || !IsCellValue(value)) {
    wrong = {StrCat("'", raw, "' is out of range"), StrCat("“", raw, "”超出范围")};
    hint = {"check the unit", "请核对计量单位"};
    return std::nullopt;
  }
  return negative ? -value : value;
}

class SheetReader {
 public:
  SheetReader(const ReturnKey& key, const sheet::Table& table) : key_(key), table_(table) {}

  ReadReturnSheet Run() {
    CheckHead();
    if (FindHeadings()) {
      ReadRows();
      CheckMissing();
    }
    std::stable_sort(read_.faults.begin(), read_.faults.end(),
                     [](const auto& a, const auto& b) { return a.row() < b.row(); });
    return std::move(read_);
  }

 private:
  std::string At(size_t row, size_t column) const {
    if (row >= table_.rows.size() || column >= table_.rows[row].size()) return "";
    return sheet::Trimmed(table_.rows[row][column]);
  }

  // Row and column from 0; a column beyond all stands for none.
  static constexpr size_t kNoColumn = ~size_t{0};
  void Fault(size_t row, size_t column, std::string_view code, common::v1::Reason reason,
             Words what, Words hint) {
    v1::SheetFault& fault = read_.faults.emplace_back();
    fault.set_row(static_cast<int32_t>(row) + 1);
    if (column != kNoColumn) fault.set_column(sheet::ColumnLetters(column));
    fault.set_code(std::string(code));
    fault.set_reason(ReasonName(reason));
    fault.set_message(std::move(what.en));
    fault.set_message_zh(std::move(what.zh));
    fault.set_hint(std::move(hint.en));
    fault.set_hint_zh(std::move(hint.zh));
  }

  // Whose return of which form and period the file says it is; each must be right and there.
  void CheckHead() {
    const std::pair<std::string_view, std::string_view> wanted[] = {
        {kForm, key_.form->name()}, {kPeriod, key_.period.text}, {kUnit, key_.organization}};
    const size_t rows = std::min<size_t>(table_.rows.size(), 10);
    for (const auto& [label, value] : wanted) {
      bool found = false;
      for (size_t row = 0; row < rows && !found; ++row) {
        for (size_t column = 0; column < table_.rows[row].size(); ++column) {
          if (At(row, column) != label) continue;
          found = true;
          const std::string stated = At(row, column + 1);
          if (ToUpper(stated) == ToUpper(value)) break;
          Fault(row, column + 1, "", common::v1::REASON_FIELD_INVALID,
                {StrCat("the file is of '", stated, "', not of '", value, "'"),
                 StrCat(label, "为“", stated, "”，应为“", value, "”")},
                {"import it where it belongs, or correct the cell",
                 "请导入到对应的报表，或改正该格"});
          break;
        }
      }
      if (found) continue;
      Fault(
          0, kNoColumn, "", common::v1::REASON_FIELD_REQUIRED,
          {StrCat("the cell '", label, "' is missing at the top"), StrCat("表头缺少“", label, "”")},
          {"fill in the file that ExportForm gives", "请使用 ExportForm 导出的表格填写"});
    }
  }

  bool FindHeadings() {
    for (size_t row = 0; row < table_.rows.size(); ++row) {
      std::map<std::string, size_t> columns;
      for (size_t column = 0; column < table_.rows[row].size(); ++column) {
        columns.emplace(sheet::HeadingKey(At(row, column)), column);
      }
      const auto code = columns.find(std::string(kCode));
      if (code == columns.end() || !columns.contains(std::string(kItem))) continue;
      head_ = row;
      code_column_ = code->second;
      item_column_ = columns.at(std::string(kItem));
      if (const auto found = columns.find(std::string(kReason)); found != columns.end()) {
        reason_column_ = found->second;
      }
      for (const v1::FormColumn& column : key_.form->message().columns()) {
        const auto found = columns.find(sheet::HeadingKey(column.label().zh()));
        value_columns_.push_back(found == columns.end() ? kNoColumn : found->second);
        if (found != columns.end()) continue;
        Fault(row, kNoColumn, "", common::v1::REASON_FIELD_REQUIRED,
              {StrCat("the column '", column.label().zh(), "' is missing"),
               StrCat("缺少列“", column.label().zh(), "”")},
              {"restore the heading as exported", "请恢复导出表格的列名"});
      }
      return true;
    }
    Fault(0, kNoColumn, "", common::v1::REASON_FILE_UNREADABLE,
          {StrCat("no row holds the headings '", kItem, "' and '", kCode, "'"),
           StrCat("没有找到列名“", kItem, "”“", kCode, "”所在的行")},
          {"fill in the file that ExportForm gives", "请使用 ExportForm 导出的表格填写"});
    return false;
  }

  int RowOf(std::string_view code) const {
    const v1::Form& form = key_.form->message();
    for (int i = 0; i < form.rows_size(); ++i) {
      if (!form.rows(i).code().empty() && form.rows(i).code() == code) return i;
    }
    return -1;
  }

  void ReadRows() {
    for (size_t row = head_ + 1; row < table_.rows.size(); ++row) {
      const std::string code = sheet::Halfwidth(At(row, code_column_));
      if (code.empty()) {
        CheckNoValues(row);
        continue;
      }
      const int index = RowOf(code);
      if (index < 0) {
        Fault(
            row, code_column_, "", common::v1::REASON_FIELD_INVALID,
            {StrCat("the form has no row '", code, "'"), StrCat("报表没有代码为“", code, "”的行")},
            {"codes are text: keep leading zeros and do not add rows",
             "代码为文本，请保留前导零，不要增加行"});
        continue;
      }
      if (!seen_.insert(index).second) {
        Fault(row, code_column_, code, common::v1::REASON_DUPLICATE_IN_REQUEST,
              {StrCat("the row ", code, " stands twice"), StrCat("代码 ", code, " 重复")},
              {"keep one of them", "请只保留一行"});
        continue;
      }
      ReadRow(row, index);
    }
  }

  // Totals that people add, and remarks below the table, hold no values of the form.
  void CheckNoValues(size_t row) {
    for (const size_t column : value_columns_) {
      if (column == kNoColumn || At(row, column).empty()) continue;
      Fault(row, column, "", common::v1::REASON_FIELD_INVALID,
            {"a value stands in a row without code", "没有代码的行填有数值"},
            {"restore the code, or clear the cell", "请恢复该行代码，或清除该格"});
    }
  }

  void ReadRow(size_t row, int index) {
    const FormPlace* first = nullptr;
    for (size_t i = 0; i < value_columns_.size(); ++i) {
      if (value_columns_[i] == kNoColumn) continue;
      const std::string raw = At(row, value_columns_[i]);
      const FormPlace* place = PlaceAt(*key_.form, index, static_cast<int>(i));
      if (first == nullptr) first = place;
      if (std::find(std::begin(kBlanks), std::end(kBlanks), raw) != std::end(kBlanks)) continue;
      if (place == nullptr) {
        Fault(row, value_columns_[i], "", common::v1::REASON_FIELD_INVALID,
              {"the form has no cell here", "报表此处没有可填的格"},
              {"clear the cell", "请清除该格"});
        continue;
      }
      Words wrong;
      Words hint;
      const auto value = ReadNumber(raw, place->row->decimals(), wrong, hint);
      if (!value.has_value()) {
        Fault(row, value_columns_[i], place->code(), common::v1::REASON_FIELD_INVALID,
              std::move(wrong), std::move(hint));
      } else if (*value < 0 && !place->cell->negative()) {
        Fault(row, value_columns_[i], place->code(), common::v1::REASON_CELL_INVALID,
              {StrCat("'", raw, "' is below zero"), StrCat("“", raw, "”为负数")},
              {"check the sign", "请核对符号"});
      } else {
        read_.values[place->code()] = *value;
      }
    }
    if (reason_column_ == kNoColumn || first == nullptr) return;
    constexpr size_t kReasonBytesMost = 500;
    const std::string reason = At(row, reason_column_);
    if (reason.size() > kReasonBytesMost) {
      Fault(row, reason_column_, first->code(), common::v1::REASON_FIELD_TOO_LONG,
            {"the reason is too long", "说明过长"}, {"shorten it", "请精简"});
    } else {
      read_.reasons[first->code()] = reason;
    }
  }

  void CheckMissing() {
    const v1::Form& form = key_.form->message();
    for (int i = 0; i < form.rows_size(); ++i) {
      if (form.rows(i).code().empty() || seen_.contains(i)) continue;
      Fault(head_, kNoColumn, form.rows(i).code(), common::v1::REASON_FIELD_REQUIRED,
            {StrCat("the row ", form.rows(i).code(), " is missing"),
             StrCat("缺少代码 ", form.rows(i).code(), "（", form.rows(i).label().zh(), "）的行")},
            {"restore it; leave its values blank where there are none",
             "请恢复该行，没有数值的留空"});
    }
  }

  const ReturnKey& key_;
  const sheet::Table& table_;
  ReadReturnSheet read_;
  size_t head_ = 0;
  size_t code_column_ = kNoColumn;
  size_t item_column_ = kNoColumn;
  size_t reason_column_ = kNoColumn;
  std::vector<size_t> value_columns_;  // By column of the form.
  std::set<int> seen_;
};

}  // namespace

sheet::Sheet WriteReturnSheet(const ReturnKey& key, const StoredReturn& stored,
                              const std::string& display_name) {
  const v1::Form& form = key.form->message();
  sheet::Sheet sheet;
  sheet.name = form.name().substr(0, 31);
  sheet.widths = {36, 10, 10};
  sheet.rows.push_back({Head(form.label().zh())});
  sheet.rows.push_back({Head(kForm), Text(form.name()), Head(kPeriod), Text(key.period.text),
                        Head(kUnit), Text(key.organization), Text(display_name)});
  sheet.rows.push_back({Head("依据"), Text(form.citation())});
  std::vector<Cell>& headings = sheet.rows.emplace_back();
  headings = {Head(kItem), Head(kCode), Head(kMeasuredIn)};
  for (const v1::FormColumn& column : form.columns()) {
    headings.push_back(Head(column.label().zh()));
    sheet.widths.push_back(16);
  }
  headings.push_back(Head(kReason));
  sheet.widths.push_back(40);
  sheet.head_rows = static_cast<int>(sheet.rows.size());
  for (int row = 0; row < form.rows_size(); ++row) {
    std::vector<Cell>& line = sheet.rows.emplace_back();
    const bool heading = form.rows(row).code().empty();
    line = {heading ? Head(form.rows(row).label().zh()) : Text(form.rows(row).label().zh()),
            Text(form.rows(row).code()), Text(form.rows(row).unit_label().zh())};
    if (heading) continue;
    std::string reason;
    for (int column = 0; column < form.columns_size(); ++column) {
      Cell& cell = line.emplace_back();
      const FormPlace* place = PlaceAt(*key.form, row, column);
      if (place == nullptr) {
        cell.text = "—";
        continue;
      }
      cell.kind = Cell::Kind::kNumber;
      const auto found = stored.cells.find(place->code());
      if (found == stored.cells.end()) continue;
      if (found->second.value.has_value()) {
        cell.text = FormatCell(*place->row, *found->second.value);
      }
      if (reason.empty()) reason = found->second.reason;
    }
    line.push_back(Text(reason));
  }
  return sheet;
}

ReadReturnSheet ParseReturnSheet(const ReturnKey& key, const sheet::Table& table) {
  return SheetReader(key, table).Run();
}

}  // namespace gonghui::reports
