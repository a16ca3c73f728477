#include "services/membership/member_sheet.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "common/base/date.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/sheet/headings.h"
#include "common/sheet/reader.h"
#include "common/sheet/text.h"
#include "common/sheet/workbook.h"
#include "gonghui/common/v1/options.pb.h"
#include "services/membership/member_rules.h"

namespace gonghui::membership {
namespace {

using common::v1::KindField;

constexpr size_t kHeadRowsMost = 10;  // The official form has four.
constexpr std::string_view kUnkept = "member_form_column";
constexpr std::string_view kChangeType = "change_type";
constexpr std::string_view kEntryTypes = "member_entry_type";

// What the value looks like, without saying it.
std::string ShapeOf(std::string_view text) {
  constexpr size_t kMost = 24;
  std::string shape;
  size_t characters = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) == 0x80) continue;
    if (++characters > kMost) return shape + "…";
    if (byte >= 0x80) {
      shape += "字";
    } else if (absl::ascii_isdigit(byte)) {
      shape += '9';
    } else {
      shape += absl::ascii_isalpha(byte) ? 'A' : c;
    }
  }
  return shape;
}

// A message that repeats the value says "the value" in its place: it may be anybody's number.
std::string WithoutValue(std::string_view message, std::string_view value, std::string_view open,
                         std::string_view close, std::string_view instead) {
  if (value.empty()) return std::string(message);
  return Replace(message, StrCat(open, value, close), instead);
}

size_t CharactersOf(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

absl::StatusOr<std::string> DateOf(const std::string& text) {
  const bool serial = text.size() == 5 && text.find_first_not_of("0123456789") == text.npos;
  return serial ? sheet::NumberText(text, true, false) : NormalizeDate(text);
}

// The nearest code's label.
std::string NearestCode(const catalog::Catalog& catalog, std::string_view list,
                        const std::string& text) {
  const common::v1::CodeList* codes = catalog.FindCodes(list);
  if (codes == nullptr) return "";
  std::vector<std::string> labels;
  for (const common::v1::Code& code : codes->codes()) labels.push_back(code.label().zh());
  return sheet::Nearest(text, labels);
}

absl::Status HeadError(std::string_view en, std::string_view zh) {
  return InvalidArgument(
      common::v1::REASON_FIELD_UNKNOWN,
      StrCat("the headings of the file do not fit: ", en,
             "; gonghui import --describe member tells the columns"),
      StrCat("表头不符：", zh, "；可用 gonghui import --describe member 查看各列"));
}

}  // namespace

// Tells what the cells of a row are as headings.
class MemberSheet::HeadingRow {
 public:
  explicit HeadingRow(const catalog::Catalog& catalog) : catalog_(catalog) {
    const common::v1::Kind& kind = *catalog.FindKind("member");
    std::vector<KindField> fields(kind.fields().begin(), kind.fields().end());
    headings_ = sheet::HeadingsOf(fields);
    const common::v1::CodeList* unkept = catalog.FindCodes(kUnkept);
    for (int i = 0; unkept != nullptr && i < unkept->codes_size(); ++i) {
      unkept_.Add(unkept->codes(i).label().zh(), i);
      unkept_.Add(unkept->codes(i).label().en(), i);
      for (const std::string& alias : unkept->codes(i).aliases()) unkept_.Add(alias, i);
    }
  }

  // nullopt: no heading that anybody knows.
  std::optional<Column> ColumnOf(const std::string& cell) const {
    const common::v1::Kind& kind = *catalog_.FindKind("member");
    Column column{.field = "", .heading = sheet::Trimmed(cell)};
    if (const int found = headings_.Find(cell); found >= 0) {
      column.described = &kind.fields(found);
      column.field = column.described->name();
      column.target = v1::Member::descriptor()->FindFieldByName(column.field);
      column.max_len = column.target->options().GetExtension(common::v1::field).max_len();
      if (column.max_len == 0) column.max_len = 256;
      return column;
    }
    if (sheet::IsRejectHeading(cell)) return column;
    const int found = unkept_.Find(cell);
    if (found < 0) return std::nullopt;
    if (catalog_.FindCodes(kUnkept)->codes(found).code() == kChangeType) {
      column.field = std::string(kChangeType);
    }
    return column;
  }

 private:
  const catalog::Catalog& catalog_;
  sheet::Headings headings_;
  sheet::Headings unkept_;
};

absl::StatusOr<MemberSheet> MemberSheet::Open(const catalog::Catalog& catalog,
                                              std::unique_ptr<sheet::RowReader> rows) {
  MemberSheet file(catalog, std::move(rows));
  RETURN_IF_ERROR(file.ReadHead());
  return file;
}

absl::Status MemberSheet::ReadHead() {
  const HeadingRow headings(*catalog_);
  std::vector<Line> lines;
  size_t last = 0;
  bool found = false;
  for (bool more = true; more && lines.size() < kHeadRowsMost;) {
    sheet::Cells cells;
    ASSIGN_OR_RETURN(more, rows_->Next(cells));
    if (!more) break;
    size_t known = 0;
    for (const std::string& cell : cells) {
      known += static_cast<size_t>(!cell.empty() && headings.ColumnOf(cell).has_value());
    }
    if (known >= 2) {
      last = lines.size();
      found = true;
    }
    lines.push_back({rows_->row(), std::move(cells)});
  }
  if (!found) {
    return HeadError("none of the first ten rows holds the headings of the columns",
                     "前十行中没有表头");
  }
  RETURN_IF_ERROR(MatchColumns(lines, last));
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i <= last) {
      head_[lines[i].number] = std::move(lines[i].cells);
    } else {
      ahead_.push_back(std::move(lines[i]));
    }
  }
  return absl::OkStatus();
}

absl::Status MemberSheet::MatchColumns(const std::vector<Line>& lines, size_t last) {
  const HeadingRow headings(*catalog_);
  const common::v1::Kind& kind = *catalog_->FindKind("member");
  size_t width = 0;
  for (size_t i = 0; i <= last; ++i) width = std::max(width, lines[i].cells.size());
  columns_.resize(width);
  std::set<std::string> seen;
  for (size_t at = 0; at < width; ++at) {
    std::optional<Column> column;
    // Titles above are passed over, headings merged with cells above are found there.
    for (size_t i = last + 1; i-- > 0 && !column.has_value();) {
      if (at < lines[i].cells.size() && !sheet::Trimmed(lines[i].cells[at]).empty()) {
        column = headings.ColumnOf(lines[i].cells[at]);
      }
    }
    const bool blank =
        at >= lines[last].cells.size() || sheet::Trimmed(lines[last].cells[at]).empty();
    if (!column.has_value() && !blank) {
      const std::string letters = sheet::ColumnLetters(at);
      return HeadError(StrCat("column ", letters, " has a heading that nobody knows"),
                       StrCat(letters, " 列的标题不认识"));
    }
    if (!column.has_value()) continue;
    columns_[at] = *std::move(column);
    if (columns_[at].described == nullptr) {
      const bool unkept =
          columns_[at].field.empty() && !sheet::IsRejectHeading(columns_[at].heading);
      if (unkept) ignored_columns_.push_back(columns_[at].heading);
    } else if (!seen.insert(columns_[at].field).second) {
      return HeadError(StrCat("the column ", columns_[at].field, " stands twice"),
                       StrCat("“", columns_[at].described->label().zh(), "”列重复"));
    }
  }
  for (const KindField& field : kind.fields()) {
    if (!field.required() || field.name() == "organization" || seen.contains(field.name())) {
      continue;
    }
    return HeadError(StrCat("the column ", field.name(), " is missing"),
                     StrCat("缺少“", field.label().zh(), "”列"));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> MemberSheet::Next(MemberSheetRow& row) {
  for (;;) {
    row = MemberSheetRow();
    if (!ahead_.empty()) {
      row.number = ahead_.front().number;
      row.cells = std::move(ahead_.front().cells);
      ahead_.pop_front();
    } else {
      ASSIGN_OR_RETURN(const bool more, rows_->Next(row.cells));
      if (!more) return false;
      row.number = rows_->row();
    }
    if (sheet::IsSkippedRow(row.cells)) continue;
    Judge(row);
    return true;
  }
}

absl::Status MemberSheet::PutCell(const Column& column, const std::string& text,
                                  v1::Member& member) const {
  std::string half = sheet::Trimmed(sheet::Halfwidth(text));
  const KindField& field = *column.described;
  absl::StatusOr<std::string> value = text;
  switch (field.type()) {
    case common::v1::FIELD_TYPE_DATE:
      value = DateOf(half);
      break;
    case common::v1::FIELD_TYPE_BOOLEAN:
      value = sheet::YesOrNo(half);
      break;
    case common::v1::FIELD_TYPE_PERSON:
    case common::v1::FIELD_TYPE_ORGANIZATION:
      value = std::move(half);
      break;
    default:
      if (field.name() == "phone") value = std::move(half);
      break;
  }
  if (!value.ok()) return value.status();
  if (CharactersOf(*value) > static_cast<size_t>(column.max_len)) {
    return InvalidArgument(
        common::v1::REASON_FIELD_TOO_LONG,
        StrCat("the value is longer than ", column.max_len, " characters; shorten it"),
        StrCat("超过 ", column.max_len, " 个字符，请缩短"));
  }
  const auto* reflection = member.GetReflection();
  if (column.target->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_BOOL) {
    reflection->SetBool(&member, column.target, *value == "true");
  } else {
    reflection->SetString(&member, column.target, *std::move(value));
  }
  return absl::OkStatus();
}

void MemberSheet::Judge(MemberSheetRow& row) const {
  for (size_t at = 0; at < columns_.size(); ++at) {
    const Column& column = columns_[at];
    if (column.field.empty()) continue;
    std::string text = at < row.cells.size() ? sheet::Trimmed(row.cells[at]) : "";
    if (text.size() > 1 && text[0] == '\'') text.erase(0, 1);  // Spreadsheets' mark for text.
    if (column.field == kChangeType) {
      if (text.empty() || catalog_->FindCode(kEntryTypes, text) != nullptr) continue;
      AddFault(row, kChangeType,
               InvalidArgument(common::v1::REASON_FIELD_INVALID,
                               "only joinings and transfers in are imported; record leavings by "
                               "LeaveMember, or give left_on",
                               "导入只接受入会和转入；离会请另行办理，或填写离会日期"));
      continue;
    }
    const KindField& field = *column.described;
    if (text.empty()) {
      if (field.required() && field.name() != "organization") {
        AddFault(row, field.name(),
                 InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                                 "the cell is empty but must be filled", "此格必填，现为空"));
      }
      continue;
    }
    const absl::Status put = PutCell(column, text, row.member);
    if (!put.ok()) AddFault(row, field.name(), put);
  }
  if (row.cells.size() > columns_.size()) {
    AddFault(row, "",
             InvalidArgument(common::v1::REASON_FIELD_INVALID,
                             "the row has more cells than there are headings; look for stray "
                             "separators",
                             "单元格多于表头列数，请检查多余的分隔符"));
  }
  for (const absl::Status& fault : MemberFaults(*catalog_, "", row.member)) {
    AddFault(row, FieldOf(fault), fault);
  }
}

void MemberSheet::AddFault(MemberSheetRow& row, std::string_view field,
                           const absl::Status& status) const {
  for (const v1::MemberImportFault& fault : row.faults) {
    if (fault.field() == field) return;
  }
  v1::MemberImportFault& fault = row.faults.emplace_back();
  fault.set_row(row.number);
  fault.set_field(std::string(field));
  fault.set_reason(ReasonName(ReasonOf(status)));
  std::string value;
  for (size_t at = 0; at < columns_.size() && !field.empty(); ++at) {
    if (columns_[at].field != field) continue;
    fault.set_column(sheet::ColumnLetters(at));
    fault.set_heading(columns_[at].heading);
    if (at < row.cells.size()) value = sheet::Trimmed(row.cells[at]);
    const KindField* described = columns_[at].described;
    if (ReasonOf(status) == common::v1::REASON_CODE_UNKNOWN && described != nullptr) {
      fault.set_suggestion(NearestCode(*catalog_, described->codes(), value));
    }
  }
  fault.set_value_hint(ShapeOf(value));
  fault.set_message(WithoutValue(FromAbsl(status.message()), value, "'", "'", "the value"));
  fault.set_message_zh(WithoutValue(MessageZhOf(status), value, "“", "”", "该值"));
  for (const auto& [key, text] : MetadataOf(status)) {
    if (key == "member") fault.set_member(text);
  }
}

}  // namespace gonghui::membership
