#include "services/reports/suppression.h"

#include <algorithm>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"
#include "services/reports/evaluation.h"

namespace gonghui::reports {
namespace {

// A set of positions on an axis, as bits.
using Bits = std::vector<bool>;

constexpr uint32_t kYear = 0xFFF;
// The nodes of the year that have parts, and the parts.
struct Parts {
  uint32_t whole;
  std::vector<uint32_t> parts;
};

const std::vector<Parts>& YearParts() {
  static const auto& all = *[] {
    auto* parts = new std::vector<Parts>{{kYear, {0x03F, 0xFC0}}};
    for (int half = 0; half < 2; ++half) {
      parts->push_back({0x3Fu << half * 6, {0x07u << half * 6, 0x38u << half * 6}});
    }
    for (int quarter = 0; quarter < 4; ++quarter) {
      const uint32_t first = 1u << quarter * 3;
      parts->push_back({0x7u << quarter * 3, {first, first << 1, first << 2}});
    }
    return parts;
  }();
  return all;
}

// Nodes whose parent holds something of `months` and something else, and the whole.
std::vector<uint32_t> MonthNodes(uint32_t months) {
  std::vector<uint32_t> nodes = {kYear};
  for (const Parts& node : YearParts()) {
    if ((node.whole & months) == 0 || (node.whole & ~months) == 0) continue;
    nodes.insert(nodes.end(), node.parts.begin(), node.parts.end());
  }
  return nodes;
}

// The same for positions [first, last) that are halved again and again; not the whole.
void AddHalves(const Bits& held, size_t first, size_t last,
               std::vector<std::pair<size_t, size_t>>& nodes) {
  const auto from = held.begin() + static_cast<ptrdiff_t>(first);
  const auto to = held.begin() + static_cast<ptrdiff_t>(last);
  if (last - first < 2 || std::find(from, to, true) == to || std::find(from, to, false) == to) {
    return;
  }
  const size_t middle = first + (last - first) / 2;
  nodes.emplace_back(first, middle);
  nodes.emplace_back(middle, last);
  AddHalves(held, first, middle, nodes);
  AddHalves(held, middle, last, nodes);
}

// Names in the order of their sizes.
std::vector<std::string> BySize(const std::map<std::string, int64_t>& sizes) {
  std::vector<std::pair<int64_t, std::string>> sorted;
  for (const auto& [name, size] : sizes) {
    if (size > 0) sorted.emplace_back(size, name);
  }
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::string> names;
  for (auto& [size, name] : sorted) names.push_back(std::move(name));
  return names;
}

// Sets of values of one dimension; an empty one stands for all.
using ValueNodes = std::vector<std::set<std::string>>;

int PlaceOf(const std::string& month) { return (month[5] - '0') * 10 + (month[6] - '0') - 1; }

// Whether a cell of the table below some node of each dimension and of the year is small.
template <typename Table>
bool HasSmallCell(const Table& table, const std::vector<ValueNodes>& dimensions,
                  const std::vector<uint32_t>& months, int64_t limit) {
  std::vector<size_t> at(dimensions.size(), 0);
  while (true) {
    std::array<int64_t, 12> sums{};
    for (const auto& [values, counts] : table) {
      bool within = true;
      for (size_t k = 0; within && k < dimensions.size(); ++k) {
        const std::set<std::string>& node = dimensions[k][at[k]];
        within = node.empty() || node.contains(values[k]);
      }
      for (size_t m = 0; within && m < counts.size(); ++m) sums[m] += counts[m];
    }
    for (const uint32_t node : months) {
      int64_t sum = 0;
      for (size_t m = 0; m < sums.size(); ++m) sum += (node >> m) & 1 ? sums[m] : 0;
      if (sum > 0 && sum < limit) return true;
    }
    size_t k = 0;
    while (k < at.size() && ++at[k] == dimensions[k].size()) at[k++] = 0;
    if (k == at.size()) return false;
  }
}

}  // namespace

bool IsSensitive(const Measures& measures, const v1::Measure& measure) {
  for (const v1::Measure* part : measures.PartsOf(measure)) {
    if (part->suppress_below() > 0) return true;
  }
  return false;
}

absl::StatusOr<bool> Suppression::Hides(const Asked& asked) {
  if (asked.measure->suppress_below() == 0) return false;
  std::set<std::string> months = asked.filter.months;
  if (months.empty()) {
    const std::vector<std::string> all = MonthsOf(asked.period);
    months.insert(all.begin(), all.end());
  }
  if (IsBalance(asked.measure->kind())) {
    return HidesWithin(asked, {asked.measure, *months.rbegin()}, 1);
  }
  std::map<std::string, uint32_t> years;
  for (const std::string& month : months) years[month.substr(0, 4)] |= 1u << PlaceOf(month);
  for (const auto& [year, bits] : years) {
    ASSIGN_OR_RETURN(const bool hides, HidesWithin(asked, {asked.measure, year}, bits));
    if (hides) return true;
  }
  return false;
}

absl::StatusOr<std::string> Suppression::Root() {
  RETURN_IF_ERROR(LoadPlacements());
  return root_;
}

absl::StatusOr<bool> Suppression::HidesWithin(const Asked& asked, const Span& span,
                                              uint32_t months) {
  RETURN_IF_ERROR(LoadPlacements());
  ASSIGN_OR_RETURN(const TablePtr root, TableOf(span, root_));
  std::vector<ValueNodes> dimensions;
  size_t place = 0;
  for (const v1::MeasureDimension& dimension : asked.measure->dimensions()) {
    if (dimension.remark()) continue;
    ValueNodes& nodes = dimensions.emplace_back(1);  // All values.
    const size_t k = place++;
    const auto allowed = asked.filter.allowed.find(dimension.key());
    if (allowed == asked.filter.allowed.end()) continue;
    std::map<std::string, int64_t> sizes;
    for (const auto& [values, counts] : *root) {
      for (const int64_t count : counts) sizes[values[k]] += count;
    }
    const std::vector<std::string> sorted = BySize(sizes);
    Bits held;
    for (const std::string& value : sorted) held.push_back(allowed->second.contains(value));
    std::vector<std::pair<size_t, size_t>> halves;
    AddHalves(held, 0, held.size(), halves);
    for (const auto& [first, last] : halves) {
      nodes.emplace_back(sorted.begin() + static_cast<ptrdiff_t>(first),
                         sorted.begin() + static_cast<ptrdiff_t>(last));
    }
  }
  const std::vector<uint32_t> month_nodes =
      IsBalance(asked.measure->kind()) ? std::vector<uint32_t>{kYear} : MonthNodes(months);
  ASSIGN_OR_RETURN(const std::vector<std::string> days, Days(span));
  for (const std::string& day : days) {
    ASSIGN_OR_RETURN(const Tree* tree, TreeOn(day));
    ASSIGN_OR_RETURN(const std::vector<TablePtr> nodes, Nodes(asked, span, *tree));
    for (const TablePtr& node : nodes) {
      if (HasSmallCell(*node, dimensions, month_nodes, asked.measure->suppress_below())) {
        return true;
      }
    }
  }
  return false;
}

absl::StatusOr<std::vector<Suppression::TablePtr>> Suppression::Nodes(const Asked& asked,
                                                                      const Span& span,
                                                                      const Tree& tree) {
  std::vector<TablePtr> nodes;
  ASSIGN_OR_RETURN(TablePtr root, TableOf(span, root_));
  nodes.push_back(std::move(root));
  if (asked.own) RETURN_IF_ERROR(AddSiblings(span, tree, asked.organization, "", nodes));
  std::string element = asked.organization;
  for (auto parent = tree.parents.find(element); parent != tree.parents.end();
       parent = tree.parents.find(element)) {
    RETURN_IF_ERROR(AddSiblings(span, tree, parent->second, element, nodes));
    element = parent->second;
  }
  return nodes;
}

absl::Status Suppression::AddSiblings(const Span& span, const Tree& tree, const std::string& parent,
                                      const std::string& element, std::vector<TablePtr>& nodes) {
  // What the parent has itself stands beside its children, under the empty name.
  ASSIGN_OR_RETURN(const TablePtr whole, TableOf(span, parent));
  auto own = std::make_shared<Table>(*whole);
  std::map<std::string, TablePtr> tables;
  const auto below = tree.children.find(parent);
  if (below != tree.children.end()) {
    for (const std::string& child : below->second) {
      ASSIGN_OR_RETURN(tables[child], TableOf(span, child));
      for (const auto& [values, counts] : *tables[child]) {
        Months& left = (*own)[values];
        for (size_t m = 0; m < counts.size(); ++m) {
          left[m] = std::max<int64_t>(0, left[m] - counts[m]);
        }
      }
    }
  }
  tables[""] = std::move(own);
  std::map<std::string, int64_t> sizes;
  for (const auto& [name, table] : tables) {
    int64_t& size = sizes[name];
    for (const auto& [values, counts] : *table) {
      for (const int64_t count : counts) size += count;
    }
  }
  const std::vector<std::string> sorted = BySize(sizes);
  Bits held;
  for (const std::string& name : sorted) held.push_back(name == element);
  std::vector<std::pair<size_t, size_t>> halves;
  AddHalves(held, 0, held.size(), halves);
  for (const auto& [first, last] : halves) {
    auto sum = std::make_shared<Table>();
    for (size_t i = first; i < last; ++i) {
      for (const auto& [values, counts] : *tables[sorted[i]]) {
        Months& total = (*sum)[values];
        for (size_t m = 0; m < counts.size(); ++m) total[m] += counts[m];
      }
    }
    nodes.push_back(std::move(sum));
  }
  return absl::OkStatus();
}

absl::StatusOr<Suppression::TablePtr> Suppression::TableOf(const Span& span,
                                                           const std::string& organization) {
  auto [found, fresh] = tables_.try_emplace({span, organization});
  if (!fresh) return found->second;
  const v1::Measure& measure = *span.measure;
  ASSIGN_OR_RETURN(Period period, ParsePeriod(span.text));
  ASSIGN_OR_RETURN(const CellRows rows,
                   LoadCells(tx_, {tenant_, organization, std::move(period), {}}, measure));
  // The value of each subject (or of all) by dimensions and month.
  const bool balance = IsBalance(measure.kind());
  const bool subjects = CountsSubjects(measure.kind());
  auto table = std::make_shared<Table>();
  std::map<std::pair<size_t, size_t>, int64_t> nets;
  const std::string* subject = nullptr;
  const auto count = [&] {
    for (const auto& [place, net] : nets) {
      std::vector<std::string> values;
      for (const v1::MeasureDimension& dimension : measure.dimensions()) {
        if (dimension.remark()) continue;
        const DimensionMap& dims = rows.dims()[place.first];
        const auto value = dims.find(dimension.key());
        values.push_back(value == dims.end() ? "" : value->second);
      }
      const bool named = subjects && !subject->empty();
      (*table)[values][place.second] += named ? (net > 0 ? 1 : 0) : net;
    }
    nets.clear();
  };
  for (const CellRows::Row& row : rows.rows()) {
    if (subjects && subject != nullptr && *subject != row.subject) count();
    subject = &row.subject;
    nets[{row.dims, balance ? 0 : static_cast<size_t>(PlaceOf(row.month))}] += row.value;
  }
  count();
  found->second = std::move(table);
  return found->second;
}

absl::StatusOr<std::vector<std::string>> Suppression::Days(const Span& span) {
  if (IsBalance(span.measure->kind())) return std::vector<std::string>{EndOfMonth(span.text)};
  std::set<std::string> days = {StrCat(span.text, "-01-01")};
  for (const auto& [organization, history] : placed_) {
    for (const PathSpan& path : history) {
      if (path.from.starts_with(span.text)) days.insert(path.from);
    }
  }
  return std::vector<std::string>(days.begin(), days.end());
}

absl::StatusOr<const Suppression::Tree*> Suppression::TreeOn(const std::string& day) {
  auto [found, fresh] = trees_.try_emplace(day);
  if (!fresh) return &found->second;
  RETURN_IF_ERROR(LoadPlacements());
  for (const auto& [organization, history] : placed_) {
    const std::vector<std::string>& path = PathAt(history, day);
    for (size_t i = 0; i + 1 < path.size(); ++i) {
      found->second.parents[path[i]] = path[i + 1];
      found->second.children[path[i + 1]].insert(path[i]);
    }
  }
  return &found->second;
}

absl::Status Suppression::LoadPlacements() {
  if (placements_loaded_) return absl::OkStatus();
  ASSIGN_OR_RETURN(placed_, Placements::All(tx_, tenant_));
  if (!placed_.empty()) root_ = placed_.begin()->second.back().path.back();
  placements_loaded_ = true;
  return absl::OkStatus();
}

}  // namespace gonghui::reports
