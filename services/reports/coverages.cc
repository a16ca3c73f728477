#include "services/reports/coverages.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "services/reports/coverage.h"
#include "services/reports/rollups.h"

namespace gonghui::reports {
namespace {

constexpr sql::Query kInsert{
    "reports.insert_coverage",
    "INSERT INTO coverages (tenant, coverage_id, organization, measures, first_month, last_month, "
    "form, whole, remark, declared_by, create_time_us, withdrawn_by, withdraw_time_us) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', 0)"};
constexpr sql::Query kGet{
    "reports.get_coverage",
    "SELECT coverage_id, organization, measures, first_month, last_month, form, whole, remark, "
    "declared_by, create_time_us, withdrawn_by, withdraw_time_us FROM coverages "
    "WHERE tenant=$1 AND coverage_id=$2"};
constexpr sql::Query kList{
    "reports.list_coverages",
    "SELECT coverage_id, organization, measures, first_month, last_month, form, whole, remark, "
    "declared_by, create_time_us, withdrawn_by, withdraw_time_us FROM coverages "
    "WHERE tenant=$1 AND coverage_id>$2 AND (withdraw_time_us=0 OR $3) "
    "ORDER BY coverage_id LIMIT $4"};
constexpr sql::Query kWithdraw{"reports.withdraw_coverage",
                               "UPDATE coverages SET withdrawn_by=$3, withdraw_time_us=$4 "
                               "WHERE tenant=$1 AND coverage_id=$2"};

// A row: the rule and who declared it.
struct Declared {
  CoverageRule rule;
  std::string remark;
  std::string declared_by;
  int64_t create_time_us = 0;
  std::string withdrawn_by;
  int64_t withdraw_time_us = 0;
};

std::string Joined(const std::set<std::string, std::less<>>& measures) {
  std::string text;
  for (const std::string& measure : measures) StrAppend(&text, text.empty() ? "" : " ", measure);
  return text;
}

Declared Read(const sql::Rows::Row& row) {
  Declared declared;
  declared.rule = {.id = row.Get<std::string>(0),
                   .organization = row.Get<std::string>(1),
                   .measures = {},
                   .first_month = row.Get<std::string>(3),
                   .last_month = row.Get<std::string>(4),
                   .form = row.Get<std::string>(5),
                   .whole = row.Get<bool>(6)};
  for (const std::string_view measure : Split(row.Get<std::string_view>(2), ' ')) {
    if (!measure.empty()) declared.rule.measures.emplace(measure);
  }
  declared.remark = row.Get<std::string>(7);
  declared.declared_by = row.Get<std::string>(8);
  declared.create_time_us = row.Get<int64_t>(9);
  declared.withdrawn_by = row.Get<std::string>(10);
  declared.withdraw_time_us = row.Get<int64_t>(11);
  return declared;
}

v1::Coverage ToProto(const std::string& tenant, const Declared& declared) {
  const CoverageRule& rule = declared.rule;
  const bool ends = rule.last_month < kNoLastMonth;
  v1::Coverage coverage;
  coverage.set_name(StrCat("federations/", tenant, "/coverages/", rule.id));
  coverage.set_organization(rule.organization);
  for (const std::string& measure : rule.measures) coverage.add_measures(measure);
  coverage.set_from_period(rule.first_month);
  coverage.set_first_month(rule.first_month);
  if (ends) coverage.set_to_period(rule.last_month);
  if (ends) coverage.set_last_month(rule.last_month);
  coverage.set_form(rule.form);
  coverage.set_remark(declared.remark);
  coverage.set_declared_by(declared.declared_by);
  coverage.set_create_time_us(declared.create_time_us);
  coverage.set_withdrawn_by(declared.withdrawn_by);
  coverage.set_withdraw_time_us(declared.withdraw_time_us);
  return coverage;
}

// A return is one fact of its period's last day: its coverage begins and ends with whole periods.
absl::Status CheckAligned(const Form& form, const Measures& measures, const Period& from,
                          const std::optional<Period>& to) {
  const auto months_of = [&]() -> int {
    switch (form.message().period()) {
      case v1::FORM_PERIOD_QUARTER:
        return 3;
      case v1::FORM_PERIOD_HALF_YEAR:
        return 6;
      case v1::FORM_PERIOD_YEAR:
        return 12;
      default:
        return 1;
    }
  };
  const auto fits = [&](const Period& period, bool end) {
    if (form.message().period() == v1::FORM_PERIOD_CATALOGUE) {
      return form.IsPeriod(period, measures);
    }
    int month = 0;
    const std::string& at = end ? period.last_month : period.first_month;
    return ParseInteger(std::string_view(at).substr(5), &month) &&
           (end ? month : month - 1) % months_of() == 0;
  };
  const bool from_fits = fits(from, false);
  if (from_fits && (!to.has_value() || fits(*to, true))) return absl::OkStatus();
  return InvalidArgument(common::v1::REASON_PERIOD_INVALID,
                         StrCat("the coverage must begin and end with whole periods of the form '",
                                form.name(), "': otherwise months would count twice or not at all"),
                         StrCat("起止须与报表“", form.name(), "”的报告期一致，否则会重复或漏计"))
      .At(from_fits ? "coverage.to_period" : "coverage.from_period");
}

// Fills in what the form says, and checks it.
absl::Status TakeForm(const rpc::Call& call, const ReturnOptions& options,
                      const tree::OrganizationTree& tree, const v1::Coverage& asked,
                      const Period& from, const std::optional<Period>& to, CoverageRule& rule) {
  const Form* form = options.forms->Find(asked.form(), from.last_day);
  if (form == nullptr) return FormUnknown(asked.form(), "coverage.form");
  RETURN_IF_ERROR(CheckAligned(*form, options.forms->measures(), from, to));
  std::set<std::string, std::less<>> stated;
  for (const FormPlace& place : form->places()) {
    if (place.measure != nullptr) stated.insert(place.measure->name());
  }
  if (rule.measures.empty()) rule.measures = stated;
  for (const std::string& measure : rule.measures) {
    if (stated.contains(measure)) continue;
    return InvalidArgument(common::v1::REASON_MEASURE_UNKNOWN,
                           StrCat("the form '", form->name(), "' does not state '", measure,
                                  "': its returns cannot count for it"),
                           StrCat("报表“", form->name(), "”没有指标“", measure, "”，不能以其为准"))
        .With("measure", measure)
        .At("coverage.measures");
  }
  rule.form = form->name();
  rule.whole = form->message().extent() == v1::FORM_EXTENT_SUBTREE;
  const tree::Version* unit = tree.Find(rule.organization, call.Today());
  if (!rule.whole || (unit != nullptr && form->FilerOf(unit->kind) != nullptr)) {
    return absl::OkStatus();
  }
  return FailedPrecondition(
             common::v1::REASON_RULE_VIOLATED,
             StrCat("'", rule.organization, "' does not file '", form->name(),
                    "', whose returns tell of a unit with everything below it: declare the "
                    "coverage for the unit that files"),
             StrCat("“", rule.organization, "”不填报“", form->name(),
                    "”，该报表按填报单位及其下级汇总，请对填报单位声明"))
      .At("coverage.organization");
}

absl::StatusOr<CoverageRule> ReadRule(const rpc::Call& call, const ReturnOptions& options,
                                      const tree::OrganizationTree& tree,
                                      const v1::Coverage& asked) {
  const Periods& periods = options.forms->measures().periods();
  ASSIGN_OR_RETURN(const Period from, periods.Parse(asked.from_period(), "coverage.from_period"));
  std::optional<Period> to;
  if (!asked.to_period().empty()) {
    ASSIGN_OR_RETURN(to, periods.Parse(asked.to_period(), "coverage.to_period"));
    if (to->last_month < from.first_month) {
      return InvalidArgument(common::v1::REASON_PERIOD_INVALID,
                             "to_period ends before from_period begins", "截止期早于起始期")
          .At("coverage.to_period");
    }
  }
  CoverageRule rule;
  rule.id = NewId(call.clock->Now());
  rule.organization = asked.organization();
  rule.first_month = from.first_month;
  rule.last_month = to.has_value() ? to->last_month : std::string(kNoLastMonth);
  for (int i = 0; i < asked.measures_size(); ++i) {
    if (options.forms->measures().FindCounted(asked.measures(i)) == nullptr) {
      return MeasureUnknown(asked.measures(i), StrCat("coverage.measures[", i, "]"));
    }
    rule.measures.insert(asked.measures(i));
  }
  RETURN_IF_ERROR(CheckKnown(tree, rule.organization, "coverage.organization"));
  if (!asked.form().empty()) {
    RETURN_IF_ERROR(TakeForm(call, options, tree, asked, from, to, rule));
  }
  return rule;
}

// Whether the two say different things for some of the same figures.
bool Contradict(const CoverageRule& a, const CoverageRule& b, const tree::OrganizationTree& tree,
                const std::string& today) {
  if (a.last_month < b.first_month || b.last_month < a.first_month) return false;
  const bool same_measure =
      a.measures.empty() || b.measures.empty() ||
      std::any_of(a.measures.begin(), a.measures.end(),
                  [&](const std::string& measure) { return b.measures.contains(measure); });
  if (!same_measure) return false;
  if (!tree.IsAtOrBelow(a.organization, b.organization, today) &&
      !tree.IsAtOrBelow(b.organization, a.organization, today)) {
    return false;
  }
  // Of returns that hold everything below, one above the other would count twice.
  return a.form != b.form || (a.whole && a.organization != b.organization);
}

absl::Status CheckConflicts(const Coverage& in_force, const CoverageRule& rule,
                            const tree::OrganizationTree& tree, const rpc::Call& call) {
  for (const CoverageRule& other : in_force.rules()) {
    if (!Contradict(rule, other, tree, call.Today())) continue;
    const std::string name = StrCat("federations/", call.federation, "/coverages/", other.id);
    const std::string source = other.form.empty() ? "FACTS" : StrCat("returns of ", other.form);
    const std::string source_zh = other.form.empty() ? "业务记录" : StrCat("报表 ", other.form);
    const std::string months = StrCat(
        other.first_month, " … ",
        other.last_month < kNoLastMonth ? std::string_view(other.last_month) : std::string_view());
    return FailedPrecondition(common::v1::REASON_COVERAGE_CONFLICT,
                              StrCat("For '", other.organization, "' and what lies below it, ",
                                     months, ", it is declared that ", source, " count (", name,
                                     "): withdraw that, or choose other measures or periods."),
                              StrCat("“", other.organization, "”及其下级 ", months, " 已声明以",
                                     source_zh, "为准（", name, "）：请先撤回，或改选指标、期间。"))
        .With("coverage", name)
        .With("organization", other.organization);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::Coverage> Coverages::Declare(rpc::Call& call,
                                                const v1::DeclareCoverageRequest& request) {
  ASSIGN_OR_RETURN(const auto tree,
                   options_.tree->Get(call.federation, request.coverage().organization()));
  ASSIGN_OR_RETURN(const CoverageRule rule, ReadRule(call, options_, *tree, request.coverage()));
  return rpc::WriteOnce<v1::Coverage>(
      *options_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Coverage> {
        Declared declared{.rule = rule,
                          .remark = request.coverage().remark(),
                          .declared_by = call.actor.subject,
                          .create_time_us = call.clock->NowMicros(),
                          .withdrawn_by = "",
                          .withdraw_time_us = 0};
        // First the turn among writers of cells: declarations follow one another, too.
        RETURN_IF_ERROR(options_.rollups->TakeTurn(tx, call.federation));
        ASSIGN_OR_RETURN(const Coverage in_force, Coverage::Load(tx, call.federation));
        RETURN_IF_ERROR(CheckConflicts(in_force, rule, *tree, call));
        RETURN_IF_ERROR(
            tx.Run(kInsert, {call.federation, rule.id, rule.organization, Joined(rule.measures),
                             rule.first_month, rule.last_month, rule.form, rule.whole,
                             declared.remark, declared.declared_by, declared.create_time_us})
                .status());
        RETURN_IF_ERROR(options_.rollups->ChangeCoverage(tx, call.federation, rule, false));
        return ToProto(call.federation, declared);
      });
}

absl::StatusOr<v1::Coverage> Coverages::Withdraw(rpc::Call& call,
                                                 const v1::WithdrawCoverageRequest& request) {
  const std::string id(LeafOf(request.name()));
  return rpc::WriteOnce<v1::Coverage>(
      *options_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Coverage> {
        RETURN_IF_ERROR(options_.rollups->TakeTurn(tx, call.federation));
        ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kGet, {call.federation, id}));
        if (rows.empty()) {
          return NotFound(common::v1::REASON_NOT_FOUND,
                          "there is no such coverage: ListCoverages shows the known ones",
                          "没有该声明：请用 ListCoverages 查看")
              .At("name");
        }
        Declared declared = Read(rows[0]);
        RETURN_IF_ERROR(call.CheckScope(declared.rule.organization));
        if (declared.withdraw_time_us != 0) {
          return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                                    "this coverage was withdrawn before: nothing is left to do",
                                    "该声明已撤回，无需再次操作");
        }
        declared.withdrawn_by = call.actor.subject;
        declared.withdraw_time_us = call.clock->NowMicros();
        RETURN_IF_ERROR(tx.Run(kWithdraw, {call.federation, id, declared.withdrawn_by,
                                           declared.withdraw_time_us})
                            .status());
        RETURN_IF_ERROR(options_.rollups->ChangeCoverage(tx, call.federation, declared.rule, true));
        return ToProto(call.federation, declared);
      });
}

absl::StatusOr<v1::ListCoveragesResponse> Coverages::List(rpc::Call& call,
                                                          const v1::ListCoveragesRequest& request) {
  ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 1));
  ASSIGN_OR_RETURN(const auto tree, options_.tree->Get(call.federation, request.organization()));
  v1::ListCoveragesResponse response;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    std::string at = after.empty() ? "" : after[0];
    while (true) {
      ASSIGN_OR_RETURN(const sql::Rows rows,
                       tx.Run(kList, {call.federation, at, request.withdrawn(), int64_t{size}}));
      for (size_t i = 0; i < rows.size(); ++i) {
        if (response.coverages_size() == size) {
          response.set_next_page_token(rpc::MakePageToken(request, {at}));
          return absl::OkStatus();
        }
        const Declared declared = Read(rows[i]);
        at = declared.rule.id;
        if (request.organization().empty() ||
            tree->IsAtOrBelow(declared.rule.organization, request.organization(), call.Today())) {
          *response.add_coverages() = ToProto(call.federation, declared);
        }
      }
      if (rows.size() < static_cast<size_t>(size)) return absl::OkStatus();
    }
  }));
  return response;
}

}  // namespace gonghui::reports
