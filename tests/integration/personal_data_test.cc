// Personal data as a whole: keys that change while everybody works, one person's copy, erasure.
#include <filesystem>
#include <set>
#include <thread>

#include "common/crypto/personal.h"
#include "common/testing/jobs.h"
#include "gonghui/membership/v1/application.pb.h"
#include "gonghui/membership/v1/member_merge.pb.h"
#include "gonghui/membership/v1/personal_data.pb.h"
#include "tests/integration/membership.h"

namespace gonghui::membership {
namespace {

using ::testing::ElementsAre;

class PersonalKeysTest : public MembershipTest {
 protected:
  void SetUp() override {
    MembershipTest::SetUp();
    MakeDistrict();
  }

  std::string KeyFile() const { return (folder_ / "keys" / "personal.yaml").string(); }
  // "id values", with * at the current one and ? at those that are not known.
  std::vector<std::string> Keys() {
    v1::ListPersonalKeysRequest request;
    request.set_parent("federations/demo");
    auto answer = admin_->Invoke<v1::ListPersonalKeysResponse>(
        "/gonghui.membership.v1.PersonalDataService/ListPersonalKeys", request);
    EXPECT_THAT(answer, IsOk());
    std::vector<std::string> keys;
    if (!answer.ok()) return keys;
    for (const v1::PersonalKey& key : answer->keys()) {
      keys.push_back(absl::StrCat(key.id(), key.current() ? "*" : "", key.known() ? "" : "?", " ",
                                  key.values()));
    }
    return keys;
  }
  absl::StatusOr<v1::ResealPersonalDataResult> Reseal() {
    v1::ResealPersonalDataRequest request;
    request.set_parent("federations/demo");
    return ::gonghui::testing::RunJob<v1::ResealPersonalDataResult>(
        *admin_, "/gonghui.membership.v1.PersonalDataService/ResealPersonalData",
        "gonghui.membership.v1.JobService", request);
  }
  // Waits until the server has taken over the key.
  void AwaitKey(const std::string& id) {
    for (int i = 0; i < 100; ++i) {
      for (const std::string& key : Keys()) {
        if (key.rfind(id + "*", 0) == 0) return;
      }
      absl::SleepFor(absl::Milliseconds(50));
    }
    FAIL() << "key " << id << " is not current after 5 s";
  }
  absl::StatusOr<v1::Member> Get(const std::string& name) {
    v1::GetMemberRequest request;
    request.set_name(name);
    return Members<v1::Member>(*admin_, "GetMember", request);
  }
  absl::StatusOr<v1::ListMembersResponse> Find(const std::string& id_number) {
    v1::ListMembersRequest request;
    request.set_parent("federations/demo");
    request.set_id_number(id_number);
    return Members<v1::ListMembersResponse>(*admin_, "ListMembers", request);
  }
};

TEST_P(PersonalKeysTest, EverythingIsSealedAnew) {
  for (int i = 0; i < 450; ++i) ASSERT_THAT(Create(*admin_, Member("E01", i)), IsOk());
  v1::SubmitApplicationRequest apply;
  apply.set_parent("federations/demo");
  *apply.mutable_member() = Member("E02", 900);
  ASSERT_THAT(admin_->Invoke<v1::Application>(
                  "/gonghui.membership.v1.ApplicationService/SubmitApplication", apply),
              IsOk());
  ASSERT_OK_AND_ASSIGN(const v1::Member survivor, Create(*admin_, Member("E02", 901)));
  ASSERT_OK_AND_ASSIGN(const v1::Member absorbed, Create(*admin_, Member("E02", 902)));
  v1::MergeMembersRequest merge;
  merge.set_parent("federations/demo");
  merge.set_survivor(survivor.name());
  merge.set_absorbed(absorbed.name());
  for (const char* field : {"id_number", "memberships"}) merge.add_keep_survivor(field);
  const auto merged = admin_->Invoke<v1::MemberMerge>(
      "/gonghui.membership.v1.MemberMergeService/MergeMembers", merge);
  ASSERT_THAT(merged, IsOk());
  // Two numbers a member, one application, two parts of a merger.
  EXPECT_THAT(Keys(), ElementsAre("k1* 907"));

  ASSERT_TRUE(crypto::PersonalData::AddKey(KeyFile()).ok());
  AwaitKey("k2");
  EXPECT_THAT(Keys(), ElementsAre("k1 907", "k2* 0"));
  ASSERT_OK_AND_ASSIGN(const auto result, Reseal());
  EXPECT_EQ(result.resealed(), 907);
  EXPECT_EQ(result.key(), "k2");
  EXPECT_THAT(Keys(), ElementsAre("k1 0", "k2* 907"));
  ASSERT_OK_AND_ASSIGN(const auto found, Find(IdNumber(449)));
  EXPECT_EQ(found.members_size(), 1);
  v1::GetMemberMergeRequest get;
  get.set_name(merged->name());
  EXPECT_THAT(admin_->Invoke<v1::MemberMerge>(
                  "/gonghui.membership.v1.MemberMergeService/GetMemberMerge", get),
              IsOk());
  ASSERT_OK_AND_ASSIGN(const auto again, Reseal());
  EXPECT_EQ(again.resealed(), 0);
}

TEST_P(PersonalKeysTest, NobodyNoticesARotation) {
  std::vector<std::string> names;
  for (int i = 0; i < 300; ++i) {
    ASSERT_OK_AND_ASSIGN(const v1::Member made, Create(*admin_, Member("E01", i)));
    names.push_back(made.name());
  }
  std::atomic<bool> stop = false;
  std::atomic<int> reads = 0, writes = 0;
  std::vector<std::thread> workers;
  for (int t = 0; t < 2; ++t) {
    workers.emplace_back([&, t] {  // Readers by number: every value found is opened.
      for (int i = t; !stop; ++i, ++reads) {
        const auto found = Find(IdNumber(i % 300));
        EXPECT_TRUE(found.ok() && found->members_size() == 1) << found.status();
        EXPECT_THAT(Get(names[i % 300]), IsOk());
      }
    });
    workers.emplace_back([&, t] {
      for (int i = t; !stop; i += 2, ++writes) {
        v1::UpdateMemberRequest update;
        update.mutable_member()->set_name(names[i % 300]);
        update.mutable_member()->set_phone(absl::StrCat(13900000000 + i));
        update.set_update_mask("phone");
        EXPECT_THAT(Members<v1::Member>(*admin_, "UpdateMember", update), IsOk());
        EXPECT_THAT(Create(*admin_, Member("E02", 1000 + i)), IsOk());
      }
    });
  }
  for (const char* id : {"k2", "k3"}) {
    ASSERT_TRUE(crypto::PersonalData::AddKey(KeyFile()).ok());
    AwaitKey(id);
    ASSERT_OK_AND_ASSIGN(const auto result, Reseal());
    EXPECT_EQ(result.key(), id);
    EXPECT_GT(result.resealed(), 0);  // Writers have sealed some rows anew themselves.
  }
  stop = true;
  for (std::thread& worker : workers) worker.join();
  EXPECT_GT(reads, 0);
  EXPECT_GT(writes, 0);
  const std::vector<std::string> keys = Keys();
  ASSERT_EQ(keys.size(), 3u);
  EXPECT_EQ(keys[0], "k1 0");
  EXPECT_EQ(keys[1], "k2 0");
}

TEST_P(PersonalKeysTest, EverySealedColumnOfTheSchemaIsCounted) {
  // What is not sealed, and holds no numbers of persons.
  const std::set<std::string> open = {"reorganizations.content",
                                      "reorganizations.tree",
                                      "reorganization_effects.effects",
                                      "member_filters.content",
                                      "requests.response",
                                      "jobs.request",
                                      "jobs.checkpoint",
                                      "jobs.job",
                                      "feed.event",
                                      "member_imports.content",
                                      "member_import_faults.content",
                                      "member_import_steps.content",
                                      "member_exports.content"};
  const std::set<std::string> sealed = {"members.id_sealed",        "members.phone_sealed",
                                        "applications.content",     "member_merges.undo",
                                        "member_merges.conflicts",  "sealed_pieces.sealed",
                                        "member_import_rows.sealed"};
  if (GetParam() != "sqlite") GTEST_SKIP() << "one schema for both engines";
  std::set<std::string> found;
  ASSERT_THAT(suite_->database("membership")
                  .ReadOnly(absl::InfiniteFuture(),
                            [&](sql::Tx& tx) -> absl::Status {
                              ASSIGN_OR_RETURN(
                                  const sql::Rows rows,
                                  tx.Run({"test.columns",
                                          "SELECT m.name, c.name FROM sqlite_master m JOIN "
                                          "pragma_table_info(m.name) c WHERE m.type='table' AND "
                                          "c.type='BYTEA'"}));
                              for (size_t i = 0; i < rows.size(); ++i) {
                                found.insert(absl::StrCat(rows[i].Get<std::string>(0), ".",
                                                          rows[i].Get<std::string>(1)));
                              }
                              return absl::OkStatus();
                            }),
              IsOk());
  for (const std::string& column : found) {
    EXPECT_NE(open.contains(column), sealed.contains(column))
        << column << ": add it here, and where it is sealed to personal_keys.cc";
  }
  for (const std::string& column : sealed) EXPECT_TRUE(found.contains(column)) << column;
}

INSTANTIATE_TEST_SUITE_P(Engines, PersonalKeysTest,
                         ::testing::ValuesIn(::gonghui::testing::Engines()));

}  // namespace
}  // namespace gonghui::membership
