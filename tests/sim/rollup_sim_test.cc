// Random histories of tree changes and facts. After every step each figure must equal what an
// oracle counts from its own list of facts and its own idea of the tree; the oracle shares no code
// with the reports service.
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
#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/feed/schema.embedded.h"
#include "common/rpc/jobs.h"
#include "common/rpc/schema.embedded.h"
#include "common/rpc/service.h"
#include "common/sql/migrate.h"
#include "common/testing/database.h"
#include "common/testing/matchers.h"
#include "services/reports/explanations.h"
#include "services/reports/figure_reader.h"
#include "services/reports/figures.h"
#include "services/reports/rollups.h"
#include "services/reports/schema.embedded.h"
#include "services/reports/verification.h"

namespace gonghui::reports {
namespace {

using testing::IsOk;

constexpr std::string_view kCatalogue = R"(
measures:
  - {name: visits, kind: flow, unit: visit, dimensions: [{key: topic}, {key: level, total: all}]}
  - {name: files, kind: stock, unit: person, dimensions: [{key: level, total: all}]}
  - {name: trades, kind: distinct, unit: trade, dimensions: [{key: topic}]}
  - {name: members, kind: heads, unit: person, dimensions: [{key: level}]}
  - {name: paid, kind: money, unit: wan_yuan, dimensions: [{key: level}]}
  - {name: share, kind: ratio, unit: "%", numerator: files, denominator: members, dimensions: [{key: level}]}
)";
// Knows what the other does not, and keeps some dimensions apart that the other does not.
constexpr std::string_view kOtherCatalogue = R"(
measures:
  - {name: visits, kind: stock, unit: visit, dimensions: [{key: level}]}
  - {name: unheard_of, kind: flow, unit: piece}
)";
const std::vector<std::string> kCounted = {"visits", "files", "trades", "members", "paid"};
const std::vector<std::string> kPeriods = {"2020-01", "2020-03", "2020Q1", "2020Q2",
                                           "2020H1",  "2020",    "2019H2"};

uint64_t Setting(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// What the oracle knows: each organisation's parents by date, and all facts.
struct Oracle {
  struct Fact {
    std::string organization, measure, date, topic, level, subject;
    int64_t delta;
  };
  std::map<std::string, std::map<std::string, std::string>> parents;  // Id -> first day -> parent.
  std::vector<Fact> facts;

  std::string ParentAt(const std::string& id, const std::string& date) const {
    const auto& by_date = parents.at(id);
    auto after = by_date.upper_bound(date);
    return after == by_date.begin() ? by_date.begin()->second : std::prev(after)->second;
  }

  bool Below(std::string id, const std::string& top, const std::string& date) const {
    for (size_t steps = 0; !id.empty() && steps <= parents.size(); ++steps) {
      if (id == top) return true;
      id = ParentAt(id, date);
    }
    return false;
  }

  bool HasCycle() const {
    std::set<std::string> dates;
    for (const auto& [id, by_date] : parents) {
      for (const auto& [date, parent] : by_date) dates.insert(date);
    }
    for (const std::string& date : dates) {
      for (const auto& [start, unused] : parents) {
        std::string id = start;
        size_t steps = 0;
        for (; !id.empty() && steps <= parents.size(); ++steps) id = ParentAt(id, date);
        if (!id.empty()) return true;
      }
    }
    return false;
  }

  int64_t Count(const std::string& organization, const std::string& measure,
                const std::string& from, const std::string& to, const std::string& topic,
                const std::string& level) const {
    const bool balance = measure == "files" || measure == "members";
    const bool subjects = measure == "trades" || measure == "members";
    int64_t sum = 0;
    std::map<std::string, int64_t> nets;
    for (const Fact& fact : facts) {
      if (fact.measure != measure || fact.date > to || (!balance && fact.date < from)) continue;
      if (!topic.empty() && fact.topic != topic) continue;
      if (!level.empty() && fact.level != level) continue;
      if (!Below(fact.organization, organization, balance ? to : fact.date)) continue;
      sum += fact.delta;
      nets[fact.subject] += fact.delta;
    }
    if (!subjects) return sum;
    return std::count_if(nets.begin(), nets.end(), [](const auto& net) { return net.second > 0; });
  }
};

class History {
 public:
  History(const std::string& engine, uint64_t seed)
      : random_(seed),
        db_(engine),
        tree_([this](const std::string&, int64_t after) { return Versions(after); }, &clock_),
        rollups_(&measures_, &tree_) {
    std::vector<EmbeddedFile> schema = embedded::common_rpc_schema();
    for (const auto* more :
         {&embedded::common_feed_schema(), &embedded::services_reports_schema()}) {
      schema.insert(schema.end(), more->begin(), more->end());
    }
    EXPECT_THAT(sql::Migrate(*db_, schema, 1), IsOk());
    Found("D", "", "2019-01-01");
    for (const char* town : {"T1", "T2", "T3"}) Found(town, "D", "2019-01-01");
    EXPECT_THAT(Take("membership", TreeEvent()), IsOk());
  }

  // One random change.
  void Step() {
    const int dice = Pick(10);
    if (dice == 0) {
      const std::string id = absl::StrCat("E", oracle_.parents.size());
      Found(id, AnyUnit(), AnyDate());
      EXPECT_THAT(Take("membership", TreeEvent()), IsOk());
    } else if (dice <= 3) {
      const absl::Status taken = Move() ? Take("membership", TreeEvent()) : absl::OkStatus();
      EXPECT_THAT(taken, IsOk());
    } else if (dice == 4) {
      // The tree changes and facts come from another source before its event is taken over.
      const bool moved = Move();
      tree_.Expire("demo");
      EXPECT_THAT(Take("casework", FactEvent(3)), IsOk());
      const absl::Status taken = moved ? Take("membership", TreeEvent()) : absl::OkStatus();
      EXPECT_THAT(taken, IsOk());
    } else {
      EXPECT_THAT(Take(Pick(2) == 0 ? "membership" : "activities", FactEvent(1 + Pick(12))),
                  IsOk());
    }
  }

  void CheckFigures() {
    for (const auto& [organization, parents] : oracle_.parents) {
      for (const std::string& period : kPeriods) {
        for (const std::string& measure : kCounted) {
          Check(organization, measure, period, "", "", "");
        }
        Check(organization, "visits", period, "level=a", "", "a");
        Check(organization, "visits", period, "level=all;topic=x", "x", "");
        Check(organization, "trades", period, "topic=x", "x", "");
        Check(organization, "members", period, "level=b", "", "b");
      }
    }
  }

  void CheckVerification() { EXPECT_EQ(Divergent(measures_), 0); }

  // Cells add up, records page by page add up, and there are no others.
  void CheckExplanations() {
    rpc::Call call = Caller("reports.figures.explain");
    Explanations explanations(
        {.db = db_.get(),
         .measures = &measures_,
         .tree = &tree_,
         .freshness = [](const std::string&) { return std::vector<v1::Freshness>(); }});
    for (const std::string& measure : kCounted) {
      const std::string name =
          absl::StrCat("federations/demo/organizations/", AnyUnit(), "/figures/", measure, "/",
                       kPeriods[Pick(kPeriods.size())]);
      v1::ExplainFigureRequest request;
      request.set_name(name);
      request.set_page_size(1 + Pick(7));
      int64_t records = 0;
      int64_t cells = 0;
      bool additive = false;
      int64_t value = 0;
      do {
        ASSERT_OK_AND_ASSIGN(auto page, explanations.Explain(call, request));
        for (const v1::Cell& cell : page.cells()) cells += cell.value();
        for (const auto& record : page.records()) records += record.delta();
        additive = page.additive();
        value = page.figure().value();
        request.set_page_token(page.next_page_token());
      } while (!request.page_token().empty());
      if (additive) {
        EXPECT_EQ(cells, value) << name;
        EXPECT_EQ(records, value) << name;
      } else {
        EXPECT_GE(cells, value) << name;
      }
    }
  }

  // Another catalogue makes other cells, this one the same again.
  void CheckNewCatalogue() {
    const Measures other = *Measures::Load({{"other.yaml", kOtherCatalogue}});
    EXPECT_THAT(Rollups(&other, &tree_).Refresh(*db_), IsOk());
    EXPECT_GT(Divergent(measures_), 0);
    EXPECT_EQ(Divergent(other), 0);
    EXPECT_THAT(rollups_.Refresh(*db_), IsOk());
    CheckVerification();
  }

 private:
  int64_t Divergent(const Measures& measures) {
    Verification verification({.db = db_.get(), .measures = &measures, .tree = &tree_});
    rpc::Jobs jobs({.db = db_.get(), .workers = 1, .poll = absl::Milliseconds(10)});
    jobs.Register<v1::VerifyRollupsRequest, v1::VerifyRollupsResult>(
        "VerifyRollups", [&](rpc::JobRun& run, const v1::VerifyRollupsRequest& request) {
          return verification.Verify(run, request);
        });
    jobs.StartWorkers();
    rpc::Call call = Caller("reports.figures.verify");
    v1::VerifyRollupsRequest request;
    request.set_parent("federations/demo");
    auto job = jobs.Start(call, "", request);
    common::v1::GetJobRequest get;
    while (job.ok() && job->end_time_us() == 0) {
      absl::SleepFor(absl::Milliseconds(5));
      get.set_name(job->name());
      job = jobs.Get(call, get);
    }
    jobs.Stop();
    EXPECT_THAT(job, IsOk());
    v1::VerifyRollupsResult result;
    if (!job.ok() || !job->result().UnpackTo(&result)) return -1;
    EXPECT_EQ(result.facts(), static_cast<int64_t>(oracle_.facts.size()));
    return result.divergent();
  }

  size_t Pick(size_t below) { return std::uniform_int_distribution<size_t>(0, below - 1)(random_); }

  std::string AnyDate() {
    return absl::StrFormat("%d-%02d-%02d", 2019 + Pick(2), 1 + Pick(12), 1 + Pick(28));
  }

  std::string AnyUnit() {
    return std::next(oracle_.parents.begin(), Pick(oracle_.parents.size()))->first;
  }

  void Found(const std::string& id, const std::string& parent, const std::string& from) {
    oracle_.parents[id][from] = parent;
    Record(id);
  }

  // Dated back as often as not; never into a cycle.
  bool Move() {
    const std::string id = AnyUnit();
    const std::string parent = AnyUnit();
    if (id == "D") return false;
    const auto before = oracle_.parents[id];
    const std::string date = std::max(AnyDate(), before.begin()->first);
    oracle_.parents[id][date] = parent;
    if (oracle_.HasCycle()) {
      oracle_.parents[id] = before;
      return false;
    }
    Record(id);
    return true;
  }

  // Withdraws what was believed of the organisation and records what is believed now.
  void Record(const std::string& id) {
    clock_.Advance(absl::Seconds(2));
    const int64_t now = clock_.NowMicros();
    for (size_t i = 0; i < versions_.size(); ++i) {
      if (versions_[i].id != id || versions_[i].recorded_to_us != tree::kNow) continue;
      tree::Version withdrawn = versions_[i];
      versions_[i].recorded_to_us = now;
      withdrawn.recorded_to_us = now;
      versions_.push_back(withdrawn);
    }
    const auto& by_date = oracle_.parents[id];
    for (auto at = by_date.begin(); at != by_date.end(); ++at) {
      tree::Version version;
      version.version_id = absl::StrCat("v", versions_.size());
      version.id = id;
      version.parent = at->second;
      version.valid_from = at->first;
      version.valid_to = std::next(at) == by_date.end() ? "9999-12-31" : std::next(at)->first;
      version.recorded_from_us = now;
      versions_.push_back(std::move(version));
    }
  }

  tree::TreeCache::Page Versions(int64_t after) const {
    tree::TreeCache::Page page;
    page.versions.assign(versions_.begin() + after, versions_.end());
    page.sequence = static_cast<int64_t>(versions_.size());
    return page;
  }

  static feed::v1::Event TreeEvent() {
    feed::v1::Event event;
    event.set_type("gonghui.membership.v1.OrganizationMoved");
    return event;
  }

  // New facts and, now and then, the negation of an old one.
  feed::v1::Event FactEvent(size_t count) {
    feed::v1::Event event;
    event.set_type("gonghui.activities.v1.RecordsCreated");
    for (size_t i = 0; i < count; ++i) {
      Oracle::Fact fact{.organization = AnyUnit(),
                        .measure = Pick(15) == 0 ? "unheard_of" : kCounted[Pick(kCounted.size())],
                        .date = AnyDate(),
                        .topic = Pick(2) == 0 ? "x" : "y",
                        .level = Pick(3) == 0 ? "a" : "b",
                        .subject = absl::StrCat("s", Pick(8)),
                        .delta = 1};
      if (fact.measure == "visits" || fact.measure == "paid") fact.delta = 1 + Pick(5000);
      if (!oracle_.facts.empty() && Pick(5) == 0) {
        fact = oracle_.facts[Pick(oracle_.facts.size())];
        fact.delta = -fact.delta;
      }
      oracle_.facts.push_back(fact);
      common::v1::RecordFacts& record = *event.add_facts();
      record.set_record(absl::StrCat("federations/demo/activities/", oracle_.facts.size()));
      common::v1::Fact& proto = *record.add_facts();
      proto.set_measure(fact.measure);
      proto.set_organization(fact.organization);
      proto.set_on_date(fact.date);
      proto.set_subject(fact.subject);
      proto.set_delta(fact.delta);
      for (const auto& [key, value] : {std::pair("level", fact.level), {"topic", fact.topic}}) {
        common::v1::Dimension& dimension = *proto.add_dimensions();
        dimension.set_key(key);
        dimension.set_value(value);
      }
    }
    return event;
  }

  absl::Status Take(const std::string& source, feed::v1::Event event) {
    event.set_federation("demo");
    event.set_sequence(++sequences_[source]);
    return db_->ReadWrite(absl::InfiniteFuture(),
                          [&](sql::Tx& tx) { return rollups_.Apply(tx, source, {event}); });
  }

  void Check(const std::string& organization, const std::string& measure,
             const std::string& period_text, const std::string& dimensions,
             const std::string& topic, const std::string& level) {
    const std::string name =
        absl::StrCat("federations/demo/organizations/", organization, "/figures/", measure, "/",
                     period_text, dimensions.empty() ? "" : "/", dimensions);
    ASSERT_OK_AND_ASSIGN(const Period period, ParsePeriod(period_text));
    ASSERT_OK_AND_ASSIGN(const FigureName parsed, ParseFigureName(measures_, name));
    v1::Figure figure;
    ASSERT_THAT(db_->ReadOnly(absl::InfiniteFuture(),
                              [&](sql::Tx& tx) -> absl::Status {
                                FigureReader reader(tx, measures_, "demo", nullptr);
                                ASSIGN_OR_RETURN(figure, reader.Read(parsed.scope, *parsed.measure,
                                                                     parsed.filter));
                                return absl::OkStatus();
                              }),
                IsOk());
    EXPECT_EQ(figure.name(), name);
    EXPECT_EQ(figure.value(),
              oracle_.Count(organization, measure, period.first_day, period.last_day, topic, level))
        << name;
  }

  rpc::Call Caller(const std::string& permission) {
    method_.policy.set_permission(permission);
    method_.full_name = "gonghui.reports.v1.ReportService.VerifyRollups";
    rpc::Call call;
    call.method = &method_;
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
  ManualClock clock_{absl::FromUnixSeconds(1600000000)};
  testing::TempDatabase db_;
  Oracle oracle_;
  std::vector<tree::Version> versions_;  // Position + 1 is the sequence number.
  const Measures measures_ = *Measures::Load({{"sim.yaml", kCatalogue}});
  tree::TreeCache tree_;
  Rollups rollups_;
  rpc::Method method_;
  std::map<std::string, int64_t> sequences_;
};

TEST(RollupSim, FiguresEqualTheOracleAfterRandomHistories) {
  log::SetLevel(log::Level::kError);
  const uint64_t seed = Setting("GONGHUI_SIM_SEED", std::random_device{}());
  const uint64_t histories = Setting("GONGHUI_SIM_ROUNDS", 6);
  for (const std::string& engine : testing::Engines()) {
    for (uint64_t round = 0; round < histories; ++round) {
      SCOPED_TRACE(absl::StrCat("GONGHUI_SIM_SEED=", seed + round,
                                " GONGHUI_SIM_ROUNDS=1 repeats this on ", engine));
      History history(engine, seed + round);
      for (int step = 0; step < 60; ++step) {
        history.Step();
        if (step % 6 == 5) history.CheckFigures();
        if (HasFailure()) {
          FAIL() << "step " << step;
        }
      }
      history.CheckVerification();
      history.CheckExplanations();
      history.CheckNewCatalogue();
      history.CheckFigures();
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace gonghui::reports
