// One change of one member within a transaction.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/status.h"
#include "common/cache/cache.h"
#include "common/catalog/catalog.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "gonghui/feed/v1/feed.pb.h"
#include "gonghui/membership/v1/member_history.pb.h"
#include "services/membership/member_events.h"
#include "services/membership/member_rows.h"

namespace gonghui::membership {

// What every operation on members works with. Outlives its users.
struct MemberRegister {
  MemberStore store;
  const catalog::Catalog* catalog;
  const common::v1::Kind* kind;  // Of members.
  const common::v1::Kind* card_kind;

  MemberRegister(const catalog::Catalog& catalog, const crypto::PersonalData& personal)
      : store{personal},
        catalog(&catalog),
        kind(catalog.FindKind("member")),
        card_kind(catalog.FindKind("membership_card")) {}
};

// What to say where a person to be entered at `organization` is registered already; at `at` +
// id_number.
absl::Status AlreadyRegistered(const std::string& federation, const MemberRow& existing,
                               const std::string& organization, std::string_view at);
// What is said where something shall be added to a member whose data was erased.
absl::Status ErasedForGood(std::string_view field);
Error UnknownMember(const std::string& id, std::string_view field);
// `date` lies before `limit`, which is what `than` names; at `field`.
Error DateBefore(std::string_view field, const std::string& date, std::string_view than,
                 const std::string& limit);
// REASON_FIELD_INVALID at `field` for a date after today.
absl::Status NotInFuture(const rpc::Call& call, std::string_view field, const std::string& date);

// Reads a member, lets it be changed, and writes everything that follows from the change: row, past
// memberships, retentions, cards, what happened, facts. Used within one transaction.
class MemberEdit {
 public:
  // NOT_FOUND, or REASON_STATE_FORBIDS for one whose data were erased, at `field`.
  static absl::StatusOr<MemberEdit> Begin(sql::Tx& tx, const MemberRegister& members,
                                          const std::string& federation, const std::string& id,
                                          std::string_view field);

  const std::string& id() const { return row_.id; }
  MemberRow& row() { return row_; }
  const MemberRow& row() const { return row_; }
  const v1::Member& member() const { return row_.member; }
  std::vector<PastMembership>& past() { return past_; }
  // REASON_STATE_FORBIDS, naming what is possible.
  absl::Status ExpectState(std::string_view state) const;

  // Ends the membership and what goes with it; the day is its first without.
  void Leave(const std::string& day, const std::string& reason);
  // Begins a new membership of a person who left.
  void Join(const std::string& organization, const std::string& day);
  // Carries the membership on elsewhere from the day on.
  void Transfer(const std::string& organization, const std::string& day);
  void Retain(const std::string& day, const std::string& reason);
  void Resume(const std::string& day);

  // Writes all and adds the member and its facts to `event`. `happened` gets actor and time.
  absl::Status Write(sql::Tx& tx, const rpc::Call& call, v1::MemberEvent happened,
                     feed::v1::Event& event);

 private:
  MemberEdit(const MemberRegister& members, std::string federation, MemberRow row,
             std::vector<PastMembership> past)
      : members_(&members),
        federation_(std::move(federation)),
        before_(row),
        past_before_(past),
        row_(std::move(row)),
        past_(std::move(past)) {}
  // Puts the membership of the row among the past ones.
  void KeepMembership();
  bool EndsSeniority(const std::string& reason) const;

  const MemberRegister* members_;
  std::string federation_;
  MemberRow before_;
  std::vector<PastMembership> past_before_;
  MemberRow row_;
  std::vector<PastMembership> past_;
  std::vector<Retention> ended_retentions_;
};

// Whether the person may join again, there and then: has left, is alive, and the organisation takes
// members. Errors stand at `at` + field.
absl::Status CheckRejoin(sql::Tx& tx, const std::string& federation, const MemberEdit& edit,
                         const std::string& organization, const std::string& joined_on,
                         std::string_view at);

// Where the cache holds the member as answers show it; the rights to it are checked on every
// look-up.
std::string MemberCacheKey(std::string_view federation, std::string_view id);
// To be called after a write of the member was committed, and before it is answered: no cache
// serves an older version from then on.
absl::Status RaiseMember(sql::Database& db, cache::Cache& cache, const rpc::Call& call,
                         const std::string& id);

}  // namespace gonghui::membership
