#include "services/membership/organizations.h"

#include <functional>
#include <utility>

#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/update.h"
#include "common/rpc/validate.h"
#include "services/membership/batch.h"

namespace gonghui::membership {
Organizations::Organizations(const Host& host, const catalog::Catalog& catalog)
    : db_(*host.db),
      tree_(*host.tree),
      catalog_(catalog),
      kind_(*catalog.FindKind("organization")) {}

// The right to found an organisation is held at its parent; where the parent is founded by the same
// request, at the nearest one above that is not.
void Organizations::CheckScopes(const rpc::Call& call, std::vector<Founding>& foundings) const {
  std::map<std::string, std::string> parents;
  for (const Founding& founding : foundings) {
    parents.emplace(founding.organization.id(), founding.organization.parent());
  }
  std::map<std::string, absl::Status> known;
  for (Founding& founding : foundings) {
    std::string at = founding.organization.parent();
    absl::Status status;
    for (size_t steps = 0; steps <= parents.size(); ++steps) {
      auto found = known.find(at);
      if (found == known.end()) found = known.emplace(at, call.CheckScope(at)).first;
      status = found->second;
      const auto above = parents.find(at);
      if (status.ok() || above == parents.end()) break;
      at = above->second;
    }
    if (founding.status.ok()) founding.status = status;
  }
}

absl::Status Organizations::FoundAll(TreeWrite& write, std::vector<Founding>& foundings) const {
  std::map<std::string_view, size_t> by_id;
  for (size_t i = 0; i < foundings.size(); ++i) {
    const std::string& id = foundings[i].organization.id();
    if (by_id.emplace(id, i).second || !foundings[i].status.ok()) continue;
    foundings[i].status =
        InvalidArgument(common::v1::REASON_DUPLICATE_IN_REQUEST,
                        StrCat("'", id, "' stands twice in this request; send it once"),
                        StrCat("“", id, "”在本次请求中重复"))
            .With("organization", id)
            .At(StrCat(foundings[i].at, "id"));
  }
  std::vector<bool> visited(foundings.size());
  std::function<absl::Status(size_t)> visit = [&](size_t i) -> absl::Status {
    if (visited[i]) return absl::OkStatus();
    visited[i] = true;
    const v1::Organization& organization = foundings[i].organization;
    for (const std::string* upper : {&organization.parent(), &organization.affiliated_to()}) {
      const auto first = by_id.find(*upper);
      if (first != by_id.end()) RETURN_IF_ERROR(visit(first->second));
    }
    return foundings[i].status.ok() ? Found(write, foundings[i]) : absl::OkStatus();
  };
  for (size_t i = 0; i < foundings.size(); ++i) RETURN_IF_ERROR(visit(i));
  return absl::OkStatus();
}

absl::Status Organizations::Announce(sql::Tx& tx, const rpc::Call& call, TreeWrite& write,
                                     const std::vector<Founding>& foundings) const {
  feed::v1::Event event;
  event.set_type("gonghui.membership.v1.OrganizationsCreated");
  for (const Founding& founding : foundings) {
    if (!founding.status.ok() || founding.existing) continue;
    ASSIGN_OR_RETURN(const Life* life, write.Believed(founding.organization.id()));
    ASSIGN_OR_RETURN(const auto facts, OrganizationFacts(kind_, *life));
    common::v1::RecordFacts& record = *event.add_facts();
    record.set_record(OrganizationName(call.federation, founding.organization.id()));
    event.add_resources(record.record());
    record.mutable_facts()->Assign(facts.begin(), facts.end());
  }
  if (event.resources().empty()) return absl::OkStatus();
  RETURN_IF_ERROR(write.Finish());
  return feed::Append(tx, call, std::move(event));
}

absl::StatusOr<v1::Organization> Organizations::Create(
    rpc::Call& call, const v1::CreateOrganizationRequest& request) {
  v1::Organization organization = request.organization();
  RETURN_IF_ERROR(NormalizeOrganization(catalog_, "organization.", organization));
  auto created = rpc::WriteOnce<v1::Organization>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Organization> {
        ASSIGN_OR_RETURN(TreeWrite write,
                         TreeWrite::Begin(tx, call.federation, call.clock->NowMicros()));
        std::vector<Founding> foundings = {{.organization = organization, .at = "organization."}};
        RETURN_IF_ERROR(Found(write, foundings[0]));
        RETURN_IF_ERROR(foundings[0].status);
        if (foundings[0].existing) {
          return AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                               StrCat("the organisation '", organization.id(), "' exists already"),
                               StrCat("工会“", organization.id(), "”已存在"))
              .With("organization", organization.id())
              .At("organization.id");
        }
        RETURN_IF_ERROR(Announce(tx, call, write, foundings));
        ASSIGN_OR_RETURN(const Life* life, write.Believed(organization.id()));
        return View(life->front(), call.federation);
      });
  tree_.Expire(call.federation);
  return created;
}

absl::StatusOr<v1::BatchCreateOrganizationsResponse> Organizations::BatchCreate(
    rpc::Call& call, const v1::BatchCreateOrganizationsRequest& request) {
  std::vector<Founding> checked;
  for (const v1::Organization& organization : request.organizations()) {
    checked.push_back({.organization = organization});
    absl::Status& status = checked.back().status;
    status = rpc::Validate(organization);
    if (status.ok()) {
      status = NormalizeOrganization(catalog_, "", checked.back().organization);
    }
  }
  CheckScopes(call, checked);
  using Response = v1::BatchCreateOrganizationsResponse;
  auto response =
      WriteBatch<Response>(db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Response> {
        std::vector<Founding> foundings = checked;
        ASSIGN_OR_RETURN(TreeWrite write,
                         TreeWrite::Begin(tx, call.federation, call.clock->NowMicros()));
        RETURN_IF_ERROR(FoundAll(write, foundings));
        RETURN_IF_ERROR(Announce(tx, call, write, foundings));
        Response answer;
        for (size_t i = 0; i < foundings.size(); ++i) {
          common::v1::BatchItem& item = *answer.add_items();
          if (!foundings[i].status.ok()) {
            *answer.add_failures() = ToItemFailure(static_cast<int>(i), foundings[i].status);
            continue;
          }
          item.set_name(OrganizationName(call.federation, foundings[i].organization.id()));
          item.set_existing(foundings[i].existing);
          foundings[i].existing ? answer.set_existing(answer.existing() + 1)
                                : answer.set_created(answer.created() + 1);
        }
        return answer;
      });
  tree_.Expire(call.federation);
  return response;
}

template <typename Request>
absl::StatusOr<v1::Organization> Organizations::Apply(rpc::Call& call, const Request& request,
                                                      const v1::ReorganizationStep& step) {
  const std::string id(LeafOf(request.name()));
  RETURN_IF_ERROR(call.CheckScope(id));
  auto changed = rpc::WriteOnce<v1::Organization>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Organization> {
        ASSIGN_OR_RETURN(auto work, ReorganizationWork::Begin(tx, call, catalog_));
        ASSIGN_OR_RETURN(const Life* life, work->tree().Believed(id));
        if (life->empty()) return UnknownOrganization(id, "name");
        RETURN_IF_ERROR(rpc::CheckEtag(request.etag(), LatestOf(*life)));
        RETURN_IF_ERROR(ReorganizeWithin(*work, step, {"", "name"}));
        ASSIGN_OR_RETURN(life, work->tree().Believed(id));
        OrganizationRow held = *At(*life, request.valid_from());
        held.latest = LatestOf(*life);
        return View(held, call.federation);
      });
  tree_.Expire(call.federation);
  return changed;
}

absl::StatusOr<v1::Organization> Organizations::Rename(
    rpc::Call& call, const v1::RenameOrganizationRequest& request) {
  v1::ReorganizationStep step;
  step.mutable_rename()->set_organization(std::string(LeafOf(request.name())));
  step.mutable_rename()->set_display_name(request.display_name());
  step.mutable_rename()->set_valid_from(request.valid_from());
  return Apply(call, request, step);
}

absl::StatusOr<v1::Organization> Organizations::Move(rpc::Call& call,
                                                     const v1::MoveOrganizationRequest& request) {
  RETURN_IF_ERROR(call.CheckScope(request.new_parent()));
  v1::ReorganizationStep step;
  step.mutable_move()->set_organization(std::string(LeafOf(request.name())));
  step.mutable_move()->set_new_parent(request.new_parent());
  step.mutable_move()->set_valid_from(request.valid_from());
  return Apply(call, request, step);
}

absl::StatusOr<v1::Organization> Organizations::Close(rpc::Call& call,
                                                      const v1::CloseOrganizationRequest& request) {
  v1::ReorganizationStep step;
  step.mutable_close()->set_organization(std::string(LeafOf(request.name())));
  step.mutable_close()->set_valid_from(request.valid_from());
  return Apply(call, request, step);
}

}  // namespace gonghui::membership
