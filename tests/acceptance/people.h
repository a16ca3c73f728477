// Made-up persons.
#pragma once

#include <set>
#include <string>

#include "tests/acceptance/random.h"

namespace gonghui::district {

struct Person {
  std::string full_name;
  std::string id_number;  // Valid by its check digit (GB 11643) and nobody's.
  bool female = false;
  std::string birth_date;  // ISO.
};

// Makes persons who differ from each other in their identity numbers.
class People {
 public:
  explicit People(Random random) : random_(random) {}

  // Born in a year of [first_year, last_year].
  Person Make(int first_year, int last_year);
  std::string Phone();

 private:
  Random random_;
  std::set<std::string> taken_;
};

// Name of a person, for records that hold names only.
std::string MakeName(Random& random, bool female);

// A unified social credit code (GB 32100) with a valid check character: "91" begins an
// enterprise's, "81" a union's.
std::string MakeCreditCode(Random& random, const std::string& prefix);

// A day of [first, last], both ISO dates.
std::string DayBetween(Random& random, const std::string& first, const std::string& last);

}  // namespace gonghui::district
