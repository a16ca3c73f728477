#include "services/funds/levy_remittances.h"

#include <algorithm>
#include <utility>

#include "common/base/date.h"
#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "common/sql/insert.h"
#include "services/funds/levy_facts.h"
#include "services/funds/levy_postings.h"
#include "services/funds/levy_receipt_rows.h"

namespace gonghui::funds {
namespace {

constexpr int64_t kMostLines = 1000;

constexpr sql::Query kDue{
    "funds.list_levy_shares_to_remit",
    "SELECT " SHARE_COLUMNS
    " FROM levy_shares WHERE tenant = $1 AND holder = $2 AND way = $3 AND way <> 0 "
    "AND remittance_id = '' AND received_on <= $4 ORDER BY received_on, receipt_id, position "
    "LIMIT $5"};
constexpr sql::Query kSendShare{
    "funds.send_levy_share",
    "UPDATE levy_shares SET remittance_id = $4, holder = $5, way = $6 WHERE tenant = $1 "
    "AND receipt_id = $2 AND position = $3"};
#define REMITTANCE_COLUMNS                                                          \
  "remittance_id, direction, payer, payee, period, state, amount_fen, line_count, " \
  "sent_on, received_on, payer_voucher, payee_voucher"
constexpr sql::Query kFind{"funds.find_levy_remittance",
                           "SELECT " REMITTANCE_COLUMNS
                           " FROM levy_remittances WHERE tenant = $1 AND remittance_id = $2"};
constexpr sql::Query kList{
    "funds.list_levy_remittances",
    "SELECT " REMITTANCE_COLUMNS
    " FROM levy_remittances WHERE tenant = $1 AND (payer = $2 OR payee = $2) "
    "AND (CAST($3 AS TEXT) = '' OR remittance_id < $3) AND (CAST($4 AS BIGINT) = 0 OR state = $4) "
    "ORDER BY remittance_id DESC LIMIT $5"};
constexpr sql::Query kLines{
    "funds.list_levy_remittance_lines",
    "SELECT receipt_id, level, organization, amount_fen, position FROM levy_remittance_lines "
    "WHERE tenant = $1 AND remittance_id = $2 ORDER BY receipt_id, position"};
constexpr sql::Query kReceive{
    "funds.receive_levy_remittance",
    "UPDATE levy_remittances SET state = 2, received_on = $3, payee_voucher = $4 "
    "WHERE tenant = $1 AND remittance_id = $2"};

const sql::Insert& PutRemittances() {
  static const auto& insert = *new sql::Insert(
      "funds.insert_levy_remittances", "levy_remittances",
      {"tenant", "remittance_id", "direction", "payer", "payee", "period", "state", "amount_fen",
       "line_count", "sent_on", "received_on", "payer_voucher", "payee_voucher"});
  return insert;
}

const sql::Insert& PutLines() {
  static const auto& insert = *new sql::Insert(
      "funds.insert_levy_remittance_lines", "levy_remittance_lines",
      {"tenant", "remittance_id", "receipt_id", "position", "level", "organization", "amount_fen"});
  return insert;
}

std::string RemittanceName(std::string_view tenant, std::string_view id) {
  return StrCat("federations/", tenant, "/remittances/", id);
}

v1::Remittance ToRemittance(std::string_view tenant, const sql::Rows::Row& row) {
  v1::Remittance r;
  r.set_name(RemittanceName(tenant, row.Get<std::string>(0)));
  r.set_direction(static_cast<v1::RemittanceDirection>(row.Get<int>(1)));
  r.set_payer(row.Get<std::string>(2));
  r.set_payee(row.Get<std::string>(3));
  r.set_period(row.Get<std::string>(4));
  r.set_state(static_cast<v1::RemittanceState>(row.Get<int>(5)));
  r.set_amount_fen(row.Get<int64_t>(6));
  r.set_line_count(row.Get<int>(7));
  r.set_sent_on(row.Get<std::string>(8));
  r.set_received_on(row.Get<std::string>(9));
  r.set_payer_voucher(row.Get<std::string>(10));
  r.set_payee_voucher(row.Get<std::string>(11));
  return r;
}

// The next stop of money on its way from the head of `path` to `goal`.
std::string NextStop(const tree::OrganizationTree& tree, const Path& path, const std::string& goal,
                     v1::RemittanceDirection direction, bool direct, std::string_view on_date) {
  if (direction == v1::REMITTANCE_DIRECTION_UP) {
    if (direct) return goal;
    return path.size() > 1 ? path[1] : "";
  }
  const Path below = tree.Path(goal, on_date);
  const auto holder = std::find(below.begin(), below.end(), path.front());
  if (direct || holder == below.end() || holder == below.begin()) return goal;
  return *(holder - 1);
}

absl::Status WrongCycle(const v1::RemittanceCycle& cycle, const std::string& period) {
  return InvalidArgument(common::v1::REASON_PERIOD_INVALID,
                         StrCat("'", period, "' is no cycle of ", cycle.months(),
                                " months, as this place has it (", cycle.valid().citation(), ")"),
                         StrCat("“", period, "”不是此地规定的 ", cycle.months(), " 个月周期（",
                                cycle.valid().citation(), "）"))
      .With("months", StrCat(cycle.months()))
      .At("period");
}

absl::Status CycleNotOver(const std::string& last_day, std::string_view field) {
  return FailedPrecondition(common::v1::REASON_PERIOD_NOT_OVER,
                            StrCat("the period ends on ", last_day, "; give a later day"),
                            StrCat("期间至 ", last_day, " 结束，请填之后的日期"))
      .With("last_day", last_day)
      .At(std::string(field));
}

}  // namespace

absl::StatusOr<const v1::RemittanceCycle*> Remittances::CheckCycle(
    const tree::OrganizationTree& tree, const v1::CreateRemittancesRequest& request,
    std::string& last_day) const {
  const auto period = ParsePeriod(request.period());
  if (!period.ok()) return period.status();
  last_day = period->last_day;
  const Path path = tree.Path(request.organization(), last_day);
  const v1::RemittanceCycle* cycle = levies_.rules->Cycle(request.direction(), path, last_day);
  if (cycle == nullptr) return NoRow("cycles", request.organization(), last_day);
  const std::vector<std::string> months = MonthsOf(*period);
  int first_month = 0;
  if (!ParseInteger(period->first_month.substr(5), &first_month) ||
      static_cast<int>(months.size()) != cycle->months() ||
      (first_month - 1) % cycle->months() != 0) {
    return WrongCycle(*cycle, request.period());
  }
  if (request.sent_on() <= last_day) return CycleNotOver(last_day, "sent_on");
  return cycle;
}

absl::StatusOr<Remittances::Due> Remittances::FindDue(const rpc::Call& call, sql::Tx& tx,
                                                      const tree::OrganizationTree& tree,
                                                      const v1::CreateRemittancesRequest& request,
                                                      const v1::RemittanceCycle& cycle,
                                                      const std::string& last_day) const {
  Due due;
  ASSIGN_OR_RETURN(const sql::Rows rows,
                   tx.Run(kDue, {call.federation, request.organization(),
                                 int64_t{request.direction()}, last_day, kMostLines + 1}));
  const Path path = tree.Path(request.organization(), request.sent_on());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i == kMostLines) {
      due.more = true;
      break;
    }
    ShareRow row = ToShare(rows[i]);
    std::string payee = NextStop(tree, path, row.share.organization, request.direction(),
                                 cycle.direct(), request.sent_on());
    due.by_payee[std::move(payee)].push_back(std::move(row));
  }
  return due;
}

absl::Status Remittances::Send(const rpc::Call& call, sql::Tx& tx,
                               const tree::OrganizationTree& tree, const Due& due,
                               v1::CreateRemittancesResponse& response) const {
  const v1::LevyAccounts& accounts = levies_.rules->accounts();
  feed::v1::Event event;
  event.set_type("gonghui.funds.v1.RemittancesSent");
  std::vector<LevyVoucher> vouchers;
  std::vector<sql::Args> rows;
  std::vector<sql::Args> lines;
  std::vector<sql::Args> shares;
  for (v1::Remittance& r : *response.mutable_remittances()) {
    const std::string id = NewId(call.clock->Now());
    r.set_name(RemittanceName(call.federation, id));
    const bool up = r.direction() == v1::REMITTANCE_DIRECTION_UP;
    vouchers.push_back(
        {r.payer(),
         r.sent_on(),
         StrCat(up ? "上解经费 " : "下拨经费 ", r.period()),
         r.name(),
         {{up ? accounts.upward() : accounts.downward(), r.amount_fen(), true, r.payee()},
          {accounts.bank(), r.amount_fen(), false, ""}}});
    const bool leaves = r.payee().empty();
    for (const ShareRow& row : due.by_payee.at(r.payee())) {
      lines.push_back({call.federation, id, row.receipt_id, row.position, row.share.level,
                       row.share.organization, row.share.amount_fen});
      shares.push_back({call.federation, row.receipt_id, row.position, leaves ? std::string() : id,
                        leaves ? std::string() : row.holder,
                        leaves ? int64_t{0} : static_cast<int64_t>(row.share.way)});
    }
    const tree::Version* version = tree.Find(r.payer(), r.sent_on());
    event.add_resources(r.name());
    AddFacts(r.name(), {},
             {NewFact("fund_remitted", r.payer(), r.sent_on(), r.amount_fen(),
                      {{"direction", up ? "up" : "down"},
                       {"tier", version == nullptr ? "" : version->kind}})},
             event);
  }
  ASSIGN_OR_RETURN(const auto names, PostLevyVouchers(call, tx, *levies_.books, vouchers, event));
  for (int i = 0; i < response.remittances_size(); ++i) {
    v1::Remittance& r = *response.mutable_remittances(i);
    r.set_payer_voucher(names[static_cast<size_t>(i)]);
    rows.push_back({call.federation, std::string(LeafOf(r.name())), int64_t{r.direction()},
                    r.payer(), r.payee(), r.period(), int64_t{r.state()}, r.amount_fen(),
                    int64_t{r.line_count()}, r.sent_on(), r.received_on(), r.payer_voucher(),
                    r.payee_voucher()});
  }
  RETURN_IF_ERROR(PutRemittances().Run(tx, std::move(rows)));
  RETURN_IF_ERROR(PutLines().Run(tx, std::move(lines)));
  RETURN_IF_ERROR(tx.RunMany(kSendShare, shares).status());
  return feed::Append(tx, call, event);
}

absl::StatusOr<v1::CreateRemittancesResponse> Remittances::Create(
    rpc::Call& call, const v1::CreateRemittancesRequest& request) {
  using Response = v1::CreateRemittancesResponse;
  ASSIGN_OR_RETURN(const TreePtr tree, levies_.tree->Get(call.federation, request.organization()));
  std::string last_day;
  ASSIGN_OR_RETURN(const v1::RemittanceCycle* cycle, CheckCycle(*tree, request, last_day));
  const auto create = [&](sql::Tx& tx, bool write) -> absl::StatusOr<Response> {
    ASSIGN_OR_RETURN(const Due due, FindDue(call, tx, *tree, request, *cycle, last_day));
    Response response;
    response.set_more(due.more);
    for (const auto& [payee, lines] : due.by_payee) {
      v1::Remittance& r = *response.add_remittances();
      r.set_direction(request.direction());
      r.set_payer(request.organization());
      r.set_payee(payee);
      r.set_period(request.period());
      r.set_sent_on(request.sent_on());
      // Above the root nobody here receives it.
      r.set_state(payee.empty() ? v1::REMITTANCE_STATE_RECEIVED : v1::REMITTANCE_STATE_SENT);
      if (payee.empty()) r.set_received_on(request.sent_on());
      r.set_line_count(static_cast<int32_t>(lines.size()));
      for (const ShareRow& line : lines) {
        r.set_amount_fen(r.amount_fen() + line.share.amount_fen);
      }
    }
    if (write && !due.by_payee.empty()) RETURN_IF_ERROR(Send(call, tx, *tree, due, response));
    return response;
  };
  if (request.validate_only()) {
    Response response;
    RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
      ASSIGN_OR_RETURN(response, create(tx, false));
      return absl::OkStatus();
    }));
    return response;
  }
  return rpc::WriteOnce<Response>(*levies_.db, call, request,
                                  [&](sql::Tx& tx) { return create(tx, true); });
}

absl::StatusOr<v1::Remittance> Remittances::Find(const rpc::Call& call, sql::Tx& tx,
                                                 const std::string& name) const {
  const std::string id(LeafOf(name));
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFind, {call.federation, id}));
  if (rows.empty()) {
    return NotFound(common::v1::REASON_NOT_FOUND,
                    StrCat("there is no remittance '", id, "'; ListRemittances shows them"),
                    StrCat("没有上解下拨单“", id, "”；请用 ListRemittances 查看"))
        .At("name");
  }
  v1::Remittance remittance = ToRemittance(call.federation, rows[0]);
  ASSIGN_OR_RETURN(const sql::Rows lines, tx.Run(kLines, {call.federation, id}));
  for (size_t i = 0; i < lines.size(); ++i) {
    v1::RemittanceLine& line = *remittance.add_lines();
    line.set_receipt(ReceiptName(call.federation, lines[i].Get<std::string>(0)));
    line.set_level(lines[i].Get<std::string>(1));
    line.set_organization(lines[i].Get<std::string>(2));
    line.set_amount_fen(lines[i].Get<int64_t>(3));
  }
  return remittance;
}

absl::StatusOr<v1::Remittance> Remittances::Receive(rpc::Call& call,
                                                    const v1::ReceiveRemittanceRequest& request) {
  v1::Remittance seen;
  RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(seen, Find(call, tx, request.name()));
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(call.CheckScope(seen.payee()));
  if (request.received_on() < seen.sent_on()) return CycleNotOver(seen.sent_on(), "received_on");
  ASSIGN_OR_RETURN(const TreePtr tree, levies_.tree->Get(call.federation, seen.payee()));
  const Path path = tree->Path(seen.payee(), request.received_on());
  const v1::LevyAccounts& accounts = levies_.rules->accounts();
  return rpc::WriteOnce<v1::Remittance>(
      *levies_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Remittance> {
        ASSIGN_OR_RETURN(const v1::Remittance r, Find(call, tx, request.name()));
        if (r.state() != v1::REMITTANCE_STATE_SENT) {
          return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                                    StrCat("the remittance was received on ", r.received_on()),
                                    StrCat("该笔款项已于 ", r.received_on(), " 收到"))
              .With("state", "received")
              .With("allowed", "GetRemittance")
              .At("name");
        }
        const std::string id(LeafOf(r.name()));
        ASSIGN_OR_RETURN(const sql::Rows lines, tx.Run(kLines, {call.federation, id}));
        std::vector<LevelShare> shares;
        std::vector<sql::Args> moves;
        for (size_t i = 0; i < lines.size(); ++i) {
          LevelShare share;
          share.organization = lines[i].Get<std::string>(2);
          share.amount_fen = lines[i].Get<int64_t>(3);
          share.way = WayTo(path, share.organization);
          moves.push_back({call.federation, lines[i].Get<std::string>(0), lines[i].Get<int64_t>(4),
                           std::string(), r.payee(), static_cast<int64_t>(share.way)});
          shares.push_back(std::move(share));
        }
        const bool up = r.direction() == v1::REMITTANCE_DIRECTION_UP;
        LevyVoucher voucher{r.payee(),
                            request.received_on(),
                            StrCat(up ? "收下级上解经费 " : "收上级转拨经费 ", r.period()),
                            r.name(),
                            {{accounts.bank(), r.amount_fen(), true, r.payer()}}};
        for (LevyEntry& entry : ShareEntries(accounts, shares)) {
          voucher.entries.push_back(std::move(entry));
        }
        feed::v1::Event event;
        event.set_type("gonghui.funds.v1.RemittanceReceived");
        event.add_resources(r.name());
        ASSIGN_OR_RETURN(const auto names,
                         PostLevyVouchers(call, tx, *levies_.books, {voucher}, event));
        RETURN_IF_ERROR(tx.RunMany(kSendShare, moves).status());
        RETURN_IF_ERROR(
            tx.Run(kReceive, {call.federation, id, request.received_on(), names[0]}).status());
        RETURN_IF_ERROR(feed::Append(tx, call, event));
        return Find(call, tx, request.name());
      });
}

absl::StatusOr<v1::Remittance> Remittances::Get(rpc::Call& call,
                                                const v1::GetRemittanceRequest& request) {
  v1::Remittance remittance;
  RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(remittance, Find(call, tx, request.name()));
    return absl::OkStatus();
  }));
  if (!remittance.payee().empty() && call.CheckScope(remittance.payee()).ok()) return remittance;
  RETURN_IF_ERROR(call.CheckScope(remittance.payer()));
  return remittance;
}

absl::StatusOr<v1::ListRemittancesResponse> Remittances::List(
    rpc::Call& call, const v1::ListRemittancesRequest& request) {
  ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const auto after, rpc::ReadPageToken(request, request.page_token(), 1));
  v1::ListRemittancesResponse response;
  RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    ASSIGN_OR_RETURN(
        const sql::Rows rows,
        tx.Run(kList, {call.federation, request.organization(), after.empty() ? "" : after[0],
                       int64_t{request.state()}, int64_t{size} + 1}));
    for (size_t i = 0; i < rows.size(); ++i) {
      if (i == static_cast<size_t>(size)) {
        response.set_next_page_token(
            rpc::MakePageToken(request, {rows[i - 1].Get<std::string>(0)}));
        break;
      }
      *response.add_remittances() = ToRemittance(call.federation, rows[i]);
    }
    return absl::OkStatus();
  }));
  return response;
}

}  // namespace gonghui::funds
