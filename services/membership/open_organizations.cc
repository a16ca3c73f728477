#include "services/membership/open_organizations.h"

#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/base/text.h"
#include "services/membership/organization_versions.h"

namespace gonghui::membership {
namespace {

// When the tree was last written to: these times rise strictly.
constexpr sql::Query kHead{"membership.tree_recorded",
                           "SELECT recorded_us FROM organization_heads WHERE tenant=$1"};

}  // namespace

KnownOrganizations::Tree* KnownOrganizations::At(const std::string& federation, int64_t head_us) {
  Tree& tree = trees_[federation];
  if (head_us > tree.head_us) tree = {head_us, {}};
  return head_us == tree.head_us ? &tree : nullptr;
}

void KnownOrganizations::Find(const std::string& federation, int64_t head_us,
                              std::set<std::string>& ids, OrganizationStandings& standings) {
  absl::MutexLock lock(&mutex_);
  const Tree* tree = At(federation, head_us);
  if (tree == nullptr) return;
  std::erase_if(ids, [&](const std::string& id) {
    const auto at = tree->standings.find(id);
    return at != tree->standings.end() && standings.insert(*at).second;
  });
}

void KnownOrganizations::Keep(const std::string& federation, int64_t head_us, const std::string& id,
                              const OrganizationStanding& standing) {
  absl::MutexLock lock(&mutex_);
  if (Tree* tree = At(federation, head_us); tree != nullptr) tree->standings[id] = standing;
}

absl::Status OpenOrganizations::Read(std::set<std::string> organizations) {
  std::erase_if(organizations, [&](const std::string& id) { return found_.contains(id); });
  int64_t head_us = 0;
  if (known_ != nullptr && !organizations.empty()) {
    ASSIGN_OR_RETURN(const sql::Rows rows, tx_.Run(kHead, {federation_}));
    head_us = rows.empty() ? 0 : rows[0].Get<int64_t>(0);
    known_->Find(federation_, head_us, organizations, found_);
  }
  if (organizations.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto lives, ReadLives(tx_, federation_, organizations));
  for (const std::string& id : organizations) {
    OrganizationStanding& standing = found_[id];
    const auto life = lives.find(id);
    if (life == lives.end()) continue;
    standing = {true, ClosedOn(life->second)};
    if (known_ != nullptr) known_->Keep(federation_, head_us, id, standing);
  }
  return absl::OkStatus();
}

absl::Status OpenOrganizations::Check(const std::string& organization, std::string field,
                                      absl::Status& rejection) {
  if (!found_.contains(organization)) RETURN_IF_ERROR(Read({organization}));
  const auto& [known, closed_on] = found_.at(organization);
  if (!known) {
    rejection = InvalidArgument(common::v1::REASON_REFERENCE_NOT_FOUND,
                                StrCat("there is no organisation '", organization,
                                       "'; create it first or correct the code"),
                                StrCat("没有工会“", organization, "”，请先建立或更正编码"))
                    .With("organization", organization)
                    .At(std::move(field));
  } else if (!closed_on.empty()) {
    rejection = FailedPrecondition(common::v1::REASON_ORGANIZATION_CLOSED,
                                   StrCat("'", organization, "' is closed from ", closed_on,
                                          " and takes no members; name an open organisation"),
                                   StrCat("“", organization, "”于 ", closed_on,
                                          " 撤销，不能再登记会员，请选择存续的工会"))
                    .With("organization", organization)
                    .With("closed_on", closed_on)
                    .At(std::move(field));
  }
  return absl::OkStatus();
}

}  // namespace gonghui::membership
