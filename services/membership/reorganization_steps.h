// What each step of a reorganisation does.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "common/base/text.h"
#include "common/catalog/catalog.h"
#include "gonghui/common/v1/fact.pb.h"
#include "gonghui/membership/v1/reorganization.pb.h"
#include "services/membership/organization_rules.h"
#include "services/membership/organization_versions.h"
#include "services/membership/reorganization_members.h"
#include "services/membership/reorganization_terms.h"

namespace gonghui::membership {

// Where a merged or split organisation went.
struct Successor {
  std::string organization;
  std::string successor;
  std::string on_date;
};

// A reorganisation under way: what its steps have changed so far, in memory.
struct Reorganizing {
  std::string federation;
  const catalog::Catalog& catalog;
  TreeWrite& tree;
  MemberMoves& members;
  TermsOfOffice& terms;
  std::set<std::string> named = {};  // Organisations that the steps name.
  std::vector<Successor> successors = {};
  std::vector<common::v1::Succession> successions = {};
  int64_t records_left = 0;
};

// Where a step stands in its request.
struct StepPath {
  std::string prefix;                         // "steps[3].merge.", or empty.
  std::string organization = "organization";  // What the request calls that field.

  std::string operator()(std::string_view field) const {
    return StrCat(prefix, field == "organization" ? std::string_view(organization) : field);
  }
};

using Faults = std::vector<absl::Status>;

// The organisations that a step names, with the field that holds each; of one
// that it founds, the parent.
struct Named {
  std::string organization;
  std::string field;
};
std::vector<Named> OrganizationsOf(const v1::ReorganizationStep& step, const StepPath& at);

// Takes the step, or adds all its faults and changes nothing. Returns the
// engine's errors only.
absl::Status TakeStep(Reorganizing& work, const v1::ReorganizationStep& step, const StepPath& at,
                      Faults& faults);

// "steps[3]." + the step's own name.
StepPath PathOf(int index, const v1::ReorganizationStep& step);

// A fault of the caller, as opposed to an error of the engine.
bool IsFault(const absl::Status& status);

// The error with the number of resources that it is about, and the first of
// them.
absl::Status Naming(Error error, const std::vector<std::string>& names);

// One error that tells them all: reason and field of the first.
absl::Status AllOf(const Faults& faults);

}  // namespace gonghui::membership
