// Cells of a file into values of the API, and states into steps.
#include <algorithm>
#include <deque>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "common/base/date.h"
#include "common/base/status.h"
#include "common/crypto/personal.h"
#include "common/sheet/headings.h"
#include "re2/re2.h"
#include "services/cli/import_rows.h"
#include "services/cli/text.h"

namespace gonghui::cli {
namespace {

using common::v1::FieldType;

// A spreadsheet shows long numbers as 1.1E+17 and keeps 15 digits of them: an identity number then
// ends in 000 and its check digit fails.
bool IsDamaged(FieldType type, const std::string& text) {
  static const re2::RE2& scientific = *new re2::RE2(R"(\d(\.\d+)?[eE]\+\d{1,3})");
  static const re2::RE2& rounded = *new re2::RE2(R"(\d{15}000)");
  if (re2::RE2::FullMatch(text, scientific)) return true;
  return type == common::v1::FIELD_TYPE_PERSON && re2::RE2::FullMatch(text, rounded) &&
         !crypto::NormalizeIdNumber(text).ok();
}

}  // namespace

absl::StatusOr<std::string> NormalizeCell(const KindEntry& entry,
                                          const common::v1::KindField& field,
                                          std::string_view raw) {
  const std::string text = Trimmed(raw);
  std::string half = Halfwidth(text);
  absl::StripAsciiWhitespace(&half);
  if (half.size() > 1 && half[0] == '\'') half.erase(0, 1);  // Spreadsheets' mark for text.
  if (IsDamaged(field.type(), half)) {
    return InvalidArgument(
               common::v1::REASON_FIELD_INVALID,
               "The spreadsheet has rounded this long number: its last digits are lost.",
               "电子表格已将长数字改写，末位数字丢失。")
        .With("cause", "spreadsheet");
  }
  switch (field.type()) {
    case common::v1::FIELD_TYPE_DATE:
      return NormalizeDate(half);
    case common::v1::FIELD_TYPE_BOOLEAN:
      return sheet::YesOrNo(half);
    case common::v1::FIELD_TYPE_INTEGER:
      return absl::StrReplaceAll(half, {{",", ""}});
    case common::v1::FIELD_TYPE_CODE: {
      const auto* list = entry.FindCodes(field.codes());
      const auto* code = list == nullptr ? nullptr : FindCode(*list, text);
      return code == nullptr ? text : code->code();  // Whether the list is open, the server knows.
    }
    case common::v1::FIELD_TYPE_MONEY:
    case common::v1::FIELD_TYPE_PERSON:
    case common::v1::FIELD_TYPE_ORGANIZATION:
    case common::v1::FIELD_TYPE_RECORD:
    case common::v1::FIELD_TYPE_UNIT:
      return half;
    default:
      return field.name() == "number" ? half : text;
  }
}

namespace {

// The shortest way of transitions from one state to another; empty when there is none.
std::vector<const common::v1::Transition*> Way(const common::v1::Kind& kind,
                                               const std::string& from, const std::string& to) {
  std::map<std::string, std::vector<const common::v1::Transition*>> ways = {{from, {}}};
  std::deque<std::string> open = {from};
  while (!open.empty() && ways.count(to) == 0) {
    const std::string state = open.front();
    open.pop_front();
    for (const auto& step : kind.transitions()) {
      const bool leaves =
          std::find(step.from().begin(), step.from().end(), state) != step.from().end();
      if (!leaves || ways.count(step.to()) > 0) continue;
      auto way = ways[state];
      way.push_back(&step);
      ways[step.to()] = std::move(way);
      open.push_back(step.to());
    }
  }
  const auto found = ways.find(to);
  return found == ways.end() ? std::vector<const common::v1::Transition*>() : found->second;
}

}  // namespace

absl::StatusOr<std::vector<Advance>> AdvancesOf(const common::v1::Kind& kind,
                                                std::vector<std::pair<int, std::string>> entered) {
  std::sort(entered.begin(), entered.end(), [](const auto& a, const auto& b) {
    return std::tie(a.second, a.first) < std::tie(b.second, b.first);
  });
  std::vector<Advance> advances;
  std::string state = kind.states().empty() ? "" : kind.states(0).name();
  for (const auto& [index, on_date] : entered) {
    const auto& target = kind.states(index);
    const auto way = Way(kind, state, target.name());
    if (way.empty()) {
      return FailedPrecondition(common::v1::REASON_TRANSITION_UNKNOWN,
                                absl::StrCat("No step leads from ", state, " to ", target.name(),
                                             ": check the dates of the states."),
                                absl::StrCat("从当前状态不能到达“", target.label().zh(),
                                             "”，请核对各状态的日期。"))
          .At(target.name() + "_on");
    }
    for (const auto* step : way) advances.push_back({step->name(), on_date});
    state = target.name();
  }
  return advances;
}

}  // namespace gonghui::cli
