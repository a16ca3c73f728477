// Saved filters, and changes of all members that a filter selects.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/host/host.h"
#include "common/rpc/jobs.h"
#include "gonghui/membership/v1/member_filter.pb.h"
#include "services/membership/member_edit.h"
#include "services/membership/member_selection.h"
#include "services/membership/transfers.h"

namespace gonghui::membership {

// The filter that a request names; NOT_FOUND at saved_filter.
absl::StatusOr<v1::MemberFilter> ReadSavedFilter(sql::Database& db, const rpc::Call& call,
                                                 const std::string& name);

// Thread-safe.
class MemberFilters {
 public:
  MemberFilters(const Host& host, const catalog::Catalog& catalog, cache::Cache& cache,
                const Transfers& transfers, rpc::Jobs& jobs)
      : db_(*host.db),
        tree_(*host.tree),
        clock_(*host.clock),
        cache_(cache),
        catalog_(catalog),
        register_(catalog, *host.personal),
        transfers_(transfers),
        jobs_(jobs) {}

  absl::StatusOr<v1::SavedMemberFilter> Create(rpc::Call& call,
                                               const v1::CreateMemberFilterRequest& request);
  absl::StatusOr<v1::SavedMemberFilter> Get(rpc::Call& call,
                                            const v1::GetMemberFilterRequest& request);
  absl::StatusOr<v1::ListMemberFiltersResponse> List(rpc::Call& call,
                                                     const v1::ListMemberFiltersRequest& request);
  absl::StatusOr<v1::SavedMemberFilter> Delete(rpc::Call& call,
                                               const v1::DeleteMemberFilterRequest& request);

  absl::StatusOr<v1::ChangeMembersResponse> Change(rpc::Call& call,
                                                   const v1::ChangeMembersRequest& request);
  // The work of the job that Change starts for many members.
  absl::StatusOr<v1::ChangeMembersResponse> ChangeMany(rpc::JobRun& run,
                                                       const v1::ChangeMembersRequest& request);

 private:
  absl::StatusOr<MemberSelection> Select(const rpc::Call& call,
                                         const v1::ChangeMembersRequest& request) const;
  absl::StatusOr<std::vector<std::string>> Below(const rpc::Call& call,
                                                 const std::string& organization) const;
  // Codes of the change in stored form, and dates that may be.
  absl::StatusOr<v1::MemberChange> Normal(const rpc::Call& call,
                                          const v1::MemberChange& change) const;
  // Whether the member was changed.
  absl::StatusOr<bool> ChangeOne(sql::Tx& tx, const rpc::Call& call, const std::string& id,
                                 const v1::MemberChange& change, feed::v1::Event& event) const;
  // Changes the members of one transaction and appends its event.
  absl::Status ChangeSome(sql::Tx& tx, const rpc::Call& call, absl::Span<const MemberRow> rows,
                          const v1::MemberChange& change,
                          v1::ChangeMembersResponse& response) const;

  sql::Database& db_;
  tree::TreeCache& tree_;
  const Clock& clock_;
  cache::Cache& cache_;
  const catalog::Catalog& catalog_;
  const MemberRegister register_;
  const Transfers& transfers_;
  rpc::Jobs& jobs_;
};

}  // namespace gonghui::membership
