#include "services/activities/service.h"

#include "common/records/record_service.h"
#include "services/activities/catalog.embedded.h"

namespace gonghui::activities {

absl::StatusOr<std::unique_ptr<Hosted>> OpenActivities(const Host& host) {
  return records::OpenRecordService(host, {.area = "activities",
                                           .service = "gonghui.activities.v1.ActivityService",
                                           .collection = "activities",
                                           .catalog = &embedded::services_activities_catalog()});
}

}  // namespace gonghui::activities
