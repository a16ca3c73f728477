#include "common/tree/organization_tree.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace gonghui::tree {
namespace {

// Longer paths than any real tree: ends the walk if the versions ever held a cycle.
constexpr int kDeepest = 1000;

bool Believed(const Version& version, int64_t known_at_us) {
  return version.recorded_from_us <= known_at_us &&
         (known_at_us < version.recorded_to_us || version.recorded_to_us == kNow);
}

}  // namespace

void OrganizationTree::Apply(Version version) {
  children_[version.parent].insert(version.id);
  if (!version.affiliated_to.empty()) affiliates_[version.affiliated_to].insert(version.id);
  if (version.parent.empty()) root_ = version.id;
  recorded_us_ = std::max(recorded_us_, version.recorded_from_us);
  if (version.recorded_to_us != kNow) recorded_us_ = std::max(recorded_us_, version.recorded_to_us);
  std::vector<Version>& versions = versions_[version.id];
  std::erase_if(versions, [&](const Version& v) { return v.version_id == version.version_id; });
  auto later = [](const Version& a, const Version& b) {
    return std::tie(a.valid_from, a.recorded_from_us) < std::tie(b.valid_from, b.recorded_from_us);
  };
  versions.insert(std::upper_bound(versions.begin(), versions.end(), version, later),
                  std::move(version));
}

const Version* OrganizationTree::Find(std::string_view id, std::string_view valid_at,
                                      int64_t known_at_us) const {
  auto found = versions_.find(id);
  if (found == versions_.end()) return nullptr;
  for (const Version& version : found->second) {
    if (version.valid_from > valid_at) return nullptr;
    if (valid_at < version.valid_to && Believed(version, known_at_us)) return &version;
  }
  return nullptr;
}

const Version* OrganizationTree::Resolve(std::string_view id, std::string_view valid_at,
                                         int64_t known_at_us) const {
  if (const Version* version = Find(id, valid_at, known_at_us)) return version;
  auto found = versions_.find(id);
  if (found == versions_.end()) return nullptr;
  for (const Version& version : found->second) {
    if (Believed(version, known_at_us)) return &version;
  }
  return nullptr;
}

std::vector<std::string> OrganizationTree::Path(std::string_view id, std::string_view valid_at,
                                                int64_t known_at_us) const {
  std::vector<std::string> path;
  const Version* version = Resolve(id, valid_at, known_at_us);
  while (version != nullptr && path.size() < kDeepest) {
    path.push_back(version->id);
    version = Resolve(version->parent, valid_at, known_at_us);
  }
  return path;
}

bool OrganizationTree::IsAtOrBelow(std::string_view id, std::string_view ancestor,
                                   std::string_view valid_at, int64_t known_at_us) const {
  const Version* version = Resolve(id, valid_at, known_at_us);
  for (int depth = 0; version != nullptr && depth < kDeepest; ++depth) {
    if (version->id == ancestor) return true;
    version = Resolve(version->parent, valid_at, known_at_us);
  }
  return false;
}

std::vector<std::string> OrganizationTree::Children(std::string_view id, std::string_view valid_at,
                                                    int64_t known_at_us) const {
  std::vector<std::string> children;
  auto candidates = children_.find(id);
  if (candidates == children_.end()) return children;
  for (const std::string& candidate : candidates->second) {
    const Version* version = Find(candidate, valid_at, known_at_us);
    if (version != nullptr && version->parent == id) children.push_back(candidate);
  }
  return children;
}

std::vector<std::string> OrganizationTree::Subtree(std::string_view id, std::string_view valid_at,
                                                   int64_t known_at_us) const {
  std::vector<std::string> subtree;
  if (Find(id, valid_at, known_at_us) != nullptr) {
    AddSubtree(std::string(id), valid_at, known_at_us, subtree);
  }
  return subtree;
}

std::vector<std::string> OrganizationTree::AffiliatedBelow(std::string_view id,
                                                           std::string_view valid_at,
                                                           int64_t known_at_us) const {
  if (affiliates_.empty()) return {};
  const std::vector<std::string> subtree = Subtree(id, valid_at, known_at_us);
  std::set<std::string> below;
  for (const std::string& upper : subtree) {
    const auto candidates = affiliates_.find(upper);
    if (candidates == affiliates_.end()) continue;
    for (const std::string& candidate : candidates->second) {
      const Version* version = Find(candidate, valid_at, known_at_us);
      if (version == nullptr || version->affiliated_to != upper) continue;
      const std::vector<std::string> part = Subtree(candidate, valid_at, known_at_us);
      below.insert(part.begin(), part.end());
    }
  }
  for (const std::string& inside : subtree) below.erase(inside);
  return {below.begin(), below.end()};
}

void OrganizationTree::AddSubtree(const std::string& id, std::string_view valid_at,
                                  int64_t known_at_us, std::vector<std::string>& out) const {
  out.push_back(id);
  for (const std::string& child : Children(id, valid_at, known_at_us)) {
    AddSubtree(child, valid_at, known_at_us, out);
  }
}

}  // namespace gonghui::tree
