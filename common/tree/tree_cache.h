// The trees of all federations, kept in memory and refreshed from where the versions are recorded.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/auth/grants.h"
#include "common/base/clock.h"
#include "common/tree/organization_tree.h"

namespace gonghui::tree {

// Thread-safe. A look-up of an unknown organisation refreshes at once; otherwise a tree is at most
// `max_age` old, or as old as its source has been unreachable.
class TreeCache : public auth::OrganizationScope {
 public:
  // Versions of a federation recorded after a sequence number, in order, and the number of the last
  // of them. The loader is asked again until it has no more.
  struct Page {
    std::vector<Version> versions;
    int64_t sequence = 0;
  };
  using Loader =
      std::function<absl::StatusOr<Page>(const std::string& federation, int64_t after_sequence)>;

  TreeCache(Loader loader, const Clock* clock, absl::Duration max_age = absl::Seconds(1));

  // The tree, refreshed when older than max_age (an unreachable source then leaves the old one) or
  // when `must_hold` is not in it. Blocks while it asks the source.
  absl::StatusOr<std::shared_ptr<const OrganizationTree>> Get(
      std::string_view federation, std::string_view must_hold = "") const;
  // True when Get of a known organisation would not block now.
  bool IsFresh(std::string_view federation) const;
  // Drops the age, so that the next Get refreshes: called by the writer of the tree after its
  // commit.
  void Expire(std::string_view federation);

  absl::StatusOr<bool> IsAtOrBelow(std::string_view federation, std::string_view organization,
                                   std::string_view ancestor) const override;
  absl::StatusOr<std::string> RootOf(std::string_view federation) const override;

 private:
  using TreePtr = std::shared_ptr<const OrganizationTree>;
  struct Entry {
    TreePtr tree;  // nullptr until first loaded.
    int64_t sequence = 0;
    absl::Time refreshed = absl::InfinitePast();
    int64_t expiries = 0;  // Counts Expire: a refresh begun before one does not count as fresh.
  };
  Entry Snapshot(std::string_view federation) const;
  bool Serves(const Entry& entry, std::string_view must_hold) const;
  absl::StatusOr<TreePtr> Refresh(const std::string& federation, std::string_view must_hold) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(refresh_mutex_);

  const Loader loader_;
  const Clock* clock_;
  const absl::Duration max_age_;
  mutable absl::Mutex refresh_mutex_;  // One refresh at a time; taken before mutex_.
  mutable absl::Mutex mutex_;
  mutable std::map<std::string, Entry, std::less<>> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace gonghui::tree
