// What must hold for organisations and their places in the tree, whoever
// changes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/status.h"
#include "common/catalog/catalog.h"
#include "gonghui/common/v1/fact.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "services/membership/organization_versions.h"

namespace gonghui::membership {

inline constexpr std::string_view kOpen = "open";
inline constexpr std::string_view kClosed = "closed";
// Marks, in facts and as a reason of leaving, what a reorganisation did: no
// joining or leaving, no founding or closing of its own.
inline constexpr std::string_view kReorganisation = "reorganisation";

Error UnknownOrganization(const std::string& id, std::string_view field);
Error UnknownReference(const std::string& id, std::string_view field);
Error TooEarly(const std::string& id, const std::string& founded_on, const std::string& date,
               std::string_view field);
Error TooLate(std::string_view field);
Error Closed(const std::string& id, const std::string& closed_on, std::string_view field);
Error Cycle(const std::string& id, const std::string& parent, std::string_view field);

// Brings codes, labels and the credit code into their stored form and checks
// what can be checked without the tree. Errors stand at `at` + field.
absl::Status NormalizeOrganization(const catalog::Catalog& catalog, std::string_view at,
                                   v1::Organization& organization);

// An organisation of a request on its way into the tree.
struct Founding {
  v1::Organization organization;  // Normalised.
  std::string at = {};            // Its path in the request, "organization." or empty.
  absl::Status status = absl::OkStatus();
  bool existing = false;  // Was there with the same content.
};
// Puts the organisation into the tree, or sets its status. Returns the engine's
// errors only.
absl::Status Found(TreeWrite& write, Founding& founding);

// Whether the organisation may stand where it now does in `write`, at every
// date: its parent exists and does not lie below it, and it is not open below a
// closed one. The first fault, at `field`.
absl::Status CheckPlace(TreeWrite& write, const std::string& id, std::string_view field);
// The same for those directly below it.
absl::Status CheckBelow(TreeWrite& write, const std::string& id, std::string_view field);
// The same for its second line over [from, to).
absl::Status CheckAffiliation(TreeWrite& write, const std::string& id, const std::string& from,
                              const std::string& to, std::string_view field);
// Organisations directly below that are open on a day of [from, to) while they
// stand there.
absl::StatusOr<std::vector<std::string>> OpenBelow(TreeWrite& write, const std::string& id,
                                                   std::string_view from, std::string_view to);

// What the organisation contributes to the figures over its life: one span for
// each stretch of time in which it was open and of one kind.
absl::StatusOr<std::vector<common::v1::Fact>> OrganizationFacts(const common::v1::Kind& kind,
                                                                const Life& life);

// The resource name of an organisation.
std::string OrganizationName(std::string_view federation, std::string_view id);
v1::Organization View(const OrganizationRow& row, std::string_view federation);
v1::OrganizationVersion VersionView(const OrganizationRow& row, std::string_view federation);

}  // namespace gonghui::membership
