// Members' dues: bills by wage, payments, statements.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "gonghui/feed/v1/feed.pb.h"
#include "gonghui/funds/v1/levy.pb.h"
#include "services/funds/levies.h"

namespace gonghui::funds {

// Of a wage: what does not fill a step does not count; halves of a fen are rounded up.
absl::StatusOr<int64_t> DuesOf(const v1::DuesFormula& formula, int64_t wage_fen);

// Thread-safe.
class DuesBills {
 public:
  explicit DuesBills(const Levies& levies) : levies_(levies) {}

  absl::StatusOr<v1::BillDuesResponse> Bill(rpc::Call& call, const v1::BillDuesRequest& request);
  absl::StatusOr<v1::PayDuesResponse> Pay(rpc::Call& call, const v1::PayDuesRequest& request);
  absl::StatusOr<v1::ListDuesBillsResponse> List(rpc::Call& call,
                                                 const v1::ListDuesBillsRequest& request);
  absl::StatusOr<v1::GetMemberDuesStatementResponse> MemberStatement(
      rpc::Call& call, const v1::GetMemberDuesStatementRequest& request);
  absl::StatusOr<v1::GetUnitDuesStatementResponse> UnitStatement(
      rpc::Call& call, const v1::GetUnitDuesStatementRequest& request);

 private:
  using Key = std::pair<std::string, std::string>;  // Month, member.
  using Bills = std::map<Key, v1::DuesBill>;
  // The bills as they will stand; faults go to `response`.
  absl::StatusOr<Bills> MakeBills(const v1::BillDuesRequest& request, const std::string& month,
                                  const v1::DuesFormula& formula, const Bills& before,
                                  v1::BillDuesResponse& response) const;
  // The payments with their amounts, added to the bills; faults go to `response`.
  std::vector<v1::DuesPayment> MakePayments(const v1::PayDuesRequest& request, Bills& bills,
                                            v1::PayDuesResponse& response) const;
  absl::Status WritePayments(const rpc::Call& call, sql::Tx& tx, const v1::PayDuesRequest& request,
                             const std::vector<v1::DuesPayment>& payments, const Bills& before,
                             const Bills& after, v1::PayDuesResponse& response) const;

  const Levies levies_;
};

}  // namespace gonghui::funds
