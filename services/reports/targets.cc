#include "services/reports/targets.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "common/rpc/update.h"
#include "common/rpc/validate.h"
#include "services/reports/evaluation.h"
#include "services/reports/target_values.h"

namespace gonghui::reports {
namespace {

constexpr sql::Query kList{
    "reports.list_targets",
    "SELECT organization, period, measure, dims, target FROM targets WHERE tenant=$1 "
    "AND (organization, period, measure, dims) > ($2, $3, $4, $5) "
    "AND ($6='' OR organization=$6) AND ($7='' OR period=$7) AND ($8='' OR measure=$8) "
    "ORDER BY organization, period, measure, dims LIMIT $9"};
constexpr sql::Query kListChanges{
    "reports.list_target_changes",
    "SELECT version, deleted, target FROM target_changes WHERE tenant=$1 AND target_id=$2 "
    "AND version<$3 ORDER BY version DESC LIMIT $4"};

constexpr int kWeightMost = 100000;  // 1000 points.

// Rolls a transaction back whose answer is given all the same.
absl::Status NothingWritten() { return absl::CancelledError("nothing written"); }

absl::Status NotStanding(const std::string& organization, const Period& period) {
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no organisation '", organization, "' on ", period.last_day,
                         ": GetTree shows those of that day"),
                  StrCat(period.last_day, " 没有组织“", organization, "”：请查看当日组织树"))
      .With("organization", organization)
      .At("organization");
}

absl::Status NotAGiver(const std::string& giver, const std::string& organization) {
  return InvalidArgument(
             common::v1::REASON_FIELD_INVALID,
             StrCat("'", giver, "' is neither ", organization,
                    " nor above it: name one that may give it targets, or leave the field empty"),
             StrCat("“", giver, "”不是 ", organization, " 本身或其上级，请改正或留空"))
      .At("given_by");
}

// The dimensions as they stand in a figure's name.
absl::StatusOr<std::string> CanonicalDimensions(const Measures& measures,
                                                const v1::Measure& measure, const Period& period,
                                                std::string_view text) {
  ASSIGN_OR_RETURN(const DimensionFilter filter, ParseFilter(measures, measure, period, text));
  if (!filter.split.empty() || !filter.months.empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           "a target is about one figure of its whole period: name values, no "
                           "'*' and no month",
                           "一个目标对应整个期间的一个指标值：请写具体值，不用“*”和 month")
        .At("dimensions");
  }
  return FormatDimensions(filter.shown);
}

// Judged one by one, told all together.
class Faults {
 public:
  void Add(size_t item, const absl::Status& status) { faults_.emplace(item, status); }
  bool Has(size_t item) const { return faults_.contains(item); }
  bool empty() const { return faults_.empty(); }
  v1::SetTargetsResponse Answer() const {
    v1::SetTargetsResponse answer;
    for (const auto& [item, status] : faults_) {
      *answer.add_failures() = ToItemFailure(static_cast<int>(item), status);
    }
    return answer;
  }

 private:
  std::map<size_t, absl::Status> faults_;
};

absl::Status Twice() {
  return InvalidArgument(common::v1::REASON_DUPLICATE_IN_REQUEST,
                         "organisation, measure, dimensions and period stand twice: send one",
                         "同一组织、指标、维度和期间重复，请只写一次");
}

absl::Status IsSplit(std::string_view what, std::string_view what_zh, const std::string& whole) {
  return FailedPrecondition(
             common::v1::REASON_STATE_FORBIDS,
             StrCat("the target is ", what,
                    ": take the split back with SplitTarget and no parts, then delete it"),
             StrCat("该目标", what_zh, "：请先用不含分解项的 SplitTarget 撤回分解，再删除"))
      .With("target", whole);
}

}  // namespace

absl::StatusOr<v1::Target> Targets::Prepare(const rpc::Call& call, const v1::Target& item) const {
  RETURN_IF_ERROR(rpc::Validate(item));
  v1::Target target;
  target.set_organization(item.organization());
  target.set_measure(item.measure());
  const v1::Measure* measure = options_.measures->Find(item.measure());
  if (measure == nullptr) return MeasureUnknown(item.measure(), "measure");
  ASSIGN_OR_RETURN(const Period period,
                   options_.measures->periods().Parse(item.period(), "period"));
  target.set_period(period.text);
  ASSIGN_OR_RETURN(*target.mutable_dimensions(),
                   CanonicalDimensions(*options_.measures, *measure, period, item.dimensions()));
  const int scale = ValueScale(*measure);
  ASSIGN_OR_RETURN(const int64_t value, ReadDecimal(item.text(), scale, "text"));
  target.set_value(value);
  target.set_text(TrimmedDecimal(value, scale));
  target.set_unit(measure->unit());
  *target.mutable_label() = measure->label();
  target.set_direction(item.direction() == v1::TARGET_DIRECTION_UNSPECIFIED
                           ? v1::TARGET_DIRECTION_AT_LEAST
                           : item.direction());
  if (item.weight_hundredths() < 0 || item.weight_hundredths() > kWeightMost) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID, "a weight lies within 0-1000 points",
                           "权重应为 0-1000 分")
        .At("weight_hundredths");
  }
  target.set_weight_hundredths(item.weight_hundredths());
  target.set_remark(item.remark());
  ASSIGN_OR_RETURN(const auto tree, options_.tree->Get(call.federation, item.organization()));
  if (tree->Find(item.organization(), period.last_day) == nullptr) {
    return NotStanding(item.organization(), period);
  }
  const std::string giver = item.given_by().empty()
                                ? SuperiorOf(*tree, item.organization(), period.last_day)
                                : item.given_by();
  if (!tree->IsAtOrBelow(item.organization(), giver, period.last_day)) {
    return NotAGiver(giver, item.organization());
  }
  RETURN_IF_ERROR(call.CheckScope(giver));
  target.set_given_by(giver);
  return target;
}

absl::StatusOr<v1::SetTargetsResponse> Targets::Judge(sql::Tx& tx, const rpc::Call& call,
                                                      const v1::SetTargetsRequest& request,
                                                      bool write) const {
  Faults faults;
  std::vector<v1::Target> targets;
  std::map<std::string, size_t> items;  // By id.
  std::set<std::string> ids;
  std::set<LetterKey> letters;
  for (size_t i = 0; i < static_cast<size_t>(request.targets_size()); ++i) {
    auto target = Prepare(call, request.targets(static_cast<int>(i)));
    targets.push_back(target.ok() ? *target : v1::Target());
    if (!target.ok()) {
      faults.Add(i, target.status());
    } else if (!items.emplace(TargetId(*target), i).second) {
      faults.Add(i, Twice());
    } else {
      ids.insert(TargetId(*target));
      letters.emplace(target->organization(), YearOf(target->period()));
    }
  }
  ASSIGN_OR_RETURN(const TargetVersions last, ReadLast(tx, call.federation, ids));
  ASSIGN_OR_RETURN(const std::set<LetterKey> fast, SignedAmong(tx, call.federation, letters));
  TargetChanges changes(call, last);
  for (const auto& [id, i] : items) {
    v1::Target& target = targets[i];
    const auto before = last.find(id);
    const bool stands = before != last.end() && !before->second.deleted;
    const std::string& etag = request.targets(static_cast<int>(i)).etag();
    const LetterKey letter(target.organization(), YearOf(target.period()));
    const absl::Status same = rpc::CheckEtag(etag, stands ? before->second.target.version() : 0);
    if (!same.ok()) faults.Add(i, same);
    if (fast.contains(letter)) faults.Add(i, LetterIsSigned(letter));
    if (stands) target.set_split_from(before->second.target.split_from());
    target = changes.Put(target);
  }
  ASSIGN_OR_RETURN(const auto mismatches, changes.Mismatches(tx, *options_.measures));
  for (const auto& [id, i] : items) {
    for (const std::string& whole : changes.WholesOf(targets[i])) {
      const auto found = mismatches.find(whole);
      if (found != mismatches.end() && !faults.Has(i)) faults.Add(i, found->second);
    }
  }
  if (!faults.empty()) return faults.Answer();
  if (write) RETURN_IF_ERROR(changes.Save(tx));
  v1::SetTargetsResponse answer;
  for (v1::Target& target : targets) *answer.add_targets() = std::move(target);
  return answer;
}

absl::StatusOr<v1::SetTargetsResponse> Targets::Set(rpc::Call& call,
                                                    const v1::SetTargetsRequest& request) {
  if (request.validate_only()) {
    v1::SetTargetsResponse answer;
    RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
      ASSIGN_OR_RETURN(answer, Judge(tx, call, request, false));
      return absl::OkStatus();
    }));
    return answer;
  }
  // Where nothing is written no answer is stored either: a repetition is judged afresh.
  std::optional<v1::SetTargetsResponse> unwritten;
  auto written = rpc::WriteOnce<v1::SetTargetsResponse>(
      *options_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::SetTargetsResponse> {
        unwritten.reset();
        RETURN_IF_ERROR(TakeTargetTurn(tx, call.federation));
        ASSIGN_OR_RETURN(v1::SetTargetsResponse answer, Judge(tx, call, request, true));
        if (answer.failures().empty()) return answer;
        unwritten = std::move(answer);
        return NothingWritten();
      });
  if (unwritten.has_value()) return *std::move(unwritten);
  return written;
}

absl::StatusOr<v1::Target> Targets::Get(rpc::Call& call, const v1::GetTargetRequest& request) {
  v1::Target target;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(target, LoadTarget(tx, call.federation, request.name()));
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(call.CheckScope(target.organization()));
  return target;
}

absl::StatusOr<v1::ListTargetsResponse> Targets::List(rpc::Call& call,
                                                      const v1::ListTargetsRequest& request) {
  ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 4));
  if (after.empty()) after.resize(4);
  ASSIGN_OR_RETURN(const auto tree, options_.tree->Get(call.federation, request.organization()));
  const std::string today = call.Today();
  v1::ListTargetsResponse response;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    std::vector<std::string> at = after;
    while (true) {
      ASSIGN_OR_RETURN(const sql::Rows rows,
                       tx.Run(kList, {call.federation, at[0], at[1], at[2], at[3],
                                      request.below() ? "" : request.organization(),
                                      request.period(), request.measure(), int64_t{size} + 1}));
      for (size_t i = 0; i < rows.size(); ++i) {
        const std::string organization = rows[i].Get<std::string>(0);
        if (request.below() && !tree->IsAtOrBelow(organization, request.organization(), today)) {
          at = {organization, rows[i].Get<std::string>(1), rows[i].Get<std::string>(2),
                rows[i].Get<std::string>(3)};
          continue;
        }
        if (response.targets_size() == size) {
          response.set_next_page_token(rpc::MakePageToken(request, at));
          return absl::OkStatus();
        }
        at = {organization, rows[i].Get<std::string>(1), rows[i].Get<std::string>(2),
              rows[i].Get<std::string>(3)};
        *response.add_targets() = ReadTarget(call.federation, rows[i].Get<sql::Bytes>(4));
      }
      if (rows.size() <= static_cast<size_t>(size)) return absl::OkStatus();
    }
  }));
  return response;
}

absl::StatusOr<v1::ListTargetChangesResponse> Targets::ListChanges(
    rpc::Call& call, const v1::ListTargetChangesRequest& request) {
  ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 1));
  int64_t before = INT64_MAX;
  if (!after.empty() && !ParseInteger(after[0], &before)) {
    return rpc::DamagedPageToken();
  }
  const std::string id(LeafOf(request.name()));
  v1::ListTargetChangesResponse response;
  std::string organization;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    ASSIGN_OR_RETURN(const TargetVersions last, ReadLast(tx, call.federation, {id}));
    if (last.empty()) return LoadTarget(tx, call.federation, request.name()).status();
    organization = last.begin()->second.target.organization();
    ASSIGN_OR_RETURN(const sql::Rows rows,
                     tx.Run(kListChanges, {call.federation, id, before, int64_t{size} + 1}));
    for (size_t i = 0; i < rows.size() && i < static_cast<size_t>(size); ++i) {
      v1::TargetChange& change = *response.add_changes();
      change.set_deleted(rows[i].Get<bool>(1));
      *change.mutable_target() = ReadTarget(call.federation, rows[i].Get<sql::Bytes>(2));
    }
    if (rows.size() > static_cast<size_t>(size)) {
      const int64_t shown = rows[static_cast<size_t>(size) - 1].Get<int64_t>(0);
      response.set_next_page_token(rpc::MakePageToken(request, {StrCat(shown)}));
    }
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(call.CheckScope(organization));
  return response;
}

absl::StatusOr<v1::Target> Targets::Delete(rpc::Call& call,
                                           const v1::DeleteTargetRequest& request) {
  return rpc::WriteOnce<v1::Target>(
      *options_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Target> {
        RETURN_IF_ERROR(TakeTargetTurn(tx, call.federation));
        ASSIGN_OR_RETURN(const v1::Target target, LoadTarget(tx, call.federation, request.name()));
        RETURN_IF_ERROR(call.CheckScope(target.given_by()));
        RETURN_IF_ERROR(rpc::CheckEtag(request.etag(), target.version()));
        const LetterKey letter(target.organization(), YearOf(target.period()));
        ASSIGN_OR_RETURN(const auto fast, SignedAmong(tx, call.federation, {letter}));
        if (!fast.empty()) return LetterIsSigned(letter);
        const std::string id = TargetId(target);
        if (!target.split_from().empty()) {
          return IsSplit("a part of another one", "是另一目标的分解项", target.split_from());
        }
        ASSIGN_OR_RETURN(const auto parts, PartsOf(tx, call.federation, id));
        if (!parts.empty()) return IsSplit("split", "已分解", target.name());
        ASSIGN_OR_RETURN(TargetVersions last, ReadLast(tx, call.federation, {id}));
        TargetChanges changes(call, std::move(last));
        changes.Remove(target);
        RETURN_IF_ERROR(changes.Save(tx));
        return target;
      });
}

}  // namespace gonghui::reports
