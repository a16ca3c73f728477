#include "services/cli/template.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "services/cli/columns.h"
#include "services/cli/csv.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

// A value that the column takes, where the catalogue has no example.
std::string Sample(const KindEntry& entry, const Column& column) {
  const auto& field = column.field;
  if (!field.example().empty()) return field.example();
  if (!field.default_value().empty()) return field.default_value();
  if (column.place == Place::kState || field.name() == "ends_on") return "";
  switch (field.type()) {
    case common::v1::FIELD_TYPE_DATE:
      return "2020-03-15";
    case common::v1::FIELD_TYPE_ORGANIZATION:
      return "T03";
    case common::v1::FIELD_TYPE_CODE: {
      const auto* list = entry.FindCodes(field.codes());
      return list == nullptr || list->codes().empty() ? "" : list->codes(0).code();
    }
    default:
      if (field.name() == "number") return "0001";
      return field.name() == "title" ? entry.kind().label().zh() : "";
  }
}

std::string TypeText(const KindEntry& entry, const common::v1::KindField& field) {
  const std::string type =
      absl::AsciiStrToLower(common::v1::FieldType_Name(field.type()).substr(sizeof("FIELD_TYPE")));
  if (field.type() == common::v1::FIELD_TYPE_RECORD) return type + " " + field.refers_to();
  if (field.type() == common::v1::FIELD_TYPE_MONEY) return "yuan";
  if (field.type() == common::v1::FIELD_TYPE_UNSPECIFIED) return "text";
  return type;
}

std::string CodesText(const KindEntry& entry, const common::v1::KindField& field) {
  const auto* list = entry.FindCodes(field.codes());
  if (list == nullptr) return "";
  std::vector<std::string> codes;
  for (const auto& code : list->codes()) {
    codes.push_back(code.label().zh().empty() ? code.code()
                                              : code.code() + "=" + code.label().zh());
  }
  if (list->open()) codes.push_back("(or any other text)");
  return absl::StrJoin(codes, " ");
}

}  // namespace

absl::StatusOr<std::string> TemplateText(const KindEntry& entry, bool english) {
  ASSIGN_OR_RETURN(const std::vector<Column> columns, ColumnsOf(entry));
  Cells header;
  Cells sample;
  for (const Column& column : columns) {
    const std::string& zh = column.field.label().zh();
    header.push_back(english || zh.empty() ? column.field.name() : zh);
    sample.push_back(Sample(entry, column));
  }
  return CsvLine(header) + CsvLine(sample);
}

absl::StatusOr<std::string> DescribeColumns(const Session& session, const KindEntry& entry) {
  ASSIGN_OR_RETURN(const std::vector<Column> columns, ColumnsOf(entry));
  Table table({session.Say("column", "列"), session.Say("heading", "表头"),
               session.Say("takes", "类型"), session.Say("required", "必填"),
               session.Say("codes and hints", "可填值与说明")});
  for (const Column& column : columns) {
    const auto& field = column.field;
    const std::string codes = CodesText(entry, field);
    const std::string hint = session.Say(field.hint().en(), field.hint().zh());
    table.Add({field.name(), field.label().zh(), TypeText(entry, field),
               field.required() ? session.Say("yes", "是") : "",
               absl::StrCat(codes, codes.empty() || hint.empty() ? "" : "  ", hint)});
  }
  const auto& help = entry.kind().help();
  return absl::StrCat(session.Say(help.en(), help.zh()), "\n", table.Text());
}

std::string DescribeKinds(const Session& session, const Kinds& kinds) {
  Table table({session.Say(">order", ">顺序"), session.Say("kind", "类别"),
               session.Say("label", "名称"), session.Say("service", "服务"),
               session.Say("number", "编号"), session.Say("system", "系统")});
  for (const KindEntry& entry : kinds.entries()) {
    const auto& kind = entry.kind();
    const std::string service = entry.service().substr(sizeof("gonghui.") - 1);
    table.Add({absl::StrCat(kind.import_order()), kind.name(),
               session.Say(kind.label().en(), kind.label().zh()),
               service.substr(0, service.find('.')),
               kind.number_required() ? session.Say("required", "必填") : "", kind.system()});
  }
  return table.Text();
}

}  // namespace gonghui::cli
