// Auditors read everything and write nothing, whatever methods there are.
#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

#include "common/auth/grants.h"
#include "gonghui/common/v1/options.pb.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"

namespace gonghui::auth {
namespace {

namespace fs = std::filesystem;

// Not an auditor's, though they only read: files of personal data, feeds between services, another
// person's doing.
const std::set<std::string>& Others() {
  static const auto& others =
      *new std::set<std::string>{"membership.members.export", "membership.members.import",
                                 "membership.organizations.follow", "feed.events.list"};
  return others;
}

TEST(AuditorRoleTest, ReadsEverythingAndWritesNothing) {
  const Roles& roles = Roles::Builtin();
  const fs::path protos = fs::path(GONGHUI_SOURCE_DIR) / "proto";
  int read = 0;
  int written = 0;
  for (const auto& entry : fs::recursive_directory_iterator(protos)) {
    if (entry.path().extension() != ".proto") continue;
    const auto* file = google::protobuf::DescriptorPool::generated_pool()->FindFileByName(
        fs::relative(entry.path(), protos).string());
    if (file == nullptr) continue;
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        const auto* method = file->service(i)->method(j);
        const auto& policy = method->options().GetExtension(common::v1::policy);
        const std::string& permission = policy.permission();
        if (permission == "public" || permission == "authenticated") continue;
        const bool permits = roles.Permits("auditor", permission);
        const bool verifies = permission.ends_with(".verify");
        const bool personal =
            policy.audit() == common::v1::AUDIT_PERSONAL && permission != "membership.members.list";
        const bool writes = policy.audit() == common::v1::AUDIT_WRITE && !verifies;
        (writes ? written : read) += 1;
        EXPECT_EQ(permits, !writes && !personal && !Others().contains(permission))
            << method->full_name() << ": " << permission;
      }
    }
  }
  EXPECT_GT(read, 50);
  EXPECT_GT(written, 50);
}

}  // namespace
}  // namespace gonghui::auth
