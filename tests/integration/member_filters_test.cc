// Searching members, saved filters, and changes of all that one selects.
#include "absl/time/clock.h"
#include "gonghui/membership/v1/member_filter.pb.h"
#include "gonghui/membership/v1/transfer.pb.h"
#include "tests/integration/membership.h"

namespace gonghui::membership {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class MemberFiltersTest : public MembershipTest {
 protected:
  void SetUp() override {
    MembershipTest::SetUp();
    MakeDistrict();
  }

  template <typename Response, typename Request>
  static absl::StatusOr<Response> Call(const rpc::Client& client, const std::string& method,
                                       const Request& request) {
    return client.Invoke<Response>("/gonghui.membership.v1.MemberFilterService/" + method, request);
  }
  std::string Enter(const std::string& organization, int serial, const std::string& name,
                    const std::vector<std::string>& tags = {},
                    const std::string& joined_on = "2018-03-01") {
    v1::Member member = Member(organization, serial, joined_on);
    member.set_full_name(name);
    member.mutable_group_tags()->Assign(tags.begin(), tags.end());
    const auto created = Create(*admin_, member);
    EXPECT_THAT(created, IsOk());
    return created.ok() ? created->name() : "";
  }
  std::vector<std::string> Names(const rpc::Client& client, v1::ListMembersRequest request) {
    request.set_parent("federations/demo");
    std::vector<std::string> names;
    request.set_page_size(2);
    do {
      const auto page = Members<v1::ListMembersResponse>(client, "ListMembers", request);
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) break;
      for (const v1::Member& member : page->members()) names.push_back(member.full_name());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return names;
  }
  std::vector<std::string> Named(const std::string& query) {
    v1::ListMembersRequest request;
    request.mutable_filter()->set_name_query(query);
    return Names(*admin_, request);
  }
  static v1::ChangeMembersRequest ChangeOf(const std::string& organization) {
    v1::ChangeMembersRequest request;
    request.set_parent("federations/demo");
    request.set_organization(organization);
    return request;
  }
};

TEST_P(MemberFiltersTest, SearchesByNameTagStateAndDate) {
  Enter("E01", 1, "张三", {"courier"});
  Enter("E01", 2, "張三丰", {"truck_driver"}, "2020-05-01");
  Enter("E02", 3, "章鱼", {"courier", "truck_driver"});
  const std::string li = Enter("E02", 4, "李四");
  EXPECT_THAT(Named("张三"), UnorderedElementsAre("张三", "張三丰"));
  EXPECT_THAT(Named("zhang"), UnorderedElementsAre("张三", "張三丰", "章鱼"));
  EXPECT_THAT(Named("zs"), UnorderedElementsAre("张三", "張三丰"));
  EXPECT_THAT(Named("Li Si"), ElementsAre("李四"));
  EXPECT_THAT(Named("王"), IsEmpty());

  v1::ListMembersRequest request;
  request.mutable_filter()->add_group_tags("快递员");
  EXPECT_THAT(Names(*admin_, request), ElementsAre("张三", "章鱼"));
  request.set_organization("T01");
  EXPECT_THAT(Names(*clerk_, request), ElementsAre("张三"));
  request.mutable_filter()->set_name_query("zhang");
  EXPECT_THAT(Names(*clerk_, request), ElementsAre("张三"));
  request.clear_filter();
  request.clear_organization();
  request.mutable_filter()->set_joined_from("2020-01-01");
  EXPECT_THAT(Names(*admin_, request), ElementsAre("張三丰"));
  request.clear_filter();
  request.mutable_filter()->set_sex("女");
  EXPECT_THAT(Names(*admin_, request), UnorderedElementsAre("張三丰", "李四"));
  v1::RetainMemberRequest retain;
  retain.set_name(li);
  retain.set_retained_from("2020-01-01");
  retain.set_reason("retired");
  ASSERT_THAT(Members<v1::Member>(*admin_, "RetainMember", retain), IsOk());
  request.clear_filter();
  request.mutable_filter()->add_states("retained");
  EXPECT_THAT(Names(*admin_, request), ElementsAre("李四"));
  request.clear_filter();
  request.set_state("retained");
  EXPECT_THAT(Names(*admin_, request), ElementsAre("李四"));
  request.set_state("active");
  EXPECT_EQ(Names(*admin_, request).size(), 3u);

  request.mutable_filter()->add_states("left");
  request.set_parent("federations/demo");
  EXPECT_THAT(Members<v1::ListMembersResponse>(*admin_, "ListMembers", request),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "state"));
  request.clear_state();
  request.mutable_filter()->set_sex("x");
  EXPECT_THAT(Members<v1::ListMembersResponse>(*admin_, "ListMembers", request),
              HasReasonAt(common::v1::REASON_CODE_UNKNOWN, "filter.sex"));
}

TEST_P(MemberFiltersTest, FiltersAreSharedBelowTheirOrganisation) {
  Enter("E01", 1, "张三", {"courier"});
  Enter("E01", 2, "李四");
  v1::CreateMemberFilterRequest create;
  create.set_parent("federations/demo");
  create.mutable_filter()->set_organization("T01");
  create.mutable_filter()->set_title("快递小哥");
  create.mutable_filter()->mutable_filter()->add_group_tags("courier");
  create.set_request_id("r1");
  ASSERT_OK_AND_ASSIGN(const auto saved,
                       Call<v1::SavedMemberFilter>(*clerk_, "CreateMemberFilter", create));
  ASSERT_OK_AND_ASSIGN(const auto replayed,
                       Call<v1::SavedMemberFilter>(*clerk_, "CreateMemberFilter", create));
  EXPECT_EQ(replayed.SerializeAsString(), saved.SerializeAsString());
  create.clear_request_id();
  create.mutable_filter()->mutable_filter()->set_name_query("张");
  EXPECT_THAT(Call<v1::SavedMemberFilter>(*clerk_, "CreateMemberFilter", create),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "filter.filter.name_query"));
  create.mutable_filter()->set_organization("D01");
  EXPECT_THAT(Call<v1::SavedMemberFilter>(*clerk_, "CreateMemberFilter", create),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));

  const auto count = [&](const std::string& organization) {
    v1::ListMemberFiltersRequest list;
    list.set_parent("federations/demo");
    list.set_organization(organization);
    const auto answer = Call<v1::ListMemberFiltersResponse>(*admin_, "ListMemberFilters", list);
    EXPECT_THAT(answer, IsOk());
    return answer.ok() ? answer->filters_size() : -1;
  };
  EXPECT_EQ(count("E01"), 1);
  EXPECT_EQ(count("T01"), 1);
  EXPECT_EQ(count("T02"), 0);
  EXPECT_EQ(count(""), 0);
  v1::ListMembersRequest list;
  list.set_saved_filter(saved.name());
  EXPECT_THAT(Names(*admin_, list), ElementsAre("张三"));

  v1::DeleteMemberFilterRequest remove;
  remove.set_name(saved.name());
  EXPECT_THAT(Call<v1::SavedMemberFilter>(*stranger_, "DeleteMemberFilter", remove),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  const auto other = ClientOf("demo", "registrar", "T02", true);
  EXPECT_THAT(Call<v1::SavedMemberFilter>(*other, "DeleteMemberFilter", remove),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Call<v1::SavedMemberFilter>(*clerk_, "DeleteMemberFilter", remove), IsOk());
  v1::GetMemberFilterRequest get;
  get.set_name(saved.name());
  EXPECT_THAT(Call<v1::SavedMemberFilter>(*clerk_, "GetMemberFilter", get),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "name"));
}

TEST_P(MemberFiltersTest, ChangesAllThatAFilterSelects) {
  Enter("E01", 1, "张三", {"courier"});
  Enter("E01", 2, "李四", {"courier"}, "2020-05-01");
  Enter("E01", 3, "王五");
  Enter("E02", 4, "赵六", {"courier"});
  v1::ChangeMembersRequest request = ChangeOf("T01");
  request.mutable_filter()->add_group_tags("courier");
  EXPECT_THAT(Call<v1::ChangeMembersResponse>(*clerk_, "ChangeMembers", request),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "change"));
  request.mutable_change()->set_add_tag("外卖员");
  request.set_validate_only(true);
  ASSERT_OK_AND_ASSIGN(const auto preview,
                       Call<v1::ChangeMembersResponse>(*clerk_, "ChangeMembers", request));
  EXPECT_EQ(preview.selected(), 2);
  EXPECT_EQ(preview.members_size(), 2);
  EXPECT_EQ(preview.changed(), 0);
  request.set_validate_only(false);
  request.set_expected(3);
  EXPECT_THAT(Call<v1::ChangeMembersResponse>(*clerk_, "ChangeMembers", request),
              HasReasonAt(common::v1::REASON_PLAN_STALE, "expected"));
  request.set_expected(2);
  request.set_request_id("r1");
  for (int i = 0; i < 2; ++i) {  // The second is a replay.
    ASSERT_OK_AND_ASSIGN(const auto changed,
                         Call<v1::ChangeMembersResponse>(*clerk_, "ChangeMembers", request));
    EXPECT_EQ(changed.changed(), 2);
  }
  v1::ListMembersRequest tagged;
  tagged.mutable_filter()->add_group_tags("food_delivery");
  EXPECT_THAT(Names(*admin_, tagged), UnorderedElementsAre("张三", "李四"));
  request.set_organization("T02");
  EXPECT_THAT(Call<v1::ChangeMembersResponse>(*clerk_, "ChangeMembers", request),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));

  // One of the two had not joined yet: it is named, the other leaves.
  v1::ChangeMembersRequest leave = ChangeOf("E01");
  leave.mutable_filter()->add_group_tags("courier");
  leave.mutable_change()->mutable_leave()->set_left_on("2020-03-01");
  leave.mutable_change()->mutable_leave()->set_reason("bankruptcy");
  ASSERT_OK_AND_ASSIGN(const auto left,
                       Call<v1::ChangeMembersResponse>(*clerk_, "ChangeMembers", leave));
  EXPECT_EQ(left.selected(), 2);
  EXPECT_EQ(left.changed(), 1);
  ASSERT_EQ(left.failures_size(), 1);
  EXPECT_EQ(left.failures(0).reason(), common::v1::REASON_FIELD_INVALID);
  v1::ChangeMembersRequest move = ChangeOf("E01");
  move.mutable_change()->mutable_transfer()->set_target("E02");
  move.mutable_change()->mutable_transfer()->set_reason("employer_closed");
  ASSERT_OK_AND_ASSIGN(const auto moved,
                       Call<v1::ChangeMembersResponse>(*clerk_, "ChangeMembers", move));
  EXPECT_EQ(moved.changed(), 2);
  v1::ListTransfersRequest transfers;
  transfers.set_parent("federations/demo");
  ASSERT_OK_AND_ASSIGN(const auto waiting,
                       admin_->Invoke<v1::ListTransfersResponse>(
                           "/gonghui.membership.v1.TransferService/ListTransfers", transfers));
  EXPECT_EQ(waiting.transfers_size(), 2);
  v1::ChangeMembersRequest retain = ChangeOf("E01");
  retain.mutable_change()->mutable_retain()->set_retained_from("2020-06-01");
  retain.mutable_change()->mutable_retain()->set_reason("unemployed");
  ASSERT_OK_AND_ASSIGN(const auto retained,
                       Call<v1::ChangeMembersResponse>(*clerk_, "ChangeMembers", retain));
  EXPECT_EQ(retained.changed(), 2);
}

TEST_P(MemberFiltersTest, ChangesManyAsAJob) {
  constexpr int kMembers = 1200;
  for (int batch = 0; batch < 2; ++batch) {
    v1::BatchCreateMembersRequest create;
    create.set_parent("federations/demo");
    for (int i = 0; i < kMembers / 2; ++i) {
      *create.add_members() = Member("E01", batch * kMembers + i + 1);
    }
    ASSERT_OK_AND_ASSIGN(const auto made, Members<v1::BatchCreateMembersResponse>(
                                              *admin_, "BatchCreateMembers", create));
    ASSERT_EQ(made.created(), kMembers / 2);
  }
  v1::ChangeMembersRequest request = ChangeOf("T01");
  request.mutable_change()->set_add_tag("courier");
  request.set_request_id("r1");
  ASSERT_OK_AND_ASSIGN(const auto started,
                       Call<v1::ChangeMembersResponse>(*clerk_, "ChangeMembers", request));
  EXPECT_EQ(started.selected(), kMembers);
  ASSERT_OK_AND_ASSIGN(const auto again,
                       Call<v1::ChangeMembersResponse>(*clerk_, "ChangeMembers", request));
  EXPECT_EQ(again.job().name(), started.job().name());
  common::v1::GetJobRequest get;
  get.set_name(started.job().name());
  common::v1::Job job;
  for (int i = 0; i < 300 && job.end_time_us() == 0; ++i) {
    absl::SleepFor(absl::Milliseconds(100));
    ASSERT_OK_AND_ASSIGN(
        job, clerk_->Invoke<common::v1::Job>("/gonghui.membership.v1.JobService/GetJob", get));
  }
  ASSERT_EQ(job.state(), common::v1::JOB_STATE_SUCCEEDED) << job.ShortDebugString();
  v1::ChangeMembersResponse result;
  ASSERT_TRUE(job.result().UnpackTo(&result));
  EXPECT_EQ(result.changed(), kMembers);
  EXPECT_EQ(result.failures_size(), 0);
}

INSTANTIATE_TEST_SUITE_P(Engines, MemberFiltersTest,
                         ::testing::ValuesIn(::gonghui::testing::Engines()));

}  // namespace
}  // namespace gonghui::membership
