// What editions of a federation must hold and say of one another, by a naive model. Shares no code
// with the reports service.
#pragma once

#include <cstdlib>
#include <functional>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gonghui/reports/v1/edition.pb.h"
#include "tests/sim/federation_model.h"

namespace gonghui::reports {

inline constexpr char kRatio[] = "visits_per_head";

// One of the catalogues that follow one another, and what the model makes of it.
struct Definitions {
  bool visits_balance = false;
  bool visits_by_level = true;
  bool posts_balance = true;
  bool members_balance = true;
  bool has_reached = true;
  std::string denominator = "members";

  std::string Yaml() const {
    const std::string level = ", dimensions: [{key: level}]";
    const std::string of_visits = visits_by_level ? level : "";
    return absl::StrCat(
        "measures:\n", "  - {name: visits, kind: ", visits_balance ? "stock" : "flow",
        ", unit: visit", of_visits, "}\n",
        "  - {name: posts, kind: ", posts_balance ? "stock" : "flow", ", unit: post", level, "}\n",
        "  - {name: members, kind: ", members_balance ? "heads" : "distinct", ", unit: person",
        level, "}\n",
        has_reached ? absl::StrCat("  - {name: reached, kind: distinct, unit: person", level, "}\n")
                    : "",
        "  - {name: spent, kind: money, unit: yuan", level, "}\n", "  - {name: ", kRatio,
        ", kind: ratio, unit: \"%\", numerator: visits, denominator: ", denominator, of_visits,
        "}\n",
        "period_kinds:\n  - {suffix: S, label: statistical, first_month: 10, first_year: -1, "
        "months: 12, citation: test}\n");
  }

  std::map<std::string, Counting> Countings() const {
    return {{"visits", {visits_balance, false}},
            {"posts", {posts_balance, false}},
            {"reached", {false, true}},
            {"members", {members_balance, true}},
            {"spent", {false, false}}};
  }

  bool Declares(const std::string& measure, const std::string& level) const {
    if (measure == "reached") return has_reached;
    return level.empty() || visits_by_level || (measure != "visits" && measure != kRatio);
  }
};

struct FigureKey {
  std::string organization, measure, level;
  auto operator<=>(const FigureKey&) const = default;
};

// A figure as an edition shows it.
struct Shown {
  int64_t value = 0;  // Of a ratio in millionths.
  std::string text;   // Empty for a ratio over zero.
  bool operator==(const Shown&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Shown& shown) {
    return out << shown.value << " '" << shown.text << "'";
  }
};
using Shows = std::map<FigureKey, Shown>;

inline int64_t RoundedHalfAway(int64_t value, int64_t factor, int64_t divisor) {
  const __int128 twice = static_cast<__int128>(value) * factor * 2;
  return static_cast<int64_t>((twice + (value < 0 ? -divisor : divisor)) / (2 * divisor));
}

// Hundredths as a decimal without zeros at the end.
inline std::string Hundredths(int64_t value) {
  std::string text = absl::StrFormat("%s%d.%02d", value < 0 ? "-" : "", std::abs(value) / 100,
                                     std::abs(value) % 100);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

// The deltas of a figure by cause.
using Deltas = std::map<v1::ChangeCause, int64_t>;

struct ModelChange {
  Shown before, after;
  Deltas causes;
  bool operator==(const ModelChange&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const ModelChange& change) {
    out << change.before << " -> " << change.after << ":";
    for (const auto& [cause, delta] : change.causes) {
      out << " " << v1::ChangeCause_Name(cause) << " " << delta;
    }
    return out;
  }
};
using ChangeMap = std::map<FigureKey, ModelChange>;

// A period of an organisation that is closed from time to time.
struct Closing {
  std::string organization;
  Span period;
  v1::TreeMode mode;
  std::string day;  // Of AS_IS and AS_OF.
  // Of its newest edition.
  std::string name = {};
  Shows shows = {};
  size_t facts = 0;  // Known to it.
  Definitions definitions = {};
};

class EditionModel {
 public:
  explicit EditionModel(Model& model) : model_(model) {}

  // Whom the edition is about: the organisation and all that is found below it on the day.
  std::set<std::string> Listed(const Closing& closing) const {
    const std::string day =
        closing.mode == v1::TREE_MODE_AS_WAS ? closing.period.last : closing.day;
    const auto exists = [&](const std::string& id) {
      return model_.units.at(id).begin()->first <= day;
    };
    std::set<std::string> listed = {closing.organization};
    if (!exists(closing.organization)) return listed;
    for (const auto& [start, states] : model_.units) {
      std::string id = start;
      while (!id.empty() && exists(id) && id != closing.organization) {
        id = model_.At(id, day).parent;
      }
      if (id == closing.organization) listed.insert(start);
    }
    return listed;
  }

  // All that the edition must show.
  Shows ShowsOf(const Closing& closing, const Definitions& definitions,
                const std::set<std::string>& listed) {
    Shows shows;
    for (const std::string& id : listed) {
      for (const char* measure : {"visits", "posts", "reached", "members", "spent", kRatio}) {
        for (const char* level : {"", "a", "b"}) {
          const auto [shown, exists] = Count(closing, definitions, {id, measure, level});
          if (exists) shows[{id, measure, level}] = shown;
        }
      }
    }
    return shows;
  }

  // Which figures differ from the newest edition, and why.
  ChangeMap Expect(const Closing& closing, const Definitions& definitions,
                   const std::set<std::string>& listed, const Shows& now) {
    std::set<std::string> known_records;
    for (size_t i = 0; i < closing.facts; ++i) {
      if (CanReach(closing, model_.facts[i].organization)) {
        known_records.insert(model_.facts[i].record);
      }
    }
    const Admits known = [&](size_t i) { return i < closing.facts; };
    const Admits known_or_late = [&](size_t i) {
      return known(i) || !known_records.contains(model_.facts[i].record);
    };
    std::set<FigureKey> keys;
    for (const Shows* shows : {&closing.shows, &now}) {
      for (const auto& [key, shown] : *shows) keys.insert(key);
    }
    ChangeMap changes;
    for (const FigureKey& key : keys) {
      ModelChange change{
          .before = ShownIn(closing.shows, key), .after = ShownIn(now, key), .causes = {}};
      if (IsSame(key, change)) continue;
      int64_t reached = change.before.value;
      const auto step = [&](v1::ChangeCause cause, int64_t value) {
        if (value != reached) change.causes[cause] = value - reached;
        reached = value;
      };
      const auto again = [&](const Definitions& by, const Admits& admits) {
        return listed.contains(key.organization) ? Count(closing, by, key, admits).first.value : 0;
      };
      step(v1::CHANGE_CAUSE_REORGANISED, again(closing.definitions, known));
      step(v1::CHANGE_CAUSE_REDEFINED, again(definitions, known));
      if (CanTellLate(closing)) step(v1::CHANGE_CAUSE_LATE, again(definitions, known_or_late));
      step(v1::CHANGE_CAUSE_CORRECTED, change.after.value);
      changes[key] = std::move(change);
    }
    return changes;
  }

  // Records are known that counted below the organisation. Persons who went elsewhere may have
  // taken them along, which only the federation as a whole can disregard.
  static bool CanTellLate(const Closing& closing) {
    return closing.organization == "D" || closing.mode == v1::TREE_MODE_AS_WAS;
  }

 private:
  using Admits = std::function<bool(size_t)>;

  // The figure, and whether an edition must have it; nothing counts where it is not declared.
  std::pair<Shown, bool> Count(const Closing& closing, const Definitions& definitions,
                               const FigureKey& key, const Admits& admits = nullptr) {
    if (!definitions.Declares(key.measure, key.level)) return {};
    model_.measures = definitions.Countings();
    const auto tally = [&](const std::string& measure) {
      return model_.Add({.owner = key.organization,
                         .measure = measure,
                         .level = key.level,
                         .period = closing.period,
                         .mode = closing.mode,
                         .day = closing.day,
                         .affiliated = false},
                        admits);
    };
    if (key.measure == kRatio) {
      const int64_t visits = tally("visits").value;
      const int64_t over = tally(definitions.denominator).value;
      if (over <= 0) return {};
      return {{RoundedHalfAway(visits, 1'000'000, over),
               Hundredths(RoundedHalfAway(visits, 10'000, over))},
              true};
    }
    const Tally counted = tally(key.measure);
    return {{counted.value,
             key.measure == "spent" ? Hundredths(counted.value) : absl::StrCat(counted.value)},
            counted.value != 0 || counted.records != 0};
  }

  // Whether the unit was ever below the organisation.
  bool CanReach(const Closing& closing, const std::string& unit) const {
    for (const auto& [id, states] : model_.units) {
      for (const auto& [day, state] : states) {
        if (model_.Below(unit, closing.organization, day)) return true;
      }
    }
    return false;
  }

  static Shown ShownIn(const Shows& shows, const FigureKey& key) {
    const auto found = shows.find(key);
    return found == shows.end() ? Shown{} : found->second;
  }

  // A count that is missing is 0; a ratio that is missing is not 0.
  static bool IsSame(const FigureKey& key, const ModelChange& change) {
    const auto text = [&](const Shown& shown) {
      return shown.text.empty() && key.measure != kRatio ? "0" : shown.text;
    };
    return change.before.value == change.after.value && text(change.before) == text(change.after);
  }

  Model& model_;
};

}  // namespace gonghui::reports
