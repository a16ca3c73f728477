// Terms of office that end with the organisation in which they are held.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/catalog/catalog.h"
#include "common/records/record_store.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "services/membership/organization_versions.h"

namespace gonghui::membership {

// Works on copies until Write. Lives within one transaction.
class TermsOfOffice {
 public:
  // A register record whose term changes.
  struct Changed {
    std::string id;
    int64_t seen = 0;  // Version before.
    std::string undo;  // State, dates of states and fields before and after.
    std::vector<common::v1::Fact> facts = {};
  };

  TermsOfOffice(sql::Tx& tx, const rpc::Call& call, const catalog::Catalog& catalog,
                TreeWrite& tree)
      : tx_(tx), call_(call), catalog_(catalog), tree_(tree) {}

  // Ends what runs in the organisation on `day` or later: posts are left, committees and
  // elected terms and planned posts end the day before. Adds to `records_left` how many other
  // records of the registers the organisation keeps.
  absl::Status End(const std::string& organization, const std::string& day, int64_t& records_left);
  // Lets terms run again as they did; `undo` by id of the record. Returns the ids of those whose
  // term changed since, with nothing restored of them.
  absl::StatusOr<std::vector<std::string>> Restore(const std::map<std::string, std::string>& undo);

  // By id.
  absl::StatusOr<std::vector<Changed>> Changes();
  absl::Status Write();

 private:
  struct Known {
    records::Row before;
    records::Row now;
  };

  sql::Tx& tx_;
  const rpc::Call& call_;
  const catalog::Catalog& catalog_;
  TreeWrite& tree_;
  std::map<std::string, Known> known_;
};

}  // namespace gonghui::membership
