#include "common/catalog/catalog.h"

#include <algorithm>

#include "common/base/date.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/catalog/catalog_checks.h"
#include "common/catalog/yaml_message.h"

namespace gonghui::catalog {
namespace {

using common::v1::Code;
using common::v1::CodeList;
using common::v1::Kind;

absl::Status Fault(std::string_view where, std::string_view what, std::string_view what_zh) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID, StrCat(where, ": ", what),
                         StrCat(where, "：", what_zh));
}

// Codes, labels and aliases meet here regardless of case and surrounding space.
std::string Folded(std::string_view text) { return ToLower(Strip(text)); }

}  // namespace

absl::StatusOr<Catalog> Catalog::Load(std::string_view area,
                                      const std::vector<EmbeddedFile>& files) {
  Catalog catalog;
  catalog.area_ = std::string(area);
  std::vector<std::string_view> list_files;
  std::vector<std::string_view> kind_files;
  std::vector<std::string_view> limit_files;
  for (const EmbeddedFile& file : files) {
    common::v1::Catalog part;
    RETURN_IF_ERROR(ParseYaml(file.name, file.text, part));
    list_files.resize(list_files.size() + part.code_lists_size(), file.name);
    kind_files.resize(kind_files.size() + part.kinds_size(), file.name);
    limit_files.resize(limit_files.size() + part.limits_size(), file.name);
    const std::string version = std::max(catalog.catalog_.version(), part.version());
    catalog.catalog_.MergeFrom(part);
    catalog.catalog_.set_version(version);
  }
  for (int i = 0; i < catalog.catalog_.code_lists_size(); ++i) {
    RETURN_IF_ERROR(catalog.AddCodes(i, list_files[i]));
  }
  for (int i = 0; i < catalog.catalog_.kinds_size(); ++i) {
    RETURN_IF_ERROR(catalog.AddKind(i, kind_files[i]));
  }
  for (int i = 0; i < catalog.catalog_.limits_size(); ++i) {
    RETURN_IF_ERROR(catalog.AddLimit(i, limit_files[i]));
  }
  // A record that others point to by number must have one.
  for (const Kind& kind : catalog.catalog_.kinds()) {
    for (const auto& field : kind.fields()) {
      const auto target = catalog.kinds_.find(field.refers_to());
      if (target == catalog.kinds_.end()) continue;
      Kind& parent = *catalog.catalog_.mutable_kinds(target->second);
      if (parent.key_size() != 1 || parent.key(0) == "number") parent.set_number_required(true);
    }
  }
  for (int i = 0; i < catalog.catalog_.kinds_size(); ++i) {
    const Kind& kind = catalog.catalog_.kinds(i);
    RETURN_IF_ERROR(CheckKind(catalog, kind, StrCat(kind_files[i], ": kind '", kind.name(), "'")));
  }
  return catalog;
}

absl::Status Catalog::AddCodes(int index, std::string_view file) {
  const CodeList& list = catalog_.code_lists(index);
  const std::string where = StrCat(file, ": code list '", list.name(), "'");
  if (!IsSnake(list.name())) return Fault(where, "the name must be lower_snake", "名称应为小写");
  if (!lists_.emplace(list.name(), index).second) {
    return Fault(where, "the name stands twice", "名称重复");
  }
  for (const Code& code : list.codes()) {
    if (code.code().empty()) return Fault(where, "a code is empty", "有空代码");
    std::vector<std::string> spellings = {code.code(), code.label().zh(), code.label().en()};
    spellings.insert(spellings.end(), code.aliases().begin(), code.aliases().end());
    for (const std::string& spelling : spellings) {
      if (spelling.empty()) continue;
      const auto [it, added] = codes_.emplace(std::pair(list.name(), Folded(spelling)), &code);
      if (!added && it->second != &code) {
        return Fault(where, StrCat("'", spelling, "' names two codes"),
                     StrCat("“", spelling, "”指两个代码"));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status Catalog::AddLimit(int index, std::string_view file) {
  const common::v1::Limit& limit = catalog_.limits(index);
  const std::string where = StrCat(file, ": limit '", limit.name(), "'");
  if (!IsSnake(limit.name())) return Fault(where, "the name must be lower_snake", "名称应为小写");
  if (!limits_.emplace(limit.name(), index).second) {
    return Fault(where, "the name stands twice", "名称重复");
  }
  if (limit.values().empty()) return Fault(where, "there are no values", "没有取值");
  for (const auto& value : limit.values()) {
    for (const std::string& date : {value.valid_from(), value.valid_to()}) {
      if (!date.empty()) RETURN_IF_ERROR(ParseDate(date).status());
    }
    if (value.at_least() != 0 && limit.by().empty()) {
      return Fault(where, "'at_least' goes with 'by'", "at_least 只与 by 同用");
    }
    if (value.citation().empty()) return Fault(where, "a value cites nothing", "取值缺少依据");
  }
  return absl::OkStatus();
}

absl::Status Catalog::AddKind(int index, std::string_view file) {
  Kind& kind = *catalog_.mutable_kinds(index);
  const std::string where = StrCat(file, ": kind '", kind.name(), "'");
  if (!IsSnake(kind.name())) return Fault(where, "the name must be lower_snake", "名称应为小写");
  if (!kinds_.emplace(kind.name(), index).second) {
    return Fault(where, "the name stands twice", "名称重复");
  }
  kind.set_area(area_);
  return absl::OkStatus();
}

const Kind* Catalog::FindKind(std::string_view name) const {
  const auto it = kinds_.find(name);
  return it == kinds_.end() ? nullptr : &catalog_.kinds(it->second);
}

const CodeList* Catalog::FindCodes(std::string_view name) const {
  const auto it = lists_.find(name);
  return it == lists_.end() ? nullptr : &catalog_.code_lists(it->second);
}

const common::v1::Limit* Catalog::FindLimit(std::string_view name) const {
  const auto it = limits_.find(name);
  return it == limits_.end() ? nullptr : &catalog_.limits(it->second);
}

const common::v1::KindField* Catalog::FindField(const Kind& kind, std::string_view name) const {
  for (const auto& field : kind.fields()) {
    if (field.name() == name) return &field;
  }
  return nullptr;
}

std::vector<const Kind*> Catalog::Kinds() const {
  std::vector<const Kind*> kinds;
  for (const Kind& kind : catalog_.kinds()) kinds.push_back(&kind);
  std::stable_sort(kinds.begin(), kinds.end(), [](const Kind* a, const Kind* b) {
    return a->import_order() < b->import_order();
  });
  return kinds;
}

const Code* Catalog::FindCode(std::string_view list, std::string_view text) const {
  const auto it = codes_.find(std::pair(std::string(list), Folded(text)));
  return it == codes_.end() ? nullptr : it->second;
}

}  // namespace gonghui::catalog
