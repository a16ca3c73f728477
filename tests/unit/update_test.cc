#include "common/rpc/update.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status.h"
#include "gonghui/common/v1/record.pb.h"

namespace gonghui::rpc {
namespace {

using common::v1::Record;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

TEST(ReadMaskTest, SplitsPaths) {
  EXPECT_THAT(*ReadMask("title, on_date,fields.amount,title", Record()),
              ElementsAre("title", "on_date", "fields.amount"));
}

TEST(ReadMaskTest, StarMeansEveryChangeableField) {
  const std::vector<std::string> paths = *ReadMask("*", Record());
  EXPECT_THAT(paths, Contains("title"));
  EXPECT_THAT(paths, Contains("fields"));
  for (const char* fixed : {"name", "etag", "state", "create_time_us"}) {
    EXPECT_THAT(paths, Not(Contains(fixed)));
  }
}

TEST(ReadMaskTest, RefusesWhatCannotBeChanged) {
  for (const char* bad : {"", "title,,on_date", "nonsense", "name", "etag", "state", "title.x",
                          "fields.", "steps.remark"}) {
    const absl::Status status = ReadMask(bad, Record()).status();
    EXPECT_EQ(ReasonOf(status), common::v1::REASON_UPDATE_MASK_INVALID) << bad;
    EXPECT_EQ(FieldOf(status), "update_mask") << bad;
  }
}

TEST(MergeMaskedTest, CopiesOnlyMaskedFields) {
  Record from, to;
  from.set_title("new");
  from.set_organization("D02");
  to.set_title("old");
  to.set_organization("D01");
  to.set_ends_on("2020-01-01");
  MergeMasked({"title", "ends_on"}, from, to);
  EXPECT_EQ(to.title(), "new");
  EXPECT_EQ(to.organization(), "D01");
  EXPECT_EQ(to.ends_on(), "");  // Empty in `from`: cleared.
}

TEST(MergeMaskedTest, ChangesSingleMapEntries) {
  Record from, to;
  (*from.mutable_fields())["set"] = "1";
  (*from.mutable_fields())["other"] = "x";
  (*from.mutable_fields())["emptied"] = "";
  (*to.mutable_fields())["set"] = "0";
  (*to.mutable_fields())["kept"] = "k";
  (*to.mutable_fields())["absent"] = "a";
  (*to.mutable_fields())["emptied"] = "e";
  MergeMasked({"fields.set", "fields.absent", "fields.emptied", "fields.never"}, from, to);
  EXPECT_EQ(to.fields().size(), 2u);
  EXPECT_EQ(to.fields().at("set"), "1");
  EXPECT_EQ(to.fields().at("kept"), "k");
  MergeMasked({"fields"}, from, to);
  EXPECT_EQ(to.fields().size(), 3u);
  EXPECT_EQ(to.fields().at("other"), "x");
}

TEST(EtagTest, MatchesItsVersionOnly) {
  EXPECT_EQ(MakeEtag(7), "\"7\"");
  EXPECT_TRUE(CheckEtag("", 7).ok());
  EXPECT_TRUE(CheckEtag(MakeEtag(7), 7).ok());
  const absl::Status status = CheckEtag(MakeEtag(6), 7);
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ReasonOf(status), common::v1::REASON_ETAG_MISMATCH);
}

}  // namespace
}  // namespace gonghui::rpc
