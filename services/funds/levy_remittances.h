// Money that goes from one level to the next, cycle by cycle.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "gonghui/funds/v1/levy.pb.h"
#include "services/funds/levies.h"
#include "services/funds/levy_share_rows.h"

namespace gonghui::funds {

// Thread-safe.
class Remittances {
 public:
  explicit Remittances(const Levies& levies) : levies_(levies) {}

  absl::StatusOr<v1::CreateRemittancesResponse> Create(rpc::Call& call,
                                                       const v1::CreateRemittancesRequest& request);
  absl::StatusOr<v1::Remittance> Receive(rpc::Call& call,
                                         const v1::ReceiveRemittanceRequest& request);
  absl::StatusOr<v1::Remittance> Get(rpc::Call& call, const v1::GetRemittanceRequest& request);
  absl::StatusOr<v1::ListRemittancesResponse> List(rpc::Call& call,
                                                   const v1::ListRemittancesRequest& request);

 private:
  using TreePtr = std::shared_ptr<const tree::OrganizationTree>;
  struct Due {
    std::map<std::string, std::vector<ShareRow>> by_payee;
    bool more = false;
  };
  // The cycle of the request: what it must hold, and whether money goes straight to its goal.
  absl::StatusOr<const v1::RemittanceCycle*> CheckCycle(const tree::OrganizationTree& tree,
                                                        const v1::CreateRemittancesRequest& request,
                                                        std::string& last_day) const;
  absl::StatusOr<Due> FindDue(const rpc::Call& call, sql::Tx& tx,
                              const tree::OrganizationTree& tree,
                              const v1::CreateRemittancesRequest& request,
                              const v1::RemittanceCycle& cycle, const std::string& last_day) const;
  absl::Status Send(const rpc::Call& call, sql::Tx& tx, const tree::OrganizationTree& tree,
                    const Due& due, v1::CreateRemittancesResponse& response) const;
  absl::StatusOr<v1::Remittance> Find(const rpc::Call& call, sql::Tx& tx,
                                      const std::string& name) const;

  const Levies levies_;
};

}  // namespace gonghui::funds
