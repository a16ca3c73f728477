#include "services/funds/levy_reminders.h"

#include <set>
#include <utility>

#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "common/sql/insert.h"
#include "services/funds/levy_facts.h"
#include "services/funds/levy_obligations.h"
#include "services/funds/levy_pages.h"

namespace gonghui::funds {
namespace {

constexpr int64_t kMostAtOnce = 1000;

constexpr sql::Query kOverdue{
    "funds.list_levies_to_remind",
    "SELECT " OBLIGATION_COLUMNS
    " FROM levy_obligations AS o WHERE tenant = $1 AND organization = $2 AND due_on <= $3 "
    "AND payable_fen > COALESCE((SELECT SUM(r.paid_fen) FROM levy_receipts AS r "
    "WHERE r.tenant = $1 AND r.unit = o.unit AND r.period = o.period AND r.state IN (3, 4) "
    "AND r.received_on <= $4), 0) AND NOT EXISTS (SELECT 1 FROM levy_reminders AS m "
    "WHERE m.tenant = $1 AND m.unit = o.unit AND m.period = o.period AND m.state < 5) "
    "ORDER BY unit, period LIMIT $5"};
#define REMINDER_COLUMNS                                                         \
  "reminder_id, unit, period, organization, state, issued_on, outstanding_fen, " \
  "late_fee_fen, changed_on, remark"
constexpr sql::Query kFind{"funds.find_levy_reminder",
                           "SELECT " REMINDER_COLUMNS
                           " FROM levy_reminders WHERE tenant = $1 AND reminder_id = $2"};
constexpr sql::Query kList{
    "funds.list_levy_reminders",
    "SELECT " REMINDER_COLUMNS
    " FROM levy_reminders WHERE tenant = $1 AND organization = $2 AND (reminder_id, unit) > "
    "($3, $4) AND (CAST($6 AS BIGINT) = 0 OR state = $6) ORDER BY reminder_id LIMIT $5"};
constexpr sql::Query kAdvance{
    "funds.advance_levy_reminder",
    "UPDATE levy_reminders SET state = $3, changed_on = $4, remark = $5 WHERE tenant = $1 "
    "AND reminder_id = $2"};

const sql::Insert& PutReminders() {
  static const auto& insert =
      *new sql::Insert("funds.insert_levy_reminders", "levy_reminders",
                       {"tenant", "reminder_id", "unit", "period", "organization", "state",
                        "issued_on", "outstanding_fen", "late_fee_fen", "changed_on", "remark"});
  return insert;
}

std::string ReminderName(std::string_view tenant, std::string_view id) {
  return StrCat("federations/", tenant, "/levyReminders/", id);
}

v1::LevyReminder ToReminder(std::string_view tenant, const sql::Rows::Row& row) {
  v1::LevyReminder r;
  r.set_name(ReminderName(tenant, row.Get<std::string>(0)));
  r.set_unit(row.Get<std::string>(1));
  r.set_period(row.Get<std::string>(2));
  r.set_organization(row.Get<std::string>(3));
  r.set_state(static_cast<v1::LevyReminderState>(row.Get<int>(4)));
  r.set_issued_on(row.Get<std::string>(5));
  r.set_outstanding_fen(row.Get<int64_t>(6));
  r.set_late_fee_fen(row.Get<int64_t>(7));
  r.set_changed_on(row.Get<std::string>(8));
  r.set_remark(row.Get<std::string>(9));
  return r;
}

absl::StatusOr<v1::LevyReminder> Find(sql::Tx& tx, const std::string& tenant,
                                      const std::string& name) {
  const std::string id(LeafOf(name));
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFind, {tenant, id}));
  if (!rows.empty()) return ToReminder(tenant, rows[0]);
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no reminder '", id, "'; ListLevyReminders shows them"),
                  StrCat("没有催缴通知“", id, "”；请用 ListLevyReminders 查看"))
      .At("name");
}

absl::Status CheckStep(const v1::LevyReminder& now, const v1::AdvanceLevyReminderRequest& request) {
  if (request.state() >= v1::LEVY_REMINDER_STATE_SETTLED || request.state() <= now.state()) {
    return FailedPrecondition(
               common::v1::REASON_STATE_FORBIDS,
               "a reminder goes on to delivered, answered, in court; payment settles it",
               "催缴通知依次为送达、答复、申请支付令；缴清后自动结清")
        .With("state", v1::LevyReminderState_Name(now.state()))
        .With("allowed", now.state() == v1::LEVY_REMINDER_STATE_SETTLED
                             ? "none"
                             : "DELIVERED, ANSWERED, IN_COURT")
        .At("state");
  }
  if (request.on_date() >= now.changed_on()) return absl::OkStatus();
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat("the last step was on ", now.changed_on(), "; give a later day"),
                         StrCat("上一步日期为 ", now.changed_on(), "，请填之后的日期"))
      .At("on_date");
}

}  // namespace

absl::StatusOr<v1::RemindLevyPayersResponse> LevyReminders::FindDue(
    const rpc::Call& call, sql::Tx& tx, const v1::RemindLevyPayersRequest& request,
    const tree::OrganizationTree& tree, const std::vector<std::string>& below) const {
  const int days = std::max(request.overdue_days(), 1);
  const std::string due_until = DaysAfter(request.issued_on(), -days);
  std::vector<ObligationRow> rows;
  std::set<UnitPeriod> keys;
  for (const std::string& organization : below) {
    const int64_t room = kMostAtOnce - static_cast<int64_t>(rows.size());
    if (room <= 0) break;
    ASSIGN_OR_RETURN(
        const sql::Rows found,
        tx.Run(kOverdue, {call.federation, organization, due_until, request.issued_on(), room}));
    for (size_t i = 0; i < found.size(); ++i) {
      rows.push_back(ToObligation(found[i]));
      keys.emplace(rows.back().view.unit(), rows.back().view.period());
    }
  }
  ASSIGN_OR_RETURN(PaidByObligation paid, FindPaid(tx, call.federation, keys));
  v1::RemindLevyPayersResponse response;
  for (const ObligationRow& row : rows) {
    const v1::LevyObligation view = ObligationView(
        *levies_.rules, tree, row, paid[{row.view.unit(), row.view.period()}], request.issued_on());
    v1::LevyReminder& reminder = *response.add_reminders();
    reminder.set_unit(view.unit());
    reminder.set_period(view.period());
    reminder.set_organization(view.organization());
    reminder.set_state(v1::LEVY_REMINDER_STATE_ISSUED);
    reminder.set_issued_on(request.issued_on());
    reminder.set_outstanding_fen(view.outstanding_fen());
    reminder.set_late_fee_fen(view.late_fee_fen());
    reminder.set_changed_on(request.issued_on());
  }
  return response;
}

absl::StatusOr<v1::RemindLevyPayersResponse> LevyReminders::Remind(
    rpc::Call& call, const v1::RemindLevyPayersRequest& request) {
  using Response = v1::RemindLevyPayersResponse;
  ASSIGN_OR_RETURN(const auto below, Below(*levies_.tree, call, request.organization()));
  ASSIGN_OR_RETURN(const auto tree, levies_.tree->Get(call.federation));
  if (request.validate_only()) {
    Response response;
    RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
      ASSIGN_OR_RETURN(response, FindDue(call, tx, request, *tree, below));
      return absl::OkStatus();
    }));
    return response;
  }
  return rpc::WriteOnce<Response>(
      *levies_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Response> {
        ASSIGN_OR_RETURN(Response response, FindDue(call, tx, request, *tree, below));
        if (response.reminders().empty()) return response;
        feed::v1::Event event;
        event.set_type("gonghui.funds.v1.LevyPayersReminded");
        std::vector<sql::Args> rows;
        for (v1::LevyReminder& r : *response.mutable_reminders()) {
          const std::string id = NewId(call.clock->Now());
          r.set_name(ReminderName(call.federation, id));
          rows.push_back({call.federation, id, r.unit(), r.period(), r.organization(),
                          int64_t{r.state()}, r.issued_on(), r.outstanding_fen(), r.late_fee_fen(),
                          r.changed_on(), r.remark()});
          event.add_resources(r.name());
          AddFacts(r.name(), {}, {NewFact("fund_reminders", r.organization(), r.issued_on(), 1)},
                   event);
        }
        RETURN_IF_ERROR(PutReminders().Run(tx, std::move(rows)));
        RETURN_IF_ERROR(feed::Append(tx, call, event));
        return response;
      });
}

absl::StatusOr<v1::LevyReminder> LevyReminders::Advance(
    rpc::Call& call, const v1::AdvanceLevyReminderRequest& request) {
  v1::LevyReminder seen;
  RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(seen, Find(tx, call.federation, request.name()));
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(call.CheckScope(seen.organization()));
  return rpc::WriteOnce<v1::LevyReminder>(
      *levies_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::LevyReminder> {
        ASSIGN_OR_RETURN(v1::LevyReminder now, Find(tx, call.federation, request.name()));
        RETURN_IF_ERROR(CheckStep(now, request));
        now.set_state(request.state());
        now.set_changed_on(request.on_date());
        now.set_remark(request.remark());
        RETURN_IF_ERROR(tx.Run(kAdvance, {call.federation, std::string(LeafOf(now.name())),
                                          int64_t{now.state()}, now.changed_on(), now.remark()})
                            .status());
        feed::v1::Event event;
        event.set_type("gonghui.funds.v1.LevyReminderAdvanced");
        event.add_resources(now.name());
        RETURN_IF_ERROR(feed::Append(tx, call, event));
        return now;
      });
}

absl::StatusOr<v1::ListLevyRemindersResponse> LevyReminders::List(
    rpc::Call& call, const v1::ListLevyRemindersRequest& request) {
  ASSIGN_OR_RETURN(const auto below, Below(*levies_.tree, call, request.organization()));
  v1::ListLevyRemindersResponse response;
  const PageQuery page{
      &kList, {int64_t{request.state()}}, [&](const sql::Rows::Row& row) {
        v1::LevyReminder reminder = ToReminder(call.federation, row);
        std::vector<std::string> key = {std::string(LeafOf(reminder.name())), reminder.unit()};
        *response.add_reminders() = std::move(reminder);
        return key;
      }};
  RETURN_IF_ERROR(
      FillPage(*levies_.db, call, request, below, page, response, [&] { response.Clear(); }));
  return response;
}

}  // namespace gonghui::funds
