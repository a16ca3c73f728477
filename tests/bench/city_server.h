// A gonghuid of its own that hosts a made-up city, to be measured and disturbed from outside.
#pragma once

#include <signal.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/rpc/client.h"
#include "common/testing/process.h"
#include "gonghui/common/v1/job.pb.h"
#include "tests/bench/city.h"

namespace gonghui::bench {

class CityServer {
 public:
  // `database_urls`: area -> URL, as in Suite::Options; missing: SQLite files in `folder`.
  CityServer(std::string binary, std::filesystem::path folder,
             std::map<std::string, std::string> database_urls = {});
  ~CityServer();

  absl::Status Start();                    // Ready when it returns.
  void Kill() { process_.Stop(SIGKILL); }  // kill -9.
  void Stop() { process_.Stop(SIGTERM); }
  // Federation, districts and unions. The facts are loaded while the server is down.
  absl::Status Found(const City& city);
  absl::Status LoadFacts(const City& city);

  const rpc::Client& client() const { return *client_; }
  std::unique_ptr<rpc::Client> NewClient() const;
  std::string ReportsUrl() const;
  int64_t PeakKib() const;  // Of the process that runs now (VmHWM).

  absl::StatusOr<common::v1::Job> StartRebuild();
  absl::StatusOr<common::v1::Job> GetJob(const std::string& name);
  absl::StatusOr<common::v1::Job> AwaitJob(const std::string& name);
  // Cells that differ from the facts.
  absl::StatusOr<int64_t> Divergent();

 private:
  absl::Status SignToken();

  const std::string binary_;
  const std::filesystem::path folder_;
  const std::map<std::string, std::string> database_urls_;
  testing::Process process_;
  std::string token_;
  std::unique_ptr<rpc::Client> client_;
};

}  // namespace gonghui::bench
