#include "services/reports/return_service.h"

#include <utility>

#include "common/base/status.h"

namespace gonghui::reports {

absl::StatusOr<std::unique_ptr<ReturnService>> ReturnService::Open(
    const Host& host, const std::vector<EmbeddedFile>& catalog, const Measures& measures,
    Rollups& rollups) {
  ASSIGN_OR_RETURN(Forms forms, Forms::Load(catalog, measures));
  return std::unique_ptr<ReturnService>(new ReturnService(host, std::move(forms), rollups));
}

ReturnService::ReturnService(const Host& host, Forms forms, Rollups& rollups)
    : forms_(std::move(forms)),
      returns_({.db = host.db, .forms = &forms_, .tree = host.tree, .rollups = &rollups}),
      review_({.db = host.db, .forms = &forms_, .tree = host.tree, .rollups = &rollups}),
      files_({.db = host.db, .forms = &forms_, .tree = host.tree, .rollups = &rollups}),
      completeness_({.db = host.db, .forms = &forms_, .tree = host.tree, .rollups = &rollups}),
      coverages_({.db = host.db, .forms = &forms_, .tree = host.tree, .rollups = &rollups}),
      service_("gonghui.reports.v1.ReturnService", *host.pipeline) {
  service_.Handle<v1::ListFormsRequest, v1::ListFormsResponse>(
      "ListForms", [this](rpc::Call& call, const v1::ListFormsRequest& request) {
        return forms_.ListForms(call, request);
      });
  service_.Handle<v1::GetFormRequest, v1::Form>(
      "GetForm", [this](rpc::Call& call, const v1::GetFormRequest& request) {
        return forms_.GetForm(call, request);
      });
  service_.Handle("GetReturn", &returns_, &Returns::Get);
  service_.Handle("ListReturns", &returns_, &Returns::List);
  service_.Handle("UpdateReturn", &returns_, &Returns::Update);
  service_.Handle("ValidateReturn", &returns_, &Returns::Validate);
  service_.Handle("SubmitReturn", &returns_, &Returns::Submit);
  service_.Handle("ListReturnChanges", &returns_, &Returns::ListChanges);
  service_.Handle("ReviewReturn", &review_, &ReturnReview::Review);
  service_.Handle("LockReturn", &review_, &ReturnReview::Lock);
  service_.Handle("ReopenReturn", &review_, &ReturnReview::Reopen);
  service_.Handle("ImportReturn", &files_, &ReturnFiles::Import);
  service_.Handle("ExportForm", &files_, &ReturnFiles::Export);
  service_.Handle("GetCompleteness", &completeness_, &Completeness::Get);
  service_.Handle("ListReminders", &completeness_, &Completeness::ListReminders);
  service_.Handle("DeclareCoverage", &coverages_, &Coverages::Declare);
  service_.Handle("WithdrawCoverage", &coverages_, &Coverages::Withdraw);
  service_.Handle("ListCoverages", &coverages_, &Coverages::List);
}

}  // namespace gonghui::reports
