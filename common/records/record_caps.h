// How much records together may come to, and what must be there: the caps of a kind.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/catalog/fact_rules.h"
#include "common/records/engine.h"
#include "common/records/record_checks.h"
#include "common/records/record_guards.h"
#include "common/records/record_store.h"
#include "common/records/record_values.h"

namespace gonghui::records {

// Judges the records that one transaction writes, all of one kind. Load first, then Take each.
class Caps {
 public:
  // A record as it will be.
  struct Judged {
    const Row* row;
    const catalog::FactSource* source;
  };
  Caps(const Records::Options& options, const rpc::Call& call, const common::v1::Kind& kind,
       const tree::OrganizationTree& tree)
      : options_(options), call_(call), kind_(kind), tree_(tree), values_(*options.catalog, tree) {}

  // To write, locks what the records are counted by, so that what Take answers holds until the end
  // of the transaction.
  absl::Status Load(sql::Tx& tx, const std::vector<Judged>& records, Purpose purpose);
  // Adds the caps that the record breaks together with what is stored and what was taken before;
  // LIMIT_EXCEEDED, or RULE_VIOLATED where something is missing; to `warnings` those that only
  // warn, without the prefix. Where there is no fault, takes it.
  absl::Status Take(sql::Tx& tx, const Judged& record, std::string_view prefix, Faults& faults,
                    Faults& warnings);

 private:
  // A record that may count.
  struct Counted {
    std::string id;
    const common::v1::Kind* kind;
    catalog::FactSource source;
  };
  struct Total {
    int64_t value = 0;
    std::string other;  // A record that counts, besides the judged one.
  };

  bool Concerns(const common::v1::Cap& cap, const catalog::FactSource& source) const;
  // What a record shares with those that count beside it; nullopt where one value is empty.
  std::optional<std::string> GroupOf(const common::v1::Cap& cap,
                                     const catalog::FactSource& source) const;
  std::string LockOf(const common::v1::Cap& cap, const Judged& record,
                     const std::string& group) const;
  bool Counts(const common::v1::Cap& cap, const common::v1::Kind& kind) const;
  bool IsWithin(const common::v1::Cap& cap, const catalog::FactSource& judged,
                const catalog::FactSource& counted) const;
  void Add(const common::v1::Cap& cap, const catalog::FactSource& source, Total& total) const;
  absl::StatusOr<Total> TotalOf(sql::Tx& tx, const common::v1::Cap& cap, const Judged& record,
                                const std::string& group);
  // What is stored of what may count, read once.
  absl::StatusOr<const std::vector<Counted>*> Stored(sql::Tx& tx, const common::v1::Cap& cap,
                                                     const Judged& record);
  absl::StatusOr<std::vector<Row>> Fetch(sql::Tx& tx, const common::v1::Cap& cap,
                                         const Judged& record) const;
  absl::StatusOr<Counted> Present(sql::Tx& tx, const Row& row);
  absl::Status Broken(const common::v1::Cap& cap, const Total& total, std::string_view relation,
                      int64_t bound, std::string_view prefix) const;

  const Records::Options& options_;
  const rpc::Call& call_;
  const common::v1::Kind& kind_;
  const tree::OrganizationTree& tree_;
  const Values values_;
  std::map<std::string, std::vector<Counted>> stored_;  // By how they were found.
  std::map<std::string, std::vector<Counted>> taken_;   // By cap and group.
  std::map<std::string, std::optional<Row>> parents_;   // By id.
};

}  // namespace gonghui::records
