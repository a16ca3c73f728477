// Making one member of two records of one person, and taking that back.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/host/host.h"
#include "gonghui/membership/v1/member_merge.pb.h"
#include "nlohmann/json.hpp"
#include "services/membership/member_edit.h"

namespace gonghui::membership {

// Thread-safe.
class MemberMerges {
 public:
  MemberMerges(const Host& host, const catalog::Catalog& catalog, cache::Cache& cache)
      : db_(*host.db),
        cache_(cache),
        personal_(*host.personal),
        register_(catalog, *host.personal) {}

  absl::StatusOr<v1::MemberMerge> Merge(rpc::Call& call, const v1::MergeMembersRequest& request);
  absl::StatusOr<v1::MemberMerge> Unmerge(rpc::Call& call,
                                          const v1::UnmergeMembersRequest& request);
  absl::StatusOr<v1::MemberMerge> Get(rpc::Call& call, const v1::GetMemberMergeRequest& request);

 private:
  struct Plan;
  struct Stored;
  absl::StatusOr<Plan> MakePlan(sql::Tx& tx, const rpc::Call& call,
                                const v1::MergeMembersRequest& request) const;
  absl::Status Carry(sql::Tx& tx, const rpc::Call& call, const std::string& name, Plan& plan,
                     nlohmann::json& undo, feed::v1::Event& event) const;
  absl::StatusOr<Stored> Find(sql::Tx& tx, const std::string& federation,
                              const std::string& id) const;
  v1::MemberMerge View(const std::string& federation, const Stored& stored,
                       const MemberRow& survivor) const;

  sql::Database& db_;
  cache::Cache& cache_;
  const crypto::PersonalData& personal_;
  const MemberRegister register_;
};

}  // namespace gonghui::membership
