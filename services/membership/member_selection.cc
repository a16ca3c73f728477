#include "services/membership/member_selection.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"
#include "services/membership/codes.h"
#include "services/membership/name_key.h"

namespace gonghui::membership {
namespace {

constexpr int64_t kChunk = 500;  // Rows looked at between two checks of how many are wanted.

constexpr sql::Query kOfOrganization{
    "membership.select_members",
    "SELECT " MEMBER_COLUMNS
    " FROM members WHERE tenant=$1 AND organization=$2 AND member_id>$3 AND ($4='' OR sex=$4) AND "
    "($5='' OR employment=$5) AND ($6='' OR joined_on>=$6) AND ($7='' OR joined_on<=$7) "
    "ORDER BY member_id LIMIT $8"};
constexpr sql::Query kByName{
    "membership.select_members_by_name",
    "SELECT " MEMBER_COLUMNS
    " FROM members WHERE tenant=$1 AND name_key>=$2 AND name_key<$3 AND ($4='' OR sex=$4) AND "
    "($5='' OR employment=$5) AND ($6='' OR joined_on>=$6) AND ($7='' OR joined_on<=$7)"};

}  // namespace

std::string_view StateOf(const v1::Member& member) {
  if (member.state() == "active" && !member.retained_from().empty()) return "retained";
  return member.state();
}

absl::StatusOr<MemberSelection> MemberSelection::Make(const catalog::Catalog& catalog,
                                                      const v1::MemberFilter& filter,
                                                      std::string_view at,
                                                      const std::vector<std::string>& states) {
  MemberSelection selection;
  selection.filter_ = filter;
  v1::MemberFilter& normal = selection.filter_;
  RETURN_IF_ERROR(ToCode(catalog, "sex", StrCat(at, "sex"), *normal.mutable_sex()));
  RETURN_IF_ERROR(
      ToCode(catalog, "employment", StrCat(at, "employment"), *normal.mutable_employment()));
  for (std::string tag : filter.group_tags()) {
    RETURN_IF_ERROR(ToCode(catalog, "worker_group", StrCat(at, "group_tags"), tag));
    selection.tags_.insert(std::move(tag));
  }
  selection.states_.insert(filter.states().begin(), filter.states().end());
  if (selection.states_.empty()) selection.states_.insert(states.begin(), states.end());
  *normal.mutable_name_query() = std::string(Strip(normal.name_query()));
  return selection;
}

bool MemberSelection::Holds(const v1::Member& member) const {
  if (!states_.contains(std::string(StateOf(member)))) return false;
  const bool tagged = tags_.empty() || tags_.contains(member.worker_group()) ||
                      std::any_of(member.group_tags().begin(), member.group_tags().end(),
                                  [&](const std::string& tag) { return tags_.contains(tag); });
  if (!tagged) return false;
  return filter_.name_query().empty() || NameBeginsWith(member.full_name(), filter_.name_query());
}

absl::StatusOr<std::vector<MemberRow>> MemberSelection::ByName(
    sql::Tx& tx, const MemberStore& store, const std::string& federation,
    absl::Span<const std::string> organizations) const {
  // What was typed may be initials: these share the first letter only.
  std::string from = NameKey(filter_.name_query()).substr(0, 1);
  std::string to = from + "\x7f";
  std::vector<MemberRow> found;
  RETURN_IF_ERROR(tx.Stream(kByName,
                            {federation, from, to, filter_.sex(), filter_.employment(),
                             filter_.joined_from(), filter_.joined_to()},
                            [&](const sql::Rows::Row& in) -> absl::Status {
                              ASSIGN_OR_RETURN(MemberRow row, store.ToRow(federation, in));
                              const bool inside =
                                  std::binary_search(organizations.begin(), organizations.end(),
                                                     row.member.organization());
                              if (inside && Holds(row.member)) found.push_back(std::move(row));
                              return absl::OkStatus();
                            }));
  std::sort(found.begin(), found.end(), [](const MemberRow& a, const MemberRow& b) {
    return std::tie(a.member.organization(), a.id) < std::tie(b.member.organization(), b.id);
  });
  return found;
}

absl::StatusOr<std::vector<MemberRow>> MemberSelection::Page(
    sql::Tx& tx, const MemberStore& store, const std::string& federation,
    absl::Span<const std::string> organizations, const std::string& after_organization,
    const std::string& after_id, size_t limit) const {
  if (filter_.name_query().empty()) {
    return PageOfAll(tx, store, federation, organizations, after_organization, after_id, limit);
  }
  ASSIGN_OR_RETURN(std::vector<MemberRow> found, ByName(tx, store, federation, organizations));
  std::vector<MemberRow> page;
  for (MemberRow& row : found) {
    const bool after =
        std::tie(row.member.organization(), row.id) > std::tie(after_organization, after_id);
    if (after && page.size() < limit) page.push_back(std::move(row));
  }
  return page;
}

absl::StatusOr<std::vector<MemberRow>> MemberSelection::PageOfAll(
    sql::Tx& tx, const MemberStore& store, const std::string& federation,
    absl::Span<const std::string> organizations, const std::string& after_organization,
    const std::string& after_id, size_t limit) const {
  std::vector<MemberRow> page;
  for (const std::string& organization : organizations) {
    if (organization < after_organization) continue;
    std::string after = organization == after_organization ? after_id : "";
    for (bool more = true; more && page.size() < limit;) {
      ASSIGN_OR_RETURN(const sql::Rows rows,
                       tx.Run(kOfOrganization,
                              {federation, organization, after, filter_.sex(), filter_.employment(),
                               filter_.joined_from(), filter_.joined_to(), kChunk}));
      more = static_cast<int64_t>(rows.size()) == kChunk;
      for (size_t i = 0; i < rows.size() && page.size() < limit; ++i) {
        ASSIGN_OR_RETURN(MemberRow row, store.ToRow(federation, rows[i]));
        after = row.id;
        if (Holds(row.member)) page.push_back(std::move(row));
      }
    }
    if (page.size() == limit) break;
  }
  return page;
}

absl::StatusOr<int64_t> MemberSelection::Count(sql::Tx& tx, const MemberStore& store,
                                               const std::string& federation,
                                               absl::Span<const std::string> organizations) const {
  if (!filter_.name_query().empty()) {
    ASSIGN_OR_RETURN(const auto found, ByName(tx, store, federation, organizations));
    return static_cast<int64_t>(found.size());
  }
  int64_t count = 0;
  std::string organization, id;
  constexpr size_t kPage = 1000;
  for (size_t found = kPage; found == kPage;) {
    ASSIGN_OR_RETURN(const std::vector<MemberRow> rows,
                     PageOfAll(tx, store, federation, organizations, organization, id, kPage));
    found = rows.size();
    count += static_cast<int64_t>(found);
    if (rows.empty()) break;
    organization = rows.back().member.organization();
    id = rows.back().id;
  }
  return count;
}

}  // namespace gonghui::membership
