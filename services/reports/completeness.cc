#include "services/reports/completeness.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/str_format.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/page.h"

namespace gonghui::reports {
namespace {

constexpr sql::Query kListOfPeriod{
    "reports.list_returns_of_period",
    "SELECT organization, state, approvals, version, filed_us, submitted_by, approved_by, remark, "
    "create_time_us, update_time_us FROM returns WHERE tenant=$1 AND form=$2 AND period_end=$3"};
constexpr sql::Query kListEditors{
    "reports.list_last_editors",
    "SELECT organization, actor FROM return_changes WHERE tenant=$1 AND form=$2 AND period=$3 "
    "AND kind IN (1, 2) ORDER BY organization, version, ordinal"};

// A unit that must file a form for a period, and how far it is.
struct Unit {
  std::string organization;
  std::string display_name;
  std::string due_date;
  std::vector<std::string> path;
  StoredReturn stored;

  bool filed() const { return stored.filed_us != 0; }
  // Of filing, or until today; 0 when in time.
  int DaysLate(const std::string& today) const {
    return std::max(0, DaysBetween(due_date, filed() ? DayOf(stored.filed_us) : today));
  }
};

absl::StatusOr<std::vector<Unit>> UnitsOf(sql::Tx& tx, const std::string& tenant, const Form& form,
                                          const Period& period, const tree::OrganizationTree& tree,
                                          const std::string& top) {
  std::map<std::string, StoredReturn> stored;
  RETURN_IF_ERROR(tx.Stream(kListOfPeriod, {tenant, form.name(), period.last_day},
                            [&](const sql::Rows::Row& row) {
                              stored[row.Get<std::string>(0)] = ReadReturn(row, 1);
                              return absl::OkStatus();
                            }));
  std::vector<Unit> units;
  for (std::string& organization : tree.Subtree(top, period.last_day)) {
    const tree::Version* version = tree.Find(organization, period.last_day);
    if (version == nullptr || version->state == "closed") continue;
    const v1::FormFiler* filer = form.FilerOf(version->kind);
    if (filer == nullptr) continue;
    Unit& unit = units.emplace_back();
    unit.display_name = version->display_name;
    unit.due_date = DueDate(period, *filer);
    unit.path = tree.Path(organization, period.last_day);
    if (const auto found = stored.find(organization); found != stored.end()) {
      unit.stored = std::move(found->second);
    }
    unit.organization = std::move(organization);
  }
  std::sort(units.begin(), units.end(),
            [](const Unit& a, const Unit& b) { return a.organization < b.organization; });
  return units;
}

void CountIn(const Unit& unit, const std::string& today, v1::CompletenessCount& count) {
  const int late = unit.DaysLate(today) > 0 ? 1 : 0;
  count.set_due(count.due() + 1);
  if (unit.filed()) {
    count.set_received(count.received() + 1);
    count.set_late(count.late() + late);
    count.set_on_time(count.on_time() + 1 - late);
  } else {
    count.set_overdue(count.overdue() + late);
  }
  const v1::ReturnState state = unit.stored.state;
  if (state == v1::RETURN_STATE_SENT_BACK) count.set_sent_back(count.sent_back() + 1);
  if (state == v1::RETURN_STATE_APPROVED || state == v1::RETURN_STATE_LOCKED) {
    count.set_approved(count.approved() + 1);
  }
}

v1::UnitStatus StatusOf(const Unit& unit, const std::string& today) {
  v1::UnitStatus status;
  status.set_organization(unit.organization);
  status.set_display_name(unit.display_name);
  status.set_state(unit.stored.state);
  status.set_due_date(unit.due_date);
  status.set_filed_on(DayOf(unit.stored.filed_us));
  status.set_days_late(unit.DaysLate(today));
  return status;
}

// Of the path up from the unit, what lies directly below `top`; the unit itself where it is `top`.
const std::string& BelowTop(const Unit& unit, const std::string& top) {
  const auto found = std::find(unit.path.begin(), unit.path.end(), top);
  return found == unit.path.begin() || found == unit.path.end() ? unit.organization : *(found - 1);
}

absl::Status WrongPeriod(const Form& form, const Period& period) {
  return InvalidArgument(common::v1::REASON_PERIOD_INVALID,
                         StrCat("'", period.text, "' is no period of the form '", form.name(), "'"),
                         StrCat("报表“", form.name(), "”没有报告期“", period.text, "”"))
      .At("period");
}

// The last period of the form that ended before `today`.
std::optional<Period> LastOver(const Form& form, const Periods& periods, const std::string& today) {
  int year = 0;
  if (!ParseInteger(std::string_view(today).substr(0, 4), &year)) return std::nullopt;
  std::vector<std::string> endings;  // After the year, the latest first.
  switch (form.message().period()) {
    case v1::FORM_PERIOD_MONTH:
      for (int month = 12; month >= 1; --month) endings.push_back(absl::StrFormat("-%02d", month));
      break;
    case v1::FORM_PERIOD_QUARTER:
      endings = {"Q4", "Q3", "Q2", "Q1"};
      break;
    case v1::FORM_PERIOD_HALF_YEAR:
      endings = {"H2", "H1"};
      break;
    case v1::FORM_PERIOD_CATALOGUE:
      endings = {form.message().period_suffix()};
      break;
    default:
      endings = {""};
  }
  for (int at = year + 1; at >= year - 2; --at) {
    for (const std::string& ending : endings) {
      const auto period = periods.Parse(StrCat(at, ending), "period");
      if (period.ok() && period->last_day < today) return *period;
    }
  }
  return std::nullopt;
}

struct FormPeriod {
  const Form* form;
  Period period;
};

absl::StatusOr<std::vector<FormPeriod>> FormsToRemindOf(const Forms& forms,
                                                        const v1::ListRemindersRequest& request,
                                                        const std::string& today) {
  const Periods& periods = forms.measures().periods();
  std::vector<FormPeriod> asked;
  std::string on_date = today;
  std::optional<Period> given;
  if (!request.period().empty()) {
    ASSIGN_OR_RETURN(given, periods.Parse(request.period(), "period"));
    on_date = given->last_day;
  }
  if (!request.form().empty() && forms.Find(request.form(), on_date) == nullptr) {
    return FormUnknown(request.form(), "form");
  }
  for (const Form* form : forms.InForce(on_date)) {
    if (!request.form().empty() && form->name() != request.form()) continue;
    const auto period = given.has_value() ? given : LastOver(*form, periods, today);
    if (!period.has_value()) continue;
    if (form->IsPeriod(*period, forms.measures())) {
      asked.push_back({form, *period});
    } else if (!request.form().empty()) {
      return WrongPeriod(*form, *period);
    }
  }
  return asked;
}

absl::Status AddReminders(sql::Tx& tx, const std::string& tenant, const FormPeriod& asked,
                          const tree::OrganizationTree& tree, const std::string& top,
                          const std::string& today, std::vector<v1::Reminder>& reminders) {
  ASSIGN_OR_RETURN(const std::vector<Unit> units,
                   UnitsOf(tx, tenant, *asked.form, asked.period, tree, top));
  std::map<std::string, std::string> editors;
  RETURN_IF_ERROR(tx.Stream(kListEditors, {tenant, asked.form->name(), asked.period.text},
                            [&](const sql::Rows::Row& row) {
                              editors[row.Get<std::string>(0)] = row.Get<std::string>(1);
                              return absl::OkStatus();
                            }));
  for (const Unit& unit : units) {
    const v1::ReturnState state = unit.stored.state;
    const bool waits = state == v1::RETURN_STATE_MISSING || state == v1::RETURN_STATE_DRAFT ||
                       state == v1::RETURN_STATE_SENT_BACK;
    const int days = DaysBetween(unit.due_date, today);
    if (!waits || days <= 0) continue;
    v1::Reminder& reminder = reminders.emplace_back();
    reminder.set_form(asked.form->name());
    reminder.set_period(asked.period.text);
    reminder.set_organization(unit.organization);
    reminder.set_display_name(unit.display_name);
    reminder.set_state(state);
    reminder.set_due_date(unit.due_date);
    reminder.set_days_late(days);
    reminder.set_superior(unit.path.size() > 1 ? unit.path[1] : "");
    if (const auto found = editors.find(unit.organization); found != editors.end()) {
      reminder.set_last_editor(found->second);
    }
  }
  return absl::OkStatus();
}

// The longest overdue first.
auto OrderOf(const v1::Reminder& reminder) {
  return std::make_tuple(-reminder.days_late(), reminder.form(), reminder.organization());
}

}  // namespace

absl::StatusOr<v1::GetCompletenessResponse> Completeness::Get(
    rpc::Call& call, const v1::GetCompletenessRequest& request) {
  ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 1));
  ASSIGN_OR_RETURN(const Period period,
                   options_.forms->measures().periods().Parse(request.period(), "period"));
  const Form* form = options_.forms->Find(request.form(), period.last_day);
  if (form == nullptr) return FormUnknown(request.form(), "form");
  if (!form->IsPeriod(period, options_.forms->measures())) return WrongPeriod(*form, period);
  ASSIGN_OR_RETURN(const auto tree, options_.tree->Get(call.federation, request.organization()));
  RETURN_IF_ERROR(CheckKnown(*tree, request.organization(), "organization"));
  std::vector<Unit> units;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(units,
                     UnitsOf(tx, call.federation, *form, period, *tree, request.organization()));
    return absl::OkStatus();
  }));
  const std::string today = call.Today();
  v1::GetCompletenessResponse response;
  response.mutable_total()->set_organization(request.organization());
  std::map<std::string, v1::CompletenessCount> children;
  for (const Unit& unit : units) {
    CountIn(unit, today, *response.mutable_total());
    const std::string& child = BelowTop(unit, request.organization());
    children[child].set_organization(child);
    CountIn(unit, today, children[child]);
    if (!after.empty() && unit.organization <= after[0]) continue;
    if (response.units_size() < size) {
      *response.add_units() = StatusOf(unit, today);
    } else if (response.next_page_token().empty()) {
      const std::string& last = response.units(size - 1).organization();
      response.set_next_page_token(rpc::MakePageToken(request, {last}));
    }
  }
  if (const auto own = children.extract(request.organization()); !own.empty()) {
    *response.add_children() = own.mapped();
  }
  for (auto& [child, count] : children) *response.add_children() = std::move(count);
  return response;
}

absl::StatusOr<v1::ListRemindersResponse> Completeness::ListReminders(
    rpc::Call& call, const v1::ListRemindersRequest& request) {
  ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 3));
  const std::string today = call.Today();
  ASSIGN_OR_RETURN(const std::vector<FormPeriod> asked,
                   FormsToRemindOf(*options_.forms, request, today));
  ASSIGN_OR_RETURN(const auto tree, options_.tree->Get(call.federation, request.organization()));
  RETURN_IF_ERROR(CheckKnown(*tree, request.organization(), "organization"));
  std::vector<v1::Reminder> reminders;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    reminders.clear();
    for (const FormPeriod& one : asked) {
      RETURN_IF_ERROR(
          AddReminders(tx, call.federation, one, *tree, request.organization(), today, reminders));
    }
    return absl::OkStatus();
  }));
  std::sort(reminders.begin(), reminders.end(),
            [](const auto& a, const auto& b) { return OrderOf(a) < OrderOf(b); });
  v1::Reminder last;
  if (!after.empty()) {
    int32_t days = 0;
    if (!ParseInteger(after[0], &days)) days = 0;
    last.set_days_late(days);
    last.set_form(after[1]);
    last.set_organization(after[2]);
  }
  v1::ListRemindersResponse response;
  for (v1::Reminder& reminder : reminders) {
    if (!after.empty() && OrderOf(reminder) <= OrderOf(last)) continue;
    if (response.reminders_size() == size) {
      const v1::Reminder& end = response.reminders(size - 1);
      response.set_next_page_token(
          rpc::MakePageToken(request, {StrCat(end.days_late()), end.form(), end.organization()}));
      break;
    }
    *response.add_reminders() = std::move(reminder);
  }
  return response;
}

}  // namespace gonghui::reports
