// Vouchers across kill -9: a real gonghuid dies at random moments while four writers post. Whatever
// was acknowledged is there once, whatever was repeated took effect once, and the books balance.
#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/auth/token.h"
#include "common/base/text.h"
#include "common/rpc/client.h"
#include "common/testing/jobs.h"
#include "common/testing/matchers.h"
#include "common/testing/process.h"
#include "common/testing/settings.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "gonghui/funds/v1/proof.pb.h"
#include "gonghui/membership/v1/federation.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "gtest/gtest.h"

namespace gonghui::funds {
namespace {

namespace fs = std::filesystem;
using testing::IsOk;

constexpr int kWriters = 4;
constexpr const char* kBooks[] = {"D01", "T01"};
constexpr absl::Duration kPatience = absl::Seconds(60);

template <typename Response, typename Request>
absl::StatusOr<Response> Ledger(const rpc::Client& client, std::string_view method,
                                const Request& request) {
  return client.Invoke<Response>(StrCat("/gonghui.funds.v1.LedgerService/", method), request);
}

// What a caller sees when the server dies under a call: the outcome is unknown, so it asks again.
bool IsUnanswered(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsCancelled(status);
}

v1::PostVoucherRequest RandomVoucher(std::mt19937_64& random, const std::string& request_id) {
  v1::PostVoucherRequest request;
  request.set_parent(StrCat("federations/demo/books/", kBooks[random() % std::size(kBooks)]));
  request.set_request_id(request_id);
  v1::Voucher& voucher = *request.mutable_voucher();
  voucher.set_on_date(absl::StrFormat("2020-%02d-%02d", 1 + random() % 3, 1 + random() % 28));
  voucher.set_memo(request_id);
  const int64_t fen = 1 + static_cast<int64_t>(random() % 1'000'000);
  v1::Entry& debit = *voucher.add_entries();
  debit.set_account("102");
  debit.set_debit_fen(fen);
  v1::Entry& credit = *voucher.add_entries();
  credit.set_account("402");
  credit.set_credit_fen(fen);
  return request;
}

class PostingKillTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "gonghui-kill-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    random_.seed(testing::Seed());
    Start();
    ASSERT_NO_FATAL_FAILURE(AwaitReady());
    ASSERT_NO_FATAL_FAILURE(SignToken());
    ASSERT_NO_FATAL_FAILURE(OpenBooks());
  }

  void TearDown() override {
    server_.Stop(SIGKILL);
    if (!HasFailure()) fs::remove_all(folder_);
  }

  // A socket, not a port: while the server is away nobody else can take its address.
  std::string Address() const { return StrCat("unix:", (folder_ / "grpc").string()); }

  void Start() {
    fs::remove(folder_ / "port");
    server_ = testing::Process({GONGHUID_BINARY, "--dev", "--services", "membership,funds",
                                "--data", folder_ / "data", "--listen", Address(), "--http-port",
                                "-1", "--ops-port", "-1", "--port-file", folder_ / "port"},
                               folder_ / "log");
  }

  void AwaitReady() {
    const absl::Time limit = absl::Now() + kPatience;
    while (!fs::exists(folder_ / "port")) {
      ASSERT_TRUE(server_.Running()) << "gonghuid ended; see " << folder_ / "log";
      ASSERT_LT(absl::Now(), limit) << "gonghuid is not ready; see " << folder_ / "log";
      absl::SleepFor(absl::Milliseconds(1));
    }
  }

  // With the development key that the server made.
  void SignToken() {
    ASSERT_OK_AND_ASSIGN(
        const auth::SigningKey key,
        auth::SigningKey::FromPemFile(folder_ / "data/dev/signing-key.pem", "dev"));
    auth::Actor actor{.subject = "writer", .federation = "demo", .grants = {}};
    common::v1::Grant& grant = actor.grants.emplace_back();
    grant.set_role("admin");
    grant.set_organization("*");
    grant.set_below(true);
    const absl::Time now = absl::Now();
    ASSERT_OK_AND_ASSIGN(token_, key.Sign({.issuer = std::string(auth::kIssuer),
                                           .audience = std::string(auth::kAudience),
                                           .actor = actor,
                                           .expires = now + absl::Hours(24)},
                                          now));
  }

  std::unique_ptr<rpc::Client> NewClient() const {
    return std::make_unique<rpc::Client>(rpc::Client::Options{
        .address = Address(), .token = [token = token_] { return token; }, .channels = 1});
  }

  void OpenBooks() {
    const auto client = NewClient();
    membership::v1::CreateFederationRequest federation;
    federation.set_federation_id("demo");
    federation.mutable_federation()->set_display_name("示范区总工会");
    ASSERT_THAT(client->Invoke<membership::v1::Federation>(
                    "/gonghui.membership.v1.FederationService/CreateFederation", federation),
                IsOk());
    for (const std::string id : kBooks) {
      membership::v1::CreateOrganizationRequest request;
      request.set_parent("federations/demo");
      membership::v1::Organization& organization = *request.mutable_organization();
      organization.set_id(id);
      organization.set_parent(id == "D01" ? "" : "D01");
      organization.set_kind(id == "D01" ? "district" : "town_street");
      organization.set_display_name(StrCat(id, "工会"));
      organization.set_founded_on("2015-01-01");
      ASSERT_THAT(client->Invoke<membership::v1::Organization>(
                      "/gonghui.membership.v1.OrganizationService/CreateOrganization", request),
                  IsOk());
      v1::CreateBookRequest book;
      book.set_parent("federations/demo");
      book.mutable_book()->set_organization(id);
      book.mutable_book()->set_chart("grassroots-2022");
      book.mutable_book()->set_opened_on("2020-01-01");
      ASSERT_THAT(Ledger<v1::Book>(*client, "CreateBook", book), IsOk());
    }
  }

  // The name that the server finally answers.
  std::string PostUntilAnswered(const rpc::Client& client, const v1::PostVoucherRequest& request) {
    const absl::Time limit = absl::Now() + kPatience;
    while (true) {
      const auto answer = Ledger<v1::Voucher>(client, "PostVoucher", request);
      if (answer.ok()) return answer->name();
      if (!IsUnanswered(answer.status()) || absl::Now() > limit) {
        ADD_FAILURE() << request.request_id() << ": " << answer.status();
        return "";
      }
      ++repetitions_;
    }
  }

  void Write(int writer, uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto client = NewClient();
    for (int n = 0; !stop_; ++n) {
      const auto request = RandomVoucher(random, StrCat("w", writer, "-", n));
      const std::string name = PostUntilAnswered(*client, request);
      if (name.empty()) return;
      ++answers_;
      absl::MutexLock lock(&mutex_);
      acknowledged_[request.request_id()] = {request, name};
    }
  }

  // Until every writer has found the server again.
  void AwaitAnswers() {
    const absl::Time limit = absl::Now() + kPatience;
    const int64_t before = answers_;
    while (answers_ < before + 10 * kWriters) {
      ASSERT_LT(absl::Now(), limit) << "the writers are not answered; see " << folder_ / "log";
      absl::SleepFor(absl::Milliseconds(1));
    }
  }

  // Kills, sometimes again before the server is ready, and starts. Time from start to ready.
  void KillAndRestart(std::vector<absl::Duration>& restarts) {
    ASSERT_NO_FATAL_FAILURE(AwaitAnswers());
    absl::SleepFor(absl::Milliseconds(random_() % 500));
    server_.Stop(SIGKILL);
    Start();
    if (random_() % 4 == 0) {
      absl::SleepFor(absl::Milliseconds(random_() % 150));
      server_.Stop(SIGKILL);
      Start();
    }
    const absl::Time started = absl::Now();
    ASSERT_NO_FATAL_FAILURE(AwaitReady());
    restarts.push_back(absl::Now() - started);
  }

  static std::vector<v1::Voucher> VouchersOf(const rpc::Client& client, const std::string& book) {
    std::vector<v1::Voucher> vouchers;
    v1::ListVouchersRequest request;
    request.set_parent(StrCat("federations/demo/books/", book));
    request.set_page_size(1000);
    do {
      const auto page = Ledger<v1::ListVouchersResponse>(client, "ListVouchers", request);
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) break;
      vouchers.insert(vouchers.end(), page->vouchers().begin(), page->vouchers().end());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return vouchers;
  }

  struct Acknowledged {
    v1::PostVoucherRequest request;
    std::string name;
  };

  fs::path folder_;
  testing::Process server_;
  std::string token_;
  std::mt19937_64 random_;
  std::atomic<bool> stop_{false};
  std::atomic<int64_t> answers_{0};
  std::atomic<int64_t> repetitions_{0};
  absl::Mutex mutex_;
  std::map<std::string, Acknowledged> acknowledged_;  // By request_id.
};

// One book against what was acknowledged for it.
void ExpectBookHolds(const std::vector<v1::Voucher>& vouchers,
                     const std::map<std::string, int64_t>& fen_of_name) {
  std::map<std::string, int64_t> found;
  std::map<std::string, std::set<int64_t>> numbers;  // By month.
  for (const v1::Voucher& voucher : vouchers) {
    ASSERT_EQ(voucher.entries_size(), 2) << voucher.name();
    EXPECT_EQ(voucher.entries(0).debit_fen(), voucher.entries(1).credit_fen()) << voucher.name();
    EXPECT_TRUE(found.emplace(voucher.name(), voucher.entries(0).debit_fen()).second)
        << voucher.name() << " is listed twice";
    EXPECT_TRUE(numbers[voucher.on_date().substr(0, 7)].insert(voucher.number()).second)
        << voucher.name() << " shares its number";
  }
  EXPECT_EQ(found, fen_of_name);
  for (const auto& [month, of_month] : numbers) {
    EXPECT_EQ(*of_month.begin(), 1) << month;
    EXPECT_EQ(*of_month.rbegin(), static_cast<int64_t>(of_month.size())) << month << " has gaps";
  }
}

void ExpectBalances(const rpc::Client& client, const std::string& book, int64_t fen) {
  v1::ListBalancesRequest request;
  request.set_parent(StrCat("federations/demo/books/", book));
  ASSERT_OK_AND_ASSIGN(const auto balances,
                       Ledger<v1::ListBalancesResponse>(client, "ListBalances", request));
  EXPECT_EQ(balances.debit_fen(), fen) << book;
  EXPECT_EQ(balances.credit_fen(), fen) << book;
}

TEST_F(PostingKillTest, AcknowledgedVouchersAreThereOnce) {
  const int rounds = testing::FullSize() ? 50 : 5;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([this, w, seed = random_()] { Write(w, seed); });
  }
  std::vector<absl::Duration> restarts;
  for (int round = 0; round < rounds && !HasFatalFailure(); ++round) KillAndRestart(restarts);
  stop_ = true;
  for (std::thread& writer : writers) writer.join();
  ASSERT_FALSE(HasFailure());

  const auto client = NewClient();
  std::set<std::string> names;
  std::map<std::string, std::map<std::string, int64_t>> fen_of_name;  // By book.
  for (const auto& [request_id, posted] : acknowledged_) {
    EXPECT_TRUE(names.insert(posted.name).second) << posted.name << " answers two requests";
    const std::string book = posted.request.parent().substr(posted.request.parent().rfind('/') + 1);
    fen_of_name[book][posted.name] = posted.request.voucher().entries(0).debit_fen();
    EXPECT_EQ(PostUntilAnswered(*client, posted.request), posted.name) << request_id;
  }
  for (const std::string book : kBooks) {
    ExpectBookHolds(VouchersOf(*client, book), fen_of_name[book]);
    int64_t fen = 0;
    for (const auto& [name, amount] : fen_of_name[book]) fen += amount;
    ExpectBalances(*client, book, fen);
  }
  v1::VerifyLedgerRequest verify;
  verify.set_parent("federations/demo");
  verify.set_request_id("verify");
  ASSERT_OK_AND_ASSIGN(const auto verified,
                       testing::RunJob<v1::VerifyLedgerResult>(
                           *client, "/gonghui.funds.v1.ProofService/VerifyLedger",
                           "gonghui.funds.v1.ProofService", verify));
  EXPECT_EQ(verified.faults_size(), 0) << verified.DebugString();
  EXPECT_EQ(verified.vouchers(), static_cast<int64_t>(acknowledged_.size()));
  std::sort(restarts.begin(), restarts.end());
  std::printf("%zu vouchers, %d kills, %lld repeated calls, restart to ready: median %.0f ms\n",
              acknowledged_.size(), rounds, static_cast<long long>(repetitions_),
              absl::ToDoubleMilliseconds(restarts[restarts.size() / 2]));
}

}  // namespace
}  // namespace gonghui::funds
