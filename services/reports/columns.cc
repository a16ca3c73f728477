#include "services/reports/columns.h"

#include <algorithm>
#include <numeric>

#include "common/base/text.h"
#include "services/reports/coverage.h"
#include "services/reports/dimensions.h"
#include "services/reports/rollups.h"

namespace gonghui::reports {
namespace {

uint64_t Pair(uint32_t high, uint32_t low) { return uint64_t{high} << 32 | low; }

void Add(int64_t delta, Sums& sums) {
  sums.value += delta;
  sums.records += RecordsIn(delta);
}

}  // namespace

uint32_t Dictionary::Code(std::string_view text) {
  if (last_ < texts_.size() && texts_[last_] == text) return last_;
  const auto found = codes_.find(text);
  if (found != codes_.end()) return last_ = found->second;
  last_ = size();
  codes_.emplace(texts_.emplace_back(text), last_);
  return last_;
}

std::vector<uint32_t> Dictionary::Ranks() const {
  std::vector<uint32_t> order(size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [this](uint32_t a, uint32_t b) { return texts_[a] < texts_[b]; });
  std::vector<uint32_t> ranks(size());
  for (uint32_t place = 0; place < size(); ++place) ranks[order[place]] = place;
  return ranks;
}

void FactColumns::Add(const sql::RowView& row) {
  const uint32_t measure = measures_.Code(row.Text(1));
  if (measure == counted_.size()) counted_.push_back(catalogue_.FindCounted(row.Text(1)));
  if (counted_[measure] == nullptr) return;
  const uint32_t source = sources_.Code(row.Text(7));
  if (source == is_return_.size()) is_return_.push_back(IsReturnSource(row.Text(7)));
  std::string_view subject;
  if (CountsSubjects(counted_[measure]->kind())) {
    subject = SubjectOf(row.Text(4), row.Text(6), is_return_[source]);
  }
  const RawSeries raw{organizations_.Code(row.Text(0)), source, measure, subjects_.Code(subject),
                      fact_dims_.Code(row.Text(3))};
  if (series_.empty() || raw != last_raw_) {
    last_series_ = SeriesOf(raw);
    last_raw_ = raw;
  }
  series_of_.push_back(last_series_);
  day_.push_back(DayOf(row.Text(2)));
  delta_.push_back(row.Integer(5));
}

uint32_t FactColumns::SeriesOf(const RawSeries& raw) {
  const auto [found, fresh] = series_codes_.try_emplace(raw, static_cast<uint32_t>(series_.size()));
  if (!fresh) return found->second;
  const Item item{raw.measure, raw.subject, CellDims(raw.measure, raw.dims)};
  const auto [code, first] = item_codes_.try_emplace(item, static_cast<uint32_t>(items_.size()));
  if (first) items_.push_back(item);
  series_.push_back({raw.organization, raw.source, code->second});
  return found->second;
}

uint32_t FactColumns::CellDims(uint32_t measure, uint32_t fact_dims) {
  const auto [found, fresh] = cell_dims_.try_emplace(Pair(measure, fact_dims));
  if (fresh) {
    found->second = dims_.Code(FormatDimensions(
        CellDimensions(*counted_[measure], ParseDimensions(fact_dims_[fact_dims]))));
  }
  return found->second;
}

uint32_t FactColumns::DayOf(std::string_view on_date) {
  const uint32_t day = days_.Code(on_date);
  if (day < month_of_.size()) return day;
  const uint32_t first = days_.Code(StrCat(on_date.substr(0, 7), "-01"));
  month_of_.resize(days_.size(), first);
  return day;
}

std::vector<FactColumns::Group> FactColumns::Sum(const std::vector<bool>& by_day) const {
  // Of each day its month's number, and of each month its first day.
  std::vector<uint32_t> months;
  std::vector<uint32_t> number(days_.size());
  for (uint32_t day = 0; day < days_.size(); ++day) {
    if (month_of_[day] == day) {
      number[day] = static_cast<uint32_t>(months.size());
      months.push_back(day);
    }
  }
  for (uint32_t day = 0; day < days_.size(); ++day) number[day] = number[month_of_[day]];
  // Where facts fill their months, they are added in place; else by a table of those there are.
  const bool is_dense = series_.size() * months.size() <= 4 * size();
  std::vector<Sums> dense(is_dense ? series_.size() * months.size() : 0);
  absl::flat_hash_map<uint64_t, Sums> sparse;
  std::vector<bool> daily(series_.size());
  for (size_t i = 0; i < series_.size(); ++i) daily[i] = by_day[series_[i].organization];
  for (size_t i = 0; i < size(); ++i) {
    const uint32_t series = series_of_[i];
    if (daily[series]) {
      reports::Add(delta_[i], sparse[Pair(series, day_[i])]);
    } else if (is_dense) {
      reports::Add(delta_[i], dense[series * months.size() + number[day_[i]]]);
    } else {
      reports::Add(delta_[i], sparse[Pair(series, month_of_[day_[i]])]);
    }
  }
  std::vector<Group> groups;  // Those that add up to something.
  groups.reserve(sparse.size());
  for (size_t i = 0; i < dense.size(); ++i) {
    if (dense[i].value == 0 && dense[i].records == 0) continue;
    groups.push_back(
        {static_cast<uint32_t>(i / months.size()), months[i % months.size()], dense[i]});
  }
  for (const auto& [key, sums] : sparse) {
    if (sums.value == 0 && sums.records == 0) continue;
    groups.push_back({static_cast<uint32_t>(key >> 32), static_cast<uint32_t>(key), sums});
  }
  if (!sparse.empty()) {
    std::sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
      return Pair(a.series, a.day) < Pair(b.series, b.day);
    });
  }
  return groups;
}

}  // namespace gonghui::reports
