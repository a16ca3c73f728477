// Benefit records and the vouchers they post, through the public RPCs.
#include <set>

#include "gonghui/feed/v1/feed.pb.h"
#include "tests/integration/funds_suite.h"

namespace gonghui::funds {
namespace {

using common::v1::Record;
using testing::HasReason;
using testing::HasReasonAt;
using testing::IsOk;

using Fields = std::map<std::string, std::string>;
using Sums = std::map<std::string, int64_t>;

// A valid identity number for each n below 1000.
std::string IdNumber(int n) {
  constexpr int kWeights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  std::string number = StrCat("32040219700101", n / 100, n / 10 % 10, n % 10);
  int sum = 0;
  for (int i = 0; i < 17; ++i) sum += (number[i] - '0') * kWeights[i];
  return number + "10X98765432"[sum % 11];
}

Record Make(std::string_view kind, std::string_view number, std::string_view organization,
            std::string_view on_date, const Fields& fields) {
  Record record;
  record.set_kind(std::string(kind));
  record.set_number(std::string(number));
  record.set_organization(std::string(organization));
  record.set_on_date(std::string(on_date));
  for (const auto& [name, value] : fields) (*record.mutable_fields())[name] = value;
  return record;
}

Record Benefit(std::string_view number, std::string_view organization, std::string_view amount,
               std::string_view kind = "festival_grant", std::string_view on_date = "2020-01-16") {
  return Make("model_worker_benefit", number, organization, on_date,
              {{"full_name", "张三"},
               {"person", IdNumber(1)},
               {"festival", "spring_festival"},
               {"benefit_kind", std::string(kind)},
               {"amount", std::string(amount)}});
}

Record Claim(std::string_view number, std::string_view amount = "") {
  Record record =
      Make("mutual_aid_claim", number, "D01", "2020-03-05",
           {{"full_name", "李四"}, {"person", IdNumber(2)}, {"event_on", "2020-03-01"}});
  if (!amount.empty()) (*record.mutable_fields())["amount"] = std::string(amount);
  return record;
}

class BenefitsTest : public FundsTest {
 protected:
  static absl::StatusOr<Record> Create(const rpc::Client& client, const Record& record,
                                       std::string_view request_id = "") {
    common::v1::CreateRecordRequest request;
    request.set_parent(std::string(kDemo));
    *request.mutable_record() = record;
    request.set_request_id(std::string(request_id));
    return client.Invoke<Record>(StrCat(kBenefits, "CreateRecord"), request);
  }
  static absl::StatusOr<common::v1::BatchCreateRecordsResponse> CreateBatch(
      const rpc::Client& client, const common::v1::BatchCreateRecordsRequest& request) {
    return client.Invoke<common::v1::BatchCreateRecordsResponse>(
        StrCat(kBenefits, "BatchCreateRecords"), request);
  }
  static absl::StatusOr<Record> Update(const rpc::Client& client, Record record,
                                       std::string_view mask, std::string_view request_id = "") {
    common::v1::UpdateRecordRequest request;
    *request.mutable_record() = std::move(record);
    request.mutable_record()->clear_etag();
    request.set_update_mask(std::string(mask));
    request.set_request_id(std::string(request_id));
    return client.Invoke<Record>(StrCat(kBenefits, "UpdateRecord"), request);
  }
  static absl::StatusOr<Record> Advance(const rpc::Client& client, const std::string& name,
                                        std::string_view transition, std::string_view on_date,
                                        const Fields& fields = {},
                                        std::string_view request_id = "") {
    common::v1::AdvanceRecordRequest request;
    request.set_name(name);
    request.set_transition(std::string(transition));
    request.set_on_date(std::string(on_date));
    for (const auto& [field, value] : fields) (*request.mutable_fields())[field] = value;
    request.set_request_id(std::string(request_id));
    return client.Invoke<Record>(StrCat(kBenefits, "AdvanceRecord"), request);
  }
  static absl::StatusOr<Record> Cancel(const rpc::Client& client, const std::string& name,
                                       std::string_view request_id = "") {
    common::v1::CancelRecordRequest request;
    request.set_name(name);
    request.set_remark("重复录入");
    request.set_request_id(std::string(request_id));
    return client.Invoke<Record>(StrCat(kBenefits, "CancelRecord"), request);
  }
  static absl::StatusOr<Record> Get(const rpc::Client& client, const std::string& name) {
    common::v1::GetRecordRequest request;
    request.set_name(name);
    return client.Invoke<Record>(StrCat(kBenefits, "GetRecord"), request);
  }

  static std::string ChartOf(std::string_view book) {
    v1::GetBookRequest request;
    request.set_name(StrCat(kDemo, "/books/", book));
    auto answer = Accountant()->Invoke<v1::Book>(StrCat(kLedger, "GetBook"), request);
    return answer.ok() ? StrCat(answer->chart(), " ", answer->opened_on())
                       : ReasonName(ReasonOf(answer.status()));
  }

  // Measure -> sum of its facts in the feed.
  static Sums FactsOfFeed() {
    feed::v1::ListEventsRequest request;
    request.set_source("funds");
    request.set_federation("demo");
    request.set_page_size(1000);
    auto events = As("admin", "*")
                      ->Invoke<feed::v1::ListEventsResponse>(
                          "/gonghui.feed.v1.FeedService/ListEvents", request);
    EXPECT_THAT(events, IsOk());
    Sums sums;
    if (!events.ok()) return sums;
    for (const auto& event : events->events()) {
      for (const auto& record : event.facts()) {
        for (const auto& fact : record.facts()) sums[fact.measure()] += fact.delta();
      }
    }
    return sums;
  }
};

TEST_P(BenefitsTest, PaymentPostsItsVoucherAndOpensTheBook) {
  const auto client = Accountant();
  EXPECT_EQ(ChartOf("E01"), "NOT_FOUND");
  ASSERT_OK_AND_ASSIGN(const Record grant, Create(*client, Benefit("LM-1", "E01", "2000.50")));
  ASSERT_THAT(Create(*client, Benefit("LM-2", "E01", "100", "medical_subsidy")), IsOk());
  ASSERT_THAT(Create(*client, Benefit("LM-3", "D01", "30", "hardship_subsidy")), IsOk());
  EXPECT_EQ(ChartOf("E01"), "grassroots-2022 2020-01-01");
  EXPECT_EQ(ChartOf("D01"), "county-2022 2020-01-01");
  EXPECT_EQ(Balances("E01"), (Sums{{"102", -210050}, {"50404", 10000}, {"50405", 200050}}));
  EXPECT_EQ(Balances("D01"), (Sums{{"102", -3000}, {"50404", 3000}}));
  const auto vouchers = Vouchers("E01");
  ASSERT_EQ(vouchers.size(), 2);
  EXPECT_EQ(vouchers[0].source(), grant.name());
  EXPECT_EQ(vouchers[0].on_date(), "2020-01-16");
  EXPECT_NE(vouchers[0].memo().find("LM-1"), std::string::npos);
  EXPECT_EQ(vouchers[0].memo().find("张三"), std::string::npos);
  EXPECT_EQ(FactsOfFeed(), (Sums{{"cash_balance", -213050},
                                 {"model_worker_benefit_amount", 213050},
                                 {"model_workers_visited", 3}}));
}

TEST_P(BenefitsTest, RepeatedPaymentIsPostedOnce) {
  const auto client = Accountant();
  const Record benefit = Benefit("LM-1", "E01", "2000");
  ASSERT_OK_AND_ASSIGN(const Record first, Create(*client, benefit, "pay-1"));
  ASSERT_OK_AND_ASSIGN(const Record again, Create(*client, benefit, "pay-1"));
  EXPECT_EQ(again.name(), first.name());
  EXPECT_THAT(Create(*client, Benefit("LM-1", "E01", "2001"), "pay-2"),
              HasReason(common::v1::REASON_ALREADY_EXISTS));
  EXPECT_EQ(Vouchers("E01").size(), 1);
}

TEST_P(BenefitsTest, ClaimPostsWhenPaid) {
  const auto client = Accountant();
  ASSERT_OK_AND_ASSIGN(const Record claim, Create(*client, Claim("LP-1")));
  EXPECT_EQ(claim.state(), "filed");
  EXPECT_EQ(ChartOf("D01"), "NOT_FOUND");
  ASSERT_THAT(Advance(*client, claim.name(), "accept", "2020-03-10"), IsOk());
  EXPECT_FALSE(Advance(*client, claim.name(), "pay", "2020-04-02").ok());
  ASSERT_THAT(Advance(*client, claim.name(), "pay", "2020-04-02", {{"amount", "2335.50"}}, "pay"),
              IsOk());
  ASSERT_THAT(Advance(*client, claim.name(), "pay", "2020-04-02", {{"amount", "2335.50"}}, "pay"),
              IsOk());
  EXPECT_THAT(Advance(*client, claim.name(), "refuse", "2020-04-03"),
              HasReason(common::v1::REASON_STATE_FORBIDS));
  ASSERT_EQ(Vouchers("D01").size(), 1);
  EXPECT_EQ(Vouchers("D01")[0].on_date(), "2020-04-02");
  EXPECT_EQ(Balances("D01"), (Sums{{"102", -233550}, {"221", -233550}}));
  ASSERT_OK_AND_ASSIGN(const Record refused, Create(*client, Claim("LP-2", "10")));
  ASSERT_THAT(Advance(*client, refused.name(), "refuse", "2020-04-02"), IsOk());
  EXPECT_EQ(Vouchers("D01").size(), 1);
  EXPECT_EQ(
      FactsOfFeed(),
      (Sums{{"cash_balance", -233550}, {"mutual_aid_claims", 1}, {"mutual_aid_paid", 233550}}));
}

TEST_P(BenefitsTest, CorrectedPaymentIsReversedAndPostedAnew) {
  const auto client = Accountant();
  ASSERT_OK_AND_ASSIGN(Record benefit, Create(*client, Benefit("LM-1", "E01", "2000")));
  (*benefit.mutable_fields())["full_name"] = "张三丰";
  ASSERT_THAT(Update(*client, benefit, "fields.full_name"), IsOk());
  EXPECT_EQ(Vouchers("E01").size(), 1);
  (*benefit.mutable_fields())["amount"] = "2500";
  ASSERT_THAT(Update(*client, benefit, "fields.amount", "fix"), IsOk());
  ASSERT_THAT(Update(*client, benefit, "fields.amount", "fix"), IsOk());
  EXPECT_EQ(Balances("E01"), (Sums{{"102", -250000}, {"50405", 250000}}));
  (*benefit.mutable_fields())["benefit_kind"] = "medical_subsidy";
  ASSERT_THAT(Update(*client, benefit, "fields.benefit_kind"), IsOk());
  EXPECT_EQ(Balances("E01"), (Sums{{"102", -250000}, {"50404", 250000}, {"50405", 0}}));
  ASSERT_THAT(Cancel(*client, benefit.name(), "gone"), IsOk());
  ASSERT_THAT(Cancel(*client, benefit.name(), "gone"), IsOk());
  EXPECT_EQ(Balances("E01"), (Sums{{"102", 0}, {"50404", 0}, {"50405", 0}}));
  const auto vouchers = Vouchers("E01");
  ASSERT_EQ(vouchers.size(), 6);
  EXPECT_EQ(vouchers[0].reversed_by(), vouchers[1].name());
  EXPECT_EQ(vouchers[1].reverses(), vouchers[0].name());
  for (const auto& voucher : vouchers) EXPECT_EQ(voucher.on_date(), "2020-01-16");
  for (const auto& [measure, sum] : FactsOfFeed()) EXPECT_EQ(sum, 0) << measure;
}

TEST_P(BenefitsTest, VoucherReversedByHandIsNotReversedTwice) {
  const auto client = Accountant();
  ASSERT_OK_AND_ASSIGN(Record benefit, Create(*client, Benefit("LM-1", "E01", "2000")));
  v1::ReverseVoucherRequest reverse;
  reverse.set_name(Vouchers("E01")[0].name());
  reverse.set_on_date("2020-02-01");
  reverse.set_reason("退回");
  reverse.set_request_id("by-hand");
  ASSERT_THAT(client->Invoke<v1::Voucher>(StrCat(kLedger, "ReverseVoucher"), reverse), IsOk());
  (*benefit.mutable_fields())["amount"] = "2500";
  ASSERT_THAT(Update(*client, benefit, "fields.amount"), IsOk());
  EXPECT_EQ(Balances("E01"), (Sums{{"102", -250000}, {"50405", 250000}}));
}

TEST_P(BenefitsTest, EarlierPaymentOpensAnAutomaticBookEarlier) {
  const auto client = Accountant();
  ASSERT_THAT(Create(*client, Benefit("LM-1", "E01", "1")), IsOk());
  ASSERT_THAT(Create(*client, Benefit("LM-2", "E01", "1", "festival_grant", "2019-01-28")), IsOk());
  EXPECT_EQ(ChartOf("E01"), "grassroots-2022 2019-01-01");
  // A book opened on purpose keeps its day.
  OpenBook("T01");
  EXPECT_THAT(Create(*client, Benefit("LM-3", "T01", "1", "festival_grant", "2019-01-28")),
              HasReason(common::v1::REASON_BOOK_MISSING));
  EXPECT_THAT(Create(*client, Benefit("LM-3", "T01", "1")), IsOk());
}

TEST_P(BenefitsTest, BatchPostsAllVouchersInOneTransaction) {
  const auto client = Accountant();
  common::v1::BatchCreateRecordsRequest request;
  request.set_parent(std::string(kDemo));
  request.set_request_id("claims");
  for (int i = 0; i < 1000; ++i) {
    Record& record = *request.add_records();
    record = Claim(StrCat("LP-", i), "10.00");
    record.set_organization(i % 2 == 0 ? "T01" : "E02");
    (*record.mutable_fields())["person"] = IdNumber(i);
    if (i % 4 == 3) continue;
    auto& advance = *request.add_advances();
    advance.set_index(i);
    advance.set_transition("pay");
    advance.set_on_date("2020-05-06");
  }
  ASSERT_OK_AND_ASSIGN(const auto created, CreateBatch(*client, request));
  EXPECT_EQ(created.created(), 1000);
  ASSERT_OK_AND_ASSIGN(const auto replayed, CreateBatch(*client, request));
  EXPECT_EQ(replayed.created(), 1000);
  request.set_request_id("claims-again");
  ASSERT_OK_AND_ASSIGN(const auto again, CreateBatch(*client, request));
  EXPECT_EQ(again.existing(), 1000);
  EXPECT_EQ(Vouchers("T01").size(), 500);
  EXPECT_EQ(Vouchers("E02").size(), 250);
  EXPECT_EQ(Balances("T01"), (Sums{{"102", -500000}, {"221", -500000}}));
  EXPECT_EQ(
      FactsOfFeed(),
      (Sums{{"cash_balance", -750000}, {"mutual_aid_claims", 750}, {"mutual_aid_paid", 750000}}));
}

TEST_P(BenefitsTest, MutualAidIsCountedFromItsRecords) {
  const auto client = Accountant();
  Record plan = Make("mutual_aid_plan", "HZ-2020", "D01", "2020-01-01",
                     {{"premium_per_head", "40"}, {"target_persons", "3"}});
  plan.set_title("2020年度医疗互助");
  ASSERT_THAT(Create(*client, plan), IsOk());
  ASSERT_THAT(Create(*client, Make("mutual_aid_enrolment", "CB-1", "E01", "2020-02-17",
                                   {{"unit", "91320400MA1MABCD1X"},
                                    {"unit_name", "某某机械有限公司"},
                                    {"plan", "HZ-2020"}})),
              IsOk());
  const auto insured = [](int n) {
    return Make("mutual_aid_insured", "", "E01", "2020-02-17",
                {{"enrolment", "CB-1"}, {"full_name", "王五"}, {"person", IdNumber(n)}});
  };
  ASSERT_THAT(Create(*client, insured(1)), IsOk());
  ASSERT_THAT(Create(*client, insured(2)), IsOk());
  ASSERT_THAT(Create(*client, Make("mutual_aid_premium", "SK-1", "E01", "2020-02-18",
                                   {{"enrolment", "CB-1"}, {"amount", "80"}})),
              IsOk());
  EXPECT_EQ(Balances("E01"), (Sums{{"102", 8000}, {"221", 8000}}));
  EXPECT_EQ(FactsOfFeed(), (Sums{{"cash_balance", 8000},
                                 {"mutual_aid_insured", 2},
                                 {"mutual_aid_premium", 8000},
                                 {"mutual_aid_target", 3},
                                 {"mutual_aid_units", 1}}));
}

TEST_P(BenefitsTest, AuditsAndProjectsCountByState) {
  const auto client = Accountant();
  Record report =
      Make("audit_report", "SJ-1", "D01", "2020-04-01", {{"unit_name", "城东街道总工会"}});
  report.set_title("预算执行审计报告");
  ASSERT_OK_AND_ASSIGN(const Record audit, Create(*client, report));
  EXPECT_TRUE(FactsOfFeed().empty());
  ASSERT_THAT(Advance(*client, audit.name(), "send_for_comment", "2020-05-08"), IsOk());
  Record project = Make("renovation_project", "ZX-1", "D01", "2020-03-18", {});
  project.set_title("职工服务中心装修");
  ASSERT_OK_AND_ASSIGN(const Record renovation, Create(*client, project));
  ASSERT_THAT(Advance(*client, renovation.name(), "start", "2020-05-11"), IsOk());
  EXPECT_EQ(FactsOfFeed(),
            (Sums{{"audit_reports_drafted", 1}, {"renovation_projects_started", 1}}));
}

TEST_P(BenefitsTest, WritesNameTheFieldAtFault) {
  const auto client = Accountant();
  EXPECT_THAT(Create(*client, Benefit("LM-1", "E01", "-5")),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "record.fields.amount"));
  EXPECT_THAT(Create(*client, Benefit("LM-1", "E01", "5.001")),
              HasReason(common::v1::REASON_AMOUNT_INVALID));
  Record record = Benefit("LM-1", "E01", "5");
  (*record.mutable_fields())["person"] = "320402197001011234";
  EXPECT_THAT(Create(*client, record),
              HasReasonAt(common::v1::REASON_ID_NUMBER_INVALID, "record.fields.person"));
  record = Benefit("", "E01", "5");
  EXPECT_THAT(Create(*client, record), HasReason(common::v1::REASON_FIELD_REQUIRED));
  record = Claim("LP-1");
  (*record.mutable_fields())["event_on"] = "2020-03-06";
  EXPECT_THAT(Create(*client, record), HasReason(common::v1::REASON_RULE_VIOLATED));
  EXPECT_THAT(Create(*client, Make("mutual_aid_premium", "SK-1", "E01", "2020-02-18",
                                   {{"enrolment", "CB-9"}, {"amount", "80"}})),
              HasReason(common::v1::REASON_REFERENCE_NOT_FOUND));
  EXPECT_EQ(ChartOf("E01"), "NOT_FOUND");
}

TEST_P(BenefitsTest, ScopeAndFederationAreChecked) {
  const auto client = Accountant();
  ASSERT_OK_AND_ASSIGN(Record benefit, Create(*client, Benefit("LM-1", "E02", "2000")));
  const auto street = As("accountant", "T01");
  EXPECT_THAT(Create(*street, Benefit("LM-2", "E02", "1")),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Get(*street, benefit.name()), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Cancel(*street, benefit.name()), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  (*benefit.mutable_fields())["amount"] = "1";
  EXPECT_THAT(Update(*street, benefit, "fields.amount"),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Get(*As("accountant", "*", "other"), benefit.name()),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  EXPECT_THAT(Create(*As("statistician", "D01"), Benefit("LM-2", "E02", "1")),
              HasReason(common::v1::REASON_PERMISSION_MISSING));
  EXPECT_EQ(Vouchers("E02").size(), 1);
}

TEST_P(BenefitsTest, ListKindsOffersBooksAndVouchersToo) {
  ASSERT_OK_AND_ASSIGN(const auto kinds,
                       Accountant()->Invoke<common::v1::ListKindsResponse>(
                           StrCat(kBenefits, "ListKinds"), common::v1::ListKindsRequest()));
  std::set<std::string> nouns;
  for (const auto& kind : kinds.kinds()) {
    nouns.insert(kind.noun());
    EXPECT_FALSE(kind.label().zh().empty() || kind.label().en().empty()) << kind.name();
    EXPECT_FALSE(kind.help().zh().empty() || kind.help().en().empty()) << kind.name();
    for (const auto& field : kind.fields()) {
      EXPECT_FALSE(field.label().zh().empty() || field.label().en().empty()) << field.name();
    }
  }
  EXPECT_TRUE(nouns.contains("book") && nouns.contains("voucher"));
}

INSTANTIATE_TEST_SUITE_P(Engines, BenefitsTest, ::testing::ValuesIn(testing::Engines()));

}  // namespace
}  // namespace gonghui::funds
