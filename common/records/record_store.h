// Records as they lie in the database, and as callers, rules and facts see them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/catalog/catalog.h"
#include "common/catalog/fact_rules.h"
#include "common/sql/sql.h"
#include "common/tree/organization_tree.h"
#include "gonghui/common/v1/record.pb.h"

namespace gonghui::records {

using Texts = std::map<std::string, std::string, std::less<>>;

// One row of `records`.
struct Row {
  std::string id;
  std::string kind;
  std::string organization;
  std::string number;
  std::string natural_key;
  std::string parent_id;
  std::string title;
  std::string on_date;
  std::string ends_on;
  std::string state;
  std::string due_date;
  std::string subject;
  std::string person_mask;
  Texts fields;  // As callers write them, normalised: codes as codes, money in yuan.
  // State -> date of its first step, "STATE.again" -> date of the last one, where there were more;
  // the initial state is not among them.
  Texts entered;
  int64_t version = 1;
  bool cancelled = false;
  std::string actor;  // Who wrote it last.
  std::string created_by;
  int64_t create_time_us = 0;
  int64_t update_time_us = 0;

  bool operator==(const Row&) const = default;
};

// The kind's field of a type that it has at most one of; nullptr when it has none.
const common::v1::KindField* FieldOfType(const common::v1::Kind& kind, common::v1::FieldType type);

// The values of the kind's key as one text; where one of them is empty, the number, else the id.
std::string NaturalKeyOf(const common::v1::Kind& kind, const Row& row);

// A built-in column or catalogue field as stored; a person is its keyed hash.
std::string_view ValueOf(const common::v1::Kind& kind, const Row& row, std::string_view name);

// What callers see instead of personal text.
std::string Masked(std::string_view text);

// The record as callers see it: personal fields masked, no steps.
common::v1::Record ToRecord(const common::v1::Kind& kind, const Row& row, std::string_view name);

// The record as a public notice shows it: no name, no identity number, only fields for the notice.
common::v1::Record ToNotice(const common::v1::Kind& kind, const Row& row);

// A record that others point to.
struct Parent {
  const common::v1::Kind* kind = nullptr;
  const Row* row = nullptr;  // nullptr: there is none.
};

// The record as rules and facts see it. `catalog` is the one that holds the kind.
catalog::FactSource ToSource(const catalog::Catalog& catalog, const common::v1::Kind& kind,
                             const Row& row, const Parent& parent,
                             const tree::OrganizationTree& tree);

absl::StatusOr<std::optional<Row>> FindRow(sql::Tx& tx, const std::string& tenant,
                                           const std::string& id);
// Natural key -> row of a kind, for those that exist. Cancelled records have given theirs up.
absl::StatusOr<std::map<std::string, Row>> FindRowsByKey(sql::Tx& tx, const std::string& tenant,
                                                         const std::string& kind,
                                                         const std::set<std::string>& keys);
// Children that are not cancelled, by id, after an id.
absl::StatusOr<std::vector<Row>> FindChildren(sql::Tx& tx, const std::string& tenant,
                                              const std::string& parent_id,
                                              const std::string& after_id, int64_t limit);
// Number -> row of a kind, for those that exist and are not cancelled.
absl::StatusOr<std::map<std::string, Row>> FindRowsByNumber(sql::Tx& tx, const std::string& tenant,
                                                            const std::string& kind,
                                                            const std::set<std::string>& numbers);
// Whether others refer to records of the kind by a number that stands beside the key.
bool IsNumberedBesideKey(const common::v1::Kind& kind);
// Text of a RECORD field -> row that it refers to, for those that exist: by number, or by the only
// field of the kind's key.
absl::StatusOr<std::map<std::string, Row>> FindReferred(sql::Tx& tx, const std::string& tenant,
                                                        const common::v1::Kind& kind,
                                                        const std::set<std::string>& references);
// Records of any kind, not cancelled, in which one of the persons stands.
absl::StatusOr<std::vector<Row>> FindRowsOfPersons(sql::Tx& tx, const std::string& tenant,
                                                   const std::set<std::string>& subjects);
// Erases what tells who the persons are, from all their records: personal fields, also where the
// title repeats them, the shown part of the number, and remarks of steps. The keyed hash stays: the
// figures count persons by it.
absl::Status ErasePersons(sql::Tx& tx, const catalog::Catalog& catalog, const std::string& tenant,
                          const std::set<std::string>& subjects, int64_t now_us);
absl::StatusOr<std::vector<common::v1::RecordStep>> FindSteps(sql::Tx& tx,
                                                              const std::string& tenant,
                                                              const std::string& id);

// One page of a list.
struct ListQuery {
  std::string kind;
  std::vector<std::string> organizations;  // Empty: all.
  std::string state;
  std::string from_date;
  std::string to_date;
  std::string number;
  std::string overdue_at;          // Not empty: only what was due before this day.
  std::string due_from;            // Not empty: only what is due on this day or later.
  std::string due_to;              // Not empty: only what is due on this day or earlier.
  std::vector<std::string> after;  // on_date and id of the last row seen; empty at the beginning.
  int64_t limit = 0;
};
// Newest date first.
absl::StatusOr<std::vector<Row>> ListRows(sql::Tx& tx, const std::string& tenant,
                                          const ListQuery& query);

// How many records of a kind stand alike.
struct Standing {
  std::string organization;
  std::string state;
  std::string due_date;
  int64_t count = 0;
};
// Without the cancelled ones.
absl::StatusOr<std::vector<Standing>> CountStandings(sql::Tx& tx, const std::string& tenant,
                                                     const std::string& kind);

// Makes writers that name the same thing follow one another until the end of the transaction: a
// later one is repeated and sees what the earlier wrote.
absl::Status LockNames(sql::Tx& tx, const std::string& tenant, const std::set<std::string>& names);

absl::Status InsertRows(sql::Tx& tx, const std::string& tenant, absl::Span<const Row* const> rows);
absl::Status UpdateRow(sql::Tx& tx, const std::string& tenant, const Row& row);

// Steps of one record, numbered after those it has.
struct StepsOf {
  const std::string* id;
  const std::vector<common::v1::RecordStep>* steps;
  int64_t first_seq = 0;
};
absl::Status InsertSteps(sql::Tx& tx, const std::string& tenant, absl::Span<const StepsOf> records);

}  // namespace gonghui::records
