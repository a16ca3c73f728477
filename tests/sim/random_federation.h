// A federation with a random history, told to the reports service and to a model alike:
// organisations are founded, moved, merged, split, reopened and affiliated, members hold one to
// five posts, facts come early and late, and for some units returns count instead.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/feed/schema.embedded.h"
#include "common/rpc/schema.embedded.h"
#include "common/rpc/service.h"
#include "common/sql/migrate.h"
#include "common/testing/database.h"
#include "common/testing/matchers.h"
#include "services/reports/rollups.h"
#include "services/reports/schema.embedded.h"
#include "tests/sim/federation_model.h"

namespace gonghui::reports {

using ::gonghui::testing::IsOk;

inline constexpr std::string_view kCatalogue = R"(
measures:
  - {name: visits, kind: flow, unit: visit, dimensions: [{key: level}]}
  - {name: posts, kind: stock, unit: post, dimensions: [{key: level}]}
  - {name: reached, kind: distinct, unit: person, dimensions: [{key: level}]}
  - {name: members, kind: heads, unit: person, dimensions: [{key: level}]}
period_kinds:
  - {suffix: S, label: statistical, first_month: 10, first_year: -1, months: 12, citation: test}
)";
inline const std::vector<std::string> kCounted = {"visits", "posts", "reached", "members"};
inline constexpr char kToday[] = "2021-09-15";

// A number of the environment.
inline uint64_t Setting(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class RandomFederation {
 public:
  RandomFederation(const std::string& engine, uint64_t seed, size_t units, size_t facts)
      : random_(seed),
        units_(units),
        facts_(facts),
        db_(engine),
        tree_([this](const std::string&, int64_t after) { return Versions(after); }, &clock_),
        rollups_(&measures_, &tree_) {
    std::vector<EmbeddedFile> schema = embedded::common_rpc_schema();
    for (const auto& part : {embedded::common_feed_schema(), embedded::services_reports_schema()}) {
      schema.insert(schema.end(), part.begin(), part.end());
    }
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

 protected:
  size_t Pick(size_t below) { return std::uniform_int_distribution<size_t>(0, below - 1)(random_); }
  std::string AnyDay(int from = 2019, int years = 3) {
    return absl::StrFormat("%d-%02d-%02d", from + Pick(years), 1 + Pick(12), 1 + Pick(28));
  }
  const std::string& AnyUnit() {
    return std::next(model_.units.begin(), Pick(model_.units.size()))->first;
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
      if (fact.organization != id || fact.subject.empty() || Pick(2) == 0) continue;
      if (went.size() > 200) break;
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

  // Persons with one to five posts in as many organisations, or an old fact withdrawn.
  void AddFacts(int persons = 100) {
    feed::v1::Event event;
    event.set_type("gonghui.membership.v1.MembersCreated");
    const bool stated = Pick(4) == 0;
    for (int person = 0; person < persons; ++person) {
      const std::string subject = absl::StrCat("s", Pick(facts_ / 8 + 1));
      for (size_t post = 0; post <= Pick(5); ++post) AddFact(subject, event, stated);
    }
    EXPECT_THAT(Take(stated ? "returns/f" : "activities", std::move(event)), IsOk());
  }

  void AddFact(const std::string& subject, feed::v1::Event& event, bool stated = false) {
    ModelFact fact{.organization = AnyUnit(),
                   .measure = counted_[Pick(counted_.size())],
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
    constexpr sql::Query kFollowed{
        "sim.set_cursor",
        "INSERT INTO feed_cursor (tenant, source, sequence) VALUES ('demo', $1, $2) "
        "ON CONFLICT (tenant, source) DO UPDATE SET sequence=excluded.sequence"};
    return db_->ReadWrite(absl::InfiniteFuture(), [&](sql::Tx& tx) -> absl::Status {
      RETURN_IF_ERROR(tx.Run(kFollowed, {source, event.sequence()}).status());
      return rollups_.Apply(tx, source, {event});
    });
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
  std::vector<std::string> counted_ = kCounted;  // Measures that facts are of.
  std::set<std::string> changed_ = {"D"};
  std::vector<tree::Version> versions_;  // Position + 1 is the sequence number.
  std::map<std::string, std::vector<size_t>> believed_;
  Measures measures_ = *Measures::Load({{"sim.yaml", kCatalogue}});
  tree::TreeCache tree_;
  Rollups rollups_;
  rpc::Method method_;
  std::map<std::string, int64_t> sequences_;
  bool planning_ = false;  // Nothing is taken back.
};

}  // namespace gonghui::reports
