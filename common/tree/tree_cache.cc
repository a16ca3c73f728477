#include "common/tree/tree_cache.h"

#include <utility>

#include "common/base/status.h"

namespace gonghui::tree {

TreeCache::TreeCache(Loader loader, const Clock* clock, absl::Duration max_age)
    : loader_(std::move(loader)), clock_(clock), max_age_(max_age) {}

TreeCache::Entry TreeCache::Snapshot(std::string_view federation) const {
  absl::MutexLock lock(&mutex_);
  auto found = entries_.find(federation);
  return found == entries_.end() ? Entry{} : found->second;
}

bool TreeCache::Serves(const Entry& entry, std::string_view must_hold) const {
  return entry.tree != nullptr && clock_->Now() - entry.refreshed < max_age_ &&
         (must_hold.empty() || entry.tree->Exists(must_hold));
}

absl::StatusOr<TreeCache::TreePtr> TreeCache::Get(std::string_view federation,
                                                  std::string_view must_hold) const {
  if (Entry entry = Snapshot(federation); Serves(entry, must_hold)) return entry.tree;
  absl::MutexLock lock(&refresh_mutex_);
  // Another call may have refreshed while this one waited.
  if (Entry entry = Snapshot(federation); Serves(entry, must_hold)) return entry.tree;
  return Refresh(std::string(federation), must_hold);
}

bool TreeCache::IsFresh(std::string_view federation) const {
  return Serves(Snapshot(federation), "");
}

absl::StatusOr<TreeCache::TreePtr> TreeCache::Refresh(const std::string& federation,
                                                      std::string_view must_hold) const {
  const Entry before = Snapshot(federation);
  const absl::Time started = clock_->Now();
  TreePtr tree = before.tree;
  int64_t sequence = before.sequence;
  absl::Status failure;
  std::shared_ptr<OrganizationTree> changed;
  while (true) {
    absl::StatusOr<Page> page = loader_(federation, sequence);
    if (!page.ok()) {
      failure = page.status();
      break;
    }
    if (page->versions.empty()) break;
    if (changed == nullptr) {
      changed = tree == nullptr ? std::make_shared<OrganizationTree>()
                                : std::make_shared<OrganizationTree>(*tree);
    }
    for (Version& version : page->versions) changed->Apply(std::move(version));
    sequence = page->sequence;
  }
  if (failure.ok()) {
    if (changed != nullptr) tree = std::move(changed);
    if (tree == nullptr) tree = std::make_shared<OrganizationTree>();
  } else {
    // Half a reading could show a version withdrawn without the one that replaces it.
    if (tree == nullptr || (!must_hold.empty() && !tree->Exists(must_hold))) return failure;
    sequence = before.sequence;
  }
  absl::MutexLock lock(&mutex_);
  Entry& entry = entries_[federation];
  entry.tree = tree;
  entry.sequence = sequence;
  entry.refreshed = entry.expiries == before.expiries ? started : absl::InfinitePast();
  return tree;
}

void TreeCache::Expire(std::string_view federation) {
  absl::MutexLock lock(&mutex_);
  Entry& entry = entries_[std::string(federation)];
  entry.refreshed = absl::InfinitePast();
  ++entry.expiries;
}

absl::StatusOr<bool> TreeCache::IsAtOrBelow(std::string_view federation,
                                            std::string_view organization,
                                            std::string_view ancestor) const {
  ASSIGN_OR_RETURN(TreePtr tree, Get(federation, organization));
  return tree->IsAtOrBelow(organization, ancestor, clock_->Today());
}

absl::StatusOr<std::string> TreeCache::RootOf(std::string_view federation) const {
  ASSIGN_OR_RETURN(TreePtr tree, Get(federation));
  return tree->Root();
}

}  // namespace gonghui::tree
