#include "services/membership/reorganization_rows.h"

#include <algorithm>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/update.h"
#include "common/tree/organization_tree.h"

namespace gonghui::membership {
namespace {

#define REORGANIZATION_COLUMNS                                            \
  "r.reorganization_id, r.version, r.state, r.caller, r.create_time_us, " \
  "r.apply_time_us, "                                                     \
  "r.revert_time_us, r.content, r.tree"

constexpr sql::Query kInsert{"membership.insert_reorganization",
                             "INSERT INTO reorganizations (tenant, reorganization_id, version, "
                             "state, caller, create_time_us, apply_time_us, revert_time_us, "
                             "content, tree) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"};
constexpr sql::Query kUpdate{
    "membership.update_reorganization",
    "UPDATE reorganizations SET version=$3, state=$4, apply_time_us=$5, revert_time_us=$6, "
    "content=$7, tree=$8 WHERE tenant=$1 AND reorganization_id=$2 AND version=$3-1"};
constexpr sql::Query kFind{"membership.find_reorganization",
                           "SELECT " REORGANIZATION_COLUMNS
                           " FROM reorganizations r WHERE tenant=$1 AND reorganization_id=$2"};
constexpr sql::Query kList{"membership.list_reorganizations",
                           "SELECT " REORGANIZATION_COLUMNS
                           " FROM reorganizations r WHERE tenant=$1 AND ($2='' OR state=$2) AND "
                           "reorganization_id<$3 ORDER BY reorganization_id DESC LIMIT $4"};
constexpr sql::Query kListOf{
    "membership.list_reorganizations_of_organization",
    "SELECT " REORGANIZATION_COLUMNS
    " FROM reorganization_effects e JOIN reorganizations r ON r.tenant=e.tenant AND "
    "r.reorganization_id=e.reorganization_id WHERE e.tenant=$1 AND e.subject='organization' AND "
    "e.id=$5 AND ($2='' OR r.state=$2) AND e.reorganization_id<$3 ORDER BY e.reorganization_id "
    "DESC LIMIT $4"};
constexpr sql::Query kForgetEffects{
    "membership.forget_reorganization_effects",
    "DELETE FROM reorganization_effects WHERE tenant=$1 AND reorganization_id=$2"};
constexpr sql::Query kInsertEffect{
    "membership.insert_reorganization_effect",
    "INSERT INTO reorganization_effects (tenant, reorganization_id, seq, subject, id, seen, "
    "effects, undo) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
constexpr sql::Query kEffects{
    "membership.reorganization_effects",
    "SELECT subject, id, seen, effects, undo FROM reorganization_effects WHERE tenant=$1 AND "
    "reorganization_id=$2 AND seq>$3 ORDER BY seq LIMIT $4"};
constexpr sql::Query kInsertSuccessor{
    "membership.insert_organization_successor",
    "INSERT INTO organization_successors (tenant, organization, reorganization_id, seq, successor, "
    "on_date, recorded_from_us, recorded_to_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
constexpr sql::Query kEndSuccessors{"membership.end_organization_successors",
                                    "UPDATE organization_successors SET recorded_to_us=$3 WHERE "
                                    "tenant=$1 AND reorganization_id=$2"};
constexpr sql::Query kSuccessors{
    "membership.organization_successors",
    "SELECT organization, successor, on_date FROM organization_successors WHERE tenant=$1 AND "
    "organization=$2 AND on_date<=$3 AND recorded_from_us<=$4 AND recorded_to_us>$4 ORDER BY "
    "reorganization_id, seq"};

v1::ReorganizationState StateOf(std::string_view text) {
  return text == "planned"   ? v1::REORGANIZATION_STATE_PLANNED
         : text == "applied" ? v1::REORGANIZATION_STATE_APPLIED
                             : v1::REORGANIZATION_STATE_REVERTED;
}

absl::StatusOr<ReorganizationRow> ToRow(const sql::Rows::Row& in) {
  ReorganizationRow row;
  row.id = in.Get<std::string>(0);
  row.version = in.Get<int64_t>(1);
  if (!row.content.ParseFromString(in.Get<sql::Bytes>(7).data) ||
      !row.tree.ParseFromString(in.Get<sql::Bytes>(8).data)) {
    return Internal(StrCat("the stored reorganisation ", row.id, " cannot be read"));
  }
  row.content.set_state(StateOf(in.Get<std::string>(2)));
  row.content.set_caller(in.Get<std::string>(3));
  row.content.set_create_time_us(in.Get<int64_t>(4));
  row.content.set_apply_time_us(in.Get<int64_t>(5));
  row.content.set_revert_time_us(in.Get<int64_t>(6));
  return row;
}

}  // namespace

std::string StateText(v1::ReorganizationState state) {
  switch (state) {
    case v1::REORGANIZATION_STATE_PLANNED:
      return "planned";
    case v1::REORGANIZATION_STATE_APPLIED:
      return "applied";
    case v1::REORGANIZATION_STATE_REVERTED:
      return "reverted";
    default:
      return "";
  }
}

std::string ReorganizationName(std::string_view federation, std::string_view id) {
  return StrCat("federations/", federation, "/reorganizations/", id);
}

v1::Reorganization View(const ReorganizationRow& row, std::string_view federation) {
  v1::Reorganization view = row.content;
  view.set_name(ReorganizationName(federation, row.id));
  view.set_etag(rpc::MakeEtag(row.version));
  return view;
}

absl::Status InsertReorganization(sql::Tx& tx, const std::string& federation,
                                  const ReorganizationRow& row) {
  const v1::Reorganization& content = row.content;
  return tx
      .Run(kInsert,
           {federation, row.id, row.version, StateText(content.state()), content.caller(),
            content.create_time_us(), content.apply_time_us(), content.revert_time_us(),
            sql::Bytes{content.SerializeAsString()}, sql::Bytes{row.tree.SerializeAsString()}})
      .status();
}

absl::Status UpdateReorganization(sql::Tx& tx, const std::string& federation,
                                  const ReorganizationRow& row) {
  const v1::Reorganization& content = row.content;
  ASSIGN_OR_RETURN(const sql::Rows updated,
                   tx.Run(kUpdate, {federation, row.id, row.version, StateText(content.state()),
                                    content.apply_time_us(), content.revert_time_us(),
                                    sql::Bytes{content.SerializeAsString()},
                                    sql::Bytes{row.tree.SerializeAsString()}}));
  if (updated.affected() == 1) return absl::OkStatus();
  return Aborted(common::v1::REASON_CONFLICT,
                 "the reorganisation was changed by another call at the same moment; try again",
                 "该组织调整同时被其他操作修改，请重试");
}

absl::StatusOr<std::optional<ReorganizationRow>> FindReorganization(sql::Tx& tx,
                                                                    const std::string& federation,
                                                                    const std::string& id) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFind, {federation, id}));
  if (rows.empty()) return std::nullopt;
  return ToRow(rows[0]);
}

absl::StatusOr<std::vector<ReorganizationRow>> ListReorganizations(
    sql::Tx& tx, const std::string& federation, const std::string& organization,
    const std::string& state, const std::string& before, int64_t limit) {
  // Ids are hexadecimal: "g" lies behind them all.
  sql::Args args = {federation, state, before.empty() ? "g" : before, limit};
  if (!organization.empty()) args.push_back(organization);
  ASSIGN_OR_RETURN(const sql::Rows rows,
                   tx.Run(organization.empty() ? kList : kListOf, std::move(args)));
  std::vector<ReorganizationRow> found;
  for (size_t i = 0; i < rows.size(); ++i) {
    ASSIGN_OR_RETURN(ReorganizationRow row, ToRow(rows[i]));
    found.push_back(std::move(row));
  }
  return found;
}

absl::Status WriteEffects(sql::Tx& tx, const std::string& federation, const std::string& id,
                          absl::Span<const EffectRow> effects) {
  RETURN_IF_ERROR(tx.Run(kForgetEffects, {federation, id}).status());
  std::vector<sql::Args> rows;
  for (const EffectRow& effect : effects) {
    rows.push_back({federation, id, static_cast<int64_t>(rows.size()) + 1, effect.subject,
                    effect.id, effect.seen, sql::Bytes{effect.part.SerializeAsString()},
                    effect.undo});
  }
  return tx.RunMany(kInsertEffect, rows).status();
}

absl::StatusOr<std::vector<EffectRow>> ReadEffects(sql::Tx& tx, const std::string& federation,
                                                   const std::string& id, int64_t skip,
                                                   int64_t limit) {
  std::vector<EffectRow> effects;
  RETURN_IF_ERROR(tx.Stream(
      kEffects, {federation, id, skip, limit}, [&](const sql::Rows::Row& in) -> absl::Status {
        EffectRow& effect = effects.emplace_back();
        effect.subject = in.Get<std::string>(0);
        effect.id = in.Get<std::string>(1);
        effect.seen = in.Get<int64_t>(2);
        effect.undo = in.Get<std::string>(4);
        if (effect.part.ParseFromString(in.Get<sql::Bytes>(3).data)) return absl::OkStatus();
        return Internal(StrCat("a stored effect of the reorganisation ", id, " cannot be read"));
      }));
  return effects;
}

absl::Status InsertSuccessors(sql::Tx& tx, const std::string& federation, const std::string& id,
                              absl::Span<const Successor> successors, int64_t recorded_us) {
  std::vector<sql::Args> rows;
  for (const Successor& successor : successors) {
    rows.push_back({federation, successor.organization, id, static_cast<int64_t>(rows.size()),
                    successor.successor, successor.on_date, recorded_us, tree::kNow});
  }
  return tx.RunMany(kInsertSuccessor, rows).status();
}

absl::Status EndSuccessors(sql::Tx& tx, const std::string& federation, const std::string& id,
                           int64_t recorded_us) {
  return tx.Run(kEndSuccessors, {federation, id, recorded_us}).status();
}

absl::StatusOr<std::vector<Successor>> ReadSuccessors(sql::Tx& tx, const std::string& federation,
                                                      absl::Span<const std::string> organizations,
                                                      const std::string& valid_at,
                                                      int64_t known_at_us) {
  std::vector<sql::Args> keys;
  for (const std::string& organization : organizations) {
    keys.push_back({federation, organization, valid_at, std::min(known_at_us, tree::kNow - 1)});
  }
  std::vector<Successor> successors;
  RETURN_IF_ERROR(tx.ReadMany(kSuccessors, keys, [&](const sql::Rows::Row& in) {
    successors.push_back({in.Get<std::string>(0), in.Get<std::string>(1), in.Get<std::string>(2)});
  }));
  return successors;
}

}  // namespace gonghui::membership
