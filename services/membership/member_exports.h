// Members as files.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/host/host.h"
#include "common/rpc/jobs.h"
#include "gonghui/membership/v1/member_export.pb.h"
#include "services/membership/access_log.h"
#include "services/membership/as_of.h"
#include "services/membership/member_edit.h"
#include "services/membership/member_selection.h"
#include "services/membership/sealed_files.h"

namespace gonghui::membership {

// Thread-safe.
class MemberExports {
 public:
  MemberExports(const Host& host, const catalog::Catalog& catalog, rpc::Jobs& jobs)
      : db_(*host.db),
        tree_(*host.tree),
        clock_(*host.clock),
        catalog_(catalog),
        register_(catalog, *host.personal),
        files_{*host.personal},
        jobs_(jobs) {}

  absl::StatusOr<common::v1::Job> Start(rpc::Call& call, const v1::ExportMembersRequest& request);
  absl::StatusOr<v1::MemberExport> Get(rpc::Call& call, const v1::GetMemberExportRequest& request);
  absl::StatusOr<v1::MemberExportPiece> Download(rpc::Call& call,
                                                 const v1::DownloadMemberExportRequest& request);
  // Drops the files that have expired.
  absl::Status EmptyExpired() const;

  // The work of the job. A later attempt writes the file anew.
  absl::StatusOr<v1::MemberExport> Run(rpc::JobRun& run,
                                       const v1::ExportMembersRequest& request) const;

 private:
  class Reading;
  class Writing;
  struct Stored {
    v1::MemberExport made;
    bool emptied = false;
  };

  absl::StatusOr<MemberSelection> Select(const rpc::Call& call,
                                         const v1::ExportMembersRequest& request) const;
  // The export, which the caller may read.
  absl::StatusOr<Stored> Read(const rpc::Call& call, const std::string& name) const;
  // What the file is, before it is made.
  absl::StatusOr<v1::MemberExport> Describe(const rpc::JobRun& run,
                                            const v1::ExportMembersRequest& request) const;
  std::vector<AccessRow> AccessesTo(const std::vector<ListedMember>& page,
                                    const v1::MemberExport& made, const std::string& remark) const;
  sql::Database& db_;
  tree::TreeCache& tree_;
  const Clock& clock_;
  const catalog::Catalog& catalog_;
  const MemberRegister register_;
  const SealedFiles files_;
  rpc::Jobs& jobs_;
};

}  // namespace gonghui::membership
