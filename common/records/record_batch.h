// New records: checked together, written together.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/records/engine.h"
#include "common/records/record_checks.h"
#include "common/records/record_counts.h"
#include "common/records/record_guards.h"
#include "common/records/record_store.h"
#include "common/records/records.h"
#include "common/rpc/call.h"
#include "gonghui/common/v1/record.pb.h"

namespace gonghui::records {

// One batch of new records of one kind. Prepare outside the transaction, then Resolve and, if
// wanted, Write in it; both may be repeated from Resolve when the transaction is.
class RecordBatch {
 public:
  // `prefix` stands before the field paths in faults. All outlive the batch.
  RecordBatch(const Records::Options& options, rpc::Call& call,
              const common::v1::BatchCreateRecordsRequest& request, std::string prefix);

  // Reads and checks each record by itself, and the caller's rights at each organisation.
  absl::Status Prepare();
  // Looks up what the records refer to and what is there already; checks the rules.
  absl::Status Resolve(sql::Tx& tx, Purpose purpose);
  // Writes the good items that are not there yet, their facts and one event.
  absl::Status Write(sql::Tx& tx);

  // The answer of what was resolved. With failures and without `partial` nothing counts as created.
  common::v1::BatchCreateRecordsResponse Answer() const;
  // False: nothing would be written.
  bool HasNew() const;
  // For a batch of one: its first fault.
  absl::Status FirstFault() const;
  // The record as it is now: the one written or the one there before.
  common::v1::Record RecordAt(size_t index) const;

 private:
  struct Item {
    Row row;
    std::vector<common::v1::RecordStep> steps;
    Faults faults;       // Of the item by itself.
    Faults late_faults;  // Of what Resolve found.
    Faults warnings;     // Rules broken without being refused.
    std::string parent_number;
    bool existing = false;
    bool numbered = false;  // The series gave it its number.
    catalog::FactSource source;

    bool good() const { return faults.empty() && late_faults.empty(); }
    bool is_new() const { return good() && !existing; }
  };

  absl::Status CheckScopes();
  void PrepareItem(const RecordChecks& checks, int index);
  absl::Status TakeSteps(const RecordChecks& checks);
  void FindDuplicates();
  absl::Status FindParents(sql::Tx& tx);
  // Records sent again without their place in a series have the place that they were given.
  absl::Status RecallNumbers(sql::Tx& tx);
  absl::Status FindExisting(sql::Tx& tx);
  // Numbers by which others refer to the records, where the key is another.
  absl::Status CheckNumbers(sql::Tx& tx);
  absl::Status TakeNumbers(sql::Tx& tx);
  absl::Status TakePersons(sql::Tx& tx);
  absl::Status TakeCaps(sql::Tx& tx);
  // Counts the parents that sum over the new records; where one may not become so, they are at
  // fault.
  absl::Status CountParents(sql::Tx& tx);
  Parent ParentOf(const Item& item) const;

  const Records::Options& options_;
  rpc::Call& call_;
  const common::v1::BatchCreateRecordsRequest& request_;
  const std::string prefix_;
  Purpose purpose_ = Purpose::kDryRun;
  const common::v1::Kind* kind_ = nullptr;
  const common::v1::KindField* parent_field_ = nullptr;
  TreePtr tree_;
  std::vector<Item> items_;
  std::map<std::string, Row> parents_;   // By number.
  std::map<std::string, Row> existing_;  // By natural key.
  std::vector<Recount> recounts_;
};

}  // namespace gonghui::records
