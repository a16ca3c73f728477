// Random operations on an organisation tree, against a model that knows nothing of versions: for
// each organisation, each attribute is a list of dates on which it changed, and every belief ever
// held is kept whole. Compared: what is allowed, and the tree at random (valid, known) pairs, node
// for node.
//
// GONGHUI_SIM_SEED repeats a run; GONGHUI_FULL=1: 10,000 operations over 5,000 units, 1,000 pairs.
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <random>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "gonghui/membership/v1/reorganization.pb.h"
#include "tests/integration/membership.h"

namespace gonghui::membership {
namespace {

using Day = std::string;
using Id = std::string;

constexpr char kEnd[] = "9999-12-31";

// What an attribute was since which day.
struct Course {
  std::map<Day, std::string> since;

  std::string At(const Day& day) const { return std::prev(since.upper_bound(day))->second; }
  // First day after `day` on which it changes.
  Day Next(const Day& day) const {
    const auto next = since.upper_bound(day);
    return next == since.end() ? kEnd : next->first;
  }
  void Set(const Day& from, const Day& to, const std::string& value) {
    const std::string after = to == kEnd ? "" : At(to);
    since.erase(since.lower_bound(from), since.lower_bound(to));
    since[from] = value;
    if (to != kEnd) since[to] = after;
    for (auto it = since.begin(); it != since.end();) {
      const bool same = it != since.begin() && std::prev(it)->second == it->second;
      it = same ? since.erase(it) : std::next(it);
    }
  }
  void Begin(const Day& day) {
    const std::string first =
        since.upper_bound(day) == since.begin() ? since.begin()->second : At(day);
    since.erase(since.begin(), since.upper_bound(day));
    since[day] = first;
    Set(day, Next(day), first);
  }
  bool operator==(const Course&) const = default;
};

struct Unit {
  Course parent;
  Course name;
  Course kind;
  Course state;
  Course line;
  Day founded;

  bool OpenAt(const Day& day) const { return state.At(day) == "open"; }
  bool operator==(const Unit&) const = default;
};
using Units = std::map<Id, Unit>;

// A reorganisation that was carried out.
struct Carried {
  std::string name;
  std::map<Id, std::optional<Unit>> before;  // nullopt: was not there.
  std::map<Id, std::optional<Unit>> after;
};

class Model {
 public:
  explicit Model(std::vector<Day> days) : days_(std::move(days)) {}

  Units now;
  // Every belief: since which operation, nullopt while there is no such unit.
  std::map<Id, std::vector<std::pair<int64_t, std::optional<Unit>>>> beliefs;
  std::map<Id, std::set<Id>> ever_below;

  // Takes the changed units over if the tree holds together; false otherwise.
  bool Try(const std::map<Id, std::optional<Unit>>& changes) {
    std::map<Id, std::optional<Unit>> old;
    for (const auto& [id, unit] : changes) {
      old[id] = now.contains(id) ? std::optional(now[id]) : std::nullopt;
      Put(id, unit);
    }
    bool holds = true;
    for (const auto& [id, unit] : changes) {
      holds = holds && Stands(id);
      for (const Id& child : ever_below[id]) holds = holds && Stands(child);
    }
    if (!holds) {
      for (const auto& [id, unit] : old) Put(id, unit);
    }
    return holds;
  }
  const std::vector<Day>& days() const { return days_; }

 private:
  void Put(const Id& id, const std::optional<Unit>& unit) {
    if (!unit.has_value()) {
      now.erase(id);
      return;
    }
    now[id] = *unit;
    for (const auto& [day, parent] : unit->parent.since) ever_below[parent].insert(id);
  }
  // Whether the unit may be where it is, on every day.
  bool Stands(const Id& id) const {
    const auto found = now.find(id);
    if (found == now.end()) return true;
    for (const Day& day : days_) {
      if (day < found->second.founded) continue;
      const Unit* unit = &found->second;
      const Id above = unit->parent.At(day);
      if (above.empty()) {
        if (!unit->OpenAt(day)) return false;
        continue;
      }
      const auto parent = now.find(above);
      if (parent == now.end() || day < parent->second.founded) return false;
      if (unit->OpenAt(day) && !parent->second.OpenAt(day)) return false;
      for (int steps = 0; !unit->parent.At(day).empty(); ++steps) {
        const auto next = now.find(unit->parent.At(day));
        if (steps > 500 || next == now.end() || next->first == id) return false;
        if (day < next->second.founded) return false;
        unit = &next->second;
      }
    }
    return true;
  }
  const std::vector<Day> days_;
};

uint64_t Setting(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class ReorganizationSim : public MembershipTest {
 protected:
  static constexpr int kYears = 15;

  int Pick(size_t below) { return static_cast<int>(random_() % below); }
  Day PickDay() { return model_.days()[static_cast<size_t>(Pick(model_.days().size()))]; }
  // Now and then one that is not there (any more).
  Id PickUnit() {
    while (true) {
      const Id& id = ids_[static_cast<size_t>(Pick(ids_.size()))];
      if (model_.now.contains(id) || Pick(20) == 0) return id;
    }
  }
  // Mostly an older unit than the given one, so that the tree stays as flat as real ones.
  Id PickUpper(const Id& id) {
    const Id upper = PickUnit();
    return upper < id || Pick(10) == 0 ? upper : std::min(upper, PickUnit());
  }
  static std::vector<Day> Months() {
    std::vector<Day> days;
    for (int i = 0; i < kYears * 12; ++i) {
      days.push_back(absl::StrFormat("%04d-%02d-01", 2005 + i / 12, 1 + i % 12));
    }
    return days;
  }

  template <typename Response, typename Request>
  absl::StatusOr<Response> Call(const std::string& method, const Request& request) {
    return admin_->Invoke<Response>("/gonghui.membership.v1.ReorganizationService/" + method,
                                    request);
  }
  absl::StatusOr<v1::Reorganization> Do(const v1::ReorganizationStep& step) {
    v1::PlanReorganizationRequest plan;
    plan.set_parent("federations/demo");
    plan.set_title("sim");
    *plan.add_steps() = step;
    auto planned = Call<v1::Reorganization>("PlanReorganization", plan);
    if (!planned.ok()) return planned;
    v1::ApplyReorganizationRequest apply;
    apply.set_name(planned->name());
    return Call<v1::Reorganization>("ApplyReorganization", apply);
  }

  // Unknown units are tried, too.
  const Unit* Known(const Id& id) const {
    const auto found = model_.now.find(id);
    return found == model_.now.end() ? nullptr : &found->second;
  }

  // Takes the changes over, if there are any (nullopt: the operation is not allowed), and compares
  // with the answer of the service.
  void Settle(const v1::ReorganizationStep& step,
              const std::optional<std::map<Id, std::optional<Unit>>>& changes) {
    Carried carried;
    if (changes.has_value()) {
      for (const auto& [id, unit] : *changes) {
        const Unit* old = Known(id);
        if (old == nullptr || !(*old == *unit)) {
          carried.before[id] = old == nullptr ? std::nullopt : std::optional(*old);
        }
      }
    }
    const bool allowed = changes.has_value() && model_.Try(*changes);
    const absl::StatusOr<v1::Reorganization> done = Do(step);
    ASSERT_EQ(done.ok(), allowed) << step.ShortDebugString() << "\n" << done.status();
    if (!allowed) return;
    ++allowed_;
    ASSERT_EQ(done->organizations_size(), carried.before.size()) << step.ShortDebugString();
    carried.name = done->name();
    Believe(carried);
    if (!carried.before.empty()) carried_.push_back(std::move(carried));
  }
  void Believe(Carried& carried) {
    const int64_t at = Clock::System().NowMicros();
    for (const auto& [id, old] : carried.before) {
      const Unit* unit = Known(id);
      model_.beliefs[id].emplace_back(at, unit == nullptr ? std::nullopt : std::optional(*unit));
      carried.after[id] = model_.beliefs[id].back().second;
    }
  }

  void Found(bool root = false) {
    v1::ReorganizationStep step;
    const Id id = absl::StrFormat("U%05d", static_cast<int>(ids_.size()));
    const Id parent = root ? "" : PickUnit();
    // Most units are old, so that most days are days of theirs.
    Day day = root ? model_.days().front() : model_.days()[static_cast<size_t>(Pick(24))];
    if (const Unit* above = Known(parent); above != nullptr && Pick(20) != 0) {
      day = std::max(day, above->founded);
    }
    v1::Organization& wanted = *step.mutable_found()->mutable_organization();
    wanted = Organization(id, parent, "group", day);
    Unit unit;
    unit.founded = wanted.founded_on();
    unit.parent.since[unit.founded] = parent;
    unit.name.since[unit.founded] = wanted.display_name();
    unit.kind.since[unit.founded] = wanted.kind();
    unit.state.since[unit.founded] = "open";
    unit.line.since[unit.founded] = "";
    ids_.push_back(id);
    if (!root) return Settle(step, {{{id, unit}}});
    v1::CreateOrganizationRequest request;
    request.set_parent("federations/demo");
    *request.mutable_organization() = wanted;
    ASSERT_THAT(Organizations<v1::Organization>(*admin_, "CreateOrganization", request), IsOk());
    ASSERT_TRUE(model_.Try({{id, unit}}));
    Carried carried;
    carried.before[id] = std::nullopt;
    Believe(carried);
  }
  void Move() {
    v1::ReorganizationStep step;
    v1::MoveStep& move = *step.mutable_move();
    move.set_organization(PickUnit());
    move.set_new_parent(PickUpper(move.organization()));
    move.set_valid_from(PickDay());
    const Unit* unit = Known(move.organization());
    const Unit* parent = Known(move.new_parent());
    const Day& day = move.valid_from();
    if (unit == nullptr || parent == nullptr || unit == parent || day < unit->founded ||
        day < parent->founded || !unit->OpenAt(day)) {
      return Settle(step, std::nullopt);
    }
    Unit changed = *unit;
    if (unit->parent.At(day) != move.new_parent()) {
      changed.parent.Set(day, unit->parent.Next(day), move.new_parent());
    }
    Settle(step, {{{move.organization(), changed}}});
  }
  void Rename() {
    v1::ReorganizationStep step;
    v1::RenameStep& rename = *step.mutable_rename();
    rename.set_organization(PickUnit());
    rename.set_display_name(absl::StrCat("name ", Pick(5)));
    rename.set_valid_from(PickDay());
    const Unit* unit = Known(rename.organization());
    const Day& day = rename.valid_from();
    if (unit == nullptr || day < unit->founded) return Settle(step, std::nullopt);
    Unit changed = *unit;
    if (unit->name.At(day) != rename.display_name()) {
      changed.name.Set(day, unit->name.Next(day), rename.display_name());
    }
    Settle(step, {{{rename.organization(), changed}}});
  }
  void Close() {
    v1::ReorganizationStep step;
    v1::CloseStep& close = *step.mutable_close();
    close.set_organization(PickUnit());
    close.set_valid_from(PickDay());
    const Unit* unit = Known(close.organization());
    const Day& day = close.valid_from();
    if (unit == nullptr || day < unit->founded || !unit->OpenAt(day)) {
      return Settle(step, std::nullopt);
    }
    Unit changed = *unit;
    changed.state.Set(day, unit->state.Next(day), "closed");
    Settle(step, {{{close.organization(), changed}}});
  }
  void Reopen() {
    v1::ReorganizationStep step;
    v1::ReopenStep& reopen = *step.mutable_reopen();
    reopen.set_organization(PickUnit());
    reopen.set_valid_from(PickDay());
    if (Pick(2) == 0) reopen.set_parent(PickUpper(reopen.organization()));
    const Unit* unit = Known(reopen.organization());
    const Day& day = reopen.valid_from();
    if (unit == nullptr || day < unit->founded || unit->OpenAt(day)) {
      return Settle(step, std::nullopt);
    }
    Id parent = unit->parent.At(unit->founded);
    for (const Day& earlier : model_.days()) {
      if (earlier < unit->founded || earlier >= day || !reopen.parent().empty()) continue;
      if (unit->OpenAt(earlier)) parent = unit->parent.At(earlier);
    }
    if (!reopen.parent().empty()) parent = reopen.parent();
    Unit changed = *unit;
    changed.state.Set(day, unit->state.Next(day), "open");
    changed.parent.Set(day, unit->state.Next(day), parent);
    Settle(step, {{{reopen.organization(), changed}}});
  }
  void Correct() {
    v1::ReorganizationStep step;
    v1::CorrectStep& correct = *step.mutable_correct();
    correct.set_organization(PickUnit());
    correct.set_valid_from(PickDay());
    if (Pick(2) == 0) correct.set_valid_to(PickDay());
    if (Pick(3) == 0) correct.set_parent(PickUpper(correct.organization()));
    if (Pick(3) == 0) correct.set_display_name(absl::StrCat("right name ", Pick(5)));
    if (Pick(3) == 0) correct.set_kind(Pick(2) == 0 ? "branch" : "group");
    if (Pick(4) == 0) correct.set_state(Pick(2) == 0 ? "open" : "closed");
    if (Pick(6) == 0) correct.set_founded_on(PickDay());
    const Unit* unit = Known(correct.organization());
    const bool empty = correct.parent().empty() && correct.display_name().empty() &&
                       correct.kind().empty() && correct.state().empty() &&
                       correct.founded_on().empty();
    if (unit == nullptr || empty) return Settle(step, std::nullopt);
    const Day founded = correct.founded_on().empty() ? std::min(unit->founded, correct.valid_from())
                                                     : correct.founded_on();
    const Day from = std::max(correct.valid_from(), founded);
    const Day to = correct.valid_to().empty() ? kEnd : correct.valid_to();
    const bool root = unit->parent.At(unit->founded).empty();
    if (to <= from || (root && !correct.parent().empty())) return Settle(step, std::nullopt);
    Unit changed = *unit;
    changed.founded = founded;
    for (Course Unit::*course :
         {&Unit::parent, &Unit::name, &Unit::kind, &Unit::state, &Unit::line}) {
      (changed.*course).Begin(founded);
    }
    if (!correct.parent().empty()) changed.parent.Set(from, to, correct.parent());
    if (!correct.display_name().empty()) changed.name.Set(from, to, correct.display_name());
    if (!correct.kind().empty()) changed.kind.Set(from, to, correct.kind());
    if (!correct.state().empty()) changed.state.Set(from, to, correct.state());
    Settle(step, {{{correct.organization(), changed}}});
  }

  // Whether the unit is open from the day on.
  bool StaysOpen(const Id& id, const Day& day) const {
    const Unit* unit = Known(id);
    return unit != nullptr && unit->founded <= day && unit->OpenAt(day) &&
           unit->state.Next(day) == kEnd;
  }
  // Whether the unit can close on the day.
  bool CanClose(const Id& id, const Day& day) const {
    const Unit* unit = Known(id);
    return unit != nullptr && unit->founded <= day && unit->OpenAt(day) &&
           !unit->parent.At(day).empty();
  }
  static Unit& Edit(std::map<Id, std::optional<Unit>>& changes, const Id& id, const Units& now) {
    auto& unit = changes[id];
    if (!unit.has_value()) unit = now.at(id);
    return *unit;
  }
  // First day since `day` on which the unit is open below `above`; empty: never.
  Day OpenBelowSince(const Unit& unit, const Id& above, const Day& day) const {
    for (const Day& d : model_.days()) {
      if (d < day || d < unit.founded) continue;
      if (unit.OpenAt(d) && unit.parent.At(d) == above) return d;
    }
    return "";
  }
  void Rehang(Unit& unit, const Id& from, const Id& to, const Day& since) const {
    for (size_t i = 0; i < model_.days().size(); ++i) {
      const Day& day = model_.days()[i];
      if (day < since || day < unit.founded || unit.parent.At(day) != from) continue;
      unit.parent.Set(day, i + 1 < model_.days().size() ? model_.days()[i + 1] : kEnd, to);
    }
  }

  void Merge() {
    v1::ReorganizationStep step;
    v1::MergeStep& merge = *step.mutable_merge();
    std::set<Id> sources;
    for (int i = 1 + Pick(3); i > 0; --i) sources.insert(PickUnit());
    for (const Id& source : sources) merge.add_sources(source);
    merge.set_target(PickUpper(*sources.begin()));
    merge.set_valid_from(PickDay());
    const Day& day = merge.valid_from();
    bool fits = StaysOpen(merge.target(), day) && !sources.contains(merge.target());
    for (const Id& source : sources) fits = fits && CanClose(source, day);
    if (!fits) return Settle(step, std::nullopt);
    std::map<Id, std::optional<Unit>> changes;
    for (const Id& source : sources) {
      for (const Id& child : std::set<Id>(model_.ever_below[source])) {
        if (Known(child) == nullptr) continue;
        const auto edited = changes.find(child);
        const Unit& unit = edited == changes.end() ? *Known(child) : *edited->second;
        const Day since = OpenBelowSince(unit, source, day);
        if (!since.empty()) Rehang(Edit(changes, child, model_.now), source, merge.target(), since);
      }
      Unit& closed = Edit(changes, source, model_.now);
      closed.state.Set(day, kEnd, "closed");
      closed.parent.Set(day, kEnd, merge.target());
    }
    Settle(step, changes);
  }
  void Split() {
    v1::ReorganizationStep step;
    v1::SplitStep& split = *step.mutable_split();
    std::set<Id> targets;
    for (int i = 1 + Pick(3); i > 0; --i) targets.insert(PickUnit());
    split.set_source(PickUnit());
    for (const Id& target : targets) split.add_targets(target);
    split.set_valid_from(PickDay());
    const Id& source = split.source();
    const Day& day = split.valid_from();
    bool fits = CanClose(source, day) && !targets.contains(source);
    for (const Id& target : targets) fits = fits && StaysOpen(target, day);
    if (!fits) return Settle(step, std::nullopt);
    std::map<Id, std::optional<Unit>> changes;
    for (const Id& child : std::set<Id>(model_.ever_below[source])) {
      if (Known(child) == nullptr) continue;
      const Day since = OpenBelowSince(*Known(child), source, day);
      if (since.empty()) continue;
      Id to = Known(source)->parent.At(day);
      if (!targets.contains(child)) {
        to = *std::next(targets.begin(), Pick(targets.size()));
        (*split.mutable_children())[child] = to;
      }
      Rehang(Edit(changes, child, model_.now), source, to, since);
    }
    Edit(changes, source, model_.now).state.Set(day, kEnd, "closed");
    Settle(step, changes);
  }
  void Revert() {
    if (carried_.empty()) return;
    // The newest are the likeliest to be revertible.
    const size_t back = std::min(carried_.size(), static_cast<size_t>(1 + Pick(40)));
    const size_t at = carried_.size() - back;
    const Carried& old = carried_[at];
    bool allowed = true;
    Carried carried;
    for (const auto& [id, unit] : old.after) {
      const Unit* now = Known(id);
      carried.before[id] = now == nullptr ? std::nullopt : std::optional(*now);
      allowed = allowed && carried.before[id] == unit;
    }
    allowed = allowed && model_.Try(old.before);
    v1::RevertReorganizationRequest request;
    request.set_name(old.name);
    const auto done = Call<v1::Reorganization>("RevertReorganization", request);
    ASSERT_EQ(done.ok(), allowed) << old.name << "\n" << done.status();
    if (!allowed) return;
    ++reverted_;
    Believe(carried);
    carried_.erase(carried_.begin() + static_cast<ptrdiff_t>(at));
  }

  void Operate() {
    const int what = Pick(100);
    if (what < 40) return Move();
    if (what < 52) return Rename();
    if (what < 60) return Close();
    if (what < 68) return Reopen();
    if (what < 80) return Correct();
    if (what < 87) return Merge();
    if (what < 92) return Split();
    Revert();
  }

  // The tree of the model, drawn like that of the service.
  void Draw(const std::map<Id, Unit>& units, const std::map<Id, std::vector<Id>>& below,
            const Id& id, const Day& day, int depth, std::vector<std::string>& lines) const {
    const Unit& unit = units.at(id);
    lines.push_back(absl::StrCat(depth, " ", id, " ", unit.name.At(day), " ", unit.kind.At(day),
                                 " ", unit.state.At(day), " ", unit.founded));
    const auto children = below.find(id);
    if (children == below.end()) return;
    for (const Id& child : children->second) Draw(units, below, child, day, depth + 1, lines);
  }
  std::vector<std::string> Expected(const Day& day, int64_t known_at) const {
    std::map<Id, Unit> units;
    std::map<Id, std::vector<Id>> below;
    for (const auto& [id, beliefs] : model_.beliefs) {
      const std::optional<Unit>* held = nullptr;
      for (const auto& [since, unit] : beliefs) {
        if (since <= known_at) held = &unit;
      }
      if (held == nullptr || !held->has_value() || day < (*held)->founded) continue;
      units[id] = **held;
      below[(*held)->parent.At(day)].push_back(id);
    }
    std::vector<std::string> lines;
    if (units.contains(ids_[0])) Draw(units, below, ids_[0], day, 0, lines);
    EXPECT_EQ(lines.size(), units.size()) << "the model itself fell apart";
    return lines;
  }
  void Compare() {
    const Day day = PickDay();
    // An instant between two operations: then nothing is being written.
    const int64_t known_at = Pick(4) == 0 ? Clock::System().NowMicros()
                                          : instants_[static_cast<size_t>(Pick(instants_.size()))];
    v1::GetTreeRequest request;
    request.set_parent("federations/demo");
    request.set_valid_at(day);
    request.set_known_at_us(known_at);
    const auto tree = Organizations<v1::GetTreeResponse>(*admin_, "GetTree", request);
    std::vector<std::string> lines;
    if (tree.ok()) {
      for (const v1::TreeNode& node : tree->nodes()) {
        const v1::Organization& o = node.organization();
        lines.push_back(absl::StrCat(node.depth(), " ", o.id(), " ", o.display_name(), " ",
                                     o.kind(), " ", o.state(), " ", o.founded_on()));
      }
    }
    ASSERT_EQ(lines, Expected(day, known_at)) << "valid " << day << ", known " << known_at;
    nodes_ += static_cast<int64_t>(lines.size());
  }

  std::mt19937_64 random_;
  Model model_{Months()};
  std::vector<Id> ids_;
  std::vector<Carried> carried_;
  std::vector<int64_t> instants_;
  int allowed_ = 0;
  int reverted_ = 0;
  int64_t nodes_ = 0;
};

TEST_P(ReorganizationSim, TheTreeIsThatOfTheModelAtEveryValidAndKnownDate) {
  const bool full = std::getenv("GONGHUI_FULL") != nullptr;
  const size_t units = full ? 5000 : 150;
  const int operations = full ? 10'000 : 1000;
  const int pairs = full ? 1000 : 100;
  const uint64_t seed = Setting("GONGHUI_SIM_SEED", std::random_device{}());
  random_.seed(seed);
  SCOPED_TRACE(absl::StrCat("GONGHUI_SIM_SEED=", seed));
  ASSERT_THAT(CreateFederation(*admin_), IsOk());
  Found(true);
  for (int step = 0; step < operations; ++step) {
    instants_.push_back(Clock::System().NowMicros());
    const bool young = ids_.size() < 20 || step % 2 == 0;
    young&& ids_.size() < units ? Found() : Operate();
    if (HasFatalFailure()) FAIL() << "step " << step;
  }
  for (int i = 0; i < pairs; ++i) {
    Compare();
    if (HasFatalFailure()) return;
  }
  std::printf(
      "seed %llu on %s: %zu units, %d operations carried out, %d taken back, %d pairs with "
      "%lld nodes equal\n",
      static_cast<unsigned long long>(seed), GetParam().c_str(), ids_.size(), allowed_, reverted_,
      pairs, static_cast<long long>(nodes_));
}

INSTANTIATE_TEST_SUITE_P(Engines, ReorganizationSim,
                         ::testing::ValuesIn(::gonghui::testing::Engines()));

}  // namespace
}  // namespace gonghui::membership
