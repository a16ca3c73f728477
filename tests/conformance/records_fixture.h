// A record engine of its own on the SQL engine of the test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/text.h"
#include "common/feed/schema.embedded.h"
#include "common/records/records.h"
#include "common/records/schema.embedded.h"
#include "common/rpc/schema.embedded.h"
#include "common/rpc/service.h"
#include "common/sql/migrate.h"
#include "common/testing/database.h"
#include "common/testing/matchers.h"

namespace gonghui::records {

// D01 above E1 to E29; E30 to E39 below E1.
inline tree::TreeCache::Page TreePage(int64_t after) {
  tree::TreeCache::Page page;
  page.sequence = 1;
  if (after > 0) return page;
  for (int i = 0; i < 40; ++i) {
    tree::Version version;
    version.id = i == 0 ? "D01" : StrCat("E", i);
    version.version_id = version.id;
    version.parent = i == 0 ? "" : i < 30 ? "D01" : "E1";
    version.kind = i == 0 ? "district_federation" : "enterprise";
    version.state = "open";
    version.valid_from = "2019-01-01";
    version.valid_to = "9999-12-31";
    page.versions.push_back(version);
  }
  return page;
}

// Runs once an engine; on 2020-07-01.
class RecordsFixture : public ::testing::TestWithParam<std::string> {
 protected:
  explicit RecordsFixture(std::string_view catalog)
      : db_(GetParam()),
        catalog_(*catalog::Catalog::Load("test", {{"test.yaml", catalog}})),
        tree_(
            [](const std::string&, int64_t after) -> absl::StatusOr<tree::TreeCache::Page> {
              return TreePage(after);
            },
            &clock_),
        personal_(MakeKeys()),
        records_({.collection = "things",
                  .db = db_.get(),
                  .catalog = &catalog_,
                  .tree = &tree_,
                  .personal = &personal_,
                  .on_change = [this](const rpc::Call&, sql::Tx&, absl::Span<const Change> changes,
                                      feed::v1::Event&) { return OnChange(changes); }}) {
    std::vector<EmbeddedFile> schema;
    for (const auto* files : {&embedded::common_rpc_schema(), &embedded::common_feed_schema(),
                              &embedded::common_records_schema()}) {
      schema.insert(schema.end(), files->begin(), files->end());
    }
    EXPECT_THAT(sql::Migrate(*db_, schema, 1), testing::IsOk());
    common::v1::Grant grant;
    grant.set_role("admin");
    grant.set_organization("*");
    method_.policy.set_permission("test.things.any");
    method_.full_name = "test.Things.Any";
    call_.method = &method_;
    call_.clock = &clock_;
    call_.deadline = absl::Now() + absl::Seconds(60);
    call_.federation = "demo";
    call_.actor = {.subject = "tester", .federation = "demo", .grants = {grant}};
    call_.scope = &tree_;
  }

  static crypto::PersonalData MakeKeys() {
    const auto path = std::filesystem::temp_directory_path() / StrCat("keys-", ::getpid(), ".yaml");
    EXPECT_THAT(crypto::PersonalData::GenerateFile(path), testing::IsOk());
    auto keys = crypto::PersonalData::FromFile(path);
    std::filesystem::remove(path);
    return *std::move(keys);
  }

  // The engine's hook.
  virtual absl::Status OnChange(absl::Span<const Change>) { return absl::OkStatus(); }

  absl::StatusOr<common::v1::Record> Create(const common::v1::Record& record) {
    common::v1::CreateRecordRequest request;
    request.set_parent("federations/demo");
    *request.mutable_record() = record;
    rpc::Call call = call_;
    return records_.Create(call, request);
  }
  absl::StatusOr<common::v1::Record> Update(const common::v1::Record& record,
                                            const std::string& mask) {
    common::v1::UpdateRecordRequest request;
    *request.mutable_record() = record;
    request.set_update_mask(mask);
    return records_.Update(call_, request);
  }

  ManualClock clock_{absl::FromUnixSeconds(1593561600)};  // 2020-07-01
  testing::TempDatabase db_;
  const catalog::Catalog catalog_;
  tree::TreeCache tree_;
  const crypto::PersonalData personal_;
  rpc::Method method_;
  rpc::Call call_;
  Records records_;
};

}  // namespace gonghui::records
