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

}  // namespace gonghui::membership
