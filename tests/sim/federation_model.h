// A federation as a naive model knows it, for simulations: its organisations through the years, its
// facts, and what they add up to, fact by fact. Shares no code with the reports service.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "gonghui/reports/v1/report.pb.h"

namespace gonghui::reports {

struct Span {
  const char *text, *first, *last;
};

struct ModelFact {
  std::string organization, measure, date, level, subject, record;
  int64_t delta;
  bool stated;  // By a return.
};

struct Question {
  std::string owner, measure, level;
  Span period;
  v1::TreeMode mode;
  std::string day;  // Of AS_IS and AS_OF.
  bool affiliated;
};

// How a measure counts.
struct Counting {
  bool balance;   // As it stands at the end of the period.
  bool subjects;  // Different ones.
};

struct Tally {
  int64_t value = 0;
  int64_t records = 0;  // Entered less withdrawn.
};

// What the model knows.
struct Model {
  struct State {
    std::string parent;
    std::string affiliated_to;
    bool closed = false;
  };
  struct Passing {
    std::string from, to, on, subject, record;
    auto operator<=>(const Passing&) const = default;
  };
  std::map<std::string, Counting> measures = {{"visits", {false, false}},
                                              {"posts", {true, false}},
                                              {"reached", {false, true}},
                                              {"members", {true, true}}};
  std::map<std::string, std::map<std::string, State>> units;  // Id -> first day -> state.
  // From month to month returns count for the unit and all below it.
  struct Cover {
    std::string first, last;
    bool whole;  // Only those of the unit itself.
  };
  std::vector<ModelFact> facts;
  std::set<Passing> passings;
  std::map<std::string, Cover> covers;

  // Whether records or returns count where the fact's unit stood on the day.
  bool IsCounted(const ModelFact& fact, const std::string& day) const {
    for (std::string id = fact.organization; !id.empty(); id = At(id, day).parent) {
      const auto cover = covers.find(id);
      if (cover == covers.end()) continue;
      const std::string month = day.substr(0, 7);
      if (month < cover->second.first || month > cover->second.last) continue;
      return fact.stated && (!cover->second.whole || id == fact.organization);
    }
    return !fact.stated;
  }

  const State& At(const std::string& id, const std::string& day) const {
    const auto& states = units.at(id);
    auto after = states.upper_bound(day);
    return after == states.begin() ? after->second : std::prev(after)->second;
  }

  bool Below(std::string id, const std::string& top, const std::string& day) const {
    for (size_t steps = 0; !id.empty() && steps <= units.size(); ++steps) {
      if (id == top) return true;
      id = At(id, day).parent;
    }
    return false;
  }

  bool Counts(const std::string& unit, const Question& q, const std::string& day) const {
    if (Below(unit, q.owner, day)) return true;
    if (!q.affiliated) return false;
    for (std::string id = unit; !id.empty(); id = At(id, day).parent) {
      const std::string& second = At(id, day).affiliated_to;
      if (!second.empty() && Below(second, q.owner, day)) return true;
    }
    return false;
  }

  bool HasCycle() const {
    std::set<std::string> days;
    for (const auto& [id, states] : units) {
      for (const auto& [day, state] : states) days.insert(day);
    }
    for (const std::string& day : days) {
      for (const auto& [start, unused] : units) {
        std::string id = start;
        size_t steps = 0;
        for (; !id.empty() && steps <= units.size(); ++steps) id = At(id, day).parent;
        if (!id.empty()) return true;
      }
    }
    return false;
  }

  // After it was closed on a day, was it open again by another?
  bool Reopened(const std::string& id, const std::string& closed, const std::string& by) const {
    bool was_closed = false;
    for (const auto& [day, state] : units.at(id)) {
      if (day > by) break;
      const auto next = units.at(id).upper_bound(day);
      if (next != units.at(id).end() && next->first <= closed) continue;
      if (was_closed && !state.closed) return true;
      was_closed = was_closed || state.closed;
    }
    return false;
  }

  // Who has the person's facts of a unit, going through the years.
  std::string Holder(const ModelFact& fact, const std::vector<const Passing*>& by_day) const {
    std::string at = fact.organization;
    bool passed = false;
    for (const Passing* one : by_day) {
      if (one->from != at) continue;
      if (one->subject != fact.subject && one->record != fact.record) continue;
      if (!passed && Reopened(at, one->on, fact.date)) continue;
      at = one->to;
      passed = true;
    }
    return at;
  }

  int64_t Count(const Question& q) const { return Add(q).value; }

  // Counts the facts that are admitted, by position; all of them without `admits`.
  Tally Add(const Question& q, const std::function<bool(size_t)>& admits = nullptr) const {
    const auto [balance, subjects] = measures.at(q.measure);
    const bool constant = q.mode != v1::TREE_MODE_AS_WAS;
    std::vector<const Passing*> by_day;
    for (const Passing& one : passings) {
      if (constant && one.on <= q.day) by_day.push_back(&one);
    }
    std::sort(by_day.begin(), by_day.end(), [](const Passing* a, const Passing* b) {
      return std::tie(a->on, a->to) < std::tie(b->on, b->to);
    });
    std::map<std::string, std::vector<const Passing*>> of_subject;
    for (const Passing* one : by_day) of_subject[one->subject].push_back(one);
    std::map<std::pair<std::string, std::string>, bool> counts;
    Tally tally;
    std::map<std::string, int64_t> nets;
    for (size_t i = 0; i < facts.size(); ++i) {
      const ModelFact& fact = facts[i];
      if (fact.measure != q.measure || fact.date > q.period.last) continue;
      if (!balance && fact.date < q.period.first) continue;
      if (!q.level.empty() && fact.level != q.level) continue;
      if (admits != nullptr && !admits(i)) continue;
      if (!IsCounted(fact, balance ? q.period.last : fact.date)) continue;
      const std::string day = constant ? q.day : balance ? q.period.last : fact.date;
      const auto passed = of_subject.find(fact.subject);
      const std::string unit =
          passed == of_subject.end() ? fact.organization : Holder(fact, passed->second);
      auto [known, fresh] = counts.try_emplace({unit, day});
      if (fresh) known->second = Counts(unit, q, day);
      if (!known->second) continue;
      tally.value += fact.delta;
      tally.records += fact.delta > 0 ? 1 : fact.delta < 0 ? -1 : 0;
      nets[fact.subject.empty() && !fact.stated ? fact.record : fact.subject] += fact.delta;
    }
    if (!subjects) return tally;
    tally.value = 0;
    for (const auto& [subject, net] : nets) {
      tally.value += subject.empty() ? net : net > 0 ? 1 : 0;  // Empty: a return states a number.
    }
    return tally;
  }
};

}  // namespace gonghui::reports
