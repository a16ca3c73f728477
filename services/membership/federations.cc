#include "services/membership/federations.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"

namespace gonghui::membership {
namespace {

constexpr sql::Query kFind{"membership.find_federation",
                           "SELECT display_name, create_time_us FROM federations WHERE tenant=$1"};
constexpr sql::Query kInsert{
    "membership.insert_federation",
    "INSERT INTO federations (tenant, display_name, create_time_us) VALUES ($1, $2, $3)"};
constexpr sql::Query kInsertHead{
    "membership.insert_organization_head",
    "INSERT INTO organization_heads (tenant, sequence, recorded_us) VALUES ($1, 0, 0)"};

absl::StatusOr<std::optional<v1::Federation>> Find(sql::Tx& tx, const std::string& federation) {
  ASSIGN_OR_RETURN(sql::Rows rows, tx.Run(kFind, {federation}));
  if (rows.empty()) return std::nullopt;
  v1::Federation found;
  found.set_name(StrCat("federations/", federation));
  found.set_display_name(rows[0].Get<std::string>(0));
  found.set_create_time_us(rows[0].Get<int64_t>(1));
  return found;
}

constexpr sql::Query kListAll{"membership.list_federations",
                              "SELECT tenant FROM federations ORDER BY tenant"};

constexpr absl::Duration kTimeout = absl::Seconds(30);

}  // namespace

absl::StatusOr<v1::Federation> Federations::Create(rpc::Call& call,
                                                   const v1::CreateFederationRequest& request) {
  RETURN_IF_ERROR(call.CheckScope(""));
  const std::string& id = request.federation_id();
  return rpc::WriteOnce<v1::Federation>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Federation> {
        ASSIGN_OR_RETURN(std::optional<v1::Federation> existing, Find(tx, id));
        if (existing.has_value()) {
          return AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                               StrCat("the federation '", id, "' exists; choose another id"),
                               StrCat("联合会“", id, "”已存在，请换一个代码"))
              .With("federation", id)
              .At("federation_id");
        }
        v1::Federation federation;
        federation.set_name(StrCat("federations/", id));
        federation.set_display_name(request.federation().display_name());
        federation.set_create_time_us(call.clock->NowMicros());
        RETURN_IF_ERROR(
            tx.Run(kInsert, {id, federation.display_name(), federation.create_time_us()}).status());
        RETURN_IF_ERROR(tx.Run(kInsertHead, {id}).status());
        feed::v1::Event event;
        event.set_type("gonghui.membership.v1.FederationCreated");
        event.add_resources(federation.name());
        RETURN_IF_ERROR(feed::Append(tx, call, std::move(event)));
        return federation;
      });
}

absl::StatusOr<v1::Federation> Federations::Get(rpc::Call& call,
                                                const v1::GetFederationRequest& request) {
  std::optional<v1::Federation> found;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(found, Find(tx, call.federation));
    return absl::OkStatus();
  }));
  if (found.has_value()) return *std::move(found);
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no federation '", call.federation, "'; create it first"),
                  StrCat("没有联合会“", call.federation, "”，请先创建"))
      .With("federation", call.federation)
      .At("name");
}

absl::Status ForEachFederation(
    sql::Database& db,
    absl::FunctionRef<absl::Status(sql::Tx& tx, const std::string& federation)> body) {
  std::vector<std::string> federations;
  RETURN_IF_ERROR(db.ReadOnly(absl::Now() + kTimeout, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kListAll));
    federations.clear();
    for (size_t i = 0; i < rows.size(); ++i) federations.push_back(rows[i].Get<std::string>(0));
    return absl::OkStatus();
  }));
  for (const std::string& federation : federations) {
    RETURN_IF_ERROR(
        db.ReadWrite(absl::Now() + kTimeout, [&](sql::Tx& tx) { return body(tx, federation); }));
  }
  return absl::OkStatus();
}

}  // namespace gonghui::membership
