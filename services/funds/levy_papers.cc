#include "services/funds/levy_papers.h"

#include <string>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "common/sql/insert.h"

namespace gonghui::funds {
namespace {

constexpr int kMostAtOnce = 1000;

constexpr sql::Query kNext{"funds.find_paper_series",
                           "SELECT next FROM paper_series WHERE tenant = $1 AND series = $2"};
constexpr sql::Query kSetNext{"funds.put_paper_series",
                              "INSERT INTO paper_series (tenant, series, next) VALUES ($1, $2, $3) "
                              "ON CONFLICT (tenant, series) DO UPDATE SET next = excluded.next"};
#define PAPER_COLUMNS \
  "series, number, organization, state, issued_on, changed_on, payer, amount_fen, remark"
constexpr sql::Query kFind{
    "funds.find_paper_receipt",
    "SELECT " PAPER_COLUMNS
    " FROM paper_receipts WHERE tenant = $1 AND series = $2 AND number = $3"};
constexpr sql::Query kNextUnused{
    "funds.find_unused_paper_receipt",
    "SELECT " PAPER_COLUMNS
    " FROM paper_receipts WHERE tenant = $1 AND organization = $2 AND series = $3 AND state = 1 "
    "ORDER BY number LIMIT 1"};
constexpr sql::Query kUpdate{
    "funds.update_paper_receipt",
    "UPDATE paper_receipts SET state = $4, changed_on = $5, payer = $6, amount_fen = $7, "
    "remark = $8 WHERE tenant = $1 AND series = $2 AND number = $3"};
constexpr sql::Query kList{
    "funds.list_paper_receipts",
    "SELECT " PAPER_COLUMNS
    " FROM paper_receipts WHERE tenant = $1 AND organization = $2 AND (series, number) > ($3, $4) "
    "AND (CAST($5 AS TEXT) = '' OR series = $5) AND (CAST($6 AS BIGINT) = 0 OR state = $6) "
    "ORDER BY series, number LIMIT $7"};

const sql::Insert& PutPapers() {
  static const auto& insert =
      *new sql::Insert("funds.insert_paper_receipts", "paper_receipts",
                       {"tenant", "series", "number", "organization", "state", "issued_on",
                        "changed_on", "payer", "amount_fen", "remark"});
  return insert;
}

v1::PaperReceipt ToPaper(const sql::Rows::Row& row) {
  v1::PaperReceipt p;
  p.set_series(row.Get<std::string>(0));
  p.set_number(row.Get<int64_t>(1));
  p.set_organization(row.Get<std::string>(2));
  p.set_state(static_cast<v1::PaperReceiptState>(row.Get<int>(3)));
  p.set_issued_on(row.Get<std::string>(4));
  p.set_changed_on(row.Get<std::string>(5));
  p.set_payer(row.Get<std::string>(6));
  p.set_amount_fen(row.Get<int64_t>(7));
  p.set_remark(row.Get<std::string>(8));
  return p;
}

std::string PaperName(std::string_view tenant, const v1::PaperReceipt& paper) {
  return StrCat("federations/", tenant, "/paperReceipts/", paper.series(), ".", paper.number());
}

absl::Status NoSuchPaper(const v1::AdvancePaperReceiptRequest& request) {
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("the organisation has no such number of series '", request.series(),
                         "'; IssuePaperReceipts gives it some"),
                  StrCat("该工会没有领用“", request.series(), "”的此号票据，请先领用"))
      .With("series", request.series())
      .At("number");
}

absl::Status Forbidden(std::string_view en, std::string_view zh, const v1::PaperReceipt& paper,
                       std::string_view allowed) {
  return FailedPrecondition(common::v1::REASON_STATE_FORBIDS, std::string(en), std::string(zh))
      .With("state", v1::PaperReceiptState_Name(paper.state()))
      .With("allowed", std::string(allowed))
      .At("number");
}

// Whether the paper may take the step. `unused` is the organisation's next unused number.
absl::Status CheckStep(const v1::PaperReceipt& paper, const v1::PaperReceipt& unused,
                       const v1::AdvancePaperReceiptRequest& request) {
  const bool issued = paper.state() == v1::PAPER_RECEIPT_STATE_ISSUED;
  const bool used = paper.state() == v1::PAPER_RECEIPT_STATE_USED;
  const bool voided = paper.state() == v1::PAPER_RECEIPT_STATE_VOIDED;
  if (request.on_date() < paper.changed_on()) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           StrCat("the last step was on ", paper.changed_on(),
                                  "; give that day or a later one"),
                           StrCat("上一步日期为 ", paper.changed_on(), "，请填当日或之后的日期"))
        .At("on_date");
  }
  switch (request.state()) {
    case v1::PAPER_RECEIPT_STATE_USED:
      if (!issued) {
        return Forbidden("the number is used or voided; take the next one",
                         "该号已使用或作废，请用下一号", paper, "next unused number");
      }
      if (paper.number() != unused.number()) {
        return Forbidden(StrCat("numbers are used in order; the next is ", unused.number()),
                         StrCat("票据应按号顺序使用，下一号为 ", unused.number()), paper,
                         StrCat(unused.number()));
      }
      return CheckFen(request.amount_fen(), "amount_fen", true);
    case v1::PAPER_RECEIPT_STATE_VOIDED:
      if (!issued && !used) {
        return Forbidden("only a number not written off can be voided", "已作废或核销的号不能作废",
                         paper, "none");
      }
      return request.remark().empty() ? Missing("remark") : absl::OkStatus();
    case v1::PAPER_RECEIPT_STATE_WRITTEN_OFF:
      if (used || voided) return absl::OkStatus();
      return Forbidden("only used and voided numbers are written off",
                       "只有已使用或作废的号可以核销", paper, "USED, VOIDED");
    default:
      return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                             "the state is USED, VOIDED or WRITTEN_OFF", "状态应为使用、作废或核销")
          .At("state");
  }
}

}  // namespace

absl::StatusOr<v1::IssuePaperReceiptsResponse> PaperReceipts::Issue(
    rpc::Call& call, const v1::IssuePaperReceiptsRequest& request) {
  using Response = v1::IssuePaperReceiptsResponse;
  if (request.count() < 1 || request.count() > kMostAtOnce || request.first() < 0) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           StrCat("1 to ", kMostAtOnce, " numbers are handed out at a time"),
                           StrCat("每次领用 1 至 ", kMostAtOnce, " 号"))
        .At(request.first() < 0 ? "first" : "count");
  }
  return rpc::WriteOnce<Response>(
      *levies_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Response> {
        ASSIGN_OR_RETURN(const sql::Rows found, tx.Run(kNext, {call.federation, request.series()}));
        const int64_t next =
            found.empty() ? std::max<int64_t>(request.first(), 1) : found[0].Get<int64_t>(0);
        if (request.first() != 0 && request.first() != next) {
          return FailedPrecondition(
                     common::v1::REASON_STATE_FORBIDS,
                     StrCat("the next number of the series is ", next, "; a series has no gaps"),
                     StrCat("该系列下一号为 ", next, "，号码不得间断"))
              .With("next", StrCat(next))
              .With("allowed", StrCat(next))
              .At("first");
        }
        std::vector<sql::Args> rows;
        for (int i = 0; i < request.count(); ++i) {
          rows.push_back({call.federation, request.series(), next + i, request.organization(),
                          int64_t{v1::PAPER_RECEIPT_STATE_ISSUED}, request.issued_on(),
                          request.issued_on(), std::string(), int64_t{0}, std::string()});
        }
        Response response;
        response.set_first(next);
        response.set_last(next + request.count() - 1);
        RETURN_IF_ERROR(
            tx.Run(kSetNext, {call.federation, request.series(), response.last() + 1}).status());
        RETURN_IF_ERROR(PutPapers().Run(tx, std::move(rows)));
        feed::v1::Event event;
        event.set_type("gonghui.funds.v1.PaperReceiptsIssued");
        event.add_resources(
            StrCat("federations/", call.federation, "/paperReceipts/", request.series()));
        RETURN_IF_ERROR(feed::Append(tx, call, event));
        return response;
      });
}

absl::StatusOr<v1::PaperReceipt> PaperReceipts::Advance(
    rpc::Call& call, const v1::AdvancePaperReceiptRequest& request) {
  return rpc::WriteOnce<v1::PaperReceipt>(
      *levies_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::PaperReceipt> {
        ASSIGN_OR_RETURN(
            const sql::Rows next,
            tx.Run(kNextUnused, {call.federation, request.organization(), request.series()}));
        v1::PaperReceipt unused;
        if (!next.empty()) unused = ToPaper(next[0]);
        v1::PaperReceipt paper = unused;
        if (request.number() != 0) {
          ASSIGN_OR_RETURN(const sql::Rows found,
                           tx.Run(kFind, {call.federation, request.series(), request.number()}));
          paper = found.empty() ? v1::PaperReceipt() : ToPaper(found[0]);
        }
        if (paper.organization() != request.organization()) return NoSuchPaper(request);
        RETURN_IF_ERROR(CheckStep(paper, unused, request));
        paper.set_state(request.state());
        paper.set_changed_on(request.on_date());
        if (request.state() == v1::PAPER_RECEIPT_STATE_USED) {
          paper.set_payer(request.payer());
          paper.set_amount_fen(request.amount_fen());
        }
        if (!request.remark().empty()) paper.set_remark(request.remark());
        RETURN_IF_ERROR(tx.Run(kUpdate, {call.federation, paper.series(), paper.number(),
                                         int64_t{paper.state()}, paper.changed_on(), paper.payer(),
                                         paper.amount_fen(), paper.remark()})
                            .status());
        feed::v1::Event event;
        event.set_type("gonghui.funds.v1.PaperReceiptAdvanced");
        event.add_resources(PaperName(call.federation, paper));
        RETURN_IF_ERROR(feed::Append(tx, call, event));
        return paper;
      });
}

absl::StatusOr<v1::ListPaperReceiptsResponse> PaperReceipts::List(
    rpc::Call& call, const v1::ListPaperReceiptsRequest& request) {
  ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const auto after, rpc::ReadPageToken(request, request.page_token(), 2));
  int64_t number = 0;
  if (!after.empty() && !ParseInteger(after[1], &number)) return rpc::DamagedPageToken();
  v1::ListPaperReceiptsResponse response;
  RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    ASSIGN_OR_RETURN(
        const sql::Rows rows,
        tx.Run(kList, {call.federation, request.organization(), after.empty() ? "" : after[0],
                       number, request.series(), int64_t{request.state()}, int64_t{size} + 1}));
    for (size_t i = 0; i < rows.size(); ++i) {
      if (i == static_cast<size_t>(size)) {
        response.set_next_page_token(rpc::MakePageToken(
            request, {rows[i - 1].Get<std::string>(0), StrCat(rows[i - 1].Get<int64_t>(1))}));
        break;
      }
      *response.add_paper_receipts() = ToPaper(rows[i]);
    }
    return absl::OkStatus();
  }));
  return response;
}

}  // namespace gonghui::funds
