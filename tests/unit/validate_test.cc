#include "common/rpc/validate.h"

#include <gtest/gtest.h>

#include "common/base/status.h"
#include "gonghui/common/v1/record.pb.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "gonghui/membership/v1/member.pb.h"

namespace gonghui::rpc {
namespace {

using common::v1::AdvanceRecordRequest;
using common::v1::BatchCreateRecordsRequest;
using common::v1::CreateRecordRequest;

CreateRecordRequest GoodRequest() {
  CreateRecordRequest request;
  request.set_parent("federations/demo");
  request.mutable_record()->set_kind("contest");
  request.mutable_record()->set_organization("D01");
  request.mutable_record()->set_on_date("2020-05-13");
  return request;
}

void ExpectViolation(const google::protobuf::Message& request, Reason reason,
                     const std::string& field) {
  const absl::Status status = Validate(request);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_EQ(ReasonName(ReasonOf(status)), ReasonName(reason)) << status;
  EXPECT_EQ(FieldOf(status), field);
  EXPECT_FALSE(MessageZhOf(status).empty());
}

TEST(ValidateTest, AcceptsACompleteRequest) { EXPECT_TRUE(Validate(GoodRequest()).ok()); }

TEST(ValidateTest, FindsMissingFields) {
  ExpectViolation(CreateRecordRequest(), common::v1::REASON_FIELD_REQUIRED, "parent");
  CreateRecordRequest request = GoodRequest();
  request.clear_record();
  ExpectViolation(request, common::v1::REASON_FIELD_REQUIRED, "record");
  request = GoodRequest();
  request.mutable_record()->clear_organization();
  ExpectViolation(request, common::v1::REASON_FIELD_REQUIRED, "record.organization");
}

TEST(ValidateTest, NamesThePlaceInAList) {
  funds::v1::PostVoucherRequest request;
  request.set_parent("federations/demo/books/b1");
  request.mutable_voucher()->set_on_date("2020-05-13");
  request.mutable_voucher()->set_memo("m");
  ExpectViolation(request, common::v1::REASON_FIELD_REQUIRED, "voucher.entries");
  request.mutable_voucher()->add_entries()->set_account("1001");
  request.mutable_voucher()->add_entries();
  ExpectViolation(request, common::v1::REASON_FIELD_REQUIRED, "voucher.entries[1].account");
}

TEST(ValidateTest, LeavesItemsOfABatchToTheOperation) {
  BatchCreateRecordsRequest request;
  request.set_parent("federations/demo");
  ExpectViolation(request, common::v1::REASON_FIELD_REQUIRED, "records");
  request.add_records();
  EXPECT_TRUE(Validate(request).ok());
}

TEST(ValidateTest, MaskedResourcesMayLackFields) {
  common::v1::UpdateRecordRequest request;
  request.set_update_mask("title");
  ExpectViolation(request, common::v1::REASON_FIELD_REQUIRED, "record");
  request.mutable_record()->set_title("new");
  EXPECT_TRUE(Validate(request).ok());
  request.mutable_record()->set_on_date("soon");
  ExpectViolation(request, common::v1::REASON_FIELD_INVALID, "record.on_date");
}

TEST(ValidateTest, LimitsItems) {
  BatchCreateRecordsRequest request;
  request.set_parent("federations/demo");
  for (int i = 0; i < 1001; ++i) *request.add_records() = GoodRequest().record();
  ExpectViolation(request, common::v1::REASON_TOO_MANY_ITEMS, "records");
}

TEST(ValidateTest, ChecksResourceNames) {
  for (const char* parent :
       {"demo", "federations/", "federations/a/b", "federations/a b", "federations/demo/",
        "x/federations/demo", "federations/{federation}"}) {
    CreateRecordRequest request = GoodRequest();
    request.set_parent(parent);
    ExpectViolation(request, common::v1::REASON_FIELD_INVALID, "parent");
  }
}

TEST(ValidateTest, ChecksPatterns) {
  CreateRecordRequest request = GoodRequest();
  request.mutable_record()->set_kind("Contest!");
  ExpectViolation(request, common::v1::REASON_FIELD_INVALID, "record.kind");
}

TEST(ValidateTest, CountsCharactersNotBytes) {
  CreateRecordRequest request = GoodRequest();
  std::string text;
  for (int i = 0; i < 256; ++i) text += "工";
  request.mutable_record()->set_title(text);
  EXPECT_TRUE(Validate(request).ok());
  request.mutable_record()->set_title(text + "会");
  ExpectViolation(request, common::v1::REASON_FIELD_TOO_LONG, "record.title");
}

TEST(ValidateTest, RefusesWhatIsNoText) {
  for (const std::string& bad :
       {std::string("a\0b", 3), std::string("\xff"), std::string("\xc0\xaf"),
        std::string("\xed\xa0\x80"), std::string("\xe5\xb7"), std::string("\xf5\x80\x80\x80")}) {
    CreateRecordRequest request = GoodRequest();
    request.mutable_record()->set_title(bad);
    ExpectViolation(request, common::v1::REASON_FIELD_INVALID, "record.title");
  }
  CreateRecordRequest request = GoodRequest();
  request.mutable_record()->set_title("工会 🎉");
  EXPECT_TRUE(Validate(request).ok());
}

TEST(ValidateTest, ChecksMaps) {
  AdvanceRecordRequest request;
  request.set_name("federations/demo/cases/1");
  request.set_transition("close");
  request.set_on_date("2020-05-13");
  (*request.mutable_fields())["remark"] = std::string(2000, 'x');
  EXPECT_TRUE(Validate(request).ok());
  (*request.mutable_fields())["remark"] = std::string(2001, 'x');
  ExpectViolation(request, common::v1::REASON_FIELD_TOO_LONG, "fields");
  request.clear_fields();
  for (int i = 0; i < 101; ++i) (*request.mutable_fields())[std::to_string(i)] = "x";
  ExpectViolation(request, common::v1::REASON_TOO_MANY_ITEMS, "fields");
}

TEST(ValidateTest, LeavesOutputOnlyFieldsAlone) {
  CreateRecordRequest request = GoodRequest();
  request.mutable_record()->set_state(std::string(5000, 'x'));
  EXPECT_TRUE(Validate(request).ok());
}

TEST(FieldAtTest, FollowsThePath) {
  EXPECT_EQ(FieldAt(GoodRequest(), "record.organization"), "D01");
  EXPECT_EQ(FieldAt(GoodRequest(), "parent"), "federations/demo");
  EXPECT_EQ(FieldAt(CreateRecordRequest(), "record.organization"), "");
  EXPECT_EQ(FieldAt(GoodRequest(), "record.nonsense"), "");
  EXPECT_EQ(FieldAt(GoodRequest(), "parent.x"), "");
}

TEST(RedactedTest, HidesPersonalFields) {
  membership::v1::CreateMemberRequest request;
  request.set_parent("federations/demo");
  request.mutable_member()->set_full_name("张三");
  request.mutable_member()->set_id_number("11010519491231002X");
  const std::string line = Redacted(request);
  EXPECT_EQ(line.find("张三"), line.npos) << line;
  EXPECT_EQ(line.find("1949"), line.npos) << line;
  EXPECT_NE(line.find("federations/demo"), line.npos) << line;
  EXPECT_EQ(line.find('\n'), line.npos);
}

}  // namespace
}  // namespace gonghui::rpc
