#include "services/membership/open_organizations.h"

#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/base/text.h"
#include "services/membership/organization_versions.h"

namespace gonghui::membership {

absl::Status OpenOrganizations::Check(const std::string& organization, std::string field,
                                      absl::Status& rejection) {
  auto found = found_.find(organization);
  if (found == found_.end()) {
    ASSIGN_OR_RETURN(const std::vector<OrganizationRow> rows,
                     ReadBelieved(tx_, federation_, organization));
    std::string closed_on = ClosedOn(rows);
    const Standing standing = rows.empty()        ? Standing::kUnknown
                              : closed_on.empty() ? Standing::kOpen
                                                  : Standing::kClosed;
    found = found_.emplace(organization, Found{standing, std::move(closed_on)}).first;
  }
  const auto& [standing, closed_on] = found->second;
  if (standing == Standing::kUnknown) {
    rejection = InvalidArgument(common::v1::REASON_REFERENCE_NOT_FOUND,
                                StrCat("there is no organisation '", organization,
                                       "'; create it first or correct the code"),
                                StrCat("没有工会“", organization, "”，请先建立或更正编码"))
                    .With("organization", organization)
                    .At(std::move(field));
  } else if (standing == Standing::kClosed) {
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
