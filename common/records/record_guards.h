// Guards that look beyond the record: whose step it is, one record a person, series of numbers.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/records/engine.h"
#include "common/records/record_store.h"

namespace gonghui::records {

// OUT_OF_SCOPE at `path` where the kind leaves the step to the upper organisation and the caller's
// rights do not cover it.
absl::Status CheckUpper(const rpc::Call& call, const tree::OrganizationTree& tree,
                        const common::v1::Kind& kind, const common::v1::RecordStep& step,
                        const std::string& organization, std::string path);

// DUTIES_NOT_SEPARATED at `path` where the caller took one of the steps that the step's actor may
// not have taken, among `earlier` or as the record's creator.
absl::Status CheckDuties(const rpc::Call& call, const common::v1::Kind& kind,
                         const common::v1::RecordStep& step,
                         const std::vector<common::v1::RecordStep>& earlier,
                         const std::string& creator, std::string path);

// STATE_FORBIDS at `path` where the record's state is locked.
absl::Status CheckUnlocked(const common::v1::Kind& kind, const Row& row, std::string path);
// STATE_FORBIDS where the kind has no states and its parent's state is locked.
absl::Status CheckUnlockedAbove(const common::v1::Kind& kind, const Parent& parent,
                                std::string_view prefix);
// STATE_FORBIDS where a step out of a locked state changes a field that it does not need.
absl::Status CheckStepFields(const common::v1::Kind& kind, const Row& before, const Row& after,
                             std::string_view transition);

// What the transaction is for: only one that writes can lock, and only one that writes needs to.
enum class Purpose { kWrite, kDryRun };

// Persons who stand in records of the kinds of `one_per_person_in`. To write, Load locks the
// persons, so that what it answers holds until the end of the transaction.
class StandingPersons {
 public:
  StandingPersons(const Records::Options& options, const rpc::Call& call,
                  const common::v1::Kind& kind)
      : options_(options), call_(call), kind_(kind) {}

  // False: the kind does not ask, or the record names nobody or is over.
  bool Concerns(const Row& row, const Parent& parent) const;
  absl::Status Load(sql::Tx& tx, const std::set<std::string>& subjects, Purpose purpose);
  // ALREADY_EXISTS where the person of `row` stands in another record; else takes `row` as the one.
  absl::Status Take(const Row& row, std::string_view prefix);

 private:
  bool IsOver(const common::v1::Kind& kind, const Row& row, const Parent& parent) const;

  const Records::Options& options_;
  const rpc::Call& call_;
  const common::v1::Kind& kind_;
  std::map<std::string, std::string> standing_;  // Subject -> id of the record.
};

// The numbers that a kind's `gap_free` field has run up to.
class NumberSeries {
 public:
  NumberSeries(const Records::Options& options, const rpc::Call& call, const common::v1::Kind& kind)
      : options_(options), call_(call), kind_(kind) {}

  // Reads the series of the organisations and, to write, locks them until the end of the
  // transaction.
  absl::Status Load(sql::Tx& tx, const std::set<std::string>& organizations, Purpose purpose);
  // Gives a new record its number, or checks the one it has: FIELD_INVALID where it is not the
  // next.
  absl::Status Take(Row& row, std::string_view prefix);
  // STATE_FORBIDS where the record is not the last of its series.
  absl::Status CheckLast(const Row& row) const;

 private:
  std::string ScopeOf(const Row& row) const;
  int64_t NumberOf(const Row& row) const;

  const Records::Options& options_;
  const rpc::Call& call_;
  const common::v1::Kind& kind_;
  std::map<std::string, int64_t> last_;  // Values of the key before the number -> last number.
};

}  // namespace gonghui::records
