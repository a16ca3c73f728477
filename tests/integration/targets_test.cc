// Targets: set, split, signed in letters, and how far units have come.
#include <map>
#include <random>
#include <set>
#include <vector>

#include "absl/strings/match.h"
#include "common/crypto/personal.h"
#include "gonghui/reports/v1/target.pb.h"
#include "tests/integration/reports_suite.h"

namespace gonghui::reports {
namespace {

constexpr char kTargets[] = "/gonghui.reports.v1.TargetService/";
constexpr char kHandouts[] = "handouts_distributed";

// Copies handed out by a town in the months of 2020 up to one, recounted from the fixture's rule.
int64_t Copies(const std::string& town, int last_month = 12, int first_month = 1) {
  int64_t copies = 0;
  for (int i = 0; i < kRecords; ++i) {
    const int month = 1 + i % 6;
    if ((town == "T01") == (i % 2 == 0) && month >= first_month && month <= last_month) {
      copies += 1 + i % 7;
    }
  }
  return copies;
}

class TargetsTest : public ReportsTest {
 protected:
  static v1::Target Wanted(const std::string& organization, const std::string& text,
                           const std::string& period = "2020",
                           const std::string& measure = kHandouts) {
    v1::Target target;
    target.set_organization(organization);
    target.set_measure(measure);
    target.set_period(period);
    target.set_text(text);
    return target;
  }

  static v1::SetTargetsRequest Setting(const std::vector<v1::Target>& targets) {
    v1::SetTargetsRequest request;
    request.set_parent("federations/demo");
    for (const v1::Target& target : targets) *request.add_targets() = target;
    return request;
  }

  template <typename Response, typename Request>
  absl::StatusOr<Response> Ask(const std::string& method, const Request& request,
                               rpc::Client* caller = nullptr) {
    return (caller == nullptr ? admin_.get() : caller)
        ->Invoke<Response>(absl::StrCat(kTargets, method), request);
  }

  absl::StatusOr<v1::SetTargetsResponse> Set(const std::vector<v1::Target>& targets) {
    return Ask<v1::SetTargetsResponse>("SetTargets", Setting(targets));
  }

  v1::Target SetOne(const v1::Target& target) {
    auto answer = Set({target});
    EXPECT_THAT(answer, IsOk());
    if (!answer.ok() || answer->targets_size() != 1) {
      ADD_FAILURE() << (answer.ok() ? answer->ShortDebugString() : "");
      return {};
    }
    return answer->targets(0);
  }

  absl::StatusOr<v1::SplitTargetResponse> Split(
      const v1::Target& target, const std::vector<std::pair<std::string, std::string>>& parts) {
    v1::SplitTargetRequest request;
    request.set_name(target.name());
    for (const auto& [organization, text] : parts) {
      v1::TargetPart& part = *request.add_parts();
      part.set_organization(organization);
      part.set_text(text);
    }
    return Ask<v1::SplitTargetResponse>("SplitTarget", request);
  }

  std::map<std::string, std::string> Propose(const v1::Target& target, v1::SplitMethod method) {
    v1::ProposeSplitRequest request;
    request.set_name(target.name());
    request.set_method(method);
    auto proposal = Ask<v1::ProposeSplitResponse>("ProposeSplit", request);
    EXPECT_THAT(proposal, IsOk());
    std::map<std::string, std::string> parts;
    if (!proposal.ok()) return parts;
    for (const v1::TargetPart& part : proposal->parts()) parts[part.organization()] = part.text();
    return parts;
  }

  absl::StatusOr<v1::Letter> Issue(const std::string& organization, const std::string& year) {
    v1::IssueLetterRequest request;
    request.set_parent("federations/demo");
    request.set_organization(organization);
    request.set_year(year);
    return Ask<v1::Letter>("IssueLetter", request);
  }

  absl::StatusOr<v1::Letter> Sign(const v1::Letter& letter, const std::string& request_id = "") {
    v1::SignLetterRequest request;
    request.set_name(letter.name());
    request.set_signer("王主席");
    request.set_signed_on("2020-01-15");
    request.set_etag(letter.etag());
    request.set_request_id(request_id);
    return Ask<v1::Letter>("SignLetter", request);
  }

  absl::StatusOr<v1::GetProgressResponse> Progress(const std::string& organization,
                                                   const std::string& period,
                                                   const std::string& as_of,
                                                   bool children = false) {
    v1::GetProgressRequest request;
    request.set_parent("federations/demo");
    request.set_organization(organization);
    request.set_period(period);
    request.set_as_of(as_of);
    request.set_children(children);
    return Ask<v1::GetProgressResponse>("GetProgress", request);
  }

  std::string FigureText(const std::string& organization, const std::string& measure) {
    v1::QueryFiguresRequest request;
    request.set_parent("federations/demo");
    request.set_organization(organization);
    request.set_period("2020");
    request.add_measures(measure);
    auto answer =
        admin_->Invoke<v1::QueryFiguresResponse>(absl::StrCat(kReports, "QueryFigures"), request);
    EXPECT_THAT(answer, IsOk());
    return answer.ok() && answer->figures_size() == 1 ? answer->figures(0).text() : "";
  }
};

TEST_P(TargetsTest, AreSetReplacedListedAndTakenBackWithHistory) {
  v1::SetTargetsRequest request = Setting({Wanted("T01", "500"), Wanted("D01", "1001")});
  request.mutable_targets(0)->set_dimensions("topic=law");
  request.mutable_targets(0)->set_weight_hundredths(1250);
  request.set_request_id("s1");
  ASSERT_OK_AND_ASSIGN(const auto first, Ask<v1::SetTargetsResponse>("SetTargets", request));
  ASSERT_EQ(first.targets_size(), 2) << first.ShortDebugString();
  const v1::Target& town = first.targets(0);
  EXPECT_EQ(town.given_by(), "D01") << "the superior, where nobody is named";
  EXPECT_EQ(first.targets(1).given_by(), "D01") << "the root gives itself";
  EXPECT_EQ(town.value(), 500);
  EXPECT_EQ(town.unit(), "copy");
  EXPECT_EQ(town.direction(), v1::TARGET_DIRECTION_AT_LEAST);
  EXPECT_EQ(town.version(), 1);
  ASSERT_OK_AND_ASSIGN(const auto again, Ask<v1::SetTargetsResponse>("SetTargets", request));
  EXPECT_EQ(again.targets(0).update_time_us(), town.update_time_us());

  v1::Target changed = town;
  changed.set_text("520");
  changed.set_etag("\"7\"");
  ASSERT_OK_AND_ASSIGN(const auto stale, Set({changed}));
  ASSERT_EQ(stale.failures_size(), 1);
  EXPECT_EQ(stale.failures(0).reason(), "ETAG_MISMATCH");
  changed.set_etag(town.etag());
  EXPECT_EQ(SetOne(changed).version(), 2);

  v1::ListTargetsRequest list;
  list.set_parent("federations/demo");
  list.set_organization("D01");
  list.set_below(true);
  list.set_page_size(1);
  std::vector<std::string> listed;
  do {
    ASSERT_OK_AND_ASSIGN(const auto page, Ask<v1::ListTargetsResponse>("ListTargets", list));
    for (const v1::Target& target : page.targets()) listed.push_back(target.organization());
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  EXPECT_EQ(listed, (std::vector<std::string>{"D01", "T01"}));

  v1::DeleteTargetRequest remove;
  remove.set_name(town.name());
  remove.set_request_id("d1");
  ASSERT_THAT(Ask<v1::Target>("DeleteTarget", remove), IsOk());
  ASSERT_THAT(Ask<v1::Target>("DeleteTarget", remove), IsOk()) << "replayed";
  v1::GetTargetRequest get;
  get.set_name(town.name());
  EXPECT_THAT(Ask<v1::Target>("GetTarget", get), HasReasonAt(common::v1::REASON_NOT_FOUND, "name"));
  v1::ListTargetChangesRequest history;
  history.set_name(town.name());
  ASSERT_OK_AND_ASSIGN(const auto changes,
                       Ask<v1::ListTargetChangesResponse>("ListTargetChanges", history));
  ASSERT_EQ(changes.changes_size(), 3);
  EXPECT_TRUE(changes.changes(0).deleted());
  EXPECT_EQ(changes.changes(1).target().text(), "520");
  EXPECT_EQ(changes.changes(2).target().text(), "500");
}

TEST_P(TargetsTest, AllFaultsAreToldAtOnce) {
  std::vector<v1::Target> wrong(9, Wanted("T01", "5"));
  wrong[0].set_measure("no_such");
  wrong[1].set_organization("X99");
  wrong[2].set_period("May");
  wrong[3].set_text("-5");
  wrong[4].set_text("5.5");
  wrong[5].set_dimensions("topic=*");
  wrong[6].set_given_by("T02");
  wrong[8] = wrong[7];
  ASSERT_OK_AND_ASSIGN(const auto answer, Set(wrong));
  EXPECT_EQ(answer.targets_size(), 0);
  std::map<int, std::string> faults;
  for (const auto& fault : answer.failures()) {
    faults[fault.index()] = absl::StrCat(fault.reason(), " ", fault.field());
    EXPECT_FALSE(fault.message_zh().empty());
  }
  EXPECT_EQ(faults, (std::map<int, std::string>{{0, "MEASURE_UNKNOWN measure"},
                                                {1, "NOT_FOUND organization"},
                                                {2, "PERIOD_INVALID period"},
                                                {3, "FIELD_INVALID text"},
                                                {4, "FIELD_INVALID text"},
                                                {5, "FIELD_INVALID dimensions"},
                                                {6, "FIELD_INVALID given_by"},
                                                {8, "DUPLICATE_IN_REQUEST "}}));
  v1::SetTargetsRequest dry = Setting({Wanted("T01", "5")});
  dry.set_validate_only(true);
  ASSERT_OK_AND_ASSIGN(const auto judged, Ask<v1::SetTargetsResponse>("SetTargets", dry));
  EXPECT_EQ(judged.targets_size(), 1);
  v1::GetTargetRequest get;
  get.set_name(judged.targets(0).name());
  EXPECT_THAT(Ask<v1::Target>("GetTarget", get), HasReason(common::v1::REASON_NOT_FOUND));
}

TEST_P(TargetsTest, RightsAreThoseOfTheGiver) {
  const auto street = Client("demo", "appraiser", "T01");
  const auto other = Client("other", "admin", "*");
  const auto clerk = Client("demo", "clerk", "T01");
  ASSERT_OK_AND_ASSIGN(
      const auto above,
      Ask<v1::SetTargetsResponse>("SetTargets", Setting({Wanted("T01", "5")}), street.get()));
  ASSERT_EQ(above.failures_size(), 1);
  EXPECT_EQ(above.failures(0).reason(), "OUT_OF_SCOPE") << "D01 gives T01 its targets";
  v1::Target own = Wanted("T01", "5");
  own.set_given_by("T01");
  ASSERT_OK_AND_ASSIGN(
      const auto set,
      Ask<v1::SetTargetsResponse>("SetTargets", Setting({own, Wanted("E01", "3")}), street.get()));
  EXPECT_EQ(set.targets_size(), 2) << set.ShortDebugString();
  EXPECT_THAT(Ask<v1::SetTargetsResponse>("SetTargets", Setting({own}), clerk.get()),
              HasReason(common::v1::REASON_PERMISSION_MISSING));
  EXPECT_THAT(Ask<v1::SetTargetsResponse>("SetTargets", Setting({own}), other.get()),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  v1::GetTargetRequest get;
  get.set_name(set.targets(0).name());
  EXPECT_THAT(Ask<v1::Target>("GetTarget", get, clerk.get()), IsOk());
  const auto elsewhere = Client("demo", "appraiser", "T02");
  EXPECT_THAT(Ask<v1::Target>("GetTarget", get, elsewhere.get()),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  v1::GetProgressRequest progress;
  progress.set_parent("federations/demo");
  progress.set_organization("T01");
  progress.set_period("2020");
  EXPECT_THAT(Ask<v1::GetProgressResponse>("GetProgress", progress, elsewhere.get()),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
}

TEST_P(TargetsTest, PartsSumToTheWhole) {
  const v1::Target whole = SetOne(Wanted("D01", "1001"));
  EXPECT_EQ(Propose(whole, v1::SPLIT_METHOD_EQUAL),
            (std::map<std::string, std::string>{{"T01", "501"}, {"T02", "500"}}));
  EXPECT_THAT(Split(whole, {{"T01", "501"}, {"T02", "501"}}),
              HasReason(common::v1::REASON_TARGET_MISMATCH));
  EXPECT_THAT(Split(whole, {{"E01", "1001"}}),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "parts[0].organization"));
  ASSERT_OK_AND_ASSIGN(const auto split, Split(whole, {{"T02", "401"}, {"T01", "600"}}));
  ASSERT_EQ(split.parts_size(), 2);
  EXPECT_EQ(split.parts(0).organization(), "T01");
  EXPECT_EQ(split.parts(0).split_from(), whole.name());
  EXPECT_EQ(split.parts(0).given_by(), "D01");

  // A part, or the whole, does not change alone.
  for (const v1::Target& alone : {Wanted("T01", "601"), Wanted("D01", "1002")}) {
    ASSERT_OK_AND_ASSIGN(const auto answer, Set({alone}));
    ASSERT_EQ(answer.failures_size(), 1);
    EXPECT_EQ(answer.failures(0).reason(), "TARGET_MISMATCH");
  }
  ASSERT_OK_AND_ASSIGN(const auto both, Set({Wanted("T01", "601"), Wanted("D01", "1002")}));
  EXPECT_EQ(both.failures_size(), 0) << both.ShortDebugString();
  v1::DeleteTargetRequest remove;
  remove.set_name(whole.name());
  EXPECT_THAT(Ask<v1::Target>("DeleteTarget", remove), HasReason(common::v1::REASON_STATE_FORBIDS));
  remove.set_name(split.parts(0).name());
  EXPECT_THAT(Ask<v1::Target>("DeleteTarget", remove), HasReason(common::v1::REASON_STATE_FORBIDS));

  // Further down; then the upper split cannot go.
  ASSERT_THAT(Split(split.parts(0), {{"E01", "601"}}), IsOk());
  EXPECT_THAT(Split(whole, {}), HasReason(common::v1::REASON_STATE_FORBIDS));
  ASSERT_THAT(Split(split.parts(0), {}), IsOk());
  ASSERT_THAT(Split(whole, {}), IsOk());
  remove.set_name(whole.name());
  EXPECT_THAT(Ask<v1::Target>("DeleteTarget", remove), IsOk());
}

// Random parts, right and wrong: one error names every fault, in the order of the parts.
TEST_P(TargetsTest, EveryFaultOfASplitIsTold) {
  const v1::Target whole = SetOne(Wanted("D01", "1001"));
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 60; ++round) {
    v1::SplitTargetRequest request;
    request.set_name(whole.name());
    std::vector<std::string> faults;
    std::set<std::string> seen;
    for (size_t i = 0; i <= random() % 6 || faults.empty(); ++i) {
      static constexpr const char* kUnits[] = {"T01", "T02", "E01", "D01"};
      static constexpr const char* kTexts[] = {"7", "0", "-1", "x", "1.5"};
      const size_t unit = random() % 4;
      const size_t text = random() % 5;
      v1::TargetPart& part = *request.add_parts();
      part.set_organization(kUnits[unit]);
      part.set_text(kTexts[text]);
      part.set_weight_hundredths(random() % 5 == 0 ? -1 : 100);
      const std::string at = absl::StrCat("parts[", i, "]");
      if (unit > 1 || !seen.insert(kUnits[unit]).second) faults.push_back(at + ".organization");
      if (text > 1) faults.push_back(at + ".text");
      if (part.weight_hundredths() < 0) faults.push_back(at + ".weight_hundredths");
    }
    const auto answer = Ask<v1::SplitTargetResponse>("SplitTarget", request);
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(FieldOf(answer.status()), faults[0]) << request.ShortDebugString();
    if (faults.size() == 1) continue;
    std::string_view told(answer.status().message().data(), answer.status().message().size());
    EXPECT_EQ(told.find(absl::StrCat(faults.size(), " faults: ")), 0u) << told;
    for (const std::string& fault : faults) {
      const size_t found = told.find(fault + ": ");
      if (found == std::string_view::npos && told.ends_with("…"))
        break;  // A message has its length.
      ASSERT_NE(found, std::string_view::npos) << fault << " is missing: " << answer.status();
      told.remove_prefix(found + fault.size());
    }
  }
}

TEST_P(TargetsTest, ProposalsFollowLastYearAndRatiosStandForThemselves) {
  const v1::Target whole = SetOne(Wanted("D01", "1000", "2021"));
  const int64_t a = Copies("T01");
  const int64_t b = Copies("T02");
  int64_t first = 1000 * a / (a + b);
  if (1000 * a % (a + b) > 1000 * b % (a + b)) ++first;  // The one left goes to the larger rest.
  EXPECT_EQ(Propose(whole, v1::SPLIT_METHOD_LAST_YEAR),
            (std::map<std::string, std::string>{{"T01", absl::StrCat(first)},
                                                {"T02", absl::StrCat(1000 - first)}}));
  v1::ProposeSplitRequest members;
  members.set_name(whole.name());
  members.set_method(v1::SPLIT_METHOD_MEMBERS);
  EXPECT_THAT(Ask<v1::ProposeSplitResponse>("ProposeSplit", members),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "method"))
      << "nobody has members";
  const v1::Target ratio = SetOne(Wanted("D01", "83.5", "2021", "tasks_done_rate"));
  EXPECT_EQ(ratio.value(), 835000);
  EXPECT_EQ(Propose(ratio, v1::SPLIT_METHOD_EQUAL),
            (std::map<std::string, std::string>{{"T01", "83.5"}, {"T02", "83.5"}}));
  EXPECT_THAT(Split(ratio, {{"T01", "80"}, {"T02", "95.25"}}), IsOk());
}

TEST_P(TargetsTest, LettersAreSignedAmendedAndKept) {
  EXPECT_THAT(Issue("T01", "2020"), HasReason(common::v1::REASON_STATE_FORBIDS)) << "no targets";
  SetOne(Wanted("T01", "500"));
  ASSERT_OK_AND_ASSIGN(const v1::Letter issued, Issue("T01", "2020"));
  EXPECT_EQ(issued.name(), "federations/demo/organizations/T01/letters/2020.1");
  EXPECT_EQ(issued.state(), v1::LETTER_STATE_ISSUED);
  EXPECT_TRUE(absl::StrContains(issued.text(), "宣传资料发放数")) << issued.text();
  EXPECT_TRUE(absl::StrContains(issued.text(), "不低于 500 | 份")) << issued.text();
  SetOne(Wanted("T01", "510"));
  EXPECT_THAT(Sign(issued), HasReason(common::v1::REASON_PLAN_STALE));
  ASSERT_OK_AND_ASSIGN(const v1::Letter renewed, Issue("T01", "2020"));
  ASSERT_OK_AND_ASSIGN(const v1::Letter first, Sign(renewed, "g1"));
  EXPECT_EQ(first.state(), v1::LETTER_STATE_SIGNED);
  EXPECT_EQ(first.digest(), crypto::Sm3Hex(first.content()));
  ASSERT_OK_AND_ASSIGN(const v1::Letter replayed, Sign(renewed, "g1"));
  EXPECT_EQ(replayed.sign_time_us(), first.sign_time_us());
  EXPECT_EQ(FigureText("D01", "responsibility_letters_signed"), "1");

  ASSERT_OK_AND_ASSIGN(const auto refused, Set({Wanted("T01", "520")}));
  ASSERT_EQ(refused.failures_size(), 1);
  EXPECT_EQ(refused.failures(0).reason(), "STATE_FORBIDS");
  v1::DeleteTargetRequest remove;
  remove.set_name(first.targets(0).name());
  EXPECT_THAT(Ask<v1::Target>("DeleteTarget", remove), HasReason(common::v1::REASON_STATE_FORBIDS));

  v1::AmendLetterRequest amend;
  amend.set_name(first.name());
  amend.set_reason("任务调整");
  ASSERT_OK_AND_ASSIGN(const v1::Letter opened, Ask<v1::Letter>("AmendLetter", amend));
  EXPECT_EQ(opened.version(), 2);
  EXPECT_THAT(Ask<v1::Letter>("AmendLetter", amend), HasReason(common::v1::REASON_STATE_FORBIDS));
  SetOne(Wanted("T01", "520"));
  ASSERT_OK_AND_ASSIGN(const v1::Letter reissued, Issue("T01", "2020"));
  EXPECT_EQ(reissued.reason(), "任务调整");
  ASSERT_THAT(Sign(reissued), IsOk());
  v1::GetLetterRequest get;
  get.set_name(first.name());
  ASSERT_OK_AND_ASSIGN(const v1::Letter kept, Ask<v1::Letter>("GetLetter", get));
  EXPECT_EQ(kept.state(), v1::LETTER_STATE_AMENDED);
  EXPECT_EQ(kept.content(), first.content());
  EXPECT_EQ(kept.digest(), first.digest());
  get.set_name("federations/demo/organizations/T01/letters/2020");
  ASSERT_OK_AND_ASSIGN(const v1::Letter newest, Ask<v1::Letter>("GetLetter", get));
  EXPECT_EQ(newest.version(), 2);
  EXPECT_EQ(newest.targets(0).text(), "520");
  EXPECT_EQ(FigureText("D01", "responsibility_letters_signed"), "1") << "one a unit and year";
  ASSERT_OK_AND_ASSIGN(const auto verified, Verify());
  EXPECT_EQ(verified.divergent(), 0);

  v1::ListLettersRequest list;
  list.set_parent("federations/demo");
  list.set_organization("D01");
  list.set_children(true);
  list.set_page_size(1);
  std::vector<int> versions;
  do {
    ASSERT_OK_AND_ASSIGN(const auto page, Ask<v1::ListLettersResponse>("ListLetters", list));
    for (const v1::Letter& letter : page.letters()) versions.push_back(letter.version());
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  EXPECT_EQ(versions, (std::vector<int>{2, 1}));
}

TEST_P(TargetsTest, LettersKeepToTheirRights) {
  SetOne(Wanted("T01", "500"));
  const auto clerk = Client("demo", "clerk", "T01");
  const auto elsewhere = Client("demo", "clerk", "T02");
  v1::IssueLetterRequest issue;
  issue.set_parent("federations/demo");
  issue.set_organization("T01");
  issue.set_year("2020");
  const auto street = Client("demo", "appraiser", "T01");
  EXPECT_THAT(Ask<v1::Letter>("IssueLetter", issue, street.get()),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_OK_AND_ASSIGN(const v1::Letter letter, Issue("T01", "2020"));
  v1::SignLetterRequest sign;
  sign.set_name(letter.name());
  sign.set_signer("王主席");
  sign.set_signed_on("2999-01-01");
  EXPECT_THAT(Ask<v1::Letter>("SignLetter", sign, clerk.get()),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "signed_on"));
  sign.set_signed_on("2020-01-15");
  EXPECT_THAT(Ask<v1::Letter>("SignLetter", sign, elsewhere.get()),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Ask<v1::Letter>("SignLetter", sign, clerk.get()), IsOk());
  const auto other = Client("other", "admin", "*");
  v1::GetLetterRequest get;
  get.set_name(letter.name());
  EXPECT_THAT(Ask<v1::Letter>("GetLetter", get, other.get()),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  get.set_name("federations/demo/organizations/T01/letters/2020.9");
  EXPECT_THAT(Ask<v1::Letter>("GetLetter", get), HasReasonAt(common::v1::REASON_NOT_FOUND, "name"));
}

TEST_P(TargetsTest, ProgressIsJudgedByTheTimeElapsed) {
  const int64_t quarter = Copies("T01", 3) + Copies("T02", 3);
  const v1::Target whole = SetOne(Wanted("D01", absl::StrCat(quarter * 10)));
  ASSERT_THAT(Split(whole, {{"T01", absl::StrCat(quarter * 10 - 100)}, {"T02", "100"}}), IsOk());
  v1::Target most = Wanted("D01", "0", "2020", "skills_contests_held");
  most.set_direction(v1::TARGET_DIRECTION_AT_MOST);
  SetOne(most);
  ASSERT_OK_AND_ASSIGN(const auto spring, Progress("D01", "2020", "2020-03-31", true));
  EXPECT_EQ(spring.elapsed_text(), "24.86");  // 91 of 366 days.
  EXPECT_EQ(spring.tolerance_text(), "5.00");
  ASSERT_EQ(spring.progress_size(), 2);
  const v1::TargetProgress& copies = spring.progress(0);
  EXPECT_EQ(copies.achieved().value(), quarter);
  EXPECT_EQ(copies.achieved().name(),
            "federations/demo/organizations/D01/figures/handouts_distributed/2020-03YTD");
  EXPECT_EQ(copies.completion_text(), "10.00");
  EXPECT_EQ(copies.standing(), v1::TARGET_STANDING_BEHIND);
  ASSERT_EQ(copies.children_size(), 2);
  EXPECT_EQ(copies.children(0).achieved().value(), Copies("T01", 3));
  EXPECT_EQ(copies.children(0).standing(), v1::TARGET_STANDING_BEHIND);
  EXPECT_EQ(copies.children(1).standing(), v1::TARGET_STANDING_REACHED);
  const v1::TargetProgress& contests = spring.progress(1);
  EXPECT_FALSE(contests.has_completion()) << "null for a target of zero";
  EXPECT_EQ(contests.completion_text(), "");
  EXPECT_EQ(contests.standing(), v1::TARGET_STANDING_ON_COURSE);

  v1::ExplainFigureRequest explain;
  explain.set_name(copies.achieved().name());
  ASSERT_OK_AND_ASSIGN(const auto explained, admin_->Invoke<v1::ExplainFigureResponse>(
                                                 absl::StrCat(kReports, "ExplainFigure"), explain));
  EXPECT_EQ(explained.figure().value(), quarter);

  ASSERT_OK_AND_ASSIGN(const auto end, Progress("D01", "2020", "2021-02-01"));
  EXPECT_EQ(end.as_of(), "2020-12-31");
  EXPECT_EQ(end.elapsed_text(), "100.00");
  EXPECT_EQ(end.progress(0).standing(), v1::TARGET_STANDING_MISSED);
  EXPECT_EQ(end.progress(1).standing(), v1::TARGET_STANDING_REACHED);

  // Within a period that begins later in the year: by months.
  SetOne(Wanted("T01", "1000", "2020Q2"));
  ASSERT_OK_AND_ASSIGN(const auto may, Progress("T01", "2020Q2", "2020-05-15"));
  ASSERT_EQ(may.progress_size(), 1);
  EXPECT_EQ(may.progress(0).achieved().value(), Copies("T01", 5, 4));
  EXPECT_TRUE(absl::EndsWith(may.progress(0).achieved().name(), "/month=2020-04,2020-05"));
  explain.set_name(may.progress(0).achieved().name());
  ASSERT_OK_AND_ASSIGN(const auto months, admin_->Invoke<v1::ExplainFigureResponse>(
                                              absl::StrCat(kReports, "ExplainFigure"), explain));
  EXPECT_EQ(months.figure().value(), Copies("T01", 5, 4));
  EXPECT_THAT(Progress("T01", "2020Q2", "2020-03-31"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "as_of"));
  EXPECT_THAT(Progress("X99", "2020", ""),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "organization"));
}

INSTANTIATE_TEST_SUITE_P(Engines, TargetsTest, ::testing::ValuesIn(testing::Engines()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace gonghui::reports
