// Showing personal data for a purpose, who saw whom, and why a call is allowed.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/catalog/catalog.h"
#include "common/host/host.h"
#include "gonghui/membership/v1/access.pb.h"
#include "services/membership/access_log.h"
#include "services/membership/member_edit.h"

namespace gonghui::membership {

// Brings the purpose of an access into its stored form; the purpose "other" needs a remark.
absl::Status CheckPurpose(const catalog::Catalog& catalog, const std::string& remark,
                          std::string& purpose);

// Thread-safe.
class Accesses {
 public:
  Accesses(const Host& host, const catalog::Catalog& catalog, AccessLog& log)
      : db_(*host.db),
        tree_(*host.tree),
        catalog_(catalog),
        register_(catalog, *host.personal),
        log_(log) {}

  absl::StatusOr<v1::RevealFieldResponse> Reveal(rpc::Call& call,
                                                 const v1::RevealFieldRequest& request);
  absl::StatusOr<v1::ListAccessesResponse> List(rpc::Call& call,
                                                const v1::ListAccessesRequest& request);
  absl::StatusOr<v1::VerifyAccessesResponse> Verify(rpc::Call& call,
                                                    const v1::VerifyAccessesRequest& request);
  absl::StatusOr<v1::ExplainAccessResponse> Explain(rpc::Call& call,
                                                    const v1::ExplainAccessRequest& request);

 private:
  sql::Database& db_;
  tree::TreeCache& tree_;
  const catalog::Catalog& catalog_;
  const MemberRegister register_;
  AccessLog& log_;
};

}  // namespace gonghui::membership
