// What must hold for a member, whoever enters it.
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "common/catalog/catalog.h"
#include "gonghui/membership/v1/member.pb.h"

namespace gonghui::membership {

// Brings names, codes, numbers and dates into their stored form and checks them. Sex and birth date
// of a resident identity number are derived where empty and must agree where given. Errors stand at
// `at` + field and never hold personal data.
absl::Status NormalizeMember(const catalog::Catalog& catalog, std::string_view at,
                             v1::Member& member);

// The same with every fault in place of the first; none: the member is well.
std::vector<absl::Status> MemberFaults(const catalog::Catalog& catalog, std::string_view at,
                                       v1::Member& member);

// Takes out what requests do not set.
void ClearOutputs(v1::Member& member);
// The kind of paper and its number only; other fields are derived from the number where it holds
// them.
absl::Status NormalizePaper(const catalog::Catalog& catalog, std::string_view at,
                            v1::Member& member);

}  // namespace gonghui::membership
