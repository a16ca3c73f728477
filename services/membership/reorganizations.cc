#include "services/membership/reorganizations.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "common/rpc/update.h"
#include "services/membership/members.h"

namespace gonghui::membership {
namespace {

using v1::Reorganization;

Error Unknown(const std::string& name) {
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no reorganisation ", name, "; ListReorganizations shows all"),
                  StrCat("没有组织调整 ", name, "，可用 ListReorganizations 查看"))
      .With("name", name)
      .At("name");
}

Error Stale(std::string what, std::string what_zh) {
  return FailedPrecondition(
      common::v1::REASON_PLAN_STALE,
      StrCat("since the plan was made ", what, "; plan again and look at the effects"),
      StrCat("方案制定后", what_zh, "，请重新制定方案并查看影响"));
}

// The rights that the steps need: at every organisation that they name. One that they found counts
// with its parent.
absl::Status CheckScopes(const rpc::Call& call,
                         const google::protobuf::RepeatedPtrField<v1::ReorganizationStep>& steps) {
  std::set<std::string> founded;
  std::set<std::string> checked;
  for (const v1::ReorganizationStep& step : steps) {
    if (step.has_found()) founded.insert(step.found().organization().id());
  }
  for (const v1::ReorganizationStep& step : steps) {
    for (const Named& named : OrganizationsOf(step, {})) {
      // A second line takes nothing from the industry union and gives it nothing to change.
      if (named.field.ends_with("affiliated_to") || founded.contains(named.organization)) continue;
      if (!checked.insert(named.organization).second) continue;
      RETURN_IF_ERROR(call.CheckScope(named.organization));
    }
  }
  return absl::OkStatus();
}

// Whether the plan still does what it did when it was made.
absl::Status CheckFresh(const std::vector<EffectRow>& planned, const std::vector<EffectRow>& now) {
  const auto same = [](const EffectRow& a, const EffectRow& b) {
    return a.subject == b.subject && a.id == b.id && a.seen == b.seen &&
           a.part.SerializeAsString() == b.part.SerializeAsString();
  };
  const auto [a, b] = std::mismatch(planned.begin(), planned.end(), now.begin(), now.end(), same);
  if (a == planned.end() && b == now.end()) return absl::OkStatus();
  const EffectRow& changed = b == now.end() ? *a : *b;
  return Stale(StrCat("the ", changed.subject, " '", changed.id, "' changed"),
               StrCat("“", changed.id, "”已有变化"))
      .With("subject", changed.subject)
      .With("id", changed.id)
      .At("name");
}

}  // namespace

absl::Status ReorganizeWithin(ReorganizationWork& work, const v1::ReorganizationStep& step,
                              const StepPath& at) {
  RETURN_IF_ERROR(work.Take(step, at));
  if (work.tree().Differences().empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::vector<EffectRow> effects, work.Effects());
  Reorganization content;
  *content.add_steps() = step;
  ReorganizationRow row = work.Describe(std::move(content), effects);
  return work.CarryOut(row, std::move(effects));
}

Reorganizations::Reorganizations(const Host& host, const catalog::Catalog& catalog,
                                 cache::Cache& members)
    : db_(*host.db), tree_(*host.tree), catalog_(catalog), members_(members) {}

absl::StatusOr<ReorganizationRow> Reorganizations::Read(const rpc::Call& call,
                                                        const std::string& name) const {
  std::optional<ReorganizationRow> row;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(row, FindReorganization(tx, call.federation, std::string(LeafOf(name))));
    return absl::OkStatus();
  }));
  if (!row.has_value()) return Unknown(name);
  return *std::move(row);
}

absl::StatusOr<ReorganizationRow> Reorganizations::ReadAgain(sql::Tx& tx, const rpc::Call& call,
                                                             const std::string& name,
                                                             const std::string& etag,
                                                             v1::ReorganizationState state) const {
  ASSIGN_OR_RETURN(std::optional<ReorganizationRow> row,
                   FindReorganization(tx, call.federation, std::string(LeafOf(name))));
  if (!row.has_value()) return Unknown(name);
  RETURN_IF_ERROR(rpc::CheckEtag(etag, row->version));
  if (row->content.state() == state) return *std::move(row);
  const bool wants_plan = state == v1::REORGANIZATION_STATE_PLANNED;
  return FailedPrecondition(
             common::v1::REASON_STATE_FORBIDS,
             wants_plan ? "only a plan can be applied, and this one was applied already; plan again"
                        : "only an applied reorganisation can be taken back",
             wants_plan ? "只能实施尚未实施的方案，请重新制定方案" : "只能撤回已实施的组织调整")
      .With("state", v1::ReorganizationState_Name(row->content.state()))
      .With("allowed", v1::ReorganizationState_Name(state))
      .At("name");
}

absl::StatusOr<Reorganization> Reorganizations::Settle(rpc::Call& call,
                                                       absl::StatusOr<Reorganization> result,
                                                       MemberVersions written) {
  tree_.Expire(call.federation);
  // Another call made the change that is answered, and may have died before it got here.
  if (result.ok() && written.empty() && result->counts().members_transferred() > 0) {
    RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
      ASSIGN_OR_RETURN(const std::vector<EffectRow> effects,
                       ReadEffects(tx, call.federation, std::string(LeafOf(result->name())), 0,
                                   std::numeric_limits<int64_t>::max()));
      std::vector<std::string> ids;
      for (const EffectRow& effect : effects) {
        if (effect.subject == kMember) ids.push_back(effect.id);
      }
      ASSIGN_OR_RETURN(const auto versions, ReadMemberVersions(tx, call.federation, ids));
      written.assign(versions.begin(), versions.end());
      return absl::OkStatus();
    }));
  }
  for (const auto& [id, version] : written) {
    const absl::Status raised =
        members_.Raise(MemberCacheKey(call.federation, id), version, call.deadline);
    if (result.ok()) RETURN_IF_ERROR(raised);
  }
  return result;
}

absl::StatusOr<Reorganization> Reorganizations::Plan(rpc::Call& call,
                                                     const v1::PlanReorganizationRequest& request) {
  RETURN_IF_ERROR(CheckScopes(call, request.steps()));
  return rpc::WriteOnce<Reorganization>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Reorganization> {
        ASSIGN_OR_RETURN(auto work, ReorganizationWork::Begin(tx, call, catalog_));
        RETURN_IF_ERROR(work->Take(request.steps()));
        ASSIGN_OR_RETURN(const std::vector<EffectRow> effects, work->Effects());
        Reorganization content;
        content.set_title(request.title());
        *content.mutable_steps() = request.steps();
        ReorganizationRow row = work->Describe(std::move(content), effects);
        RETURN_IF_ERROR(work->Keep(row, effects));
        return View(row, call.federation);
      });
}

absl::StatusOr<Reorganization> Reorganizations::Apply(
    rpc::Call& call, const v1::ApplyReorganizationRequest& request) {
  ASSIGN_OR_RETURN(const ReorganizationRow seen, Read(call, request.name()));
  RETURN_IF_ERROR(CheckScopes(call, seen.content.steps()));
  MemberVersions written;
  auto applied = rpc::WriteOnce<Reorganization>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Reorganization> {
        ASSIGN_OR_RETURN(auto work, ReorganizationWork::Begin(tx, call, catalog_));
        ASSIGN_OR_RETURN(ReorganizationRow row, ReadAgain(tx, call, request.name(), request.etag(),
                                                          v1::REORGANIZATION_STATE_PLANNED));
        const absl::Status taken = work->Take(row.content.steps());
        if (IsFault(taken)) {
          return Stale(StrCat("what it needs changed: ", FromAbsl(taken.message())),
                       StrCat("其前提已不成立：", MessageZhOf(taken)))
              .With("cause", ReasonName(ReasonOf(taken)))
              .At("name");
        }
        RETURN_IF_ERROR(taken);
        ASSIGN_OR_RETURN(std::vector<EffectRow> effects, work->Effects());
        ASSIGN_OR_RETURN(
            const std::vector<EffectRow> planned,
            ReadEffects(tx, call.federation, row.id, 0, std::numeric_limits<int64_t>::max()));
        RETURN_IF_ERROR(CheckFresh(planned, effects));
        RETURN_IF_ERROR(work->CarryOut(row, std::move(effects)));
        written = work->written();
        return View(row, call.federation);
      });
  return Settle(call, std::move(applied), std::move(written));
}

absl::StatusOr<Reorganization> Reorganizations::Revert(
    rpc::Call& call, const v1::RevertReorganizationRequest& request) {
  ASSIGN_OR_RETURN(const ReorganizationRow seen, Read(call, request.name()));
  RETURN_IF_ERROR(CheckScopes(call, seen.content.steps()));
  MemberVersions written;
  auto reverted = rpc::WriteOnce<Reorganization>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Reorganization> {
        ASSIGN_OR_RETURN(auto work, ReorganizationWork::Begin(tx, call, catalog_));
        ASSIGN_OR_RETURN(ReorganizationRow row, ReadAgain(tx, call, request.name(), request.etag(),
                                                          v1::REORGANIZATION_STATE_APPLIED));
        RETURN_IF_ERROR(work->Revert(row));
        written = work->written();
        return View(row, call.federation);
      });
  return Settle(call, std::move(reverted), std::move(written));
}

template <typename Request>
absl::StatusOr<Reorganization> Reorganizations::AtOnce(rpc::Call& call, const Request& request,
                                                       const v1::ReorganizationStep& step,
                                                       const std::string& prefix) {
  Reorganization content;
  *content.add_steps() = step;
  RETURN_IF_ERROR(CheckScopes(call, content.steps()));
  MemberVersions written;
  std::optional<Reorganization> unwritten;
  auto done = rpc::WriteOnce<Reorganization>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Reorganization> {
        unwritten.reset();
        ASSIGN_OR_RETURN(auto work, ReorganizationWork::Begin(tx, call, catalog_));
        RETURN_IF_ERROR(work->Take(step, {prefix}));
        ASSIGN_OR_RETURN(std::vector<EffectRow> effects, work->Effects());
        ReorganizationRow row = work->Describe(content, effects);
        if (request.validate_only()) {
          unwritten = row.content;
          return absl::CancelledError("rolled back on purpose");
        }
        RETURN_IF_ERROR(work->CarryOut(row, std::move(effects)));
        written = work->written();
        return View(row, call.federation);
      });
  if (unwritten.has_value()) return *std::move(unwritten);
  return Settle(call, std::move(done), std::move(written));
}

absl::StatusOr<Reorganization> Reorganizations::Merge(
    rpc::Call& call, const v1::MergeOrganizationsRequest& request) {
  v1::ReorganizationStep step;
  *step.mutable_merge() = request.merge();
  return AtOnce(call, request, step, "merge.");
}

absl::StatusOr<Reorganization> Reorganizations::Split(rpc::Call& call,
                                                      const v1::SplitOrganizationRequest& request) {
  v1::ReorganizationStep step;
  *step.mutable_split() = request.split();
  return AtOnce(call, request, step, "split.");
}

absl::StatusOr<Reorganization> Reorganizations::Get(rpc::Call& call,
                                                    const v1::GetReorganizationRequest& request) {
  ASSIGN_OR_RETURN(const ReorganizationRow row, Read(call, request.name()));
  // Whoever may see one of the organisations may see what became of it.
  absl::Status allowed = call.CheckScope("");
  for (const std::string& id : row.content.organizations()) {
    if (allowed.ok()) break;
    allowed = call.CheckScope(id);
  }
  RETURN_IF_ERROR(allowed);
  return View(row, call.federation);
}

absl::StatusOr<v1::ListReorganizationsResponse> Reorganizations::List(
    rpc::Call& call, const v1::ListReorganizationsRequest& request) {
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 1));
  const std::string state = StateText(request.state());
  std::vector<ReorganizationRow> rows;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(rows, ListReorganizations(tx, call.federation, request.organization(), state,
                                               after.empty() ? "" : after[0], page_size + 1));
    return absl::OkStatus();
  }));
  v1::ListReorganizationsResponse response;
  if (rows.size() > static_cast<size_t>(page_size)) {
    rows.resize(static_cast<size_t>(page_size));
    response.set_next_page_token(rpc::MakePageToken(request, {rows.back().id}));
  }
  for (const ReorganizationRow& row : rows) {
    Reorganization& view = *response.add_reorganizations() = View(row, call.federation);
    // A split may name a hundred thousand members; GetReorganization shows them.
    for (v1::ReorganizationStep& step : *view.mutable_steps()) {
      if (step.has_split()) step.mutable_split()->clear_members();
    }
  }
  return response;
}

absl::StatusOr<v1::ListReorganizationEffectsResponse> Reorganizations::ListEffects(
    rpc::Call& call, const v1::ListReorganizationEffectsRequest& request) {
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 1));
  int64_t skip = 0;
  if (!after.empty() && !ParseInteger(after[0], &skip)) {
    return rpc::DamagedPageToken();
  }
  ASSIGN_OR_RETURN(const ReorganizationRow row, Read(call, request.name()));
  for (const std::string& id : row.content.organizations()) RETURN_IF_ERROR(call.CheckScope(id));
  std::vector<EffectRow> effects;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(effects, ReadEffects(tx, call.federation, row.id, skip, page_size + 1));
    return absl::OkStatus();
  }));
  v1::ListReorganizationEffectsResponse response;
  if (skip == 0) response = row.tree;
  if (effects.size() > static_cast<size_t>(page_size)) {
    effects.pop_back();
    response.set_next_page_token(rpc::MakePageToken(request, {StrCat(skip + page_size)}));
  }
  for (const EffectRow& effect : effects) response.MergeFrom(effect.part);
  return response;
}

}  // namespace gonghui::membership
