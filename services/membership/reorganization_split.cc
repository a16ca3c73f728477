#include "services/membership/reorganization_split.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "common/base/date.h"
#include "common/base/status.h"
#include "gonghui/common/v1/options.pb.h"
#include "services/membership/codes.h"

namespace gonghui::membership {
namespace {

using google::protobuf::FieldDescriptor;

// A rule with its field found and its values as codes.
struct Rule {
  const FieldDescriptor* field = nullptr;  // nullptr: fits everybody.
  std::set<std::string> values;
  std::string target;
};

bool Fits(const Rule& rule, const v1::Member& member) {
  if (rule.field == nullptr) return true;
  const auto& reflection = *member.GetReflection();
  if (rule.field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
    return rule.values.contains(reflection.GetBool(member, rule.field) ? "true" : "false");
  }
  return rule.values.contains(reflection.GetString(member, rule.field));
}

// What a rule may ask about: fields of members that are not personal.
bool MayAsk(const FieldDescriptor* field) {
  static const auto& open = *new std::set<std::string>{
      "sex", "employment",   "education",     "skill_level", "political_status",
      "job", "worker_group", "migrant_worker"};
  return field != nullptr && open.contains(field->name());
}

absl::StatusOr<Rule> ReadRule(const catalog::Catalog& catalog, const v1::SplitRule& in,
                              const std::string& at) {
  Rule rule;
  rule.target = in.target();
  if (in.field().empty()) return rule;
  rule.field = v1::Member::descriptor()->FindFieldByName(in.field());
  if (!MayAsk(rule.field)) {
    return InvalidArgument(
               common::v1::REASON_FIELD_INVALID,
               StrCat("'", in.field(),
                      "' is no field that a rule may ask about; use sex, employment, education, "
                      "skill_level, political_status, job, worker_group or migrant_worker"),
               StrCat(
                   "规则不能使用字段“", in.field(),
                   "”；可用性别、就业状况、学历、技能等级、政治面貌、岗位、职工群体、是否农民工"))
        .With("value", in.field())
        .At(StrCat(at, "field"));
  }
  for (std::string value : in.values()) {
    if (catalog.FindCodes(in.field()) != nullptr) {
      RETURN_IF_ERROR(ToCode(catalog, in.field(), StrCat(at, "values"), value));
    }
    rule.values.insert(std::move(value));
  }
  return rule;
}

Error NoTarget(const std::string& id, std::string field) {
  return InvalidArgument(common::v1::REASON_REFERENCE_NOT_FOUND,
                         StrCat("'", id, "' is not among the targets of the split; add it there"),
                         StrCat("“", id, "”不在拆分后的工会（targets）中，请补充"))
      .With("organization", id)
      .At(std::move(field));
}

std::vector<Rule> ReadRules(const Reorganizing& work, const v1::SplitStep& step, const StepPath& at,
                            const std::set<std::string>& targets, Faults& faults) {
  std::vector<Rule> rules;
  for (int i = 0; i < step.rules_size(); ++i) {
    const std::string path = at(StrCat("rules[", i, "]."));
    absl::StatusOr<Rule> rule = ReadRule(work.catalog, step.rules(i), path);
    if (!rule.ok()) {
      faults.push_back(rule.status());
    } else if (!targets.contains(rule->target)) {
      faults.push_back(NoTarget(rule->target, StrCat(path, "target")));
    } else {
      rules.push_back(*std::move(rule));
    }
  }
  return rules;
}

// Child -> organisation below which it goes. A child that is a target rises to
// the source's place.
absl::StatusOr<std::map<std::string, std::string>> AssignChildren(
    Reorganizing& work, const v1::SplitStep& step, const StepPath& at,
    const std::set<std::string>& targets, Faults& faults) {
  ASSIGN_OR_RETURN(const auto children,
                   OpenBelow(work.tree, step.source(), step.valid_from(), kForever));
  ASSIGN_OR_RETURN(const Life* source, work.tree.Believed(step.source()));
  std::map<std::string, std::string> assigned;
  std::vector<std::string> unassigned;
  for (const std::string& child : children) {
    const auto named = step.children().find(child);
    if (named != step.children().end()) {
      assigned[child] = named->second;
    } else if (targets.contains(child)) {
      assigned[child] = At(*source, step.valid_from())->version.parent;
    } else {
      unassigned.push_back(child);
    }
  }
  if (!unassigned.empty()) {
    faults.push_back(Naming(
        FailedPrecondition(
            common::v1::REASON_ORGANIZATION_NOT_EMPTY,
            StrCat(unassigned.size(), " open organisations below '", step.source(),
                   "' have no target, the first is '", unassigned.front(),
                   "'; name one for each in children"),
            StrCat("“", step.source(), "”有 ", unassigned.size(), " 个下级工会未指定去向，例如“",
                   unassigned.front(), "”，请在 children 中逐一指定"))
            .At(at("children")),
        unassigned));
  }
  for (const auto& [child, target] : step.children()) {
    if (!targets.contains(target)) {
      faults.push_back(NoTarget(target, at("children")));
    } else if (!assigned.contains(child)) {
      faults.push_back(
          InvalidArgument(common::v1::REASON_REFERENCE_NOT_FOUND,
                          StrCat("'", child, "' is no open organisation below '", step.source(),
                                 "'; leave it out"),
                          StrCat("“", child, "”不是“", step.source(), "”存续的下级工会，请删去"))
              .With("organization", child)
              .At(at("children")));
    }
  }
  return assigned;
}

absl::StatusOr<std::map<std::string, std::string>> AssignMembers(
    Reorganizing& work, const v1::SplitStep& step, const StepPath& at,
    const std::set<std::string>& targets, Faults& faults) {
  const std::vector<Rule> rules = ReadRules(work, step, at, targets, faults);
  ASSIGN_OR_RETURN(const auto members, work.members.In(step.source(), step.valid_from(), kForever));
  std::map<std::string, std::string> assigned;
  std::vector<std::string> unassigned;
  for (const MemberLife* member : members) {
    const std::string& id = member->row.id;
    if (const auto named = step.members().find(id); named != step.members().end()) {
      assigned[id] = named->second;
      continue;
    }
    const auto rule = std::find_if(rules.begin(), rules.end(),
                                   [&](const Rule& r) { return Fits(r, member->row.member); });
    rule == rules.end() ? unassigned.push_back(id) : (void)(assigned[id] = rule->target);
  }
  if (!unassigned.empty()) {
    faults.push_back(Naming(
        FailedPrecondition(common::v1::REASON_ORGANIZATION_NOT_EMPTY,
                           StrCat(unassigned.size(), " members of '", step.source(),
                                  "' have no target: name them in members, or add a rule that "
                                  "fits; a last rule without field takes all that are left"),
                           StrCat("“", step.source(), "”有 ", unassigned.size(),
                                  " 名会员未指定去向：请在 members "
                                  "中指定或增加规则；最后一条不带字段的规则可接收其余会员"))
            .At(at("members")),
        unassigned));
  }
  std::vector<std::string> strangers;
  std::set<std::string> unknown;
  for (const auto& [member, target] : step.members()) {
    if (!targets.contains(target)) unknown.insert(target);
    if (!assigned.contains(member)) strangers.push_back(member);
  }
  for (const std::string& target : unknown) faults.push_back(NoTarget(target, at("members")));
  if (!strangers.empty()) {
    std::sort(strangers.begin(), strangers.end());
    faults.push_back(Naming(
        InvalidArgument(common::v1::REASON_REFERENCE_NOT_FOUND,
                        StrCat(strangers.size(), " persons named are no members of '",
                               step.source(), "' on ", step.valid_from(), "; leave them out"),
                        StrCat("有 ", strangers.size(), " 人在 ", step.valid_from(), " 不是“",
                               step.source(), "”的会员，请删去"))
            .At(at("members")),
        strangers));
  }
  return assigned;
}

absl::Status CheckTargets(Reorganizing& work, const v1::SplitStep& step, const StepPath& at,
                          std::set<std::string>& targets, Faults& faults) {
  for (int i = 0; i < step.targets_size(); ++i) {
    const std::string& target = step.targets(i);
    const std::string field = at(StrCat("targets[", i, "]"));
    absl::Status fit = CheckTarget(work, target, step.valid_from(), field, at);
    if (fit.ok() && target == step.source()) fit = Cycle(target, target, field);
    if (!fit.ok() && !IsFault(fit)) return fit;
    if (!fit.ok()) faults.push_back(std::move(fit));
    targets.insert(target);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Life> LifeOf(Reorganizing& work, const std::string& id, const std::string& day,
                            std::string field, const StepPath& at) {
  ASSIGN_OR_RETURN(const Life* life, work.tree.Believed(id));
  if (life->empty()) return UnknownOrganization(id, field);
  if (day < life->front().founded_on) {
    return TooEarly(id, life->front().founded_on, day, at("valid_from"));
  }
  if (day >= kForever) return TooLate(at("valid_from"));
  return *life;
}

absl::Status CheckSource(Reorganizing& work, const std::string& id, const std::string& day,
                         std::string field, const StepPath& at) {
  ASSIGN_OR_RETURN(const Life life, LifeOf(work, id, day, field, at));
  if (life.front().version.parent.empty()) {
    return FailedPrecondition(
               common::v1::REASON_STATE_FORBIDS,
               StrCat("'", id, "' is the topmost organisation and stays open; name another"),
               StrCat("“", id, "”是最上级工会，不能撤销，请另选工会"))
        .With("organization", id)
        .At(std::move(field));
  }
  const tree::Version& now = At(life, day)->version;
  return now.state == kClosed ? Closed(id, now.valid_from, field) : absl::OkStatus();
}

absl::Status CheckTarget(Reorganizing& work, const std::string& id, const std::string& day,
                         std::string field, const StepPath& at) {
  ASSIGN_OR_RETURN(const Life* life, work.tree.Believed(id));
  if (life->empty()) return UnknownReference(id, field);
  if (day < life->front().founded_on) {
    return TooEarly(id, life->front().founded_on, day, at("valid_from"));
  }
  for (const OrganizationRow& row : *life) {
    if (row.version.valid_to > day && row.version.state == kClosed) {
      return Closed(id, row.version.valid_from, field);
    }
  }
  return absl::OkStatus();
}

absl::Status Rehang(TreeWrite& tree, const std::string& id, const std::string& from,
                    const std::string& to, const std::string& day) {
  ASSIGN_OR_RETURN(const Life* believed, tree.Believed(id));
  Life life = *believed;
  std::string since(kForever);
  for (const OrganizationRow& row : *believed) {
    const tree::Version& version = row.version;
    if (version.parent != from || version.valid_to <= day) continue;
    if (version.state == kOpen) since = std::min(since, std::max(version.valid_from, day));
    if (version.valid_to > since) {
      Assign(life, &tree::Version::parent, to, std::max(version.valid_from, since),
             version.valid_to);
    }
  }
  tree.Put(id, std::move(life));
  return absl::OkStatus();
}

absl::Status Split(Reorganizing& work, const v1::SplitStep& step, const StepPath& at,
                   Faults& faults) {
  const std::string& day = step.valid_from();
  RETURN_IF_ERROR(CheckSource(work, step.source(), day, at("source"), at));
  std::set<std::string> targets;
  RETURN_IF_ERROR(CheckTargets(work, step, at, targets, faults));
  ASSIGN_OR_RETURN(const auto children, AssignChildren(work, step, at, targets, faults));
  ASSIGN_OR_RETURN(const auto members, AssignMembers(work, step, at, targets, faults));
  if (!faults.empty()) return absl::OkStatus();
  for (const auto& [child, target] : children) {
    RETURN_IF_ERROR(Rehang(work.tree, child, step.source(), target, day));
  }
  for (const auto& [child, target] : children) {
    RETURN_IF_ERROR(CheckPlace(work.tree, child, at("children")));
  }
  ASSIGN_OR_RETURN(const Life* believed, work.tree.Believed(step.source()));
  Life life = *believed;
  Assign(life, &tree::Version::state, kClosed, day, kForever);
  work.tree.Put(step.source(), std::move(life));
  for (const auto& [member, target] : members) {
    const MemberLife& moved = work.members.Transfer(member, step.source(), target, day);
    common::v1::Succession& succession = work.successions.emplace_back();
    succession.set_organization(step.source());
    succession.set_successor(target);
    succession.set_on_date(day);
    succession.set_subject(moved.row.id_index);
    succession.set_record(MemberName(work.federation, member));
  }
  for (const std::string& target : targets) work.successors.push_back({step.source(), target, day});
  return work.terms.End(step.source(), day, work.records_left);
}

}  // namespace gonghui::membership
