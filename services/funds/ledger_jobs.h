// Verifying ledgers as a job.
#pragma once

#include "absl/status/statusor.h"
#include "common/host/host.h"
#include "common/rpc/jobs.h"
#include "gonghui/funds/v1/proof.pb.h"
#include "services/funds/books.h"
#include "services/funds/heads.h"

namespace gonghui::funds {

// Thread-safe.
class LedgerJobs {
 public:
  LedgerJobs(const Host& host, Books* books, Heads* heads);

  absl::StatusOr<common::v1::Job> Verify(rpc::Call& call, const v1::VerifyLedgerRequest& request);

  rpc::Jobs& jobs() { return jobs_; }

 private:
  absl::StatusOr<v1::VerifyLedgerResult> Run(rpc::JobRun& run,
                                             const v1::VerifyLedgerRequest& request);

  const Host host_;
  Books* const books_;
  Heads* const heads_;
  rpc::Jobs jobs_;
};

}  // namespace gonghui::funds
