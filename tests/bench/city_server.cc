#include "tests/bench/city_server.h"

#include <signal.h>

#include <fstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/auth/token.h"
#include "common/base/status.h"
#include "gonghui/membership/v1/federation.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "gonghui/reports/v1/report.pb.h"

namespace gonghui::bench {
namespace {

namespace fs = std::filesystem;
using common::v1::Job;

constexpr absl::Duration kPatience = absl::Minutes(1);
const std::string& Parent() {
  static const auto& parent = *new std::string(absl::StrCat("federations/", City::kFederation));
  return parent;
}

}  // namespace

CityServer::CityServer(std::string binary, fs::path folder,
                       std::map<std::string, std::string> database_urls)
    : binary_(std::move(binary)),
      folder_(std::move(folder)),
      database_urls_(std::move(database_urls)) {
  fs::create_directories(folder_ / "catalog/reports");
  std::ofstream(folder_ / "catalog/reports/city.yaml") << City::Catalogue();
  for (const auto& [area, url] : database_urls_) std::ofstream(folder_ / (area + ".url")) << url;
}

CityServer::~CityServer() {
  client_.reset();
  process_.Stop(SIGKILL);
}

absl::Status CityServer::Start() {
  fs::remove(folder_ / "port");
  std::vector<std::string> command = {
      binary_,       "--dev",
      "--data",      folder_ / "data",
      "--catalog",   folder_ / "catalog",
      "--listen",    absl::StrCat("unix:", (folder_ / "grpc").string()),
      "--http-port", "-1",
      "--ops-port",  "-1",
      "--port-file", folder_ / "port"};
  for (const auto& [area, url] : database_urls_) {
    command.push_back(absl::StrCat("--", area, "-database-url-file"));
    command.push_back(folder_ / (area + ".url"));
  }
  process_ = testing::Process(command, folder_ / "log");
  const absl::Time limit = absl::Now() + kPatience;
  while (!fs::exists(folder_ / "port")) {
    if (!process_.Running() || absl::Now() > limit) {
      return absl::UnavailableError(
          absl::StrCat("gonghuid is not ready; see ", (folder_ / "log").string()));
    }
    absl::SleepFor(absl::Milliseconds(5));
  }
  RETURN_IF_ERROR(SignToken());
  client_ = NewClient();
  return absl::OkStatus();
}

absl::Status CityServer::SignToken() {
  ASSIGN_OR_RETURN(const auth::SigningKey key,
                   auth::SigningKey::FromPemFile(folder_ / "data/dev/signing-key.pem", "dev"));
  auth::Actor actor{.subject = "bench", .federation = City::kFederation, .grants = {}};
  common::v1::Grant& grant = actor.grants.emplace_back();
  grant.set_role("admin");
  grant.set_organization("*");
  grant.set_below(true);
  const absl::Time now = absl::Now();
  ASSIGN_OR_RETURN(token_, key.Sign({.issuer = std::string(auth::kIssuer),
                                     .audience = std::string(auth::kAudience),
                                     .actor = actor,
                                     .expires = now + absl::Hours(24)},
                                    now));
  return absl::OkStatus();
}

std::unique_ptr<rpc::Client> CityServer::NewClient() const {
  return std::make_unique<rpc::Client>(
      rpc::Client::Options{.address = absl::StrCat("unix:", (folder_ / "grpc").string()),
                           .token = [token = token_] { return token; },
                           .channels = 1});
}

absl::Status CityServer::Found(const City& city) {
  membership::v1::CreateFederationRequest federation;
  federation.set_federation_id(City::kFederation);
  federation.mutable_federation()->set_display_name("某市总工会");
  RETURN_IF_ERROR(client_
                      ->Invoke<membership::v1::Federation>(
                          "/gonghui.membership.v1.FederationService/CreateFederation", federation)
                      .status());
  membership::v1::BatchCreateOrganizationsRequest batch;
  batch.set_parent(Parent());
  const auto send = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(
        const auto answer,
        client_->Invoke<membership::v1::BatchCreateOrganizationsResponse>(
            "/gonghui.membership.v1.OrganizationService/BatchCreateOrganizations", batch));
    const bool all = answer.failures_size() == 0;
    batch.clear_organizations();
    return all ? absl::OkStatus() : absl::InternalError(answer.failures(0).ShortDebugString());
  };
  const auto add = [&](const std::string& id, const std::string& parent, const char* kind) {
    membership::v1::Organization& organization = *batch.add_organizations();
    organization.set_id(id);
    organization.set_parent(parent);
    organization.set_display_name(id);
    organization.set_kind(kind);
    organization.set_founded_on("2010-01-01");
  };
  add(City::kRoot, "", "district");
  for (int d = 0; d < City::kDistricts; ++d) add(City::District(d), City::kRoot, "town_street");
  for (int n = 0; n < city.unions(); ++n) {
    add(city.Union(n), city.Union(n).substr(0, 3), "enterprise");
    if (batch.organizations_size() == 1000) RETURN_IF_ERROR(send());
  }
  return batch.organizations_size() == 0 ? absl::OkStatus() : send();
}

absl::Status CityServer::LoadFacts(const City& city) {
  ASSIGN_OR_RETURN(const auto reports, sql::Database::Open({.url = ReportsUrl()}));
  return city.Load(*reports);
}

std::string CityServer::ReportsUrl() const {
  const auto url = database_urls_.find("reports");
  return url == database_urls_.end()
             ? absl::StrCat("sqlite:", (folder_ / "data/reports.db").string())
             : url->second;
}

int64_t CityServer::PeakKib() const {
  std::ifstream status(absl::StrCat("/proc/", process_.pid(), "/status"));
  int64_t kib = 0;
  for (std::string line; std::getline(status, line);) {
    absl::string_view text = line;
    if (!absl::ConsumePrefix(&text, "VmHWM:")) continue;
    absl::ConsumeSuffix(&text, " kB");
    if (!absl::SimpleAtoi(text, &kib)) return 0;
  }
  return kib;
}

absl::StatusOr<Job> CityServer::StartRebuild() {
  reports::v1::RebuildRollupsRequest request;
  request.set_parent(Parent());
  return client_->Invoke<Job>("/gonghui.reports.v1.ReportService/RebuildRollups", request);
}

absl::StatusOr<Job> CityServer::GetJob(const std::string& name) {
  common::v1::GetJobRequest request;
  request.set_name(name);
  return client_->Invoke<Job>("/gonghui.reports.v1.JobService/GetJob", request);
}

absl::StatusOr<Job> CityServer::AwaitJob(const std::string& name) {
  while (true) {
    ASSIGN_OR_RETURN(Job job, GetJob(name));
    if (job.state() == common::v1::JOB_STATE_SUCCEEDED) return job;
    if (job.end_time_us() != 0) return absl::InternalError(job.ShortDebugString());
    absl::SleepFor(absl::Milliseconds(20));
  }
}

absl::StatusOr<int64_t> CityServer::Divergent() {
  reports::v1::VerifyRollupsRequest request;
  request.set_parent(Parent());
  ASSIGN_OR_RETURN(
      const Job begun,
      client_->Invoke<Job>("/gonghui.reports.v1.ReportService/VerifyRollups", request));
  ASSIGN_OR_RETURN(const Job job, AwaitJob(begun.name()));
  reports::v1::VerifyRollupsResult result;
  if (!job.result().UnpackTo(&result)) return absl::InternalError("no result");
  return result.divergent();
}

}  // namespace gonghui::bench
