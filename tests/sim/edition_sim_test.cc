// Random histories of a federation (random_federation.h) whose periods are closed again and again
// while facts come late, are corrected and cancel each other out, organisations change, returns
// come to count, and measures are redefined. Every figure of every edition, the set of figures that
// changed, and each cause of each change must be what a naive model makes of its own list of facts;
// no byte of an earlier edition ever changes.
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/rpc/jobs.h"
#include "services/reports/editions.h"
#include "tests/sim/edition_model.h"
#include "tests/sim/random_federation.h"

namespace gonghui::reports {
namespace {

constexpr Span kPeriods[] = {{"2020-03", "2020-03-01", "2020-03-31"},
                             {"2020Q2", "2020-04-01", "2020-06-30"},
                             {"2020H1", "2020-01-01", "2020-06-30"},
                             {"2020S", "2019-10-01", "2020-09-30"},
                             {"2020", "2020-01-01", "2020-12-31"}};
std::string Sm3(const std::string& bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EXPECT_EQ(EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sm3(), nullptr), 1);
  std::string text;
  for (unsigned int i = 0; i < size; ++i) absl::StrAppendFormat(&text, "%02x", digest[i]);
  return text;
}

// What was read of an edition when it was new.
struct Frozen {
  std::string edition, content, changes;
};

class ClosedFederation : public RandomFederation {
 public:
  ClosedFederation(const std::string& engine, uint64_t seed)
      : RandomFederation(engine, seed, 14, 400),
        jobs_({.db = db_.get()}),
        editions_({.db = db_.get(),
                   .clock = &today_,
                   .measures = &measures_,
                   .tree = &tree_,
                   .freshness = [](const std::string&) { return std::vector<v1::Freshness>(); },
                   .jobs = &jobs_}) {
    counted_.push_back("spent");
    Define();
    jobs_.Register<v1::ClosePeriodRequest, v1::Edition>(
        "ClosePeriod", [this](rpc::JobRun& run, const v1::ClosePeriodRequest& request) {
          return editions_.Close(run, request);
        });
    jobs_.StartWorkers();
    for (int i = 0; i < 8; ++i) Change();
    AddFacts(50);
    closings_ = {{"D", kPeriods[2], v1::TREE_MODE_AS_WAS, ""},
                 {"D", AnyPeriod(), v1::TREE_MODE_AS_IS, ""},
                 {"D", AnyPeriod(), v1::TREE_MODE_AS_OF, AnyDay(2018, 4)},
                 {AnyUpper(), AnyPeriod(), v1::TREE_MODE_AS_WAS, ""},
                 {AnyUpper(), AnyPeriod(), v1::TREE_MODE_AS_IS, ""}};
  }

  // Something happens, then every period is closed.
  void Round() {
    for (size_t i = Pick(6); i > 0; --i) Happen();
    today_.Advance(absl::Hours(24 * Pick(20)));
    std::vector<v1::Edition> editions;
    ASSERT_NO_FATAL_FAILURE(CloseAll(editions));
    for (size_t i = 0; i < closings_.size(); ++i) {
      SCOPED_TRACE(editions[i].name());
      ASSERT_NO_FATAL_FAILURE(Check(closings_[i], editions[i]));
    }
    for (const auto& [name, frozen] : frozen_) {
      ASSERT_NO_FATAL_FAILURE(CheckFrozen(name, frozen));
    }
  }

  size_t editions() const { return frozen_.size(); }
  size_t changes() const { return changes_; }

 private:
  const Span& AnyPeriod() { return kPeriods[Pick(std::size(kPeriods))]; }

  // An organisation with others below it, if there is one.
  std::string AnyUpper() {
    std::string id = AnyUnit();
    for (int tries = 0; tries < 10; ++tries) {
      const std::string below = AnyUnit();
      const std::string& parent = model_.At(below, "2020-06-30").parent;
      if (!parent.empty() && parent != "D") id = parent;
    }
    return id;
  }

  void Happen() {
    switch (Pick(8)) {
      case 0:
      case 1:
        AddFacts(1 + static_cast<int>(Pick(10)));
        break;
      case 2:
      case 3:
        Correct();
        break;
      case 4:
        AddZeroSum();
        break;
      case 5:
        Cover();
        break;
      case 6:
        Redefine();
        break;
      default:
        RandomFederation::Change();
    }
  }

  // Records are stated again: elsewhere, of another day or level, larger or smaller, or withdrawn.
  void Correct() {
    const bool stated = Pick(4) == 0;
    feed::v1::Event event;
    for (int i = 0; i < 10 && !model_.facts.empty(); ++i) {
      const ModelFact old = model_.facts[Pick(model_.facts.size())];
      if (old.stated != stated) continue;
      ModelFact fact = old;
      fact.delta = -old.delta;
      Tell(fact, event);
      fact.delta = old.delta;
      switch (Pick(6)) {
        case 0:
          continue;
        case 1:
          fact.organization = AnyUnit();
          break;
        case 2:
          fact.date = AnyDay();
          break;
        case 3:
          fact.level = fact.level == "a" ? "b" : "a";
          break;
        case 4:
          fact.measure = counted_[Pick(counted_.size())];
          break;
        default:
          fact.delta += 1 + static_cast<int64_t>(Pick(9));
      }
      Tell(fact, event);
    }
    EXPECT_THAT(Take(stated ? "returns/f" : "activities", std::move(event)), IsOk());
  }

  // What adds up to nothing, of one record or of two; and a number stated without subjects.
  void AddZeroSum() {
    feed::v1::Event event;
    for (int i = 0; i < 5; ++i) {
      ModelFact fact{.organization = AnyUnit(),
                     .measure = counted_[Pick(counted_.size())],
                     .date = AnyDay(2020, 1),
                     .level = "b",
                     .subject = absl::StrCat("s", Pick(50)),
                     .record = absl::StrCat("federations/demo/records/", model_.facts.size()),
                     .delta = 1 + static_cast<int64_t>(Pick(4)),
                     .stated = false};
      Tell(fact, event);
      if (Pick(2) == 0) absl::StrAppend(&fact.record, "-");
      fact.delta = -fact.delta;
      Tell(fact, event);
    }
    EXPECT_THAT(Take("activities", std::move(event)), IsOk());
    feed::v1::Event stated;
    Tell({.organization = AnyUnit(),
          .measure = counted_[Pick(counted_.size())],
          .date = AnyDay(2020, 1),
          .level = "a",
          .subject = "",
          .record = absl::StrCat("federations/demo/returns/", Pick(5)),
          .delta = 1 + static_cast<int64_t>(Pick(40)),
          .stated = true},
         stated);
    EXPECT_THAT(Take("returns/f", std::move(stated)), IsOk());
  }

  void Tell(const ModelFact& fact, feed::v1::Event& event) {
    Add(fact, event);
    model_.facts.push_back(fact);
  }

  // Another catalogue, as after a restart with other files.
  void Redefine() {
    switch (Pick(6)) {
      case 0:
        definitions_.visits_balance = !definitions_.visits_balance;
        break;
      case 1:
        definitions_.visits_by_level = !definitions_.visits_by_level;
        break;
      case 2:
        definitions_.posts_balance = !definitions_.posts_balance;
        break;
      case 3:
        definitions_.members_balance = !definitions_.members_balance;
        break;
      case 4:
        definitions_.has_reached = !definitions_.has_reached;
        break;
      default:
        definitions_.denominator = definitions_.denominator == "posts" ? "members" : "posts";
    }
    Define();
  }

  void Define() {
    const std::string yaml = definitions_.Yaml();
    auto measures = Measures::Load({{"sim.yaml", yaml}});
    ASSERT_THAT(measures, IsOk()) << yaml;
    measures_ = *std::move(measures);
    EXPECT_THAT(rollups_.Refresh(*db_), IsOk());
  }

  rpc::Call Closer() {
    rpc::Call call = Caller();
    method_.full_name = "gonghui.reports.v1.EditionService.ClosePeriod";
    return call;
  }

  void CloseAll(std::vector<v1::Edition>& editions) {
    rpc::Call call = Closer();
    std::vector<common::v1::GetJobRequest> running;
    for (Closing& closing : closings_) {
      if (closing.mode == v1::TREE_MODE_AS_IS) closing.day = today_.Today();
      v1::ClosePeriodRequest request;
      request.set_parent("federations/demo");
      request.set_organization(closing.organization);
      request.set_period(closing.period.text);
      request.set_tree_mode(closing.mode);
      if (closing.mode == v1::TREE_MODE_AS_OF) request.set_tree_date(closing.day);
      ASSERT_OK_AND_ASSIGN(const common::v1::Job job, editions_.Begin(call, request));
      running.emplace_back().set_name(job.name());
    }
    for (const common::v1::GetJobRequest& job : running) {
      common::v1::Job now;
      for (int i = 0; i < 6000 && now.end_time_us() == 0; ++i) {
        if (i > 0) absl::SleepFor(absl::Milliseconds(10));
        ASSERT_OK_AND_ASSIGN(now, jobs_.Get(call, job));
      }
      ASSERT_EQ(now.state(), common::v1::JOB_STATE_SUCCEEDED) << now.ShortDebugString();
      ASSERT_TRUE(now.result().UnpackTo(&editions.emplace_back()));
    }
  }

  void Check(Closing& closing, const v1::Edition& edition) {
    EditionModel model(model_);
    const std::set<std::string> listed = model.Listed(closing);
    Shows shows = model.ShowsOf(closing, definitions_, listed);
    const ChangeMap changed =
        closing.name.empty() ? ChangeMap() : model.Expect(closing, definitions_, listed, shows);
    if (!closing.name.empty() && changed.empty()) {
      EXPECT_EQ(edition.name(), closing.name) << "nothing changed: the same edition";
      return;
    }
    const auto [frozen, fresh] = frozen_.try_emplace(edition.name());
    ASSERT_TRUE(fresh) << "the edition is not new, but figures changed";
    EXPECT_EQ(edition.base(), closing.name);
    ASSERT_NO_FATAL_FAILURE(Read(edition.name(), frozen->second));
    EXPECT_EQ(edition.ShortDebugString(), frozen->second.edition);
    EXPECT_EQ(Sm3(frozen->second.content), edition.digest());
    ExpectEqual(ShowsIn(frozen->second.content), shows);
    ChangeMap said;
    ASSERT_NO_FATAL_FAILURE(ReadChanges(closing, edition, said));
    EXPECT_EQ(static_cast<size_t>(edition.changes()), said.size());
    ExpectEqual(said, changed);
    changes_ += said.size();
    closing.name = edition.name();
    closing.shows = std::move(shows);
    closing.facts = model_.facts.size();
    closing.definitions = definitions_;
  }

  template <typename Map>
  static void ExpectEqual(const Map& said, const Map& right) {
    for (const auto& [key, value] : right) {
      const auto found = said.find(key);
      const std::string name = absl::StrCat(key.organization, " ", key.measure, " ", key.level);
      ASSERT_NE(found, said.end()) << name << " is missing: " << value;
      ASSERT_EQ(found->second, value) << name;
    }
    for (const auto& [key, value] : said) {
      ASSERT_TRUE(right.contains(key)) << key.organization << " " << key.measure << " " << key.level
                                       << " is too much: " << value;
    }
  }

  // What the bytes of an edition say, without ratios over zero.
  static Shows ShowsIn(const std::string& content) {
    Shows shows;
    for (const std::string_view line : gonghui::Split(content, '\n')) {
      const auto fields = gonghui::Split(line, '\t');
      if (fields[0] != "figure" || fields[7].empty()) continue;
      int64_t value = 0;
      int64_t over = 0;
      EXPECT_TRUE(ParseInteger(fields[4], &value)) << line;
      if (!fields[5].empty()) {
        EXPECT_TRUE(ParseInteger(fields[5], &over)) << line;
        value = RoundedHalfAway(value, 1'000'000, over);
      }
      const size_t equals = fields[3].find('=');
      const std::string_view level =
          equals == std::string_view::npos ? "" : fields[3].substr(equals + 1);
      shows[{std::string(fields[1]), std::string(fields[2]), std::string(level)}] = {
          value, std::string(fields[7])};
    }
    return shows;
  }

  void Read(const std::string& name, Frozen& frozen) {
    rpc::Call call = Closer();
    v1::GetEditionRequest get;
    get.set_name(name);
    ASSERT_OK_AND_ASSIGN(const v1::Edition edition, editions_.Get(call, get));
    frozen.edition = edition.ShortDebugString();
    v1::ReadEditionRequest read;
    read.set_name(name);
    for (int parts = 1; read.part() < parts; read.set_part(read.part() + 1)) {
      ASSERT_OK_AND_ASSIGN(const auto part, editions_.Read(call, read));
      parts = part.parts();
      frozen.content += part.content();
    }
    v1::ListEditionChangesRequest list;
    list.set_name(name);
    list.set_page_size(1 + static_cast<int>(Pick(50)));
    do {
      ASSERT_OK_AND_ASSIGN(const auto page, editions_.ListChanges(call, list));
      for (const auto& change : page.changes()) frozen.changes += change.SerializeAsString();
      list.set_page_token(page.next_page_token());
    } while (!list.page_token().empty());
  }

  void ReadChanges(const Closing& closing, const v1::Edition& edition, ChangeMap& changes) {
    rpc::Call call = Closer();
    v1::ListEditionChangesRequest list;
    list.set_name(edition.name());
    list.set_page_size(1000);
    do {
      ASSERT_OK_AND_ASSIGN(const auto page, editions_.ListChanges(call, list));
      for (const v1::EditionChange& said : page.changes()) {
        const std::string level =
            said.dimensions().empty() ? "" : said.dimensions().substr(std::string("level=").size());
        ModelChange change{.before = {said.old_value(), said.old_text()},
                           .after = {said.new_value(), said.new_text()},
                           .causes = {}};
        int64_t sum = 0;
        for (const v1::CausedDelta& delta : said.causes()) {
          const bool merged =
              !EditionModel::CanTellLate(closing) && delta.cause() == v1::CHANGE_CAUSE_LATE;
          change.causes[merged ? v1::CHANGE_CAUSE_CORRECTED : delta.cause()] += delta.delta();
          sum += delta.delta();
        }
        EXPECT_EQ(sum, said.delta()) << said.ShortDebugString();
        EXPECT_EQ(said.new_value() - said.old_value(), said.delta()) << said.ShortDebugString();
        if (change.causes[v1::CHANGE_CAUSE_CORRECTED] == 0) {
          change.causes.erase(v1::CHANGE_CAUSE_CORRECTED);
        }
        const FigureKey key{said.organization(), said.measure(), level};
        EXPECT_TRUE(changes.emplace(key, std::move(change)).second) << said.ShortDebugString();
      }
      list.set_page_token(page.next_page_token());
    } while (!list.page_token().empty());
  }

  void CheckFrozen(const std::string& name, const Frozen& frozen) {
    Frozen now;
    ASSERT_NO_FATAL_FAILURE(Read(name, now));
    EXPECT_TRUE(now.edition == frozen.edition) << name;
    EXPECT_TRUE(now.content == frozen.content) << name;
    EXPECT_TRUE(now.changes == frozen.changes) << name;
  }

  rpc::Jobs jobs_;
  Editions editions_;
  Definitions definitions_;
  std::vector<Closing> closings_;
  std::map<std::string, Frozen> frozen_;
  size_t changes_ = 0;
};

// GONGHUI_FULL=1: 100 federations on each engine.
TEST(EditionSim, EveryChangeAndEachCauseIsRight) {
  log::SetLevel(log::Level::kError);
  const bool full = Setting("GONGHUI_FULL", 0) != 0;
  const uint64_t seed = Setting("GONGHUI_SIM_SEED", std::random_device{}());
  const uint64_t rounds = Setting("GONGHUI_SIM_ROUNDS", full ? 100 : 3);
  for (const std::string& engine : testing::Engines()) {
    for (uint64_t round = 0; round < rounds; ++round) {
      SCOPED_TRACE(absl::StrCat("GONGHUI_SIM_SEED=", seed + round,
                                " GONGHUI_SIM_ROUNDS=1 repeats this on ", engine));
      ClosedFederation federation(engine, seed + round);
      for (int i = 0; i < (full ? 12 : 6) && !HasFailure(); ++i) federation.Round();
      if (HasFailure()) return;
      std::printf("seed %llu on %s: %zu editions, %zu changes explained\n",
                  static_cast<unsigned long long>(seed + round), engine.c_str(),
                  federation.editions(), federation.changes());
    }
  }
}

}  // namespace
}  // namespace gonghui::reports
