// Plan items of work summaries: records of the activities service, read with the caller's rights.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/date.h"
#include "common/rpc/call.h"
#include "common/rpc/client.h"
#include "gonghui/common/v1/record.pb.h"
#include "services/reports/summary_composer.h"

namespace gonghui::reports {

class SummaryItems {
 public:
  explicit SummaryItems(const rpc::Client* activities) : activities_(activities) {}

  // The organisation's own items of a type that are not withdrawn or dropped, oldest first.
  absl::StatusOr<std::vector<SummaryItem>> List(const rpc::Call& call,
                                                const std::string& organization,
                                                const v1::PlanItems& wanted,
                                                const Period& period) const;
  // The text of one item.
  absl::StatusOr<std::string> TextOf(const rpc::Call& call, const std::string& record) const;

 private:
  const rpc::Client* activities_;
};

// The first and the last day of the period of the same length just after.
struct DaySpan {
  std::string first;
  std::string last;
};
DaySpan DaysAfter(const Period& period);

}  // namespace gonghui::reports
