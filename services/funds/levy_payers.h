// Employing units that pay union funds.
#pragma once

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "gonghui/funds/v1/levy.pb.h"
#include "services/funds/levies.h"

namespace gonghui::funds {

// Thread-safe.
class LevyPayers {
 public:
  explicit LevyPayers(const Levies& levies) : levies_(levies) {}

  absl::StatusOr<v1::SetLevyPayersResponse> Set(rpc::Call& call,
                                                const v1::SetLevyPayersRequest& request);
  absl::StatusOr<v1::ListLevyPayersResponse> List(rpc::Call& call,
                                                  const v1::ListLevyPayersRequest& request);

 private:
  const Levies levies_;
};

}  // namespace gonghui::funds
