#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <atomic>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/id.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "tests/bench/benches.h"
#include "tests/bench/load.h"
#include "tests/bench/measure.h"

namespace gonghui::bench {
namespace {

constexpr const char* kPost = "/gonghui.funds.v1.LedgerService/PostVoucher";
constexpr const char* kBatchPost = "/gonghui.funds.v1.LedgerService/BatchPostVouchers";
constexpr int kBooks = 50;

// What an entry adds to the balance of its account.
constexpr const char* kAddToSum =
    "INSERT INTO account_sums (tenant, book_id, month, account, debit_fen, credit_fen, dimensions) "
    "VALUES (?1, ?2, ?3, ?6, ?7, ?8, ?11) ON CONFLICT (tenant, book_id, account, month, "
    "dimensions) DO UPDATE SET debit_fen = debit_fen + excluded.debit_fen, "
    "credit_fen = credit_fen + excluded.credit_fen";

funds::v1::Voucher MakeVoucher(int64_t n) {
  funds::v1::Voucher voucher;
  voucher.set_book(absl::StrFormat("U%03d", n % kBooks));
  voucher.set_on_date(absl::StrFormat("2020-%02d-%02d", n / 7 % 6 + 1, n % 28 + 1));
  voucher.set_memo("慰问");
  funds::v1::Entry& debit = *voucher.add_entries();
  debit.set_account("50105");
  debit.set_debit_fen(10000 + n % 1000);
  funds::v1::Entry& credit = *voucher.add_entries();
  credit.set_account("102");
  credit.set_credit_fen(10000 + n % 1000);
  return voucher;
}

void OpenBooks(BenchSuite& suite) {
  for (int i = 0; i < kBooks; ++i) {
    funds::v1::CreateBookRequest request;
    request.set_parent("federations/bench");
    request.mutable_book()->set_organization(absl::StrFormat("U%03d", i));
    request.mutable_book()->set_chart("grassroots-2022");
    request.mutable_book()->set_opened_on("2020-01-01");
    suite.Must<funds::v1::Book>("/gonghui.funds.v1.LedgerService/CreateBook", request);
  }
}

// The ledger with what it needs, as it runs in a city: the figures that follow it have a
// measurement of their own.
Suite::Options Ledger() { return {.services = {"membership", "funds"}}; }
Suite::Options LedgerOn(const std::string& url) {
  Suite::Options options = Ledger();
  options.database_urls["funds"] = url;
  return options;
}
Suite::Options OneEach(Suite::Options options) {
  options.batch_limit = 1;
  return options;
}

double PostUnary(BenchSuite& suite, double seconds, int in_flight = 64) {
  static std::atomic<int64_t> number{0};
  return Run({.address = suite.address(),
              .method = kPost,
              .token = suite.token(),
              .request =
                  [](int64_t) {
                    const int64_t n = number++;
                    funds::v1::PostVoucherRequest request;
                    *request.mutable_voucher() = MakeVoucher(n);
                    request.set_parent(
                        absl::StrCat("federations/bench/books/", request.voucher().book()));
                    request.set_request_id(absl::StrCat("bench-", n));
                    return request.SerializeAsString();
                  },
              .seconds = seconds,
              .in_flight = in_flight,
              .channels = in_flight > 4 ? 4 : 1});
}

double PostBatches(BenchSuite& suite) {
  constexpr int kBatches = 10;
  static int64_t number = 1'000'000'000;
  const absl::Time start = absl::Now();
  for (int b = 0; b < kBatches; ++b) {
    funds::v1::BatchPostVouchersRequest request;
    request.set_parent("federations/bench");
    request.set_request_id(absl::StrCat("batch-", number));
    for (int i = 0; i < 1000; ++i) *request.add_vouchers() = MakeVoucher(number++);
    auto response = suite.Must<funds::v1::BatchPostVouchersResponse>(kBatchPost, request);
    if (response.posted() != 1000)
      BenchSuite::Fail(absl::InternalError(response.failures(0).ShortDebugString()));
  }
  return kBatches * 1000 / absl::ToDoubleSeconds(absl::Now() - start);
}

// Transactions a second of pgbench's TPC-B with 8 clients on the same server; 0 when pgbench cannot
// run.
double Pgbench(const std::string& url, double seconds) {
  static bool initialised = false;
  const std::string quiet = " 2>&1";
  if (!initialised && system(absl::StrCat("/usr/lib/postgresql/15/bin/pgbench -i -s 10 -q '", url,
                                          "' >/dev/null", quiet)
                                 .c_str()) != 0)
    return 0;
  initialised = true;
  FILE* pipe = popen(absl::StrCat("/usr/lib/postgresql/15/bin/pgbench -M prepared -c 8 -j 2 -T ",
                                  static_cast<int>(seconds + 1), " '", url,
                                  "' 2>/dev/null | sed -n 's/^tps = \\([0-9.]*\\).*/\\1/p'")
                         .c_str(),
                     "r");
  double tps = 0;
  if (pipe == nullptr || fscanf(pipe, "%lf", &tps) != 1) tps = 0;
  if (pipe != nullptr) pclose(pipe);
  return tps;
}

// A database of its own on the server, while it lives.
class OwnDatabase {
 public:
  explicit OwnDatabase(const std::string& server, const char* name)
      : server_(server), name_(absl::StrCat("gonghui_bench_", name, "_", getpid())) {
    Server("CREATE DATABASE ");
  }
  ~OwnDatabase() { Server("DROP DATABASE "); }
  std::string url() const { return absl::StrCat(server_.substr(0, server_.rfind('/') + 1), name_); }

 private:
  void Server(const char* statement) const {
    if (system(absl::StrCat("psql -q '", server_, "' -c '", statement, name_, "'").c_str()) != 0) {
      BenchSuite::Fail(absl::UnavailableError("psql failed"));
    }
  }
  const std::string server_;
  const std::string name_;
};

void BenchPostgres(const Settings& settings) {
  const OwnDatabase pgbench(settings.postgres, "pgbench");
  const OwnDatabase first(settings.postgres, "together");
  const OwnDatabase second(settings.postgres, "alone");
  BenchSuite together(LedgerOn(first.url()));
  BenchSuite alone(OneEach(LedgerOn(second.url())));
  OpenBooks(together);
  OpenBooks(alone);
  const std::vector<double> rates = Interleave(
      {{"pgbench_tpcb_8_clients", [&] { return Pgbench(pgbench.url(), settings.seconds); }},
       {"post_voucher_one_transaction_each", [&] { return PostUnary(alone, settings.seconds); }},
       {"post_voucher_postgres", [&] { return PostUnary(together, settings.seconds); }}},
      settings.repetitions);
  Print("post_voucher_postgres", rates[2], "vouchers/s", rates[0], 2.5);
  Print("post_voucher_postgres_together", rates[2], "vouchers/s", rates[1], 3);
}

// Flushes of a small file to the disk, a second.
double Flushes(const std::string& folder, double seconds) {
  const std::string path = folder + "/flush";
  const int file = open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  const std::string page(4096, 'x');
  int flushes = 0;
  const absl::Time start = absl::Now();
  const absl::Time end = start + absl::Seconds(seconds);
  for (; absl::Now() < end; ++flushes) {
    if (pwrite(file, page.data(), page.size(), flushes % 64 * 4096) < 0 || fdatasync(file) != 0) {
      BenchSuite::Fail(absl::UnavailableError("the disk does not flush"));
    }
  }
  close(file);
  unlink(path.c_str());
  return flushes / absl::ToDoubleSeconds(absl::Now() - start);
}

// One voucher at a time against an echo and three flushes.
void BenchAlone(const Settings& settings, BenchSuite& suite) {
  const EchoServer echo(MakeMember(1));
  const std::vector<double> rates = Interleave(
      {{"echo_alone",
        [&] {
          return Run({.address = echo.address(),
                      .method = EchoServer::kMethod,
                      .request = [](int64_t) { return MakeMember(1).SerializeAsString(); },
                      .seconds = settings.seconds,
                      .in_flight = 1,
                      .channels = 1});
        }},
       {"flush", [&] { return Flushes(suite.folder(), settings.seconds); }},
       {"post_voucher_alone", [&] { return PostUnary(suite, settings.seconds, 1); }}},
      settings.repetitions);
  Print("post_voucher_alone", rates[2], "vouchers/s", 1 / (1 / rates[0] + 3 / rates[1]), 1);
}

// The trial balance of a book of few entries and of many.
void BenchTrialBalance(const Settings& settings) {
  constexpr int kEntries = 200;  // Of a voucher.
  BenchSuite suite(Ledger());
  OpenBooks(suite);
  int64_t number = 0;
  const auto fill = [&](int vouchers) {
    funds::v1::BatchPostVouchersRequest request;
    request.set_parent("federations/bench");
    request.set_request_id(absl::StrCat("fill-", number));
    for (int v = 0; v < vouchers; ++v, ++number) {
      funds::v1::Voucher& voucher = *request.add_vouchers() = MakeVoucher(0);
      voucher.set_on_date(absl::StrFormat("2020-%02d-15", number % 12 + 1));
      while (voucher.entries_size() < kEntries) {
        *voucher.add_entries() = voucher.entries(voucher.entries_size() - 2);
      }
    }
    suite.Must<funds::v1::BatchPostVouchersResponse>(kBatchPost, request);
  };
  const auto read = [&] {
    return Run({.address = suite.address(),
                .method = "/gonghui.funds.v1.LedgerService/ListBalances",
                .token = suite.token(),
                .request =
                    [](int64_t) {
                      funds::v1::ListBalancesRequest request;
                      request.set_parent("federations/bench/books/U000");
                      return request.SerializeAsString();
                    },
                .seconds = settings.seconds});
  };
  fill(50);
  const double few = Interleave({{"trial_balance_of_10_000_entries", read}}, 3)[0];
  for (int batch = 0; batch < (settings.full ? 100 : 10); ++batch) fill(500);
  const double many = Interleave({{"trial_balance_of_many_entries", read}}, 3)[0];
  Print(
      settings.full ? "trial_balance_of_10_000_000_entries" : "trial_balance_of_1_000_000_entries",
      many, "calls/s", few, 0.9);
}

}  // namespace

// Posting one voucher a call: waiting calls share a transaction, compared with one transaction
// each, one after the other; and a thousand a call, compared with bare sqlite3 inserts of the
// vouchers and entries that it wrote, each entry with its balance.
void BenchVouchers(const Settings& settings) {
  BenchSuite together(Ledger());
  BenchSuite alone(OneEach(Ledger()));
  OpenBooks(together);
  OpenBooks(alone);
  const std::vector<double> rates = Interleave(
      {{"post_voucher_one_transaction_each", [&] { return PostUnary(alone, settings.seconds); }},
       {"post_voucher", [&] { return PostUnary(together, settings.seconds); }}},
      settings.repetitions);
  Print("post_voucher_sqlite", rates[1], "vouchers/s", rates[0], 3);
  BenchAlone(settings, together);

  BenchSuite batches(Ledger());
  OpenBooks(batches);
  PostBatches(batches);
  const std::vector<double> batch_rates =
      Interleave({{"raw_sqlite_vouchers",
                   // A voucher is one row and two entries: three rows.
                   [&] {
                     return RawInsertRate(batches.folder() + "/funds.db",
                                          {{"vouchers"}, {"entries", kAddToSum}}, 1000) /
                            3;
                   }},
                  {"batch_post_vouchers", [&] { return PostBatches(batches); }}},
                 settings.repetitions);
  Print("batch_post_vouchers", batch_rates[1], "vouchers/s", batch_rates[0], 0.7);
  BenchTrialBalance(settings);
  if (settings.postgres.empty()) {
    std::fprintf(stderr, "  post_voucher_postgres left out: GONGHUI_TEST_PG is not set\n");
  } else {
    BenchPostgres(settings);
  }
}

}  // namespace gonghui::bench
