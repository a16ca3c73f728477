// Random histories of a federation: organisations are founded, moved, merged, split, reopened and
// affiliated, members hold one to five posts, facts come early and late, and for some units returns
// count instead. Every figure by every tree
// (as it was, as it is, as of any day) and along both lines must equal what a naive model counts
// from its own list of facts, fact by fact. The model shares no code with the reports service.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/log.h"
#include "common/feed/schema.embedded.h"
#include "common/rpc/service.h"
#include "common/sql/migrate.h"
#include "common/testing/database.h"
#include "common/testing/matchers.h"
#include "services/reports/explanations.h"
#include "services/reports/figure_reader.h"
#include "services/reports/figures.h"
#include "services/reports/preview.h"
#include "services/reports/rollups.h"
#include "services/reports/schema.embedded.h"

namespace gonghui::reports {
namespace {

using testing::IsOk;

constexpr std::string_view kCatalogue = R"(
measures:
  - {name: visits, kind: flow, unit: visit, dimensions: [{key: level}]}
  - {name: posts, kind: stock, unit: post, dimensions: [{key: level}]}
  - {name: reached, kind: distinct, unit: person, dimensions: [{key: level}]}
  - {name: members, kind: heads, unit: person, dimensions: [{key: level}]}
period_kinds:
  - {suffix: S, label: statistical, first_month: 10, first_year: -1, months: 12, citation: test}
)";
const std::vector<std::string> kCounted = {"visits", "posts", "reached", "members"};
struct Span {
  const char *text, *first, *last;
};
constexpr Span kPeriods[] = {
    {"2020-03", "2020-03-01", "2020-03-31"}, {"2020Q2", "2020-04-01", "2020-06-30"},
    {"2020H1", "2020-01-01", "2020-06-30"},  {"2020-05YTD", "2020-01-01", "2020-05-31"},
    {"2020S", "2019-10-01", "2020-09-30"},   {"2020", "2020-01-01", "2020-12-31"},
    {"2021-12", "2021-12-01", "2021-12-31"}};
constexpr char kToday[] = "2021-09-15";

uint64_t Setting(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

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

  int64_t Count(const Question& q) const {
    const bool balance = q.measure == "posts" || q.measure == "members";
    const bool subjects = q.measure == "reached" || q.measure == "members";
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
    int64_t sum = 0;
    std::map<std::string, int64_t> nets;
    for (const ModelFact& fact : facts) {
      if (fact.measure != q.measure || fact.date > q.period.last) continue;
      if (!balance && fact.date < q.period.first) continue;
      if (!q.level.empty() && fact.level != q.level) continue;
      if (!IsCounted(fact, balance ? q.period.last : fact.date)) continue;
      const std::string day = constant ? q.day : balance ? q.period.last : fact.date;
      const auto passed = of_subject.find(fact.subject);
      const std::string unit =
          passed == of_subject.end() ? fact.organization : Holder(fact, passed->second);
      auto [known, fresh] = counts.try_emplace({unit, day});
      if (fresh) known->second = Counts(unit, q, day);
      if (!known->second) continue;
      sum += fact.delta;
      nets[fact.subject] += fact.delta;
    }
    if (!subjects) return sum;
    return std::count_if(nets.begin(), nets.end(), [](const auto& net) { return net.second > 0; });
  }
};

class Federation {
 public:
  Federation(const std::string& engine, uint64_t seed, size_t units, size_t facts)
      : random_(seed),
        units_(units),
        facts_(facts),
        db_(engine),
        tree_([this](const std::string&, int64_t after) { return Versions(after); }, &clock_),
        rollups_(&measures_, &tree_) {
    std::vector<EmbeddedFile> schema = embedded::common_feed_schema();
    const auto& own = embedded::services_reports_schema();
    schema.insert(schema.end(), own.begin(), own.end());
    EXPECT_THAT(sql::Migrate(*db_, schema, 1), IsOk());
    model_.units["D"]["2018-01-01"] = {};
    Record("D");
    while (model_.units.size() < units_ / 2) Found();
    EXPECT_THAT(Take("membership", Changed()), IsOk());
  }

  // Facts and changes of the tree by turns.
  void Live(size_t changes) {
    for (size_t i = 0; i < changes; ++i) {
      if (i % 8 == 3) Cover();
      while (model_.facts.size() < facts_ * (i + 1) / changes) AddFacts();
      Change();
      if (::testing::Test::HasFailure()) return;
    }
  }

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
  size_t Pick(size_t below) { return std::uniform_int_distribution<size_t>(0, below - 1)(random_); }
  std::string AnyDay(int from = 2019, int years = 3) {
    return absl::StrFormat("%d-%02d-%02d", from + Pick(years), 1 + Pick(12), 1 + Pick(28));
  }
  const std::string& AnyUnit() {
    return std::next(model_.units.begin(), Pick(model_.units.size()))->first;
  }

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

  void Found() {
    const std::string id = absl::StrCat("U", absl::StrFormat("%04d", model_.units.size()));
    const std::string parent = AnyUnit();
    model_.units[id][AnyDay(2018, 3)] = {.parent = parent, .affiliated_to = "", .closed = false};
    Record(id);
  }

  // From now on returns count for a unit, in some months.
  void Cover() {
    const std::string id = AnyUnit();
    const std::string first = AnyDay(2019, 2).substr(0, 7);
    const Model::Cover cover{first, std::max(first, AnyDay(2020, 2).substr(0, 7)), Pick(2) == 0};
    if (id == "D" || !model_.covers.emplace(id, cover).second) return;
    static constexpr sql::Query kInsert{
        "sim.insert_coverage",
        "INSERT INTO coverages (tenant, coverage_id, organization, measures, first_month, "
        "last_month, form, whole, remark, declared_by, create_time_us, withdrawn_by, "
        "withdraw_time_us) VALUES ('demo', $1, $1, '', $2, $3, 'f', $4, '', '', 0, '', 0)"};
    const CoverageRule rule{.id = id,
                            .organization = id,
                            .measures = {},
                            .first_month = cover.first,
                            .last_month = cover.last,
                            .form = "f",
                            .whole = cover.whole};
    EXPECT_THAT(
        db_->ReadWrite(
            absl::InfiniteFuture(),
            [&](sql::Tx& tx) -> absl::Status {
              RETURN_IF_ERROR(tx.Run(kInsert, {id, cover.first, cover.last, cover.whole}).status());
              return rollups_.ChangeCoverage(tx, "demo", rule, false);
            }),
        IsOk());
    changed_.insert(id);
  }

  // Sets the state from a day on (also dated back) unless that would make a circle.
  bool Set(const std::string& id, const std::string& day, Model::State state) {
    const auto before = model_.units[id];
    model_.units[id][std::max(day, before.begin()->first)] = std::move(state);
    if (model_.HasCycle()) {
      model_.units[id] = before;
      return false;
    }
    changed_.insert(id);
    Record(id);
    return true;
  }

  void Change() {
    feed::v1::Event event = Changed();
    Change(event);
    EXPECT_THAT(Take("membership", std::move(event)), IsOk());
  }

  void Change(feed::v1::Event& event) {
    const std::string id = AnyUnit();
    const std::string other = AnyUnit();
    const std::string day = AnyDay(2019, 3);
    if (id == "D") return;
    Model::State state = model_.At(id, day);
    switch (Pick(6)) {
      case 0:
        if (model_.units.size() < units_) Found();
        break;
      case 1:
        state.affiliated_to = Pick(4) == 0 ? "" : other;
        Set(id, day, state);
        break;
      case 2: {  // Merged: the source is closed below the target.
        state.parent = other;
        state.closed = true;
        Set(id, day, state);
        break;
      }
      case 3:
        Split(id, day, event);
        break;
      case 4:  // Closed, or open again.
        state.closed = !state.closed;
        Set(id, day, state);
        break;
      default:
        state.parent = other;
        Set(id, day, state);
    }
  }

  // Persons of the unit go to others with what is told of them; now and then that is taken back.
  void Split(const std::string& id, const std::string& day, feed::v1::Event& event) {
    Model::State state = model_.At(id, day);
    state.closed = true;
    if (!Set(id, day, state)) return;
    const bool withdraw = !planning_ && !model_.passings.empty() && Pick(3) == 0;
    if (withdraw) {
      const Model::Passing one = *std::next(model_.passings.begin(), Pick(model_.passings.size()));
      model_.passings.erase(one);
      Add(one, true, event);
      return;
    }
    std::map<std::string, std::string> went;  // Nobody goes to two on one day.
    for (const ModelFact& fact : model_.facts) {
      if (fact.organization != id || Pick(2) == 0 || went.size() > 200) continue;
      const std::string target = AnyUnit();
      if (target == id || !went.emplace(fact.subject, target).second) continue;
      const Model::Passing one{.from = id,
                               .to = target,
                               .on = day,
                               .subject = fact.subject,
                               .record = absl::StrCat("federations/demo/members/", fact.subject)};
      const bool twice = std::any_of(model_.passings.begin(), model_.passings.end(),
                                     [&](const Model::Passing& known) {
                                       return known.on == one.on && known.subject == one.subject;
                                     });
      if (twice) continue;
      model_.passings.insert(one);
      changed_.insert(target);
      Add(one, false, event);
    }
  }

  static void Add(const Model::Passing& one, bool withdrawn, feed::v1::Event& event) {
    common::v1::Succession& succession = *event.add_successions();
    succession.set_organization(one.from);
    succession.set_successor(one.to);
    succession.set_on_date(one.on);
    succession.set_subject(one.subject);
    succession.set_record(one.record);
    succession.set_withdrawn(withdrawn);
  }

  // A person with one to five posts in as many organisations, or an old fact withdrawn.
  void AddFacts() {
    feed::v1::Event event;
    event.set_type("gonghui.membership.v1.MembersCreated");
    const bool stated = Pick(4) == 0;
    for (int person = 0; person < 100; ++person) {
      const std::string subject = absl::StrCat("s", Pick(facts_ / 8 + 1));
      for (size_t post = 0; post <= Pick(5); ++post) AddFact(subject, event, stated);
    }
    EXPECT_THAT(Take(stated ? "returns/f" : "activities", std::move(event)), IsOk());
  }

  void AddFact(const std::string& subject, feed::v1::Event& event, bool stated = false) {
    ModelFact fact{.organization = AnyUnit(),
                   .measure = kCounted[Pick(kCounted.size())],
                   .date = AnyDay(),
                   .level = Pick(3) == 0 ? "a" : "b",
                   .subject = subject,
                   .record = absl::StrCat("federations/demo/records/", model_.facts.size()),
                   .delta = 1,
                   .stated = stated};
    if (fact.measure == "visits") fact.delta = 1 + Pick(50);
    if (!model_.facts.empty() && Pick(8) == 0) {
      const ModelFact& old = model_.facts[Pick(model_.facts.size())];
      if (old.stated == stated) {
        fact = old;
        fact.delta = -fact.delta;
      }
    }
    Add(fact, event);
    model_.facts.push_back(std::move(fact));
  }

  static void Add(const ModelFact& fact, feed::v1::Event& event) {
    common::v1::RecordFacts& record = *event.add_facts();
    record.set_record(fact.record);
    common::v1::Fact& proto = *record.add_facts();
    proto.set_measure(fact.measure);
    proto.set_organization(fact.organization);
    proto.set_on_date(fact.date);
    proto.set_subject(fact.subject);
    proto.set_delta(fact.delta);
    common::v1::Dimension& dimension = *proto.add_dimensions();
    dimension.set_key("level");
    dimension.set_value(fact.level);
  }

  // Withdraws what was believed of the unit and records what is believed now.
  void Record(const std::string& id) {
    clock_.Advance(absl::Seconds(2));
    const int64_t now = clock_.NowMicros();
    for (const size_t at : std::exchange(believed_[id], {})) {
      tree::Version withdrawn = versions_[at];
      withdrawn.recorded_to_us = now;
      versions_.push_back(std::move(withdrawn));
    }
    const auto& states = model_.units[id];
    for (auto at = states.begin(); at != states.end(); ++at) {
      tree::Version version;
      version.version_id = absl::StrCat("v", versions_.size());
      version.id = id;
      version.parent = at->second.parent;
      version.affiliated_to = at->second.affiliated_to;
      version.state = at->second.closed ? "closed" : "open";
      version.valid_from = at->first;
      version.valid_to = std::next(at) == states.end() ? "9999-12-31" : std::next(at)->first;
      version.recorded_from_us = now;
      believed_[id].push_back(versions_.size());
      versions_.push_back(std::move(version));
    }
  }

  tree::TreeCache::Page Versions(int64_t after) const {
    tree::TreeCache::Page page;
    page.versions.assign(versions_.begin() + after, versions_.end());
    page.sequence = static_cast<int64_t>(versions_.size());
    return page;
  }

  static feed::v1::Event Changed() {
    feed::v1::Event event;
    event.set_type("gonghui.membership.v1.OrganizationsReorganized");
    return event;
  }

  absl::Status Take(const std::string& source, feed::v1::Event event) {
    event.set_federation("demo");
    event.set_sequence(++sequences_[source]);
    return db_->ReadWrite(absl::InfiniteFuture(),
                          [&](sql::Tx& tx) { return rollups_.Apply(tx, source, {event}); });
  }

  rpc::Call Caller() {
    method_.policy.set_permission("reports.figures.explain");
    rpc::Call call;
    call.method = &method_;
    call.clock = &today_;
    call.federation = "demo";
    call.actor.subject = "sim";
    call.actor.federation = "demo";
    common::v1::Grant grant;
    grant.set_role("service");
    grant.set_organization("*");
    call.actor.grants.push_back(grant);
    return call;
  }

  std::mt19937_64 random_;
  const size_t units_;
  const size_t facts_;
  ManualClock clock_{absl::FromUnixSeconds(1600000000)};
  ManualClock today_{absl::FromCivil(absl::CivilDay(2021, 9, 15), absl::UTCTimeZone())};
  testing::TempDatabase db_;
  Model model_;
  std::set<std::string> changed_ = {"D"};
  std::vector<tree::Version> versions_;  // Position + 1 is the sequence number.
  std::map<std::string, std::vector<size_t>> believed_;
  const Measures measures_ = *Measures::Load({{"sim.yaml", kCatalogue}});
  tree::TreeCache tree_;
  Rollups rollups_;
  rpc::Method method_;
  std::map<std::string, int64_t> sequences_;
  bool planning_ = false;  // Nothing is taken back.
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
