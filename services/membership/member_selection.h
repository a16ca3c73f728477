// The members whom a filter means.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/catalog/catalog.h"
#include "common/sql/sql.h"
#include "gonghui/membership/v1/member.pb.h"
#include "services/membership/member_rows.h"

namespace gonghui::membership {

// A filter with its codes in stored form.
class MemberSelection {
 public:
  // Errors stand at `at` + field. Without states: those of `states`.
  static absl::StatusOr<MemberSelection> Make(const catalog::Catalog& catalog,
                                              const v1::MemberFilter& filter, std::string_view at,
                                              const std::vector<std::string>& states);

  // At most `limit` members of the organisations (sorted), after (organization, id), in this order.
  absl::StatusOr<std::vector<MemberRow>> Page(sql::Tx& tx, const MemberStore& store,
                                              const std::string& federation,
                                              absl::Span<const std::string> organizations,
                                              const std::string& after_organization,
                                              const std::string& after_id, size_t limit) const;
  // The same for one who reads them all: a name is no shortcut then.
  absl::StatusOr<std::vector<MemberRow>> PageOfAll(sql::Tx& tx, const MemberStore& store,
                                                   const std::string& federation,
                                                   absl::Span<const std::string> organizations,
                                                   const std::string& after_organization,
                                                   const std::string& after_id, size_t limit) const;
  absl::StatusOr<int64_t> Count(sql::Tx& tx, const MemberStore& store,
                                const std::string& federation,
                                absl::Span<const std::string> organizations) const;

 private:
  bool Holds(const v1::Member& member) const;
  absl::StatusOr<std::vector<MemberRow>> ByName(sql::Tx& tx, const MemberStore& store,
                                                const std::string& federation,
                                                absl::Span<const std::string> organizations) const;

  v1::MemberFilter filter_;
  std::set<std::string> states_;
  std::set<std::string> tags_;
};

// active, retained, left or merged.
std::string_view StateOf(const v1::Member& member);

}  // namespace gonghui::membership
