// The versions of organisations on both time axes: reading them, and adding to them without ever
// rewriting what was said.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/sql/sql.h"
#include "common/tree/organization_tree.h"

namespace gonghui::membership {

// A row of organization_versions: a version of the tree, with what never changes about an
// organisation.
struct OrganizationRow {
  tree::Version version;
  std::string union_type;
  std::string industry;
  std::string credit_code;
  int64_t employees = 0;
  std::string founded_on;
  int64_t sequence = 0;
  // Largest sequence of all the organisation's versions, whenever believed: its etag.
  int64_t latest = 0;
};

// What held on `valid_at` as known at `known_at_us` (tree::kNow: today's knowledge), for the
// organisations with first ≤ id ≤ last, by id.
absl::StatusOr<std::vector<OrganizationRow>> ReadOrganizations(
    sql::Tx& tx, const std::string& federation, const std::string& first, const std::string& last,
    const std::string& valid_at, int64_t known_at_us);
// The believed versions of an organisation by valid_from; empty when unknown.
absl::StatusOr<std::vector<OrganizationRow>> ReadBelieved(sql::Tx& tx,
                                                          const std::string& federation,
                                                          const std::string& id);
// Versions recorded after a sequence number, in order.
absl::StatusOr<std::vector<OrganizationRow>> ReadVersionsAfter(sql::Tx& tx,
                                                               const std::string& federation,
                                                               int64_t sequence, int64_t limit);
absl::StatusOr<int64_t> ReadVersionHead(sql::Tx& tx, const std::string& federation);

// The first day on which the organisation is closed; empty while it is open.
std::string ClosedOn(const std::vector<OrganizationRow>& believed);

// What a change of one attribute from a date on does to the believed versions of an organisation.
struct Revision {
  std::vector<OrganizationRow> ended;  // No longer believed.
  std::vector<OrganizationRow> begun;  // Believed instead; no ids yet. Empty: nothing changes.
  std::string until;  // The change holds up to this day (exclusive), where a later one stands.
};
// Gives the attribute `value` from `from` on, up to the next day on which it was explicitly changed
// already: a later change of the same attribute stays. `believed` is sorted by valid_from.
Revision Revise(const std::vector<OrganizationRow>& believed, std::string tree::Version::*attribute,
                std::string_view value, std::string_view from);

// A write to the tree of one federation, within one transaction. Holds the federation's head row,
// so that writers follow one another and sequence numbers are dense in the order of commits.
class TreeWrite {
 public:
  // REASON_NOT_FOUND when the federation does not exist.
  static absl::StatusOr<TreeWrite> Begin(sql::Tx& tx, std::string federation, int64_t now_us);

  // Believed versions of an organisation by valid_from, with those of this write; empty when
  // unknown.
  absl::StatusOr<std::vector<OrganizationRow>> Believed(const std::string& id);
  // The believed tree before this write.
  absl::StatusOr<tree::OrganizationTree> Tree();
  // Organisation without parent; empty while there is none.
  absl::StatusOr<std::string> Root();

  // Records a new organisation.
  void Found(OrganizationRow row);
  // Returns the number of the last version, the organisation's new etag.
  int64_t Apply(const std::string& id, Revision revision);
  // Writes what was recorded. Once, at the end.
  absl::Status Finish();

 private:
  TreeWrite(sql::Tx& tx, std::string federation) : tx_(tx), federation_(std::move(federation)) {}
  void Record(OrganizationRow row);

  sql::Tx& tx_;
  const std::string federation_;
  int64_t sequence_ = 0;
  int64_t recorded_us_ = 0;
  std::map<std::string, std::vector<OrganizationRow>> believed_;  // As read, and as changed here.
  std::string root_;
  std::vector<sql::Args> ended_;
  std::vector<sql::Args> begun_;
};

}  // namespace gonghui::membership
