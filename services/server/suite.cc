#include "services/server/suite.h"

#include <unistd.h>

#include <atomic>
#include <deque>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/base/status.h"
#include "common/cache/cache.h"
#include "common/crypto/personal.h"
#include "common/feed/feed_service.h"
#include "common/host/host.h"
#include "common/ops/metrics.h"
#include "common/ops/ops_server.h"
#include "common/ops/section.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/server.h"
#include "common/rpc/upkeep.h"
#include "common/tree/tree_cache.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "services/activities/service.h"
#include "services/casework/service.h"
#include "services/funds/service.h"
#include "services/gateway/gateway.h"
#include "services/membership/organizations.h"
#include "services/membership/service.h"
#include "services/reports/service.h"
#include "services/server/status_page.h"

namespace gonghui {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kUpkeepEvery = absl::Hours(24);
constexpr absl::Duration kKeysEvery = absl::Seconds(1);  // How often keys are looked at.
constexpr absl::Duration kServiceTokenLife = absl::Hours(1);
constexpr absl::Duration kServiceTokenRenewal = absl::Minutes(50);

auth::Actor ServiceActor() {
  auth::Actor actor{.subject = "service", .federation = "*"};
  common::v1::Grant grant;
  grant.set_role(std::string(auth::kServiceRole));
  grant.set_organization("*");
  actor.grants.push_back(grant);
  return actor;
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  if (!in || !(text << in.rdbuf())) {
    return FailedPrecondition(common::v1::REASON_NOT_FOUND, absl::StrCat("cannot read ", path),
                              absl::StrCat("无法读取 ", path));
  }
  return text.str();
}

// The versions of a membership service that runs elsewhere.
tree::TreeCache::Loader RemoteTree(const rpc::Client* membership) {
  return [membership](const std::string& federation,
                      int64_t after) -> absl::StatusOr<tree::TreeCache::Page> {
    tree::TreeCache::Page page;
    page.sequence = after;
    while (true) {
      membership::v1::ListOrganizationVersionsRequest request;
      request.set_federation(federation);
      request.set_after_sequence(page.sequence);
      ASSIGN_OR_RETURN(
          auto answer,
          membership->Invoke<membership::v1::ListOrganizationVersionsResponse>(
              "/gonghui.membership.v1.OrganizationService/ListOrganizationVersions", request));
      for (const membership::v1::OrganizationVersion& v : answer.versions()) {
        page.versions.push_back({.version_id = v.version_id(),
                                 .id = v.id(),
                                 .parent = v.parent(),
                                 .display_name = v.display_name(),
                                 .kind = v.kind(),
                                 .state = v.state(),
                                 .valid_from = v.valid_from(),
                                 .valid_to = v.valid_to(),
                                 .recorded_from_us = v.recorded_from_us(),
                                 .recorded_to_us = v.recorded_to_us(),
                                 .affiliated_to = v.affiliated_to()});
        page.sequence = v.sequence();
      }
      if (answer.versions().empty() || page.sequence >= answer.head()) return page;
    }
  };
}

class RunningSuite : public Suite {
 public:
  explicit RunningSuite(Options options)
      : options_(std::move(options)), issuers_(options_.issuers), limits_(options_.limits) {}
  ~RunningSuite() override {
    Shutdown(absl::ZeroDuration());
    stopping_.Notify();
    if (key_watch_.joinable()) key_watch_.join();
  }

  absl::Status Open() {
    ASSIGN_OR_RETURN(server_credentials_, rpc::MakeServerCredentials(options_.tls));
    if (server_credentials_ != nullptr || !options_.tls.ca_file.empty()) {
      ASSIGN_OR_RETURN(peer_credentials_, rpc::MakeChannelCredentials(options_.tls));
    }
    OpenPeers();
    RETURN_IF_ERROR(CheckPeers());
    RETURN_IF_ERROR(OpenKeys());
    RETURN_IF_ERROR(OpenDatabases());
    rpc::Pipeline::Options pipeline;
    pipeline.clock = options_.clock;
    pipeline.issuers = &issuers_;
    pipeline.limits = &limits_;
    pipeline.service_names = options_.service_names;
    pipeline.log_calls = options_.log_calls;
    pipeline.batch_limit = options_.batch_limit;
    tree_ = std::make_unique<tree::TreeCache>(
        Hosts("membership") ? membership::TreeLoader(*databases_.at("membership"))
                            : RemoteTree(peers_.at("membership").get()),
        options_.clock);
    pipeline.scope = tree_.get();
    pipeline_ = std::make_unique<rpc::Pipeline>(pipeline);
    RETURN_IF_ERROR(OpenServices());
    return Listen();
  }

  int port() const override { return server_->port(); }
  int ops_port() const override { return ops_ ? ops_->port() : 0; }
  int http_port() const override { return http_port_; }
  sql::Database& database(const std::string& area) override { return *databases_.at(area); }
  void Drain() override { Shutdown(absl::Seconds(2)); }

  absl::StatusOr<std::string> DevToken(const auth::Actor& actor) override {
    if (!dev_key_) {
      return FailedPrecondition(common::v1::REASON_DEV_MODE_REQUIRED,
                                "development tokens need a server started with --dev",
                                "开发令牌只在以 --dev 启动的服务上可用");
    }
    return Sign(*dev_key_, actor, absl::Hours(24));
  }

  std::unique_ptr<rpc::Client> NewClient(std::string token) override {
    return std::make_unique<rpc::Client>(
        rpc::Client::Options{.address = absl::StrCat("127.0.0.1:", port()),
                             .token = [token = std::move(token)] { return token; },
                             .credentials = peer_credentials_});
  }

  absl::Status CatchUp() override { return reports::CatchUp(*reports_); }

 private:
  bool Hosts(const std::string& area) const { return options_.services.contains(area); }

  absl::StatusOr<std::string> Sign(const auth::SigningKey& key, const auth::Actor& actor,
                                   absl::Duration life) const {
    const absl::Time now = options_.clock->Now();
    return key.Sign({.issuer = std::string(auth::kIssuer),
                     .audience = std::string(auth::kAudience),
                     .actor = actor,
                     .expires = now + life},
                    now);
  }

  absl::Status OpenKeys() {
    std::error_code error;
    fs::create_directories(fs::path(options_.data_dir) / "keys", error);
    if (error) {
      return FailedPrecondition(
          common::v1::REASON_UNAVAILABLE,
          absl::StrCat("cannot create ", options_.data_dir, ": ", error.message()),
          absl::StrCat("无法创建数据目录 ", options_.data_dir));
    }
    if (options_.issuers.keys_file.empty() && options_.issuers.keys_url.empty() && !options_.dev) {
      return FailedPrecondition(
          common::v1::REASON_FIELD_REQUIRED,
          "no --keys-file and no --keys-url: name a JWK set of trusted token issuers, or start "
          "with --dev",
          "缺少 --keys-file 或 --keys-url：请指定受信任的令牌公钥集，或以 --dev 启动");
    }
    if (options_.dev) RETURN_IF_ERROR(OpenDevKey());
    // Calls between services of this process carry tokens of a key that never leaves it.
    ASSIGN_OR_RETURN(auth::SigningKey own,
                     auth::SigningKey::Generate(absl::StrCat("process-", getpid())));
    own_key_.emplace(std::move(own));
    ASSIGN_OR_RETURN(auth::KeySet own_public, auth::KeySet::FromJson(own_key_->PublicJwks()));
    issuers_.AddOwn(own_public);
    RETURN_IF_ERROR(issuers_.Start());
    return OpenPersonalKeys();
  }

  absl::Status OpenDevKey() {
    const fs::path dir = fs::path(options_.data_dir) / "dev";
    const fs::path pem = dir / "signing-key.pem";
    std::error_code error;
    fs::create_directories(dir, error);
    if (fs::exists(pem)) {
      ASSIGN_OR_RETURN(auth::SigningKey key, auth::SigningKey::FromPemFile(pem.string(), "dev"));
      dev_key_.emplace(std::move(key));
    } else {
      ASSIGN_OR_RETURN(auth::SigningKey key, auth::SigningKey::Generate("dev"));
      RETURN_IF_ERROR(key.WritePemFile(pem.string()));
      dev_key_.emplace(std::move(key));
    }
    ASSIGN_OR_RETURN(auth::KeySet dev_public, auth::KeySet::FromJson(dev_key_->PublicJwks()));
    issuers_.Add(dev_public);
    return absl::OkStatus();
  }

  absl::Status OpenPersonalKeys() {
    const std::string path = options_.personal_keys_file.empty()
                                 ? (fs::path(options_.data_dir) / "keys" / "personal.yaml").string()
                                 : options_.personal_keys_file;
    const std::string& command = options_.personal_keys_command;
    if (command.empty() && options_.personal_keys_file.empty() && !fs::exists(path)) {
      RETURN_IF_ERROR(crypto::PersonalData::GenerateFile(path));
    }
    ASSIGN_OR_RETURN(crypto::PersonalData personal,
                     command.empty() ? crypto::PersonalData::FromFile(path)
                                     : crypto::PersonalData::FromCommand(command));
    personal_ = std::make_unique<crypto::PersonalData>(std::move(personal));
    key_watch_ = std::thread([this] {
      while (!stopping_.WaitForNotificationWithTimeout(kKeysEvery)) {
        personal_->Reload().IgnoreError();  // Logged; the keys at hand stay in use.
      }
    });
    return absl::OkStatus();
  }

  absl::Status OpenDatabases() {
    for (const std::string& area : options_.services) {
      auto url = options_.database_urls.find(area);
      ASSIGN_OR_RETURN(databases_[area],
                       sql::Database::Open({.url = url != options_.database_urls.end()
                                                       ? url->second
                                                       : absl::StrCat("sqlite:", options_.data_dir,
                                                                      "/", area, ".db"),
                                            .name = area}));
    }
    return absl::OkStatus();
  }

  // Every service needs the tree, reports every source.
  absl::Status CheckPeers() const {
    for (const std::string area : {"membership", "funds", "activities", "casework"}) {
      if ((area == "membership" || Hosts("reports")) && !peers_.contains(area)) {
        return FailedPrecondition(
            common::v1::REASON_FIELD_REQUIRED,
            absl::StrCat("name the address of ", area, " with --peer-", area),
            absl::StrCat("请用 --peer-", area, " 指定 ", area, " 服务的地址"));
      }
    }
    return absl::OkStatus();
  }

  std::string ServiceToken() {
    if (!options_.service_token_file.empty()) {
      absl::StatusOr<std::string> token = ReadFile(options_.service_token_file);
      return token.ok() ? token->substr(0, token->find_last_not_of(" \r\n") + 1) : "";
    }
    absl::MutexLock lock(&token_mutex_);
    if (options_.clock->Now() >= token_renewal_) {
      token_ = Sign(*own_key_, ServiceActor(), kServiceTokenLife).value_or("");
      token_renewal_ = options_.clock->Now() + kServiceTokenRenewal;
    }
    return token_;
  }

  // Hosted services are reached over a socket of this process; channels connect when first used.
  void OpenPeers() {
    static std::atomic<int> suites{0};
    own_address_ = absl::StrCat("unix-abstract:gonghui-", getpid(), "-", suites++);
    std::map<std::string, std::string> addresses = options_.peers;
    for (const std::string& area : options_.services) addresses[area] = own_address_;
    for (const auto& [area, address] : addresses) {
      peers_[area] = std::make_unique<rpc::Client>(
          rpc::Client::Options{.address = address,
                               .token = [this] { return ServiceToken(); },
                               .credentials = peer_credentials_});
    }
  }

  std::unique_ptr<cache::Cache> OpenCache(sql::Database& db) const {
    if (options_.redis.empty()) return cache::Cache::Open({.max_bytes = options_.cache_bytes});
    return cache::Cache::OpenShared({.redis = options_.redis,
                                     .mac_key = personal_->Index("cache", "mac"),
                                     .lease = options_.redis_lease},
                                    db);
  }

  // The files built in, with those of catalog_dir in place of namesakes and after them.
  absl::StatusOr<std::vector<EmbeddedFile>> CatalogOf(const std::string& area,
                                                      std::vector<EmbeddedFile> files) {
    const fs::path folder = fs::path(options_.catalog_dir) / area;
    if (options_.catalog_dir.empty() || !fs::exists(folder)) return files;
    std::set<fs::path> paths;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() == ".yaml") paths.insert(entry.path());
    }
    for (const fs::path& path : paths) {
      ASSIGN_OR_RETURN(std::string text, ReadFile(path.string()));
      const std::string& name = catalog_texts_.emplace_back(path.filename().string());
      const EmbeddedFile file{name, catalog_texts_.emplace_back(std::move(text))};
      const auto same = std::find_if(files.begin(), files.end(),
                                     [&](const EmbeddedFile& f) { return f.name == name; });
      if (same == files.end()) {
        files.push_back(file);
      } else {
        *same = file;
      }
    }
    return files;
  }

  // `given`, or the place in the data folder.
  std::string InData(const std::string& given, std::string_view place) const {
    return given.empty() ? (fs::path(options_.data_dir) / place).string() : given;
  }

  absl::Status OpenServices() {
    Host host{.clock = options_.clock,
              .pipeline = pipeline_.get(),
              .tree = tree_.get(),
              .personal = personal_.get(),
              .open_cache = nullptr,
              .catalog = nullptr,
              .anchoring = {.key_file = InData(options_.ledger_key_file, "keys/ledger.pem"),
                            .target = InData(options_.ledger_anchor, "anchors/ledger.jsonl"),
                            .every = options_.ledger_anchor_every},
              .peer = [this](const std::string& area) -> const rpc::Client* {
                return peers_.at(area).get();
              }};
    using Opener = absl::StatusOr<std::unique_ptr<Hosted>> (*)(const Host&);
    const std::vector<std::pair<std::string, Opener>> openers = {
        {"membership", membership::OpenMembership},
        {"funds", funds::OpenFunds},
        {"activities", activities::OpenActivities},
        {"casework", casework::OpenCasework},
        {"reports", reports::OpenReports}};
    for (const auto& [area, open] : openers) {
      if (!Hosts(area)) continue;
      host.db = databases_.at(area).get();
      host.open_cache = [this, db = host.db] { return OpenCache(*db); };
      host.catalog = [this, area = area](const std::vector<EmbeddedFile>& builtin) {
        return CatalogOf(area, builtin);
      };
      ASSIGN_OR_RETURN(std::unique_ptr<Hosted> service, open(host));
      if (area == "reports") reports_ = service.get();
      hosted_.push_back(std::move(service));
    }
    return absl::OkStatus();
  }

  absl::Status Listen() {
    std::map<std::string, sql::Database*> sources;
    for (const auto& [area, db] : databases_) {
      if (area != "reports") sources[area] = db.get();
    }
    feed_ = std::make_unique<feed::FeedService>(std::move(sources));
    feed_service_ = std::make_unique<rpc::Service>("gonghui.feed.v1.FeedService", *pipeline_);
    feed_service_->Handle("ListEvents", feed_.get(), &feed::FeedService::ListEvents);
    feed_service_->Handle("ListHeads", feed_.get(), &feed::FeedService::ListHeads);
    std::vector<rpc::Service*> services = {feed_service_.get()};
    for (const auto& service : hosted_) {
      for (rpc::Service* s : service->services()) services.push_back(s);
    }
    std::vector<std::string> listen = options_.listen;
    listen.push_back(own_address_);
    ASSIGN_OR_RETURN(server_, rpc::Server::Start({.listen = std::move(listen),
                                                  .credentials = server_credentials_,
                                                  .reflection = options_.reflection},
                                                 services));
    if (options_.ops_port >= 0) {
      ASSIGN_OR_RETURN(ops_,
                       ops::OpsServer::Start({.host = options_.http_host,
                                              .port = options_.ops_port,
                                              .not_ready = [this] { return NotReady(); },
                                              .status_page = [this] {
                                                return StatusPage(
                                                    options_, draining_ ? "draining" : "serving",
                                                    port(), http_port());
                                              }}));
    }
    if (options_.http_port >= 0) {
      const auto address = [this](const std::string& area) {
        auto peer = options_.peers.find(area);
        return Hosts(area) || peer == options_.peers.end() ? own_address_ : peer->second;
      };
      ASSIGN_OR_RETURN(gateway_, gateway::Gateway::Start({.host = options_.http_host,
                                                          .port = options_.http_port,
                                                          .address = address,
                                                          .credentials = peer_credentials_,
                                                          .tls = options_.tls}));
      http_port_ = gateway_->port();
    }
    server_->SetServing(true);
    for (const auto& service : hosted_) service->Start();
    StartUpkeep();
    return absl::OkStatus();
  }

  void StartUpkeep() {
    for (const auto& [area, db] : databases_) {
      upkeep_.Add(absl::StrCat(area, " requests"), [this, db = db.get()] {
        const absl::Time before = options_.clock->Now() - absl::Hours(24) * options_.request_days;
        return rpc::ForgetResponses(*db, absl::ToUnixMicros(before));
      });
    }
    upkeep_.Start();
  }

  std::string NotReady() {
    if (draining_) return "draining: no new calls are wanted";
    for (const auto& [area, db] : databases_) {
      absl::Status status = db->ReadOnly(absl::Now() + absl::Seconds(2), [](sql::Tx& tx) {
        return tx.Run({"ops.ping", "SELECT 1"}).status();
      });
      if (status.ok()) continue;
      return absl::StrCat(area, ": the database does not answer: ", status.message());
    }
    return "";
  }

  // Of the data folder.
  std::string Disk() const {
    std::error_code error;
    const fs::space_info space = fs::space(options_.data_dir, error);
    if (error) return absl::StrCat(options_.data_dir, ": ", error.message());
    free_bytes_.Set(static_cast<double>(space.available));
    all_bytes_.Set(static_cast<double>(space.capacity));
    return absl::StrCat(options_.data_dir, ": ", space.available >> 20, " of ",
                        space.capacity >> 20, " MiB free");
  }

  void Shutdown(absl::Duration linger) {
    if (!server_) return;
    // Whoever sends calls here sees it and has time to turn away, over HTTP too.
    draining_ = true;
    server_->SetServing(false);
    absl::SleepFor(linger);
    gateway_.reset();
    upkeep_.Stop();
    for (const auto& service : hosted_) service->Stop();
    server_->Drain(absl::ZeroDuration(), absl::Seconds(15));
    pipeline_->Stop();
    ops_.reset();
    peers_.clear();
    server_.reset();
    feed_service_.reset();
    hosted_.clear();
  }

  const Options options_;
  auth::TrustedIssuers issuers_;
  rpc::RateLimits limits_;
  std::shared_ptr<grpc::ServerCredentials> server_credentials_;  // nullptr: plaintext.
  std::shared_ptr<grpc::ChannelCredentials> peer_credentials_;   // The same.
  std::optional<auth::SigningKey> own_key_;
  std::optional<auth::SigningKey> dev_key_;
  std::unique_ptr<crypto::PersonalData> personal_;
  absl::Notification stopping_;
  std::atomic<bool> draining_ = false;
  const ops::Gauge free_bytes_{"gonghui_data_free_bytes", "Free space where the data folder is."};
  const ops::Gauge all_bytes_{"gonghui_data_size_bytes", "Size of the disk of the data folder."};
  const ops::Section disk_{"disk", [this] { return Disk(); }};
  std::thread key_watch_;                  // Takes over keys that change.
  std::deque<std::string> catalog_texts_;  // Names and texts of the files of catalog_dir.
  std::map<std::string, std::unique_ptr<sql::Database>> databases_;
  rpc::Upkeep upkeep_{kUpkeepEvery};
  absl::Mutex token_mutex_;
  std::string token_ ABSL_GUARDED_BY(token_mutex_);
  absl::Time token_renewal_ ABSL_GUARDED_BY(token_mutex_) = absl::InfinitePast();
  std::string own_address_;
  std::map<std::string, std::unique_ptr<rpc::Client>> peers_;
  std::unique_ptr<tree::TreeCache> tree_;
  std::unique_ptr<rpc::Pipeline> pipeline_;
  std::vector<std::unique_ptr<Hosted>> hosted_;
  Hosted* reports_ = nullptr;
  std::unique_ptr<feed::FeedService> feed_;
  std::unique_ptr<rpc::Service> feed_service_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<ops::OpsServer> ops_;
  std::unique_ptr<gateway::Gateway> gateway_;
  int http_port_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Suite>> Suite::Start(Options options) {
  auto suite = std::make_unique<RunningSuite>(std::move(options));
  RETURN_IF_ERROR(suite->Open());
  return suite;
}

}  // namespace gonghui
