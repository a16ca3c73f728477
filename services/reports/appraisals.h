// Appraisals: what people say of units, and the result with ranks and grades.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "gonghui/reports/v1/appraisal.pb.h"
#include "services/reports/appraisal_scores.h"
#include "services/reports/target_progress.h"
#include "services/reports/target_rows.h"

namespace gonghui::reports {

// Thread-safe.
class Appraisals {
 public:
  explicit Appraisals(TargetOptions options) : options_(options) {}

  absl::StatusOr<v1::ListAppraisalSchemesResponse> ListSchemes(
      rpc::Call& call, const v1::ListAppraisalSchemesRequest& request);
  // NOT_FOUND for an unknown scheme, unit or item, FIELD_INVALID for a score above the item's
  // points or a kind that the item does not take, FIELD_REQUIRED for a veto without evidence,
  // STATE_FORBIDS once the result is frozen.
  absl::StatusOr<v1::Assessment> Record(rpc::Call& call,
                                        const v1::RecordAssessmentRequest& request);
  absl::StatusOr<v1::ListAssessmentsResponse> List(rpc::Call& call,
                                                   const v1::ListAssessmentsRequest& request);
  // NOT_FOUND, PERIOD_INVALID for a period of another length than the scheme's, PERIOD_NOT_OVER
  // where it has not begun.
  absl::StatusOr<v1::Appraisal> Get(rpc::Call& call, const v1::GetAppraisalRequest& request);
  // PERIOD_NOT_OVER, ALREADY_EXISTS.
  absl::StatusOr<v1::Appraisal> Freeze(rpc::Call& call, const v1::FreezeAppraisalRequest& request);

 private:
  // Which appraisal.
  struct Key {
    std::string organization;
    const Scheme* scheme = nullptr;
    Period period;

    std::string Name(std::string_view tenant) const;
    sql::Args Columns(const std::string& tenant) const;  // tenant, organization, scheme, period.
  };
  // Errors name the fields that hold scheme and period.
  absl::StatusOr<Key> Resolve(const std::string& organization, std::string_view scheme,
                              std::string_view period, const std::string& scheme_field,
                              const std::string& period_field) const;
  absl::StatusOr<Key> ResolveName(rpc::Call& call, const std::string& name) const;
  // The result as of now.
  absl::StatusOr<v1::Appraisal> Compute(sql::Tx& tx, const rpc::Call& call, const Key& key) const;
  // What the unit's items are scored by: figures and targets.
  absl::StatusOr<std::vector<ItemInput>> ValuesOf(FigureReader& reader, sql::Tx& tx,
                                                  const std::string& tenant, const Key& key,
                                                  const std::string& unit,
                                                  const PeriodDay& when) const;
  absl::Status CheckAssessment(const SchemeItem& item, v1::Assessment& assessment) const;

  const TargetOptions options_;
};

}  // namespace gonghui::reports
