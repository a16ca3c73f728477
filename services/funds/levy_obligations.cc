#include "services/funds/levy_obligations.h"

#include <algorithm>
#include <map>
#include <set>

#include "common/base/date.h"
#include "common/base/money.h"
#include "common/base/resource_name.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/validate.h"
#include "services/funds/levy_facts.h"
#include "services/funds/levy_pages.h"
#include "services/funds/levy_receipt_rows.h"

namespace gonghui::funds {
namespace {

constexpr size_t kMostOfStatement = 1000;
constexpr std::string_view kNotDue = "not_due";

constexpr sql::Query kOverlap{
    "funds.find_overlapping_levy",
    "SELECT period FROM levy_obligations WHERE tenant = $1 AND unit = $2 AND period <> $3 "
    "AND first_day <= $5 AND last_day >= $4 LIMIT 1"};
constexpr sql::Query kList{
    "funds.list_levy_obligations",
    "SELECT " OBLIGATION_COLUMNS
    " FROM levy_obligations AS o WHERE tenant = $1 AND organization = $2 AND (unit, period) > "
    "($3, $4) AND (CAST($6 AS TEXT) = '' OR period = $6) AND (CAST($8 AS BIGINT) = 0 OR "
    "(due_on < $7 AND payable_fen > COALESCE((SELECT SUM(r.paid_fen) FROM levy_receipts AS r "
    "WHERE r.tenant = $1 AND r.unit = o.unit AND r.period = o.period AND r.state IN (3, 4) "
    "AND r.received_on <= $7), 0))) ORDER BY unit, period LIMIT $5"};
constexpr sql::Query kAges{
    "funds.list_levy_ages",
    "SELECT due_on, payable_fen, CAST(COALESCE((SELECT SUM(r.paid_fen) FROM levy_receipts AS r "
    "WHERE r.tenant = $1 AND r.unit = o.unit AND r.period = o.period AND r.state IN (3, 4) "
    "AND r.received_on <= $3), 0) AS BIGINT) FROM levy_obligations AS o WHERE tenant = $1 "
    "AND organization = $2 AND last_day <= $3"};
constexpr sql::Query kListOfUnit{
    "funds.list_levy_obligations_of_unit",
    "SELECT " OBLIGATION_COLUMNS
    " FROM levy_obligations WHERE tenant = $1 AND unit = $2 AND last_day >= $3 AND first_day <= $4 "
    "ORDER BY first_day LIMIT $5"};
constexpr sql::Query kReceiptsOfUnit{
    "funds.list_levy_receipts_of_unit",
    "SELECT " RECEIPT_COLUMNS
    " FROM levy_receipts WHERE tenant = $1 AND unit = $2 AND state IN (3, 4) AND last_day >= $3 "
    "AND first_day <= $4 ORDER BY received_on, serial_no LIMIT $5"};

// The due day by the row, of a period that ends on `last_day`.
std::string DueDay(const v1::LevyDueDay& row, const std::string& last_day) {
  const auto last = ParseDate(last_day);
  if (!last.ok()) return last_day;
  const absl::CivilMonth month = absl::CivilMonth(*last) + row.months_after();
  const absl::CivilDay end = absl::CivilDay(month + 1) - 1;
  return FormatDate(std::min(absl::CivilDay(month) + (row.day() - 1), end));
}

absl::Status CheckRelief(const v1::LevyObligation& given, int64_t gross) {
  RETURN_IF_ERROR(CheckFen(given.relief_fen(), "relief_fen"));
  if (given.relief_fen() > 0 && given.relief_reason().empty()) return Missing("relief_reason");
  if (given.relief_fen() <= gross) return absl::OkStatus();
  return InvalidArgument(common::v1::REASON_AMOUNT_INVALID,
                         StrCat("the relief is more than the ", FormatYuan(gross),
                                " yuan that the payroll comes to; lower it"),
                         StrCat("减免金额超过应缴的 ", FormatYuan(gross), " 元，请核对"))
      .With("payable_fen", StrCat(gross))
      .At("relief_fen");
}

}  // namespace

absl::StatusOr<ObligationRow> Assess(const LevyRules& rules, const tree::OrganizationTree& tree,
                                     const v1::LevyPayer& payer, const v1::LevyObligation& given) {
  ASSIGN_OR_RETURN(const LevyPeriod period, ParseLevyPeriod(given.period(), "period"));
  RETURN_IF_ERROR(CheckFen(given.payroll_fen(), "payroll_fen"));
  const Path path = tree.Path(payer.organization(), period.last_day);
  const bool has_union = !payer.founded_on().empty() && payer.founded_on() <= period.last_day;
  const std::string& item = rules.OwedItem(has_union).code();
  const v1::LevyRate* rate = rules.Rate(item, path, period.last_day);
  const v1::LevyDueDay* due = rules.DueDay(path, period.last_day);
  if (rate == nullptr) return NoRow("rates", payer.organization(), period.last_day);
  if (due == nullptr) return NoRow("due_days", payer.organization(), period.last_day);
  ASSIGN_OR_RETURN(const int64_t gross, MulDivRound(given.payroll_fen(), rate->rate(), 10'000));
  RETURN_IF_ERROR(CheckRelief(given, gross));
  ObligationRow row;
  row.first_day = period.first_day;
  row.last_day = period.last_day;
  row.view.set_unit(payer.unit());
  row.view.set_period(period.key);
  row.view.set_organization(payer.organization());
  row.view.set_item(item);
  row.view.set_payroll_fen(given.payroll_fen());
  row.view.set_rate(rate->rate());
  row.view.set_relief_fen(given.relief_fen());
  row.view.set_relief_reason(given.relief_reason());
  row.view.set_payable_fen(gross - given.relief_fen());
  row.view.set_due_on(DueDay(*due, period.last_day));
  if (!given.deferred_to().empty()) {
    if (given.deferred_to() < row.view.due_on()) {
      return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                             StrCat("deferred to a day before the funds are due (",
                                    row.view.due_on(), "); give a later day or none"),
                             StrCat("缓缴日期早于应缴日期（", row.view.due_on(), "），请核对"))
          .With("due_on", row.view.due_on())
          .At("deferred_to");
    }
    row.view.set_deferred_to(given.deferred_to());
    row.view.set_due_on(given.deferred_to());
  }
  return row;
}

v1::LevyObligation ObligationView(const LevyRules& rules, const tree::OrganizationTree& tree,
                                  const ObligationRow& row, const std::vector<Paid>& paid,
                                  std::string_view as_of) {
  v1::LevyObligation view = row.view;
  const Path path = tree.Path(view.organization(), view.due_on());
  const Position at = PositionAt(row, paid, as_of, rules.LateFee(path, view.due_on()));
  view.set_received_fen(at.received_fen);
  view.set_outstanding_fen(at.outstanding_fen);
  view.set_late_fee_fen(at.late_fee_fen);
  if (at.overdue_days > 0) view.set_age(rules.Age(at.overdue_days).name());
  const v1::LevyRate* rate =
      rules.Rate(view.item(), tree.Path(view.organization(), row.last_day), row.last_day);
  if (rate != nullptr) view.set_citation(rate->valid().citation());
  return view;
}

absl::Status CheckOverlap(sql::Tx& tx, const std::string& tenant, const ObligationRow& row) {
  ASSIGN_OR_RETURN(
      const sql::Rows other,
      tx.Run(kOverlap, {tenant, row.view.unit(), row.view.period(), row.first_day, row.last_day}));
  if (other.empty()) return absl::OkStatus();
  const auto period = other[0].Get<std::string>(0);
  return AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                       StrCat("the unit is assessed for ", period, ", which shares days with ",
                              row.view.period(), "; assess it by months or by quarters"),
                       StrCat("该单位已核定 ", period, "，与 ", row.view.period(),
                              " 重叠；请统一按月或按季核定"))
      .With("period", period)
      .At("period");
}

absl::Status WriteAssessed(sql::Tx& tx, const rpc::Call& call, const LevyRules& rules,
                           std::vector<ObligationRow> rows, feed::v1::Event& event) {
  std::set<UnitPeriod> keys;
  for (const ObligationRow& row : rows) keys.emplace(row.view.unit(), row.view.period());
  ASSIGN_OR_RETURN(const auto before, FindObligations(tx, call.federation, keys));
  ASSIGN_OR_RETURN(PaidByObligation paid, FindPaid(tx, call.federation, keys));
  for (ObligationRow& row : rows) {
    const UnitPeriod key(row.view.unit(), row.view.period());
    const auto old = before.find(key);
    std::vector<common::v1::Fact> facts;
    if (old != before.end()) {
      row.view.set_received_fen(old->second.view.received_fen());
      facts = ObligationFacts(rules, old->second, paid[key]);
    }
    AddFacts(ObligationName(call.federation, row.view), facts,
             ObligationFacts(rules, row, paid[key]), event);
  }
  return WriteObligations(tx, call.federation, rows);
}

absl::StatusOr<v1::AssessLeviesResponse> LevyObligations::AssessAll(
    rpc::Call& call, const v1::AssessLeviesRequest& request) {
  using Response = v1::AssessLeviesResponse;
  std::set<std::string> units;
  for (const auto& given : request.obligations()) units.insert(given.unit());
  ASSIGN_OR_RETURN(const auto tree, levies_.tree->Get(call.federation));
  std::map<std::string, v1::LevyPayer> payers;
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> days;
  const auto check = [&](const v1::LevyObligation& given) -> absl::StatusOr<ObligationRow> {
    RETURN_IF_ERROR(rpc::Validate(given));
    const auto payer = payers.find(given.unit());
    if (payer == payers.end()) return NoSuchPayer(given.unit(), "unit");
    RETURN_IF_ERROR(call.CheckScope(payer->second.organization()));
    ASSIGN_OR_RETURN(ObligationRow row, Assess(*levies_.rules, *tree, payer->second, given));
    for (const auto& [first, last] : days[given.unit()]) {
      if (row.first_day <= last && row.last_day >= first) return Twice(given.unit(), "period");
    }
    days[given.unit()].emplace_back(row.first_day, row.last_day);
    return row;
  };
  Response failed;
  std::vector<ObligationRow> rows;
  RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    failed.Clear();
    rows.clear();
    days.clear();
    ASSIGN_OR_RETURN(payers, FindPayers(tx, call.federation, units));
    for (int i = 0; i < request.obligations_size(); ++i) {
      absl::StatusOr<ObligationRow> row = check(request.obligations(i));
      absl::Status fault = row.status();
      if (fault.ok()) fault = CheckOverlap(tx, call.federation, *row);
      if (absl::IsInternal(fault) || absl::IsUnavailable(fault)) return fault;
      if (!fault.ok()) *failed.add_failures() = ToItemFailure(i, fault);
      if (row.ok()) rows.push_back(*std::move(row));
    }
    return absl::OkStatus();
  }));
  if (!failed.failures().empty()) return failed;
  Response response;
  for (const ObligationRow& row : rows) {
    *response.add_obligations() = ObligationView(*levies_.rules, *tree, row, {}, call.Today());
  }
  if (request.validate_only()) return response;
  return rpc::WriteOnce<Response>(
      *levies_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Response> {
        feed::v1::Event event;
        event.set_type("gonghui.funds.v1.LeviesAssessed");
        std::set<UnitPeriod> keys;
        for (const ObligationRow& row : rows) {
          RETURN_IF_ERROR(CheckOverlap(tx, call.federation, row));
          event.add_resources(ObligationName(call.federation, row.view));
          keys.emplace(row.view.unit(), row.view.period());
        }
        RETURN_IF_ERROR(WriteAssessed(tx, call, *levies_.rules, rows, event));
        ASSIGN_OR_RETURN(PaidByObligation paid, FindPaid(tx, call.federation, keys));
        Response written;
        for (const ObligationRow& row : rows) {
          *written.add_obligations() = ObligationView(
              *levies_.rules, *tree, row, paid[{row.view.unit(), row.view.period()}], call.Today());
        }
        RETURN_IF_ERROR(feed::Append(tx, call, event));
        return written;
      });
}

absl::StatusOr<v1::ListLevyObligationsResponse> LevyObligations::List(
    rpc::Call& call, const v1::ListLevyObligationsRequest& request) {
  std::string period;
  if (!request.period().empty()) {
    ASSIGN_OR_RETURN(const LevyPeriod parsed, ParseLevyPeriod(request.period(), "period"));
    period = parsed.key;
  }
  const std::string as_of = request.as_of().empty() ? call.Today() : request.as_of();
  ASSIGN_OR_RETURN(const auto below, Below(*levies_.tree, call, request.organization()));
  ASSIGN_OR_RETURN(const auto tree, levies_.tree->Get(call.federation));
  ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const auto after, rpc::ReadPageToken(request, request.page_token(), 3));
  v1::ListLevyObligationsResponse response;
  RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    std::vector<ObligationRow> rows;
    std::set<UnitPeriod> keys;
    const PageQuery page{
        &kList, {period, as_of, int64_t{request.overdue()}}, [&](const sql::Rows::Row& row) {
          rows.push_back(ToObligation(row));
          const v1::LevyObligation& o = rows.back().view;
          keys.emplace(o.unit(), o.period());
          return std::vector<std::string>{o.unit(), o.period()};
        }};
    ASSIGN_OR_RETURN(const auto last, ReadPage(tx, call.federation, below, after, size, page));
    if (!last.empty()) response.set_next_page_token(rpc::MakePageToken(request, last));
    ASSIGN_OR_RETURN(PaidByObligation paid, FindPaid(tx, call.federation, keys));
    for (const ObligationRow& row : rows) {
      *response.add_obligations() = ObligationView(
          *levies_.rules, *tree, row, paid[{row.view.unit(), row.view.period()}], as_of);
    }
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::GetLevyAgeingResponse> LevyObligations::Age(
    rpc::Call& call, const v1::GetLevyAgeingRequest& request) {
  const std::string as_of = request.as_of().empty() ? call.Today() : request.as_of();
  ASSIGN_OR_RETURN(const auto below, Below(*levies_.tree, call, request.organization()));
  v1::GetLevyAgeingResponse response;
  RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    std::map<std::string, v1::LevyAge> ages;
    std::vector<sql::Args> keys;
    for (const std::string& id : below) keys.push_back({call.federation, id, as_of});
    RETURN_IF_ERROR(tx.ReadMany(kAges, keys, [&](const sql::Rows::Row& row) {
      const int64_t payable = row.Get<int64_t>(1);
      const int64_t received = row.Get<int64_t>(2);
      response.set_payable_fen(response.payable_fen() + payable);
      response.set_received_fen(response.received_fen() + received);
      if (payable <= received) return;
      const int64_t days = DaysBetween(row.Get<std::string_view>(0), as_of);
      v1::LevyAge& age = ages[days > 0 ? levies_.rules->Age(days).name() : std::string(kNotDue)];
      age.set_obligations(age.obligations() + 1);
      age.set_outstanding_fen(age.outstanding_fen() + payable - received);
    }));
    std::vector<std::string> names = {std::string(kNotDue)};
    for (const auto& bucket : levies_.rules->message().ages()) names.push_back(bucket.name());
    for (const std::string& name : names) {
      v1::LevyAge& age = *response.add_ages();
      age = ages[name];
      age.set_age(name);
    }
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::GetLevyStatementResponse> LevyObligations::Statement(
    rpc::Call& call, const v1::GetLevyStatementRequest& request) {
  const std::string unit(LeafOf(request.name()));
  std::string first;
  std::string last(kForever);
  if (!request.from_period().empty()) {
    ASSIGN_OR_RETURN(const LevyPeriod from, ParseLevyPeriod(request.from_period(), "from_period"));
    first = from.first_day;
  }
  if (!request.to_period().empty()) {
    ASSIGN_OR_RETURN(const LevyPeriod to, ParseLevyPeriod(request.to_period(), "to_period"));
    last = to.last_day;
  }
  const std::string as_of = request.as_of().empty() ? call.Today() : request.as_of();
  ASSIGN_OR_RETURN(const auto tree, levies_.tree->Get(call.federation));
  v1::GetLevyStatementResponse response;
  RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    ASSIGN_OR_RETURN(const auto payers, FindPayers(tx, call.federation, {unit}));
    if (payers.empty()) return NoSuchPayer(unit, "name");
    *response.mutable_payer() = payers.begin()->second;
    const sql::Args key = {call.federation, unit, first, last,
                           static_cast<int64_t>(kMostOfStatement)};
    ASSIGN_OR_RETURN(const sql::Rows owed, tx.Run(kListOfUnit, key));
    std::vector<ObligationRow> rows;
    std::set<UnitPeriod> keys;
    for (size_t i = 0; i < owed.size(); ++i) {
      rows.push_back(ToObligation(owed[i]));
      keys.emplace(unit, rows.back().view.period());
    }
    ASSIGN_OR_RETURN(PaidByObligation paid, FindPaid(tx, call.federation, keys));
    for (const ObligationRow& row : rows) {
      v1::LevyObligation view =
          ObligationView(*levies_.rules, *tree, row, paid[{unit, row.view.period()}], as_of);
      response.set_payable_fen(response.payable_fen() + view.payable_fen());
      response.set_received_fen(response.received_fen() + view.received_fen());
      response.set_outstanding_fen(response.outstanding_fen() + view.outstanding_fen());
      response.set_late_fee_fen(response.late_fee_fen() + view.late_fee_fen());
      *response.add_obligations() = std::move(view);
    }
    ASSIGN_OR_RETURN(const sql::Rows came, tx.Run(kReceiptsOfUnit, key));
    for (size_t i = 0; i < came.size(); ++i) {
      const ReceiptRow receipt = ToReceipt(came[i]);
      if (receipt.view.received_on() > as_of) continue;
      *response.add_receipts() = ReceiptView(call.federation, receipt);
    }
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(call.CheckScope(response.payer().organization()));
  return response;
}

}  // namespace gonghui::funds
