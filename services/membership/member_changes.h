// Single changes of members, as both a call about one member and a call about many make them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gonghui/membership/v1/member_filter.pb.h"
#include "services/membership/member_edit.h"

namespace gonghui::membership {

// Brings the reason into its stored form and checks it. Errors stand at `at` + field.
absl::Status CheckLeaving(const catalog::Catalog& catalog, std::string_view at, std::string& reason,
                          const std::string& document);
absl::Status CheckRetaining(const rpc::Call& call, const catalog::Catalog& catalog,
                            std::string_view at, std::string& reason, const std::string& day);
// REASON_PLAN_STALE where a request expects another number of members than it selects.
absl::Status CheckExpected(const v1::ChangeMembersRequest& request, int64_t selected);

// Each checks the member and changes the copy; answers what happened.
absl::StatusOr<v1::MemberEvent> EndMembership(MemberEdit& edit, const std::string& day,
                                              const std::string& reason,
                                              const std::string& document);
absl::StatusOr<v1::MemberEvent> RetainMember(sql::Tx& tx, const rpc::Call& call, MemberEdit& edit,
                                             const std::string& day, const std::string& reason);
// Adds or removes a group; false where it was so.
bool SetTag(MemberEdit& edit, const std::string& tag, bool add);

v1::MemberEvent Happened(v1::MemberEventKind kind, const std::string& on_date,
                         const v1::Member& member, const std::string& reason = "");
// A correction of the named fields, today.
v1::MemberEvent Corrected(const rpc::Call& call, const v1::Member& member,
                          const std::vector<std::string>& fields);

}  // namespace gonghui::membership
