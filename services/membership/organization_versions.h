// The versions of organisations on both time axes: reading them, and adding to
// them without ever rewriting what was said.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/sql/sql.h"
#include "common/tree/organization_tree.h"

namespace gonghui::membership {

// A row of organization_versions: a version of the tree, with what seldom
// changes about an organisation.
struct OrganizationRow {
  tree::Version version;
  std::string union_type;
  std::string industry;
  std::string credit_code;
  int64_t employees = 0;
  std::string founded_on;
  int64_t sequence = 0;
  // Largest sequence of all the organisation's versions, whenever believed: its
  // etag.
  int64_t latest = 0;
};

// What is believed of one organisation: its versions by valid_from, without
// gaps from its founding to the end of time. Empty: there is no such
// organisation.
using Life = std::vector<OrganizationRow>;

// What held on `valid_at` as known at `known_at_us` (tree::kNow: today's
// knowledge), in no order.
absl::StatusOr<std::vector<OrganizationRow>> ReadOrganizations(sql::Tx& tx,
                                                               const std::string& federation,
                                                               absl::Span<const std::string> ids,
                                                               const std::string& valid_at,
                                                               int64_t known_at_us);
absl::StatusOr<Life> ReadBelieved(sql::Tx& tx, const std::string& federation,
                                  const std::string& id);
// The same of several; those that are unknown are left out.
absl::StatusOr<std::map<std::string, Life>> ReadLives(sql::Tx& tx, const std::string& federation,
                                                      const std::set<std::string>& ids);
// Versions recorded after a sequence number, in order.
absl::StatusOr<std::vector<OrganizationRow>> ReadVersionsAfter(sql::Tx& tx,
                                                               const std::string& federation,
                                                               int64_t sequence, int64_t limit);
absl::StatusOr<int64_t> ReadVersionHead(sql::Tx& tx, const std::string& federation);

// The version in force on the day; nullptr before the founding.
const OrganizationRow* At(const Life& life, std::string_view day);
// The largest sequence number of the life, the organisation's etag; 0 when
// there is none.
int64_t LatestOf(const Life& life);
// The first day of the closing that lasts; empty while the organisation is open
// or opens again.
std::string ClosedOn(const Life& life);

// Adds to the workers registered from the day on.
void AddEmployees(Life& life, int64_t employees, std::string_view from);

using Attribute = std::string tree::Version::*;
// Gives the attribute the value over [from, to), whatever stood there.
void Assign(Life& life, Attribute attribute, std::string_view value, std::string_view from,
            std::string_view to);
// Gives the attribute the value from a day on, up to the next day on which it
// was changed already: a later change of the same attribute stays. Returns that
// day (kForever: none), or nothing where the attribute has the value already.
std::string Change(Life& life, Attribute attribute, std::string_view value, std::string_view from);
// Lets the organisation be founded on the day: what was earlier goes, or the
// first version reaches back to it.
void Refound(Life& life, const std::string& founded_on);

// A write to the tree of one federation, within one transaction. Holds the
// federation's head row, so that writers follow one another and sequence
// numbers are dense in the order of commits.
class TreeWrite {
 public:
  // What this write changes about one organisation.
  struct Difference {
    std::string id;
    const Life* before;
    const Life* after;
    std::vector<const OrganizationRow*> ended;  // Of `before`: no longer believed.
    std::vector<const OrganizationRow*> begun;  // Of `after`.
  };

  // REASON_NOT_FOUND when the federation does not exist.
  static absl::StatusOr<TreeWrite> Begin(sql::Tx& tx, std::string federation, int64_t now_us);

  // What is believed with this write; empty when unknown. Valid until the next
  // Put of the same id.
  absl::StatusOr<const Life*> Believed(const std::string& id);
  // Organisations with a believed version directly below this one, at any date.
  absl::StatusOr<std::set<std::string>> Children(const std::string& id);
  // Organisation without parent; empty while there is none.
  absl::StatusOr<std::string> Root();

  // From now on this is believed of the organisation (which was asked for by
  // Believed before); empty: it never was.
  void Put(const std::string& id, Life life);
  // A point to which TakeBack undoes what was put since.
  size_t Mark() const { return journal_.size(); }
  void TakeBack(size_t mark);

  // By id.
  std::vector<Difference> Differences() const;
  // Writes the differences. Once, at the end; numbers and ids stand in Believed
  // then.
  absl::Status Finish();
  int64_t recorded_us() const { return recorded_us_; }

 private:
  TreeWrite(sql::Tx& tx, std::string federation) : tx_(tx), federation_(std::move(federation)) {}
  struct Known {
    Life before;
    Life now;
    bool touched = false;
  };

  sql::Tx& tx_;
  const std::string federation_;
  int64_t sequence_ = 0;
  int64_t recorded_us_ = 0;
  std::map<std::string, Known> known_;
  std::vector<std::pair<std::string, Life>> journal_;  // What each Put replaced.
};

}  // namespace gonghui::membership
