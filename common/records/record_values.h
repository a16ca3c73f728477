// What rules, clocks and computed fields read of a record besides its fields.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/catalog/catalog.h"
#include "common/catalog/fact_rules.h"
#include "common/records/record_store.h"
#include "common/tree/organization_tree.h"

namespace gonghui::records {

// True when a computed field of `parent` sums over the records of `child`.
bool SumsOver(const common::v1::Kind& parent, const common::v1::Kind& child);
// True when a computed field of the kind sums over records that refer to it.
bool SumsOverAny(const common::v1::Kind& kind);

// Cheap to make; lives as long as what it was made from.
class Values {
 public:
  Values(const catalog::Catalog& catalog, const tree::OrganizationTree& tree)
      : catalog_(catalog), tree_(tree) {}

  // A field, "limit.NAME" or a literal as text, money in fen; empty where there is none.
  std::string Read(std::string_view name, const catalog::FactSource& source) const;

  // What the left side of the rule is compared with: right × right_times + plus, or the date; empty
  // where there is none.
  std::string RightOf(const common::v1::RecordRule& rule, const catalog::FactSource& source) const;
  // True when both sides have a value and do not stand in the relation.
  bool Breaks(const common::v1::RecordRule& rule, const catalog::FactSource& source) const;

  // Fills the computed fields of `row`, to which `children` refer, and returns the whole as rules
  // and facts see it.
  catalog::FactSource Compute(const common::v1::Kind& kind, const Parent& parent,
                              const std::vector<Row>& children, Row& row) const;

 private:
  std::string LimitOf(std::string_view name, const catalog::FactSource& source) const;
  // nullopt: the value has no number.
  std::optional<int64_t> NumberOf(std::string_view name, const catalog::FactSource& source) const;
  // 128 bits: what is divided afterwards may be larger than its result.
  __extension__ using Wide = __int128;
  std::optional<Wide> Product(const common::v1::Term& term,
                              const catalog::FactSource& source) const;
  std::optional<Wide> Sum(const common::v1::Term& term, const common::v1::Kind& kind,
                          const Row& row, const std::vector<Row>& children,
                          const catalog::FactSource& source) const;
  Wide SumOfCodes(const common::v1::Term& term, const catalog::FactSource& source) const;
  // `value` within the bounds of the computation.
  int64_t Bounded(const common::v1::Computation& computation, int64_t value,
                  const catalog::FactSource& source) const;
  std::optional<int64_t> Result(const common::v1::Computation& computation,
                                const common::v1::Kind& kind, const Row& row,
                                const std::vector<Row>& children,
                                const catalog::FactSource& source) const;

  const catalog::Catalog& catalog_;
  const tree::OrganizationTree& tree_;
};

}  // namespace gonghui::records
