// Facts as columns of numbers, and their sums by month.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/sql/sql.h"
#include "services/reports/measures.h"

namespace gonghui::reports {

// Numbers for texts, 0, 1, 2 … as they are first met.
class Dictionary {
 public:
  Dictionary() = default;
  Dictionary(Dictionary&&) = default;  // No copies: codes_ would point into the original.
  uint32_t Code(std::string_view text);
  const std::string& operator[](uint32_t code) const { return texts_[code]; }
  uint32_t size() const { return static_cast<uint32_t>(texts_.size()); }
  // Of each code its place in the order of the texts.
  std::vector<uint32_t> Ranks() const;

 private:
  absl::flat_hash_map<std::string_view, uint32_t, std::hash<std::string_view>> codes_;
  std::deque<std::string> texts_;  // The keys of codes_ point here.
  uint32_t last_ = 0;              // Neighbouring facts are alike.
};

// What an amount of facts adds up to.
struct Sums {
  int64_t value = 0;
  int64_t records = 0;  // Records entered less those withdrawn.
};

// Facts of one or many organisations; memory 16 bytes a fact, and the dictionaries. Facts of
// measures that are not counted are left out. Not thread-safe.
class FactColumns {
 public:
  // What names a cell beside organisation and month. The texts are those of cells.
  struct Item {
    uint32_t measure;
    uint32_t subject;
    uint32_t dims;
    bool operator==(const Item&) const = default;
    template <typename H>
    friend H AbslHashValue(H h, const Item& item) {
      return H::combine(std::move(h), item.measure, item.subject, item.dims);
    }
  };
  // Facts that make the same cells but for their days.
  struct Series {
    uint32_t organization;
    uint32_t source;
    uint32_t item;
  };
  struct Group {
    uint32_t series;
    uint32_t day;  // In days().
    Sums sums;
  };

  explicit FactColumns(const Measures& measures) : catalogue_(measures) {}

  // Columns 0-7 of the row: organization, measure, on_date, dims, subject, delta, record, source.
  void Add(const sql::RowView& row);
  size_t size() const { return delta_.size(); }

  // The facts by series and month, in that order; a month is given as its first day. Those of an
  // organisation for which `by_day` holds true, by series and day. Sums of nothing are left out.
  std::vector<Group> Sum(const std::vector<bool>& by_day) const;

  const std::vector<Series>& series() const { return series_; }
  const std::vector<Item>& items() const { return items_; }
  const v1::Measure& measure(uint32_t code) const { return *counted_[code]; }
  const Dictionary& organizations() const { return organizations_; }
  const Dictionary& sources() const { return sources_; }
  const Dictionary& measures() const { return measures_; }
  const Dictionary& subjects() const { return subjects_; }
  const Dictionary& dims() const { return dims_; }
  const Dictionary& days() const { return days_; }

 private:
  // A series as facts name it: with all their dimensions.
  struct RawSeries {
    uint32_t organization, source, measure, subject, dims;
    bool operator==(const RawSeries&) const = default;
    template <typename H>
    friend H AbslHashValue(H h, const RawSeries& raw) {
      return H::combine(std::move(h), raw.organization, raw.source, raw.measure, raw.subject,
                        raw.dims);
    }
  };
  uint32_t SeriesOf(const RawSeries& raw);
  uint32_t CellDims(uint32_t measure, uint32_t fact_dims);
  uint32_t DayOf(std::string_view on_date);

  const Measures& catalogue_;
  Dictionary organizations_, sources_, measures_, subjects_, fact_dims_, dims_, days_;
  std::vector<const v1::Measure*> counted_;            // By code of measure; null: not counted.
  std::vector<bool> is_return_;                        // By code of source.
  std::vector<uint32_t> month_of_;                     // By code of day: that of the month's first.
  absl::flat_hash_map<uint64_t, uint32_t> cell_dims_;  // By measure and dimensions of the fact.
  absl::flat_hash_map<Item, uint32_t> item_codes_;
  std::vector<Item> items_;
  absl::flat_hash_map<RawSeries, uint32_t> series_codes_;
  std::vector<Series> series_;
  RawSeries last_raw_{};
  uint32_t last_series_ = 0;

  // The facts.
  std::vector<uint32_t> series_of_;
  std::vector<uint32_t> day_;
  std::vector<int64_t> delta_;
};

}  // namespace gonghui::reports
