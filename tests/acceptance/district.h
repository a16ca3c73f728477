// A made-up district: its organisations and members, and the files that hold them and the single
// records behind the published figures of a half-year.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tests/acceptance/csv_file.h"
#include "tests/acceptance/people.h"
#include "tests/acceptance/random.h"

namespace gonghui::district {

// The half-year of the figures.
inline constexpr char kFirstDay[] = "2020-01-01";
inline constexpr char kLastDay[] = "2020-06-30";

struct Organization {
  std::string id;
  std::string parent;
  std::string display_name;
  std::string place;  // The beginning of the name, for records that name a place.
  std::string kind;
  std::string union_type;
  std::string industry;
  std::string founded_on;
  std::string credit_code;  // The union's own.
  std::string unit;         // Its employer's code.
  int64_t employees = 0;
  // Half-open ranges of positions: the subtree in District::organizations (itself first) and its
  // members in District::members (its own first).
  size_t subtree_end = 0;
  size_t members_begin = 0;
  size_t members_end = 0;
};

struct Member {
  Person person;
  size_t organization = 0;  // Position in District::organizations.
  std::string joined_on;
};

struct District {
  uint64_t seed = 0;
  double scale = 1;                         // Of the kinds with thousands of records.
  std::vector<Organization> organizations;  // Depth first; the root first.
  std::vector<Member> members;              // In the order of their organisations.

  // A number of records at this district's scale, at least 1.
  int64_t Scaled(int64_t count) const;
  const std::string& RootId() const { return organizations.front().id; }
  // Positions of the organisations of a kind that stood before any record, those of 2019 included.
  std::vector<size_t> OfKind(absl::string_view kind) const;
  // Members of a subtree who joined before 2019.
  std::vector<size_t> Settled(size_t organization) const;
};

District MakeDistrict(uint64_t seed, double scale);
void AddOrganizations(District& district);
void AddMembers(District& district);

// Writes NN-kind.csv files into a folder; NN is the order of import.
class Folder {
 public:
  explicit Folder(std::string path) : path_(std::move(path)) {}
  // The first failure stays; it is what status() tells.
  void Write(int order, absl::string_view kind, const CsvFile& file);
  const absl::Status& status() const { return status_; }

 private:
  std::string path_;
  absl::Status status_;
};

// One for each area; each topic draws from its own Random.
void WriteMembership(const District& district, Folder& folder);
void WriteRegisters(const District& district, Folder& folder);
void WriteFunds(const District& district, Folder& folder);
void WriteContests(const District& district, Folder& folder);
void WriteActivities(const District& district, Folder& folder);
void WriteServices(const District& district, Folder& folder);
void WriteCasework(const District& district, Folder& folder);

// Columns that many kinds share.
inline constexpr Column kNumber{"number", "编号"};
inline constexpr Column kOrganization{"organization", "所属工会"};
inline constexpr Column kFullName{"full_name", "姓名"};
inline constexpr Column kPerson{"person", "身份证号"};

// "JS-0007".
std::string Numbered(absl::string_view prefix, int64_t number, int digits = 3);
// Fen as yuan: "1234.05".
std::string Yuan(int64_t fen);

}  // namespace gonghui::district
