// Applications to join a union.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/host/host.h"
#include "gonghui/membership/v1/application.pb.h"
#include "services/membership/member_edit.h"

namespace gonghui::membership {

// Thread-safe.
class Applications {
 public:
  Applications(const Host& host, const catalog::Catalog& catalog, cache::Cache& cache)
      : db_(*host.db),
        tree_(*host.tree),
        cache_(cache),
        catalog_(catalog),
        personal_(*host.personal),
        register_(catalog, *host.personal) {}

  absl::StatusOr<v1::Application> Submit(rpc::Call& call,
                                         const v1::SubmitApplicationRequest& request);
  absl::StatusOr<v1::Application> Approve(rpc::Call& call,
                                          const v1::ApproveApplicationRequest& request);
  absl::StatusOr<v1::Application> Refuse(rpc::Call& call,
                                         const v1::RefuseApplicationRequest& request);
  absl::StatusOr<v1::Application> Withdraw(rpc::Call& call,
                                           const v1::WithdrawApplicationRequest& request);
  absl::StatusOr<v1::Application> Get(rpc::Call& call, const v1::GetApplicationRequest& request);
  absl::StatusOr<v1::ListApplicationsResponse> List(rpc::Call& call,
                                                    const v1::ListApplicationsRequest& request);

  // The applications of a person, what was declared in clear.
  absl::StatusOr<std::vector<v1::Application>> InClear(sql::Tx& tx, const std::string& federation,
                                                       const MemberRow& member) const;
  // Erases what the person declared. REASON_STATE_FORBIDS while an application waits.
  absl::Status Erase(sql::Tx& tx, const std::string& federation, const MemberRow& member) const;

 private:
  // An application with what the person declared in clear.
  struct Row {
    v1::Application application;
    v1::Member member;
    std::string id_index;
    int64_t version = 1;
  };
  absl::StatusOr<Row> ToRow(const std::string& federation, const sql::Rows::Row& row) const;
  absl::StatusOr<Row> Find(sql::Tx& tx, const std::string& federation, const std::string& id) const;
  static v1::Application View(const std::string& federation, const Row& row);
  // Refuses where the person is a member, or may not join again; errors stand at `at` + field.
  absl::Status CheckPerson(sql::Tx& tx, const std::string& federation, const Row& row,
                           std::string_view at) const;
  // Makes the member, or takes the former one back in; returns its id.
  absl::StatusOr<std::string> Admit(sql::Tx& tx, const rpc::Call& call, const Row& row,
                                    const std::string& joined_on, feed::v1::Event& event) const;
  template <typename Request>
  absl::StatusOr<v1::Application> End(
      rpc::Call& call, const Request& request, v1::ApplicationState state,
      const std::function<absl::Status(sql::Tx&, Row&, feed::v1::Event&)>& effect);

  sql::Database& db_;
  tree::TreeCache& tree_;
  cache::Cache& cache_;
  const catalog::Catalog& catalog_;
  const crypto::PersonalData& personal_;
  const MemberRegister register_;
};

}  // namespace gonghui::membership
