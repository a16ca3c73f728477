// Where and as what members worked.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/catalog/catalog.h"
#include "common/host/host.h"
#include "gonghui/membership/v1/employment.pb.h"

namespace gonghui::membership {

// Thread-safe.
class Employments {
 public:
  Employments(const Host& host, const catalog::Catalog& catalog)
      : db_(*host.db), catalog_(catalog) {}

  absl::StatusOr<v1::Employment> Create(rpc::Call& call,
                                        const v1::CreateEmploymentRequest& request);
  absl::StatusOr<v1::Employment> Update(rpc::Call& call,
                                        const v1::UpdateEmploymentRequest& request);
  absl::StatusOr<v1::Employment> Delete(rpc::Call& call,
                                        const v1::DeleteEmploymentRequest& request);
  absl::StatusOr<v1::ListEmploymentsResponse> List(rpc::Call& call,
                                                   const v1::ListEmploymentsRequest& request);

 private:
  // The caller's right at the organisation where the member is.
  absl::Status CheckMember(const rpc::Call& call, const std::string& member_id,
                           std::string_view field) const;
  absl::Status Check(const rpc::Call& call, v1::Employment& employment) const;

  sql::Database& db_;
  const catalog::Catalog& catalog_;
};

}  // namespace gonghui::membership
