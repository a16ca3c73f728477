// Targets as they are stored: names, rows, history, and what must hold between them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "common/tree/tree_cache.h"
#include "gonghui/reports/v1/summary.pb.h"
#include "gonghui/reports/v1/target.pb.h"
#include "services/reports/appraisal_schemes.h"
#include "services/reports/measures.h"
#include "services/reports/rollups.h"

namespace gonghui::reports {

// What the operations on targets and appraisals work with.
struct TargetOptions {
  sql::Database* db = nullptr;
  const Measures* measures = nullptr;
  const AppraisalSchemes* schemes = nullptr;
  const v1::SummaryCatalog* words = nullptr;  // Units of measures in Chinese.
  tree::TreeCache* tree = nullptr;
  Rollups* rollups = nullptr;
};

// The last segment of a target's name: made from what the target is about.
std::string TargetId(const v1::Target& target);
std::string TargetName(std::string_view tenant, std::string_view id);
// The year whose letter holds the targets of a period.
inline std::string YearOf(std::string_view period) { return std::string(period.substr(0, 4)); }

// The organisation above another on a day; of the root, or of an unknown one, itself.
std::string SuperiorOf(const tree::OrganizationTree& tree, const std::string& organization,
                       const std::string& day);

// Waits for other writers of the federation's targets, letters and appraisals, and lets none in
// until the end of `tx`.
absl::Status TakeTargetTurn(sql::Tx& tx, const std::string& tenant);

// A target's last version. Its history goes on where it was taken back.
struct TargetVersion {
  v1::Target target;
  bool deleted = false;
};
using TargetVersions = std::map<std::string, TargetVersion>;  // By id.
absl::StatusOr<TargetVersions> ReadLast(sql::Tx& tx, const std::string& tenant,
                                        const std::set<std::string>& ids);
// The target of a name, with name and etag; NOT_FOUND at `name` where there is none in force.
absl::StatusOr<v1::Target> LoadTarget(sql::Tx& tx, const std::string& tenant,
                                      const std::string& name);
// The target of an id as it stood at an instant; nothing where there was none in force.
absl::StatusOr<std::optional<v1::Target>> TargetAt(sql::Tx& tx, const std::string& tenant,
                                                   const std::string& id, int64_t at_us);
// Targets in force that are parts of another, by organisation; with names.
absl::StatusOr<std::vector<v1::Target>> PartsOf(sql::Tx& tx, const std::string& tenant,
                                                const std::string& whole_id);
// Targets of a unit whose periods lie in a year, by period, measure and dimensions; with names.
absl::StatusOr<std::vector<v1::Target>> TargetsOfYear(sql::Tx& tx, const std::string& tenant,
                                                      const std::string& organization,
                                                      const std::string& year);
// A stored target with name and etag.
v1::Target ReadTarget(std::string_view tenant, const sql::Bytes& bytes);

// A unit and a year: what one letter is about.
using LetterKey = std::pair<std::string, std::string>;
// Those among `keys` whose newest letter is signed: their targets stand fast.
absl::StatusOr<std::set<LetterKey>> SignedAmong(sql::Tx& tx, const std::string& tenant,
                                                const std::set<LetterKey>& keys);
// STATE_FORBIDS for a target of a signed letter.
absl::Status LetterIsSigned(const LetterKey& key);

// Changes of targets, written in one step with their history.
class TargetChanges {
 public:
  TargetChanges(const rpc::Call& call, TargetVersions last) : call_(call), last_(std::move(last)) {}

  // The target as it will stand: version, caller and time set, name and etag too.
  const v1::Target& Put(v1::Target target);
  void Remove(const v1::Target& target);
  // TARGET_MISMATCH for every whole whose parts do not sum to it once everything is written, by
  // the whole's id; only of measures that add.
  absl::StatusOr<std::map<std::string, absl::Status>> Mismatches(sql::Tx& tx,
                                                                 const Measures& measures) const;
  // Ids of the wholes that a change of this target concerns.
  std::set<std::string> WholesOf(const v1::Target& target) const;
  absl::Status Save(sql::Tx& tx) const;

 private:
  const rpc::Call& call_;
  const TargetVersions last_;
  TargetVersions changed_;
};

}  // namespace gonghui::reports
