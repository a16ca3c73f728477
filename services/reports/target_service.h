// Everything behind gonghui.reports.v1.TargetService and gonghui.reports.v1.AppraisalService.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "common/host/host.h"
#include "common/rpc/service.h"
#include "services/reports/appraisal_schemes.h"
#include "services/reports/appraisals.h"
#include "services/reports/target_letters.h"
#include "services/reports/target_progress.h"
#include "services/reports/target_splits.h"
#include "services/reports/targets.h"

namespace gonghui::reports {

class TargetService {
 public:
  // Loads the schemes, which `options` lacks; the error names file and entry. What the options
  // point to outlives the service.
  static absl::StatusOr<std::unique_ptr<TargetService>> Open(
      const Host& host, const std::vector<EmbeddedFile>& catalog, const TargetOptions& options);

  rpc::Service& targets() { return target_service_; }
  rpc::Service& appraisals() { return appraisal_service_; }

 private:
  TargetService(const Host& host, AppraisalSchemes schemes, const TargetOptions& options);

  const AppraisalSchemes schemes_;
  const TargetOptions options_;
  Targets targets_;
  TargetSplits splits_;
  TargetLetters letters_;
  TargetsProgress progress_;
  Appraisals appraisals_;
  rpc::Service target_service_;
  rpc::Service appraisal_service_;
};

}  // namespace gonghui::reports
