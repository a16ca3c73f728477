// How a receipt is shared among the levels.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/tree/organization_tree.h"
#include "gonghui/funds/v1/levy.pb.h"
#include "services/funds/levy_rules.h"

namespace gonghui::funds {

// Parts of the amount (not negative) by shares in ten-thousandths, which add up to 10000: each but
// that at `rest` is rounded half up, in order, and takes no more than what is left; `rest` takes
// what remains. The parts add up to the amount and none is negative.
std::vector<int64_t> SplitAmount(int64_t amount, absl::Span<const int32_t> shares, size_t rest);

// An organisation on a day, as rules see it.
class Standing {
 public:
  Standing(const LevyRules& rules, const tree::OrganizationTree& tree,
           const std::string& organization, std::string_view on_date);

  const Path& path() const { return path_; }  // Empty: there is no such organisation.
  const std::string& root() const { return path_.back(); }
  // The nearest organisation of a level; empty where there is none.
  std::string At(int level) const;
  bool IsAboveRoot(int level) const { return !levels_.empty() && level > levels_.back(); }

 private:
  Path path_;
  std::vector<int> levels_;  // Of the path.
};

// Which way money goes from its holder to whom it is for.
enum class Way : int64_t { kArrived = 0, kUp = 1, kDown = 2 };

// What one level gets.
struct LevelShare {
  std::string level;
  std::string organization;  // Empty: above the root.
  int32_t share = 0;
  int64_t amount_fen = 0;
  bool rest = false;
  Way way = Way::kArrived;  // From the collector.
};

struct Shared {
  const v1::SharingRule* rule = nullptr;
  std::string collector;
  std::vector<LevelShare> levels;  // From the lowest up.
};

// Where the money of a channel comes in for a payer of the organisation. CODE_UNKNOWN at `field`
// where the channel does not exist there.
absl::StatusOr<std::string> CollectorOf(const LevyRules& rules, const Standing& payer,
                                        std::string_view channel, std::string_view on_date,
                                        std::string_view field);

// A receipt as sharing sees it.
struct SharingCase {
  std::string_view item;
  std::string_view channel;
  std::string_view period_day;  // First day of the period.
  std::string_view received_on;
  int64_t amount_fen = 0;
};

// FAILED_PRECONDITION with RULE_VIOLATED where no rule fits.
absl::StatusOr<Shared> Share(const LevyRules& rules, const Standing& payer,
                             const std::string& collector, const SharingCase& receipt);

// From the holder to whom it is for; `path` is that of the holder.
Way WayTo(const Path& path, const std::string& organization);

}  // namespace gonghui::funds
