// Editions: the figures of a period as they were when it was closed.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/rpc/call.h"
#include "common/rpc/jobs.h"
#include "common/sql/sql.h"
#include "common/tree/tree_cache.h"
#include "gonghui/reports/v1/edition.pb.h"
#include "services/reports/figures.h"
#include "services/reports/measures.h"

namespace gonghui::reports {

// Thread-safe.
class Editions {
 public:
  struct Options {
    sql::Database* db = nullptr;
    const Clock* clock = nullptr;
    const Measures* measures = nullptr;
    tree::TreeCache* tree = nullptr;
    FreshnessOf freshness;
    rpc::Jobs* jobs = nullptr;
  };
  explicit Editions(Options options) : options_(std::move(options)) {}

  // Starts the job Close. Errors: NOT_FOUND at `organization`, PERIOD_INVALID and PERIOD_NOT_OVER
  // at `period`, FIELD_REQUIRED or FIELD_INVALID at `tree_date`.
  absl::StatusOr<common::v1::Job> Begin(rpc::Call& call, const v1::ClosePeriodRequest& request);
  // Waits a while for what the sources have committed, then freezes one snapshot of the figures.
  absl::StatusOr<v1::Edition> Close(rpc::JobRun& run, const v1::ClosePeriodRequest& request);

  absl::StatusOr<v1::Edition> Get(rpc::Call& call, const v1::GetEditionRequest& request);
  absl::StatusOr<v1::ListEditionsResponse> List(rpc::Call& call,
                                                const v1::ListEditionsRequest& request);
  absl::StatusOr<v1::ReadEditionResponse> Read(rpc::Call& call,
                                               const v1::ReadEditionRequest& request);
  absl::StatusOr<v1::ListEditionChangesResponse> ListChanges(
      rpc::Call& call, const v1::ListEditionChangesRequest& request);
  absl::StatusOr<v1::Edition> Publish(rpc::Call& call, const v1::PublishEditionRequest& request);

 private:
  absl::StatusOr<FigureScope> ScopeOf(const rpc::Call& call,
                                      const v1::ClosePeriodRequest& request) const;
  void AwaitSources(const std::string& federation) const;

  const Options options_;
};

}  // namespace gonghui::reports
