// Elections, honours, hardship files, advisers, open affairs, pilots.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tests/acceptance/district.h"

namespace gonghui::district {
namespace {

struct Count {
  absl::string_view code;
  int64_t count;
};

class Registers {
 public:
  Registers(const District& district, Folder& folder)
      : district_(district),
        folder_(folder),
        random_(district.seed, "registers"),
        towns_(district.OfKind("town_street")),
        enterprises_(district.OfKind("enterprise")),
        persons_(random_.Sample(district.Settled(0), 500)) {}

  void Write() {
    Elections();
    Honours();
    HardshipFiles();
    Advisers();
    OpenAffairs();
    Pilots();
  }

 private:
  const Organization& At(size_t position) { return district_.organizations[position]; }
  // The next of some persons drawn once, so that no register meets the same person twice.
  const Member& NextMember() { return district_.members[persons_[next_++ % persons_.size()]]; }
  std::string Day(const std::string& first, const std::string& last) {
    return DayBetween(random_, first, last);
  }

  void AddElection(CsvFile& file, const Organization& organization, const std::string& planned,
                   const std::string& deadline, const std::string& completed) {
    const int64_t eligible = random_.Between(60, 220);
    const int64_t attended = eligible * random_.Between(85, 99) / 100;
    const bool done = !completed.empty();
    file.Add({Numbered("HJ-2020", ++elections_), organization.id, planned, deadline,
              done ? MakeName(random_, random_.Percent(30)) : "",
              done ? absl::StrCat(eligible) : "", done ? absl::StrCat(attended) : "",
              done ? absl::StrCat(attended) : "",
              done ? absl::StrCat(attended - random_.Between(0, 3)) : "", completed});
  }

  // Six towns and streets are done, the others have until July; enterprises vote too.
  void Elections() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"on_date", "计划或启动日期"},
                  {"deadline", "完成时限"},
                  {"chair_name", "当选主席"},
                  {"eligible", "应到会人数"},
                  {"attended", "实到会人数"},
                  {"ballots_issued", "发出选票"},
                  {"ballots_returned", "收回选票"},
                  {"completed_on", "完成日期"}},
                 Dress::kChinese);
    for (size_t i = 0; i < towns_.size(); ++i) {
      const std::string completed = i % 2 == 0 && i < 12 ? Day("2020-04-10", kLastDay) : "";
      AddElection(file, At(towns_[i]), Day("2020-03-01", "2020-04-05"), "2020-07-31", completed);
    }
    for (size_t at : random_.Sample(enterprises_, 23)) {
      AddElection(file, At(at), Day("2020-01-05", "2020-02-20"), "2020-12-31",
                  Day("2020-03-01", "2020-07-31"));
    }
    AddElection(file, At(0), "2019-02-10", "2019-06-30", "2019-05-20");
    folder_.Write(10, "election", file);
  }

  void Honours() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"title", "荣誉名称"},
                  {"on_date", "授予日期"},
                  {"honour", "荣誉"},
                  {"target", "对象"},
                  {"full_name", "获奖个人或集体"},
                  {"person", "身份证号"}});
    int64_t number = 0;
    const auto person = [&](absl::string_view title, absl::string_view honour,
                            const std::string& date) {
      const Member& member = NextMember();
      file.Add({Numbered("RY-2020", ++number), At(member.organization).id, std::string(title), date,
                std::string(honour), "person", member.person.full_name, member.person.id_number});
    };
    for (int i = 0; i < 4; ++i) person("省劳动模范", "provincial_model_worker", "2020-04-28");
    person("全国五一巾帼标兵", "national_womens_mayday", "2020-03-06");
    for (int i = 0; i < 3; ++i) person("市劳动模范", "city_model_worker", "2020-04-29");
    for (int i = 0; i < 2; ++i) person("省劳动模范", "provincial_model_worker", "2019-04-28");
    const Organization& winner = At(enterprises_[3]);
    file.Add({Numbered("RY-2020", ++number), winner.id, "全国五一巾帼标兵岗", "2020-03-06",
              "national_womens_mayday", "collective", winner.place, ""});
    folder_.Write(11, "honour_award", file);
  }

  void AddFile(CsvFile& file, absl::string_view level, const std::string& filed,
               const std::string& exited) {
    static constexpr absl::string_view kCauses[] = {"serious_illness", "no_work_ability",
                                                    "schooling", "accident", "disaster"};
    const Member& member = NextMember();
    file.Add({At(member.organization).id, filed, std::string(level), member.person.full_name,
              member.person.id_number, std::string(kCauses[random_.Below(std::size(kCauses))]),
              absl::StrCat(random_.Between(1, 6)), Yuan(random_.Between(40000, 220000)), exited});
  }

  // 38 are on file at the end of June; others left before, or came after.
  void HardshipFiles() {
    CsvFile file({kOrganization,
                  {"on_date", "建档日期"},
                  {"level", "困难级别"},
                  kFullName,
                  kPerson,
                  {"cause", "主要致困原因"},
                  {"household_size", "家庭人口"},
                  {"per_capita_income", "人均月收入（元）"},
                  {"exited_on", "已脱困日期"}},
                 Dress::kChineseBom);
    constexpr Count kOnFile[] = {{"national", 8}, {"province", 16}, {"district", 14}};
    for (const Count& level : kOnFile) {
      for (int64_t i = 0; i < level.count; ++i) {
        // Some leave after the half-year: on its last day they are still on file.
        const std::string exited = i == 0 ? Day("2020-07-01", "2020-07-31") : "";
        AddFile(file, level.code, Day("2019-01-05", "2020-06-20"), exited);
      }
      for (int i = 0; i < 5; ++i) {
        AddFile(file, level.code, Day("2019-01-05", "2019-10-31"), Day("2019-12-01", kLastDay));
      }
      AddFile(file, level.code, Day("2020-07-01", "2020-07-31"), "");
    }
    folder_.Write(12, "hardship_file", file);
  }

  void Advisers() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"on_date", "任用日期"},
                  {"adviser_kind", "类别"},
                  {"action", "事项"},
                  kFullName,
                  kPerson});
    int64_t number = 0;
    const auto add = [&](const Organization& organization, absl::string_view kind,
                         absl::string_view action, const std::string& date) {
      const Member& member = NextMember();
      file.Add({Numbered("ZDY", ++number), organization.id, date, std::string(kind),
                std::string(action), member.person.full_name, member.person.id_number});
    };
    add(At(0), "full_time", "hired", "2020-04-07");
    add(At(0), "full_time", "hired", "2020-05-18");
    add(At(towns_[1]), "part_time", "replaced", "2020-04-22");
    add(At(towns_[8]), "part_time", "replaced", "2020-06-03");
    add(At(towns_[4]), "part_time", "hired", "2019-03-12");
    add(At(enterprises_[5]), "part_time", "replaced", "2020-05-09");
    folder_.Write(13, "adviser_appointment", file);
  }

  void OpenAffairs() {
    CsvFile file(
        {kOrganization, {"on_date", "建制日期"}, {"unit", "单位编码"}, {"unit_name", "单位名称"}});
    const std::vector<size_t> picked = random_.Sample(enterprises_, 9);
    for (size_t i = 0; i < picked.size(); ++i) {
      const Organization& enterprise = At(picked[i]);
      file.Add({enterprise.id,
                i < 6 ? Day("2020-02-10", kLastDay) : Day("2019-02-10", "2019-12-20"),
                enterprise.unit, absl::StrCat(enterprise.place, "有限公司")});
    }
    folder_.Write(14, "open_affairs_enrolment", file);
  }

  void Pilots() {
    CsvFile pilots({kNumber,
                    kOrganization,
                    {"title", "试点内容"},
                    {"on_date", "确定日期"},
                    {"unit_name", "试点单位"}});
    CsvFile experiences({kNumber, kOrganization, {"title", "经验名称"}, {"on_date", "总结日期"}});
    constexpr absl::string_view kTitles[] = {"街道工会“三建”", "社区联合工会实体化",
                                             "园区工会组织体系", "行业工会协商机制"};
    for (int64_t i = 0; i < 4; ++i) {
      const Organization& town = At(towns_[static_cast<size_t>(i) * 3]);
      const std::string title(kTitles[i]);
      pilots.Add({Numbered("SD", i + 1), town.id, title, "2019-11-20", town.place});
      experiences.Add({Numbered("JY", i + 1), town.id, title, Day("2020-05-06", "2020-06-24")});
    }
    pilots.Add(
        {Numbered("SD", 5), At(towns_[5]).id, "社区工会", "2020-07-15", At(towns_[5]).place});
    folder_.Write(15, "reform_pilot", pilots);
    folder_.Write(16, "pilot_experience", experiences);
  }

  const District& district_;
  Folder& folder_;
  Random random_;
  const std::vector<size_t> towns_;
  const std::vector<size_t> enterprises_;
  const std::vector<size_t> persons_;
  size_t next_ = 0;
  int64_t elections_ = 0;
};

}  // namespace

void WriteRegisters(const District& district, Folder& folder) {
  Registers(district, folder).Write();
}

}  // namespace gonghui::district
