#include "services/funds/statements.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "common/base/china_time.h"
#include "common/base/date.h"
#include "common/base/money.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/page.h"
#include "services/funds/journal.h"
#include "services/funds/statement_files.h"

namespace gonghui::funds {
namespace {

constexpr std::string_view kBookName = "federations/{federation}/books/{book}";
constexpr int kVouchersAPiece = 1000;

constexpr sql::Query kBooks{
    "funds.books_of_federation",
    "SELECT book_id, organization, display_name FROM books WHERE tenant = $1 ORDER BY book_id"};

absl::Status NoSuchForm(const Charts& charts, std::string_view form) {
  std::string known;
  for (const v1::Form& listed : charts.catalog().statements()) {
    StrAppend(&known, known.empty() ? "" : ", ", listed.form());
  }
  return NotFound(common::v1::REASON_FORM_UNKNOWN,
                  StrCat("There is no statement '", form, "'; known are: ", known, "."),
                  StrCat("没有报表“", form, "”；可用：", known, "。"))
      .With("form", std::string(form));
}

absl::Status OneOrTheOther() {
  return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                         "Name either a book or an organisation.", "请填写账套或组织之一。")
      .At("book");
}

// Leaves out what books of the same subtree owe and pay each other, and tells how much.
class Eliminating {
 public:
  Eliminating(const Charts& charts, const std::set<std::string>& inside) : inside_(inside) {
    for (const v1::Eliminated& rule : charts.catalog().eliminations()) {
      Pair& pair = pairs_.emplace_back();
      pair.rule = &rule;
    }
  }

  // False: the slice is left out. Amounts are told of the statement's last balance or movement.
  bool Keep(const Slice& slice, bool tell) {
    if (!inside_.contains(std::string(ValueOf(slice.dimensions, kCounterpartyKey)))) return true;
    for (Pair& pair : pairs_) {
      const bool payer = IsUnder(slice.account, pair.rule->payer());
      if (!payer && !IsUnder(slice.account, pair.rule->receiver())) continue;
      if (tell && !slice.dimensions.contains(kClosingKey)) {
        const int64_t net = slice.debit_fen - slice.credit_fen;
        // Expenses and claims stand on the debit side, income and debts on the credit side.
        (payer ? pair.payer : pair.receiver) += net < 0 ? -net : net;
      }
      return false;
    }
    return true;
  }

  void Describe(v1::Statement& statement) const {
    for (const Pair& pair : pairs_) {
      if (pair.payer == 0 && pair.receiver == 0) continue;
      v1::Elimination& elimination = *statement.add_eliminations();
      elimination.set_payer_accounts(Join(pair.rule->payer()));
      elimination.set_receiver_accounts(Join(pair.rule->receiver()));
      elimination.set_payer_fen(pair.payer);
      elimination.set_receiver_fen(pair.receiver);
    }
  }

 private:
  struct Pair {
    const v1::Eliminated* rule = nullptr;
    int64_t payer = 0;
    int64_t receiver = 0;
  };
  static std::string Join(const google::protobuf::RepeatedPtrField<std::string>& accounts) {
    std::string joined;
    for (const std::string& account : accounts) {
      StrAppend(&joined, joined.empty() ? "" : ",", account);
    }
    return joined;
  }

  const std::set<std::string>& inside_;
  std::vector<Pair> pairs_;
};

// Adds a book's sums to what the columns take.
absl::Status AddBook(sql::Tx& tx, const std::string& tenant, const std::string& book,
                     const v1::Form& form, const StatementPeriod& period, int64_t known_us,
                     Eliminating* eliminating, Takings& takings) {
  // Slices of movements tell what was eliminated; where a form has balances only, those of its end.
  const std::vector<std::string> wanted = TakingsOf(form, period);
  const bool moves = std::find(wanted.begin(), wanted.end(), "year") != wanted.end();
  for (const std::string& takes : wanted) {
    const auto [from, to] = DaysOf(takes, period);
    ASSIGN_OR_RETURN(std::vector<Slice> slices, SumSlices(tx, tenant, book, {from, to, known_us}));
    std::vector<Slice>& all = takings[takes];
    for (Slice& slice : slices) {
      if (!IsBalance(takes) && slice.dimensions.contains(kClosingKey)) continue;
      const bool tell = takes == (moves ? "year" : "closing");
      if (eliminating != nullptr && !eliminating->Keep(slice, tell)) continue;
      all.push_back(std::move(slice));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::ListStatementFormsResponse> Statements::ListForms(
    rpc::Call& call, const v1::ListStatementFormsRequest& request) {
  v1::ListStatementFormsResponse response;
  for (const v1::Form& form : charts_->catalog().statements()) {
    v1::StatementForm& listed = *response.add_forms();
    listed.set_form(form.form());
    listed.set_title(form.title());
    listed.set_citation(form.citation());
    listed.set_yearly(form.yearly());
  }
  return response;
}

absl::StatusOr<v1::Statement> Statements::OfBook(rpc::Call& call,
                                                 const v1::GetStatementRequest& request,
                                                 const v1::Form& form,
                                                 const StatementPeriod& period) {
  ASSIGN_OR_RETURN(const BookPtr book, books_->FindForCaller(call, request.book()));
  const auto& charts = form.charts();
  const std::string& chart = book->chart->message().name();
  if (!charts.empty() && std::find(charts.begin(), charts.end(), chart) == charts.end()) {
    return FailedPrecondition(
               common::v1::REASON_STATE_FORBIDS,
               StrCat("Statement ", form.form(), " is not made of books on the chart ", chart, "."),
               StrCat("“", book->chart->message().label().zh(), "”的账套不编制", form.title(),
                      "。"))
        .At("form");
  }
  int64_t known_us = 0;
  if (!request.known_on().empty()) {
    ASSIGN_OR_RETURN(const absl::CivilDay day, ParseDate(request.known_on()));
    known_us = DayBeginsMicros(day + 1) - 1;
  }
  Takings takings;
  v1::Book described;
  RETURN_IF_ERROR(host_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    takings.clear();
    ASSIGN_OR_RETURN(described, Books::Read(tx, call, book->id));
    return AddBook(tx, call.federation, book->id, form, period, known_us, nullptr, takings);
  }));
  ASSIGN_OR_RETURN(v1::Statement statement, MakeStatement(form, period, takings));
  statement.set_unit_name(described.display_name());
  statement.set_books(1);
  return statement;
}

absl::StatusOr<v1::Statement> Statements::OfOrganization(rpc::Call& call,
                                                         const v1::GetStatementRequest& request,
                                                         const v1::Form& form,
                                                         const StatementPeriod& period) {
  RETURN_IF_ERROR(call.CheckScope(request.organization()));
  ASSIGN_OR_RETURN(const auto tree, host_.tree->Get(call.federation, request.organization()));
  const tree::Version* top = tree->Find(request.organization(), period.last_day);
  if (top == nullptr) {
    return NotFound(common::v1::REASON_NOT_FOUND,
                    StrCat("There is no organisation '", request.organization(), "' on ",
                           period.last_day, "."),
                    StrCat(period.last_day, " 没有组织“", request.organization(), "”。"))
        .At("organization");
  }
  Takings takings;
  int books = 0;
  std::set<std::string> inside;
  std::unique_ptr<Eliminating> eliminating;
  RETURN_IF_ERROR(host_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    takings.clear();
    inside.clear();
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kBooks, {call.federation}));
    std::vector<std::string> ids;
    for (size_t i = 0; i < rows.size(); ++i) {
      const std::string organization = rows[i].Get<std::string>(1);
      if (!tree->IsAtOrBelow(organization, request.organization(), period.last_day)) continue;
      ids.push_back(rows[i].Get<std::string>(0));
      inside.insert(organization);
    }
    books = static_cast<int>(ids.size());
    eliminating = std::make_unique<Eliminating>(*charts_, inside);
    for (const std::string& id : ids) {
      RETURN_IF_ERROR(
          AddBook(tx, call.federation, id, form, period, 0, eliminating.get(), takings));
    }
    return absl::OkStatus();
  }));
  ASSIGN_OR_RETURN(v1::Statement statement, MakeStatement(form, period, takings));
  statement.set_unit_name(StrCat(top->display_name, "（合并）"));
  statement.set_books(books);
  eliminating->Describe(statement);
  return statement;
}

absl::StatusOr<v1::Statement> Statements::Get(rpc::Call& call,
                                              const v1::GetStatementRequest& request) {
  ASSIGN_OR_RETURN(const StatementPeriod period, ParseStatementPeriod(request.period()));
  const auto& forms = charts_->catalog().statements();
  const auto form = std::find_if(forms.begin(), forms.end(), [&](const v1::Form& listed) {
    return listed.form() == request.form();
  });
  if (form == forms.end()) return NoSuchForm(*charts_, request.form());
  if (form->yearly() && !period.yearly) {
    return InvalidArgument(common::v1::REASON_PERIOD_INVALID,
                           StrCat("Statement ", form->form(), " is made of whole years; ask for ",
                                  period.year, "."),
                           StrCat(form->title(), "按年编制，请用 ", period.year, "。"))
        .At("period");
  }
  if (request.book().empty() == request.organization().empty()) return OneOrTheOther();
  return request.book().empty() ? OfOrganization(call, request, *form, period)
                                : OfBook(call, request, *form, period);
}

absl::StatusOr<v1::ExportStatementResponse> Statements::Export(
    rpc::Call& call, const v1::ExportStatementRequest& request) {
  ASSIGN_OR_RETURN(const v1::Statement statement, Get(call, request.statement()));
  v1::ExportStatementResponse response;
  const bool pdf = request.format() == "pdf";
  ASSIGN_OR_RETURN(*response.mutable_content(),
                   pdf ? StatementPdf(statement) : StatementXlsx(statement));
  response.set_file_name(StrCat(statement.title(), "-", statement.period(), ".", request.format()));
  response.set_media_type(
      pdf ? "application/pdf"
          : "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
  return response;
}

absl::StatusOr<v1::ExportBookResponse> Statements::ExportBook(
    rpc::Call& call, const v1::ExportBookRequest& request) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kBookName, request.parent()));
  ASSIGN_OR_RETURN(const BookPtr book, books_->FindForCaller(call, name.at("book")));
  ASSIGN_OR_RETURN(const auto last, rpc::ReadPageToken(request, request.page_token(), 1));
  VoucherRange range;
  range.from_date = request.from_date();
  range.to_date = request.to_date();
  range.limit = kVouchersAPiece + 1;
  if (!last.empty()) {
    ASSIGN_OR_RETURN(range.after, VoucherKey::FromId(last[0]));
  }
  std::vector<v1::Voucher> vouchers;
  RETURN_IF_ERROR(host_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(vouchers, LoadVouchers(tx, call.federation, book->id, range));
    return absl::OkStatus();
  }));
  v1::ExportBookResponse response;
  if (vouchers.size() > kVouchersAPiece) {
    vouchers.resize(kVouchersAPiece);
    const std::string id(LeafOf(vouchers.back().name()));
    response.set_next_page_token(rpc::MakePageToken(request, {id}));
  }
  if (last.empty()) {
    ASSIGN_OR_RETURN(*response.mutable_journal(), JournalHead(*book));
  }
  for (const v1::Voucher& voucher : vouchers) {
    RETURN_IF_ERROR(AppendToJournal(*book, voucher, *response.mutable_journal()));
  }
  return response;
}

}  // namespace gonghui::funds
