#include "services/funds/levy_rules.h"

#include <numeric>
#include <set>

#include "common/base/date.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/catalog/yaml_message.h"

namespace gonghui::funds {
namespace {

constexpr int kWhole = 10'000;
constexpr int kMostLevels = 6;

absl::Status Fault(std::string_view where, std::string_view what, std::string_view what_zh) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID, StrCat(where, ": ", what),
                         StrCat(where, "：", what_zh));
}

absl::Status CheckDay(const std::string& day, const std::string& where) {
  if (day.empty() || ParseDate(day).ok()) return absl::OkStatus();
  return Fault(where, StrCat("'", day, "' is no date"), StrCat("“", day, "”不是日期"));
}

absl::Status CheckValid(const v1::LevyValidity& valid, const std::string& where) {
  RETURN_IF_ERROR(CheckDay(valid.valid_from(), where));
  RETURN_IF_ERROR(CheckDay(valid.valid_to(), where));
  if (valid.citation().empty()) return Fault(where, "the citation is missing", "缺少依据");
  return absl::OkStatus();
}

absl::Status CheckRate(int64_t rate, int64_t most, const std::string& where) {
  if (rate >= 0 && rate <= most) return absl::OkStatus();
  return Fault(where, StrCat("a rate lies within 0 and ", most),
               StrCat("比例应在 0 与 ", most, " 之间"));
}

template <typename Rows, typename One>
absl::Status CheckRows(const Rows& rows, std::string_view file, std::string_view list, One one) {
  for (int i = 0; i < rows.size(); ++i) {
    const std::string where = StrCat(file, ": ", list, " row ", i + 1);
    RETURN_IF_ERROR(CheckValid(rows[i].valid(), where));
    RETURN_IF_ERROR(one(rows[i], where));
  }
  return absl::OkStatus();
}

}  // namespace

int DistanceOf(const v1::LevyValidity& valid, const Path& path, std::string_view on_date) {
  if (!valid.valid_from().empty() && on_date < valid.valid_from()) return -1;
  if (!valid.valid_to().empty() && on_date >= valid.valid_to()) return -1;
  if (valid.place().empty()) return static_cast<int>(path.size());
  const auto it = std::find(path.begin(), path.end(), valid.place());
  return it == path.end() ? -1 : static_cast<int>(it - path.begin());
}

absl::StatusOr<LevyRules> LevyRules::Load(const EmbeddedFile& file) {
  LevyRules rules;
  RETURN_IF_ERROR(catalog::ParseYaml(file.name, file.text, rules.catalog_));
  RETURN_IF_ERROR(rules.Check(file.name));
  return rules;
}

absl::Status LevyRules::CheckSharing(const v1::SharingRule& rule, const std::string& where) const {
  if (!FindItem(rule.item(), "").ok()) return Fault(where, "unknown item", "征收品目未知");
  for (const std::string& channel : rule.channels()) {
    if (!HasChannel(channel)) return Fault(where, "unknown channel", "渠道未知");
  }
  RETURN_IF_ERROR(CheckDay(rule.received_from(), where));
  RETURN_IF_ERROR(CheckDay(rule.received_to(), where));
  if (rule.parts().empty() || rule.parts_size() > kMostLevels) {
    return Fault(where, "a rule shares among 1 to 6 levels", "分成规则应有 1 至 6 级");
  }
  int64_t sum = 0;
  int before = -1;
  bool rest = false;
  for (const v1::SharePart& part : rule.parts()) {
    const int level = FindLevel(part.level());
    if (level <= before) {
      return Fault(where, "the levels must be known and stand from the lowest up",
                   "层级应为已定义的层级，并自下而上排列");
    }
    before = level;
    RETURN_IF_ERROR(CheckRate(part.share(), kWhole, where));
    sum += part.share();
    rest = rest || part.level() == rule.rest();
  }
  if (sum != kWhole)
    return Fault(where, "the shares must add up to 10000", "各级比例之和应为 10000");
  if (!rest) return Fault(where, "'rest' must be one of its levels", "rest 应为其中一级");
  return absl::OkStatus();
}

absl::Status LevyRules::Check(std::string_view file) const {
  const v1::LevyCatalog& c = catalog_;
  const std::string where(file);
  if (c.levels().empty() || c.items_size() < 2 || c.ages().empty() || !c.has_accounts()) {
    return Fault(where, "levels, two items, ages and accounts are needed",
                 "须有层级、两个征收品目、账龄和科目");
  }
  if (OwedItem(true).held() || !OwedItem(false).held()) {
    return Fault(where, "one item must be held and one not", "应有一个品目为暂存，一个不为暂存");
  }
  for (int i = 0; i < c.ages_size(); ++i) {
    if (c.ages(i).from_days() <= (i == 0 ? 0 : c.ages(i - 1).from_days()) ||
        (i == 0 && c.ages(i).from_days() != 1)) {
      return Fault(where, "ages begin with day 1 and rise", "账龄应从第 1 天起递增");
    }
  }
  const auto level_ok = [this](const v1::LevyChannel& row, const std::string& at) {
    return FindLevel(row.collector()) >= 0 ? absl::OkStatus()
                                           : Fault(at, "unknown level", "层级未知");
  };
  RETURN_IF_ERROR(CheckRows(c.channels(), file, "channels", level_ok));
  RETURN_IF_ERROR(CheckRows(c.rates(), file, "rates", [](const auto& row, const std::string& at) {
    return CheckRate(row.rate(), kWhole, at);
  }));
  RETURN_IF_ERROR(
      CheckRows(c.due_days(), file, "due_days", [](const auto& row, const std::string& at) {
        return row.day() >= 1 && row.day() <= 31 && row.months_after() >= 0
                   ? absl::OkStatus()
                   : Fault(at, "no day of a month", "日期无效");
      }));
  RETURN_IF_ERROR(
      CheckRows(c.late_fees(), file, "late_fees", [](const auto& row, const std::string& at) {
        return CheckRate(row.per_day(), 100'000, at);
      }));
  RETURN_IF_ERROR(CheckRows(c.cycles(), file, "cycles", [](const auto& row, const std::string& at) {
    return row.months() >= 1 && 12 % row.months() == 0
               ? absl::OkStatus()
               : Fault(at, "months must divide the year", "周期应整除一年");
  }));
  RETURN_IF_ERROR(
      CheckRows(c.refunds(), file, "refunds", [](const auto& row, const std::string& at) {
        const auto& parts = row.instalments();
        return std::accumulate(parts.begin(), parts.end(), 0) == kWhole
                   ? absl::OkStatus()
                   : Fault(at, "the instalments must add up to 10000", "各期比例之和应为 10000");
      }));
  RETURN_IF_ERROR(CheckRows(c.dues(), file, "dues", [](const auto& row, const std::string& at) {
    return row.step_fen() > 0 ? CheckRate(row.rate(), kWhole, at)
                              : Fault(at, "step_fen must be positive", "step_fen 应为正数");
  }));
  std::set<std::string_view> names;
  for (const v1::SharingRule& rule : c.sharing()) {
    if (!names.insert(rule.name()).second) return Fault(where, "a rule stands twice", "规则重复");
  }
  return CheckRows(c.sharing(), file, "sharing", [this](const auto& row, const std::string& at) {
    return CheckSharing(row, at);
  });
}

int LevyRules::LevelOfKind(std::string_view kind) const {
  int unnamed = 0;
  for (int i = 0; i < catalog_.levels_size(); ++i) {
    const auto& kinds = catalog_.levels(i).kinds();
    if (std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) return i;
    if (kinds.empty()) unnamed = i;
  }
  return unnamed;
}

int LevyRules::FindLevel(std::string_view name) const {
  for (int i = 0; i < catalog_.levels_size(); ++i) {
    if (catalog_.levels(i).name() == name) return i;
  }
  return -1;
}

absl::StatusOr<const v1::LevyItem*> LevyRules::FindItem(std::string_view text,
                                                        std::string_view field) const {
  std::string known;
  for (const v1::LevyItem& item : catalog_.items()) {
    if (text == item.code() || text == item.label().zh() || text == item.label().en() ||
        std::find(item.aliases().begin(), item.aliases().end(), text) != item.aliases().end()) {
      return &item;
    }
    StrAppend(&known, known.empty() ? "" : ", ", item.code());
  }
  return InvalidArgument(common::v1::REASON_CODE_UNKNOWN,
                         StrCat("there is no item '", text, "'; known are: ", known),
                         StrCat("没有征收品目“", text, "”；可用：", known))
      .With("item", std::string(text))
      .At(std::string(field));
}

const v1::LevyItem& LevyRules::OwedItem(bool has_union) const {
  for (const v1::LevyItem& item : catalog_.items()) {
    if (item.held() != has_union) return item;
  }
  return catalog_.items(0);
}

bool LevyRules::HasChannel(std::string_view code) const {
  const auto& rows = catalog_.channels();
  return std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return row.code() == code; });
}

const v1::LevyChannel* LevyRules::Channel(std::string_view code, const Path& path,
                                          std::string_view on_date) const {
  return PickRow(catalog_.channels(), path, on_date,
                 [&](const auto& row) { return row.code() == code; });
}

const v1::LevyRate* LevyRules::Rate(std::string_view item, const Path& path,
                                    std::string_view on_date) const {
  return PickRow(catalog_.rates(), path, on_date,
                 [&](const auto& row) { return row.item() == item; });
}

const v1::LevyDueDay* LevyRules::DueDay(const Path& path, std::string_view on_date) const {
  return PickRow(catalog_.due_days(), path, on_date, [](const auto&) { return true; });
}

const v1::LevyLateFee* LevyRules::LateFee(const Path& path, std::string_view on_date) const {
  return PickRow(catalog_.late_fees(), path, on_date, [](const auto&) { return true; });
}

const v1::RemittanceCycle* LevyRules::Cycle(v1::RemittanceDirection direction, const Path& path,
                                            std::string_view on_date) const {
  return PickRow(catalog_.cycles(), path, on_date,
                 [&](const auto& row) { return row.direction() == direction; });
}

const v1::RefundRule* LevyRules::Refund(const Path& path, std::string_view on_date) const {
  return PickRow(catalog_.refunds(), path, on_date, [](const auto&) { return true; });
}

const v1::DuesFormula* LevyRules::Dues(const Path& path, std::string_view on_date) const {
  return PickRow(catalog_.dues(), path, on_date, [](const auto&) { return true; });
}

const v1::SharingRule* LevyRules::Sharing(std::string_view item, std::string_view channel,
                                          const Path& path, std::string_view period_day,
                                          std::string_view received_on) const {
  int highest = 0;
  bool any = false;
  const auto fits = [&](const v1::SharingRule& rule) {
    const auto& channels = rule.channels();
    return rule.item() == item &&
           (channels.empty() ||
            std::find(channels.begin(), channels.end(), channel) != channels.end()) &&
           received_on >= rule.received_from() &&
           (rule.received_to().empty() || received_on < rule.received_to()) &&
           DistanceOf(rule.valid(), path, period_day) >= 0;
  };
  for (const v1::SharingRule& rule : catalog_.sharing()) {
    if (!fits(rule)) continue;
    highest = any ? std::max(highest, rule.priority()) : rule.priority();
    any = true;
  }
  return PickRow(catalog_.sharing(), path, period_day, [&](const v1::SharingRule& rule) {
    return rule.priority() == highest && fits(rule);
  });
}

const v1::AgeBucket& LevyRules::Age(int64_t days) const {
  int i = catalog_.ages_size() - 1;
  while (i > 0 && catalog_.ages(i).from_days() > days) --i;
  return catalog_.ages(i);
}

}  // namespace gonghui::funds
