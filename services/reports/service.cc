#include "services/reports/service.h"

#include <string>
#include <utility>
#include <vector>

#include "common/base/log.h"
#include "common/base/status.h"
#include "common/feed/follower.h"
#include "common/feed/schema.embedded.h"
#include "common/rpc/schema.embedded.h"
#include "common/sql/migrate.h"
#include "services/reports/catalog.embedded.h"
#include "services/reports/editions.h"
#include "services/reports/explanations.h"
#include "services/reports/figures.h"
#include "services/reports/measures.h"
#include "services/reports/preview.h"
#include "services/reports/rebuilding.h"
#include "services/reports/return_service.h"
#include "services/reports/rollups.h"
#include "services/reports/schema.embedded.h"
#include "services/reports/target_service.h"
#include "services/reports/verification.h"
#include "services/reports/work_summaries.h"

namespace gonghui::reports {
namespace {

constexpr const char* kSources[] = {"membership", "funds", "activities", "casework"};

class Reports final : public Hosted {
 public:
  Reports(const Host& host, Measures measures, SummaryForms forms)
      : db_(*host.db),
        measures_(std::move(measures)),
        forms_(std::move(forms)),
        rollups_(&measures_, host.tree),
        figures_({.db = host.db,
                  .measures = &measures_,
                  .tree = host.tree,
                  .freshness = [this](const std::string& f) { return FreshnessFor(f); }}),
        explanations_({.db = host.db,
                       .measures = &measures_,
                       .tree = host.tree,
                       .freshness = [this](const std::string& f) { return FreshnessFor(f); }}),
        preview_({.db = host.db,
                  .measures = &measures_,
                  .tree = host.tree,
                  .membership = host.peer("membership")}),
        verification_({.db = host.db, .measures = &measures_, .tree = host.tree}),
        work_summaries_(
            {.db = host.db,
             .measures = &measures_,
             .forms = &forms_,
             .tree = host.tree,
             .activities = host.peer("activities"),
             .kinds = {{"gonghui.membership.v1.RegisterService", host.peer("membership")},
                       {"gonghui.funds.v1.BenefitService", host.peer("funds")},
                       {"gonghui.activities.v1.ActivityService", host.peer("activities")},
                       {"gonghui.casework.v1.CaseService", host.peer("casework")}}}),
        rebuilding_({.db = host.db, .measures = &measures_, .tree = host.tree}),
        jobs_({.db = host.db, .clock = host.clock}),
        editions_({.db = host.db,
                   .clock = host.clock,
                   .measures = &measures_,
                   .tree = host.tree,
                   .freshness = [this](const std::string& f) { return FreshnessFor(f); },
                   .jobs = &jobs_}),
        service_("gonghui.reports.v1.ReportService", *host.pipeline),
        job_service_("gonghui.reports.v1.JobService", *host.pipeline),
        edition_service_("gonghui.reports.v1.EditionService", *host.pipeline),
        summary_service_("gonghui.reports.v1.SummaryService", *host.pipeline) {
    for (const char* source : kSources) {
      feed::Follower::Options options;
      options.source = source;
      options.client = host.peer(source);
      options.db = host.db;
      followers_.push_back(std::make_unique<feed::Follower>(
          std::move(options),
          [this, source](sql::Tx& tx, const std::vector<feed::v1::Event>& events) {
            return rollups_.Apply(tx, source, events);
          }));
    }
    service_.Handle("ListMeasures", &figures_, &Figures::ListMeasures);
    service_.Handle("QueryFigures", &figures_, &Figures::Query);
    service_.Handle("GetFreshness", &figures_, &Figures::GetFreshness);
    service_.Handle("ExplainFigure", &explanations_, &Explanations::Explain);
    service_.Handle("PreviewReorganization", &preview_, &Preview::Get);
    summary_service_.Handle("ListSummaryTemplates", &work_summaries_,
                            &WorkSummaries::ListTemplates);
    summary_service_.Handle("GenerateSummary", &work_summaries_, &WorkSummaries::Generate);
    summary_service_.Handle("CheckSummary", &work_summaries_, &WorkSummaries::Check);
    jobs_.Serve(job_service_);
    jobs_.Register<v1::ClosePeriodRequest, v1::Edition>(
        "ClosePeriod", [this](rpc::JobRun& run, const v1::ClosePeriodRequest& request) {
          return editions_.Close(run, request);
        });
    edition_service_.Handle("ClosePeriod", &editions_, &Editions::Begin);
    edition_service_.Handle("GetEdition", &editions_, &Editions::Get);
    edition_service_.Handle("ListEditions", &editions_, &Editions::List);
    edition_service_.Handle("ReadEdition", &editions_, &Editions::Read);
    edition_service_.Handle("ListEditionChanges", &editions_, &Editions::ListChanges);
    edition_service_.Handle("PublishEdition", &editions_, &Editions::Publish);
    HandleJob("VerifyRollups", &verification_, &Verification::Verify);
    HandleJob("RebuildRollups", &rebuilding_, &Rebuilding::Rebuild);
  }

  // After construction: forms refer to the measures where they stay.
  absl::Status OpenReturns(const Host& host, const std::vector<EmbeddedFile>& files) {
    ASSIGN_OR_RETURN(return_service_, ReturnService::Open(host, files, measures_, rollups_));
    ASSIGN_OR_RETURN(target_service_, TargetService::Open(host, files,
                                                          {.db = host.db,
                                                           .measures = &measures_,
                                                           .words = &forms_.catalog(),
                                                           .tree = host.tree,
                                                           .rollups = &rollups_}));
    return absl::OkStatus();
  }

  std::vector<rpc::Service*> services() override {
    return {&service_,
            &job_service_,
            &edition_service_,
            &summary_service_,
            &return_service_->service(),
            &target_service_->targets(),
            &target_service_->appraisals()};
  }

  void Start() override {
    if (absl::Status status = rollups_.Refresh(db_); !status.ok()) {
      // The followers do it with their next page.
      log::Warning("cells_not_rebuilt", {{"reason", ReasonName(ReasonOf(status))}});
    }
    for (auto& follower : followers_) follower->Start();
    jobs_.StartWorkers();
  }

  void Stop() override {
    jobs_.Stop();
    for (auto& follower : followers_) follower->Stop();
  }

  absl::Status CatchUp() {
    bool moved = true;
    while (moved) {
      moved = false;
      for (auto& follower : followers_) {
        ASSIGN_OR_RETURN(const bool advanced, follower->PollOnce());
        moved = moved || advanced;
      }
    }
    return absl::OkStatus();
  }

 private:
  // A method that starts a job, and the work of that job.
  template <typename Request, typename Owner, typename Result>
  void HandleJob(std::string_view method, Owner* owner,
                 absl::StatusOr<Result> (Owner::*work)(rpc::JobRun&, const Request&)) {
    jobs_.Register<Request, Result>(method,
                                    [owner, work](rpc::JobRun& run, const Request& request) {
                                      return (owner->*work)(run, request);
                                    });
    service_.Handle<Request, common::v1::Job>(
        method, [this](rpc::Call& call, const Request& request) {
          return jobs_.Start(call, OrganizationOf(request), request);
        });
  }
  static std::string OrganizationOf(const v1::VerifyRollupsRequest& request) {
    return request.organization();
  }
  static std::string OrganizationOf(const v1::RebuildRollupsRequest&) { return ""; }

  std::vector<v1::Freshness> FreshnessFor(const std::string& federation) const {
    std::vector<v1::Freshness> sources;
    for (size_t i = 0; i < followers_.size(); ++i) {
      const feed::Follower::Position position = followers_[i]->PositionOf(federation);
      v1::Freshness& freshness = sources.emplace_back();
      freshness.set_source(kSources[i]);
      freshness.set_applied(position.applied);
      freshness.set_head(position.head);
      freshness.set_error(position.error);
    }
    return sources;
  }

  sql::Database& db_;
  const Measures measures_;
  const SummaryForms forms_;
  Rollups rollups_;
  std::vector<std::unique_ptr<feed::Follower>> followers_;
  Figures figures_;
  Explanations explanations_;
  Preview preview_;
  Verification verification_;
  WorkSummaries work_summaries_;
  Rebuilding rebuilding_;
  rpc::Jobs jobs_;
  Editions editions_;
  rpc::Service service_;
  rpc::Service job_service_;
  rpc::Service edition_service_;
  rpc::Service summary_service_;
  std::unique_ptr<ReturnService> return_service_;
  std::unique_ptr<TargetService> target_service_;
};

}  // namespace

std::vector<EmbeddedFile> ReportsSchema() {
  std::vector<EmbeddedFile> files = embedded::common_rpc_schema();
  for (const auto* more : {&embedded::common_feed_schema(), &embedded::services_reports_schema()}) {
    files.insert(files.end(), more->begin(), more->end());
  }
  return files;
}

absl::StatusOr<std::unique_ptr<Hosted>> OpenReports(const Host& host) {
  RETURN_IF_ERROR(sql::Migrate(*host.db, ReportsSchema(), host.clock->NowMicros()));
  ASSIGN_OR_RETURN(const std::vector<EmbeddedFile> files,
                   host.catalog(embedded::services_reports_catalog()));
  ASSIGN_OR_RETURN(Measures measures, Measures::Load(files));
  ASSIGN_OR_RETURN(SummaryForms forms, SummaryForms::Load(measures, files));
  auto reports = std::make_unique<Reports>(host, std::move(measures), std::move(forms));
  RETURN_IF_ERROR(reports->OpenReturns(host, files));
  return reports;
}

absl::Status CatchUp(Hosted& reports) { return static_cast<Reports&>(reports).CatchUp(); }

}  // namespace gonghui::reports
