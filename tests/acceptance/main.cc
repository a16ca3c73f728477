// district: makes the import files of a made-up district whose first half of 2020 yields the
// published figures, and compares computed figures with the published ones.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "tests/acceptance/comparison.h"
#include "tests/acceptance/district.h"

namespace gonghui::district {
namespace {

constexpr char kUsage[] =
    "district --out DIR [--seed 2020] [--scale 1]   writes DIR/NN-kind.csv, to be imported in "
    "order\n"
    "district compare EXPECTED.csv OUT.csv COMMAND ...\n"
    "                                               asks COMMAND (gonghui figures --org D01 --csv) "
    "for each figure\n"
    "                                               that records must yield; exit status 1 when "
    "one differs\n"
    "The same seed makes the same files. --scale makes more or fewer members, contest entries and "
    "insured\n"
    "persons; only scale 1 yields the published figures.\n";

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "district: %s\n", std::string(status.message()).c_str());
  return 1;
}

int Generate(const std::vector<std::string>& args) {
  std::string out;
  uint64_t seed = 2020;
  double scale = 1;
  for (size_t i = 0; i < args.size(); i += 2) {
    const std::string value = i + 1 < args.size() ? args[i + 1] : "";
    const bool ok =
        (args[i] == "--out" && !(out = value).empty()) ||
        (args[i] == "--seed" && absl::SimpleAtoi(value, &seed)) ||
        (args[i] == "--scale" && absl::SimpleAtod(value, &scale) && scale > 0 && scale <= 1000);
    if (!ok) return Fail(absl::InvalidArgumentError("cannot take " + args[i] + " " + value));
  }
  if (out.empty()) return Fail(absl::InvalidArgumentError("--out DIR is missing"));
  std::error_code error;
  std::filesystem::create_directories(out, error);
  const District district = MakeDistrict(seed, scale);
  Folder folder(out);
  for (auto write : {WriteMembership, WriteRegisters, WriteFunds, WriteContests, WriteActivities,
                     WriteServices, WriteCasework}) {
    write(district, folder);
  }
  if (!folder.status().ok()) return Fail(folder.status());
  std::printf("%zu organisations, %zu members in %s\n", district.organizations.size(),
              district.members.size(), out.c_str());
  return 0;
}

int Main(const std::vector<std::string>& args) {
  if (args.size() > 3 && args[0] == "compare") {
    absl::Status status = Compare(args[1], args[2], {args.begin() + 3, args.end()});
    return status.ok() ? 0 : Fail(status);
  }
  if (!args.empty() && args[0].rfind("--", 0) == 0 && args[0] != "--help") return Generate(args);
  std::fputs(kUsage, stderr);
  return args.size() == 1 && args[0] == "--help" ? 0 : 2;
}

}  // namespace
}  // namespace gonghui::district

int main(int argc, char** argv) {
  return gonghui::district::Main(std::vector<std::string>(argv + 1, argv + argc));
}
