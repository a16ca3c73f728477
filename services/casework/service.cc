#include "services/casework/service.h"

#include "common/records/record_service.h"
#include "services/casework/catalog.embedded.h"

namespace gonghui::casework {

absl::StatusOr<std::unique_ptr<Hosted>> OpenCasework(const Host& host) {
  return records::OpenRecordService(host, {.area = "casework",
                                           .service = "gonghui.casework.v1.CaseService",
                                           .collection = "cases",
                                           .catalog = &embedded::services_casework_catalog()});
}

}  // namespace gonghui::casework
