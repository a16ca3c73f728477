#include "services/funds/levy_payers.h"

#include <set>
#include <string>
#include <vector>

#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/validate.h"
#include "services/funds/levy_pages.h"
#include "services/funds/levy_rows.h"

namespace gonghui::funds {
namespace {

constexpr sql::Query kListPayers{
    "funds.list_levy_payers",
    "SELECT " PAYER_COLUMNS
    " FROM levy_payers WHERE tenant = $1 AND organization = $2 AND (unit, organization) > ($3, $4) "
    "ORDER BY unit LIMIT $5"};

absl::Status CheckPayer(const rpc::Call& call, const tree::TreeCache& trees,
                        const v1::LevyPayer& payer) {
  RETURN_IF_ERROR(rpc::Validate(payer));
  ASSIGN_OR_RETURN(const auto tree, trees.Get(call.federation, payer.organization()));
  if (!tree->Exists(payer.organization())) {
    return NotFound(common::v1::REASON_REFERENCE_NOT_FOUND,
                    StrCat("there is no organisation '", payer.organization(),
                           "'; ListOrganizations shows them"),
                    StrCat("没有工会“", payer.organization(), "”；请用 ListOrganizations 查看"))
        .With("organization", payer.organization())
        .At("organization");
  }
  return call.CheckScope(payer.organization());
}

}  // namespace

absl::StatusOr<v1::SetLevyPayersResponse> LevyPayers::Set(rpc::Call& call,
                                                          const v1::SetLevyPayersRequest& request) {
  using Response = v1::SetLevyPayersResponse;
  std::vector<absl::Status> faults;
  std::set<std::string> units;
  for (const v1::LevyPayer& payer : request.payers()) {
    absl::Status fault = CheckPayer(call, *levies_.tree, payer);
    if (fault.ok() && !units.insert(payer.unit()).second) fault = Twice(payer.unit(), "unit");
    faults.push_back(std::move(fault));
  }
  std::map<std::string, v1::LevyPayer> before;
  RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(before, FindPayers(tx, call.federation, units));
    return absl::OkStatus();
  }));
  Response failed;
  for (int i = 0; i < request.payers_size(); ++i) {
    absl::Status& fault = faults[static_cast<size_t>(i)];
    const auto old = before.find(request.payers(i).unit());
    if (fault.ok() && old != before.end()) fault = call.CheckScope(old->second.organization());
    if (!fault.ok()) *failed.add_failures() = ToItemFailure(i, fault);
  }
  if (!failed.failures().empty() || request.validate_only()) return failed;
  return rpc::WriteOnce<Response>(
      *levies_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Response> {
        ASSIGN_OR_RETURN(const auto stored, FindPayers(tx, call.federation, units));
        std::vector<v1::LevyPayer> changed;
        feed::v1::Event event;
        event.set_type("gonghui.funds.v1.LevyPayersSet");
        for (v1::LevyPayer payer : request.payers()) {
          payer.set_name(PayerName(call.federation, payer.unit()));
          const auto old = stored.find(payer.unit());
          if (old != stored.end() && old->second.SerializeAsString() == payer.SerializeAsString()) {
            continue;
          }
          event.add_resources(payer.name());
          changed.push_back(std::move(payer));
        }
        Response response;
        response.set_written(static_cast<int32_t>(changed.size()));
        if (changed.empty()) return response;
        RETURN_IF_ERROR(WritePayers(tx, call.federation, changed));
        RETURN_IF_ERROR(feed::Append(tx, call, event));
        return response;
      });
}

absl::StatusOr<v1::ListLevyPayersResponse> LevyPayers::List(
    rpc::Call& call, const v1::ListLevyPayersRequest& request) {
  ASSIGN_OR_RETURN(const auto below, Below(*levies_.tree, call, request.organization()));
  v1::ListLevyPayersResponse response;
  const PageQuery page{&kListPayers, {}, [&](const sql::Rows::Row& row) {
                         v1::LevyPayer payer = ToPayer(call.federation, row);
                         std::vector<std::string> key = {payer.unit(), payer.organization()};
                         *response.add_payers() = std::move(payer);
                         return key;
                       }};
  RETURN_IF_ERROR(
      FillPage(*levies_.db, call, request, below, page, response, [&] { response.Clear(); }));
  return response;
}

}  // namespace gonghui::funds
