#include "services/reports/target_rows.h"

#include <utility>

#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/update.h"
#include "services/reports/evaluation.h"
#include "services/reports/target_values.h"

namespace gonghui::reports {
namespace {

constexpr sql::Query kTakeTurn{"reports.take_target_turn",
                               "INSERT INTO target_turns (tenant, turn) VALUES ($1, 1) "
                               "ON CONFLICT (tenant) DO UPDATE SET turn = target_turns.turn + 1"};
constexpr sql::Query kGetLast{
    "reports.get_last_target_version",
    "SELECT target_id, deleted, target FROM target_changes WHERE tenant=$1 AND target_id=$2 "
    "ORDER BY version DESC LIMIT 1"};
constexpr sql::Query kListVersions{
    "reports.list_target_versions",
    "SELECT deleted, target FROM target_changes WHERE tenant=$1 AND target_id=$2 "
    "ORDER BY version DESC"};
constexpr sql::Query kGet{"reports.get_target",
                          "SELECT target FROM targets WHERE tenant=$1 AND target_id=$2"};
constexpr sql::Query kListParts{
    "reports.list_target_parts",
    "SELECT split_from, target FROM targets WHERE tenant=$1 AND split_from=$2 "
    "ORDER BY organization"};
constexpr sql::Query kListOfYear{
    "reports.list_targets_of_year",
    "SELECT target FROM targets WHERE tenant=$1 AND organization=$2 AND year=$3 "
    "ORDER BY period, measure, dims"};
constexpr sql::Query kPut{
    "reports.put_target",
    "INSERT INTO targets (tenant, target_id, organization, year, period, measure, dims, "
    "split_from, "
    "target) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (tenant, target_id) DO UPDATE "
    "SET split_from=excluded.split_from, target=excluded.target"};
constexpr sql::Query kRemove{"reports.remove_target",
                             "DELETE FROM targets WHERE tenant=$1 AND target_id=$2"};
constexpr sql::Query kAddChange{
    "reports.add_target_change",
    "INSERT INTO target_changes (tenant, target_id, version, deleted, target) "
    "VALUES ($1, $2, $3, $4, $5)"};
constexpr sql::Query kNewestLetter{
    "reports.get_newest_letter_state",
    "SELECT organization, year, state FROM letters WHERE tenant=$1 AND organization=$2 "
    "AND year=$3 ORDER BY version DESC LIMIT 1"};

sql::Bytes Stored(v1::Target target) {
  target.clear_name();
  target.clear_etag();
  return {target.SerializeAsString()};
}

std::string IdOf(const std::string& name) { return std::string(LeafOf(name)); }

absl::Status Mismatch(const v1::Measure& measure, const v1::Target& whole, int64_t sum) {
  const std::string parts = TrimmedDecimal(sum, ValueScale(measure));
  return FailedPrecondition(
             common::v1::REASON_TARGET_MISMATCH,
             StrCat("the target of ", whole.organization(), " for '", whole.measure(), "' in ",
                    whole.period(), " is ", whole.text(), ", its parts sum to ", parts,
                    ": make both sums equal in one request"),
             StrCat(whole.organization(), " 的“", whole.label().zh(), "”", whole.period(),
                    " 目标为 ", whole.text(), "，分解之和为 ", parts, "，请在一次提交中使两者相等"))
      .With("target", whole.text())
      .With("parts", parts)
      .With("organization", whole.organization());
}

}  // namespace

std::string TargetId(const v1::Target& target) {
  return ContentId(StrCat(target.organization(), "\n", target.measure(), "\n", target.dimensions(),
                          "\n", target.period()));
}

std::string TargetName(std::string_view tenant, std::string_view id) {
  return StrCat("federations/", tenant, "/targets/", id);
}

std::string SuperiorOf(const tree::OrganizationTree& tree, const std::string& organization,
                       const std::string& day) {
  const std::vector<std::string> path = tree.Path(organization, day);
  return path.size() < 2 ? organization : path[1];
}

absl::Status TakeTargetTurn(sql::Tx& tx, const std::string& tenant) {
  return tx.Run(kTakeTurn, {tenant}).status();
}

v1::Target ReadTarget(std::string_view tenant, const sql::Bytes& bytes) {
  v1::Target target;
  target.ParseFromString(bytes.data);
  target.set_name(TargetName(tenant, TargetId(target)));
  target.set_etag(rpc::MakeEtag(target.version()));
  return target;
}

absl::StatusOr<TargetVersions> ReadLast(sql::Tx& tx, const std::string& tenant,
                                        const std::set<std::string>& ids) {
  std::vector<sql::Args> keys;
  for (const std::string& id : ids) keys.push_back({tenant, id});
  TargetVersions last;
  RETURN_IF_ERROR(tx.ReadMany(kGetLast, keys, [&](const sql::Rows::Row& row) {
    TargetVersion& version = last[row.Get<std::string>(0)];
    version.deleted = row.Get<bool>(1);
    version.target = ReadTarget(tenant, row.Get<sql::Bytes>(2));
  }));
  return last;
}

absl::StatusOr<v1::Target> LoadTarget(sql::Tx& tx, const std::string& tenant,
                                      const std::string& name) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kGet, {tenant, IdOf(name)}));
  if (!rows.empty()) return ReadTarget(tenant, rows[0].Get<sql::Bytes>(0));
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no target '", name, "': ListTargets shows those in force"),
                  StrCat("没有目标“", name, "”：请用 ListTargets 查看"))
      .At("name");
}

absl::StatusOr<std::optional<v1::Target>> TargetAt(sql::Tx& tx, const std::string& tenant,
                                                   const std::string& id, int64_t at_us) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kListVersions, {tenant, id}));
  for (size_t i = 0; i < rows.size(); ++i) {
    v1::Target target = ReadTarget(tenant, rows[i].Get<sql::Bytes>(1));
    if (target.update_time_us() > at_us) continue;
    return rows[i].Get<bool>(0) ? std::nullopt : std::optional(std::move(target));
  }
  return std::optional<v1::Target>();
}

absl::StatusOr<std::vector<v1::Target>> PartsOf(sql::Tx& tx, const std::string& tenant,
                                                const std::string& whole_id) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kListParts, {tenant, whole_id}));
  std::vector<v1::Target> parts;
  for (size_t i = 0; i < rows.size(); ++i) {
    parts.push_back(ReadTarget(tenant, rows[i].Get<sql::Bytes>(1)));
  }
  return parts;
}

absl::StatusOr<std::vector<v1::Target>> TargetsOfYear(sql::Tx& tx, const std::string& tenant,
                                                      const std::string& organization,
                                                      const std::string& year) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kListOfYear, {tenant, organization, year}));
  std::vector<v1::Target> targets;
  for (size_t i = 0; i < rows.size(); ++i) {
    targets.push_back(ReadTarget(tenant, rows[i].Get<sql::Bytes>(0)));
  }
  return targets;
}

absl::StatusOr<std::set<LetterKey>> SignedAmong(sql::Tx& tx, const std::string& tenant,
                                                const std::set<LetterKey>& keys) {
  std::vector<sql::Args> args;
  for (const auto& [organization, year] : keys) args.push_back({tenant, organization, year});
  std::set<LetterKey> with_signature;
  RETURN_IF_ERROR(tx.ReadMany(kNewestLetter, args, [&](const sql::Rows::Row& row) {
    if (row.Get<int64_t>(2) == v1::LETTER_STATE_SIGNED) {
      with_signature.emplace(row.Get<std::string>(0), row.Get<std::string>(1));
    }
  }));
  return with_signature;
}

absl::Status LetterIsSigned(const LetterKey& key) {
  const auto& [organization, year] = key;
  return FailedPrecondition(
             common::v1::REASON_STATE_FORBIDS,
             StrCat("the letter of ", organization, " for ", year,
                    " is signed: amend it, then change its targets, issue and sign it again"),
             StrCat(organization, " ", year,
                    " 年责任书已签订：请先修订责任书，再调整目标、重新下达并签订"))
      .With("organization", organization)
      .With("year", year);
}

const v1::Target& TargetChanges::Put(v1::Target target) {
  const std::string id = TargetId(target);
  const auto before = last_.find(id);
  target.set_version(before == last_.end() ? 1 : before->second.target.version() + 1);
  target.set_caller(call_.actor.subject);
  target.set_update_time_us(call_.clock->NowMicros());
  target.set_name(TargetName(call_.federation, id));
  target.set_etag(rpc::MakeEtag(target.version()));
  TargetVersion& changed = changed_[id];
  changed.target = std::move(target);
  changed.deleted = false;
  return changed.target;
}

void TargetChanges::Remove(const v1::Target& target) {
  Put(target);
  changed_[TargetId(target)].deleted = true;
}

std::set<std::string> TargetChanges::WholesOf(const v1::Target& target) const {
  const std::string id = TargetId(target);
  std::set<std::string> wholes = {id};
  if (!target.split_from().empty()) wholes.insert(IdOf(target.split_from()));
  if (const auto before = last_.find(id); before != last_.end() && !before->second.deleted &&
                                          !before->second.target.split_from().empty()) {
    wholes.insert(IdOf(before->second.target.split_from()));
  }
  return wholes;
}

absl::StatusOr<std::map<std::string, absl::Status>> TargetChanges::Mismatches(
    sql::Tx& tx, const Measures& measures) const {
  const std::string& tenant = call_.federation;
  std::set<std::string> ids;
  for (const auto& [id, changed] : changed_) ids.merge(WholesOf(changed.target));
  ASSIGN_OR_RETURN(TargetVersions wholes, ReadLast(tx, tenant, ids));
  std::vector<sql::Args> keys;
  for (const std::string& id : ids) keys.push_back({tenant, id});
  std::map<std::string, std::map<std::string, int64_t>> parts;  // Whole, part, value.
  RETURN_IF_ERROR(tx.ReadMany(kListParts, keys, [&](const sql::Rows::Row& row) {
    const v1::Target part = ReadTarget(tenant, row.Get<sql::Bytes>(1));
    parts[row.Get<std::string>(0)][TargetId(part)] = part.value();
  }));
  for (const auto& [id, changed] : changed_) {
    if (ids.contains(id)) wholes[id] = changed;
    for (auto& [whole, values] : parts) values.erase(id);
  }
  for (const auto& [id, changed] : changed_) {
    if (changed.deleted || changed.target.split_from().empty()) continue;
    parts[IdOf(changed.target.split_from())][id] = changed.target.value();
  }
  std::map<std::string, absl::Status> mismatches;
  for (const auto& [whole_id, values] : parts) {
    const auto whole = wholes.find(whole_id);
    if (values.empty() || whole == wholes.end()) continue;
    const v1::Measure* measure = measures.Find(whole->second.target.measure());
    if (measure == nullptr || !IsAdditive(measure->kind())) continue;
    int64_t sum = 0;
    for (const auto& [id, value] : values) sum += value;
    if (sum == whole->second.target.value()) continue;
    mismatches[whole_id] = Mismatch(*measure, whole->second.target, sum);
  }
  return mismatches;
}

absl::Status TargetChanges::Save(sql::Tx& tx) const {
  const std::string& tenant = call_.federation;
  std::vector<sql::Args> put;
  std::vector<sql::Args> removed;
  std::vector<sql::Args> history;
  for (const auto& [id, changed] : changed_) {
    const v1::Target& target = changed.target;
    const sql::Bytes bytes = Stored(target);
    history.push_back({tenant, id, target.version(), changed.deleted, bytes});
    if (changed.deleted) {
      removed.push_back({tenant, id});
    } else {
      put.push_back({tenant, id, target.organization(), YearOf(target.period()), target.period(),
                     target.measure(), target.dimensions(), IdOf(target.split_from()), bytes});
    }
  }
  RETURN_IF_ERROR(tx.RunMany(kPut, put).status());
  RETURN_IF_ERROR(tx.RunMany(kRemove, removed).status());
  return tx.RunMany(kAddChange, history).status();
}

}  // namespace gonghui::reports
