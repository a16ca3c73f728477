#include <stdio.h>

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

double PostUnary(BenchSuite& suite, double seconds) {
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
              .seconds = seconds});
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

void BenchPostgres(const Settings& settings) {
  const std::string separator = settings.postgres.find('?') == std::string::npos ? "?" : "&";
  const std::string database = absl::StrCat("gonghui_bench_", getpid());
  if (system(absl::StrCat("psql -q '", settings.postgres, "' -c 'CREATE DATABASE ", database, "'")
                 .c_str()) != 0)
    return;
  const size_t slash = settings.postgres.rfind('/');
  const std::string url = absl::StrCat(settings.postgres.substr(0, slash + 1), database);
  {
    BenchSuite suite({.database_urls = {{"funds", url}}});
    OpenBooks(suite);
    const std::vector<double> rates =
        Interleave({{"pgbench_tpcb_8_clients", [&] { return Pgbench(url, settings.seconds); }},
                    {"post_voucher_postgres", [&] { return PostUnary(suite, settings.seconds); }}},
                   settings.repetitions);
    Print("post_voucher_postgres", rates[1], "vouchers/s", rates[0], 1.5);
  }
  (void)system(
      absl::StrCat("psql -q '", settings.postgres, "' -c 'DROP DATABASE ", database, "'").c_str());
}

}  // namespace

// Posting one voucher a call: waiting calls share a transaction, compared with one transaction
// each; and a thousand a call, compared with bare sqlite3 inserts of the vouchers and entries that
// it wrote.
void BenchVouchers(const Settings& settings) {
  BenchSuite together;
  BenchSuite alone({.batch_limit = 1});
  OpenBooks(together);
  OpenBooks(alone);
  const std::vector<double> rates = Interleave(
      {{"post_voucher_one_transaction_each", [&] { return PostUnary(alone, settings.seconds); }},
       {"post_voucher", [&] { return PostUnary(together, settings.seconds); }}},
      settings.repetitions);
  Print("post_voucher_sqlite", rates[1], "vouchers/s", rates[0], 2);

  BenchSuite batches;
  OpenBooks(batches);
  PostBatches(batches);
  const std::vector<double> batch_rates = Interleave(
      {{"raw_sqlite_vouchers",
        // A voucher is one row and two entries: three rows.
        [&] {
          return RawInsertRate(batches.folder() + "/funds.db", {"vouchers", "entries"}, 1000) / 3;
        }},
       {"batch_post_vouchers", [&] { return PostBatches(batches); }}},
      settings.repetitions);
  Print("batch_post_vouchers", batch_rates[1], "vouchers/s", batch_rates[0], 0.7);
  if (settings.postgres.empty()) {
    std::fprintf(stderr, "  post_voucher_postgres left out: GONGHUI_TEST_PG is not set\n");
  } else {
    BenchPostgres(settings);
  }
}

}  // namespace gonghui::bench
