#include "services/membership/organizations.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "common/base/date.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/catalog/fact_rules.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/update.h"
#include "common/rpc/validate.h"
#include "services/membership/batch.h"
#include "services/membership/codes.h"

namespace gonghui::membership {
namespace {

using common::v1::Fact;
using Rows = std::vector<OrganizationRow>;

constexpr sql::Query kCountMembers{
    "membership.count_members_from",
    "SELECT (SELECT COUNT(*) FROM members WHERE tenant=$1 AND organization=$2 AND "
    "(state='active' OR left_on>$3)) + (SELECT COUNT(*) FROM past_memberships WHERE tenant=$1 AND "
    "organization=$2 AND left_on>$3)"};

OrganizationRow ToRow(const v1::Organization& organization) {
  OrganizationRow row;
  row.version.id = organization.id();
  row.version.parent = organization.parent();
  row.version.display_name = organization.display_name();
  row.version.kind = organization.kind();
  row.union_type = organization.union_type();
  row.industry = organization.industry();
  row.credit_code = organization.credit_code();
  row.employees = organization.employees();
  row.founded_on = organization.founded_on();
  return row;
}

// Whether the organisation, as it was on its first day, is the one described.
bool SameContent(const OrganizationRow& first, const v1::Organization& organization) {
  const OrganizationRow wanted = ToRow(organization);
  return first.version.parent == wanted.version.parent &&
         first.version.display_name == wanted.version.display_name &&
         first.version.kind == wanted.version.kind && first.union_type == wanted.union_type &&
         first.industry == wanted.industry && first.credit_code == wanted.credit_code &&
         first.employees == wanted.employees && first.founded_on == wanted.founded_on;
}

Error UnknownOrganization(const std::string& id, std::string_view field) {
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no organisation '", id, "'; ListOrganizations shows all"),
                  StrCat("没有工会“", id, "”，可用 ListOrganizations 查看"))
      .With("organization", id)
      .At(std::string(field));
}

Error UnknownParent(const std::string& id, std::string_view field) {
  return InvalidArgument(
             common::v1::REASON_REFERENCE_NOT_FOUND,
             StrCat("the upper organisation '", id, "' does not exist; create it first"),
             StrCat("上级工会“", id, "”不存在，请先建立"))
      .With("organization", id)
      .At(std::string(field));
}

Error TooEarly(const std::string& id, const std::string& founded_on, const std::string& date,
               std::string_view field) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat(date, " lies before ", founded_on, ", when '", id, "' was founded"),
                         StrCat(date, " 早于“", id, "”的成立日期 ", founded_on))
      .With("organization", id)
      .With("founded_on", founded_on)
      .With("date", date)
      .At(std::string(field));
}

Error TooLate(std::string_view field) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat(kForever, " stands for the end of time; name an earlier day"),
                         StrCat(kForever, " 表示长期有效，请填写更早的日期"))
      .At(std::string(field));
}

Error Closed(const std::string& id, const std::string& closed_on, std::string_view field) {
  return FailedPrecondition(common::v1::REASON_ORGANIZATION_CLOSED,
                            StrCat("'", id, "' is closed from ", closed_on, "; name an open one"),
                            StrCat("“", id, "”已于 ", closed_on, " 撤销，请选择存续的工会"))
      .With("organization", id)
      .With("closed_on", closed_on)
      .At(std::string(field));
}

Error Cycle(const std::string& id, const std::string& parent, std::string_view field) {
  return InvalidArgument(
             common::v1::REASON_TREE_CYCLE,
             StrCat("'", parent, "' is or lies below '", id, "'; choose another parent"),
             StrCat("“", parent, "”是“", id, "”本身或其下级，请另选上级"))
      .With("organization", id)
      .With("parent", parent)
      .At(std::string(field));
}

// Days from `from` up to (excluding) `until`, empty for no end, on which anything in the tree
// changes.
std::set<std::string> Turns(const tree::OrganizationTree& tree, const std::string& from,
                            const std::string& until) {
  std::set<std::string> days = {from};
  for (const std::string& day : tree.ChangeDays()) {
    if (from < day && (until.empty() || day < until)) days.insert(day);
  }
  return days;
}

absl::Status CheckMove(TreeWrite& write, const std::string& id, const std::string& parent,
                       const std::string& from, const Revision& revision) {
  if (parent == id) return Cycle(id, parent, "new_parent");
  ASSIGN_OR_RETURN(const Rows parent_rows, write.Believed(parent));
  if (parent_rows.empty()) return UnknownParent(parent, "new_parent");
  if (from < parent_rows[0].founded_on) {
    return TooEarly(parent, parent_rows[0].founded_on, from, "valid_from");
  }
  ASSIGN_OR_RETURN(const tree::OrganizationTree tree, write.Tree());
  for (const std::string& day : Turns(tree, from, revision.until)) {
    const tree::Version* self = tree.Find(id, day);
    if (self == nullptr || self->state == "closed") {
      if (day == from) return Closed(id, self == nullptr ? day : self->valid_from, "valid_from");
      continue;
    }
    if (tree.IsAtOrBelow(parent, id, day)) return Cycle(id, parent, "new_parent");
    const tree::Version* upper = tree.Find(parent, day);
    if (upper->state == "closed") return Closed(parent, upper->valid_from, "new_parent");
  }
  return absl::OkStatus();
}

absl::Status CheckClose(sql::Tx& tx, TreeWrite& write, const std::string& federation,
                        const Rows& believed, const std::string& from, const Revision& revision) {
  const std::string& id = believed[0].version.id;
  if (revision.begun.empty()) {
    return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                              StrCat("'", id, "' is closed already, from ", ClosedOn(believed)),
                              StrCat("“", id, "”已于 ", ClosedOn(believed), " 撤销"))
        .With("state", "closed")
        .With("allowed", "")
        .At("valid_from");
  }
  ASSIGN_OR_RETURN(const tree::OrganizationTree tree, write.Tree());
  std::set<std::string> children;
  for (const std::string& day : Turns(tree, from, "")) {
    for (const std::string& child : tree.Children(id, day)) {
      if (tree.Find(child, day)->state == "open") children.insert(child);
    }
  }
  ASSIGN_OR_RETURN(const sql::Rows counted, tx.Run(kCountMembers, {federation, id, from}));
  const int64_t members = counted[0].Get<int64_t>(0);
  if (children.empty() && members == 0) return absl::OkStatus();
  return FailedPrecondition(
             common::v1::REASON_ORGANIZATION_NOT_EMPTY,
             StrCat("'", id, "' has ", children.size(), " open organisations and ", members,
                    " members on or after ", from, "; move or close them first"),
             StrCat("“", id, "”在 ", from, " 及以后仍有 ", children.size(), " 个下级工会、",
                    members, " 名会员，请先转出或撤销"))
      .With("organization", id)
      .With("children", StrCat(children.size()))
      .With("members", StrCat(members))
      .At("name");
}

absl::Status NoCheck(sql::Tx&, TreeWrite&, const Rows&, const Revision&) {
  return absl::OkStatus();
}

}  // namespace

Organizations::Organizations(const Host& host, const catalog::Catalog& catalog)
    : db_(*host.db),
      tree_(*host.tree),
      catalog_(catalog),
      kind_(*catalog.FindKind("organization")) {}

absl::Status Organizations::Normalize(v1::Organization& organization, std::string_view at) const {
  if (organization.parent() == organization.id()) {
    return Cycle(organization.id(), organization.parent(), StrCat(at, "parent"));
  }
  if (organization.employees() < 0) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           "the number of workers is negative; leave it at 0 when unknown",
                           "职工人数为负；不详时填 0")
        .At(StrCat(at, "employees"));
  }
  std::string& code = *organization.mutable_credit_code();
  code = ToUpper(Strip(code));
  const bool plain = std::all_of(code.begin(), code.end(), [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
  });
  if (!code.empty() && (code.size() != 18 || !plain)) {
    return InvalidArgument(
               common::v1::REASON_FIELD_INVALID,
               StrCat("'", code, "' is no unified social credit code: 18 digits and letters"),
               StrCat("“", code, "”不是统一社会信用代码：应为 18 位数字和字母"))
        .With("value", code)
        .At(StrCat(at, "credit_code"));
  }
  RETURN_IF_ERROR(
      ToCode(catalog_, "organization_kind", StrCat(at, "kind"), *organization.mutable_kind()));
  RETURN_IF_ERROR(
      ToCode(catalog_, "union_type", StrCat(at, "union_type"), *organization.mutable_union_type()));
  return ToCode(catalog_, "industry", StrCat(at, "industry"), *organization.mutable_industry());
}

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

absl::Status Organizations::Found(TreeWrite& write, std::vector<Founding>& foundings) const {
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
    const auto parent = by_id.find(foundings[i].organization.parent());
    if (parent != by_id.end()) RETURN_IF_ERROR(visit(parent->second));
    return foundings[i].status.ok() ? FoundOne(write, foundings[i]) : absl::OkStatus();
  };
  for (size_t i = 0; i < foundings.size(); ++i) RETURN_IF_ERROR(visit(i));
  return absl::OkStatus();
}

absl::Status Organizations::FoundOne(TreeWrite& write, Founding& founding) const {
  const v1::Organization& wanted = founding.organization;
  ASSIGN_OR_RETURN(const Rows existing, write.Believed(wanted.id()));
  if (!existing.empty()) {
    founding.existing = SameContent(existing[0], wanted);
    if (founding.existing) return absl::OkStatus();
    founding.status = AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                                    StrCat("the organisation '", wanted.id(),
                                           "' exists with other content; choose another id"),
                                    StrCat("工会“", wanted.id(), "”已存在且内容不同，请换一个编码"))
                          .With("organization", wanted.id())
                          .At(StrCat(founding.at, "id"));
    return absl::OkStatus();
  }
  if (wanted.parent().empty()) {
    ASSIGN_OR_RETURN(const std::string root, write.Root());
    if (!root.empty()) {
      founding.status =
          InvalidArgument(
              common::v1::REASON_FIELD_REQUIRED,
              StrCat("only the topmost organisation has no parent, and that is '", root,
                     "'; name a parent"),
              StrCat("只有最上级工会没有上级，本联合会的最上级是“", root, "”，请填上级工会"))
              .With("root", root)
              .At(StrCat(founding.at, "parent"));
      return absl::OkStatus();
    }
  } else {
    ASSIGN_OR_RETURN(const Rows parent, write.Believed(wanted.parent()));
    if (parent.empty()) {
      founding.status = UnknownParent(wanted.parent(), StrCat(founding.at, "parent"));
    } else if (wanted.founded_on() < parent[0].founded_on) {
      founding.status = TooEarly(wanted.parent(), parent[0].founded_on, wanted.founded_on(),
                                 StrCat(founding.at, "founded_on"));
    } else if (wanted.founded_on() >= kForever) {
      founding.status = TooLate(StrCat(founding.at, "founded_on"));
    } else if (std::string closed_on = ClosedOn(parent); !closed_on.empty()) {
      founding.status = Closed(wanted.parent(), closed_on, StrCat(founding.at, "parent"));
    }
    if (!founding.status.ok()) return absl::OkStatus();
  }
  write.Found(ToRow(wanted));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Fact>> Organizations::FactsOf(const Rows& believed) const {
  const OrganizationRow& last = believed.back();
  catalog::FactSource source;
  source.organization = last.version.id;
  source.fields = {{"number", last.version.id},
                   {"title", last.version.display_name},
                   {"id", last.version.id},
                   {"parent", last.version.parent},
                   {"display_name", last.version.display_name},
                   {"kind", last.version.kind},
                   {"tier", last.version.kind},
                   {"union_type", last.union_type},
                   {"industry", last.industry},
                   {"credit_code", last.credit_code},
                   {"employees", StrCat(last.employees)},
                   {"founded_on", last.founded_on},
                   {"on_date", last.founded_on},
                   {"state", last.version.state}};
  source.entered["open"] = last.founded_on;
  if (std::string closed_on = ClosedOn(believed); !closed_on.empty()) {
    source.entered["closed"] = std::move(closed_on);
  }
  return catalog::FactsOf(kind_, source);
}

absl::Status Organizations::Announce(sql::Tx& tx, const rpc::Call& call, TreeWrite& write,
                                     const std::vector<Founding>& foundings) const {
  feed::v1::Event event;
  event.set_type("gonghui.membership.v1.OrganizationsCreated");
  for (const Founding& founding : foundings) {
    if (!founding.status.ok() || founding.existing) continue;
    ASSIGN_OR_RETURN(const Rows believed, write.Believed(founding.organization.id()));
    ASSIGN_OR_RETURN(std::vector<Fact> facts, FactsOf(believed));
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
  RETURN_IF_ERROR(Normalize(organization, "organization."));
  auto created = rpc::WriteOnce<v1::Organization>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Organization> {
        ASSIGN_OR_RETURN(TreeWrite write,
                         TreeWrite::Begin(tx, call.federation, call.clock->NowMicros()));
        std::vector<Founding> foundings(1);
        foundings[0].organization = organization;
        foundings[0].at = "organization.";
        RETURN_IF_ERROR(Found(write, foundings));
        RETURN_IF_ERROR(foundings[0].status);
        if (foundings[0].existing) {
          return AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                               StrCat("the organisation '", organization.id(), "' exists already"),
                               StrCat("工会“", organization.id(), "”已存在"))
              .With("organization", organization.id())
              .At("organization.id");
        }
        RETURN_IF_ERROR(Announce(tx, call, write, foundings));
        ASSIGN_OR_RETURN(const Rows believed, write.Believed(organization.id()));
        return View(believed[0], call.federation);
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
    if (status.ok()) status = Normalize(checked.back().organization, "");
  }
  CheckScopes(call, checked);
  using Response = v1::BatchCreateOrganizationsResponse;
  auto response =
      WriteBatch<Response>(db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Response> {
        std::vector<Founding> foundings = checked;
        ASSIGN_OR_RETURN(TreeWrite write,
                         TreeWrite::Begin(tx, call.federation, call.clock->NowMicros()));
        RETURN_IF_ERROR(Found(write, foundings));
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
                                                      const Change& change) {
  const std::string id(LeafOf(request.name()));
  RETURN_IF_ERROR(call.CheckScope(id));
  auto changed = rpc::WriteOnce<v1::Organization>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Organization> {
        ASSIGN_OR_RETURN(TreeWrite write,
                         TreeWrite::Begin(tx, call.federation, call.clock->NowMicros()));
        ASSIGN_OR_RETURN(Rows believed, write.Believed(id));
        if (believed.empty()) return UnknownOrganization(id, "name");
        int64_t latest = 0;
        for (const OrganizationRow& row : believed) latest = std::max(latest, row.sequence);
        RETURN_IF_ERROR(rpc::CheckEtag(request.etag(), latest));
        if (change.from < believed[0].founded_on) {
          return TooEarly(id, believed[0].founded_on, change.from, "valid_from");
        }
        if (change.from >= kForever) return TooLate("valid_from");
        Revision revision = Revise(believed, change.attribute, change.value, change.from);
        RETURN_IF_ERROR(change.check(tx, write, believed, revision));
        if (!revision.begun.empty()) {
          ASSIGN_OR_RETURN(const std::vector<Fact> before, FactsOf(believed));
          latest = write.Apply(id, std::move(revision));
          RETURN_IF_ERROR(write.Finish());
          ASSIGN_OR_RETURN(believed, write.Believed(id));
          ASSIGN_OR_RETURN(const std::vector<Fact> after, FactsOf(believed));
          feed::v1::Event event;
          event.set_type(change.event);
          event.add_resources(OrganizationName(call.federation, id));
          const std::vector<Fact> difference = catalog::FactChanges(before, after);
          if (!difference.empty()) {
            common::v1::RecordFacts& record = *event.add_facts();
            record.set_record(event.resources(0));
            record.mutable_facts()->Assign(difference.begin(), difference.end());
          }
          RETURN_IF_ERROR(feed::Append(tx, call, std::move(event)));
        }
        auto held = std::find_if(believed.begin(), believed.end(), [&](const OrganizationRow& row) {
          return change.from < row.version.valid_to;
        });
        held->latest = latest;
        return View(*held, call.federation);
      });
  tree_.Expire(call.federation);
  return changed;
}

absl::StatusOr<v1::Organization> Organizations::Rename(
    rpc::Call& call, const v1::RenameOrganizationRequest& request) {
  return Apply(call, request,
               {.event = "gonghui.membership.v1.OrganizationRenamed",
                .attribute = &tree::Version::display_name,
                .value = request.display_name(),
                .from = request.valid_from(),
                .check = NoCheck});
}

absl::StatusOr<v1::Organization> Organizations::Move(rpc::Call& call,
                                                     const v1::MoveOrganizationRequest& request) {
  RETURN_IF_ERROR(call.CheckScope(request.new_parent()));
  return Apply(
      call, request,
      {.event = "gonghui.membership.v1.OrganizationMoved",
       .attribute = &tree::Version::parent,
       .value = request.new_parent(),
       .from = request.valid_from(),
       .check = [&](sql::Tx&, TreeWrite& write, const Rows& believed, const Revision& revision) {
         return CheckMove(write, believed[0].version.id, request.new_parent(), request.valid_from(),
                          revision);
       }});
}

absl::StatusOr<v1::Organization> Organizations::Close(rpc::Call& call,
                                                      const v1::CloseOrganizationRequest& request) {
  return Apply(
      call, request,
      {.event = "gonghui.membership.v1.OrganizationClosed",
       .attribute = &tree::Version::state,
       .value = "closed",
       .from = request.valid_from(),
       .check = [&](sql::Tx& tx, TreeWrite& write, const Rows& believed, const Revision& revision) {
         return CheckClose(tx, write, call.federation, believed, request.valid_from(), revision);
       }});
}

}  // namespace gonghui::membership
