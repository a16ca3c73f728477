// The keys that seal personal data: what each seals, and everything sealed anew with the current
// one.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/host/host.h"
#include "common/rpc/jobs.h"
#include "gonghui/membership/v1/personal_data.pb.h"

namespace gonghui::membership {

// Thread-safe.
class PersonalKeys {
 public:
  PersonalKeys(const Host& host, rpc::Jobs& jobs)
      : db_(*host.db), personal_(*host.personal), jobs_(jobs) {}

  absl::StatusOr<v1::ListPersonalKeysResponse> List(rpc::Call& call,
                                                    const v1::ListPersonalKeysRequest& request);
  absl::StatusOr<common::v1::Job> Reseal(rpc::Call& call,
                                         const v1::ResealPersonalDataRequest& request);
  // The job of Reseal.
  absl::StatusOr<v1::ResealPersonalDataResult> Run(rpc::JobRun& run);

 private:
  sql::Database& db_;
  const crypto::PersonalData& personal_;
  rpc::Jobs& jobs_;
};

}  // namespace gonghui::membership
