// The organisation tree of a federation on two time axes, in memory. Built from versions; answers
// parents, subtrees and ancestor paths at any (valid, known) pair.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace gonghui::tree {

inline constexpr int64_t kNow = std::numeric_limits<int64_t>::max();

// One version of one organisation: what held over [valid_from, valid_to) and was believed over
// [recorded_from, recorded_to).
struct Version {
  std::string version_id;
  std::string id;
  std::string parent;  // Empty for the root.
  std::string display_name;
  std::string kind;
  std::string state;  // open or closed.
  std::string valid_from;
  std::string valid_to;  // Exclusive, ISO; "9999-12-31" while it lasts.
  int64_t recorded_from_us = 0;
  int64_t recorded_to_us = kNow;  // Exclusive.
  std::string affiliated_to = {};  // The industry union on its second line; empty: none.
};

// Not thread-safe for writing; share as std::shared_ptr<const OrganizationTree>.
class OrganizationTree {
 public:
  // Adds a version or, for a known version_id, replaces it.
  void Apply(Version version);

  // The version in force, or nullptr when the organisation does not exist (yet) then. An
  // organisation asked for before it was founded resolves to nullptr.
  const Version* Find(std::string_view id, std::string_view valid_at,
                      int64_t known_at_us = kNow) const;
  // The organisation and its ancestors, nearest first, root last. Before its founding: as on its
  // first day. Empty when unknown at all.
  std::vector<std::string> Path(std::string_view id, std::string_view valid_at,
                                int64_t known_at_us = kNow) const;
  bool IsAtOrBelow(std::string_view id, std::string_view ancestor, std::string_view valid_at,
                   int64_t known_at_us = kNow) const;
  // Direct children, by id.
  std::vector<std::string> Children(std::string_view id, std::string_view valid_at,
                                    int64_t known_at_us = kNow) const;
  // The organisation and all below it, depth first, children by id.
  std::vector<std::string> Subtree(std::string_view id, std::string_view valid_at,
                                   int64_t known_at_us = kNow) const;
  // Organisations whose second line ends in the subtree, with everything below them, by id; without
  // those that lie in the subtree anyway. A second line of one of these leads no further.
  std::vector<std::string> AffiliatedBelow(std::string_view id, std::string_view valid_at,
                                           int64_t known_at_us = kNow) const;
  // Id of the organisation without parent; empty while there is none. It never changes.
  const std::string& Root() const { return root_; }
  bool Exists(std::string_view id) const { return versions_.find(id) != versions_.end(); }
  size_t size() const { return versions_.size(); }
  // The last instant at which anything was recorded: known then, the tree is as it is now.
  int64_t recorded_us() const { return recorded_us_; }
  // All versions of an organisation by valid_from, also those no longer believed; empty when
  // unknown.
  const std::vector<Version>& Versions(std::string_view id) const {
    static const std::vector<Version> kNone;
    auto found = versions_.find(id);
    return found == versions_.end() ? kNone : found->second;
  }

 private:
  // As Find, but before its founding the organisation is as on its first day.
  const Version* Resolve(std::string_view id, std::string_view valid_at, int64_t known_at_us) const;
  void AddSubtree(const std::string& id, std::string_view valid_at, int64_t known_at_us,
                  std::vector<std::string>& out) const;

  std::map<std::string, std::vector<Version>, std::less<>> versions_;  // Sorted by valid_from.
  // Whoever lies or lay directly below an organisation in any version.
  std::map<std::string, std::set<std::string>, std::less<>> children_;
  // Whoever is or was affiliated to an organisation in any version.
  std::map<std::string, std::set<std::string>, std::less<>> affiliates_;
  std::string root_;
  int64_t recorded_us_ = 0;
};

}  // namespace gonghui::tree
