#include "services/membership/organization_rules.h"

#include <algorithm>
#include <utility>

#include "common/base/date.h"
#include "common/base/text.h"
#include "common/catalog/fact_rules.h"
#include "common/rpc/update.h"
#include "services/membership/codes.h"

namespace gonghui::membership {
namespace {

// Longer paths than any real tree has.
constexpr size_t kDeepest = 200;

OrganizationRow ToRow(const v1::Organization& organization) {
  OrganizationRow row;
  row.version.id = organization.id();
  row.version.parent = organization.parent();
  row.version.display_name = organization.display_name();
  row.version.kind = organization.kind();
  row.version.affiliated_to = organization.affiliated_to();
  row.version.state = kOpen;
  row.version.valid_from = organization.founded_on();
  row.version.valid_to = kForever;
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
         first.version.kind == wanted.version.kind &&
         first.version.affiliated_to == wanted.version.affiliated_to &&
         first.union_type == wanted.union_type && first.industry == wanted.industry &&
         first.credit_code == wanted.credit_code && first.employees == wanted.employees &&
         first.founded_on == wanted.founded_on;
}

bool Overlaps(const tree::Version& version, std::string_view from, std::string_view to) {
  return version.valid_from < to && from < version.valid_to;
}

// The first version in which the organisation is closed within [from, to);
// nullptr: none.
const tree::Version* ClosedWithin(const Life& life, std::string_view from, std::string_view to) {
  for (const OrganizationRow& row : life) {
    if (row.version.state == kClosed && Overlaps(row.version, from, to)) return &row.version;
  }
  return nullptr;
}

// Follows the parents over [from, to); `path` holds the organisations on the
// way, the first of which is the one asked about.
absl::Status Climb(TreeWrite& write, const std::string& id, const std::string& from,
                   const std::string& to, std::vector<std::string>& path, std::string_view field) {
  ASSIGN_OR_RETURN(const Life* life, write.Believed(id));
  for (const OrganizationRow& row : *life) {
    const tree::Version& version = row.version;
    if (version.parent.empty() || !Overlaps(version, from, to)) continue;
    if (std::find(path.begin(), path.end(), version.parent) != path.end()) {
      return Cycle(path.front(), path.size() > 1 ? path[1] : version.parent, field);
    }
    if (path.size() >= kDeepest) {
      return InvalidArgument(
                 common::v1::REASON_FIELD_INVALID,
                 StrCat("'", path.front(), "' would lie more than ", kDeepest,
                        " levels deep; choose a higher parent"),
                 StrCat("“", path.front(), "”将位于第 ", kDeepest, " 层以下，请选择更高的上级"))
          .With("organization", path.front())
          .At(std::string(field));
    }
    path.push_back(version.parent);
    RETURN_IF_ERROR(Climb(write, version.parent, std::max(version.valid_from, from),
                          std::min(version.valid_to, to), path, field));
    path.pop_back();
  }
  return absl::OkStatus();
}

absl::Status CheckVersion(TreeWrite& write, const tree::Version& version, std::string_view field) {
  if (version.parent.empty()) {
    if (version.state == kOpen) return absl::OkStatus();
    return FailedPrecondition(
               common::v1::REASON_STATE_FORBIDS,
               StrCat("'", version.id, "' is the topmost organisation and stays open"),
               StrCat("“", version.id, "”是最上级工会，不能撤销"))
        .With("organization", version.id)
        .At(std::string(field));
  }
  ASSIGN_OR_RETURN(const Life* parent, write.Believed(version.parent));
  if (parent->empty()) return UnknownReference(version.parent, field);
  if (version.valid_from < parent->front().version.valid_from) {
    return TooEarly(version.parent, parent->front().version.valid_from, version.valid_from, field);
  }
  if (version.state == kClosed) return absl::OkStatus();
  const tree::Version* closed = ClosedWithin(*parent, version.valid_from, version.valid_to);
  if (closed == nullptr) return absl::OkStatus();
  return Closed(version.parent, closed->valid_from, field);
}

// A stretch of a life with nothing in it that facts tell apart.
struct Stretch {
  const OrganizationRow* row;
  std::string from;
  std::string to;
};

std::vector<Stretch> OpenStretches(const Life& life) {
  std::vector<Stretch> stretches;
  for (const OrganizationRow& row : life) {
    const tree::Version& version = row.version;
    if (version.state != kOpen) continue;
    if (!stretches.empty() && stretches.back().to == version.valid_from &&
        stretches.back().row->version.kind == version.kind &&
        stretches.back().row->employees == row.employees) {
      stretches.back().to = version.valid_to;
    } else {
      stretches.push_back({&row, version.valid_from, version.valid_to});
    }
  }
  return stretches;
}

}  // namespace

Error UnknownOrganization(const std::string& id, std::string_view field) {
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no organisation '", id, "'; ListOrganizations shows all"),
                  StrCat("没有工会“", id, "”，可用 ListOrganizations 查看"))
      .With("organization", id)
      .At(std::string(field));
}

Error UnknownReference(const std::string& id, std::string_view field) {
  return InvalidArgument(common::v1::REASON_REFERENCE_NOT_FOUND,
                         StrCat("the organisation '", id, "' does not exist; create it first"),
                         StrCat("工会“", id, "”不存在，请先建立"))
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
             StrCat("'", parent, "' is or lies below '", id, "'; choose another organisation"),
             StrCat("“", parent, "”是“", id, "”本身或其下级，请另选工会"))
      .With("organization", id)
      .With("parent", parent)
      .At(std::string(field));
}

absl::Status NormalizeOrganization(const catalog::Catalog& catalog, std::string_view at,
                                   v1::Organization& organization) {
  for (const auto& [upper, name] : {std::pair(&organization.parent(), "parent"),
                                    std::pair(&organization.affiliated_to(), "affiliated_to")}) {
    if (*upper == organization.id()) {
      return Cycle(organization.id(), organization.id(), StrCat(at, name));
    }
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
      ToCode(catalog, "organization_kind", StrCat(at, "kind"), *organization.mutable_kind()));
  RETURN_IF_ERROR(
      ToCode(catalog, "union_type", StrCat(at, "union_type"), *organization.mutable_union_type()));
  return ToCode(catalog, "industry", StrCat(at, "industry"), *organization.mutable_industry());
}

absl::Status Found(TreeWrite& write, Founding& founding) {
  const v1::Organization& wanted = founding.organization;
  ASSIGN_OR_RETURN(const Life* existing, write.Believed(wanted.id()));
  if (!existing->empty()) {
    founding.existing = SameContent(existing->front(), wanted);
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
  }
  for (const auto& [upper, name] : {std::pair(&wanted.parent(), "parent"),
                                    std::pair(&wanted.affiliated_to(), "affiliated_to")}) {
    if (upper->empty() || !founding.status.ok()) continue;
    ASSIGN_OR_RETURN(const Life* life, write.Believed(*upper));
    if (life->empty()) {
      founding.status = UnknownReference(*upper, StrCat(founding.at, name));
    } else if (wanted.founded_on() < life->front().founded_on) {
      founding.status = TooEarly(*upper, life->front().founded_on, wanted.founded_on(),
                                 StrCat(founding.at, "founded_on"));
    } else if (const tree::Version* closed = ClosedWithin(*life, wanted.founded_on(), kForever)) {
      founding.status = Closed(*upper, closed->valid_from, StrCat(founding.at, name));
    }
  }
  if (wanted.founded_on() >= kForever) founding.status = TooLate(StrCat(founding.at, "founded_on"));
  if (founding.status.ok()) write.Put(wanted.id(), {ToRow(wanted)});
  return absl::OkStatus();
}

absl::Status CheckPlace(TreeWrite& write, const std::string& id, std::string_view field) {
  ASSIGN_OR_RETURN(const Life* life, write.Believed(id));
  std::vector<std::string> path = {id};
  if (!life->empty()) {
    RETURN_IF_ERROR(
        Climb(write, id, life->front().version.valid_from, std::string(kForever), path, field));
  }
  for (const OrganizationRow& row : *life) {
    RETURN_IF_ERROR(CheckVersion(write, row.version, field));
  }
  return absl::OkStatus();
}

absl::Status CheckBelow(TreeWrite& write, const std::string& id, std::string_view field) {
  ASSIGN_OR_RETURN(const std::set<std::string> children, write.Children(id));
  for (const std::string& child : children) {
    ASSIGN_OR_RETURN(const Life* below, write.Believed(child));
    for (const OrganizationRow& row : *below) {
      if (row.version.parent == id) RETURN_IF_ERROR(CheckVersion(write, row.version, field));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckAffiliation(TreeWrite& write, const std::string& id, const std::string& from,
                              const std::string& to, std::string_view field) {
  ASSIGN_OR_RETURN(const Life* life, write.Believed(id));
  for (const OrganizationRow& row : *life) {
    const tree::Version& version = row.version;
    if (version.affiliated_to.empty() || !Overlaps(version, from, to)) continue;
    ASSIGN_OR_RETURN(const Life* line, write.Believed(version.affiliated_to));
    if (line->empty()) return UnknownReference(version.affiliated_to, field);
    const std::string& begins = std::max(version.valid_from, from);
    const std::string& ends = std::min(version.valid_to, to);
    if (begins < line->front().version.valid_from) {
      return TooEarly(version.affiliated_to, line->front().version.valid_from, begins, field);
    }
    if (const tree::Version* closed = ClosedWithin(*line, begins, ends)) {
      return Closed(version.affiliated_to, closed->valid_from, field);
    }
    std::vector<std::string> path = {id, version.affiliated_to};
    if (id == version.affiliated_to) return Cycle(id, id, field);
    RETURN_IF_ERROR(Climb(write, version.affiliated_to, begins, ends, path, field));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> OpenBelow(TreeWrite& write, const std::string& id,
                                                   std::string_view from, std::string_view to) {
  ASSIGN_OR_RETURN(const std::set<std::string> children, write.Children(id));
  std::vector<std::string> open;
  for (const std::string& child : children) {
    ASSIGN_OR_RETURN(const Life* life, write.Believed(child));
    const bool stands = std::any_of(life->begin(), life->end(), [&](const OrganizationRow& row) {
      return row.version.parent == id && row.version.state == kOpen &&
             Overlaps(row.version, from, to);
    });
    if (stands) open.push_back(child);
  }
  return open;
}

absl::StatusOr<std::vector<common::v1::Fact>> OrganizationFacts(const common::v1::Kind& kind,
                                                                const Life& life) {
  std::vector<common::v1::Fact> facts;
  for (const Stretch& stretch : OpenStretches(life)) {
    const OrganizationRow& row = *stretch.row;
    const bool founding = stretch.from == row.founded_on;
    catalog::FactSource source;
    source.organization = row.version.id;
    source.fields = {{"number", row.version.id},
                     {"title", row.version.display_name},
                     {"id", row.version.id},
                     {"parent", row.version.parent},
                     {"display_name", row.version.display_name},
                     {"kind", row.version.kind},
                     {"tier", row.version.kind},
                     {"union_type", row.union_type},
                     {"industry", row.industry},
                     {"credit_code", row.credit_code},
                     {"employees", StrCat(row.employees)},
                     {"founded_on", row.founded_on},
                     {"on_date", stretch.from},
                     {"began_by", std::string(founding ? "" : kReorganisation)},
                     {"state", row.version.state}};
    source.entered[std::string(kOpen)] = stretch.from;
    if (stretch.to != kForever) source.entered[std::string(kClosed)] = stretch.to;
    ASSIGN_OR_RETURN(const std::vector<common::v1::Fact> some, catalog::FactsOf(kind, source));
    facts.insert(facts.end(), some.begin(), some.end());
  }
  return facts;
}

std::string OrganizationName(std::string_view federation, std::string_view id) {
  return StrCat("federations/", federation, "/organizations/", id);
}

v1::Organization View(const OrganizationRow& row, std::string_view federation) {
  v1::Organization view;
  view.set_name(OrganizationName(federation, row.version.id));
  view.set_id(row.version.id);
  view.set_parent(row.version.parent);
  view.set_display_name(row.version.display_name);
  view.set_kind(row.version.kind);
  view.set_union_type(row.union_type);
  view.set_industry(row.industry);
  view.set_founded_on(row.founded_on);
  view.set_credit_code(row.credit_code);
  view.set_employees(row.employees);
  view.set_state(row.version.state);
  view.set_valid_from(row.version.valid_from);
  view.set_affiliated_to(row.version.affiliated_to);
  view.set_etag(rpc::MakeEtag(row.latest));
  return view;
}

v1::OrganizationVersion VersionView(const OrganizationRow& row, std::string_view federation) {
  v1::OrganizationVersion view;
  view.set_federation(std::string(federation));
  view.set_id(row.version.id);
  view.set_parent(row.version.parent);
  view.set_display_name(row.version.display_name);
  view.set_kind(row.version.kind);
  view.set_state(row.version.state);
  view.set_valid_from(row.version.valid_from);
  view.set_valid_to(row.version.valid_to);
  view.set_recorded_from_us(row.version.recorded_from_us);
  view.set_recorded_to_us(row.version.recorded_to_us);
  view.set_sequence(row.sequence);
  view.set_version_id(row.version.version_id);
  view.set_affiliated_to(row.version.affiliated_to);
  return view;
}

}  // namespace gonghui::membership
