#include "services/membership/codes.h"

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::membership {

absl::Status ToCode(const catalog::Catalog& catalog, std::string_view list, std::string_view field,
                    std::string& value) {
  if (value.empty()) return absl::OkStatus();
  if (const common::v1::Code* code = catalog.FindCode(list, value)) {
    value = code->code();
    return absl::OkStatus();
  }
  const common::v1::CodeList* codes = catalog.FindCodes(list);
  if (codes != nullptr && codes->open()) return absl::OkStatus();
  std::string known;
  std::string known_zh;
  for (int i = 0; codes != nullptr && i < codes->codes_size(); ++i) {
    StrAppend(&known, i == 0 ? "" : ", ", codes->codes(i).code());
    StrAppend(&known_zh, i == 0 ? "" : "、", codes->codes(i).label().zh());
  }
  return InvalidArgument(common::v1::REASON_CODE_UNKNOWN,
                         StrCat("'", value, "' is no ", list, "; use one of ", known),
                         StrCat("“", value, "”不在代码表 ", list, " 中，可用：", known_zh))
      .With("value", value)
      .With("code_list", std::string(list))
      .At(std::string(field));
}

absl::StatusOr<int64_t> LimitOn(const catalog::Catalog& catalog, std::string_view name,
                                std::string_view day) {
  const common::v1::Limit* limit = catalog.FindLimit(name);
  const common::v1::LimitValue* latest = nullptr;
  for (int i = 0; limit != nullptr && i < limit->values_size(); ++i) {
    const common::v1::LimitValue& value = limit->values(i);
    const bool holds = value.place().empty() && value.valid_from() <= day &&
                       (value.valid_to().empty() || day < value.valid_to());
    if (holds && (latest == nullptr || latest->valid_from() <= value.valid_from())) latest = &value;
  }
  if (latest == nullptr) return Internal(StrCat("the catalogue sets no limit ", name, " on ", day));
  return latest->value();
}

}  // namespace gonghui::membership
