// Members who may be one person.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/host/host.h"
#include "gonghui/membership/v1/member_merge.pb.h"
#include "services/membership/access_log.h"
#include "services/membership/member_edit.h"

namespace gonghui::membership {

// Thread-safe.
class Duplicates {
 public:
  Duplicates(const Host& host, const catalog::Catalog& catalog, AccessLog& log)
      : db_(*host.db), tree_(*host.tree), log_(log), register_(catalog, *host.personal) {}

  absl::StatusOr<v1::FindDuplicatesResponse> Find(rpc::Call& call,
                                                  const v1::FindDuplicatesRequest& request);

 private:
  // Who is looked for.
  struct Person {
    std::string id;  // Empty of a person who is not entered yet.
    v1::PersonSketch known;
    std::string number;  // Normal, or as given where it is none.
  };
  absl::StatusOr<Person> ReadPerson(sql::Tx& tx, const rpc::Call& call,
                                    const v1::FindDuplicatesRequest& request) const;
  // Who has a number near the person's, wherever; who has such a name, where `sees` says so.
  absl::StatusOr<std::vector<MemberRow>> Candidates(
      sql::Tx& tx, const std::string& federation, const Person& person,
      const std::function<bool(const std::string& organization)>& sees) const;

  sql::Database& db_;
  tree::TreeCache& tree_;
  AccessLog& log_;
  const MemberRegister register_;
};

}  // namespace gonghui::membership
