// Which organisations take members.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/sql/sql.h"

namespace gonghui::membership {

// Whether an organisation takes members.
struct OrganizationStanding {
  bool known = false;
  std::string closed_on;  // Empty: open.
};
using OrganizationStandings = std::map<std::string, OrganizationStanding>;

// What was found of organisations, for as long as their tree stands still. Thread-safe.
class KnownOrganizations {
 public:
  // Moves those that are known of the tree, last written to at `head_us`, from `ids` to
  // `standings`.
  void Find(const std::string& federation, int64_t head_us, std::set<std::string>& ids,
            OrganizationStandings& standings);
  void Keep(const std::string& federation, int64_t head_us, const std::string& id,
            const OrganizationStanding& standing);

 private:
  struct Tree {
    int64_t head_us = -1;
    OrganizationStandings standings;
  };
  // nullptr where a later tree was seen.
  Tree* At(const std::string& federation, int64_t head_us) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  std::map<std::string, Tree> trees_ ABSL_GUARDED_BY(mutex_);
};

// Looks organisations up within one transaction, each once.
class OpenOrganizations {
 public:
  // `known` may be nullptr.
  OpenOrganizations(sql::Tx& tx, std::string federation, KnownOrganizations* known = nullptr)
      : tx_(tx), federation_(std::move(federation)), known_(known) {}

  // Looks these up at once, for Check.
  absl::Status Read(std::set<std::string> organizations);
  // Sets `rejection` (REFERENCE_NOT_FOUND or ORGANIZATION_CLOSED, at `field`) where the
  // organisation is unknown or has a day of closing. Returns the engine's errors only.
  absl::Status Check(const std::string& organization, std::string field, absl::Status& rejection);

 private:
  sql::Tx& tx_;
  const std::string federation_;
  KnownOrganizations* const known_;
  OrganizationStandings found_;
};

}  // namespace gonghui::membership
