// Files of members that are uploaded, checked and entered, and can be taken back.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/host/host.h"
#include "common/rpc/jobs.h"
#include "gonghui/membership/v1/member_import.pb.h"
#include "services/membership/member_import_store.h"
#include "services/membership/member_import_work.h"
#include "services/membership/members.h"

namespace gonghui::membership {

// Thread-safe.
class MemberImports {
 public:
  MemberImports(const Host& host, const catalog::Catalog& catalog, cache::Cache& cache,
                const Members& members, rpc::Jobs& jobs);

  absl::StatusOr<v1::MemberImport> Create(rpc::Call& call,
                                          const v1::CreateMemberImportRequest& request);
  absl::StatusOr<v1::MemberImport> Append(rpc::Call& call,
                                          const v1::AppendMemberImportRequest& request);
  absl::StatusOr<common::v1::Job> Start(rpc::Call& call,
                                        const v1::StartMemberImportRequest& request);
  absl::StatusOr<common::v1::Job> Undo(rpc::Call& call, const v1::UndoMemberImportRequest& request);
  absl::StatusOr<v1::MemberImport> Get(rpc::Call& call, const v1::GetMemberImportRequest& request);
  absl::StatusOr<v1::ListMemberImportsResponse> List(rpc::Call& call,
                                                     const v1::ListMemberImportsRequest& request);
  absl::StatusOr<v1::ListMemberImportFaultsResponse> ListFaults(
      rpc::Call& call, const v1::ListMemberImportFaultsRequest& request);
  absl::StatusOr<v1::MemberImportRejects> GetRejects(
      rpc::Call& call, const v1::GetMemberImportRejectsRequest& request);

  // Drops the files that have expired.
  absl::Status EmptyExpired() const;

  // The work of the jobs.
  absl::StatusOr<v1::MemberImport> Run(rpc::JobRun& run,
                                       const v1::StartMemberImportRequest& request) const;
  absl::StatusOr<v1::MemberImport> TakeBack(rpc::JobRun& run,
                                            const v1::UndoMemberImportRequest& request) const;

 private:
  // The import, which the caller may work on.
  absl::StatusOr<StoredImport> Read(const rpc::Call& call, const std::string& name) const;

  sql::Database& db_;
  const catalog::Catalog& catalog_;
  const MemberRegister register_;
  const MemberImportStore store_;
  const MemberImportTools tools_;
  rpc::Jobs& jobs_;
};

}  // namespace gonghui::membership
