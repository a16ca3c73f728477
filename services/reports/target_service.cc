#include "services/reports/target_service.h"

#include <utility>

#include "common/base/status.h"

namespace gonghui::reports {
namespace {

TargetOptions With(TargetOptions options, const AppraisalSchemes& schemes) {
  options.schemes = &schemes;
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TargetService>> TargetService::Open(
    const Host& host, const std::vector<EmbeddedFile>& catalog, const TargetOptions& options) {
  ASSIGN_OR_RETURN(AppraisalSchemes schemes, AppraisalSchemes::Load(catalog, *options.measures));
  return std::unique_ptr<TargetService>(new TargetService(host, std::move(schemes), options));
}

TargetService::TargetService(const Host& host, AppraisalSchemes schemes,
                             const TargetOptions& options)
    : schemes_(std::move(schemes)),
      options_(With(options, schemes_)),
      targets_(options_),
      splits_(options_),
      letters_(options_),
      progress_(options_),
      appraisals_(options_),
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
