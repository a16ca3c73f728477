// A change of one record that is there already, with everything that follows from it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/records/engine.h"
#include "common/records/record_store.h"
#include "common/records/records.h"
#include "common/rpc/call.h"
#include "gonghui/common/v1/record.pb.h"

namespace gonghui::records {

// A record that a call names, found and allowed.
struct Target {
  const common::v1::Kind* kind = nullptr;
  Row row;
  std::vector<common::v1::RecordStep> steps;
};
// Reads the record and checks the caller's rights at its organisation, which never changes.
absl::StatusOr<Target> FindTarget(const Records::Options& options, rpc::Call& call,
                                  std::string_view name);

// Open outside the transaction; then, in it, Begin, what is to change, Save. A repeated transaction
// repeats from Begin.
class RecordChange {
 public:
  static absl::StatusOr<RecordChange> Open(const Records::Options& options, rpc::Call& call,
                                           std::string_view name);

  // Reads the record again. ETAG_MISMATCH; STATE_FORBIDS for a cancelled record.
  absl::Status Begin(sql::Tx& tx, std::string_view etag);
  // As it is now, with masks.
  common::v1::Record AsRecord() const;

  // STATE_FORBIDS at `path` where the state is locked.
  absl::Status CheckOpen(std::string path) const;
  // Before the transaction: makes sure that organisations named just now are known.
  absl::Status SeeOrganizations(const common::v1::Record& record);

  // Takes over what callers may write; the first fault.
  absl::Status Read(const common::v1::Record& record, std::string prefix);
  absl::Status Step(sql::Tx& tx, const std::string& transition, const std::string& on_date,
                    const std::string& remark);
  // STATE_FORBIDS while other records refer to it, and in locked states.
  absl::Status Cancel(sql::Tx& tx, const std::string& remark);

  // Checks key, parent and rules; writes row, steps, facts (also those of the records that refer to
  // this one) and one event. Writes nothing where nothing changed.
  absl::StatusOr<common::v1::Record> Save(sql::Tx& tx, std::string_view event_type);

 private:
  RecordChange(const Records::Options& options, rpc::Call& call) : options_(options), call_(call) {}

  // The parents of the record before and after; `after_` gets its parent_id.
  absl::Status FindParents(sql::Tx& tx);
  absl::Status CheckKey(sql::Tx& tx);
  // What looks beyond the record: its person and its number.
  absl::Status CheckGuards(sql::Tx& tx) const;
  // What it comes to together with other records.
  absl::Status CheckCaps(sql::Tx& tx, const catalog::FactSource& after, Faults& warnings) const;
  // The records above, which sum over this one.
  absl::Status CountAbove(sql::Tx& tx, feed::v1::Event& event) const;
  // The day on which the present state was entered by this change; empty: not by this change.
  std::string Since() const;
  absl::Status AddChildFacts(sql::Tx& tx, feed::v1::Event& event) const;
  bool IsReadByChildren() const;
  Parent ParentWith(const std::optional<Row>& row) const;

  const Records::Options& options_;
  rpc::Call& call_;
  const common::v1::Kind* kind_ = nullptr;
  std::string id_;
  TreePtr tree_;
  std::string prefix_;
  Row before_;
  Row after_;
  std::optional<Row> parent_before_;
  std::optional<Row> parent_after_;
  std::vector<common::v1::RecordStep> steps_;
};

}  // namespace gonghui::records
