// The end of personal data: what tells who a former member was is erased.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/catalog/catalog.h"
#include "common/host/host.h"
#include "gonghui/membership/v1/personal_data.pb.h"
#include "services/membership/applications.h"
#include "services/membership/member_edit.h"

namespace gonghui::membership {

// Thread-safe.
class Erasures {
 public:
  Erasures(const Host& host, const catalog::Catalog& catalog, cache::Cache& cache,
           const Applications& applications)
      : db_(*host.db),
        cache_(cache),
        catalog_(catalog),
        personal_(*host.personal),
        register_(catalog, *host.personal),
        applications_(applications) {}

  absl::StatusOr<v1::Member> Erase(rpc::Call& call, const v1::EraseMemberRequest& request);

 private:
  // What answers may show: a resource with the name of the person.
  struct Shown {
    std::string resource;
    std::string full_name;
    int64_t since_us;
  };
  // What the member and the records merged into it are shown as.
  absl::StatusOr<std::vector<Shown>> FindShown(rpc::Call& call, const std::string& id) const;
  // Stored answers that show one of them; each is a key of `requests`.
  absl::StatusOr<std::vector<sql::Args>> FindAnswers(const rpc::Call& call,
                                                     const std::vector<Shown>& shown) const;
  // The member and the records merged into it, directly or not.
  absl::StatusOr<std::vector<MemberRow>> FindAll(sql::Tx& tx, const std::string& federation,
                                                 const MemberRow& member) const;
  // Erases one record; `row` becomes what is left.
  absl::Status EraseOne(sql::Tx& tx, const std::string& federation, MemberRow& row) const;

  sql::Database& db_;
  cache::Cache& cache_;
  const catalog::Catalog& catalog_;
  const crypto::PersonalData& personal_;
  const MemberRegister register_;
  const Applications& applications_;
};

}  // namespace gonghui::membership
