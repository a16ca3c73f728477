#include "services/membership/reorganization_work.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "common/base/id.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/catalog/fact_rules.h"
#include "common/feed/outbox.h"
#include "nlohmann/json.hpp"

namespace gonghui::membership {
namespace {

constexpr int64_t kAll = std::numeric_limits<int64_t>::max();

// What keeps an organisation from never having been: whoever was ever in it.
constexpr sql::Query kHeld{
    "membership.count_held_by_organization",
    "SELECT (SELECT COUNT(*) FROM members WHERE tenant=$1 AND organization=$2) + (SELECT COUNT(*) "
    "FROM past_memberships WHERE tenant=$1 AND organization=$2) + (SELECT COUNT(*) FROM records "
    "WHERE tenant=$1 AND organization=$2) + (SELECT COUNT(*) FROM organization_versions WHERE "
    "tenant=$1 AND affiliated_to=$2 AND recorded_to_us=$3)"};

std::string RecordName(const EffectRow& effect, std::string_view federation) {
  if (effect.subject == kMember) return MemberName(federation, effect.id);
  if (effect.subject == kRegister) {
    return StrCat("federations/", federation, "/registers/", effect.id);
  }
  return OrganizationName(federation, effect.id);
}

nlohmann::json ToJson(const Life& life) {
  nlohmann::json rows = nlohmann::json::array();
  for (const OrganizationRow& row : life) {
    const tree::Version& v = row.version;
    rows.push_back({v.id, v.parent, v.display_name, v.kind, v.state, v.valid_from, v.valid_to,
                    v.affiliated_to, row.union_type, row.industry, row.credit_code, row.founded_on,
                    row.employees});
  }
  return rows;
}

Life FromJson(const nlohmann::json& rows) {
  Life life;
  for (const nlohmann::json& in : rows) {
    OrganizationRow& row = life.emplace_back();
    tree::Version& v = row.version;
    size_t column = 0;
    for (std::string* text :
         {&v.id, &v.parent, &v.display_name, &v.kind, &v.state, &v.valid_from, &v.valid_to,
          &v.affiliated_to, &row.union_type, &row.industry, &row.credit_code, &row.founded_on}) {
      *text = in.at(column++);
    }
    row.employees = in.at(column);
  }
  return life;
}

void SetFacts(std::string record, std::vector<common::v1::Fact> facts, EffectRow& effect) {
  if (facts.empty()) return;
  common::v1::RecordFacts& added = *effect.part.add_facts();
  added.set_record(std::move(record));
  added.mutable_facts()->Assign(facts.begin(), facts.end());
}

Error Blocked(std::string what, std::string what_zh) {
  return FailedPrecondition(
      common::v1::REASON_REVERT_BLOCKED,
      StrCat(what, "; take that back first, or correct by a new reorganisation"),
      StrCat(what_zh, "；请先撤回该变化，或另作一次组织调整"));
}

}  // namespace

ReorganizationWork::ReorganizationWork(sql::Tx& tx, const rpc::Call& call,
                                       const catalog::Catalog& catalog, TreeWrite tree)
    : tx_(tx),
      call_(call),
      catalog_(catalog),
      tree_(std::move(tree)),
      members_(tx, call.federation, *catalog.FindKind("member")),
      terms_(tx, call, catalog, tree_),
      work_{.federation = call.federation,
            .catalog = catalog,
            .tree = tree_,
            .members = members_,
            .terms = terms_} {}

absl::StatusOr<std::unique_ptr<ReorganizationWork>> ReorganizationWork::Begin(
    sql::Tx& tx, const rpc::Call& call, const catalog::Catalog& catalog) {
  ASSIGN_OR_RETURN(TreeWrite tree, TreeWrite::Begin(tx, call.federation, call.clock->NowMicros()));
  return std::unique_ptr<ReorganizationWork>(
      new ReorganizationWork(tx, call, catalog, std::move(tree)));
}

absl::Status ReorganizationWork::Take(
    const google::protobuf::RepeatedPtrField<v1::ReorganizationStep>& steps) {
  Faults faults;
  for (int i = 0; i < steps.size(); ++i) {
    RETURN_IF_ERROR(TakeStep(work_, steps[i], PathOf(i, steps[i]), faults));
  }
  return AllOf(faults);
}

absl::Status ReorganizationWork::Take(const v1::ReorganizationStep& step, const StepPath& at) {
  Faults faults;
  RETURN_IF_ERROR(TakeStep(work_, step, at, faults));
  return AllOf(faults);
}

absl::Status ReorganizationWork::AddOrganizations(std::vector<EffectRow>& effects) {
  const common::v1::Kind& kind = *catalog_.FindKind("organization");
  std::set<std::string> references = work_.named;
  for (const TreeWrite::Difference& difference : tree_.Differences()) {
    references.erase(difference.id);
    EffectRow& effect = effects.emplace_back();
    effect.subject = kOrganization;
    effect.id = difference.id;
    effect.seen = LatestOf(*difference.before);
    effect.undo =
        nlohmann::json{{"before", ToJson(*difference.before)}, {"after", ToJson(*difference.after)}}
            .dump();
    ASSIGN_OR_RETURN(const auto before, OrganizationFacts(kind, *difference.before));
    ASSIGN_OR_RETURN(const auto after, OrganizationFacts(kind, *difference.after));
    SetFacts(OrganizationName(call_.federation, effect.id), catalog::FactChanges(before, after),
             effect);
  }
  for (const std::string& id : references) {
    ASSIGN_OR_RETURN(const Life* life, tree_.Believed(id));
    EffectRow& effect = effects.emplace_back();
    effect.subject = kReference;
    effect.id = id;
    effect.seen = LatestOf(*life);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<EffectRow>> ReorganizationWork::Effects() {
  std::vector<EffectRow> effects;
  RETURN_IF_ERROR(AddOrganizations(effects));
  std::multimap<std::string_view, const common::v1::Succession*> successions;
  for (const common::v1::Succession& succession : work_.successions) {
    successions.emplace(succession.record(), &succession);
  }
  ASSIGN_OR_RETURN(std::vector<MemberMoves::Moved> members, members_.Changes());
  for (MemberMoves::Moved& moved : members) {
    EffectRow& effect = effects.emplace_back();
    effect.subject = kMember;
    effect.id = moved.id;
    effect.seen = moved.seen;
    effect.undo = std::move(moved.undo);
    const std::string name = MemberName(call_.federation, moved.id);
    SetFacts(name, std::move(moved.facts), effect);
    const auto [begin, end] = successions.equal_range(name);
    for (auto it = begin; it != end; ++it) *effect.part.add_successions() = *it->second;
  }
  ASSIGN_OR_RETURN(std::vector<TermsOfOffice::Changed> terms, terms_.Changes());
  for (TermsOfOffice::Changed& changed : terms) {
    EffectRow& effect = effects.emplace_back();
    effect.subject = kRegister;
    effect.id = changed.id;
    effect.seen = changed.seen;
    effect.undo = std::move(changed.undo);
    std::string name = RecordName(effect, call_.federation);
    SetFacts(std::move(name), std::move(changed.facts), effect);
  }
  return effects;
}

ReorganizationRow ReorganizationWork::Describe(v1::Reorganization content,
                                               absl::Span<const EffectRow> effects) const {
  ReorganizationRow row;
  row.id = NewId(call_.clock->Now());
  row.content = std::move(content);
  row.content.set_state(v1::REORGANIZATION_STATE_PLANNED);
  row.content.set_caller(call_.actor.subject);
  row.content.set_create_time_us(call_.clock->NowMicros());
  v1::ReorganizationCounts& counts = *row.content.mutable_counts();
  counts.set_records_left(work_.records_left);
  for (const EffectRow& effect : effects) {
    if (effect.subject == kOrganization) {
      row.content.add_organizations(effect.id);
      counts.set_organizations_changed(counts.organizations_changed() + 1);
    } else if (effect.subject == kMember) {
      counts.set_members_transferred(counts.members_transferred() + 1);
    } else if (effect.subject == kRegister) {
      counts.set_posts_ended(counts.posts_ended() + 1);
    }
  }
  for (const TreeWrite::Difference& difference : tree_.Differences()) {
    for (const OrganizationRow* ended : difference.ended) {
      v1::OrganizationVersion& version = *row.tree.add_ended();
      version = VersionView(*ended, call_.federation);
      version.set_recorded_to_us(tree_.recorded_us());
    }
    for (const OrganizationRow* begun : difference.begun) {
      v1::OrganizationVersion& version = *row.tree.add_begun();
      version = VersionView(*begun, call_.federation);
      version.set_recorded_from_us(tree_.recorded_us());
      version.set_recorded_to_us(tree::kNow);
      version.set_sequence(0);
      version.set_version_id(StrCat("planned-", row.tree.begun_size()));
    }
  }
  return row;
}

absl::Status ReorganizationWork::Keep(ReorganizationRow& row, absl::Span<const EffectRow> effects) {
  row.version = 1;
  RETURN_IF_ERROR(InsertReorganization(tx_, call_.federation, row));
  RETURN_IF_ERROR(WriteEffects(tx_, call_.federation, row.id, effects));
  feed::v1::Event event;
  event.set_type("gonghui.membership.v1.ReorganizationPlanned");
  event.add_resources(ReorganizationName(call_.federation, row.id));
  return feed::Append(tx_, call_, std::move(event));
}

absl::Status ReorganizationWork::WriteParts() {
  RETURN_IF_ERROR(tree_.Finish());
  ASSIGN_OR_RETURN(written_, members_.Write());
  return terms_.Write();
}

absl::Status ReorganizationWork::CarryOut(ReorganizationRow& row, std::vector<EffectRow> effects) {
  RETURN_IF_ERROR(WriteParts());
  row.tree.clear_begun();
  for (const TreeWrite::Difference& difference : tree_.Differences()) {
    for (const OrganizationRow* begun : difference.begun) {
      *row.tree.add_begun() = VersionView(*begun, call_.federation);
    }
  }
  for (v1::OrganizationVersion& ended : *row.tree.mutable_ended()) {
    ended.set_recorded_to_us(tree_.recorded_us());
  }
  RETURN_IF_ERROR(
      InsertSuccessors(tx_, call_.federation, row.id, work_.successors, tree_.recorded_us()));
  const bool planned = row.version > 0;
  row.content.set_state(v1::REORGANIZATION_STATE_APPLIED);
  row.content.set_apply_time_us(call_.clock->NowMicros());
  ++row.version;
  RETURN_IF_ERROR(planned ? UpdateReorganization(tx_, call_.federation, row)
                          : InsertReorganization(tx_, call_.federation, row));
  RETURN_IF_ERROR(WriteEffects(tx_, call_.federation, row.id, effects));
  return Announce(row, "gonghui.membership.v1.OrganizationsReorganized", effects, {});
}

absl::Status ReorganizationWork::Announce(const ReorganizationRow& row, std::string_view type,
                                          const std::vector<EffectRow>& effects,
                                          const std::vector<EffectRow>& withdrawn) {
  feed::v1::Event event;
  event.set_type(std::string(type));
  event.add_resources(ReorganizationName(call_.federation, row.id));
  for (const std::string& id : row.content.organizations()) {
    event.add_resources(OrganizationName(call_.federation, id));
  }
  for (const EffectRow& effect : effects) {
    event.mutable_facts()->MergeFrom(effect.part.facts());
    event.mutable_successions()->MergeFrom(effect.part.successions());
  }
  for (const EffectRow& effect : withdrawn) {
    for (const common::v1::Succession& succession : effect.part.successions()) {
      common::v1::Succession& added = *event.add_successions();
      added = succession;
      added.set_withdrawn(true);
    }
  }
  return feed::Append(tx_, call_, std::move(event));
}

absl::Status ReorganizationWork::RestoreTree(const std::vector<EffectRow>& effects,
                                             std::vector<std::string>& changed) {
  for (const EffectRow& effect : effects) {
    if (effect.subject != kOrganization) continue;
    const nlohmann::json undo = nlohmann::json::parse(effect.undo, nullptr, false);
    ASSIGN_OR_RETURN(const Life* believed, tree_.Believed(effect.id));
    if (ToJson(*believed) != undo.at("after")) {
      changed.push_back(OrganizationName(call_.federation, effect.id));
      continue;
    }
    tree_.Put(effect.id, FromJson(undo.at("before")));
  }
  return absl::OkStatus();
}

absl::Status ReorganizationWork::CheckRestored(const std::vector<EffectRow>& effects) {
  for (const EffectRow& effect : effects) {
    if (effect.subject != kOrganization) continue;
    absl::Status fit = CheckPlace(tree_, effect.id, "name");
    if (fit.ok()) fit = CheckBelow(tree_, effect.id, "name");
    if (fit.ok() || !IsFault(fit)) {
      RETURN_IF_ERROR(fit);
      continue;
    }
    return Blocked(
               StrCat("'", effect.id, "' cannot stand where it stood: ", FromAbsl(fit.message())),
               StrCat("“", effect.id, "”无法回到原处：", MessageZhOf(fit)))
        .With("cause", ReasonName(ReasonOf(fit)))
        .With("named_1", OrganizationName(call_.federation, effect.id))
        .At("name");
  }
  return absl::OkStatus();
}

absl::Status ReorganizationWork::CheckUnfounded(const std::vector<EffectRow>& effects) {
  for (const EffectRow& effect : effects) {
    if (effect.subject != kOrganization || effect.seen != 0) continue;
    ASSIGN_OR_RETURN(const sql::Rows held,
                     tx_.Run(kHeld, {call_.federation, effect.id, tree::kNow}));
    if (held[0].Get<int64_t>(0) == 0) continue;
    return Blocked(StrCat("'", effect.id, "', founded by it, has members or records of its own"),
                   StrCat("由本次调整建立的“", effect.id, "”已有会员或记录"))
        .With("named_1", OrganizationName(call_.federation, effect.id))
        .With("count", StrCat(held[0].Get<int64_t>(0)))
        .At("name");
  }
  return absl::OkStatus();
}

absl::Status ReorganizationWork::Revert(ReorganizationRow& row) {
  ASSIGN_OR_RETURN(const std::vector<EffectRow> effects,
                   ReadEffects(tx_, call_.federation, row.id, 0, kAll));
  std::vector<std::string> changed;
  RETURN_IF_ERROR(RestoreTree(effects, changed));
  std::map<std::string, std::string> members;
  std::map<std::string, std::string> terms;
  for (const EffectRow& effect : effects) {
    if (effect.subject == kMember) members[effect.id] = effect.undo;
    if (effect.subject == kRegister) terms[effect.id] = effect.undo;
  }
  ASSIGN_OR_RETURN(const auto changed_members, members_.Restore(members));
  for (const std::string& id : changed_members) {
    changed.push_back(MemberName(call_.federation, id));
  }
  ASSIGN_OR_RETURN(const auto changed_terms, terms_.Restore(terms));
  for (const std::string& id : changed_terms) {
    changed.push_back(StrCat("federations/", call_.federation, "/registers/", id));
  }
  if (!changed.empty()) {
    return Naming(
        Blocked(
            StrCat(changed.size(), " of what it changed were changed again since, the first is ",
                   changed.front()),
            StrCat("本次调整涉及的 ", changed.size(), " 项此后又有变化，例如 ", changed.front()))
            .At("name"),
        changed);
  }
  RETURN_IF_ERROR(CheckRestored(effects));
  // Not the negations of what was told then: persons may have been corrected since.
  ASSIGN_OR_RETURN(const std::vector<EffectRow> back, Effects());
  RETURN_IF_ERROR(WriteParts());
  RETURN_IF_ERROR(CheckUnfounded(effects));
  RETURN_IF_ERROR(EndSuccessors(tx_, call_.federation, row.id, tree_.recorded_us()));
  row.content.set_state(v1::REORGANIZATION_STATE_REVERTED);
  row.content.set_revert_time_us(call_.clock->NowMicros());
  ++row.version;
  RETURN_IF_ERROR(UpdateReorganization(tx_, call_.federation, row));
  return Announce(row, "gonghui.membership.v1.OrganizationsRestored", back, effects);
}

}  // namespace gonghui::membership
