// Long work that outlives its caller and its process. A service registers what it can do by the
// name of the starting method and offers GetJob, ListJobs and CancelJob:
//
//   jobs.Register<VerifyRollupsRequest>("VerifyRollups",
//       [](JobRun& run, const VerifyRollupsRequest& request) -> absl::StatusOr<VerifyRollupsResult>
//       {...});
//   service.Handle("VerifyRollups", ... { return jobs.Start(call, request.organization(), request);
//   });
//
// A job belongs to one worker at a time, by a lease that is renewed while it works. Every write of
// a job goes through JobRun::Save, which commits only while the lease holds: a worker that was
// thought dead and comes back has no effect. A worker that dies leaves the job to the next, which
// goes on from the last checkpoint.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/base/clock.h"
#include "common/ops/metrics.h"
#include "common/ops/section.h"
#include "common/rpc/call.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/service.h"
#include "common/sql/sql.h"
#include "gonghui/common/v1/job.pb.h"

namespace gonghui::rpc {

// What a checkpoint tells and keeps.
struct JobProgress {
  int64_t done = 0;
  int64_t total = 0;  // 0 while unknown.
  std::string note;
  std::string checkpoint;  // Whatever the job needs to go on from here.
};

class Jobs;

// One attempt at a job. Used by one thread.
class JobRun {
 public:
  std::string name() const;  // Of the job.
  const std::string& federation() const { return tenant_; }
  const std::string& organization() const { return organization_; }
  const std::string& caller() const { return caller_; }  // Who started the job.
  // As last saved, by this attempt or an earlier one.
  const JobProgress& progress() const { return progress_; }

  // Commits `body` (which may be empty and may set `progress`) together with the progress.
  // CANCELLED when somebody asked the job to stop, ABORTED when it went to another worker or the
  // process stops: return these as they are.
  absl::Status Save(JobProgress& progress, const sql::Closure& body = nullptr);

 private:
  friend class Jobs;
  JobRun(Jobs& jobs, std::string tenant, std::string job_id)
      : jobs_(jobs), tenant_(std::move(tenant)), job_id_(std::move(job_id)) {}

  Jobs& jobs_;
  const std::string tenant_;
  const std::string job_id_;
  std::string worker_;
  std::string kind_;
  std::string organization_;
  std::string caller_;
  std::string request_;
  JobProgress progress_;
};

// Thread-safe. Register everything before Start is called the first time.
class Jobs {
 public:
  struct Options {
    sql::Database* db = nullptr;
    const Clock* clock = &Clock::System();
    int workers = 2;
    absl::Duration lease = absl::Seconds(15);  // Longest time until a dead worker's job goes on.
    absl::Duration poll = absl::Seconds(1);    // For jobs that other processes queued or left.
    int attempts_most = 5;                     // A job that died so often fails.
  };
  explicit Jobs(Options options);
  ~Jobs();

  template <typename Request, typename Result>
  void Register(std::string_view kind,
                std::function<absl::StatusOr<Result>(JobRun&, const Request&)> work);
  // Adds GetJob, ListJobs and CancelJob.
  void Serve(Service& service);

  // Queues the work of `call`'s method. The request's request_id makes it one job however often it
  // is asked for.
  template <typename Request>
  absl::StatusOr<common::v1::Job> Start(Call& call, std::string_view organization,
                                        const Request& request) {
    auto job = WriteOnce<common::v1::Job>(*options_.db, call, request, [&](sql::Tx& tx) {
      return Queue(tx, call, organization, request.SerializeAsString());
    });
    if (job.ok()) Wake();
    return job;
  }

  // By its name; nullopt where there is none.
  static absl::StatusOr<std::optional<common::v1::Job>> Find(sql::Tx& tx,
                                                             const std::string& federation,
                                                             const std::string& name);

  absl::StatusOr<common::v1::Job> Get(Call& call, const common::v1::GetJobRequest& request);
  absl::StatusOr<common::v1::ListJobsResponse> List(Call& call,
                                                    const common::v1::ListJobsRequest& request);
  absl::StatusOr<common::v1::Job> Cancel(Call& call, const common::v1::CancelJobRequest& request);

  void StartWorkers();  // After the database is migrated.
  void Stop();          // Running jobs are left to the next worker. Idempotent.

 private:
  friend class JobRun;
  using Packed = absl::StatusOr<google::protobuf::Any>;
  using Work = std::function<Packed(JobRun&, const std::string& request)>;

  absl::StatusOr<common::v1::Job> Queue(sql::Tx& tx, const Call& call,
                                        std::string_view organization, std::string request);
  absl::StatusOr<std::unique_ptr<JobRun>> Claim();
  void Run(JobRun& run);
  absl::Status Finish(JobRun& run, const Packed& result);
  void WorkLoop();
  void KeepLeases();
  void CountWaiting();
  std::string Tell() const;
  void Wake();
  bool stopping() const;

  const Options options_;
  std::map<std::string, Work, std::less<>> works_;
  mutable absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::string, const JobRun*> running_ ABSL_GUARDED_BY(mutex_);  // By worker.
  int64_t waiting_ = 0;  // As last counted; of the thread that keeps the leases.
  const ops::Gauge waiting_gauge_;
  const ops::Gauge running_gauge_;
  const ops::Section section_;
  std::vector<std::thread> threads_;
};

template <typename Request, typename Result>
void Jobs::Register(std::string_view kind,
                    std::function<absl::StatusOr<Result>(JobRun&, const Request&)> work) {
  works_[std::string(kind)] = [work = std::move(work)](JobRun& run,
                                                       const std::string& bytes) -> Packed {
    Request request;
    request.ParseFromString(bytes);
    absl::StatusOr<Result> result = work(run, request);
    if (!result.ok()) return std::move(result).status();
    google::protobuf::Any packed;
    packed.PackFrom(*result);
    return packed;
  };
}

}  // namespace gonghui::rpc
