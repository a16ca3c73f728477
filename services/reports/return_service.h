// Everything behind gonghui.reports.v1.ReturnService.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "common/host/host.h"
#include "common/rpc/service.h"
#include "services/reports/completeness.h"
#include "services/reports/coverages.h"
#include "services/reports/forms.h"
#include "services/reports/return_files.h"
#include "services/reports/return_review.h"
#include "services/reports/returns.h"
#include "services/reports/rollups.h"

namespace gonghui::reports {

class ReturnService {
 public:
  // Loads the forms; the error names file and entry. Measures and roll-ups outlive the service.
  static absl::StatusOr<std::unique_ptr<ReturnService>> Open(
      const Host& host, const std::vector<EmbeddedFile>& catalog, const Measures& measures,
      Rollups& rollups);

  rpc::Service& service() { return service_; }

 private:
  ReturnService(const Host& host, Forms forms, Rollups& rollups);

  const Forms forms_;
  Returns returns_;
  ReturnReview review_;
  ReturnFiles files_;
  Completeness completeness_;
  Coverages coverages_;
  rpc::Service service_;
};

}  // namespace gonghui::reports
