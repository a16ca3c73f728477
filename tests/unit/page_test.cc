#include "common/rpc/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status.h"
#include "gonghui/common/v1/record.pb.h"

namespace gonghui::rpc {
namespace {

using common::v1::ListRecordsRequest;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

ListRecordsRequest Query() {
  ListRecordsRequest request;
  request.set_parent("federations/demo");
  request.set_kind("contest");
  return request;
}

TEST(PageSizeTest, HasAStandardAndALimit) {
  EXPECT_EQ(*PageSize(0), 50);
  EXPECT_EQ(*PageSize(7), 7);
  EXPECT_EQ(*PageSize(1'000'000), 1000);
  EXPECT_EQ(*PageSize(0, 10, 20), 10);
  const absl::Status status = PageSize(-1).status();
  EXPECT_EQ(ReasonOf(status), common::v1::REASON_FIELD_INVALID);
  EXPECT_EQ(FieldOf(status), "page_size");
}

TEST(PageTokenTest, BringsTheKeyBack) {
  const std::vector<std::string> key = {"2020-05-13", "", "编号:7", std::string("a\0b", 3)};
  const std::string token = MakePageToken(Query(), key);
  EXPECT_EQ(
      token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
      token.npos)
      << token;
  ListRecordsRequest next = Query();
  next.set_page_token(token);
  next.set_page_size(3);  // May change between pages.
  EXPECT_EQ(*ReadPageToken(next, token, 4), key);
  EXPECT_THAT(*ReadPageToken(next, "", 4), IsEmpty());
}

TEST(PageTokenTest, RefusesAnotherQuery) {
  const std::string token = MakePageToken(Query(), {"a"});
  ListRecordsRequest other = Query();
  other.set_state("closed");
  const absl::Status status = ReadPageToken(other, token, 1).status();
  EXPECT_EQ(ReasonOf(status), common::v1::REASON_PAGE_TOKEN_INVALID);
  EXPECT_EQ(FieldOf(status), "page_token");
}

TEST(PageTokenTest, RefusesDamage) {
  const std::string token = MakePageToken(Query(), {"a", "b"});
  for (const std::string& bad :
       {std::string("x"), std::string("%%%"), token.substr(0, token.size() - 2), token + "AAAA",
        "A" + token.substr(1)}) {
    EXPECT_EQ(ReasonOf(ReadPageToken(Query(), bad, 2).status()),
              common::v1::REASON_PAGE_TOKEN_INVALID)
        << bad;
  }
  EXPECT_FALSE(ReadPageToken(Query(), token, 3).ok());
}

}  // namespace
}  // namespace gonghui::rpc
