#include "services/reports/target_splits.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/update.h"
#include "services/reports/evaluation.h"
#include "services/reports/figure_reader.h"
#include "services/reports/target_values.h"

namespace gonghui::reports {
namespace {

constexpr size_t kFaultsTold = 50;

Error Forbidden(std::string en, std::string zh) {
  return FailedPrecondition(common::v1::REASON_STATE_FORBIDS, std::move(en), std::move(zh));
}

absl::Status NothingToShareBy() {
  return Forbidden("all figures to share by are zero: choose SPLIT_METHOD_EQUAL",
                   "作为分解依据的指标值均为零：请改用 SPLIT_METHOD_EQUAL（平均分解）")
      .At("method");
}

absl::Status SplitFurther(const v1::Target& part) {
  return Forbidden(StrCat("the part of ", part.organization(),
                          " is split further: take that split back first"),
                   StrCat(part.organization(), " 的分解项已继续向下分解：请先撤回其分解"))
      .With("target", part.name());
}

absl::Status NotBelow(const std::string& organization, const std::string& upper,
                      const std::string& day, std::string field) {
  return InvalidArgument(
             common::v1::REASON_FIELD_INVALID,
             StrCat("'", organization, "' does not lie directly below ", upper, " on ", day),
             StrCat(day, " “", organization, "”不是 ", upper, " 的直接下级"))
      .At(std::move(field));
}

// One error that tells all faults, each with its field: code, reason and field of the first.
absl::Status Together(const std::vector<absl::Status>& faults) {
  const absl::Status& first = faults.front();
  if (faults.size() == 1) return first;
  std::string en = StrCat(faults.size(), " faults: ");
  std::string zh = StrCat("共 ", faults.size(), " 处问题：");
  for (size_t i = 0; i < faults.size() && i < kFaultsTold; ++i) {
    const std::string field = FieldOf(faults[i]);
    StrAppend(&en, i == 0 ? "" : "; ", field, field.empty() ? "" : ": ",
              FromAbsl(faults[i].message()));
    StrAppend(&zh, i == 0 ? "" : "；", field, field.empty() ? "" : "：", MessageZhOf(faults[i]));
  }
  Error error(first.code(), ReasonOf(first), std::move(en), std::move(zh));
  return std::move(error).With("faults", StrCat(faults.size())).At(FieldOf(first));
}

}  // namespace

absl::StatusOr<TargetSplits::Whole> TargetSplits::Load(sql::Tx& tx, const rpc::Call& call,
                                                       const std::string& name) const {
  Whole whole;
  ASSIGN_OR_RETURN(whole.target, LoadTarget(tx, call.federation, name));
  RETURN_IF_ERROR(call.CheckScope(whole.target.organization()));
  whole.measure = options_.measures->Find(whole.target.measure());
  if (whole.measure == nullptr) return MeasureUnknown(whole.target.measure(), "name");
  ASSIGN_OR_RETURN(whole.period, options_.measures->periods().Parse(whole.target.period(), "name"));
  ASSIGN_OR_RETURN(const auto tree, options_.tree->Get(call.federation));
  whole.children = tree->Children(whole.target.organization(), whole.period.last_day);
  return whole;
}

absl::StatusOr<std::vector<v1::Figure>> TargetSplits::Bases(sql::Tx& tx, const rpc::Call& call,
                                                            const Whole& whole,
                                                            v1::SplitMethod method) const {
  FigureScope scope{call.federation, "", whole.period, {}};
  const v1::Measure* measure = whole.measure;
  DimensionFilter filter;
  if (method == v1::SPLIT_METHOD_LAST_YEAR) {
    const auto before = options_.measures->periods().YearBefore(whole.period);
    if (!before.has_value()) return NothingToShareBy();
    scope.period = *before;
    ASSIGN_OR_RETURN(
        filter, ParseFilter(*options_.measures, *measure, scope.period, whole.target.dimensions()));
  } else {
    measure = options_.measures->Find(options_.schemes->rules().members_measure());
    const std::string day = std::min(call.Today(), whole.period.last_day);
    ASSIGN_OR_RETURN(scope.period, options_.measures->periods().Parse(day.substr(0, 7), "method"));
  }
  FigureReader reader(tx, *options_.measures, call.federation, &call);
  std::vector<v1::Figure> bases;
  for (const std::string& child : whole.children) {
    scope.organization = child;
    ASSIGN_OR_RETURN(v1::Figure figure, reader.Read(scope, *measure, filter));
    if (figure.suppressed()) {
      return Forbidden(
                 StrCat("the figure of ", child, " to share by is hidden: choose another way"),
                 StrCat(child, " 的分解依据属于隐藏的小数，请改用其他方式"))
          .With("figure", figure.name())
          .At("method");
    }
    bases.push_back(std::move(figure));
  }
  return bases;
}

absl::StatusOr<v1::ProposeSplitResponse> TargetSplits::Propose(
    rpc::Call& call, const v1::ProposeSplitRequest& request) {
  v1::ProposeSplitResponse response;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    ASSIGN_OR_RETURN(const Whole whole, Load(tx, call, request.name()));
    if (whole.children.empty()) {
      return Forbidden(StrCat("nothing lies directly below ", whole.target.organization(), " on ",
                              whole.period.last_day, ": there is nobody to split among"),
                       StrCat(whole.period.last_day, " ", whole.target.organization(),
                              " 没有直接下级，无法分解"));
    }
    const bool ratio = whole.measure->kind() == v1::MEASURE_KIND_RATIO;
    std::vector<v1::Figure> bases;
    if (!ratio && request.method() != v1::SPLIT_METHOD_EQUAL) {
      ASSIGN_OR_RETURN(bases, Bases(tx, call, whole, request.method()));
    }
    std::vector<int64_t> values(whole.children.size(), whole.target.value());
    if (!ratio) {
      std::vector<int64_t> weights(whole.children.size(), 1);
      for (size_t i = 0; i < bases.size(); ++i) {
        weights[i] = std::max<int64_t>(bases[i].value(), 0);
      }
      if (std::all_of(weights.begin(), weights.end(), [](int64_t w) { return w == 0; })) {
        return NothingToShareBy();
      }
      values = ShareOut(whole.target.value(), weights);
    }
    for (size_t i = 0; i < values.size(); ++i) {
      v1::TargetPart& part = *response.add_parts();
      part.set_organization(whole.children[i]);
      part.set_text(TrimmedDecimal(values[i], ValueScale(*whole.measure)));
      part.set_weight_hundredths(whole.target.weight_hundredths());
      if (!bases.empty()) part.set_basis_text(bases[i].text());
    }
    response.set_additive(IsAdditive(whole.measure->kind()));
    return absl::OkStatus();
  }));
  return response;
}

std::vector<v1::Target> TargetSplits::Read(const Whole& whole,
                                           const v1::SplitTargetRequest& request,
                                           std::vector<absl::Status>& faults) const {
  std::set<std::string> seen;
  std::vector<v1::Target> parts;
  for (int i = 0; i < request.parts_size(); ++i) {
    const v1::TargetPart& part = request.parts(i);
    const std::string at = StrCat("parts[", i, "]");
    const size_t before = faults.size();
    if (!std::binary_search(whole.children.begin(), whole.children.end(), part.organization())) {
      faults.push_back(NotBelow(part.organization(), whole.target.organization(),
                                whole.period.last_day, at + ".organization"));
    } else if (!seen.insert(part.organization()).second) {
      faults.push_back(InvalidArgument(common::v1::REASON_DUPLICATE_IN_REQUEST,
                                       StrCat("the part of ", part.organization(), " stands twice"),
                                       StrCat(part.organization(), " 的分解项重复"))
                           .At(at + ".organization"));
    }
    const int scale = ValueScale(*whole.measure);
    const auto value = ReadDecimal(part.text(), scale, at + ".text");
    if (!value.ok()) faults.push_back(value.status());
    if (part.weight_hundredths() < 0) {
      faults.push_back(InvalidArgument(common::v1::REASON_FIELD_INVALID,
                                       "a weight is not below zero", "权重不能为负")
                           .At(at + ".weight_hundredths"));
    }
    if (faults.size() > before) continue;
    v1::Target& target = parts.emplace_back(whole.target);
    target.set_organization(part.organization());
    target.set_value(*value);
    target.set_text(TrimmedDecimal(*value, scale));
    target.set_given_by(whole.target.organization());
    if (part.weight_hundredths() > 0) target.set_weight_hundredths(part.weight_hundredths());
    target.set_split_from(whole.target.name());
  }
  std::sort(parts.begin(), parts.end(), [](const v1::Target& a, const v1::Target& b) {
    return a.organization() < b.organization();
  });
  return parts;
}

absl::StatusOr<v1::SplitTargetResponse> TargetSplits::Split(rpc::Call& call,
                                                            const v1::SplitTargetRequest& request) {
  return rpc::WriteOnce<v1::SplitTargetResponse>(
      *options_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::SplitTargetResponse> {
        RETURN_IF_ERROR(TakeTargetTurn(tx, call.federation));
        ASSIGN_OR_RETURN(const Whole whole, Load(tx, call, request.name()));
        RETURN_IF_ERROR(rpc::CheckEtag(request.etag(), whole.target.version()));
        std::vector<absl::Status> faults;
        const std::vector<v1::Target> parts = Read(whole, request, faults);
        ASSIGN_OR_RETURN(const std::vector<v1::Target> earlier,
                         PartsOf(tx, call.federation, TargetId(whole.target)));
        std::set<std::string> ids;
        std::set<LetterKey> letters;
        for (const auto* list : {&parts, &earlier}) {
          for (const v1::Target& part : *list) {
            ids.insert(TargetId(part));
            letters.emplace(part.organization(), YearOf(part.period()));
          }
        }
        ASSIGN_OR_RETURN(const auto fast, SignedAmong(tx, call.federation, letters));
        for (const LetterKey& letter : fast) faults.push_back(LetterIsSigned(letter));
        ASSIGN_OR_RETURN(TargetVersions last, ReadLast(tx, call.federation, ids));
        TargetChanges changes(call, std::move(last));
        v1::SplitTargetResponse response;
        std::set<std::string> kept;
        for (const v1::Target& part : parts) {
          *response.add_parts() = changes.Put(part);
          kept.insert(TargetId(part));
        }
        for (const v1::Target& part : earlier) {
          if (kept.contains(TargetId(part))) continue;
          ASSIGN_OR_RETURN(const auto below, PartsOf(tx, call.federation, TargetId(part)));
          if (!below.empty()) faults.push_back(SplitFurther(part));
          changes.Remove(part);
        }
        if (!faults.empty()) return Together(faults);
        ASSIGN_OR_RETURN(const auto mismatches, changes.Mismatches(tx, *options_.measures));
        if (!mismatches.empty()) return mismatches.begin()->second;
        RETURN_IF_ERROR(changes.Save(tx));
        return response;
      });
}

}  // namespace gonghui::reports
