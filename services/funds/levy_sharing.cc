#include "services/funds/levy_sharing.h"

#include <algorithm>

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::funds {
namespace {

constexpr int64_t kWhole = 10'000;

absl::Status NoRule(const SharingCase& receipt) {
  return FailedPrecondition(
             common::v1::REASON_RULE_VIOLATED,
             StrCat("no sharing rule fits item ", receipt.item, ", channel ", receipt.channel,
                    ", period from ", receipt.period_day, ", received on ", receipt.received_on,
                    "; add a row to 'sharing' of the catalogue levy.yaml"),
             StrCat("没有适用的分成规则：品目 ", receipt.item, "、渠道 ", receipt.channel,
                    "、所属期起 ", receipt.period_day, "、入库日期 ", receipt.received_on,
                    "；请在目录 levy.yaml 的 sharing 中补充"))
      .With("item", std::string(receipt.item))
      .With("channel", std::string(receipt.channel))
      .With("rule", "sharing");
}

}  // namespace

std::vector<int64_t> SplitAmount(int64_t amount, absl::Span<const int32_t> shares, size_t rest) {
  std::vector<int64_t> parts(shares.size(), 0);
  int64_t left = amount;
  for (size_t i = 0; i < shares.size(); ++i) {
    if (i == rest) continue;
    const __int128 product = static_cast<__int128>(amount) * shares[i];
    parts[i] = std::min(left, static_cast<int64_t>((product + kWhole / 2) / kWhole));
    left -= parts[i];
  }
  parts[rest] = left;
  return parts;
}

Standing::Standing(const LevyRules& rules, const tree::OrganizationTree& tree,
                   const std::string& organization, std::string_view on_date)
    : path_(tree.Path(organization, on_date)) {
  for (const std::string& id : path_) {
    const tree::Version* version = tree.Find(id, on_date);
    // Before its founding, an organisation is as on its first day.
    if (version == nullptr && !tree.Versions(id).empty()) version = &tree.Versions(id).front();
    levels_.push_back(rules.LevelOfKind(version == nullptr ? "" : version->kind));
  }
}

std::string Standing::At(int level) const {
  const auto it = std::find(levels_.begin(), levels_.end(), level);
  return it == levels_.end() ? "" : path_[static_cast<size_t>(it - levels_.begin())];
}

absl::StatusOr<std::string> CollectorOf(const LevyRules& rules, const Standing& payer,
                                        std::string_view channel, std::string_view on_date,
                                        std::string_view field) {
  const v1::LevyChannel* row = rules.Channel(channel, payer.path(), on_date);
  if (row == nullptr) {
    return InvalidArgument(common::v1::REASON_CODE_UNKNOWN,
                           StrCat("there is no channel '", channel,
                                  "' at this place and day; the catalogue levy.yaml lists them"),
                           StrCat("此地此日没有收缴渠道“", channel, "”；渠道见目录 levy.yaml"))
        .With("channel", std::string(channel))
        .At(std::string(field));
  }
  const int level = rules.FindLevel(row->collector());
  if (payer.IsAboveRoot(level)) return payer.root();
  std::string collector = payer.At(level);
  return collector.empty() ? payer.path().front() : collector;
}

Way WayTo(const Path& path, const std::string& organization) {
  if (organization == path.front()) return Way::kArrived;
  const bool above =
      organization.empty() || std::find(path.begin(), path.end(), organization) != path.end();
  return above ? Way::kUp : Way::kDown;
}

absl::StatusOr<Shared> Share(const LevyRules& rules, const Standing& payer,
                             const std::string& collector, const SharingCase& receipt) {
  Shared shared;
  shared.collector = collector;
  shared.rule = rules.Sharing(receipt.item, receipt.channel, payer.path(), receipt.period_day,
                              receipt.received_on);
  if (shared.rule == nullptr) return NoRule(receipt);
  const auto at = std::find(payer.path().begin(), payer.path().end(), collector);
  Path holder(at, payer.path().end());
  if (holder.empty()) holder.push_back(collector);
  std::vector<int32_t> shares;
  size_t rest = 0;
  int32_t absent = 0;  // Of levels that are not there: the rest takes it.
  for (const v1::SharePart& part : shared.rule->parts()) {
    const int level = rules.FindLevel(part.level());
    const bool is_rest = part.level() == shared.rule->rest();
    LevelShare share{.level = part.level(), .organization = payer.At(level), .share = part.share()};
    if (share.organization.empty() && !payer.IsAboveRoot(level)) {
      if (!is_rest) {
        absent += part.share();
        continue;
      }
      share.organization = collector;
    }
    share.rest = is_rest;
    share.way = WayTo(holder, share.organization);
    if (is_rest) rest = shared.levels.size();
    shares.push_back(part.share());
    shared.levels.push_back(std::move(share));
  }
  shares[rest] += absent;
  shared.levels[rest].share += absent;
  const std::vector<int64_t> amounts = SplitAmount(receipt.amount_fen, shares, rest);
  for (size_t i = 0; i < amounts.size(); ++i) shared.levels[i].amount_fen = amounts[i];
  return shared;
}

}  // namespace gonghui::funds
