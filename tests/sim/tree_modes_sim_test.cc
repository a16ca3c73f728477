// Random histories of a federation (random_federation.h). Every figure by every tree (as it was, as
// it is, as of any day) and along both lines must equal what a naive model counts from its own list
// of facts, fact by fact.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/log.h"
#include "services/reports/explanations.h"
#include "services/reports/figure_reader.h"
#include "services/reports/preview.h"
#include "tests/sim/random_federation.h"

namespace gonghui::reports {
namespace {

constexpr Span kPeriods[] = {
    {"2020-03", "2020-03-01", "2020-03-31"}, {"2020Q2", "2020-04-01", "2020-06-30"},
    {"2020H1", "2020-01-01", "2020-06-30"},  {"2020-05YTD", "2020-01-01", "2020-05-31"},
    {"2020S", "2019-10-01", "2020-09-30"},   {"2020", "2020-01-01", "2020-12-31"},
    {"2021-12", "2021-12-01", "2021-12-31"}};

class Federation : public RandomFederation {
 public:
  using RandomFederation::RandomFederation;

  void CheckFigures(size_t questions) {
    for (size_t i = 0; i < questions; ++i) {
      const Question q = AnyQuestion();
      const std::string name = NameOf(q);
      ASSERT_OK_AND_ASSIGN(const v1::Figure figure, Read(name, q.day));
      EXPECT_EQ(figure.name(), name);
      ASSERT_EQ(figure.value(), model_.Count(q)) << name;
    }
  }

  // Cells and records of a figure by any tree add up to it.
  void CheckExplanation() {
    Explanations explanations(
        {.db = db_.get(),
         .measures = &measures_,
         .tree = &tree_,
         .freshness = [](const std::string&) { return std::vector<v1::Freshness>(); }});
    rpc::Call call = Caller();
    Question q = AnyQuestion();
    q.measure = Pick(2) == 0 ? "visits" : "posts";
    v1::ExplainFigureRequest request;
    request.set_name(NameOf(q));
    request.set_page_size(1000);
    int64_t cells = 0;
    int64_t records = 0;
    int64_t value = 0;
    do {
      ASSERT_OK_AND_ASSIGN(auto page, explanations.Explain(call, request));
      for (const v1::Cell& cell : page.cells()) cells += cell.value();
      for (const auto& record : page.records()) records += record.delta();
      value = page.figure().value();
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    EXPECT_EQ(value, q.mode == v1::TREE_MODE_AS_IS ? CountAsIs(q) : model_.Count(q)) << NameOf(q);
    EXPECT_EQ(cells, value) << NameOf(q);
    EXPECT_EQ(records, value) << NameOf(q);
  }

  // Plans a change, then makes it: what the plan was said to change by the tree as it is, month by
  // month, is what changes.
  void CheckPlan() {
    rpc::Call call = Caller();
    Basis basis;
    basis.mode = v1::TREE_MODE_AS_IS;
    basis.date = kToday;
    tree_.Expire("demo");
    ASSERT_OK_AND_ASSIGN(basis.tree, tree_.Get("demo"));
    const auto before = AllAsIs();
    const size_t known = versions_.size();
    feed::v1::Event event = Changed();
    planning_ = true;
    Change(event);
    planning_ = false;
    membership::v1::ListReorganizationEffectsResponse effects;
    for (size_t i = known; i < versions_.size(); ++i) {
      const tree::Version& version = versions_[i];
      auto& one =
          version.recorded_to_us == tree::kNow ? *effects.add_begun() : *effects.add_ended();
      one.set_version_id(version.version_id);
      one.set_id(version.id);
      one.set_parent(version.parent);
      one.set_affiliated_to(version.affiliated_to);
      one.set_state(version.state);
      one.set_valid_from(version.valid_from);
      one.set_valid_to(version.valid_to);
      one.set_recorded_from_us(version.recorded_from_us);
    }
    *effects.mutable_successions() = event.successions();
    for (int i = 0; i < 3; ++i) AddFact(absl::StrCat("s", Pick(10)), event);
    *effects.mutable_facts() = event.facts();
    std::vector<const v1::Measure*> all;
    for (const v1::Measure& measure : measures_.catalog().measures()) all.push_back(&measure);
    std::vector<v1::FigureChange> changes;
    ASSERT_THAT(db_->ReadOnly(absl::InfiniteFuture(),
                              [&](sql::Tx& tx) -> absl::Status {
                                ASSIGN_OR_RETURN(changes, ChangesBy(tx, call, measures_, basis,
                                                                    effects, all, {}));
                                return absl::OkStatus();
                              }),
                IsOk());
    ASSERT_THAT(Take("membership", std::move(event)), IsOk());
    const auto after = AllAsIs();
    std::map<std::string, std::pair<int64_t, int64_t>> changed;
    for (const auto& [key, value] : after) {
      const auto was = before.find(key);
      const int64_t old_value = was == before.end() ? 0 : was->second;
      if (old_value != value) changed[key] = {old_value, value};
    }
    std::map<std::string, std::pair<int64_t, int64_t>> said;
    for (const v1::FigureChange& change : changes) {
      said[absl::StrCat(change.measure(), " ", change.organization(), " ", change.period())] = {
          std::atoll(change.old_text().c_str()), std::atoll(change.new_text().c_str())};
    }
    EXPECT_EQ(said, changed);
    changes_said_ += said.size();
  }

  size_t facts() const { return model_.facts.size(); }
  size_t changes_said() const { return changes_said_; }

 private:
  // Every total of each month until today; flows of later months too.
  std::map<std::string, int64_t> AllAsIs() const {
    std::map<std::string, int64_t> totals;
    for (const auto& [owner, states] : model_.units) {
      for (const std::string& measure : kCounted) {
        const bool balance = measure == "posts" || measure == "members";
        for (int at = 0; at < 36; ++at) {
          const std::string month = absl::StrFormat("%d-%02d", 2019 + at / 12, 1 + at % 12);
          // A balance of a later month differs only from the month on in which something happens.
          if (balance && month > std::string(kToday).substr(0, 7)) continue;
          const std::string first = month + "-01";
          const std::string last = month + "-31";
          const Question q{.owner = owner,
                           .measure = measure,
                           .level = "",
                           .period = {month.c_str(), first.c_str(), last.c_str()},
                           .mode = v1::TREE_MODE_AS_IS,
                           .day = kToday,
                           .affiliated = false};
          totals[absl::StrCat(measure, " ", owner, " ", month)] = model_.Count(q);
        }
      }
    }
    return totals;
  }

  int64_t CountAsIs(Question q) const {
    q.day = kToday;
    return model_.Count(q);
  }

  Question AnyQuestion() {
    Question q{.owner = AnyUnit(),
               .measure = kCounted[Pick(kCounted.size())],
               .level = Pick(3) == 0 ? "a" : "",
               .period = kPeriods[Pick(std::size(kPeriods))],
               .mode = static_cast<v1::TreeMode>(1 + Pick(3)),
               .day = "",
               .affiliated = Pick(3) == 0};
    // Small organisations are dull: prefer those with something below or beside them.
    for (int tries = 0; tries < 3 && !changed_.contains(q.owner); ++tries) q.owner = AnyUnit();
    if (q.mode == v1::TREE_MODE_AS_IS) q.day = kToday;
    if (q.mode == v1::TREE_MODE_AS_OF) q.day = AnyDay(2017, 6);
    return q;
  }

  static std::string NameOf(const Question& q) {
    std::string basis = q.mode == v1::TREE_MODE_AS_IS   ? "as_is"
                        : q.mode == v1::TREE_MODE_AS_OF ? q.day
                                                        : "";
    if (q.affiliated) absl::StrAppend(&basis, basis.empty() ? "" : ",", "affiliated");
    return absl::StrCat("federations/demo/organizations/", q.owner, "/figures/", q.measure, "/",
                        q.period.text, basis.empty() ? "" : "@", basis,
                        q.level.empty() ? "" : "/level=", q.level);
  }

  absl::StatusOr<v1::Figure> Read(const std::string& name, const std::string& day) {
    ASSIGN_OR_RETURN(FigureName parsed, ParseFigureName(measures_, name));
    parsed.scope.basis.date = day;
    ASSIGN_OR_RETURN(parsed.scope.basis.tree, tree_.Get("demo"));
    v1::Figure figure;
    RETURN_IF_ERROR(db_->ReadOnly(absl::InfiniteFuture(), [&](sql::Tx& tx) -> absl::Status {
      FigureReader reader(tx, measures_, "demo", nullptr);
      ASSIGN_OR_RETURN(figure, reader.Read(parsed.scope, *parsed.measure, parsed.filter));
      return absl::OkStatus();
    }));
    return figure;
  }

  size_t changes_said_ = 0;
};

void CompareAll(size_t rounds, size_t units, size_t facts, size_t changes, size_t questions) {
  log::SetLevel(log::Level::kError);
  const uint64_t seed = Setting("GONGHUI_SIM_SEED", std::random_device{}());
  rounds = Setting("GONGHUI_SIM_ROUNDS", rounds);
  for (const std::string& engine : testing::Engines()) {
    for (uint64_t round = 0; round < rounds; ++round) {
      SCOPED_TRACE(absl::StrCat("GONGHUI_SIM_SEED=", seed + round,
                                " GONGHUI_SIM_ROUNDS=1 repeats this on ", engine));
      Federation federation(engine, seed + round, units, facts);
      federation.Live(changes);
      if (!::testing::Test::HasFailure()) federation.CheckFigures(questions);
      for (int i = 0; i < 5 && !::testing::Test::HasFailure(); ++i) federation.CheckExplanation();
      if (::testing::Test::HasFailure()) return;
      std::printf("seed %llu on %s: %zu facts, %zu figures equal\n",
                  static_cast<unsigned long long>(seed + round), engine.c_str(), federation.facts(),
                  questions);
    }
  }
}

TEST(TreeModesSim, SmallFederationsByEveryTree) { CompareAll(8, 20, 400, 30, 300); }

// 200 plans on each engine.
TEST(TreeModesSim, WhatAPlanIsSaidToChangeChanges) {
  log::SetLevel(log::Level::kError);
  const uint64_t seed = Setting("GONGHUI_SIM_SEED", std::random_device{}());
  const uint64_t rounds = Setting("GONGHUI_SIM_ROUNDS", 10);
  for (const std::string& engine : testing::Engines()) {
    for (uint64_t round = 0; round < rounds; ++round) {
      SCOPED_TRACE(absl::StrCat("GONGHUI_SIM_SEED=", seed + round,
                                " GONGHUI_SIM_ROUNDS=1 repeats this on ", engine));
      Federation federation(engine, seed + round, 14, 300);
      federation.Live(10);
      for (int i = 0; i < 20 && !HasFailure(); ++i) federation.CheckPlan();
      if (HasFailure()) return;
      std::printf("seed %llu on %s: 20 plans, %zu changes foretold\n",
                  static_cast<unsigned long long>(seed + round), engine.c_str(),
                  federation.changes_said());
    }
  }
}

// GONGHUI_FULL=1: a million facts.
TEST(TreeModesSim, ALargeFederationByEveryTree) {
  const bool full = Setting("GONGHUI_FULL", 0) != 0;
  CompareAll(1, 300, full ? 1'000'000 : 100'000, 60, full ? 300 : 150);
}

}  // namespace
}  // namespace gonghui::reports
