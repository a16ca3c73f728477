// Editions: bytes that never change, and the next edition that tells what changed and why.
#include <map>
#include <vector>

#include "common/crypto/personal.h"
#include "gonghui/reports/v1/edition.pb.h"
#include "tests/integration/reports_suite.h"

namespace gonghui::reports {
namespace {

using common::v1::Job;

constexpr char kEditions[] = "/gonghui.reports.v1.EditionService/";

class EditionsTest : public ReportsTest {
 protected:
  static v1::ClosePeriodRequest Closing(const std::string& organization,
                                        const std::string& period) {
    v1::ClosePeriodRequest request;
    request.set_parent("federations/demo");
    request.set_organization(organization);
    request.set_period(period);
    return request;
  }

  absl::StatusOr<v1::Edition> Close(const std::string& organization = "D01") {
    return ::gonghui::testing::RunJob<v1::Edition>(*admin_, absl::StrCat(kEditions, "ClosePeriod"),
                                                   kJobService, Closing(organization, "2020H1"));
  }

  std::string ContentOf(const v1::Edition& edition) {
    std::string content;
    v1::ReadEditionRequest request;
    request.set_name(edition.name());
    for (int parts = 1; request.part() < parts; request.set_part(request.part() + 1)) {
      auto part =
          admin_->Invoke<v1::ReadEditionResponse>(absl::StrCat(kEditions, "ReadEdition"), request);
      EXPECT_THAT(part, IsOk());
      if (!part.ok()) break;
      parts = part->parts();
      content += part->content();
    }
    return content;
  }

  std::vector<v1::EditionChange> ChangesOf(const v1::Edition& edition, int page_size = 7) {
    std::vector<v1::EditionChange> changes;
    v1::ListEditionChangesRequest request;
    request.set_name(edition.name());
    request.set_page_size(page_size);
    do {
      auto page = admin_->Invoke<v1::ListEditionChangesResponse>(
          absl::StrCat(kEditions, "ListEditionChanges"), request);
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) break;
      changes.insert(changes.end(), page->changes().begin(), page->changes().end());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return changes;
  }

  // The change of a figure, by cause; the deltas must sum to the whole.
  static std::map<v1::ChangeCause, int64_t> CausesOf(const std::vector<v1::EditionChange>& changes,
                                                     const std::string& organization,
                                                     const std::string& measure,
                                                     const std::string& dimensions) {
    std::map<v1::ChangeCause, int64_t> causes;
    for (const v1::EditionChange& change : changes) {
      if (change.organization() != organization || change.measure() != measure ||
          change.dimensions() != dimensions) {
        continue;
      }
      for (const v1::CausedDelta& delta : change.causes()) causes[delta.cause()] = delta.delta();
    }
    return causes;
  }

  static void ExpectSums(const std::vector<v1::EditionChange>& changes) {
    for (const v1::EditionChange& change : changes) {
      int64_t sum = 0;
      for (const v1::CausedDelta& delta : change.causes()) sum += delta.delta();
      EXPECT_EQ(sum, change.delta()) << change.ShortDebugString();
      EXPECT_EQ(change.delta(), change.new_value() - change.old_value());
    }
  }

  void Cancel(const std::string& number) {
    common::v1::ListRecordsRequest list;
    list.set_parent("federations/demo");
    list.set_kind("handout_issue");
    list.set_number(number);
    auto found = admin_->Invoke<common::v1::ListRecordsResponse>(
        "/gonghui.activities.v1.ActivityService/ListRecords", list);
    ASSERT_THAT(found, IsOk());
    ASSERT_EQ(found->records_size(), 1);
    common::v1::CancelRecordRequest cancel;
    cancel.set_name(found->records(0).name());
    cancel.set_remark("录入错误");
    ASSERT_THAT(admin_->Invoke<common::v1::Record>(
                    "/gonghui.activities.v1.ActivityService/CancelRecord", cancel),
                IsOk());
  }
};

TEST_P(EditionsTest, BytesNeverChangeAndChangesHaveCauses) {
  ASSERT_OK_AND_ASSIGN(const v1::Edition first, Close());
  EXPECT_EQ(first.name(), "federations/demo/organizations/D01/editions/2020H1.1");
  EXPECT_EQ(first.state(), v1::EDITION_STATE_FROZEN);
  EXPECT_EQ(first.changes(), 0);
  EXPECT_EQ(first.caller(), "tester");
  const std::string content = ContentOf(first);
  EXPECT_EQ(static_cast<int64_t>(content.size()), first.bytes());
  EXPECT_EQ(crypto::Sm3Hex(content), first.digest());
  ASSERT_OK_AND_ASSIGN(const v1::Edition same, Close());
  EXPECT_EQ(same.name(), first.name()) << "nothing changed: the same edition";

  AddHandouts(kRecords, 12);  // Late: i % 3 == 0 is about law; copies are 1 + i % 7.
  Cancel("H6");               // Corrected: 7 copies on law of E01 in January.
  membership::v1::MoveOrganizationRequest move;
  move.set_name("federations/demo/organizations/E02");
  move.set_new_parent("T01");
  move.set_valid_from("2020-06-01");
  ASSERT_THAT(admin_->Invoke<membership::v1::Organization>(
                  "/gonghui.membership.v1.OrganizationService/MoveOrganization", move),
              IsOk());
  ASSERT_THAT(suite_->CatchUp(), IsOk());

  ASSERT_OK_AND_ASSIGN(const v1::Edition second, Close());
  EXPECT_EQ(second.name(), "federations/demo/organizations/D01/editions/2020H1.2");
  EXPECT_EQ(second.base(), first.name());
  EXPECT_NE(second.digest(), first.digest());
  const auto changes = ChangesOf(second);
  EXPECT_EQ(static_cast<int64_t>(changes.size()), second.changes());
  ExpectSums(changes);

  int64_t late = 0;
  for (int i = kRecords; i < kRecords + 12; ++i) late += i % 3 == 0 ? 1 + i % 7 : 0;
  const auto whole = CausesOf(changes, "D01", "handouts_distributed", "topic=law");
  EXPECT_EQ(whole, (std::map<v1::ChangeCause, int64_t>{{v1::CHANGE_CAUSE_LATE, late},
                                                       {v1::CHANGE_CAUSE_CORRECTED, -7}}));
  // What E02 handed out in June is now T01's.
  int64_t june = 0;
  for (int i = 0; i < kRecords; ++i) june += i % 2 == 1 && i % 6 == 5 ? 1 + i % 7 : 0;
  const auto gained = CausesOf(changes, "T01", "handouts_distributed", "");
  EXPECT_EQ(gained.at(v1::CHANGE_CAUSE_REORGANISED), june);
  const auto lost = CausesOf(changes, "T02", "handouts_distributed", "");
  EXPECT_EQ(lost.at(v1::CHANGE_CAUSE_REORGANISED), -june);

  EXPECT_EQ(ContentOf(first), content) << "an edition never changes";
}

TEST_P(EditionsTest, TheOfficialOneIsSupersededByALaterOne) {
  ASSERT_OK_AND_ASSIGN(const v1::Edition first, Close());
  const std::string publish = absl::StrCat(kEditions, "PublishEdition");
  v1::PublishEditionRequest request;
  request.set_name(first.name());
  request.set_etag("\"999\"");
  EXPECT_THAT(admin_->Invoke<v1::Edition>(publish, request),
              HasReason(common::v1::REASON_ETAG_MISMATCH));
  request.set_etag(first.etag());
  request.set_request_id("p1");
  ASSERT_OK_AND_ASSIGN(const v1::Edition official, admin_->Invoke<v1::Edition>(publish, request));
  EXPECT_EQ(official.state(), v1::EDITION_STATE_PUBLISHED);
  EXPECT_GT(official.publish_time_us(), 0);
  ASSERT_OK_AND_ASSIGN(const v1::Edition again, admin_->Invoke<v1::Edition>(publish, request));
  EXPECT_EQ(again.publish_time_us(), official.publish_time_us());

  AddHandouts(kRecords, 3);
  ASSERT_THAT(suite_->CatchUp(), IsOk());
  ASSERT_OK_AND_ASSIGN(const v1::Edition second, Close());
  v1::PublishEditionRequest next;
  next.set_name(second.name());
  ASSERT_THAT(admin_->Invoke<v1::Edition>(publish, next), IsOk());
  v1::GetEditionRequest get;
  get.set_name(first.name());
  ASSERT_OK_AND_ASSIGN(const v1::Edition old,
                       admin_->Invoke<v1::Edition>(absl::StrCat(kEditions, "GetEdition"), get));
  EXPECT_EQ(old.state(), v1::EDITION_STATE_SUPERSEDED);
  EXPECT_EQ(old.superseded_by(), second.name());
  v1::PublishEditionRequest back;
  back.set_name(first.name());
  EXPECT_THAT(admin_->Invoke<v1::Edition>(publish, back),
              HasReason(common::v1::REASON_EDITION_UNCHANGEABLE));

  v1::ListEditionsRequest list;
  list.set_parent("federations/demo");
  list.set_organization("D01");
  list.set_page_size(1);
  ASSERT_OK_AND_ASSIGN(const auto page, admin_->Invoke<v1::ListEditionsResponse>(
                                            absl::StrCat(kEditions, "ListEditions"), list));
  ASSERT_EQ(page.editions_size(), 1);
  EXPECT_EQ(page.editions(0).name(), second.name());
  list.set_page_token(page.next_page_token());
  ASSERT_OK_AND_ASSIGN(const auto rest, admin_->Invoke<v1::ListEditionsResponse>(
                                            absl::StrCat(kEditions, "ListEditions"), list));
  ASSERT_EQ(rest.editions_size(), 1);
  EXPECT_EQ(rest.editions(0).name(), first.name());
  EXPECT_TRUE(rest.next_page_token().empty());
}

TEST_P(EditionsTest, EditionsByAnotherTreeAreReadByTheirName) {
  v1::ClosePeriodRequest closing = Closing("D01", "2020H1");
  closing.set_tree_mode(v1::TREE_MODE_AS_IS);
  ASSERT_OK_AND_ASSIGN(const v1::Edition edition,
                       ::gonghui::testing::RunJob<v1::Edition>(
                           *admin_, absl::StrCat(kEditions, "ClosePeriod"), kJobService, closing));
  EXPECT_EQ(edition.name(), "federations/demo/organizations/D01/editions/2020H1@as_is.1");
  v1::GetEditionRequest get;
  get.set_name(edition.name());
  ASSERT_OK_AND_ASSIGN(const v1::Edition same,
                       admin_->Invoke<v1::Edition>(absl::StrCat(kEditions, "GetEdition"), get));
  EXPECT_EQ(same.digest(), edition.digest());
  EXPECT_EQ(crypto::Sm3Hex(ContentOf(edition)), edition.digest());
}

TEST_P(EditionsTest, AUnitThatLeftIsReorganised) {
  ASSERT_OK_AND_ASSIGN(const v1::Edition first, Close("T02"));
  membership::v1::MoveOrganizationRequest move;
  move.set_name("federations/demo/organizations/E02");
  move.set_new_parent("T01");
  move.set_valid_from("2020-01-01");
  ASSERT_THAT(admin_->Invoke<membership::v1::Organization>(
                  "/gonghui.membership.v1.OrganizationService/MoveOrganization", move),
              IsOk());
  ASSERT_THAT(suite_->CatchUp(), IsOk());
  ASSERT_OK_AND_ASSIGN(const v1::Edition second, Close("T02"));
  const auto changes = ChangesOf(second);
  ASSERT_FALSE(changes.empty());
  ExpectSums(changes);
  for (const v1::EditionChange& change : changes) {
    if (change.organization() == "E02") {
      EXPECT_EQ(change.new_text(), "");
    }
    for (const v1::CausedDelta& delta : change.causes()) {
      EXPECT_EQ(delta.cause(), v1::CHANGE_CAUSE_REORGANISED) << change.ShortDebugString();
    }
  }
}

TEST_P(EditionsTest, RefusesWhatCannotBeClosed) {
  const std::string close = absl::StrCat(kEditions, "ClosePeriod");
  EXPECT_THAT(admin_->Invoke<Job>(close, Closing("D01", "9999")),
              HasReasonAt(common::v1::REASON_PERIOD_NOT_OVER, "period"));
  EXPECT_THAT(admin_->Invoke<Job>(close, Closing("D01", "May")),
              HasReasonAt(common::v1::REASON_PERIOD_INVALID, "period"));
  EXPECT_THAT(admin_->Invoke<Job>(close, Closing("X99", "2020H1")),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "organization"));
  EXPECT_THAT(admin_->Invoke<Job>(close, Closing("", "2020H1")),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "organization"));
  v1::ClosePeriodRequest dated = Closing("D01", "2020H1");
  dated.set_tree_mode(v1::TREE_MODE_AS_OF);
  EXPECT_THAT(admin_->Invoke<Job>(close, dated),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "tree_date"));
  v1::GetEditionRequest get;
  get.set_name("federations/demo/organizations/D01/editions/2020H1.9");
  EXPECT_THAT(admin_->Invoke<v1::Edition>(absl::StrCat(kEditions, "GetEdition"), get),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "name"));

  const auto street = Client("demo", "statistician", "T01");
  const auto other = Client("other", "admin", "*");
  EXPECT_THAT(street->Invoke<Job>(close, Closing("D01", "2020H1")),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(other->Invoke<Job>(close, Closing("D01", "2020H1")),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  ASSERT_OK_AND_ASSIGN(const v1::Edition edition, Close());
  get.set_name(edition.name());
  EXPECT_THAT(street->Invoke<v1::Edition>(absl::StrCat(kEditions, "GetEdition"), get),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  v1::ReadEditionRequest read;
  read.set_name(edition.name());
  read.set_part(7);
  EXPECT_THAT(admin_->Invoke<v1::ReadEditionResponse>(absl::StrCat(kEditions, "ReadEdition"), read),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "part"));
  EXPECT_THAT(other->Invoke<v1::ReadEditionResponse>(absl::StrCat(kEditions, "ReadEdition"), read),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
}

INSTANTIATE_TEST_SUITE_P(Engines, EditionsTest, ::testing::ValuesIn(testing::Engines()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace gonghui::reports
