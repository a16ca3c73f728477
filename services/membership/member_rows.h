// Members as they lie in the database, and as callers and figures see them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/catalog/catalog.h"
#include "common/catalog/fact_rules.h"
#include "common/crypto/personal.h"
#include "common/sql/sql.h"
#include "gonghui/common/v1/fact.pb.h"
#include "gonghui/membership/v1/member.pb.h"

namespace gonghui::membership {

// A member with the latest membership, numbers in clear.
struct MemberRow {
  std::string id;
  v1::Member member;     // Without name and etag.
  std::string id_index;  // Keyed hash of the identity number: the person, as figures count it.
  std::string leave_reason;
  std::string retain_reason = {};
  std::string created_by = {};  // Subject of the token that registered the member.
  int64_t version = 1;
};

// A membership that ended before the latest one began.
struct PastMembership {
  std::string organization;
  std::string joined_on;
  std::string left_on;
  std::string leave_reason;
  bool operator==(const PastMembership&) const = default;
};

// The state of a record that was merged into another one of the same person: it has no memberships.
inline constexpr std::string_view kMerged = "merged";
// The kind of paper of a person whose data was erased, and the state that callers see; the
// memberships are those of somebody who left.
inline constexpr std::string_view kErased = "erased";
// The reason of leaving where a transfer carried the person on, as kReorganisation.
inline constexpr std::string_view kTransfer = "transfer";

// Whether a membership that ended for this reason goes on in the next one without leaving or
// joining.
bool CarriesOn(std::string_view leave_reason);
// All memberships in order, that of the row last.
std::vector<PastMembership> MembershipsOf(const MemberRow& row,
                                          absl::Span<const PastMembership> past);

// The columns that MemberStore reads, in its order.
#define MEMBER_COLUMNS                                                        \
  "member_id, organization, full_name, id_type, id_index, id_sealed, sex, "   \
  "birth_date, "                                                              \
  "phone_sealed, employment, education, skill_level, political_status, job, " \
  "worker_group, "                                                            \
  "migrant_worker, joined_on, left_on, leave_reason, state, version, "        \
  "group_tags, retained_from, retain_reason, seniority_from, merged_into, "   \
  "name_key, created_by, create_time_us"

// What the rows need beside the transaction. Outlives its users.
struct MemberStore {
  const crypto::PersonalData& personal;

  // The arguments that InsertMembers takes: everything is sealed before the transaction begins.
  sql::Args ToArgs(const std::string& federation, const MemberRow& row) const;
  // Writes those whose person is not there yet; returns how many these were.
  absl::StatusOr<int64_t> Insert(sql::Tx& tx, absl::Span<const sql::Args> rows) const;
  // REASON_CONFLICT when the row is not at `row.version` - 1.
  absl::Status Update(sql::Tx& tx, const std::string& federation, const MemberRow& row) const;

  absl::StatusOr<std::optional<MemberRow>> Find(sql::Tx& tx, const std::string& federation,
                                                const std::string& id) const;
  // Rows of the persons that are registered, in no order.
  absl::StatusOr<std::vector<MemberRow>> FindPersons(sql::Tx& tx, const std::string& federation,
                                                     absl::Span<const std::string> indexes) const;
  // After (organization, id), in this order. Empty organization: all. State: active, left or all.
  absl::StatusOr<std::vector<MemberRow>> List(sql::Tx& tx, const std::string& federation,
                                              const std::string& organization,
                                              const std::string& state,
                                              const std::string& after_organization,
                                              const std::string& after_id, int64_t limit) const;

  // Those who were members of the organisation on the day, after the id, by id; rows as they are
  // now.
  absl::StatusOr<std::vector<MemberRow>> ListOn(sql::Tx& tx, const std::string& federation,
                                                const std::string& organization,
                                                const std::string& day, const std::string& after_id,
                                                int64_t limit) const;

  absl::StatusOr<std::vector<PastMembership>> FindPast(sql::Tx& tx, const std::string& federation,
                                                       const std::string& id) const;
  // Makes the past memberships `after` of those that are stored, `before`.
  static absl::Status WritePast(sql::Tx& tx, const std::string& federation, const std::string& id,
                                absl::Span<const PastMembership> before,
                                absl::Span<const PastMembership> after);

  // The index of a person's paper; the same in every service for resident identity numbers.
  std::string IndexOf(std::string_view federation, std::string_view id_type,
                      std::string_view id_number) const;
  // Of a row with MEMBER_COLUMNS.
  absl::StatusOr<MemberRow> ToRow(const std::string& federation, const sql::Rows::Row& row) const;
};

std::string MemberName(std::string_view federation, std::string_view id);
// What callers see: identity and phone numbers masked.
v1::Member MaskedView(const std::string& federation, const MemberRow& row);

// What a member contributes to the figures, over all memberships.
absl::StatusOr<std::vector<common::v1::Fact>> MemberFacts(const common::v1::Kind& kind,
                                                          const MemberRow& row,
                                                          absl::Span<const PastMembership> past);

}  // namespace gonghui::membership
