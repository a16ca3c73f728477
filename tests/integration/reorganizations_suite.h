// A running membership service and what reorganisations need: steps, plans, trees, records.
#pragma once

#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/tree/organization_tree.h"
#include "gonghui/common/v1/record.pb.h"
#include "gonghui/membership/v1/reorganization.pb.h"
#include "tests/integration/membership.h"

namespace gonghui::membership {

// Runs once an engine.
class ReorganizationsTest : public MembershipTest {
 protected:
  void SetUp() override {
    MembershipTest::SetUp();
    MakeDistrict();
  }

  template <typename Response, typename Request>
  absl::StatusOr<Response> Call(const rpc::Client& client, const std::string& method,
                                const Request& request) {
    return client.Invoke<Response>("/gonghui.membership.v1.ReorganizationService/" + method,
                                   request);
  }
  using Done = absl::StatusOr<v1::Reorganization>;

  static v1::MergeOrganizationsRequest MergeRequest(const std::vector<std::string>& sources,
                                                    const std::string& target,
                                                    const std::string& from) {
    v1::MergeOrganizationsRequest request;
    request.set_parent("federations/demo");
    request.mutable_merge()->mutable_sources()->Assign(sources.begin(), sources.end());
    request.mutable_merge()->set_target(target);
    request.mutable_merge()->set_valid_from(from);
    return request;
  }
  Done Merge(const rpc::Client& client, const std::vector<std::string>& sources,
             const std::string& target, const std::string& from) {
    return Call<v1::Reorganization>(client, "MergeOrganizations",
                                    MergeRequest(sources, target, from));
  }
  Done Split(const rpc::Client& client, const v1::SplitStep& step, bool validate_only = false) {
    v1::SplitOrganizationRequest request;
    request.set_parent("federations/demo");
    *request.mutable_split() = step;
    request.set_validate_only(validate_only);
    return Call<v1::Reorganization>(client, "SplitOrganization", request);
  }
  Done Plan(const rpc::Client& client, const std::vector<v1::ReorganizationStep>& steps,
            const std::string& request_id = "") {
    v1::PlanReorganizationRequest request;
    request.set_parent("federations/demo");
    request.set_title("城东片区调整");
    request.mutable_steps()->Assign(steps.begin(), steps.end());
    request.set_request_id(request_id);
    return Call<v1::Reorganization>(client, "PlanReorganization", request);
  }
  Done Apply(const rpc::Client& client, const std::string& name, const std::string& etag = "",
             const std::string& request_id = "") {
    v1::ApplyReorganizationRequest request;
    request.set_name(name);
    request.set_etag(etag);
    request.set_request_id(request_id);
    return Call<v1::Reorganization>(client, "ApplyReorganization", request);
  }
  Done Revert(const rpc::Client& client, const std::string& name, const std::string& etag = "",
              const std::string& request_id = "") {
    v1::RevertReorganizationRequest request;
    request.set_name(name);
    request.set_etag(etag);
    request.set_request_id(request_id);
    return Call<v1::Reorganization>(client, "RevertReorganization", request);
  }
  Done GetOne(const rpc::Client& client, const std::string& name) {
    v1::GetReorganizationRequest request;
    request.set_name(name);
    return Call<v1::Reorganization>(client, "GetReorganization", request);
  }
  absl::StatusOr<v1::ListReorganizationsResponse> List(const rpc::Client& client,
                                                       const std::string& organization = "",
                                                       int page_size = 0,
                                                       const std::string& page_token = "") {
    v1::ListReorganizationsRequest request;
    request.set_parent("federations/demo");
    request.set_organization(organization);
    request.set_page_size(page_size);
    request.set_page_token(page_token);
    return Call<v1::ListReorganizationsResponse>(client, "ListReorganizations", request);
  }
  absl::StatusOr<v1::ListReorganizationEffectsResponse> Effects(const rpc::Client& client,
                                                                const std::string& name,
                                                                int page_size = 0,
                                                                const std::string& token = "") {
    v1::ListReorganizationEffectsRequest request;
    request.set_name(name);
    request.set_page_size(page_size);
    request.set_page_token(token);
    return Call<v1::ListReorganizationEffectsResponse>(client, "ListReorganizationEffects",
                                                       request);
  }
  // The same as a plan that is applied at once.
  Done Do(const v1::ReorganizationStep& step) {
    Done plan = Plan(*admin_, {step});
    return plan.ok() ? Apply(*admin_, plan->name()) : plan;
  }

  static v1::ReorganizationStep MoveStep(const std::string& id, const std::string& parent,
                                         const std::string& from) {
    v1::ReorganizationStep step;
    step.mutable_move()->set_organization(id);
    step.mutable_move()->set_new_parent(parent);
    step.mutable_move()->set_valid_from(from);
    return step;
  }
  static v1::ReorganizationStep CloseStep(const std::string& id, const std::string& from) {
    v1::ReorganizationStep step;
    step.mutable_close()->set_organization(id);
    step.mutable_close()->set_valid_from(from);
    return step;
  }
  static v1::ReorganizationStep FoundStep(const v1::Organization& organization) {
    v1::ReorganizationStep step;
    *step.mutable_found()->mutable_organization() = organization;
    return step;
  }

  v1::Organization Get(const std::string& id, const std::string& valid_at = "",
                       int64_t known_at_us = 0) {
    v1::GetOrganizationRequest request;
    request.set_name("federations/demo/organizations/" + id);
    request.set_valid_at(valid_at);
    request.set_known_at_us(known_at_us);
    auto got = Organizations<v1::Organization>(*admin_, "GetOrganization", request);
    EXPECT_THAT(got, IsOk());
    return got.ok() ? *got : v1::Organization();
  }
  std::string Tree(const std::string& valid_at = "", int64_t known_at_us = 0) {
    v1::GetTreeRequest request;
    request.set_parent("federations/demo");
    request.set_valid_at(valid_at);
    request.set_known_at_us(known_at_us);
    auto tree = Organizations<v1::GetTreeResponse>(*admin_, "GetTree", request);
    if (!tree.ok()) return std::string(tree.status().message());
    std::string text;
    for (const v1::TreeNode& node : tree->nodes()) {
      absl::StrAppend(&text, text.empty() ? "" : " ", std::string(node.depth(), '.'),
                      node.organization().id(), node.organization().state() == "closed" ? "x" : "");
    }
    return text;
  }
  // The tree as a follower of its versions has it.
  tree::OrganizationTree Copy() {
    tree::OrganizationTree copy;
    v1::ListOrganizationVersionsRequest request;
    request.set_federation("demo");
    auto page = Organizations<v1::ListOrganizationVersionsResponse>(
        *admin_, "ListOrganizationVersions", request);
    EXPECT_THAT(page, IsOk());
    if (!page.ok()) return copy;
    for (const v1::OrganizationVersion& v : page->versions()) {
      copy.Apply({.version_id = v.version_id(),
                  .id = v.id(),
                  .parent = v.parent(),
                  .display_name = v.display_name(),
                  .kind = v.kind(),
                  .state = v.state(),
                  .valid_from = v.valid_from(),
                  .valid_to = v.valid_to(),
                  .recorded_from_us = v.recorded_from_us(),
                  .recorded_to_us = v.recorded_to_us(),
                  .affiliated_to = v.affiliated_to()});
    }
    return copy;
  }
  v1::Member GetMember(const std::string& name) {
    v1::GetMemberRequest request;
    request.set_name(name);
    auto got = Members<v1::Member>(*admin_, "GetMember", request);
    EXPECT_THAT(got, IsOk());
    return got.ok() ? *got : v1::Member();
  }
  std::string Join(const std::string& organization, int serial, const std::string& job = "",
                   const std::string& joined_on = "2018-03-01") {
    v1::Member member = Member(organization, serial, joined_on);
    member.set_job(job);
    auto created = MembershipTest::Create(*admin_, member);
    EXPECT_THAT(created, IsOk());
    return created.ok() ? created->name() : "";
  }
  static std::string IdOf(const std::string& name) { return name.substr(name.rfind('/') + 1); }

  absl::StatusOr<common::v1::Record> Register(const std::string& kind,
                                              const std::string& organization,
                                              const std::string& on_date,
                                              std::map<std::string, std::string> fields) {
    common::v1::CreateRecordRequest request;
    request.set_parent("federations/demo");
    request.mutable_record()->set_kind(kind);
    request.mutable_record()->set_organization(organization);
    request.mutable_record()->set_on_date(on_date);
    for (auto& [key, value] : fields) (*request.mutable_record()->mutable_fields())[key] = value;
    return admin_->Invoke<common::v1::Record>("/gonghui.membership.v1.RegisterService/CreateRecord",
                                              request);
  }
  common::v1::Record GetRegister(const std::string& name) {
    common::v1::GetRecordRequest request;
    request.set_name(name);
    auto got = admin_->Invoke<common::v1::Record>(
        "/gonghui.membership.v1.RegisterService/GetRecord", request);
    EXPECT_THAT(got, IsOk());
    return got.ok() ? *got : common::v1::Record();
  }
};

}  // namespace gonghui::membership
