#include "services/membership/reorganization_steps.h"

#include <algorithm>
#include <utility>

#include "common/base/date.h"
#include "common/base/status.h"
#include "services/membership/codes.h"
#include "services/membership/reorganization_split.h"

namespace gonghui::membership {
namespace {

using v1::ReorganizationStep;

constexpr size_t kMostTold = 8;  // Faults told word for word.
// Names told in an error's metadata, which holds 200 bytes an entry and some 4 KiB in all.
constexpr size_t kNamedInEntry = 3;
constexpr size_t kMostNamed = 30;

Error StateForbids(const std::string& id, std::string message, std::string message_zh,
                   std::string field) {
  return FailedPrecondition(common::v1::REASON_STATE_FORBIDS, std::move(message),
                            std::move(message_zh))
      .With("organization", id)
      .At(std::move(field));
}

Error NotEmpty(const std::string& id, size_t children, size_t members, const std::string& from,
               std::string field) {
  return FailedPrecondition(common::v1::REASON_ORGANIZATION_NOT_EMPTY,
                            StrCat("'", id, "' has ", children, " open organisations and ", members,
                                   " members on or after ", from, "; move or close them first"),
                            StrCat("“", id, "”在 ", from, " 及以后仍有 ", children, " 个下级工会、",
                                   members, " 名会员，请先转出或撤销"))
      .With("organization", id)
      .With("children", StrCat(children))
      .With("members", StrCat(members))
      .At(std::move(field));
}

absl::Status CheckEmpty(Reorganizing& work, const std::string& id, const std::string& from,
                        const std::string& until, std::string field) {
  ASSIGN_OR_RETURN(const auto children, OpenBelow(work.tree, id, from, until));
  ASSIGN_OR_RETURN(const auto members, work.members.In(id, from, until));
  if (children.empty() && members.empty()) return absl::OkStatus();
  return NotEmpty(id, children.size(), members.size(), from, std::move(field));
}

// The workers of the sources are the target's from the day on.
absl::Status CarryEmployees(Reorganizing& work, const v1::MergeStep& step) {
  int64_t employees = 0;
  for (const std::string& source : step.sources()) {
    ASSIGN_OR_RETURN(const Life* life, work.tree.Believed(source));
    employees += At(*life, step.valid_from())->employees;
  }
  if (employees == 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Life* believed, work.tree.Believed(step.target()));
  Life life = *believed;
  AddEmployees(life, employees, step.valid_from());
  work.tree.Put(step.target(), std::move(life));
  return absl::OkStatus();
}

absl::Status Merge(Reorganizing& work, const v1::MergeStep& step, const StepPath& at,
                   Faults& faults) {
  const std::string& day = step.valid_from();
  if (absl::Status open = CheckTarget(work, step.target(), day, at("target"), at); !open.ok()) {
    if (!IsFault(open)) return open;
    faults.push_back(std::move(open));
  }
  std::set<std::string> seen;
  for (int i = 0; i < step.sources_size(); ++i) {
    const std::string& source = step.sources(i);
    const std::string field = at(StrCat("sources[", i, "]"));
    absl::Status fit = CheckSource(work, source, day, field, at);
    if (fit.ok() && source == step.target()) fit = Cycle(source, source, field);
    if (fit.ok() && !seen.insert(source).second) {
      fit = InvalidArgument(common::v1::REASON_DUPLICATE_IN_REQUEST,
                            StrCat("'", source, "' stands twice among the sources; name it once"),
                            StrCat("“", source, "”在被合并工会中重复，请只填一次"))
                .With("organization", source)
                .At(field);
    }
    if (!fit.ok() && !IsFault(fit)) return fit;
    if (!fit.ok()) faults.push_back(std::move(fit));
  }
  if (!faults.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(CarryEmployees(work, step));
  for (int i = 0; i < step.sources_size(); ++i) {
    const std::string& source = step.sources(i);
    const std::string field = at(StrCat("sources[", i, "]"));
    ASSIGN_OR_RETURN(const auto children, OpenBelow(work.tree, source, day, kForever));
    for (const std::string& child : children) {
      RETURN_IF_ERROR(Rehang(work.tree, child, source, step.target(), day));
      RETURN_IF_ERROR(CheckPlace(work.tree, child, field));
    }
    ASSIGN_OR_RETURN(const Life* believed, work.tree.Believed(source));
    Life life = *believed;
    Assign(life, &tree::Version::state, kClosed, day, kForever);
    Assign(life, &tree::Version::parent, step.target(), day, kForever);
    work.tree.Put(source, std::move(life));
    RETURN_IF_ERROR(CheckPlace(work.tree, source, field));
  }
  for (const std::string& source : step.sources()) {
    ASSIGN_OR_RETURN(const auto members, work.members.In(source, day, kForever));
    for (const MemberLife* member : members) {
      work.members.Transfer(member->row.id, source, step.target(), day);
    }
    RETURN_IF_ERROR(work.terms.End(source, day, work.records_left));
    work.successors.push_back({source, step.target(), day});
  }
  return absl::OkStatus();
}

absl::Status Move(Reorganizing& work, const v1::MoveStep& step, const StepPath& at) {
  const std::string& id = step.organization();
  ASSIGN_OR_RETURN(Life life, LifeOf(work, id, step.valid_from(), at("organization"), at));
  if (step.new_parent() == id) return Cycle(id, id, at("new_parent"));
  ASSIGN_OR_RETURN(const Life* parent, work.tree.Believed(step.new_parent()));
  if (parent->empty()) return UnknownReference(step.new_parent(), at("new_parent"));
  if (step.valid_from() < parent->front().founded_on) {
    return TooEarly(step.new_parent(), parent->front().founded_on, step.valid_from(),
                    at("valid_from"));
  }
  const tree::Version& now = At(life, step.valid_from())->version;
  if (now.state == kClosed) return Closed(id, now.valid_from, at("valid_from"));
  Change(life, &tree::Version::parent, step.new_parent(), step.valid_from());
  work.tree.Put(id, std::move(life));
  return CheckPlace(work.tree, id, at("new_parent"));
}

absl::Status Rename(Reorganizing& work, const v1::RenameStep& step, const StepPath& at) {
  ASSIGN_OR_RETURN(Life life,
                   LifeOf(work, step.organization(), step.valid_from(), at("organization"), at));
  Change(life, &tree::Version::display_name, step.display_name(), step.valid_from());
  work.tree.Put(step.organization(), std::move(life));
  return absl::OkStatus();
}

absl::Status Close(Reorganizing& work, const v1::CloseStep& step, const StepPath& at) {
  const std::string& id = step.organization();
  ASSIGN_OR_RETURN(Life life, LifeOf(work, id, step.valid_from(), at("organization"), at));
  const std::string closed_on = At(life, step.valid_from())->version.valid_from;
  const std::string until = Change(life, &tree::Version::state, kClosed, step.valid_from());
  if (until.empty()) {
    return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                              StrCat("'", id, "' is closed already, from ", closed_on),
                              StrCat("“", id, "”已于 ", closed_on, " 撤销"))
        .With("state", "closed")
        .With("allowed", "")
        .At(at("valid_from"));
  }
  RETURN_IF_ERROR(CheckEmpty(work, id, step.valid_from(), until, at("organization")));
  work.tree.Put(id, std::move(life));
  RETURN_IF_ERROR(CheckPlace(work.tree, id, at("organization")));
  return work.terms.End(id, step.valid_from(), work.records_left);
}

absl::Status Reopen(Reorganizing& work, const v1::ReopenStep& step, const StepPath& at) {
  const std::string& id = step.organization();
  ASSIGN_OR_RETURN(Life life, LifeOf(work, id, step.valid_from(), at("organization"), at));
  std::string parent = step.parent();
  for (const OrganizationRow& row : life) {
    const bool earlier = row.version.valid_from < step.valid_from();
    if (step.parent().empty() && earlier && (row.version.state == kOpen || parent.empty())) {
      parent = row.version.parent;
    }
  }
  if (parent.empty()) parent = life.front().version.parent;
  const std::string until = Change(life, &tree::Version::state, kOpen, step.valid_from());
  if (until.empty()) {
    return StateForbids(
        id, StrCat("'", id, "' is open on ", step.valid_from(), "; nothing to reopen"),
        StrCat("“", id, "”在 ", step.valid_from(), " 存续，无需恢复"), at("valid_from"));
  }
  Assign(life, &tree::Version::parent, parent, step.valid_from(), until);
  work.tree.Put(id, std::move(life));
  work.named.insert(parent);
  return CheckPlace(work.tree, id, at("parent"));
}

absl::Status CorrectAttributes(Reorganizing& work, const v1::CorrectStep& step, const StepPath& at,
                               const std::string& from, const std::string& to, Life& life) {
  std::string kind = step.kind();
  RETURN_IF_ERROR(ToCode(work.catalog, "organization_kind", at("kind"), kind));
  if (!step.parent().empty()) {
    if (life.front().version.parent.empty()) {
      return Cycle(step.organization(), step.parent(), at("parent"));
    }
    Assign(life, &tree::Version::parent, step.parent(), from, to);
  }
  if (!step.display_name().empty()) {
    Assign(life, &tree::Version::display_name, step.display_name(), from, to);
  }
  if (!kind.empty()) Assign(life, &tree::Version::kind, kind, from, to);
  if (!step.state().empty()) Assign(life, &tree::Version::state, step.state(), from, to);
  return absl::OkStatus();
}

absl::Status Correct(Reorganizing& work, const v1::CorrectStep& step, const StepPath& at) {
  const std::string& id = step.organization();
  const std::string to = step.valid_to().empty() ? std::string(kForever) : step.valid_to();
  ASSIGN_OR_RETURN(const Life* believed, work.tree.Believed(id));
  if (believed->empty()) return UnknownOrganization(id, at("organization"));
  for (const auto& [field, date] :
       {std::pair("valid_from", step.valid_from()), std::pair("founded_on", step.founded_on())}) {
    if (date >= kForever) return TooLate(at(field));
  }
  if (step.parent().empty() && step.display_name().empty() && step.kind().empty() &&
      step.state().empty() && step.founded_on().empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                           "the correction names nothing to correct: give parent, display_name, "
                           "kind, state or founded_on",
                           "未填写更正内容：请填上级、名称、层级、状态或成立日期")
        .At(at("display_name"));
  }
  Life life = *believed;
  const std::string founded_on = step.founded_on().empty()
                                     ? std::min(life.front().founded_on, step.valid_from())
                                     : step.founded_on();
  const std::string from = std::max(step.valid_from(), founded_on);
  if (to <= from) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           StrCat("valid_to must lie after ", from),
                           StrCat("截止日期应晚于 ", from))
        .With("date", to)
        .At(at("valid_to"));
  }
  if (founded_on != life.front().founded_on) Refound(life, founded_on);
  RETURN_IF_ERROR(CorrectAttributes(work, step, at, from, to, life));
  if (step.state() == kClosed) {
    RETURN_IF_ERROR(CheckEmpty(work, id, from, to, at("organization")));
  }
  work.tree.Put(id, std::move(life));
  const char* field = !step.parent().empty()    ? "parent"
                      : !step.state().empty()   ? "state"
                      : step.founded_on() != "" ? "founded_on"
                                                : "valid_from";
  RETURN_IF_ERROR(CheckPlace(work.tree, id, at(field)));
  return CheckBelow(work.tree, id, at(field));
}

absl::Status FoundNew(Reorganizing& work, const v1::FoundStep& step, const StepPath& at) {
  Founding founding{.organization = step.organization(), .at = at("organization.")};
  RETURN_IF_ERROR(NormalizeOrganization(work.catalog, founding.at, founding.organization));
  RETURN_IF_ERROR(Found(work.tree, founding));
  RETURN_IF_ERROR(founding.status);
  if (!founding.existing) return absl::OkStatus();
  return AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                       StrCat("the organisation '", step.organization().id(),
                              "' exists already; leave the step out"),
                       StrCat("工会“", step.organization().id(), "”已存在，请删去这一步"))
      .With("organization", step.organization().id())
      .At(at("organization.id"));
}

absl::Status Affiliate(Reorganizing& work, const v1::AffiliateStep& step, const StepPath& at) {
  const std::string& id = step.organization();
  const std::string& from = step.valid_from();
  ASSIGN_OR_RETURN(Life life, LifeOf(work, id, from, at("organization"), at));
  const std::string until = Change(life, &tree::Version::affiliated_to, step.affiliated_to(), from);
  work.tree.Put(id, std::move(life));
  if (until.empty()) return absl::OkStatus();
  return CheckAffiliation(work.tree, id, from, until, at("affiliated_to"));
}

absl::Status Dispatch(Reorganizing& work, const ReorganizationStep& step, const StepPath& at,
                      Faults& faults) {
  switch (step.step_case()) {
    case ReorganizationStep::kMerge:
      return Merge(work, step.merge(), at, faults);
    case ReorganizationStep::kSplit:
      return Split(work, step.split(), at, faults);
    case ReorganizationStep::kMove:
      return Move(work, step.move(), at);
    case ReorganizationStep::kRename:
      return Rename(work, step.rename(), at);
    case ReorganizationStep::kClose:
      return Close(work, step.close(), at);
    case ReorganizationStep::kReopen:
      return Reopen(work, step.reopen(), at);
    case ReorganizationStep::kCorrect:
      return Correct(work, step.correct(), at);
    case ReorganizationStep::kFound:
      return FoundNew(work, step.found(), at);
    case ReorganizationStep::kAffiliate:
      return Affiliate(work, step.affiliate(), at);
    case ReorganizationStep::STEP_NOT_SET:
      break;
  }
  return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                         "the step says nothing: name merge, split, move, rename, close, reopen, "
                         "correct, found or affiliate",
                         "该步骤为空：请填合并、拆分、移动、更名、撤销、恢复、更正、建立或归口")
      .At(std::string(at.prefix.substr(0, at.prefix.size() - 1)));
}

}  // namespace

std::vector<Named> OrganizationsOf(const ReorganizationStep& step, const StepPath& at) {
  std::vector<Named> named;
  const auto add = [&](const std::string& id, std::string_view field) {
    if (!id.empty()) named.push_back({id, at(field)});
  };
  if (step.has_merge()) {
    for (int i = 0; i < step.merge().sources_size(); ++i) {
      add(step.merge().sources(i), StrCat("sources[", i, "]"));
    }
    add(step.merge().target(), "target");
  } else if (step.has_split()) {
    add(step.split().source(), "source");
    for (int i = 0; i < step.split().targets_size(); ++i) {
      add(step.split().targets(i), StrCat("targets[", i, "]"));
    }
  } else if (step.has_move()) {
    add(step.move().organization(), "organization");
    add(step.move().new_parent(), "new_parent");
  } else if (step.has_rename()) {
    add(step.rename().organization(), "organization");
  } else if (step.has_close()) {
    add(step.close().organization(), "organization");
  } else if (step.has_reopen()) {
    add(step.reopen().organization(), "organization");
    add(step.reopen().parent(), "parent");
  } else if (step.has_correct()) {
    add(step.correct().organization(), "organization");
    add(step.correct().parent(), "parent");
  } else if (step.has_found()) {
    add(step.found().organization().parent(), "organization.parent");
    add(step.found().organization().affiliated_to(), "organization.affiliated_to");
  } else if (step.has_affiliate()) {
    add(step.affiliate().organization(), "organization");
    add(step.affiliate().affiliated_to(), "affiliated_to");
  }
  return named;
}

absl::Status TakeStep(Reorganizing& work, const ReorganizationStep& step, const StepPath& at,
                      Faults& faults) {
  const size_t mark = work.tree.Mark();
  Faults found;
  absl::Status taken = Dispatch(work, step, at, found);
  if (!taken.ok() && !IsFault(taken)) return taken;
  if (!taken.ok()) found.push_back(std::move(taken));
  if (!found.empty()) work.tree.TakeBack(mark);
  std::move(found.begin(), found.end(), std::back_inserter(faults));
  for (const Named& named : OrganizationsOf(step, at)) work.named.insert(named.organization);
  return absl::OkStatus();
}

StepPath PathOf(int index, const ReorganizationStep& step) {
  const auto* oneof = ReorganizationStep::descriptor()->FindOneofByName("step");
  const auto* field = step.GetReflection()->GetOneofFieldDescriptor(step, oneof);
  return {field == nullptr ? StrCat("steps[", index, "].")
                           : StrCat("steps[", index, "].", field->name(), ".")};
}

bool IsFault(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
      return true;
    default:
      return false;
  }
}

absl::Status Naming(Error error, const std::vector<std::string>& names) {
  for (size_t i = 0; i < std::min(names.size(), kMostNamed); i += kNamedInEntry) {
    std::string some;
    for (size_t k = i; k < std::min(names.size(), i + kNamedInEntry); ++k) {
      StrAppend(&some, k == i ? "" : " ", names[k]);
    }
    std::move(error).With(StrCat("named_", i / kNamedInEntry + 1), std::move(some));
  }
  return std::move(error).With("count", StrCat(names.size()));
}

absl::Status AllOf(const Faults& faults) {
  if (faults.size() <= 1) return faults.empty() ? absl::OkStatus() : faults.front();
  std::string message = StrCat(faults.size(), " faults:");
  std::string message_zh = StrCat("共 ", faults.size(), " 处错误：");
  for (size_t i = 0; i < std::min(faults.size(), kMostTold); ++i) {
    StrAppend(&message, i == 0 ? " " : "; ", FieldOf(faults[i]), ": ",
              FromAbsl(faults[i].message()));
    StrAppend(&message_zh, i == 0 ? "" : "；", FieldOf(faults[i]), "：", MessageZhOf(faults[i]));
  }
  Error error(faults.front().code(), ReasonOf(faults.front()), std::move(message),
              std::move(message_zh));
  std::move(error).With("faults", StrCat(faults.size()));
  for (size_t i = 1; i < std::min(faults.size(), kMostTold); ++i) {
    std::move(error).With(StrCat("fault_", i + 1),
                          StrCat(ReasonName(ReasonOf(faults[i])), " ", FieldOf(faults[i])));
  }
  for (const auto& [key, value] : MetadataOf(faults.front())) std::move(error).With(key, value);
  return std::move(error).At(FieldOf(faults.front()));
}

}  // namespace gonghui::membership
