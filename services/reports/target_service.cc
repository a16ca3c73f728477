#include "services/reports/target_service.h"

#include <utility>

#include "common/base/status.h"

namespace gonghui::reports {
namespace {

TargetOptions OptionsOf(const Host& host, const Measures& measures, const AppraisalSchemes& schemes,
                        Rollups& rollups) {
  return {.db = host.db,
          .measures = &measures,
          .schemes = &schemes,
          .tree = host.tree,
          .rollups = &rollups};
}

}  // namespace

absl::StatusOr<std::unique_ptr<TargetService>> TargetService::Open(
    const Host& host, const std::vector<EmbeddedFile>& catalog, const Measures& measures,
    Rollups& rollups) {
  ASSIGN_OR_RETURN(AppraisalSchemes schemes, AppraisalSchemes::Load(catalog, measures));
  return std::unique_ptr<TargetService>(
      new TargetService(host, measures, std::move(schemes), rollups));
}

TargetService::TargetService(const Host& host, const Measures& measures, AppraisalSchemes schemes,
                             Rollups& rollups)
    : schemes_(std::move(schemes)),
      targets_(OptionsOf(host, measures, schemes_, rollups)),
      splits_(OptionsOf(host, measures, schemes_, rollups)),
      letters_(OptionsOf(host, measures, schemes_, rollups)),
      progress_(OptionsOf(host, measures, schemes_, rollups)),
      appraisals_(OptionsOf(host, measures, schemes_, rollups)),
      target_service_("gonghui.reports.v1.TargetService", *host.pipeline),
      appraisal_service_("gonghui.reports.v1.AppraisalService", *host.pipeline) {
  target_service_.Handle("SetTargets", &targets_, &Targets::Set);
  target_service_.Handle("GetTarget", &targets_, &Targets::Get);
  target_service_.Handle("ListTargets", &targets_, &Targets::List);
  target_service_.Handle("ListTargetChanges", &targets_, &Targets::ListChanges);
  target_service_.Handle("DeleteTarget", &targets_, &Targets::Delete);
  target_service_.Handle("ProposeSplit", &splits_, &TargetSplits::Propose);
  target_service_.Handle("SplitTarget", &splits_, &TargetSplits::Split);
  target_service_.Handle("IssueLetter", &letters_, &TargetLetters::Issue);
  target_service_.Handle("SignLetter", &letters_, &TargetLetters::Sign);
  target_service_.Handle("AmendLetter", &letters_, &TargetLetters::Amend);
  target_service_.Handle("GetLetter", &letters_, &TargetLetters::Get);
  target_service_.Handle("ListLetters", &letters_, &TargetLetters::List);
  target_service_.Handle("GetProgress", &progress_, &TargetsProgress::Get);
  appraisal_service_.Handle("ListAppraisalSchemes", &appraisals_, &Appraisals::ListSchemes);
  appraisal_service_.Handle("RecordAssessment", &appraisals_, &Appraisals::Record);
  appraisal_service_.Handle("ListAssessments", &appraisals_, &Appraisals::List);
  appraisal_service_.Handle("GetAppraisal", &appraisals_, &Appraisals::Get);
  appraisal_service_.Handle("FreezeAppraisal", &appraisals_, &Appraisals::Freeze);
}

}  // namespace gonghui::reports
