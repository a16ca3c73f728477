// Which organisations take members.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "common/sql/sql.h"

namespace gonghui::membership {

// Looks organisations up within one transaction, each once.
class OpenOrganizations {
 public:
  OpenOrganizations(sql::Tx& tx, std::string federation)
      : tx_(tx), federation_(std::move(federation)) {}

  // Sets `rejection` (REFERENCE_NOT_FOUND or ORGANIZATION_CLOSED, at `field`) where the
  // organisation is unknown or has a day of closing. Returns the engine's errors only.
  absl::Status Check(const std::string& organization, std::string field, absl::Status& rejection);

 private:
  enum class Standing { kUnknown, kOpen, kClosed };
  struct Found {
    Standing standing;
    std::string closed_on;
  };

  sql::Tx& tx_;
  const std::string federation_;
  std::map<std::string, Found> found_;
};

}  // namespace gonghui::membership
