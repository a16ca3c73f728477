// The members whom a reorganisation carries from one organisation to another.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/sql/sql.h"
#include "gonghui/common/v1/catalog.pb.h"
#include "gonghui/common/v1/fact.pb.h"
#include "services/membership/member_rows.h"

namespace gonghui::membership {

// A person's memberships in order; the last one is that of the row.
struct MemberLife {
  MemberRow row;  // Without identity and telephone number.
  std::vector<PastMembership> past;
};

// Versions of members, by id; those that exist.
absl::StatusOr<std::map<std::string, int64_t>> ReadMemberVersions(
    sql::Tx& tx, const std::string& federation, absl::Span<const std::string> ids);

// Works on copies until Write. Lives within one transaction.
class MemberMoves {
 public:
  // A person whose memberships change.
  struct Moved {
    std::string id;
    std::string id_index;
    int64_t seen = 0;  // Version before.
    std::string undo;  // Memberships before and after.
    std::vector<common::v1::Fact> facts = {};
  };

  MemberMoves(sql::Tx& tx, std::string federation, const common::v1::Kind& kind)
      : tx_(tx), federation_(std::move(federation)), kind_(kind) {}

  // Those with a membership in the organisation on a day of [from, to), by id.
  // The lives are valid until Write.
  absl::StatusOr<std::vector<const MemberLife*>> In(const std::string& organization,
                                                    const std::string& from, std::string_view to);
  // Lets what the person's memberships in `source` hold from the day on be in
  // `target`. A membership that reaches over the day is parted there, without
  // leaving or joining.
  const MemberLife& Transfer(const std::string& id, const std::string& source,
                             const std::string& target, const std::string& day);
  // Gives persons the memberships that they had; `undo` by id. Returns the ids of those whose
  // memberships changed since, with nothing restored of them.
  absl::StatusOr<std::vector<std::string>> Restore(const std::map<std::string, std::string>& undo);

  // By id.
  absl::StatusOr<std::vector<Moved>> Changes() const;
  // Writes what changed; returns member ids with their new versions.
  absl::StatusOr<std::vector<std::pair<std::string, int64_t>>> Write();

 private:
  struct Known {
    MemberLife before;
    MemberLife now;
    bool touched = false;
  };
  absl::Status Load(const sql::Query& query, absl::Span<const sql::Args> keys);

  sql::Tx& tx_;
  const std::string federation_;
  const common::v1::Kind& kind_;
  std::map<std::string, Known> known_;
};

}  // namespace gonghui::membership
