#include "services/funds/levies.h"

#include "common/base/text.h"
#include "services/funds/postings.h"

namespace gonghui::funds {

absl::Status NoSuchPayer(const std::string& unit, std::string_view field) {
  return NotFound(common::v1::REASON_REFERENCE_NOT_FOUND,
                  StrCat("there is no payer '", unit, "'; enter it with SetLevyPayers"),
                  StrCat("没有缴费单位“", unit, "”；请用 SetLevyPayers 登记"))
      .With("unit", unit)
      .At(std::string(field));
}

absl::Status Missing(std::string_view field) {
  return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                         StrCat("'", field, "' is empty; fill it"),
                         StrCat("“", field, "”未填，请补全"))
      .At(std::string(field));
}

absl::Status CheckFen(int64_t fen, std::string_view field, bool positive) {
  if (fen >= (positive ? 1 : 0) && fen <= kLargestAmount) return absl::OkStatus();
  return InvalidArgument(
             common::v1::REASON_AMOUNT_INVALID,
             StrCat("an amount is a whole number of fen ", positive ? "above 0" : "from 0 on",
                    ", at most ", kLargestAmount, "; this one is ", fen),
             StrCat("金额应为", positive ? "正" : "不小于 0 的", "整数（分），不超过 ",
                    kLargestAmount, "；此处为 ", fen))
      .With("fen", StrCat(fen))
      .At(std::string(field));
}

absl::Status Twice(std::string_view what, std::string_view field) {
  return InvalidArgument(common::v1::REASON_DUPLICATE_IN_REQUEST,
                         StrCat("'", what, "' stands twice in this request; keep one"),
                         StrCat("“", what, "”在本次请求中重复，请只保留一条"))
      .With("key", std::string(what))
      .At(std::string(field));
}

absl::Status NoRow(std::string_view list, std::string_view organization, std::string_view on_date) {
  return FailedPrecondition(common::v1::REASON_RULE_VIOLATED,
                            StrCat("the catalogue levy.yaml has no row of '", list, "' for ",
                                   organization, " on ", on_date, "; add one"),
                            StrCat("目录 levy.yaml 的“", list, "”中没有适用于 ", organization,
                                   " 在 ", on_date, " 的条目，请补充"))
      .With("rule", std::string(list))
      .With("on_date", std::string(on_date));
}

}  // namespace gonghui::funds
