// Sends the items of a file to the service that keeps them.
#pragma once

#include <atomic>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/rpc/client.h"
#include "services/cli/import_rows.h"
#include "services/cli/progress.h"

namespace gonghui::cli {

// What became of the items.
struct Outcome {
  int created = 0;
  int existing = 0;  // Were there before, with the same content.
  std::vector<RowError> errors;
  std::set<int> rejected;          // Rows whose items were not written.
  std::vector<RowError> warnings;  // Of items that were written, or would be.
};

// Sends in batches with `partial`, two in flight where the order does not matter. A batch's
// request_id is made of its content, so that the same file sent again has the same effects once; a
// server that is away is waited for.
class Sender {
 public:
  struct Options {
    int batch = 1000;
    bool dry_run = false;  // Checks on the server, writes nothing.
    absl::Duration patience = absl::Minutes(1);
    std::string waiting;  // Said when the server is first waited for.
  };
  Sender(const rpc::Client& client, std::string federation, const ImportFile& file, Options options,
         Progress& progress);

  // Runs once. An error that no row caused stops the sending: what was written before stays.
  absl::StatusOr<Outcome> Run();

 private:
  using Batch = std::vector<const Item*>;
  struct Answer;

  void Work();
  absl::Status Send(Batch items, const std::string& salt, bool first);
  absl::Status SendOne(const Item& book);
  absl::StatusOr<Answer> Call(const Batch& items, const std::string& salt, bool validate_only);
  absl::Status Invoke(const std::string& path, const google::protobuf::Message& request,
                      google::protobuf::Message& response);
  absl::Status LookAgain(const std::vector<common::v1::ItemFailure>& failures, const Batch& items,
                         const std::string& salt);
  std::string RequestId(const google::protobuf::Message& request, const std::string& salt) const;
  void Reject(const Item& item, const common::v1::ItemFailure& failure);

  const rpc::Client& client_;
  const std::string federation_;
  const ImportFile& file_;
  const Options options_;
  Progress& progress_;
  const absl::Time start_ = absl::Now();
  std::vector<Batch> batches_;
  std::atomic<size_t> next_{0};
  absl::Mutex mutex_;
  Outcome outcome_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace gonghui::cli
