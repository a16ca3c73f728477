// Payers, obligations, arrears, reminders and statements through the public RPCs.
#include "gonghui/common/v1/options.pb.h"
#include "google/protobuf/message.h"
#include "tests/integration/levy_suite.h"

namespace gonghui::funds {
namespace {

using testing::HasReason;
using testing::HasReasonAt;
using testing::IsOk;

class LeviesTest : public LevyTest {
 protected:
  static v1::RemindLevyPayersRequest Reminding(const std::string& organization,
                                               const std::string& issued_on) {
    auto request = New<v1::RemindLevyPayersRequest>();
    request.set_organization(organization);
    request.set_issued_on(issued_on);
    return request;
  }
  static absl::StatusOr<v1::ListLevyObligationsResponse> Obligations(
      const rpc::Client& client, const std::string& organization, const std::string& as_of,
      bool overdue) {
    v1::ListLevyObligationsRequest request;
    request.set_parent(std::string(kDemo));
    request.set_organization(organization);
    request.set_as_of(as_of);
    request.set_overdue(overdue);
    return Ask<v1::ListLevyObligationsResponse>(client, "ListLevyObligations", request);
  }
  // "age count fen" of each age that has anything.
  static std::vector<std::string> Ages(const std::string& organization, const std::string& as_of) {
    v1::GetLevyAgeingRequest request;
    request.set_parent(std::string(kDemo));
    request.set_organization(organization);
    request.set_as_of(as_of);
    auto answer = Ask<v1::GetLevyAgeingResponse>("GetLevyAgeing", request);
    EXPECT_THAT(answer, IsOk());
    std::vector<std::string> ages;
    if (!answer.ok()) return ages;
    for (const v1::LevyAge& age : answer->ages()) {
      if (age.obligations() == 0) continue;
      ages.push_back(StrCat(age.age(), " ", age.obligations(), " ", age.outstanding_fen()));
    }
    return ages;
  }
};

TEST_P(LeviesTest, PayersAreSetListedAndChecked) {
  SetPayers();
  v1::ListLevyPayersRequest list;
  list.set_parent(std::string(kDemo));
  list.set_organization("T01");
  ASSERT_OK_AND_ASSIGN(const auto below, Ask<v1::ListLevyPayersResponse>("ListLevyPayers", list));
  ASSERT_EQ(below.payers_size(), 2);
  EXPECT_EQ(below.payers(0).name(), "federations/demo/levyPayers/U1");
  list.clear_organization();
  list.set_page_size(1);
  std::vector<std::string> units;
  do {
    ASSERT_OK_AND_ASSIGN(const auto page, Ask<v1::ListLevyPayersResponse>("ListLevyPayers", list));
    for (const auto& payer : page.payers()) units.push_back(payer.unit());
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  EXPECT_EQ(units, (std::vector<std::string>{"U1", "U2", "U9"}));

  auto request = New<v1::SetLevyPayersRequest>();
  *request.add_payers() = Payer("U1", "E01", "2015-01-01");  // As it is.
  *request.add_payers() = Payer("U3", "X99", "");
  *request.add_payers() = Payer("U3", "E01", "2015-13-01");
  *request.add_payers() = Payer("", "E01", "");
  *request.add_payers() = Payer("U1", "E01", "");
  ASSERT_OK_AND_ASSIGN(const auto failed, Ask<v1::SetLevyPayersResponse>("SetLevyPayers", request));
  ASSERT_EQ(failed.failures_size(), 4) << failed.DebugString();
  EXPECT_EQ(failed.failures(0).field(), "organization");
  EXPECT_EQ(failed.failures(0).reason(), "REFERENCE_NOT_FOUND");
  EXPECT_EQ(failed.failures(1).field(), "founded_on");
  EXPECT_EQ(failed.failures(2).reason(), "FIELD_REQUIRED");
  EXPECT_EQ(failed.failures(3).reason(), "DUPLICATE_IN_REQUEST");
  request.mutable_payers()->DeleteSubrange(1, 4);
  *request.add_payers() = Payer("U 5", "E01", "");
  request.mutable_payers(1)->set_display_name(std::string(129, 'a'));
  ASSERT_OK_AND_ASSIGN(const auto shape, Ask<v1::SetLevyPayersResponse>("SetLevyPayers", request));
  ASSERT_EQ(shape.failures_size(), 1);
  EXPECT_EQ(shape.failures(0).field(), "unit");
  request.mutable_payers()->RemoveLast();
  ASSERT_OK_AND_ASSIGN(const auto same, Ask<v1::SetLevyPayersResponse>("SetLevyPayers", request));
  EXPECT_EQ(same.written(), 0);
  // A street's accountant neither takes a payer of another street nor gives one away.
  const auto street = As("accountant", "T01");
  auto theirs = New<v1::SetLevyPayersRequest>();
  *theirs.add_payers() = Payer("U2", "E01", "");
  *theirs.add_payers() = Payer("U4", "E02", "");
  ASSERT_OK_AND_ASSIGN(const auto refused,
                       Ask<v1::SetLevyPayersResponse>(*street, "SetLevyPayers", theirs));
  ASSERT_EQ(refused.failures_size(), 2);
  EXPECT_EQ(refused.failures(0).reason(), "OUT_OF_SCOPE");
  EXPECT_EQ(refused.failures(1).reason(), "OUT_OF_SCOPE");
  EXPECT_THAT(
      Ask<v1::SetLevyPayersResponse>(*As("accountant", "*", "other"), "SetLevyPayers", theirs),
      HasReason(common::v1::REASON_WRONG_FEDERATION));
  EXPECT_THAT(Ask<v1::SetLevyPayersResponse>(*As("statistician", "D01"), "SetLevyPayers", theirs),
              HasReason(common::v1::REASON_PERMISSION_MISSING));
}

TEST_P(LeviesTest, ObligationsAreAssessedAnewAndOnce) {
  SetPayers();
  const auto request = Payroll("U1", "2024-04", 50'000'00);
  ASSERT_OK_AND_ASSIGN(const auto first, Ask<v1::AssessLeviesResponse>("AssessLevies", request));
  ASSERT_EQ(first.obligations_size(), 1);
  EXPECT_EQ(first.obligations(0).payable_fen(), 1'000'00);
  EXPECT_EQ(first.obligations(0).due_on(), "2024-05-15");
  EXPECT_EQ(first.obligations(0).item(), "levy");
  EXPECT_FALSE(first.obligations(0).citation().empty());
  ASSERT_OK_AND_ASSIGN(const auto again, Ask<v1::AssessLeviesResponse>("AssessLevies", request));
  EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
  auto reused = request;
  reused.mutable_obligations(0)->set_payroll_fen(1);
  EXPECT_THAT(Ask<v1::AssessLeviesResponse>("AssessLevies", reused),
              HasReason(common::v1::REASON_REQUEST_ID_REUSED));
  Assess("U1", "2024-04", 60'000'00);
  ASSERT_OK_AND_ASSIGN(const auto listed, Obligations(*Accountant(), "E01", "2024-05-01", false));
  ASSERT_EQ(listed.obligations_size(), 1);
  EXPECT_EQ(listed.obligations(0).outstanding_fen(), 1'200'00);
  EXPECT_EQ(listed.obligations(0).age(), "");

  auto bad = Payroll("U7", "2024-04", 1);
  for (const auto& [unit, period, payroll] :
       std::vector<std::tuple<std::string, std::string, int64_t>>{
           {"U1", "2024Q2", 100}, {"U1", "2024", 100}, {"U2", "2024-04", -1}, {"", "2024-04", 1}}) {
    auto& given = *bad.add_obligations();
    given.set_unit(unit);
    given.set_period(period);
    given.set_payroll_fen(payroll);
  }
  ASSERT_OK_AND_ASSIGN(const auto failed, Ask<v1::AssessLeviesResponse>("AssessLevies", bad));
  ASSERT_EQ(failed.failures_size(), 5) << failed.DebugString();
  EXPECT_EQ(failed.failures(0).reason(), "REFERENCE_NOT_FOUND");
  EXPECT_EQ(failed.failures(1).reason(), "ALREADY_EXISTS");  // Shares days with April.
  EXPECT_EQ(failed.failures(2).reason(), "PERIOD_INVALID");
  EXPECT_EQ(failed.failures(3).field(), "payroll_fen");
  EXPECT_EQ(failed.failures(4).field(), "unit");
  const auto street = As("accountant", "T02");
  ASSERT_OK_AND_ASSIGN(
      const auto refused,
      Ask<v1::AssessLeviesResponse>(*street, "AssessLevies", Payroll("U1", "2024-05", 1)));
  ASSERT_EQ(refused.failures_size(), 1);
  EXPECT_EQ(refused.failures(0).reason(), "OUT_OF_SCOPE");
  EXPECT_THAT(Obligations(*street, "T01", "", false), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Obligations(*As("accountant", "*", "other"), "D01", "", false),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
}

TEST_P(LeviesTest, ArrearsAgeAndAreChased) {
  SetPayers();
  Assess("U1", "2024-01", 100'000);
  Assess("U1", "2024-03", 200'000);
  Assess("U2", "2024-03", 300'000);
  using Texts = std::vector<std::string>;
  EXPECT_EQ(Ages("", "2024-03-31"), (Texts{"not_due 2 10000", "31-90 1 2000"}));
  EXPECT_EQ(Ages("T01", "2024-06-30"), (Texts{"31-90 1 4000", "91-180 1 2000"}));
  ASSERT_OK_AND_ASSIGN(const auto overdue, Obligations(*Accountant(), "", "2024-03-31", true));
  ASSERT_EQ(overdue.obligations_size(), 1);
  EXPECT_EQ(overdue.obligations(0).age(), "31-90");

  auto request = Reminding("T01", "2024-06-30");
  request.set_validate_only(true);
  ASSERT_OK_AND_ASSIGN(const auto seen,
                       Ask<v1::RemindLevyPayersResponse>("RemindLevyPayers", request));
  EXPECT_EQ(seen.reminders_size(), 2);
  EXPECT_TRUE(seen.reminders(0).name().empty());
  request = Reminding("T01", "2024-06-30");
  request.set_overdue_days(100);
  ASSERT_OK_AND_ASSIGN(const auto issued,
                       Ask<v1::RemindLevyPayersResponse>("RemindLevyPayers", request));
  ASSERT_EQ(issued.reminders_size(), 1);
  EXPECT_EQ(issued.reminders(0).period(), "2024-01");
  EXPECT_EQ(issued.reminders(0).outstanding_fen(), 2000);
  ASSERT_OK_AND_ASSIGN(const auto replayed,
                       Ask<v1::RemindLevyPayersResponse>("RemindLevyPayers", request));
  EXPECT_EQ(replayed.SerializeAsString(), issued.SerializeAsString());
  ASSERT_OK_AND_ASSIGN(const auto more, Ask<v1::RemindLevyPayersResponse>(
                                            "RemindLevyPayers", Reminding("D01", "2024-07-01")));
  EXPECT_EQ(more.reminders_size(), 2);  // January has one open.

  auto step = Named<v1::AdvanceLevyReminderRequest>(issued.reminders(0).name());
  step.set_state(v1::LEVY_REMINDER_STATE_DELIVERED);
  step.set_on_date("2024-06-29");
  EXPECT_THAT(Ask<v1::LevyReminder>("AdvanceLevyReminder", step),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "on_date"));
  step.set_on_date("2024-07-02");
  EXPECT_THAT(Ask<v1::LevyReminder>(*As("accountant", "T02"), "AdvanceLevyReminder", step),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_THAT(Ask<v1::LevyReminder>("AdvanceLevyReminder", step), IsOk());
  ASSERT_THAT(Ask<v1::LevyReminder>("AdvanceLevyReminder", step), IsOk());  // Replayed.
  step.set_request_id("another");
  EXPECT_THAT(Ask<v1::LevyReminder>("AdvanceLevyReminder", step),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "state"));
  step.set_name("federations/other/levyReminders/" +
                issued.reminders(0).name().substr(issued.reminders(0).name().rfind('/') + 1));
  EXPECT_THAT(Ask<v1::LevyReminder>(*As("accountant", "*", "other"), "AdvanceLevyReminder", step),
              HasReason(common::v1::REASON_NOT_FOUND));

  // Payment settles it.
  ASSERT_THAT(Import(File({Receipt("S1", "U1", 1, 2000, "2024-07-05")})), IsOk());
  ASSERT_THAT(Confirm(), IsOk());
  v1::ListLevyRemindersRequest list;
  list.set_parent(std::string(kDemo));
  list.set_organization("T01");
  list.set_state(v1::LEVY_REMINDER_STATE_SETTLED);
  ASSERT_OK_AND_ASSIGN(const auto settled,
                       Ask<v1::ListLevyRemindersResponse>("ListLevyReminders", list));
  ASSERT_EQ(settled.reminders_size(), 1);
  EXPECT_EQ(settled.reminders(0).changed_on(), "2024-07-05");
  EXPECT_EQ(Ages("T01", "2024-07-05"), (Texts{"31-90 1 4000"}));
  EXPECT_EQ(Ages("T01", "2024-07-04"), (Texts{"31-90 1 4000", "91-180 1 2000"}));
}

TEST_P(LeviesTest, StatementShowsWhatWasOwedAndPaid) {
  SetPayers();
  Assess("U1", "2024-01", 100'000);
  Assess("U1", "2024-02", 200'000);
  ASSERT_THAT(Import(File({Receipt("S1", "U1", 1, 2000, "2024-02-10")})), IsOk());
  ASSERT_THAT(Confirm(), IsOk());
  const auto statement = Statement("U1", "2024-05-01");
  EXPECT_EQ(statement.payable_fen(), 6000);
  EXPECT_EQ(statement.received_fen(), 2000);
  EXPECT_EQ(statement.outstanding_fen(), 4000);
  ASSERT_EQ(statement.obligations_size(), 2);
  EXPECT_EQ(statement.obligations(1).age(), "31-90");
  ASSERT_EQ(statement.receipts_size(), 1);
  EXPECT_EQ(statement.receipts(0).voucher(), "federations/demo/books/D01/vouchers/202402-1");
  v1::GetLevyStatementRequest request;
  request.set_name("federations/demo/levyPayers/U1");
  EXPECT_THAT(
      Ask<v1::GetLevyStatementResponse>(*As("accountant", "T02"), "GetLevyStatement", request),
      HasReason(common::v1::REASON_OUT_OF_SCOPE));
  request.set_from_period("May");
  EXPECT_THAT(Ask<v1::GetLevyStatementResponse>("GetLevyStatement", request),
              HasReasonAt(common::v1::REASON_PERIOD_INVALID, "from_period"));
  request.set_name("federations/demo/levyPayers/U7");
  request.clear_from_period();
  EXPECT_THAT(Ask<v1::GetLevyStatementResponse>("GetLevyStatement", request),
              HasReasonAt(common::v1::REASON_REFERENCE_NOT_FOUND, "name"));
}

// Every method of both services: nobody of another federation, nobody without the permission.
TEST_P(LeviesTest, EveryMethodChecksFederationAndPermission) {
  const auto* file = v1::LevyPayer::descriptor()->file();
  int methods = 0;
  for (int s = 0; s < file->service_count(); ++s) {
    for (int m = 0; m < file->service(s)->method_count(); ++m) {
      const auto* method = file->service(s)->method(m);
      const auto make = [](const google::protobuf::Descriptor* type) {
        return std::unique_ptr<google::protobuf::Message>(
            google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
      };
      const auto request = make(method->input_type());
      const auto* parent = method->input_type()->FindFieldByName("parent");
      const auto* field =
          parent != nullptr ? parent : method->input_type()->FindFieldByName("name");
      ASSERT_NE(field, nullptr) << method->full_name();
      const std::string& pattern = field->options().GetExtension(common::v1::field).resource_type();
      std::string name = Replace(pattern, "{federation}", "demo");
      if (const size_t brace = name.find('{'); brace != std::string::npos) {
        name = name.substr(0, brace) + "x";
      }
      request->GetReflection()->SetString(request.get(), field, name);
      const std::string path = StrCat("/", file->service(s)->full_name(), "/", method->name());
      const auto answer = make(method->output_type());
      EXPECT_THAT(As("accountant", "*", "other")->InvokeMessage(path, *request, *answer, nullptr),
                  HasReason(common::v1::REASON_WRONG_FEDERATION))
          << path;
      EXPECT_THAT(As("caseworker", "D01")->InvokeMessage(path, *request, *answer, nullptr),
                  HasReason(common::v1::REASON_PERMISSION_MISSING))
          << path;
      ++methods;
    }
  }
  EXPECT_EQ(methods, 32);
}

INSTANTIATE_TEST_SUITE_P(Engines, LeviesTest, ::testing::ValuesIn(testing::Engines()));

}  // namespace
}  // namespace gonghui::funds
