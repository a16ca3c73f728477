// gonghui_bench [--full] [--seconds S] [--reps N] [NAME…]: what the suite does, as ratios to a bare
// limit taken in the same run. Names: rpc members bulk vouchers facts figures columns city live
// overload; none: all. --full: columns and city with ten million facts. Environment:
// GONGHUI_TEST_PG (PostgreSQL URL), GONGHUI_TEST_REDIS.
#include <stdlib.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "tests/bench/benches.h"

int main(int argc, char** argv) {
  using namespace gonghui::bench;  // NOLINT(google-build-using-namespace)
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // As in gonghuid.
  const std::map<std::string, void (*)(const Settings&)> benches = {
      {"rpc", BenchRpc},           {"members", BenchMembers}, {"bulk", BenchBulk},
      {"vouchers", BenchVouchers}, {"facts", BenchFacts},     {"figures", BenchFigures},
      {"columns", BenchColumns},   {"city", BenchCity},       {"live", BenchLive},
      {"overload", BenchOverload}};
  if (argc == 4 && std::strcmp(argv[1], "raw") == 0) {
    BenchImport(argv[2], std::atof(argv[3]));
    return 0;
  }
  Settings settings;
  std::set<std::string> names;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
      settings.seconds = std::atof(argv[++i]);
    } else if (std::strcmp(argv[i], "--reps") == 0 && i + 1 < argc) {
      settings.repetitions = std::atoi(argv[++i]);
    } else if (std::strcmp(argv[i], "--full") == 0) {
      settings.full = true;
    } else if (benches.contains(argv[i])) {
      names.insert(argv[i]);
    } else {
      std::fprintf(stderr,
                   "usage: gonghui_bench [--full] [--seconds S] [--reps N] "
                   "[rpc|members|bulk|vouchers|facts|figures|columns|city|live|overload]…\n");
      return 2;
    }
  }
  if (const char* url = getenv("GONGHUI_TEST_PG")) settings.postgres = url;
  if (const char* address = getenv("GONGHUI_TEST_REDIS")) settings.redis = address;
  for (const auto& [name, bench] : benches) {
    if (!names.empty() && !names.contains(name)) continue;
    std::fprintf(stderr, "%s\n", name.c_str());
    bench(settings);
  }
  return 0;
}
