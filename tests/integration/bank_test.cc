// Bank accounts, lines of statements, matching and monthly reconciliation.
#include <algorithm>

#include "gonghui/funds/v1/bank.pb.h"
#include "tests/integration/ledger_suite.h"

namespace gonghui::funds {
namespace {

using ::testing::ElementsAre;
using testing::HasReason;
using testing::HasReasonAt;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::SizeIs;

class BankTest : public LedgerTest {
 protected:
  void SetUp() override {
    LedgerTest::SetUp();
    OpenBook("E01");
    record_ = Account("ZH-1", {});
  }

  template <typename Response, typename Request>
  static absl::StatusOr<Response> Ask(const rpc::Client& client, std::string_view method,
                                      const Request& request) {
    return client.Invoke<Response>(StrCat("/gonghui.funds.v1.BankService/", method), request);
  }
  static std::string AccountName(std::string_view id = "ZH-1") {
    return StrCat(kDemo, "/bankAccounts/", id);
  }

  // A bank account of E01; its record's name.
  static common::v1::CreateRecordRequest AccountRequest(
      std::string_view number, const std::map<std::string, std::string>& more) {
    std::map<std::string, std::string> fields = {
        {"bank", "某银行"}, {"separate", "true"}, {"book", "E01"}, {"class", "basic"}};
    for (const auto& [key, value] : more) fields[key] = value;
    common::v1::CreateRecordRequest request;
    request.set_parent(std::string(kDemo));
    request.set_request_id(NextId());
    common::v1::Record& record = *request.mutable_record();
    record.set_kind("bank_account");
    record.set_organization("E01");
    record.set_number(std::string(number));
    record.set_on_date("2024-01-01");
    for (const auto& [key, value] : fields) (*record.mutable_fields())[key] = value;
    return request;
  }
  static absl::StatusOr<common::v1::Record> TryAccount(
      std::string_view number, const std::map<std::string, std::string>& more) {
    return Accountant()->Invoke<common::v1::Record>(StrCat(kBenefits, "CreateRecord"),
                                                    AccountRequest(number, more));
  }
  static std::string Account(std::string_view number,
                             const std::map<std::string, std::string>& more) {
    auto record = TryAccount(number, more);
    EXPECT_THAT(record, IsOk());
    return record.ok() ? record->name() : "";
  }

  // Money that came in (above 0) or went out; the id of the voucher.
  static std::string Entered(std::string_view on_date, int64_t fen, const rpc::Client& client,
                             std::string_view account = "102") {
    const std::string cash(account);
    auto posted = Post("E01",
                       fen > 0 ? VoucherOf(on_date, {{cash, fen, 0}, {"402", 0, fen}})
                               : VoucherOf(on_date, {{"50102", -fen, 0}, {cash, 0, -fen}}),
                       client);
    EXPECT_THAT(posted, IsOk());
    return posted.ok() ? posted->name() : "";
  }
  static std::string Entered(std::string_view on_date, int64_t fen) {
    return Entered(on_date, fen, *Accountant());
  }

  static v1::BankLine Line(const std::string& reference, const std::string& on_date, int64_t fen) {
    v1::BankLine line;
    line.set_reference(reference);
    line.set_on_date(on_date);
    line.set_amount_fen(fen);
    line.set_memo("转账");
    return line;
  }
  static v1::ImportBankLinesRequest File(const std::vector<v1::BankLine>& lines) {
    v1::ImportBankLinesRequest request;
    request.set_parent(AccountName());
    request.set_request_id(NextId());
    for (const v1::BankLine& line : lines) *request.add_lines() = line;
    return request;
  }
  static absl::StatusOr<v1::ImportBankLinesResponse> Import(
      const v1::ImportBankLinesRequest& request, const rpc::Client& client) {
    return Ask<v1::ImportBankLinesResponse>(client, "ImportBankLines", request);
  }
  static absl::StatusOr<v1::ImportBankLinesResponse> Import(
      const v1::ImportBankLinesRequest& request) {
    return Import(request, *Accountant());
  }
  static void State(const std::string& on_date, int64_t fen) {
    v1::ImportBankLinesRequest request = File({});
    request.add_balances()->set_on_date(on_date);
    request.mutable_balances(0)->set_balance_fen(fen);
    ASSERT_THAT(Import(request), IsOk());
  }

  static std::vector<v1::BankLine> Lines(v1::ListBankLinesRequest request = {}) {
    request.set_parent(AccountName());
    auto listed = Ask<v1::ListBankLinesResponse>(*Accountant(), "ListBankLines", request);
    EXPECT_THAT(listed, IsOk());
    if (!listed.ok()) return {};
    return {listed->lines().begin(), listed->lines().end()};
  }
  static std::string NameOf(std::string_view reference) {
    for (const v1::BankLine& line : Lines()) {
      if (line.reference() == reference) return line.name();
    }
    return "";
  }

  static v1::MatchBankLinesResponse MatchAll(bool validate_only = false) {
    v1::MatchBankLinesRequest request;
    request.set_parent(AccountName());
    request.set_validate_only(validate_only);
    request.set_request_id(NextId());
    auto answer = Ask<v1::MatchBankLinesResponse>(*Accountant(), "MatchBankLines", request);
    EXPECT_THAT(answer, IsOk());
    return answer.ok() ? *answer : v1::MatchBankLinesResponse();
  }
  static absl::StatusOr<v1::BankLine> Match(const std::string& line,
                                            const std::vector<std::string>& vouchers) {
    v1::MatchBankLineRequest request;
    request.set_name(line);
    for (const std::string& voucher : vouchers) request.add_entries()->set_voucher(voucher);
    request.set_request_id(NextId());
    return Ask<v1::BankLine>(*Accountant(), "MatchBankLine", request);
  }
  static absl::StatusOr<v1::BankLine> Unmatch(const std::string& line) {
    v1::UnmatchBankLineRequest request;
    request.set_name(line);
    request.set_reason("勾错");
    request.set_request_id(NextId());
    return Ask<v1::BankLine>(*Accountant(), "UnmatchBankLine", request);
  }

  static v1::Reconciliation Reconciled(const std::string& month) {
    v1::GetReconciliationRequest request;
    request.set_name(AccountName());
    request.set_month(month);
    auto answer = Ask<v1::Reconciliation>(*Accountant(), "GetReconciliation", request);
    EXPECT_THAT(answer, IsOk());
    return answer.ok() ? *answer : v1::Reconciliation();
  }
  static absl::StatusOr<v1::Reconciliation> Confirm(const std::string& month,
                                                    const rpc::Client& client) {
    v1::ConfirmReconciliationRequest request;
    request.set_name(AccountName());
    request.set_month(month);
    request.set_request_id(NextId());
    return Ask<v1::Reconciliation>(client, "ConfirmReconciliation", request);
  }
  static absl::StatusOr<v1::Reconciliation> Confirm(const std::string& month) {
    return Confirm(month, *As("accountant", "E01"));  // Not who posts and imports.
  }

  static std::vector<std::string> References(
      const google::protobuf::RepeatedPtrField<v1::BankLine>& lines) {
    std::vector<std::string> references;
    for (const v1::BankLine& line : lines) references.push_back(line.reference());
    std::sort(references.begin(), references.end());
    return references;
  }

  std::string record_;
};

TEST_P(BankTest, AnAccountIsItsEntriesInTheBook) {
  EXPECT_THAT(TryAccount("A/1", {{"class", "general"}}),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "number"));
  const auto fails = [](const std::map<std::string, std::string>& more) {
    std::map<std::string, std::string> fields = {{"class", "general"}, {"account", "10202"}};
    for (const auto& [key, value] : more) fields[key] = value;
    return TryAccount("ZH-2", fields);
  };
  EXPECT_THAT(fails({{"last_digits", "6222020200112233"}}),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "fields.last_digits"));
  EXPECT_THAT(fails({{"book", "E99"}}),
              HasReasonAt(common::v1::REASON_REFERENCE_NOT_FOUND, "fields.book"));
  EXPECT_THAT(fails({{"account", "999"}}),
              HasReasonAt(common::v1::REASON_ACCOUNT_UNKNOWN, "fields.account"));
  EXPECT_THAT(fails({{"account", "135"}}),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "fields.account"));
  EXPECT_THAT(fails({{"dimension", "nothing"}, {"dimension_value", "x"}}),
              HasReason(common::v1::REASON_DIMENSION_INVALID));
  EXPECT_THAT(fails({{"class", "basic"}}), HasReason(common::v1::REASON_LIMIT_EXCEEDED));
  // 102 holds 10202 as well.
  EXPECT_THAT(fails({}), HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "fields.account"));
  ASSERT_THAT(Step(*Accountant(), record_, "close", "2024-06-30"), IsOk());
  const std::string custody =
      Account("ZH-2", {{"dimension", "custody"}, {"dimension_value", "互助"}, {"account", "102"}});
  ASSERT_THAT(fails({{"account", "102"}, {"dimension", "custody"}, {"dimension_value", "互助"}}),
              HasReason(common::v1::REASON_ALREADY_EXISTS));
  v1::ListBankAccountsRequest request;
  request.set_parent(std::string(kDemo));
  request.set_organization("T01");
  request.set_page_size(1);
  ASSERT_OK_AND_ASSIGN(
      auto page, Ask<v1::ListBankAccountsResponse>(*Accountant(), "ListBankAccounts", request));
  ASSERT_THAT(page.accounts(), SizeIs(1));
  EXPECT_EQ(page.accounts(0).name(), AccountName());
  EXPECT_EQ(page.accounts(0).closed_on(), "2024-06-30");
  request.set_page_token(page.next_page_token());
  ASSERT_OK_AND_ASSIGN(
      page, Ask<v1::ListBankAccountsResponse>(*Accountant(), "ListBankAccounts", request));
  ASSERT_THAT(page.accounts(), SizeIs(1));
  EXPECT_EQ(page.accounts(0).dimension_value(), "互助");
  // What has lines stays what it is.
  v1::ImportBankLinesRequest file = File({Line("1", "2024-02-01", 100)});
  file.set_parent(AccountName("ZH-2"));
  ASSERT_THAT(Import(file), IsOk());
  common::v1::CancelRecordRequest cancel;
  cancel.set_name(custody);
  cancel.set_remark("误录");
  EXPECT_THAT(Accountant()->Invoke<common::v1::Record>(StrCat(kBenefits, "CancelRecord"), cancel),
              HasReason(common::v1::REASON_STATE_FORBIDS));
  cancel.set_name(record_);
  EXPECT_THAT(Accountant()->Invoke<common::v1::Record>(StrCat(kBenefits, "CancelRecord"), cancel),
              HasReason(common::v1::REASON_STATE_FORBIDS));  // Closed: locked.
}

TEST_P(BankTest, AFileSentTwiceDoublesNothing) {
  const auto file = File({Line("A1", "2024-01-05", 10'000), Line("A2", "2024-01-06", -2'500)});
  v1::ImportBankLinesRequest tried = file;
  tried.set_validate_only(true);
  ASSERT_OK_AND_ASSIGN(auto answer, Import(tried));
  EXPECT_EQ(answer.added(), 2);
  EXPECT_THAT(Lines(), IsEmpty());
  ASSERT_OK_AND_ASSIGN(answer, Import(file));
  EXPECT_EQ(answer.added(), 2);
  ASSERT_OK_AND_ASSIGN(answer, Import(file));  // The same request.
  EXPECT_EQ(answer.added(), 2);
  v1::ImportBankLinesRequest again = file;
  again.set_request_id(NextId());
  *again.add_lines() = Line("A3", "2024-01-07", 1);
  ASSERT_OK_AND_ASSIGN(answer, Import(again));
  EXPECT_EQ(answer.added(), 1);
  EXPECT_EQ(answer.known(), 2);
  EXPECT_THAT(Lines(), SizeIs(3));
  // Every bad line is told, and nothing of the file is written.
  const auto bad =
      File({Line("B1", "2024-01-08", 5), Line("B1", "2024-01-08", 6), Line("A1", "2024-01-05", 9),
            Line("B2", "2024-01-08", 0), Line("", "2024-01-08", 1), Line("B3", "2023-12-31", 1),
            Line("B4", "2999-01-01", 1), Line("B5", "2024-13-01", 1)});
  ASSERT_OK_AND_ASSIGN(answer, Import(bad));
  std::vector<std::string> faults;
  for (const auto& failure : answer.failures()) {
    faults.push_back(StrCat(failure.index(), " ", failure.reason(), " ", failure.field()));
    EXPECT_FALSE(failure.message_zh().empty());
  }
  EXPECT_THAT(faults, ElementsAre("1 DUPLICATE_IN_REQUEST reference", "2 ALREADY_EXISTS reference",
                                  "3 AMOUNT_INVALID amount_fen", "4 FIELD_REQUIRED reference",
                                  "5 FIELD_INVALID on_date", "6 FIELD_INVALID on_date",
                                  "7 FIELD_INVALID on_date"));
  EXPECT_THAT(Lines(), SizeIs(3));
  EXPECT_THAT(Import(File({})), HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "lines"));
  // Pages and filters.
  v1::ListBankLinesRequest list;
  list.set_parent(AccountName());
  list.set_page_size(2);
  ASSERT_OK_AND_ASSIGN(const auto page,
                       Ask<v1::ListBankLinesResponse>(*Accountant(), "ListBankLines", list));
  EXPECT_THAT(References(page.lines()), ElementsAre("A1", "A2"));
  list.set_page_token(page.next_page_token());
  EXPECT_THAT(Lines(list), SizeIs(1));
  list.Clear();
  list.set_from_date("2024-01-06");
  list.set_amount_fen(-2'500);
  list.set_state(v1::BANK_LINE_STATE_OPEN);
  EXPECT_THAT(Lines(list), SizeIs(1));
  list.set_state(v1::BANK_LINE_STATE_MATCHED);
  EXPECT_THAT(Lines(list), IsEmpty());
}

TEST_P(BankTest, OnlyWhatIsCertainIsMatchedByItself) {
  ASSERT_THAT(Import(File({Line("near", "2024-02-05", 10'000), Line("far", "2024-02-20", 20'000),
                           Line("out", "2024-02-05", -10'000), Line("two", "2024-02-10", 500),
                           Line("first", "2024-02-10", 700), Line("second", "2024-02-12", 700)})),
              IsOk());
  Entered("2024-02-07", 10'000);  // Nearer than the next one.
  Entered("2024-02-01", 10'000);
  Entered("2024-02-12", 20'000);  // Eight days before.
  Entered("2024-02-06", -10'000);
  Entered("2024-02-09", 500);  // As near as the next one.
  Entered("2024-02-11", 500);
  Entered("2024-02-10", 700);
  Entered("2024-02-13", 700);
  const v1::MatchBankLinesResponse tried = MatchAll(true);
  EXPECT_THAT(References(tried.matched()), ElementsAre("first", "near", "out", "second"));
  EXPECT_THAT(Lines(), SizeIs(6));
  for (const v1::BankLine& line : Lines()) EXPECT_EQ(line.state(), v1::BANK_LINE_STATE_OPEN);
  const v1::MatchBankLinesResponse answer = MatchAll();
  EXPECT_THAT(References(answer.matched()), ElementsAre("first", "near", "out", "second"));
  ASSERT_THAT(References(answer.ambiguous()), ElementsAre("two"));
  EXPECT_THAT(answer.ambiguous(0).entries(), SizeIs(2));
  EXPECT_EQ(answer.unmatched(), 1);
  for (const v1::BankLine& line : Lines()) {
    if (line.reference() != "near") continue;
    EXPECT_EQ(line.entries(0).on_date(), "2024-02-07");
    EXPECT_EQ(line.matched_on(), "2024-02-07");
    EXPECT_EQ(line.matched_by(), "accountant-D01");
  }
  EXPECT_THAT(MatchAll().matched(), IsEmpty());
}

TEST_P(BankTest, ALineIsMatchedByHandWithSeveralEntries) {
  ASSERT_THAT(Import(File({Line("sum", "2024-03-05", 300), Line("other", "2024-03-05", 100)})),
              IsOk());
  const std::string one = Entered("2024-03-05", 100);
  const std::string two = Entered("2024-03-30", 200);
  const std::string sum = NameOf("sum");
  EXPECT_THAT(Match(sum, {one}), HasReasonAt(common::v1::REASON_FIELD_INVALID, "entries"));
  EXPECT_THAT(Match(sum, {one, one, one}), HasReason(common::v1::REASON_DUPLICATE_IN_REQUEST));
  EXPECT_THAT(Match(sum, {one, StrCat(kDemo, "/books/E01/vouchers/202403-99")}),
              HasReasonAt(common::v1::REASON_REFERENCE_NOT_FOUND, "entries[1].voucher"));
  EXPECT_THAT(Match(sum, {StrCat(kDemo, "/books/E02/vouchers/202403-1")}),
              HasReason(common::v1::REASON_REFERENCE_NOT_FOUND));
  EXPECT_THAT(Match(sum, {}), HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "entries"));
  ASSERT_OK_AND_ASSIGN(const auto matched, Match(sum, {one, two}));
  EXPECT_THAT(matched.entries(), SizeIs(2));
  EXPECT_EQ(matched.matched_on(), "2024-03-30");
  EXPECT_THAT(Match(sum, {one, two}), HasReason(common::v1::REASON_STATE_FORBIDS));
  EXPECT_THAT(Match(NameOf("other"), {one}), HasReason(common::v1::REASON_STATE_FORBIDS));
  EXPECT_THAT(MatchAll().matched(), IsEmpty());
  // Of a voucher with two entries on the account the one that is meant must be told.
  ASSERT_OK_AND_ASSIGN(
      const auto twice,
      Post("E01", VoucherOf("2024-03-06", {{"102", 100, 0}, {"102", 50, 0}, {"402", 0, 150}})));
  EXPECT_THAT(Match(NameOf("other"), {twice.name()}),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "entries[0].voucher"));
  v1::UnmatchBankLineRequest no_reason;
  no_reason.set_name(sum);
  no_reason.set_request_id(NextId());
  EXPECT_THAT(Ask<v1::BankLine>(*Accountant(), "UnmatchBankLine", no_reason),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "reason"));
  ASSERT_OK_AND_ASSIGN(const auto open, Unmatch(sum));
  EXPECT_EQ(open.state(), v1::BANK_LINE_STATE_OPEN);
  EXPECT_EQ(open.unmatch_reason(), "勾错");
  EXPECT_THAT(Unmatch(sum), HasReason(common::v1::REASON_STATE_FORBIDS));
  EXPECT_THAT(References(MatchAll().matched()), ElementsAre("other"));
}

TEST_P(BankTest, OutstandingItemsExplainTheDifference) {
  ASSERT_THAT(
      Import(File({Line("open", "2024-01-02", 100'000), Line("fee", "2024-04-29", -1'000),
                   Line("interest", "2024-04-30", 250), Line("paid", "2024-04-10", -30'000)})),
      IsOk());
  Entered("2024-01-02", 100'000);
  Entered("2024-04-10", -30'000);
  Entered("2024-04-30", -7'000);  // A cheque that is not cashed yet.
  Entered("2024-04-30", 4'000);
  const std::string wrong = Entered("2024-04-15", 9'999);
  v1::ReverseVoucherRequest reverse;
  reverse.set_name(wrong);
  reverse.set_on_date("2024-04-20");
  reverse.set_reason("注销错误凭证");
  reverse.set_request_id(NextId());
  ASSERT_THAT(Accountant()->Invoke<v1::Voucher>(StrCat(kLedger, "ReverseVoucher"), reverse),
              IsOk());
  EXPECT_THAT(MatchAll().matched(), SizeIs(2));
  v1::Reconciliation april = Reconciled("2024-04");
  EXPECT_EQ(april.book_balance_fen(), 67'000);
  EXPECT_EQ(april.bank_balance_fen(), 69'250);  // By the lines.
  EXPECT_FALSE(april.stated());
  EXPECT_THAT(References(april.bank_received().lines()), ElementsAre("interest"));
  EXPECT_THAT(References(april.bank_paid().lines()), ElementsAre("fee"));
  EXPECT_EQ(april.bank_paid().amount_fen(), -1'000);
  ASSERT_THAT(april.book_received().entries(), SizeIs(1));  // Without the reversed voucher.
  EXPECT_EQ(april.book_received().entries(0).amount_fen(), 4'000);
  EXPECT_EQ(april.book_paid().amount_fen(), -7'000);
  EXPECT_EQ(april.adjusted_book_fen(), 66'250);
  EXPECT_EQ(april.adjusted_bank_fen(), 66'250);
  EXPECT_TRUE(april.agrees());
  EXPECT_EQ(april.overdue().count(), 0);
  State("2024-04-30", 69'249);
  april = Reconciled("2024-04");
  EXPECT_TRUE(april.stated());
  EXPECT_FALSE(april.agrees());
  State("2024-04-30", 69'250);
  EXPECT_TRUE(Reconciled("2024-04").agrees());
  ASSERT_THAT(Import(File({Line("cash", "2024-05-03", -7'000)})), IsOk());
  EXPECT_THAT(MatchAll().matched(), SizeIs(1));
  EXPECT_EQ(Reconciled("2024-04").book_paid().count(), 1);  // It was outstanding then.
  const v1::Reconciliation june = Reconciled("2024-06");
  EXPECT_EQ(june.bank_balance_fen(), 62'250);  // As stated for April, and the line since.
  EXPECT_EQ(june.book_paid().count(), 0);
  EXPECT_EQ(june.overdue_months(), 2);
  EXPECT_EQ(june.overdue().count(), 3);
  EXPECT_EQ(june.overdue().amount_fen(), 3'250);
}

TEST_P(BankTest, MonthsAreConfirmedInOrderBySomebodyElse) {
  ASSERT_THAT(Import(File({Line("1", "2024-01-10", 1'000), Line("2", "2024-02-10", 2'000),
                           Line("3", "2024-01-20", -10)})),
              IsOk());
  Entered("2024-01-10", 1'000);
  Entered("2024-02-10", 2'000);
  EXPECT_THAT(MatchAll().matched(), SizeIs(2));
  EXPECT_THAT(Confirm("2024-02"), HasReasonAt(common::v1::REASON_STATE_FORBIDS, "month"));
  EXPECT_THAT(Confirm("2024-13"), HasReasonAt(common::v1::REASON_PERIOD_INVALID, "month"));
  EXPECT_THAT(Confirm("2999-01"), HasReason(common::v1::REASON_PERIOD_NOT_OVER));
  EXPECT_THAT(Confirm("2024-01"), HasReason(common::v1::REASON_STATE_FORBIDS));  // Not stated.
  State("2024-01-31", 989);
  EXPECT_THAT(Confirm("2024-01"), HasReason(common::v1::REASON_STATE_FORBIDS));  // Differs.
  State("2024-01-31", 990);
  EXPECT_THAT(Confirm("2024-01", *Accountant()),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  EXPECT_THAT(Confirm("2024-01", *As("bookkeeper", "E01")),
              HasReason(common::v1::REASON_PERMISSION_MISSING));
  ASSERT_OK_AND_ASSIGN(const auto january, Confirm("2024-01"));
  EXPECT_TRUE(january.confirmed());
  EXPECT_EQ(january.confirmed_by(), "accountant-E01");
  EXPECT_GT(january.confirm_time_us(), 0);
  EXPECT_THAT(Confirm("2024-01"), HasReason(common::v1::REASON_STATE_FORBIDS));
  // The month is locked: its matches, its lines, its balance; what is known is still known.
  EXPECT_THAT(Unmatch(NameOf("1")), HasReason(common::v1::REASON_STATE_FORBIDS));
  ASSERT_OK_AND_ASSIGN(const auto late, Import(File({Line("4", "2024-01-31", 5)})));
  ASSERT_THAT(late.failures(), SizeIs(1));
  EXPECT_EQ(late.failures(0).reason(), "PERIOD_CLOSED");
  ASSERT_OK_AND_ASSIGN(const auto known, Import(File({Line("1", "2024-01-10", 1'000)})));
  EXPECT_EQ(known.known(), 1);
  v1::ImportBankLinesRequest balance = File({});
  balance.add_balances()->set_on_date("2024-01-31");
  EXPECT_THAT(Import(balance),
              HasReasonAt(common::v1::REASON_PERIOD_CLOSED, "balances[0].on_date"));
  // A voucher that comes late, and its match, count from the first month that is not confirmed.
  const std::string fee = Entered("2024-01-20", -10);
  ASSERT_OK_AND_ASSIGN(const auto line, Match(NameOf("3"), {fee}));
  EXPECT_EQ(line.matched_on(), "2024-02-01");
  EXPECT_EQ(Reconciled("2024-01").SerializeAsString(), january.SerializeAsString());
  EXPECT_EQ(Reconciled("2024-01").bank_paid().count(), 1);
  EXPECT_THAT(Unmatch(NameOf("3")), IsOk());
  ASSERT_THAT(Match(NameOf("3"), {fee}), IsOk());
  State("2024-02-29", 2'990);
  ASSERT_OK_AND_ASSIGN(const auto february, Confirm("2024-02"));
  EXPECT_EQ(february.bank_paid().count(), 0);
  EXPECT_EQ(february.adjusted_bank_fen(), 2'990);
}

TEST_P(BankTest, OnlyWhoMay) {
  ASSERT_THAT(Import(File({Line("1", "2024-01-10", 1'000)})), IsOk());
  const std::string line = NameOf("1");
  v1::ListBankLinesRequest list;
  list.set_parent(AccountName());
  EXPECT_THAT(Ask<v1::ListBankLinesResponse>(*As("auditor", "T01"), "ListBankLines", list), IsOk());
  EXPECT_THAT(Ask<v1::ListBankLinesResponse>(*As("bookkeeper", "E01"), "ListBankLines", list),
              IsOk());
  EXPECT_THAT(Import(File({Line("2", "2024-01-11", 1)}), *As("bookkeeper", "E01")), IsOk());
  EXPECT_THAT(Import(File({Line("3", "2024-01-11", 1)}), *As("auditor", "E01")),
              HasReason(common::v1::REASON_PERMISSION_MISSING));
  v1::MatchBankLinesRequest match_all;
  match_all.set_parent(AccountName());
  match_all.set_request_id(NextId());
  v1::MatchBankLineRequest match;
  match.set_name(line);
  match.add_entries()->set_voucher(StrCat(kDemo, "/books/E01/vouchers/202401-1"));
  match.set_request_id(NextId());
  v1::UnmatchBankLineRequest unmatch;
  unmatch.set_name(line);
  unmatch.set_reason("勾错");
  unmatch.set_request_id(NextId());
  v1::GetReconciliationRequest get;
  get.set_name(AccountName());
  get.set_month("2024-01");
  v1::ConfirmReconciliationRequest confirm;
  confirm.set_name(AccountName());
  confirm.set_month("2024-01");
  confirm.set_request_id(NextId());
  v1::ListBankAccountsRequest accounts;
  accounts.set_parent(std::string(kDemo));
  accounts.set_organization("E01");
  const auto all_fail = [&](const rpc::Client& client, common::v1::Reason reason) {
    EXPECT_THAT(Import(File({Line("4", "2024-01-11", 1)}), client), HasReason(reason));
    EXPECT_THAT(Ask<v1::ListBankLinesResponse>(client, "ListBankLines", list), HasReason(reason));
    EXPECT_THAT(Ask<v1::MatchBankLinesResponse>(client, "MatchBankLines", match_all),
                HasReason(reason));
    EXPECT_THAT(Ask<v1::BankLine>(client, "MatchBankLine", match), HasReason(reason));
    EXPECT_THAT(Ask<v1::BankLine>(client, "UnmatchBankLine", unmatch), HasReason(reason));
    EXPECT_THAT(Ask<v1::Reconciliation>(client, "GetReconciliation", get), HasReason(reason));
    EXPECT_THAT(Ask<v1::Reconciliation>(client, "ConfirmReconciliation", confirm),
                HasReason(reason));
    EXPECT_THAT(Ask<v1::ListBankAccountsResponse>(client, "ListBankAccounts", accounts),
                HasReason(reason));
  };
  all_fail(*As("accountant", "T02"), common::v1::REASON_OUT_OF_SCOPE);
  all_fail(*As("accountant", "D01", "other"), common::v1::REASON_WRONG_FEDERATION);
  all_fail(*suite_->NewClient(""), common::v1::REASON_TOKEN_MISSING);
  list.set_parent(AccountName("ZH-9"));
  EXPECT_THAT(Ask<v1::ListBankLinesResponse>(*Accountant(), "ListBankLines", list),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "parent"));
  // An account of the same number in another federation is not this one.
  list.set_parent("federations/other/bankAccounts/ZH-1");
  EXPECT_THAT(
      Ask<v1::ListBankLinesResponse>(*As("accountant", "D01", "other"), "ListBankLines", list),
      HasReason(common::v1::REASON_NOT_FOUND));
  unmatch.clear_request_id();
  EXPECT_THAT(Ask<v1::BankLine>(*Accountant(), "UnmatchBankLine", unmatch),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "request_id"));
}

INSTANTIATE_TEST_SUITE_P(Engines, BankTest, ::testing::ValuesIn(testing::Engines()));

}  // namespace
}  // namespace gonghui::funds
