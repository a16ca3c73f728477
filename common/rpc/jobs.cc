#include "common/rpc/jobs.h"

#include <utility>

#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/page.h"

namespace gonghui::rpc {
namespace {

using common::v1::Job;
using common::v1::JobState;

constexpr sql::Query kInsert{
    "rpc.insert_job",
    "INSERT INTO jobs (tenant, job_id, kind, organization, state, request, checkpoint, job, "
    "worker, lease_until_us, open) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', 0, $9)"};
constexpr sql::Query kGet{"rpc.get_job",
                          "SELECT job_id, job, worker FROM jobs WHERE tenant = $1 AND job_id = $2"};
constexpr sql::Query kList{
    "rpc.list_jobs",
    "SELECT job_id, job FROM jobs WHERE tenant = $1 AND job_id < $2 AND ($3 = '' OR organization "
    "= $3) AND ($4 = '' OR kind = $4) AND ($5 = 0 OR state = $5) ORDER BY job_id DESC LIMIT $6"};
constexpr sql::Query kFindClaimable{
    "rpc.find_claimable_job",
    "SELECT tenant, job_id FROM jobs WHERE open = $1 AND lease_until_us < $2 "
    "ORDER BY lease_until_us, job_id LIMIT 1"};
constexpr sql::Query kCountWaiting{
    "rpc.count_waiting_jobs", "SELECT COUNT(*) FROM jobs WHERE open = $1 AND lease_until_us < $2"};
constexpr sql::Query kReadClaimed{
    "rpc.read_claimed_job",
    "SELECT kind, organization, request, checkpoint, job, lease_until_us, open FROM jobs "
    "WHERE tenant = $1 AND job_id = $2"};
constexpr sql::Query kClaim{
    "rpc.claim_job",
    "UPDATE jobs SET worker = $3, lease_until_us = $4, state = $5, job = $6 "
    "WHERE tenant = $1 AND job_id = $2"};
// What a job was asked may name people: it is not kept longer than needed.
constexpr sql::Query kUpdate{
    "rpc.update_job",
    "UPDATE jobs SET state = $3, job = $4, open = $5, request = CASE WHEN $5 THEN request ELSE $6 "
    "END WHERE tenant = $1 AND job_id = $2"};
constexpr sql::Query kSaveCheckpoint{
    "rpc.save_job_checkpoint", "UPDATE jobs SET checkpoint = $3 WHERE tenant = $1 AND job_id = $2"};
constexpr sql::Query kKeepLease{
    "rpc.keep_job_lease",
    "UPDATE jobs SET lease_until_us = $4 WHERE tenant = $1 AND job_id = $2 AND worker = $3"};
constexpr sql::Query kLeave{"rpc.leave_job",
                            "UPDATE jobs SET lease_until_us = $4, worker = '' "
                            "WHERE tenant = $1 AND job_id = $2 AND worker = $3"};

constexpr absl::Duration kTimeout = absl::Seconds(30);
constexpr absl::Duration kRetryAfter = absl::Seconds(2);
constexpr std::string_view kAfterAll = "~";  // Sorts behind every id.

std::string JobName(std::string_view tenant, std::string_view id) {
  return StrCat("federations/", tenant, "/jobs/", id);
}

Job ReadJob(std::string_view tenant, std::string_view id, const std::string& bytes) {
  Job job;
  job.ParseFromString(bytes);
  job.set_name(JobName(tenant, id));
  return job;
}

absl::Status Write(sql::Tx& tx, const std::string& tenant, const std::string& id, Job job) {
  job.clear_name();
  return tx
      .Run(kUpdate, {tenant, id, int64_t{job.state()}, sql::Bytes{job.SerializeAsString()},
                     job.end_time_us() == 0, sql::Bytes{}})
      .status();
}

absl::Status JobGone(std::string_view id) {
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no job '", id, "': ListJobs shows the known ones"),
                  StrCat("没有作业“", id, "”：请用 ListJobs 查看"))
      .At("name");
}

absl::Status LeaseLost() {
  return Aborted(common::v1::REASON_CONFLICT, "the job went on with another worker",
                 "作业已由其他进程接手");
}

absl::Status CancelRequested() { return absl::CancelledError("the job was asked to stop"); }

absl::Status DiedTooOften(int attempts) {
  return FailedPrecondition(
      common::v1::REASON_STATE_FORBIDS,
      StrCat("the job was begun ", attempts,
             " times and its worker died each time: see the server's log, then start it anew"),
      StrCat("作业已开始 ", attempts, " 次，每次执行进程都中途退出：请查看服务器日志后重新发起"));
}

// True when another attempt may do better.
bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsAborted(status) ||
         absl::IsDeadlineExceeded(status) || absl::IsResourceExhausted(status);
}

void SetFailure(const absl::Status& status, Job& job) {
  const Reason reason = ReasonOf(status);
  common::v1::JobFailure& failure = *job.mutable_failure();
  if (reason == common::v1::REASON_UNSPECIFIED || absl::IsInternal(status)) {
    log::Error("job_failed",
               {{"kind", std::string_view(job.kind())}, {"reason", FromAbsl(status.message())}});
    failure.set_reason(common::v1::REASON_INTERNAL);
    failure.set_message("the job failed by a defect of the platform; the server's log has it");
    failure.set_message_zh("作业因平台缺陷而失败，详见服务器日志");
    return;
  }
  failure.set_reason(reason);
  failure.set_message(std::string(FromAbsl(status.message())));
  failure.set_message_zh(MessageZhOf(status));
}

}  // namespace

std::string JobRun::name() const { return JobName(tenant_, job_id_); }

absl::Status JobRun::Save(JobProgress& progress, const sql::Closure& body) {
  if (jobs_.stopping()) return LeaseLost();
  const sql::Database& db = *jobs_.options_.db;
  absl::Status saved = const_cast<sql::Database&>(db).ReadWrite(
      absl::Now() + kTimeout, [&](sql::Tx& tx) -> absl::Status {
        ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kGet, {tenant_, job_id_}));
        if (rows.empty() || rows[0].Get<std::string>(2) != worker_) return LeaseLost();
        Job job = ReadJob(tenant_, job_id_, rows[0].Get<sql::Bytes>(1).data);
        if (job.cancel_requested()) return CancelRequested();
        if (body != nullptr) RETURN_IF_ERROR(body(tx));
        job.set_done(std::max(job.done(), progress.done));
        job.set_total(progress.total);
        job.set_note(progress.note);
        job.set_update_time_us(jobs_.options_.clock->NowMicros());
        RETURN_IF_ERROR(
            tx.Run(kSaveCheckpoint, {tenant_, job_id_, sql::Bytes{progress.checkpoint}}).status());
        return Write(tx, tenant_, job_id_, std::move(job));
      });
  if (saved.ok()) progress_ = progress;
  return saved;
}

Jobs::Jobs(Options options)
    : options_(options),
      waiting_gauge_("gonghui_jobs", "Jobs of the databases of this process.",
                     {{"state", "waiting"}}),
      running_gauge_("gonghui_jobs", "Jobs of the databases of this process.",
                     {{"state", "running"}}),
      section_("jobs", [this] { return Tell(); }) {}

Jobs::~Jobs() { Stop(); }

std::string Jobs::Tell() const {
  absl::MutexLock lock(&mutex_);
  std::string text;
  for (const auto& [worker, run] : running_) StrAppend(&text, run->kind_, " ", run->name(), "\n");
  return text;
}

void Jobs::Serve(Service& service) {
  service.Handle("GetJob", this, &Jobs::Get);
  service.Handle("ListJobs", this, &Jobs::List);
  service.Handle("CancelJob", this, &Jobs::Cancel);
}

absl::StatusOr<Job> Jobs::Queue(sql::Tx& tx, const Call& call, std::string_view organization,
                                std::string request) {
  const std::string id = NewId(options_.clock->Now());
  Job job;
  job.set_kind(call.method->full_name.substr(call.method->full_name.rfind('.') + 1));
  job.set_organization(std::string(organization));
  job.set_state(common::v1::JOB_STATE_QUEUED);
  job.set_caller(call.actor.subject);
  job.set_create_time_us(options_.clock->NowMicros());
  job.set_update_time_us(job.create_time_us());
  RETURN_IF_ERROR(tx.Run(kInsert, {call.federation, id, job.kind(), job.organization(),
                                   int64_t{job.state()}, sql::Bytes{std::move(request)},
                                   sql::Bytes{}, sql::Bytes{job.SerializeAsString()}, true})
                      .status());
  job.set_name(JobName(call.federation, id));
  return job;
}

absl::StatusOr<std::optional<Job>> Jobs::Find(sql::Tx& tx, const std::string& federation,
                                              const std::string& name) {
  const std::string id(LeafOf(name));
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kGet, {federation, id}));
  if (rows.empty()) return std::nullopt;
  return ReadJob(federation, id, rows[0].Get<sql::Bytes>(1).data);
}

absl::StatusOr<Job> Jobs::Get(Call& call, const common::v1::GetJobRequest& request) {
  const std::string id(LeafOf(request.name()));
  Job job;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kGet, {call.federation, id}));
    if (rows.empty()) return JobGone(id);
    job = ReadJob(call.federation, id, rows[0].Get<sql::Bytes>(1).data);
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(call.CheckScope(job.organization()));
  return job;
}

absl::StatusOr<common::v1::ListJobsResponse> Jobs::List(
    Call& call, const common::v1::ListJobsRequest& request) {
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::vector<std::string> after,
                   ReadPageToken(request, request.page_token(), 1));
  common::v1::ListJobsResponse response;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    ASSIGN_OR_RETURN(
        const sql::Rows rows,
        tx.Run(kList, {call.federation, after.empty() ? std::string(kAfterAll) : after[0],
                       request.organization(), request.kind(), int64_t{request.state()},
                       int64_t{size} + 1}));
    for (size_t i = 0; i < rows.size() && i < static_cast<size_t>(size); ++i) {
      *response.add_jobs() =
          ReadJob(call.federation, rows[i].Get<std::string>(0), rows[i].Get<sql::Bytes>(1).data);
    }
    if (rows.size() > static_cast<size_t>(size)) {
      response.set_next_page_token(
          MakePageToken(request, {rows[static_cast<size_t>(size) - 1].Get<std::string>(0)}));
    }
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<Job> Jobs::Cancel(Call& call, const common::v1::CancelJobRequest& request) {
  const std::string id(LeafOf(request.name()));
  return WriteOnce<Job>(*options_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Job> {
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kGet, {call.federation, id}));
    if (rows.empty()) return JobGone(id);
    Job job = ReadJob(call.federation, id, rows[0].Get<sql::Bytes>(1).data);
    RETURN_IF_ERROR(call.CheckScope(job.organization()));
    if (job.end_time_us() != 0) return job;
    job.set_cancel_requested(true);
    job.set_update_time_us(options_.clock->NowMicros());
    if (job.state() == common::v1::JOB_STATE_QUEUED) {
      job.set_state(common::v1::JOB_STATE_CANCELLED);
      job.set_end_time_us(job.update_time_us());
    }
    RETURN_IF_ERROR(Write(tx, call.federation, id, job));
    return job;
  });
}

absl::StatusOr<std::unique_ptr<JobRun>> Jobs::Claim() {
  const int64_t now = options_.clock->NowMicros();
  std::unique_ptr<JobRun> run;
  RETURN_IF_ERROR(options_.db->ReadOnly(absl::Now() + kTimeout, [&](sql::Tx& tx) -> absl::Status {
    run = nullptr;
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFindClaimable, {true, now}));
    if (rows.empty()) return absl::OkStatus();
    run.reset(new JobRun(*this, rows[0].Get<std::string>(0), rows[0].Get<std::string>(1)));
    return absl::OkStatus();
  }));
  if (run == nullptr) return run;
  bool claimed = false;
  run->worker_ = NewId(options_.clock->Now());
  RETURN_IF_ERROR(options_.db->ReadWrite(absl::Now() + kTimeout, [&](sql::Tx& tx) -> absl::Status {
    claimed = false;
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kReadClaimed, {run->tenant_, run->job_id_}));
    if (rows.empty() || rows[0].Get<int64_t>(5) >= now || !rows[0].Get<bool>(6)) {
      return absl::OkStatus();  // Another worker was faster.
    }
    Job job = ReadJob(run->tenant_, run->job_id_, rows[0].Get<sql::Bytes>(4).data);
    if (job.attempts() >= options_.attempts_most) {
      job.set_state(common::v1::JOB_STATE_FAILED);
      job.set_end_time_us(now);
      SetFailure(DiedTooOften(job.attempts()), job);
      return Write(tx, run->tenant_, run->job_id_, std::move(job));
    }
    job.clear_name();
    job.set_state(common::v1::JOB_STATE_RUNNING);
    job.set_attempts(job.attempts() + 1);
    run->kind_ = rows[0].Get<std::string>(0);
    run->organization_ = rows[0].Get<std::string>(1);
    run->caller_ = job.caller();
    run->request_ = rows[0].Get<sql::Bytes>(2).data;
    run->progress_ = {job.done(), job.total(), job.note(), rows[0].Get<sql::Bytes>(3).data};
    claimed = true;
    return tx
        .Run(kClaim, {run->tenant_, run->job_id_, run->worker_,
                      now + absl::ToInt64Microseconds(options_.lease), int64_t{job.state()},
                      sql::Bytes{job.SerializeAsString()}})
        .status();
  }));
  if (!claimed) run = nullptr;
  return run;
}

absl::Status Jobs::Finish(JobRun& run, const Packed& result) {
  return options_.db->ReadWrite(absl::Now() + kTimeout, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kGet, {run.tenant_, run.job_id_}));
    if (rows.empty() || rows[0].Get<std::string>(2) != run.worker_) return LeaseLost();
    Job job = ReadJob(run.tenant_, run.job_id_, rows[0].Get<sql::Bytes>(1).data);
    if (!result.ok() && MayPass(result.status()) && job.attempts() < options_.attempts_most) {
      return tx
          .Run(kLeave, {run.tenant_, run.job_id_, run.worker_,
                        options_.clock->NowMicros() + absl::ToInt64Microseconds(kRetryAfter)})
          .status();
    }
    if (result.ok()) {
      job.set_state(common::v1::JOB_STATE_SUCCEEDED);
      *job.mutable_result() = *result;
      job.set_done(job.total());
    } else if (absl::IsCancelled(result.status())) {
      job.set_state(common::v1::JOB_STATE_CANCELLED);
    } else {
      job.set_state(common::v1::JOB_STATE_FAILED);
      SetFailure(result.status(), job);
    }
    job.set_update_time_us(options_.clock->NowMicros());
    job.set_end_time_us(job.update_time_us());
    return Write(tx, run.tenant_, run.job_id_, std::move(job));
  });
}

void Jobs::Run(JobRun& run) {
  {
    absl::MutexLock lock(&mutex_);
    running_[run.worker_] = &run;
    running_gauge_.Add(1);
  }
  const auto work = works_.find(run.kind_);
  const Packed result = work == works_.end()
                            ? Packed(Internal("no work is registered for job kind " + run.kind_))
                            : work->second(run, run.request_);
  {
    absl::MutexLock lock(&mutex_);
    running_.erase(run.worker_);
    running_gauge_.Add(-1);
  }
  const absl::Status finished = Finish(run, result);
  if (!finished.ok() && !absl::IsAborted(finished)) {
    log::Warning("job_end_not_recorded", {{"kind", std::string_view(run.kind_)},
                                          {"reason", ReasonName(ReasonOf(finished))}});
  }
}

void Jobs::StartWorkers() {
  for (int i = 0; i < options_.workers; ++i) threads_.emplace_back([this] { WorkLoop(); });
  threads_.emplace_back([this] { KeepLeases(); });
}

void Jobs::WorkLoop() {
  while (!stopping()) {
    const auto run = Claim();
    if (run.ok() && *run != nullptr) {
      Run(**run);
      continue;
    }
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(
                                +[](Jobs* jobs) { return jobs->stopping_ || jobs->woken_; }, this),
                            options_.poll);
    woken_ = false;
  }
}

void Jobs::KeepLeases() {
  while (true) {
    std::vector<sql::Args> leases;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.AwaitWithTimeout(absl::Condition(&stopping_), options_.lease / 3);
      if (stopping_) return;
      const int64_t until = options_.clock->NowMicros() + absl::ToInt64Microseconds(options_.lease);
      for (const auto& [worker, run] : running_) {
        leases.push_back({run->tenant_, run->job_id_, worker, until});
      }
    }
    CountWaiting();
    if (leases.empty()) continue;
    const absl::Status kept = options_.db->ReadWrite(
        absl::Now() + options_.lease / 3,
        [&](sql::Tx& tx) { return tx.RunMany(kKeepLease, leases).status(); });
    if (!kept.ok()) log::Warning("job_leases_not_kept", {{"reason", ReasonName(ReasonOf(kept))}});
  }
}

void Jobs::CountWaiting() {
  const int64_t now = options_.clock->NowMicros();
  int64_t waiting = waiting_;
  const absl::Status counted =
      options_.db->ReadOnly(absl::Now() + options_.lease / 3, [&](sql::Tx& tx) -> absl::Status {
        ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kCountWaiting, {true, now}));
        waiting = rows[0].Get<int64_t>(0);
        return absl::OkStatus();
      });
  if (!counted.ok()) return;  // The next round tells.
  waiting_gauge_.Add(static_cast<double>(waiting - waiting_));
  waiting_ = waiting;
}

void Jobs::Wake() {
  absl::MutexLock lock(&mutex_);
  woken_ = true;
}

bool Jobs::stopping() const {
  absl::MutexLock lock(&mutex_);
  return stopping_;
}

void Jobs::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  waiting_gauge_.Add(static_cast<double>(-waiting_));
  waiting_ = 0;
}

}  // namespace gonghui::rpc
