// What units owe: assessment, arrears, statements.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "gonghui/feed/v1/feed.pb.h"
#include "gonghui/funds/v1/levy.pb.h"
#include "services/funds/levies.h"
#include "services/funds/levy_rows.h"

namespace gonghui::funds {

// What a unit owes for a period, by the rules of its place: item, rate, due day, payable. Errors
// name a field of LevyObligation.
absl::StatusOr<ObligationRow> Assess(const LevyRules& rules, const tree::OrganizationTree& tree,
                                     const v1::LevyPayer& payer, const v1::LevyObligation& given);

// As callers see it on a day.
v1::LevyObligation ObligationView(const LevyRules& rules, const tree::OrganizationTree& tree,
                                  const ObligationRow& row, const std::vector<Paid>& paid,
                                  std::string_view as_of);

// Writes the rows, which take the place of those before, with their facts. The payers' money that
// is confirmed counts on.
absl::Status WriteAssessed(sql::Tx& tx, const rpc::Call& call, const LevyRules& rules,
                           std::vector<ObligationRow> rows, feed::v1::Event& event);

// Another period of the unit shares days with this one: ALREADY_EXISTS at "period".
absl::Status CheckOverlap(sql::Tx& tx, const std::string& tenant, const ObligationRow& row);

// Thread-safe.
class LevyObligations {
 public:
  explicit LevyObligations(const Levies& levies) : levies_(levies) {}

  absl::StatusOr<v1::AssessLeviesResponse> AssessAll(rpc::Call& call,
                                                     const v1::AssessLeviesRequest& request);
  absl::StatusOr<v1::ListLevyObligationsResponse> List(
      rpc::Call& call, const v1::ListLevyObligationsRequest& request);
  absl::StatusOr<v1::GetLevyAgeingResponse> Age(rpc::Call& call,
                                                const v1::GetLevyAgeingRequest& request);
  absl::StatusOr<v1::GetLevyStatementResponse> Statement(
      rpc::Call& call, const v1::GetLevyStatementRequest& request);

 private:
  const Levies levies_;
};

}  // namespace gonghui::funds
