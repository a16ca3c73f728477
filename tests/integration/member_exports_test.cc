// Members as files: masked, in clear for a purpose, with a trailer, and only of one's own.
#include "common/crypto/personal.h"
#include "common/sheet/csv.h"
#include "common/sheet/reader.h"
#include "common/testing/jobs.h"
#include "gonghui/membership/v1/access.pb.h"
#include "gonghui/membership/v1/member_export.pb.h"
#include "tests/integration/membership.h"

namespace gonghui::membership {
namespace {

using sheet::Cells;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kService[] = "/gonghui.membership.v1.MemberExportService/";

class MemberExportsTest : public MembershipTest {
 protected:
  void SetUp() override {
    MembershipTest::SetUp();
    MakeDistrict();
    v1::Member formula = Member("E01", 1);
    formula.set_full_name("=HYPERLINK(1)");
    formula.set_employment("on_post");
    ASSERT_THAT(Create(*admin_, formula), IsOk());
    ASSERT_THAT(Create(*admin_, Member("E02", 2)), IsOk());
  }

  static v1::ExportMembersRequest Request(const std::string& organization,
                                          v1::MemberExportFormat format) {
    v1::ExportMembersRequest request;
    request.set_parent("federations/demo");
    request.set_organization(organization);
    request.set_format(format);
    return request;
  }
  absl::StatusOr<common::v1::Job> Start(const rpc::Client& client,
                                        const v1::ExportMembersRequest& request) {
    return client.Invoke<common::v1::Job>(absl::StrCat(kService, "ExportMembers"), request);
  }
  v1::MemberExport Run(const rpc::Client& client, const v1::ExportMembersRequest& request) {
    const auto made = ::gonghui::testing::RunJob<v1::MemberExport>(
        client, absl::StrCat(kService, "ExportMembers"), "gonghui.membership.v1.JobService",
        request);
    EXPECT_THAT(made, IsOk());
    return made.ok() ? *made : v1::MemberExport();
  }
  absl::StatusOr<std::string> Download(const rpc::Client& client, const v1::MemberExport& made) {
    std::string bytes;
    for (;;) {
      v1::DownloadMemberExportRequest request;
      request.set_name(made.name());
      request.set_offset(static_cast<int64_t>(bytes.size()));
      auto piece = client.Invoke<v1::MemberExportPiece>(
          absl::StrCat(kService, "DownloadMemberExport"), request);
      if (!piece.ok()) return piece.status();
      if (piece->content().empty()) return bytes;
      bytes += piece->content();
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, MemberExportsTest,
                         ::testing::ValuesIn(::gonghui::testing::Engines()));

TEST_P(MemberExportsTest, MasksAndEndsWithCountAndDigest) {
  const v1::MemberExport made = Run(*admin_, Request("", v1::MEMBER_EXPORT_FORMAT_CSV));
  EXPECT_EQ(made.rows(), 2);
  const auto bytes = Download(*admin_, made);
  ASSERT_THAT(bytes, IsOk());
  EXPECT_EQ(made.size_bytes(), static_cast<int64_t>(bytes->size()));
  EXPECT_THAT(*bytes, Not(HasSubstr(IdNumber(1))));
  EXPECT_THAT(*bytes, Not(HasSubstr("13800001234")));
  EXPECT_THAT(*bytes, HasSubstr("320402********"));
  EXPECT_THAT(*bytes, HasSubstr(",'=HYPERLINK(1),"));  // No formula.
  // The digest is of the lines between headings and trailer.
  const size_t begin = bytes->find('\n') + 1;
  const size_t end = bytes->rfind('\n', bytes->size() - 2) + 1;
  EXPECT_EQ(crypto::Sm3Hex(bytes->substr(begin, end - begin)), made.digest());
  EXPECT_EQ(bytes->substr(end), absl::StrCat("合计 2 人,SM3 ", made.digest(), "\n"));
}

TEST_P(MemberExportsTest, WritesWorkbooksOfText) {
  const v1::MemberExport made = Run(*admin_, Request("E01", v1::MEMBER_EXPORT_FORMAT_XLSX));
  const auto bytes = Download(*admin_, made);
  ASSERT_THAT(bytes, IsOk());
  const auto tables = sheet::ReadTables(*bytes);
  ASSERT_THAT(tables, IsOk());
  const std::vector<Cells>& rows = (*tables)[0].rows;
  ASSERT_THAT(rows, SizeIs(3));
  EXPECT_THAT(rows[0], Contains("证件号码"));
  EXPECT_THAT(rows[1], Contains("'=HYPERLINK(1)"));
  EXPECT_THAT(rows[1], Contains("在岗"));
  EXPECT_EQ(rows[2][0], "合计 1 人");
  EXPECT_EQ(rows[2][1], absl::StrCat("SM3 ", made.digest()));
}

TEST_P(MemberExportsTest, ShowsNumbersForAPurposeAndLogsIt) {
  v1::ExportMembersRequest request = Request("E01", v1::MEMBER_EXPORT_FORMAT_CSV);
  request.set_clear_numbers(true);
  EXPECT_THAT(Start(*admin_, request), HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "purpose"));
  request.set_purpose("whim");
  EXPECT_THAT(Start(*admin_, request), HasReasonAt(common::v1::REASON_CODE_UNKNOWN, "purpose"));
  request.set_purpose("other");
  EXPECT_THAT(Start(*admin_, request), HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "remark"));
  request.set_purpose("verification");
  const v1::MemberExport made = Run(*admin_, request);
  EXPECT_TRUE(made.clear_numbers());
  const auto bytes = Download(*admin_, made);
  ASSERT_THAT(bytes, IsOk());
  EXPECT_THAT(*bytes, HasSubstr(IdNumber(1)));
  EXPECT_THAT(*bytes, HasSubstr("13800001234"));
  // Clerks export, but may not see numbers; nor may they fetch a file that holds them.
  const auto clerk = ClientOf("demo", "clerk", "E01", true);
  EXPECT_THAT(Start(*clerk, request), HasReason(common::v1::REASON_PERMISSION_MISSING));
  EXPECT_THAT(Download(*clerk, made), HasReason(common::v1::REASON_PERMISSION_MISSING));
}

TEST_P(MemberExportsTest, StaysWithinScopeAndFederation) {
  const v1::ExportMembersRequest of_t02 = Request("T02", v1::MEMBER_EXPORT_FORMAT_CSV);
  EXPECT_THAT(Start(*clerk_, of_t02), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Start(*stranger_, of_t02), HasReason(common::v1::REASON_WRONG_FEDERATION));
  EXPECT_THAT(Download(*clerk_, Run(*admin_, of_t02)), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  const v1::MemberExport own = Run(*clerk_, Request("T01", v1::MEMBER_EXPORT_FORMAT_CSV));
  EXPECT_EQ(own.rows(), 1);
  EXPECT_THAT(Download(*clerk_, own), IsOk());
  EXPECT_THAT(Download(*stranger_, own), HasReason(common::v1::REASON_WRONG_FEDERATION));
}

// Whatever ListMembers shows can be had as a file.
TEST_P(MemberExportsTest, TakesTheFiltersOfLists) {
  const auto exported = [&](const v1::ExportMembersRequest& request) {
    const auto bytes = Download(*admin_, Run(*admin_, request));
    EXPECT_THAT(bytes, IsOk());
    return bytes.ok() ? *bytes : "";
  };
  ASSERT_OK_AND_ASSIGN(v1::Member moved, Create(*admin_, Member("E01", 3, "2019-01-01")));
  v1::LeaveMemberRequest leave;
  leave.set_name(moved.name());
  leave.set_left_on("2020-02-01");
  leave.set_reason("own_wish");
  ASSERT_THAT(Members<v1::Member>(*admin_, "LeaveMember", leave), IsOk());

  v1::ExportMembersRequest named = Request("", v1::MEMBER_EXPORT_FORMAT_CSV);
  named.mutable_filter()->set_name_query("=HYPER");
  EXPECT_THAT(exported(named), HasSubstr("合计 1 人"));
  named.mutable_filter()->set_name_query("无此人");
  EXPECT_THAT(exported(named), HasSubstr("合计 0 人"));

  v1::ExportMembersRequest then = Request("", v1::MEMBER_EXPORT_FORMAT_CSV);
  then.set_as_of("2020-01-31");
  v1::ListMembersRequest list;
  list.set_parent("federations/demo");
  list.set_as_of("2020-01-31");
  ASSERT_OK_AND_ASSIGN(const auto listed,
                       Members<v1::ListMembersResponse>(*admin_, "ListMembers", list));
  EXPECT_THAT(exported(then), HasSubstr(absl::StrCat("合计 ", listed.members_size(), " 人")));
  EXPECT_THAT(exported(then), HasSubstr(",2019-01-01,,"));  // Had not left on that day.
  then.set_as_of("2020-02-01");
  EXPECT_THAT(exported(then), Not(HasSubstr("2019-01-01")));
  then.set_state("left");
  EXPECT_THAT(Start(*admin_, then), HasReasonAt(common::v1::REASON_FIELD_INVALID, "as_of"));
  then.clear_state();
  then.mutable_filter()->set_sex("male");
  EXPECT_THAT(Start(*admin_, then), HasReasonAt(common::v1::REASON_FIELD_INVALID, "as_of"));
}

}  // namespace
}  // namespace gonghui::membership
