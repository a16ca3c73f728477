// Records whose computed fields sum over those that refer to them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/records/engine.h"
#include "common/records/record_checks.h"
#include "common/records/record_store.h"

namespace gonghui::records {

// Every record that refers to `id` and is not cancelled.
absl::StatusOr<std::vector<Row>> AllChildren(sql::Tx& tx, const std::string& tenant,
                                             const std::string& id);

// A record counted anew.
struct Recount {
  const common::v1::Kind* kind = nullptr;
  Row before;
  Row after;
  catalog::FactSource source_before;
  catalog::FactSource source_after;
};

// Counts after changes of the records below. Cheap to make.
class Recounting {
 public:
  Recounting(const Records::Options& options, const rpc::Call& call,
             const tree::OrganizationTree& tree)
      : options_(options), call_(call), tree_(tree) {}

  // `row` as it is with `changed` in place of, or beside, what is stored below it. Adds the rules
  // that it would break.
  absl::StatusOr<Recount> Count(sql::Tx& tx, const common::v1::Kind& kind, const Row& row,
                                absl::Span<const Row* const> changed, Faults& faults) const;
  // Writes what changed, its facts into `event`, and what follows from it further up.
  absl::Status Write(sql::Tx& tx, Recount recount, feed::v1::Event& event) const;
  // Counts and writes the parent of `changed`, which is written already, if it sums over it.
  // RULE_VIOLATED at the field that names the parent.
  absl::Status Follow(sql::Tx& tx, const common::v1::Kind& kind, const std::string& parent_id,
                      const Row& changed, std::string_view prefix, feed::v1::Event& event) const;

 private:
  const Records::Options& options_;
  const rpc::Call& call_;
  const tree::OrganizationTree& tree_;
};

// The fault that a record of `kind` has because of what the one above it may not become.
absl::Status AboveBroken(const common::v1::Kind& kind, const absl::Status& fault,
                         std::string_view prefix);

}  // namespace gonghui::records
