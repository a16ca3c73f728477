// Whether records or returns count: for one organisation with everything below it, one measure and
// one month there is exactly one source, so nothing is added twice.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/sql/sql.h"
#include "services/reports/placements.h"

namespace gonghui::reports {

// The source of facts that the returns of a form make, as it stands in facts.source.
std::string ReturnSource(std::string_view form);
bool IsReturnSource(std::string_view source);

inline constexpr std::string_view kNoLastMonth = "9999-12";

// A declaration in force. It concerns the organisation and everything below it.
struct CoverageRule {
  std::string id;
  std::string organization;
  std::set<std::string, std::less<>> measures;  // Empty: every one.
  std::string first_month;                      // "2020-01", inclusive, as the last.
  std::string last_month;                       // kNoLastMonth while it lasts.
  std::string form;  // Empty: the facts of records count; else the returns of this form.
  bool whole =
      false;  // A return holds everything below: only that of `organization` itself counts.

  bool Concerns(std::string_view of_measure) const {
    return measures.empty() || measures.contains(of_measure);
  }
  bool operator==(const CoverageRule&) const = default;
};

// All declarations of a federation; records count where there is none. Immutable, thread-safe.
class Coverage {
 public:
  Coverage() = default;
  explicit Coverage(std::vector<CoverageRule> rules) : rules_(std::move(rules)) {}
  static absl::StatusOr<Coverage> Load(sql::Tx& tx, const std::string& tenant);

  // Whether the facts of a source count in a month for an organisation, given its path to the root
  // (itself first). The declaration nearest to it decides.
  bool Counts(std::string_view source, const std::vector<std::string>& path,
              std::string_view measure, std::string_view month) const;
  // `history` with empty paths while the facts of the source do not count: what a cell is made by.
  // Returns `history` itself where no declaration concerns it, else what it put into `room`.
  const PathHistory& Restrict(const PathHistory& history, std::string_view source,
                              std::string_view measure, PathHistory& room) const;

  // The months with which what counts of a measure may change, for whatever organisation.
  std::set<std::string> ChangeMonths(std::string_view measure) const;

  const std::vector<CoverageRule>& rules() const { return rules_; }

 private:
  std::vector<CoverageRule> rules_;
};

}  // namespace gonghui::reports
