// Everything behind gonghui.reports.v1.TargetService and gonghui.reports.v1.AppraisalService.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "common/host/host.h"
#include "common/rpc/service.h"
#include "services/reports/appraisal_schemes.h"
#include "services/reports/appraisals.h"
#include "services/reports/rollups.h"
#include "services/reports/target_letters.h"
#include "services/reports/target_progress.h"
#include "services/reports/target_splits.h"
#include "services/reports/targets.h"

namespace gonghui::reports {

class TargetService {
 public:
  // Loads the schemes; the error names file and entry. Measures and roll-ups outlive the service.
  static absl::StatusOr<std::unique_ptr<TargetService>> Open(
      const Host& host, const std::vector<EmbeddedFile>& catalog, const Measures& measures,
      Rollups& rollups);

  rpc::Service& targets() { return target_service_; }
  rpc::Service& appraisals() { return appraisal_service_; }

 private:
  TargetService(const Host& host, const Measures& measures, AppraisalSchemes schemes,
                Rollups& rollups);

  const AppraisalSchemes schemes_;
  Targets targets_;
  TargetSplits splits_;
  TargetLetters letters_;
  TargetsProgress progress_;
  Appraisals appraisals_;
  rpc::Service target_service_;
  rpc::Service appraisal_service_;
};

}  // namespace gonghui::reports
