#include "tests/acceptance/district.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace gonghui::district {
namespace {

constexpr char kBeforeAll[] = "2019-01-01";

}  // namespace

int64_t District::Scaled(int64_t count) const {
  return std::max<int64_t>(1, std::llround(static_cast<double>(count) * scale));
}

std::vector<size_t> District::OfKind(absl::string_view kind) const {
  std::vector<size_t> found;
  for (size_t i = 0; i < organizations.size(); ++i) {
    if (organizations[i].kind == kind && organizations[i].founded_on < kBeforeAll) {
      found.push_back(i);
    }
  }
  return found;
}

std::vector<size_t> District::Settled(size_t organization) const {
  std::vector<size_t> settled;
  for (size_t i = organizations[organization].members_begin;
       i < organizations[organization].members_end; ++i) {
    if (members[i].joined_on < kBeforeAll) settled.push_back(i);
  }
  return settled;
}

District MakeDistrict(uint64_t seed, double scale) {
  District district;
  district.seed = seed;
  district.scale = scale;
  AddOrganizations(district);
  AddMembers(district);
  return district;
}

void Folder::Write(int order, absl::string_view kind, const CsvFile& file) {
  if (!status_.ok()) return;
  const std::string name = absl::StrFormat("%02d-%s.csv", order, kind);
  status_ = file.Write(absl::StrCat(path_, "/", name));
  if (!status_.ok())
    status_ = absl::Status(status_.code(), absl::StrCat(name, ": ", status_.message()));
}

std::string Numbered(absl::string_view prefix, int64_t number, int digits) {
  return absl::StrFormat("%s-%0*d", prefix, digits, number);
}

std::string Yuan(int64_t fen) { return absl::StrFormat("%d.%02d", fen / 100, fen % 100); }

}  // namespace gonghui::district
