// Accounts of their own, journal, closed months, money kept apart, reversal, and reconciliation
// with the bank, at three levels.
#include "gonghui/funds/v1/bank.pb.h"
#include "tests/acceptance/funds_registry.h"

namespace gonghui::district {
namespace {

namespace v1 = funds::v1;

constexpr char kAccount[] = "federations/demo/bankAccounts/ZH-1";

struct Line {
  std::string account;
  int64_t fen;  // Above 0: debit.
  Fields dimensions = {};
};

std::string NextId() {
  static int serial = 0;
  return absl::StrCat("ledger-", ++serial);
}

template <typename Response, typename Request>
absl::StatusOr<Response> Call(const rpc::Client& client, const std::string& method,
                              Request request) {
  request.set_request_id(NextId());
  return client.Invoke<Response>(absl::StrCat("/gonghui.funds.v1.", method), request);
}

std::string BookName(const std::string& book) {
  return absl::StrCat("federations/demo/books/", book);
}

absl::StatusOr<v1::Voucher> Post(const rpc::Client& client, const std::string& book,
                                 const std::string& on_date, const std::vector<Line>& lines) {
  v1::PostVoucherRequest request;
  request.set_parent(BookName(book));
  request.mutable_voucher()->set_on_date(on_date);
  request.mutable_voucher()->set_memo("记账");
  for (const Line& line : lines) {
    v1::Entry& entry = *request.mutable_voucher()->add_entries();
    entry.set_account(line.account);
    (line.fen > 0 ? entry.set_debit_fen(line.fen) : entry.set_credit_fen(-line.fen));
    entry.mutable_dimensions()->insert(line.dimensions.begin(), line.dimensions.end());
  }
  return Call<v1::Voucher>(client, "LedgerService/PostVoucher", request);
}

void ReverseOn(const rpc::Client& client, const v1::Voucher& voucher, const std::string& on_date) {
  v1::ReverseVoucherRequest request;
  request.set_name(voucher.name());
  request.set_on_date(on_date);
  request.set_reason("注销错误凭证");
  EXPECT_THAT(Call<v1::Voucher>(client, "LedgerService/ReverseVoucher", request), IsOk());
}

// For good.
void CloseMonth(const rpc::Client& client, const std::string& book, const std::string& month) {
  v1::CloseMonthRequest request;
  request.set_name(BookName(book));
  request.set_month(month);
  request.set_hard(true);
  EXPECT_THAT(Call<v1::CloseMonthResponse>(client, "LedgerService/CloseMonth", request), IsOk());
}

// Lines of ZH-1 and the bank's balance at the end of a month.
void Statement(const rpc::Client& client, const std::string& last_day, int64_t balance_fen,
               const std::vector<std::pair<std::string, int64_t>>& lines) {
  v1::ImportBankLinesRequest request;
  request.set_parent(kAccount);
  for (const auto& [on_date, fen] : lines) {
    v1::BankLine& line = *request.add_lines();
    line.set_reference(NextId());
    line.set_on_date(on_date);
    line.set_amount_fen(fen);
  }
  request.add_balances()->set_on_date(last_day);
  request.mutable_balances(0)->set_balance_fen(balance_fen);
  auto answer = Call<v1::ImportBankLinesResponse>(client, "BankService/ImportBankLines", request);
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->added(), static_cast<int>(lines.size())) << answer->DebugString();
}

absl::StatusOr<v1::Reconciliation> Confirm(const rpc::Client& client, const std::string& month) {
  v1::ConfirmReconciliationRequest request;
  request.set_name(kAccount);
  request.set_month(month);
  return Call<v1::Reconciliation>(client, "BankService/ConfirmReconciliation", request);
}

TEST_F(FundsRegistry, S27_AccountsOfTheirOwn) {
  service_ = "gonghui.membership.v1.RegisterService";
  for (const char* organization : {"D01", "T01", "E01", "E02"}) {
    const std::string name = New("legal_person", organization, "2021-01-05",
                                 {{"representative", "张三"}, {"ends_on", "2025-12-31"}});
    ASSERT_THAT(Step(name, "grant", "2021-01-10", {{"certificate_no", "工法证字第1号"}}), IsOk());
  }
  service_ = "gonghui.funds.v1.BenefitService";
  const auto open = [&](const std::string& number, const std::string& organization,
                        const Fields& more) {
    Fields fields = {
        {"number", number}, {"bank", "某银行"}, {"separate", "true"}, {"book", organization}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("bank_account", organization, "2021-01-01", fields);
  };
  OpenBook("D01", "county-2022");
  OpenBook("T01", "county-2022");
  OpenBook("E01", "grassroots-2022");
  const Fields certified = {{"certificate_no", "工法证字第1号"}};
  ASSERT_OK_AND_ASSIGN(const Record basic, open("ZH-1", "E01", certified));
  // A second basic account, the same entries twice, or a whole number are refused.
  EXPECT_THAT(open("ZH-2", "E01", {{"account", "10202"}}), Refused("one_basic_account"));
  EXPECT_THAT(open("ZH-2", "E01", {{"class", "special"}}),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "fields.account"));
  EXPECT_THAT(open("ZH-3", "D01", {{"last_digits", "6222020200112233"}}),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "fields.last_digits"));
  ASSERT_THAT(open("ZH-3", "D01", certified), IsOk());
  // One that others use as well is no account of its own.
  ASSERT_THAT(open("ZH-4", "T01", {{"separate", "false"}}), IsOk());
  EXPECT_EQ(Figures("separate_account_rate", "2021Q1"), "100 33.33 50");
  ASSERT_THAT(Step(basic.name(), "close", "2021-05-31"), IsOk());
  ASSERT_THAT(open("ZH-5", "E01", {{"certificate_no", "1"}, {"class", "general"}}), IsOk());
  EXPECT_EQ(Figures("bank_accounts_open", "2021-05"), "1 2 3");
  EXPECT_EQ(Figures("bank_accounts_open", "2021-04"), "2 3 4");
  EXPECT_EQ(Figures("bank_accounts_open", "2021-04", "class=basic"), "1 2 3");
  EXPECT_EQ(Figures("separate_account_unions", "2021-04"), "1 1 2");  // E01 once.
  EXPECT_EQ(Figures("separate_account_unions", "2021-05"), "1 1 2");
}

TEST_F(FundsRegistry, S27_FromTheJournalToTheReconciliation) {
  OpenBook("D01", "county-2022");
  OpenBook("T01", "county-2022");
  OpenBook("E01", "grassroots-2022");
  New("bank_account", "E01", "2021-01-01",
      {{"number", "ZH-1"}, {"bank", "某银行"}, {"separate", "true"}, {"book", "E01"}});
  ASSERT_THAT(Post(*admin_, "D01", "2021-01-05", {{"102", 5'000'000}, {"402", -5'000'000}}),
              IsOk());
  ASSERT_THAT(Post(*admin_, "T01", "2021-01-05", {{"102", 2'000'000}, {"402", -2'000'000}}),
              IsOk());
  ASSERT_OK_AND_ASSIGN(const v1::Voucher doubled,
                       Post(*admin_, "T01", "2021-03-20", {{"102", 100'000}, {"402", -100'000}}));
  EXPECT_THAT(Post(*admin_, "E01", "2021-01-05", {{"102", 1'000'000}, {"402", -999'999}}),
              HasReason(common::v1::REASON_VOUCHER_UNBALANCED));
  ASSERT_THAT(Post(*admin_, "E01", "2021-01-05", {{"102", 1'000'000}, {"402", -1'000'000}}),
              IsOk());
  ASSERT_THAT(Post(*admin_, "E01", "2021-03-10", {{"50102", 250'000}, {"102", -250'000}}), IsOk());
  ASSERT_THAT(Post(*admin_, "E01", "2021-03-20", {{"101", 50'000}, {"102", -50'000}}), IsOk());
  ASSERT_OK_AND_ASSIGN(const v1::Voucher wrong,
                       Post(*admin_, "E01", "2021-03-12", {{"102", 9'999}, {"408", -9'999}}));
  ReverseOn(*admin_, wrong, "2021-03-15");
  ReverseOn(*admin_, doubled, "2021-04-05");
  // Earmarked money: for its purpose, and no more than came in.
  RegisterFund("E01", "ZX-01", "50404");
  const Fields fund = {{"fund", "ZX-01"}};
  const Fields spent = {{"fund", "ZX-01"}, {"restricted", "yes"}};
  ASSERT_THAT(Post(*admin_, "E01", "2021-03-02", {{"102", 300'000}, {"40302", -300'000, fund}}),
              IsOk());
  EXPECT_THAT(Post(*admin_, "E01", "2021-03-31", {{"50102", 100'000, spent}, {"102", -100'000}}),
              HasReason(common::v1::REASON_FUND_RESTRICTED));
  EXPECT_THAT(Post(*admin_, "E01", "2021-03-31", {{"50404", 300'001, spent}, {"102", -300'001}}),
              HasReason(common::v1::REASON_FUND_RESTRICTED));
  ASSERT_THAT(Post(*admin_, "E01", "2021-03-31", {{"50404", 100'000, spent}, {"102", -100'000}}),
              IsOk());
  CloseMonth(*admin_, "E01", "2021-03");
  EXPECT_THAT(Post(*admin_, "E01", "2021-03-31", {{"102", 1}, {"402", -1}}),
              HasReason(common::v1::REASON_PERIOD_CLOSED));
  // What went from the bank to the till and what was reversed changed nothing; closing neither.
  EXPECT_EQ(Figures("cash_balance", "2021-01"), "10000 30000 80000");
  EXPECT_EQ(Figures("cash_balance", "2021Q1"), "9500 30500 80500");
  EXPECT_EQ(Figures("cash_balance", "2021H1"), "9500 29500 79500");
  EXPECT_THAT(Balances("E01"), ::testing::Contains(::testing::Pair("102", 900'000)));

  Statement(*admin_, "2021-01-31", 1'000'000, {{"2021-01-06", 1'000'000}});
  Statement(*admin_, "2021-02-28", 1'000'000, {});
  Statement(*admin_, "2021-03-31", 998'800,
            {{"2021-03-02", 300'000},
             {"2021-03-11", -250'000},
             {"2021-03-20", -50'000},
             {"2021-03-30", -1'200}});  // A fee that nobody booked.
  v1::MatchBankLinesRequest match;
  match.set_parent(kAccount);
  ASSERT_OK_AND_ASSIGN(const auto matched, Call<v1::MatchBankLinesResponse>(
                                               *admin_, "BankService/MatchBankLines", match));
  EXPECT_EQ(matched.matched_size(), 4);
  EXPECT_EQ(matched.unmatched(), 1);
  EXPECT_THAT(Confirm(Person("checker"), "2021-03"), HasReason(common::v1::REASON_STATE_FORBIDS));
  EXPECT_THAT(Confirm(*admin_, "2021-01"),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));  // Who posted and imported.
  ASSERT_THAT(Confirm(Person("checker"), "2021-01"), IsOk());
  ASSERT_THAT(Confirm(Person("checker"), "2021-02"), IsOk());
  ASSERT_OK_AND_ASSIGN(const v1::Reconciliation march, Confirm(Person("checker"), "2021-03"));
  EXPECT_EQ(march.book_balance_fen(), 900'000);
  EXPECT_EQ(march.bank_balance_fen(), 998'800);
  EXPECT_EQ(march.bank_paid().amount_fen(), -1'200);
  EXPECT_EQ(march.book_paid().amount_fen(), -100'000);
  EXPECT_EQ(march.bank_received().count() + march.book_received().count(), 0);
  EXPECT_EQ(march.adjusted_book_fen(), 898'800);
  EXPECT_EQ(march.adjusted_bank_fen(), 898'800);
  EXPECT_EQ(march.confirmed_by(), "checker");
}

}  // namespace
}  // namespace gonghui::district
