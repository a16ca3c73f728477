// What callers write, checked against the kind and normalised.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/catalog/catalog.h"
#include "common/catalog/fact_rules.h"
#include "common/crypto/personal.h"
#include "common/records/record_store.h"
#include "common/tree/organization_tree.h"
#include "gonghui/common/v1/record.pb.h"

namespace gonghui::records {

using Faults = std::vector<absl::Status>;

// The same error, told of a field of the record.
absl::Status AtField(const absl::Status& status, const std::string& path);

// The kind's transition that a step took; nullptr where the catalogue has it no longer.
const common::v1::Transition* TransitionOf(const common::v1::Kind& kind,
                                           const common::v1::RecordStep& step);

// Checks the records of one kind. Cheap to make; lives as long as what it was made from.
class RecordChecks {
 public:
  struct Options {
    const catalog::Catalog* catalog = nullptr;
    const crypto::PersonalData* personal = nullptr;
    const tree::OrganizationTree* tree = nullptr;
    std::string federation;
    std::string prefix;  // Of the field paths in faults: "record." or nothing.
  };
  RecordChecks(Options options, const common::v1::Kind& kind)
      : options_(std::move(options)), kind_(kind) {}

  // Reads everything that callers may write into `row` and adds each fault. A personal value that
  // equals the mask of what `before` holds stays as it was. `before`: nullptr for a new record;
  // otherwise `row` begins as its copy.
  void Read(const common::v1::Record& record, const Row* before, Row& row, Faults& faults) const;

  // Puts a new record into its initial state.
  void Begin(Row& row) const;
  // Sets the clock of the present state, entered on `since`; empty: it was entered before, and only
  // a clock that runs from a date field is set anew.
  void SetClock(const catalog::FactSource& source, std::string_view since, Row& row) const;
  // Takes one step. Errors: TRANSITION_UNKNOWN and STATE_FORBIDS at `path`, FIELD_INVALID at
  // `date_path` for a date before the last step, FIELD_REQUIRED for what the step needs.
  absl::StatusOr<common::v1::RecordStep> Step(std::string_view transition, std::string_view on_date,
                                              std::string path, std::string date_path,
                                              Row& row) const;

  // The rules of these steps, by the record as they left it.
  void CheckSteps(const std::vector<common::v1::RecordStep>& steps,
                  const catalog::FactSource& source, Faults& faults) const;
  // The rules of the kind in force on the record's date.
  void CheckRules(const catalog::FactSource& source, Faults& faults) const;
  // The same for the rules that only warn.
  Faults Warnings(const catalog::FactSource& source) const;

 private:
  using RuleList = google::protobuf::RepeatedPtrField<common::v1::RecordRule>;

  void ReadDates(const common::v1::Record& record, const Row* before, Row& row,
                 Faults& faults) const;
  void ReadFields(const common::v1::Record& record, const Row* before, Row& row,
                  Faults& faults) const;
  absl::StatusOr<std::string> ReadField(const common::v1::KindField& field, std::string_view text,
                                        const Row& row) const;
  void JudgeRules(const RuleList& rules, const catalog::FactSource& source, bool warn,
                  Faults& faults) const;
  absl::Status Broken(const common::v1::RecordRule& rule, const catalog::FactSource& source) const;
  absl::Status ReadPerson(const std::string& path, std::string_view text, Row& row) const;
  absl::StatusOr<std::string> ReadCode(const common::v1::KindField& field, std::string_view text,
                                       const Row& row) const;
  absl::StatusOr<std::string> ReadNumber(const common::v1::KindField& field,
                                         std::string_view text) const;
  // The transition of that name out of the state.
  absl::StatusOr<const common::v1::Transition*> FindStep(std::string_view transition,
                                                         const std::string& state,
                                                         std::string path) const;
  // The organisation exists on the day (empty: ever) and, if `open`, is open then.
  absl::Status CheckOrganization(const std::string& path, const std::string& id,
                                 const std::string& on_date, bool open) const;
  std::string PathOf(const common::v1::KindField& field) const;
  std::string PathOf(std::string_view name) const;

  const Options options_;
  const common::v1::Kind& kind_;
};

}  // namespace gonghui::records
