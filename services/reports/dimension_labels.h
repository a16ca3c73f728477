// Dimensions of figures in Chinese, from the catalogues of the services that keep the records.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "gonghui/common/v1/record.pb.h"
#include "gonghui/reports/v1/report.pb.h"
#include "services/reports/measures.h"

namespace gonghui::reports {

class DimensionLabels {
 public:
  explicit DimensionLabels(const Measures& measures) : measures_(&measures) {}

  // Takes over what a service says of its kinds: which field, with which code list, fills which
  // dimension of which measure.
  void Add(const common::v1::ListKindsResponse& kinds);
  // "渠道=线上;主题=安全生产". What no catalogue names stands as its code.
  std::string Of(const v1::Figure& figure) const;

 private:
  struct Words {
    std::string key;
    std::map<std::string, std::string, std::less<>> values;  // By code.
  };
  static Words WordsOf(const common::v1::ListKindsResponse& kinds,
                       const common::v1::KindField& field);
  // nullptr where no catalogue names it; of a ratio as one of its parts has it.
  const Words* Find(std::string_view measure, std::string_view key) const;

  const Measures* measures_;
  std::map<std::pair<std::string, std::string>, Words> words_;  // By measure and key.
  // Dimensions filled with the built-in field tier, the kind of the record's organisation.
  std::set<std::pair<std::string, std::string>> of_tier_;
  Words tier_;
};

}  // namespace gonghui::reports
