#include "services/cli/import_rows.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/base/id.h"
#include "common/base/money.h"
#include "common/base/status.h"
#include "common/rpc/validate.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "services/cli/text.h"

namespace gonghui::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int kCodesInHint = 30;
constexpr size_t kAutoDigits = 16;  // Of the digest in a number made here.

absl::Status NotANumber() {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         "This is not a whole number: write digits only.",
                         "不是整数，请只填数字。");
}

// Sets a field of any type from text.
absl::Status SetField(const FieldDescriptor* target, common::v1::FieldType type,
                      const std::string& text, Message& message) {
  const auto* reflection = message.GetReflection();
  if (target->is_repeated()) {
    const std::string parted =
        absl::StrReplaceAll(text, {{"、", ","}, {"，", ","}, {"；", ","}, {";", ","}});
    for (const auto part : absl::StrSplit(parted, ',')) {
      if (const std::string one = Trimmed(std::string(part)); !one.empty()) {
        reflection->AddString(&message, target, one);
      }
    }
    return absl::OkStatus();
  }
  switch (target->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      reflection->SetBool(&message, target, text == "true");
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_INT32: {
      int64_t value = 0;
      if (type == common::v1::FIELD_TYPE_MONEY) {
        ASSIGN_OR_RETURN(value, ParseYuan(text));
      } else if (!absl::SimpleAtoi(text, &value)) {
        return NotANumber();
      }
      if (target->cpp_type() == FieldDescriptor::CPPTYPE_INT64) {
        reflection->SetInt64(&message, target, value);
      } else {
        reflection->SetInt32(&message, target, static_cast<int32_t>(value));
      }
      return absl::OkStatus();
    }
    default:
      reflection->SetString(&message, target, text);
      return absl::OkStatus();
  }
}

// True when the message holds another value there already.
bool Contradicts(const FieldDescriptor* target, const std::string& text, const Message& message) {
  if (target->is_repeated() || target->cpp_type() != FieldDescriptor::CPPTYPE_STRING) return false;
  const std::string present = message.GetReflection()->GetString(message, target);
  return !present.empty() && present != text;
}

std::pair<std::string, std::string> CodesHint(const common::v1::CodeList& list) {
  std::vector<std::string> en;
  std::vector<std::string> zh;
  for (const auto& code : list.codes()) {
    if (static_cast<int>(en.size()) == kCodesInHint) break;
    en.push_back(code.code());
    zh.push_back(code.label().zh().empty() ? code.code() : code.label().zh());
  }
  return {"Known values: " + absl::StrJoin(en, ", ") + ".",
          "可填：" + absl::StrJoin(zh, "、") + "。"};
}

std::pair<std::string, std::string> ReferenceHint(const common::v1::KindField& field) {
  if (field.type() == common::v1::FIELD_TYPE_RECORD) {
    return {"Load the " + field.refers_to() + " file first, or correct the number.",
            "请先导入 " + field.refers_to() + " 文件，或更正编号。"};
  }
  return {"Load the organization file first, or correct the code; gonghui tree shows all codes.",
          "请先导入工会组织文件，或更正编码；gonghui tree 可查看全部编码。"};
}

// What to do about an error of a column.
std::pair<std::string, std::string> HintFor(const KindEntry& entry, const Column* column,
                                            std::string_view reason, bool damaged) {
  if (damaged) {
    return {"Format the column as text in the spreadsheet, then enter the number again.",
            "请在电子表格中先将该列设为文本格式，再重新填写。"};
  }
  if (reason == "ALREADY_EXISTS") {
    return {"The platform holds this record with other content: correct the file, or the record.",
            "平台已有同一记录但内容不同，请更正文件或修改平台上的记录。"};
  }
  if (column == nullptr) return {"", ""};
  if (reason == "CODE_UNKNOWN") {
    const auto* list = entry.FindCodes(column->field.codes());
    if (list != nullptr) return CodesHint(*list);
  }
  const bool refers = column->field.type() == common::v1::FIELD_TYPE_RECORD ||
                      column->field.type() == common::v1::FIELD_TYPE_ORGANIZATION;
  if (refers && (reason == "REFERENCE_NOT_FOUND" || reason == "NOT_FOUND")) {
    return ReferenceHint(column->field);
  }
  return {column->field.hint().en(), column->field.hint().zh()};
}

}  // namespace

absl::StatusOr<ImportFile> ImportFile::Open(const KindEntry& entry, const std::string& path) {
  ASSIGN_OR_RETURN(CsvFile file, ReadCsvFile(path));
  return FromCsv(entry, std::move(file));
}

absl::StatusOr<ImportFile> ImportFile::FromCsv(const KindEntry& entry, CsvFile file) {
  ImportFile result(entry);
  result.file_ = std::move(file);
  RETURN_IF_ERROR(result.ReadHeader());
  result.ReadRows();
  return result;
}

absl::Status ImportFile::ReadHeader() {
  while (header_ < file_.rows.size() && IsSkippedRow(file_.rows[header_])) ++header_;
  if (header_ == file_.rows.size()) {
    return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                           "The file is empty: it needs a heading row. gonghui import --template " +
                               entry_->kind().name() + " prints one.",
                           "文件是空的，至少要有表头；gonghui import --template " +
                               entry_->kind().name() + " 可生成。");
  }
  ASSIGN_OR_RETURN(columns_, ColumnsOf(*entry_));
  ASSIGN_OR_RETURN(matched_, MatchHeader(columns_, file_.rows[header_]));
  return absl::OkStatus();
}

void ImportFile::ReadRows() {
  for (size_t i = header_ + 1; i < file_.rows.size(); ++i) {
    if (IsSkippedRow(file_.rows[i])) {
      ++skipped_;
      continue;
    }
    ++rows_;
    ReadRow(static_cast<int>(i) + 1, file_.rows[i]);
  }
  for (const Item& item : items_) {
    if (std::none_of(item.rows.begin(), item.rows.end(),
                     [&](int row) { return broken_.count(row) > 0; })) {
      CheckItem(item.rows.front(), item);
    }
  }
  DropBroken();
  if (entry_->noun() == "organization") SortParentsFirst();
}

std::string ImportFile::CellOf(const Cells& cells, std::string_view name) const {
  for (size_t i = 0; i < matched_.size() && i < cells.size(); ++i) {
    if (matched_[i] < 0) continue;
    const Column& column = columns_[matched_[i]];
    if (column.target != nullptr && column.target->name() == name &&
        column.place == Place::kMessage) {
      return Trimmed(cells[i]);
    }
  }
  return "";
}

Item& ImportFile::ItemFor(int row, const Cells& cells) {
  if (entry_->noun() == "voucher") {
    const std::string key = CellOf(cells, "book") + "\n" + CellOf(cells, "source");
    const auto [at, added] = vouchers_.try_emplace(key, items_.size());
    if (!added) {
      items_[at->second].rows.push_back(row);
      return items_[at->second];
    }
  }
  Item& item = items_.emplace_back();
  item.message.reset(ItemPrototype(entry_->noun()).New());
  item.rows.push_back(row);
  if (auto* record = dynamic_cast<common::v1::Record*>(item.message.get())) {
    record->set_kind(entry_->kind().name());
  }
  return item;
}

void ImportFile::ReadRow(int row, const Cells& cells) {
  Item& item = ItemFor(row, cells);
  Message* line = nullptr;
  if (auto* voucher = dynamic_cast<funds::v1::Voucher*>(item.message.get())) {
    line = voucher->add_entries();
  }
  std::vector<std::pair<int, std::string>> entered;
  for (size_t i = 0; i < matched_.size(); ++i) {
    if (matched_[i] >= 0) PutCell(row, i, i < cells.size() ? cells[i] : "", item, line, entered);
  }
  for (size_t i = matched_.size(); i < cells.size(); ++i) {
    if (Trimmed(cells[i]).empty()) continue;
    Report(row, nullptr,
           InvalidArgument(
               common::v1::REASON_FIELD_INVALID,
               "The row has more cells than there are headings: check for stray separators.",
               "单元格多于表头列数，请检查多余的分隔符。"));
    break;
  }
  NumberRecord(cells, item);
  if (entered.empty()) return;
  auto advances = AdvancesOf(entry_->kind(), std::move(entered));
  if (advances.ok()) {
    item.advances = *std::move(advances);
  } else {
    Report(row, ColumnAt(FieldOf(advances.status())), advances.status());
  }
}

void ImportFile::NumberRecord(const Cells& cells, Item& item) {
  auto* record = dynamic_cast<common::v1::Record*>(item.message.get());
  if (record == nullptr || !record->number().empty() || entry_->kind().number_required()) return;
  std::string content = entry_->kind().name();
  for (const std::string& cell : cells) absl::StrAppend(&content, "\x1f", Trimmed(cell));
  const int occurrence = ++occurrences_[content];
  record->set_number(absl::StrCat(
      "auto-", ContentId(absl::StrCat(content, "\x1e", occurrence)).substr(0, kAutoDigits)));
}

void ImportFile::PutCell(int row, size_t at, const std::string& text, Item& item, Message* line,
                         std::vector<std::pair<int, std::string>>& entered) {
  const Column& column = columns_[matched_[at]];
  const bool typed = entry_->noun() != "record";
  std::string cell = Trimmed(text);
  if (cell.empty() && typed) cell = column.field.default_value();
  if (cell.empty()) {
    const bool later_line = item.rows.size() > 1 && column.place == Place::kMessage;
    if (column.field.required() && !later_line) {
      Report(row, &column,
             InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                             "The cell is empty but must be filled.", "此格必填，现为空。"));
    }
    return;
  }
  const auto value = NormalizeCell(*entry_, column.field, cell);
  if (!value.ok()) return Report(row, &column, value.status());
  absl::Status put;
  switch (column.place) {
    case Place::kState:
      for (int i = 0; i < entry_->kind().states_size(); ++i) {
        if (entry_->kind().states(i).name() == column.state) entered.emplace_back(i, *value);
      }
      break;
    case Place::kFieldMap:
      (*static_cast<common::v1::Record&>(*item.message).mutable_fields())[column.field.name()] =
          *value;
      break;
    case Place::kEntry:
      put = SetField(column.target, column.field.type(), *value, *line);
      break;
    case Place::kMessage:
      if (item.rows.size() > 1 && Contradicts(column.target, *value, *item.message)) {
        put = InvalidArgument(common::v1::REASON_DUPLICATE_IN_REQUEST,
                              "The rows of one voucher contradict each other in this column.",
                              "同一凭证的各行在此列不一致。");
      } else {
        put = SetField(column.target, column.field.type(), *value, *item.message);
      }
      break;
  }
  if (!put.ok()) Report(row, &column, put);
}

void ImportFile::CheckItem(int row, const Item& item) {
  const absl::Status status = rpc::Validate(*item.message);
  if (status.ok()) return;
  const auto error = Explain(item, ToItemFailure(0, status));
  errors_.push_back(error);
  broken_.insert(error.row);
  broken_.insert(row);
}

void ImportFile::DropBroken() {
  std::vector<Item> whole;
  for (Item& item : items_) {
    if (std::none_of(item.rows.begin(), item.rows.end(),
                     [&](int row) { return broken_.count(row) > 0; })) {
      whole.push_back(std::move(item));
    } else {
      broken_.insert(item.rows.begin(), item.rows.end());
    }
  }
  items_ = std::move(whole);
}

void ImportFile::SortParentsFirst() {
  std::map<std::string, size_t> by_id;
  const auto organization = [&](size_t i) -> const membership::v1::Organization& {
    return static_cast<const membership::v1::Organization&>(*items_[i].message);
  };
  for (size_t i = 0; i < items_.size(); ++i) by_id.try_emplace(organization(i).id(), i);
  std::vector<size_t> order;
  std::vector<bool> taken(items_.size(), false);
  for (size_t i = 0; i < items_.size(); ++i) {
    // The way up to the first ancestor that is placed already or not in the file; a cycle ends it
    // too.
    std::vector<size_t> way;
    for (size_t at = i; !taken[at];) {
      taken[at] = true;
      way.push_back(at);
      const auto parent = by_id.find(organization(at).parent());
      if (parent == by_id.end()) break;
      at = parent->second;
    }
    order.insert(order.end(), way.rbegin(), way.rend());
  }
  std::vector<Item> sorted;
  for (size_t at : order) sorted.push_back(std::move(items_[at]));
  items_ = std::move(sorted);
}

void ImportFile::Report(int row, const Column* column, const absl::Status& status) {
  RowError error;
  error.row = row;
  error.column = HeadingOf(column);
  error.reason = ReasonName(ReasonOf(status));
  error.message = std::string(status.message());
  error.message_zh = MessageZhOf(status);
  bool damaged = false;
  for (const auto& [key, value] : MetadataOf(status)) damaged |= key == "cause";
  std::tie(error.hint, error.hint_zh) = HintFor(*entry_, column, error.reason, damaged);
  errors_.push_back(std::move(error));
  broken_.insert(row);
}

RowError ImportFile::Explain(const Item& item, const common::v1::ItemFailure& failure) const {
  RowError error;
  error.row = item.rows.front();
  const std::vector<std::string> parts = absl::StrSplit(failure.field(), absl::ByAnyChar(".[]\""));
  size_t entry = 0;
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i] == "entries" && absl::SimpleAtoi(parts[i + 1], &entry) &&
        entry < item.rows.size()) {
      error.row = item.rows[entry];
    }
  }
  const Column* column = ColumnAt(failure.field());
  error.column = HeadingOf(column);
  error.reason = failure.reason();
  error.message = failure.message();
  error.message_zh = failure.message_zh().empty() ? failure.message() : failure.message_zh();
  std::tie(error.hint, error.hint_zh) = HintFor(*entry_, column, error.reason, false);
  return error;
}

const Column* ImportFile::ColumnAt(std::string_view path) const {
  std::string name;
  for (const std::string& part :
       std::vector<std::string>(absl::StrSplit(std::string(path), absl::ByAnyChar(".[]\"")))) {
    int64_t index = 0;
    if (!part.empty() && !absl::SimpleAtoi(part, &index)) name = part;
  }
  if (name.empty()) return nullptr;
  for (const Column& column : columns_) {
    if (column.field.name() == name) return &column;
  }
  for (const Column& column : columns_) {
    if (column.target != nullptr && column.target->name() == name) return &column;
  }
  return nullptr;
}

std::string ImportFile::HeadingOf(const Column* column) const {
  if (column == nullptr) return "";
  for (size_t i = 0; i < matched_.size(); ++i) {
    if (matched_[i] >= 0 && &columns_[matched_[i]] == column) return Trimmed(header()[i]);
  }
  return column->field.name();
}

}  // namespace gonghui::cli
