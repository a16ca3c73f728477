// Closing months, carrying forward, restating, statements, consolidation, hledger.
#include <cstdio>
#include <fstream>
#include <sstream>

#include "common/base/money.h"
#include "gonghui/funds/v1/statement.pb.h"
#include "tests/integration/ledger_suite.h"

namespace gonghui::funds {
namespace {

using testing::HasReason;
using testing::HasReasonAt;
using testing::IsOk;

constexpr std::string_view kStatements = "/gonghui.funds.v1.StatementService/";

class MonthsTest : public LedgerTest {
 protected:
  static absl::StatusOr<v1::CloseMonthResponse> Reopen(std::string_view book,
                                                       std::string_view month) {
    v1::ReopenMonthRequest request;
    request.set_name(BookName(book));
    request.set_month(std::string(month));
    request.set_reason("更正");
    request.set_request_id(NextId());
    return Accountant()->Invoke<v1::CloseMonthResponse>(StrCat(kLedger, "ReopenMonth"), request);
  }

  static void OpenOn(std::string_view organization, std::string_view chart,
                     std::string_view opened_on) {
    auto request = BookRequest(organization, chart);
    request.mutable_book()->set_opened_on(std::string(opened_on));
    ASSERT_THAT(Accountant()->Invoke<v1::Book>(StrCat(kLedger, "CreateBook"), request), IsOk());
  }

  static absl::StatusOr<v1::Statement> Statement(std::string_view form, std::string_view period,
                                                 std::string_view book,
                                                 std::string_view organization = "") {
    v1::GetStatementRequest request;
    request.set_parent(std::string(kDemo));
    request.set_form(std::string(form));
    request.set_period(std::string(period));
    request.set_book(std::string(book));
    request.set_organization(std::string(organization));
    return Accountant()->Invoke<v1::Statement>(StrCat(kStatements, "GetStatement"), request);
  }
  // Line -> amounts.
  static std::map<std::string, std::vector<int64_t>> Lines(const v1::Statement& statement) {
    std::map<std::string, std::vector<int64_t>> lines;
    for (const v1::StatementLine& line : statement.lines()) {
      lines[line.code()] = {line.amounts_fen().begin(), line.amounts_fen().end()};
    }
    return lines;
  }
  static bool AllHold(const v1::Statement& statement) {
    return std::all_of(statement.checks().begin(), statement.checks().end(),
                       [](const v1::StatementCheck& check) { return check.holds(); });
  }

  // A year of a grassroots union: dues, levy, a restricted grant, spending, a computer.
  static void FillYear(std::string_view book) {
    const std::vector<std::pair<const char*, std::vector<Line>>> vouchers = {
        {"2024-01-10", {{"102", 100'000, 0}, {"401", 0, 100'000}}},
        {"2024-02-10", {{"102", 600'000, 0}, {"402", 0, 400'000}, {"211", 0, 200'000}}},
        {"2024-03-05", {{"102", 300'000, 0}, {"40302", 0, 300'000, {{"project", "帮扶"}}}}},
        {"2024-03-20", {{"50102", 50'000, 0}, {"102", 0, 50'000}}},
        {"2024-05-08",
         {{"50404", 120'000, 0, {{"restricted", "yes"}, {"class", "project"}, {"project", "帮扶"}}},
          {"102", 0, 120'000}}},
        {"2024-06-30", {{"211", 200'000, 0}, {"102", 0, 200'000}}},
        {"2024-07-01", {{"50702", 80'000, 0}, {"102", 0, 80'000}}},
        {"2024-07-01", {{"162", 80'000, 0}, {"30104", 0, 80'000}}},
        {"2024-07-31", {{"30104", 1'111, 0}, {"163", 0, 1'111}}},
        {"2024-11-11", {{"135", 5'000, 0}, {"102", 0, 5'000}}}};
    for (const auto& [date, lines] : vouchers) {
      ASSERT_THAT(Post(book, VoucherOf(date, lines)), IsOk()) << date;
    }
  }
};

TEST_P(MonthsTest, MonthsCloseInOrderAndCarryForward) {
  OpenOn("E01", "grassroots-2022", "2024-01-01");
  FillYear("E01");
  ASSERT_OK_AND_ASSIGN(const auto tried, Close("E01", "2024-03", false, true));
  EXPECT_GT(tried.vouchers_size(), 0);
  EXPECT_EQ(Vouchers("E01").size(), 10u);
  ASSERT_OK_AND_ASSIGN(const auto closed, Close("E01", "2024-03"));
  EXPECT_EQ(closed.book().soft_closed_through(), "2024-03");
  EXPECT_EQ(closed.vouchers_size(), tried.vouchers_size());
  const auto march = Balances("E01", "2024-03-31");
  EXPECT_EQ(march.at("401"), 0);
  EXPECT_EQ(march.at("402"), 0);
  EXPECT_EQ(march.at("50102"), 0);
  EXPECT_EQ(march.at("32203"), 450'000);
  EXPECT_EQ(march.at("32103"), 300'000);
  EXPECT_THAT(Close("E01", "2024-02"), HasReason(common::v1::REASON_STATE_FORBIDS));
  EXPECT_THAT(Close("E01", "2199-01"), HasReason(common::v1::REASON_PERIOD_NOT_OVER));
  EXPECT_THAT(Close("E01", "2024-13"), HasReasonAt(common::v1::REASON_PERIOD_INVALID, "month"));
  ASSERT_OK_AND_ASSIGN(const auto year, Close("E01", "2024-12"));
  EXPECT_EQ(year.book().soft_closed_through(), "2024-12");
  const auto december = Balances("E01", "2024-12-31");
  for (const auto& [account, balance] : december) {
    if (account[0] == '4' || account[0] == '5') EXPECT_EQ(balance, 0) << account;
  }
  EXPECT_EQ(december.at("32103"), 0);
  EXPECT_EQ(december.at("32203"), 0);
  EXPECT_EQ(december.at("32104"), 180'000);
  EXPECT_EQ(december.at("32205"), 370'000);
}

TEST_P(MonthsTest, ClosedMonthTakesNothingButIsRestated) {
  OpenOn("E01", "grassroots-2022", "2024-01-01");
  FillYear("E01");
  ASSERT_THAT(Close("E01", "2024-03"), IsOk());
  const auto late = VoucherOf("2024-03-31", {{"102", 700, 0}, {"401", 0, 700}});
  // The bookkeeper of a soft-closed month is told; who answers for the accounts may still post.
  EXPECT_THAT(Post("E01", late, *As("bookkeeper", "E01")),
              HasReasonAt(common::v1::REASON_PERIOD_CLOSED, "voucher.on_date"));
  ASSERT_THAT(Post("E01", late), IsOk());
  EXPECT_EQ(Balances("E01", "2024-03-31").at("401"), 700);
  // Closing for good carries forward what came late.
  ASSERT_OK_AND_ASSIGN(const auto hard, Close("E01", "2024-03", true));
  EXPECT_EQ(hard.book().hard_closed_through(), "2024-03");
  EXPECT_EQ(hard.vouchers_size(), 1);
  EXPECT_EQ(Balances("E01", "2024-03-31").at("401"), 0);
  EXPECT_EQ(Balances("E01", "2024-03-31").at("32203"), 450'700);
  EXPECT_THAT(Post("E01", late), HasReasonAt(common::v1::REASON_PERIOD_CLOSED, "voucher.on_date"));
  EXPECT_THAT(Reopen("E01", "2024-03"), HasReason(common::v1::REASON_STATE_FORBIDS));
  auto restating = VoucherOf("2024-04-02", {{"102", 50, 0}, {"32201", 0, 50}}, "更正三月");
  restating.set_restates("2024-05");
  EXPECT_THAT(Post("E01", restating),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "voucher.restates"));
  restating.set_restates("2024-03");
  ASSERT_OK_AND_ASSIGN(const auto restated, Post("E01", restating));
  EXPECT_EQ(restated.restates(), "2024-03");
}

TEST_P(MonthsTest, LastMonthIsReopened) {
  OpenOn("E01", "grassroots-2022", "2024-01-01");
  FillYear("E01");
  const auto standing = [] {
    auto balances = Balances("E01", "2024-12-31");
    std::erase_if(balances, [](const auto& balance) { return balance.second == 0; });
    return balances;
  };
  const auto before = standing();
  ASSERT_THAT(Close("E01", "2024-01"), IsOk());
  ASSERT_THAT(Close("E01", "2024-02"), IsOk());
  EXPECT_THAT(Reopen("E01", "2024-01"), HasReason(common::v1::REASON_STATE_FORBIDS));
  ASSERT_OK_AND_ASSIGN(const auto february, Reopen("E01", "2024-02"));
  EXPECT_EQ(february.book().soft_closed_through(), "2024-01");
  ASSERT_OK_AND_ASSIGN(const auto january, Reopen("E01", "2024-01"));
  EXPECT_EQ(january.book().soft_closed_through(), "");
  EXPECT_EQ(standing(), before);
  ASSERT_THAT(Close("E01", "2024-02"), IsOk());
}

TEST_P(MonthsTest, StatementsStandInTheOfficialOrderAndTheirChecksHold) {
  OpenOn("E01", "grassroots-2022", "2024-01-01");
  FillYear("E01");
  ASSERT_OK_AND_ASSIGN(const auto open, Statement("01", "2024-12", "E01"));
  EXPECT_FALSE(AllHold(open));  // Income and expenditure are not carried forward yet.
  ASSERT_THAT(Close("E01", "2024-12"), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto sheet, Statement("01", "2024", "E01"));
  EXPECT_TRUE(AllHold(sheet)) << sheet.DebugString();
  auto lines = Lines(sheet);
  EXPECT_EQ(lines["cash"], (std::vector<int64_t>{0, 545'000}));
  EXPECT_EQ(lines["fixed_assets_net"], (std::vector<int64_t>{0, 78'889}));
  EXPECT_EQ(lines["total_assets"], (std::vector<int64_t>{0, 628'889}));
  EXPECT_EQ(lines["total_liabilities"], (std::vector<int64_t>{0, 0}));
  EXPECT_FALSE(lines.contains("treasury_quota"));
  ASSERT_OK_AND_ASSIGN(const auto year, Statement("02", "2024", "E01"));
  EXPECT_TRUE(AllHold(year)) << year.DebugString();
  lines = Lines(year);
  EXPECT_EQ(lines["income"], (std::vector<int64_t>{800'000, 0}));
  EXPECT_EQ(lines["expenditure"][0], 250'000);
  EXPECT_EQ(lines["difference"][0], 550'000);
  EXPECT_EQ(lines["closing"][0], 550'000);
  ASSERT_OK_AND_ASSIGN(const auto may, Statement("02", "2024-05", "E01"));
  lines = Lines(may);
  EXPECT_EQ(lines["rights"], (std::vector<int64_t>{120'000, 120'000}));
  EXPECT_EQ(lines["income"], (std::vector<int64_t>{0, 800'000}));
  EXPECT_FALSE(lines.contains("closing"));
  // The next year opens with what this one left, and shows it beside.
  ASSERT_OK_AND_ASSIGN(const auto next, Statement("02", "2025", "E01"));
  EXPECT_EQ(Lines(next)["opening"][0], 550'000);
  EXPECT_EQ(Lines(next)["income"], (std::vector<int64_t>{0, 800'000}));
  EXPECT_THAT(Statement("a03", "2024", "E01"), HasReason(common::v1::REASON_STATE_FORBIDS));
  EXPECT_THAT(Statement("09", "2024", "E01"), HasReason(common::v1::REASON_FORM_UNKNOWN));
  EXPECT_THAT(Statement("a01", "2024-05", "E01"), HasReason(common::v1::REASON_PERIOD_INVALID));
  EXPECT_THAT(Statement("01", "2024", ""), HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "book"));
}

TEST_P(MonthsTest, BalancesAsKnownOnADay) {
  OpenOn("E01", "grassroots-2022", "2024-01-01");
  FillYear("E01");
  v1::ListBalancesRequest request;
  request.set_parent(BookName("E01"));
  request.set_on_date("2024-05-31");
  const auto cash = [&](std::string_view known_on) {
    request.set_known_on(std::string(known_on));
    auto response =
        Accountant()->Invoke<v1::ListBalancesResponse>(StrCat(kLedger, "ListBalances"), request);
    EXPECT_THAT(response, IsOk());
    for (const v1::Balance& balance : response->balances()) {
      if (balance.account() == "102") return balance.balance_fen();
    }
    return int64_t{0};
  };
  EXPECT_EQ(cash("2023-12-31"), 0);
  EXPECT_EQ(cash("2199-01-01"), 830'000);
  request.clear_known_on();
  request.add_by("project");
  (*request.mutable_dimensions())["project"] = "帮扶";
  ASSERT_OK_AND_ASSIGN(const auto project, Accountant()->Invoke<v1::ListBalancesResponse>(
                                               StrCat(kLedger, "ListBalances"), request));
  ASSERT_EQ(project.balances_size(), 2);
  EXPECT_EQ(project.balances(0).account(), "40302");
  EXPECT_EQ(project.balances(1).balance_fen(), 120'000);
  v1::ListEntriesRequest entries;
  entries.set_parent(BookName("E01"));
  entries.set_account("102");
  entries.set_from_date("2024-03-01");
  entries.set_to_date("2024-05-31");
  entries.set_page_size(2);
  const auto list = [&] {
    return Accountant()->Invoke<v1::ListEntriesResponse>(StrCat(kLedger, "ListEntries"), entries);
  };
  ASSERT_OK_AND_ASSIGN(const auto first, list());
  EXPECT_EQ(first.opening_fen(), 700'000);
  ASSERT_EQ(first.entries_size(), 2);
  EXPECT_EQ(first.entries(1).balance_fen(), 950'000);
  entries.set_page_token(first.next_page_token());
  ASSERT_OK_AND_ASSIGN(const auto second, list());
  ASSERT_EQ(second.entries_size(), 1);
  EXPECT_EQ(second.entries(0).balance_fen(), 830'000);
}

TEST_P(MonthsTest, ConsolidatedStatementLeavesOutWhatLevelsPayEachOther) {
  OpenOn("T01", "county-2022", "2024-01-01");
  OpenOn("E01", "grassroots-2022", "2024-01-01");
  ASSERT_THAT(Post("T01", VoucherOf("2024-01-02", {{"102", 90'000, 0}, {"402", 0, 90'000}})),
              IsOk());
  ASSERT_THAT(Post("T01", VoucherOf("2024-02-01", {{"50801", 30'000, 0, {{"counterparty", "E01"}}},
                                                   {"102", 0, 30'000}})),
              IsOk());
  ASSERT_THAT(
      Post("E01", VoucherOf("2024-02-02",
                            {{"102", 30'000, 0}, {"40301", 0, 30'000, {{"counterparty", "T01"}}}})),
      IsOk());
  ASSERT_THAT(Post("E01", VoucherOf("2024-02-03", {{"50102", 10'000, 0}, {"102", 0, 10'000}})),
              IsOk());
  for (const char* book : {"T01", "E01"}) ASSERT_THAT(Close(book, "2024-02"), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto flow, Statement("02", "2024-02", "", "T01"));
  EXPECT_EQ(flow.books(), 2);
  auto lines = Lines(flow);
  EXPECT_EQ(lines["income"], (std::vector<int64_t>{0, 90'000}));
  EXPECT_EQ(lines["from_upper"], (std::vector<int64_t>{0, 0}));
  EXPECT_EQ(lines["expenditure"], (std::vector<int64_t>{10'000, 10'000}));
  ASSERT_EQ(flow.eliminations_size(), 1);
  EXPECT_EQ(flow.eliminations(0).payer_fen(), 30'000);
  EXPECT_EQ(flow.eliminations(0).receiver_fen(), 30'000);
  ASSERT_OK_AND_ASSIGN(const auto sheet, Statement("01", "2024-02", "", "T01"));
  EXPECT_TRUE(AllHold(sheet)) << sheet.DebugString();
  EXPECT_EQ(Lines(sheet)["cash"][1], 80'000);
  // Seen from below, the other level is outside.
  ASSERT_OK_AND_ASSIGN(const auto own, Statement("02", "2024-02", "", "E01"));
  EXPECT_EQ(Lines(own)["from_upper"][0], 30'000);
  EXPECT_EQ(own.eliminations_size(), 0);
  v1::GetStatementRequest request;
  request.set_parent(std::string(kDemo));
  request.set_form("01");
  request.set_period("2024-02");
  request.set_organization("T01");
  EXPECT_THAT(
      As("accountant", "E01")->Invoke<v1::Statement>(StrCat(kStatements, "GetStatement"), request),
      HasReason(common::v1::REASON_OUT_OF_SCOPE));
}

TEST_P(MonthsTest, StatementIsAFile) {
  OpenOn("E01", "grassroots-2022", "2024-01-01");
  FillYear("E01");
  v1::ExportStatementRequest request;
  request.mutable_statement()->set_parent(std::string(kDemo));
  request.mutable_statement()->set_form("01");
  request.mutable_statement()->set_period("2024-12");
  request.mutable_statement()->set_book("E01");
  const auto file = [&](std::string_view format) {
    request.set_format(std::string(format));
    return Accountant()->Invoke<v1::ExportStatementResponse>(StrCat(kStatements, "ExportStatement"),
                                                             request);
  };
  ASSERT_OK_AND_ASSIGN(const auto xlsx, file("xlsx"));
  EXPECT_TRUE(xlsx.content().starts_with("PK"));
  ASSERT_OK_AND_ASSIGN(const auto pdf, file("pdf"));
  EXPECT_TRUE(pdf.content().starts_with("%PDF"));
  const std::string path = ::testing::TempDir() + "/statement.pdf";
  std::ofstream(path, std::ios::binary) << pdf.content();
  std::FILE* pipe = ::popen(StrCat("pdftotext -layout ", path, " -").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string text;
  for (char buffer[4096]; const size_t got = std::fread(buffer, 1, sizeof buffer, pipe);) {
    text.append(buffer, got);
  }
  ASSERT_EQ(::pclose(pipe), 0);
  for (const char* expected :
       {"资产负债表", "E01工会", "货币资金", "5450.00", "固定资产净值", "788.89"}) {
    EXPECT_NE(text.find(expected), std::string::npos) << expected << " in\n" << text;
  }
  EXPECT_THAT(file("doc"), HasReasonAt(common::v1::REASON_FIELD_INVALID, "format"));
}

TEST_P(MonthsTest, HledgerBalancesTheBookAgain) {
  OpenOn("E01", "grassroots-2022", "2024-01-01");
  FillYear("E01");
  ASSERT_THAT(Post("E01", VoucherOf("2024-12-01", {{"102", 1, 0}, {"401", 0, 1}},
                                    "摘要; 有分号 | 和(括号)")),
              IsOk());
  ASSERT_THAT(Close("E01", "2024-06"), IsOk());
  v1::ExportBookRequest request;
  request.set_parent(BookName("E01"));
  std::string journal;
  do {
    ASSERT_OK_AND_ASSIGN(const auto piece, Accountant()->Invoke<v1::ExportBookResponse>(
                                               StrCat(kStatements, "ExportBook"), request));
    journal += piece.journal();
    request.set_page_token(piece.next_page_token());
  } while (!request.page_token().empty());
  const std::string path = ::testing::TempDir() + "/book.journal";
  std::ofstream(path) << journal;
  // --strict refuses unbalanced transactions and unknown money; accounts come out one a line, flat.
  std::FILE* pipe = ::popen(
      StrCat("LANG=C.UTF-8 hledger -f ", path, " balance --flat --no-total -O csv 2>&1").c_str(),
      "r");
  ASSERT_NE(pipe, nullptr);
  std::string text;
  for (char buffer[4096]; const size_t got = std::fread(buffer, 1, sizeof buffer, pipe);) {
    text.append(buffer, got);
  }
  ASSERT_EQ(::pclose(pipe), 0) << text;
  std::map<std::string, int64_t> theirs;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    // "102 银行存款","5450.01 CNY" or "504 …:50404 …","…"
    const size_t comma = line.find("\",\"");
    if (comma == std::string::npos || line.starts_with("\"account\"")) continue;
    std::string account = line.substr(1, comma - 1);
    if (const size_t colon = account.rfind(':'); colon != std::string::npos) {
      account = account.substr(colon + 1);
    }
    std::string amount = line.substr(comma + 3);
    amount = amount.substr(0, amount.find(' '));
    ASSERT_OK_AND_ASSIGN(theirs[account.substr(0, account.find(' '))],
                         ParseYuan(amount.starts_with('0') && amount.size() == 2 ? "0" : amount));
  }
  v1::ListBalancesRequest balances;
  balances.set_parent(BookName("E01"));
  ASSERT_OK_AND_ASSIGN(const auto ours, Accountant()->Invoke<v1::ListBalancesResponse>(
                                            StrCat(kLedger, "ListBalances"), balances));
  std::map<std::string, int64_t> expected;
  for (const v1::Balance& balance : ours.balances()) {
    const int64_t net = balance.debit_fen() - balance.credit_fen();
    if (net != 0) expected[balance.account()] = net;
  }
  EXPECT_GT(expected.size(), 8u);
  EXPECT_EQ(theirs, expected) << journal;
}

TEST_P(MonthsTest, DimensionsAreCheckedAndCompleted) {
  OpenOn("T01", "county-2022", "2024-01-01");
  const auto spend = [&](const std::string& account, std::map<std::string, std::string> dimensions,
                         std::string_view on_date = "2024-02-01") {
    return Post("T01",
                VoucherOf(on_date, {{account, 100, 0, std::move(dimensions)}, {"102", 0, 100}}));
  };
  EXPECT_THAT(spend("50602", {}),
              HasReasonAt(common::v1::REASON_DIMENSION_MISSING, "voucher.entries[0].dimensions"));
  ASSERT_OK_AND_ASSIGN(const auto office, spend("50602", {{"economic", "30201"}}));
  EXPECT_EQ(office.entries(0).dimensions().at("class"), "basic");
  EXPECT_EQ(office.entries(0).dimensions().at("money"), "union");
  EXPECT_THAT(spend("50404", {{"money", "fiscal"}}),
              HasReason(common::v1::REASON_DIMENSION_MISSING));
  ASSERT_THAT(spend("50404", {{"money", "fiscal"}, {"function", "2012999"}}), IsOk());
  EXPECT_THAT(spend("50404", {{"class", "project"}}),
              HasReason(common::v1::REASON_DIMENSION_MISSING));
  EXPECT_THAT(spend("50404", {{"class", "other"}}),
              HasReason(common::v1::REASON_DIMENSION_INVALID));
  EXPECT_THAT(spend("50404", {{"colour", "red"}}), HasReason(common::v1::REASON_DIMENSION_INVALID));
  EXPECT_THAT(spend("50404", {{"closing", "x"}}), HasReason(common::v1::REASON_DIMENSION_INVALID));
  EXPECT_THAT(spend("50404", {{"unit", "a;b=c"}}), HasReason(common::v1::REASON_DIMENSION_INVALID));
}

TEST_P(MonthsTest, PapersAreKnownByTheirBytes) {
  OpenOn("E01", "grassroots-2022", "2024-01-01");
  v1::CreateAttachmentRequest request;
  request.set_parent(BookName("E01"));
  request.set_content("发票内容");
  request.set_file_name("发票.pdf");
  request.set_media_type("application/pdf");
  const std::string create = StrCat(kLedger, "CreateAttachment");
  ASSERT_OK_AND_ASSIGN(const auto stored, Accountant()->Invoke<v1::Attachment>(create, request));
  ASSERT_OK_AND_ASSIGN(const auto again, Accountant()->Invoke<v1::Attachment>(create, request));
  EXPECT_EQ(again.name(), stored.name());
  auto voucher = VoucherOf("2024-02-01", {{"102", 100, 0}, {"401", 0, 100}});
  voucher.add_attachments()->set_digest(std::string(64, '0'));
  EXPECT_THAT(Post("E01", voucher),
              HasReasonAt(common::v1::REASON_REFERENCE_NOT_FOUND, "voucher.attachments[0].digest"));
  voucher.mutable_attachments(0)->set_digest(stored.digest());
  ASSERT_THAT(Post("E01", voucher), IsOk());
  EXPECT_EQ(Vouchers("E01")[0].attachments(0).digest(), stored.digest());
  v1::GetAttachmentRequest get;
  get.set_name(stored.name());
  const std::string read = StrCat(kLedger, "GetAttachment");
  ASSERT_OK_AND_ASSIGN(const auto paper,
                       Accountant()->Invoke<v1::GetAttachmentResponse>(read, get));
  EXPECT_EQ(paper.content(), "发票内容");
  EXPECT_THAT(As("accountant", "T02")->Invoke<v1::GetAttachmentResponse>(read, get),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
}

INSTANTIATE_TEST_SUITE_P(Engines, MonthsTest, ::testing::ValuesIn(testing::Engines()));

}  // namespace
}  // namespace gonghui::funds
