// The benchmarks, and what they share: a suite on temporary files with one federation in it.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/sql/sql.h"
#include "gonghui/membership/v1/member.pb.h"
#include "services/server/suite.h"

namespace gonghui::bench {

struct Settings {
  double seconds = 2;
  int repetitions = 5;
  bool full = false;     // The city with ten million facts.
  std::string postgres;  // Empty: measurements on PostgreSQL are left out and said so.
  std::string redis;
};

void BenchRpc(const Settings& settings);
void BenchMembers(const Settings& settings);
void BenchBulk(const Settings& settings);
void BenchVouchers(const Settings& settings);
void BenchFacts(const Settings& settings);
void BenchFigures(const Settings& settings);
void BenchColumns(const Settings& settings);
void BenchCity(const Settings& settings);
void BenchLive(const Settings& settings);
void BenchOverload(const Settings& settings);
// `rate`: rows of the files a second, as measured from outside; the databases of that suite lie in
// `folder`.
void BenchImport(const std::string& folder, double rate);

// A suite in a temporary folder with the federation "bench", its root "D01" and the unions "U000" …
// "U099".
class BenchSuite {
 public:
  explicit BenchSuite(Suite::Options options = {});
  ~BenchSuite();
  Suite& suite() { return *suite_; }
  std::string address() const;
  const std::string& token() const { return token_; }
  const std::string& folder() const { return folder_; }

  template <typename Response, typename Request>
  Response Must(const std::string& method, const Request& request) {
    auto response = client_->Invoke<Response>(method, request);
    if (!response.ok()) Fail(response.status());
    return *std::move(response);
  }
  // Loads members in batches of 1000 and returns their names.
  std::vector<std::string> LoadMembers(int count, int first = 0);
  [[noreturn]] static void Fail(const absl::Status& status);

 private:
  std::string folder_;
  std::unique_ptr<Suite> suite_;
  std::string token_;
  std::unique_ptr<rpc::Client> client_;
};

// The n-th made-up member: a valid identity number, different for each n below 10^6.
membership::v1::Member MakeMember(int n);

// A table of RawInsertRate, and what else each of its rows causes: a statement whose ?N are the
// row's columns; empty: nothing.
struct RawTable {
  std::string name;
  std::string also = {};
};
// All rows of a table, and the rate at which the bare engine takes the same rows into an empty
// database of the same schema (made by copying `schema_of` without rows), `batch` rows a
// transaction.
double RawInsertRate(const std::string& schema_of, const std::vector<RawTable>& tables, int batch,
                     int64_t* count = nullptr);

}  // namespace gonghui::bench
