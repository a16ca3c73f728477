#include "services/cli/columns.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "gonghui/common/v1/options.pb.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "gonghui/membership/v1/member.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "services/cli/text.h"

namespace gonghui::cli {
namespace {

using common::v1::KindField;

// A built-in column: headings that every kind accepts, and the field it fills in the messages of
// typed nouns.
struct BuiltIn {
  std::string_view name;
  common::v1::FieldType type;
  std::string_view zh;
  std::string_view en;
  std::vector<std::string> aliases;
  std::map<std::string_view, std::string_view> target;  // Noun -> field; records: the same name.
};

const std::vector<BuiltIn>& BuiltIns() {
  static const auto& columns = *new std::vector<BuiltIn>{
      {"number",
       common::v1::FIELD_TYPE_TEXT,
       "编号",
       "Number",
       {"序列号", "id", "no"},
       {{"organization", "id"}, {"book", "id"}, {"voucher", "source"}}},
      {"organization",
       common::v1::FIELD_TYPE_ORGANIZATION,
       "所属工会",
       "Organization",
       {"所属工会编码", "工会编码", "所属工会编号", "org"},
       {{"organization", "parent"}, {"member", "organization"}, {"book", "organization"}}},
      {"title",
       common::v1::FIELD_TYPE_TEXT,
       "名称",
       "Title",
       {"标题", "题目"},
       {{"organization", "display_name"},
        {"member", "full_name"},
        {"book", "display_name"},
        {"voucher", "memo"}}},
      {"on_date",
       common::v1::FIELD_TYPE_DATE,
       "日期",
       "Date",
       {"发生日期"},
       {{"organization", "founded_on"},
        {"member", "joined_on"},
        {"book", "opened_on"},
        {"voucher", "on_date"}}},
      {"ends_on", common::v1::FIELD_TYPE_DATE, "截止日期", "End date", {"结束日期"}, {}},
  };
  return columns;
}

const google::protobuf::Descriptor* Entry() { return funds::v1::Entry::descriptor(); }

// The field of a message for a catalogue field: the same name, with "_fen" for money.
const google::protobuf::FieldDescriptor* FindTarget(const google::protobuf::Descriptor* message,
                                                    const KindField& field) {
  const auto* target = message->FindFieldByName(field.name());
  return target != nullptr ? target : message->FindFieldByName(field.name() + "_fen");
}

bool IsRequired(const google::protobuf::FieldDescriptor* target) {
  return target->options().GetExtension(common::v1::field).required();
}

void SetLabel(KindField& field, std::string_view zh, std::string_view en) {
  if (field.label().zh().empty()) field.mutable_label()->set_zh(std::string(zh));
  if (field.label().en().empty()) field.mutable_label()->set_en(std::string(en));
}

Column BuiltInColumn(const BuiltIn& built_in, const common::v1::Kind& kind) {
  Column column;
  KindField& field = column.field;
  field.set_name(std::string(built_in.name));
  field.set_type(built_in.type);
  if (built_in.name == "title") *field.mutable_label() = kind.title_label();
  if (built_in.name == "on_date") *field.mutable_label() = kind.on_date_label();
  SetLabel(field, built_in.zh, built_in.en);
  field.add_aliases(std::string(built_in.zh));
  field.add_aliases(std::string(built_in.en));
  for (const std::string& alias : built_in.aliases) field.add_aliases(alias);
  return column;
}

void AddRecordColumns(const common::v1::Kind& kind, std::vector<Column>& columns) {
  for (const BuiltIn& built_in : BuiltIns()) {
    Column column = BuiltInColumn(built_in, kind);
    column.place = Place::kMessage;
    column.target = common::v1::Record::descriptor()->FindFieldByName(std::string(built_in.name));
    column.field.set_required(IsRequired(column.target) ||
                              (built_in.name == "number" && kind.number_required()) ||
                              (built_in.name == "title" && kind.title_required()));
    columns.push_back(std::move(column));
  }
  std::set<std::string> names;
  for (const KindField& field : kind.fields()) {
    if (field.has_computed()) continue;
    Column column;
    column.field = field;
    column.field.set_required(field.required() && field.default_value().empty());
    columns.push_back(std::move(column));
    names.insert(field.name());
  }
  for (int i = 1; i < kind.states_size(); ++i) {
    const auto& state = kind.states(i);
    Column column;
    column.field.set_name(state.name() + "_on");
    column.field.set_type(common::v1::FIELD_TYPE_DATE);
    for (const auto& transition : kind.transitions()) {
      // A step that leads to several states names none of them.
      const auto leads_elsewhere = [&](const auto& other) {
        return other.label().zh() == transition.label().zh() && other.to() != state.name();
      };
      if (transition.to() != state.name() ||
          std::any_of(kind.transitions().begin(), kind.transitions().end(), leads_elsewhere)) {
        continue;
      }
      SetLabel(column.field, transition.label().zh() + "日期", state.label().en() + " on");
      column.field.add_aliases(transition.label().zh() + "日期");
    }
    SetLabel(column.field, state.label().zh() + "日期", state.label().en() + " on");
    column.field.add_aliases(state.label().zh() + "日期");
    column.place = Place::kState;
    column.state = state.name();
    if (names.count(column.field.name()) == 0) columns.push_back(std::move(column));
  }
}

// The groups of a member beside the main one, several in one cell.
Column GroupTags(const google::protobuf::Descriptor* message) {
  Column column;
  column.field.set_name("group_tags");
  SetLabel(column.field, "其他群体", "other groups");
  column.field.add_aliases("群体标签");
  column.field.set_example("courier、ride_hailing_driver");
  column.field.mutable_hint()->set_zh("职工群体代码或名称，可多个，用顿号分隔");
  column.field.mutable_hint()->set_en("codes or labels of worker groups, parted by commas");
  column.place = Place::kMessage;
  column.target = message->FindFieldByName("group_tags");
  return column;
}

absl::Status AddTypedFields(const KindEntry& entry, std::vector<Column>& columns,
                            std::set<const google::protobuf::FieldDescriptor*>& filled) {
  const auto* message = ItemPrototype(entry.noun()).GetDescriptor();
  const bool voucher = entry.noun() == "voucher";
  for (const KindField& field : entry.kind().fields()) {
    Column column;
    column.field = field;
    column.place = Place::kMessage;
    column.target = FindTarget(message, field);
    for (const BuiltIn& built_in : BuiltIns()) {
      const auto target = built_in.target.find(entry.noun());
      if (column.target != nullptr || built_in.name != field.name()) continue;
      if (target != built_in.target.end()) {
        column.target = message->FindFieldByName(std::string(target->second));
      }
    }
    if (voucher && field.name() == "voucher") column.target = message->FindFieldByName("source");
    if (voucher && column.target == nullptr) {
      column.place = Place::kEntry;
      column.target = FindTarget(Entry(), field);
      if (field.name() == "entry_memo") column.target = Entry()->FindFieldByName("memo");
    }
    if (column.target == nullptr) {
      return Internal(absl::StrCat("the catalogue names the column ", field.name(), " of ",
                                   entry.kind().name(), ", which ", message->full_name(),
                                   " does not have"));
    }
    column.field.set_required(field.required() ||
                              (IsRequired(column.target) && field.default_value().empty()));
    filled.insert(column.target);
    columns.push_back(std::move(column));
  }
  if (entry.noun() == "member") columns.push_back(GroupTags(message));
  return absl::OkStatus();
}

void AddTypedBuiltIns(const KindEntry& entry, std::vector<Column>& columns,
                      const std::set<const google::protobuf::FieldDescriptor*>& filled) {
  const auto* message = ItemPrototype(entry.noun()).GetDescriptor();
  std::vector<Column> missing;
  for (const BuiltIn& built_in : BuiltIns()) {
    const auto target = built_in.target.find(entry.noun());
    if (target == built_in.target.end()) continue;
    Column column = BuiltInColumn(built_in, entry.kind());
    column.place = Place::kMessage;
    column.target = message->FindFieldByName(std::string(target->second));
    column.field.add_aliases(std::string(target->second));
    column.field.set_required(IsRequired(column.target));
    if (filled.count(column.target) == 0) missing.push_back(std::move(column));
  }
  columns.insert(columns.begin(), missing.begin(), missing.end());
}

sheet::Headings HeadingsOf(const std::vector<Column>& columns) {
  std::vector<KindField> fields;
  for (const Column& column : columns) fields.push_back(column.field);
  return sheet::HeadingsOf(fields);
}

// The problems of a header row, told in both languages.
struct Problems {
  std::vector<std::string> en;
  std::vector<std::string> zh;
};

void ReportUnknown(const std::vector<Column>& columns, const std::string& heading,
                   Problems& problems) {
  std::vector<std::string> known;
  for (const Column& column : columns) {
    known.push_back(column.field.name());
    known.push_back(column.field.label().zh());
  }
  const std::string nearest = Nearest(heading, known);
  problems.en.push_back(absl::StrCat("unknown column \"", heading, "\"",
                                     nearest.empty() ? "" : " (did you mean " + nearest + "?)"));
  problems.zh.push_back(absl::StrCat("不认识的列“", heading, "”",
                                     nearest.empty() ? "" : "（是否指“" + nearest + "”？）"));
}

absl::Status HeaderError(const std::vector<Column>& columns, const Problems& problems) {
  std::vector<std::string> en;
  std::vector<std::string> zh;
  for (const Column& column : columns) {
    en.push_back(column.field.name());
    zh.push_back(column.field.label().zh());
  }
  return InvalidArgument(
      common::v1::REASON_FIELD_UNKNOWN,
      absl::StrCat("The heading row does not fit: ", absl::StrJoin(problems.en, "; "),
                   ". Known columns: ", absl::StrJoin(en, ", "), "."),
      absl::StrCat("表头不符：", absl::StrJoin(problems.zh, "；"), "。可用的列：",
                   absl::StrJoin(zh, "、"), "。"));
}

}  // namespace

const google::protobuf::Message& ItemPrototype(std::string_view noun) {
  if (noun == "organization") return membership::v1::Organization::default_instance();
  if (noun == "member") return membership::v1::Member::default_instance();
  if (noun == "book") return funds::v1::Book::default_instance();
  if (noun == "voucher") return funds::v1::Voucher::default_instance();
  return common::v1::Record::default_instance();
}

absl::StatusOr<std::vector<Column>> ColumnsOf(const KindEntry& entry) {
  std::vector<Column> columns;
  if (entry.noun() == "record") {
    AddRecordColumns(entry.kind(), columns);
    return columns;
  }
  std::set<const google::protobuf::FieldDescriptor*> filled;
  RETURN_IF_ERROR(AddTypedFields(entry, columns, filled));
  AddTypedBuiltIns(entry, columns, filled);
  return columns;
}

absl::StatusOr<std::vector<int>> MatchHeader(const std::vector<Column>& columns,
                                             const Cells& header) {
  const sheet::Headings headings = HeadingsOf(columns);
  std::vector<int> matched;
  std::set<int> seen;
  Problems problems;
  for (const std::string& cell : header) {
    const bool ignored = HeadingKey(cell).empty() || IsRejectHeading(cell);
    matched.push_back(ignored ? -1 : headings.Find(cell));
    if (ignored) continue;
    if (matched.back() < 0) {
      ReportUnknown(columns, cell, problems);
    } else if (!seen.insert(matched.back()).second) {
      problems.en.push_back(absl::StrCat("column \"", cell, "\" stands twice"));
      problems.zh.push_back(absl::StrCat("“", cell, "”列重复"));
    }
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    const KindField& field = columns[i].field;
    if (!field.required() || seen.count(static_cast<int>(i)) > 0) continue;
    problems.en.push_back("required column \"" + field.name() + "\" is missing");
    problems.zh.push_back("缺少必填列“" + field.label().zh() + "”");
  }
  if (!problems.en.empty()) return HeaderError(columns, problems);
  return matched;
}

}  // namespace gonghui::cli
