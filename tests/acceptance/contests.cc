// Skills contests and their entries; the Ankang Cup.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tests/acceptance/district.h"

namespace gonghui::district {
namespace {

struct Trade {
  absl::string_view code;
  absl::string_view label;
};
constexpr Trade kTrades[] = {
    {"welder", "焊工"},         {"fitter", "钳工"},   {"electrician", "电工"},
    {"lathe_operator", "车工"}, {"cook", "中式烹调"}, {"nurse", "护理"},
    {"sewing", "缝纫"},         {"forklift", "叉车"}, {"mould", "模具"},
    {"housekeeping", "家政"},   {"courier", "快递"}};

struct Series {
  absl::string_view host;
  int64_t contests;
  int64_t entries;
  size_t trades;
};
constexpr Series kAllLevels = {"all_level_unions", 350, 55190, 11};
constexpr Series kTowns = {"town_street", 15, 432, 6};

class Contests {
 public:
  Contests(const District& district, Folder& folder)
      : district_(district),
        folder_(folder),
        random_(district.seed, "contests"),
        towns_(district.OfKind("town_street")),
        enterprises_(district.OfKind("enterprise")) {}

  void Write() {
    Hold(kAllLevels, district_.Scaled(kAllLevels.entries), kFirstDay, kLastDay);
    Hold(kTowns, kTowns.entries, kFirstDay, kLastDay);
    // Before and after: other trades and entries that the half-year does not see.
    Hold({"all_level_unions", 12, 240, 4}, 240, "2019-09-01", "2019-12-31");
    Hold({"town_street", 3, 60, 3}, 60, "2020-07-01", "2020-07-31");
    folder_.Write(30, "skills_contest", contests_);
    folder_.Write(31, "contest_entry", entries_);
  }

 private:
  // An organisation whose settled members can fill the contest; the root's always can.
  size_t Organizer(absl::string_view host, size_t entries) {
    const std::vector<size_t>& often = host == "town_street" ? towns_ : enterprises_;
    for (int tries = 0; tries < 30; ++tries) {
      const size_t at = random_.Pick(random_.Percent(85) ? often : towns_);
      if (district_.Settled(at).size() >= entries) return at;
    }
    return 0;
  }

  void Hold(const Series& series, int64_t entries, const std::string& first,
            const std::string& last) {
    const auto contests = static_cast<size_t>(series.contests);
    const int64_t least = entries >= 8 * series.contests ? 5 : 0;
    const std::vector<int64_t> sizes = random_.Split(entries, contests, least);
    for (size_t i = 0; i < contests; ++i) {
      const Trade& trade = kTrades[i % series.trades];
      const size_t organizer = Organizer(series.host, static_cast<size_t>(sizes[i]));
      HoldOne(series, trade, organizer, static_cast<size_t>(sizes[i]),
              DayBetween(random_, first, last));
    }
  }

  void HoldOne(const Series& series, const Trade& trade, size_t organizer, size_t entries,
               const std::string& date) {
    const Organization& organization = district_.organizations[organizer];
    const std::string number = Numbered(absl::StrCat("JS-", date.substr(0, 4)), ++number_, 4);
    contests_.Add({number, organization.id,
                   absl::StrCat(organization.place, trade.label, "技能比武"), date,
                   std::string(series.host), std::string(trade.code)});
    size_t rank = 0;
    for (size_t at : random_.Sample(district_.Settled(organizer), entries)) {
      const Member& member = district_.members[at];
      static constexpr absl::string_view kPrizes[] = {"一等奖", "二等奖", "三等奖"};
      entries_.Add({district_.organizations[member.organization].id, date, number,
                    member.person.full_name, member.person.id_number,
                    rank < std::size(kPrizes) ? std::string(kPrizes[rank]) : ""});
      ++rank;
    }
  }

  const District& district_;
  Folder& folder_;
  Random random_;
  const std::vector<size_t> towns_;
  const std::vector<size_t> enterprises_;
  int64_t number_ = 0;
  CsvFile contests_{{kNumber,
                     kOrganization,
                     {"title", "竞赛名称"},
                     {"on_date", "举办日期"},
                     {"host", "主办层级"},
                     {"trade", "工种"}}};
  CsvFile entries_{{kOrganization,
                    {"on_date", "参赛日期"},
                    {"contest", "竞赛编号"},
                    kFullName,
                    kPerson,
                    {"result", "成绩"}}};
};

constexpr int64_t kUnits = 1254;
constexpr int64_t kParticipants = 180000;
constexpr int64_t kWorkforce = 200000;
constexpr size_t kSecondEnrolments = 9;  // Units that enrol a further workshop later.

struct Unit {
  std::string code;
  std::string name;
  std::string organization;
};

// Employers of unions, and employers without one, who enrol through a town.
std::vector<Unit> Units(const District& district, Random& random) {
  std::vector<Unit> units;
  for (size_t at : district.OfKind("enterprise")) {
    const Organization& organization = district.organizations[at];
    units.push_back(
        {organization.unit, absl::StrCat(organization.place, "有限公司"), organization.id});
  }
  const std::vector<size_t> towns = district.OfKind("town_street");
  while (static_cast<int64_t>(units.size()) < kUnits) {
    const Organization& town = district.organizations[random.Pick(towns)];
    units.push_back({MakeCreditCode(random, "91"),
                     absl::StrCat(town.place, "第", units.size(), "加工厂"), town.id});
  }
  return units;
}

void WriteAnkang(const District& district, Folder& folder) {
  Random random(district.seed, "ankang");
  const std::vector<Unit> units = Units(district, random);
  const size_t rows = units.size() + kSecondEnrolments;
  const std::vector<int64_t> participants = random.Split(kParticipants, rows, 5);
  const std::vector<int64_t> absent = random.Split(kWorkforce - kParticipants, rows, 0);
  CsvFile file({kOrganization,
                {"on_date", "报名日期"},
                {"unit", "单位编码"},
                {"unit_name", "单位名称"},
                {"participants", "参赛职工数"},
                {"workers", "职工总数"},
                {"teams", "参赛班组数"}},
               Dress::kChinese);
  const auto add = [&](const Unit& unit, const std::string& date, int64_t taking, int64_t all) {
    file.Add({unit.organization, date, unit.code, unit.name, absl::StrCat(taking),
              absl::StrCat(all), absl::StrCat(1 + taking / 25)});
  };
  for (size_t i = 0; i < rows; ++i) {
    const bool second = i >= units.size();
    const Unit& unit = units[second ? (i - units.size()) * 7 : i];
    const std::string date = second ? DayBetween(random, "2020-05-06", kLastDay)
                                    : DayBetween(random, "2020-03-02", "2020-04-30");
    add(unit, date, participants[i], participants[i] + absent[i]);
  }
  // The year before: fewer units and fewer workers.
  for (size_t i = 0; i < units.size(); ++i) {
    if (i % 12 == 5) continue;
    const int64_t fewer = participants[i] * 9 / 10 + 1;
    add(units[i], DayBetween(random, "2019-03-02", "2019-04-30"), fewer, fewer + absent[i]);
  }
  folder.Write(32, "ankang_enrolment", file);
}

}  // namespace

void WriteContests(const District& district, Folder& folder) {
  Contests(district, folder).Write();
  WriteAnkang(district, folder);
}

}  // namespace gonghui::district
