// Members, and the files of organisations and members.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "tests/acceptance/district.h"

namespace gonghui::district {
namespace {

constexpr int64_t kMembers = 85941;

// A value as a system and as a clerk would write it.
struct Word {
  absl::string_view code;
  absl::string_view label;
};
constexpr Word kEmployment[] = {{"on_post", "在岗"}, {"laid_off", "待岗"}, {"sick_leave", "病休"}};
constexpr Word kEducation[] = {{"bachelor", "本科"},      {"college", "大专"},
                               {"high_school", "高中"},   {"secondary_vocational", "中专"},
                               {"middle_school", "初中"}, {"master", "研究生"}};
constexpr Word kSkill[] = {
    {"none", "无"},       {"junior", "初级工"},   {"intermediate", "中级工"},
    {"senior", "高级工"}, {"technician", "技师"}, {"senior_technician", "高级技师"}};
constexpr Word kPolitics[] = {
    {"masses", "群众"}, {"party_member", "中共党员"}, {"league_member", "共青团员"}};
constexpr Word kGroup[] = {{"frontline", "一线职工"},
                           {"technical", "专业技术人员"},
                           {"management", "管理人员"},
                           {"other", "其他"}};
constexpr absl::string_view kJobs[] = {"焊工", "钳工", "电工",   "车工",   "仓管员", "会计",
                                       "护士", "教师", "叉车工", "质检员", "营业员", "文员"};

// Mostly the first words.
template <size_t N>
const Word& Pick(Random& random, const Word (&words)[N]) {
  const int64_t roll = random.Below(static_cast<int64_t>(N * N));
  return words[static_cast<size_t>(roll * roll / static_cast<int64_t>(N * N * N))];
}

std::vector<int64_t> MembersByOrganization(const District& district, Random& random) {
  const int64_t total = district.Scaled(kMembers);
  std::vector<int64_t> counts(district.organizations.size(), 0);
  std::vector<size_t> others;
  int64_t left = total;
  for (size_t i = 0; i < counts.size(); ++i) {
    const std::string& kind = district.organizations[i].kind;
    if (kind != "district" && kind != "town_street") {
      others.push_back(i);
      continue;
    }
    counts[i] = std::min<int64_t>(random.Between(8, 28), left / 2);
    left -= counts[i];
  }
  const int64_t least = left / static_cast<int64_t>(others.size()) >= 10 ? 4 : 0;
  const std::vector<int64_t> parts = random.Split(left, others.size(), least);
  for (size_t i = 0; i < others.size(); ++i) counts[others[i]] = parts[i];
  return counts;
}

std::string JoinedOn(Random& random, const Organization& organization, const Person& person) {
  const int of_age = std::stoi(person.birth_date.substr(0, 4)) + 18;
  const std::string adult = absl::StrCat(of_age, person.birth_date.substr(4));
  // 29 February of a leap year comes back only every fourth year.
  const std::string from =
      std::max({organization.founded_on, absl::StrReplaceAll(adult, {{"-02-29", "-03-01"}}),
                std::string("1985-01-01")});
  return DayBetween(random, from, kLastDay);
}

std::vector<Column> MemberColumns() {
  return {{"organization", "所属工会编码"},
          {"full_name", "姓名"},
          {"id_number", "证件号码"},
          {"sex", "性别"},
          {"birth_date", "出生日期"},
          {"phone", "移动电话"},
          {"employment", "就业状况"},
          {"education", "学历"},
          {"skill_level", "技能等级"},
          {"political_status", "政治面貌"},
          {"job", "岗位"},
          {"worker_group", "职工群体"},
          {"migrant_worker", "是否农民工"},
          {"joined_on", "入会日期"}};
}

// The three ways in which offices write dates.
std::string Dated(const std::string& iso, Dress dress) {
  if (dress == Dress::kChineseBom) return absl::StrReplaceAll(iso, {{"-", "/"}});
  if (dress == Dress::kChineseGb18030) return absl::StrReplaceAll(iso, {{"-", ""}});
  return iso;
}

class MemberFile {
 public:
  MemberFile(uint64_t seed, absl::string_view topic, Dress dress)
      : dress_(dress),
        random_(seed, topic),
        phones_(Random(seed, absl::StrCat(topic, " phones"))),
        file_(MemberColumns(), dress) {}

  void Add(const Organization& organization, const Person& person, const std::string& joined_on) {
    const bool chinese = dress_ != Dress::kEnglish;
    const auto say = [&](const Word& word) {
      return std::string(chinese ? word.label : word.code);
    };
    const bool migrant = organization.kind != "institution" && random_.Percent(30);
    const std::string yes = chinese ? "是" : "true", no = chinese ? "否" : "false";
    file_.Add({organization.id, person.full_name, person.id_number,
               say(person.female ? Word{"female", "女"} : Word{"male", "男"}),
               Dated(person.birth_date, dress_), random_.Percent(90) ? phones_.Phone() : "",
               say(Pick(random_, kEmployment)), say(Pick(random_, kEducation)),
               say(Pick(random_, kSkill)), say(Pick(random_, kPolitics)),
               std::string(kJobs[random_.Below(std::size(kJobs))]), say(Pick(random_, kGroup)),
               migrant ? yes : no, Dated(joined_on, dress_)});
  }
  const CsvFile& file() const { return file_; }

 private:
  Dress dress_;
  Random random_;
  People phones_;
  CsvFile file_;
};

CsvFile OrganizationFile() {
  return CsvFile({{"id", "工会编码"},
                  {"parent", "上级工会编码"},
                  {"display_name", "工会名称"},
                  {"kind", "组织层级"},
                  {"union_type", "建会方式"},
                  {"industry", "行业"},
                  {"founded_on", "成立日期"},
                  {"credit_code", "统一社会信用代码"},
                  {"employees", "职工人数"}});
}

void AddRow(CsvFile& file, const Organization& o) {
  file.Add({o.id, o.parent, o.display_name, o.kind, o.union_type, o.industry, o.founded_on,
            o.credit_code, absl::StrCat(o.employees)});
}

// What July brings: the half-year's figures must not see it.
void WriteJuly(const District& district, Folder& folder) {
  Random random(district.seed, "july");
  Organization late;
  late.id = "T01-E901";
  late.parent = "T01";
  late.display_name = "青枫街道和众\"鲜到家\"生鲜配送有限公司工会委员会";
  late.kind = "enterprise";
  late.union_type = "single";
  late.industry = "trade";
  late.founded_on = "2020-07-08";
  late.credit_code = MakeCreditCode(random, "81");
  late.employees = 40;
  CsvFile organizations = OrganizationFile();
  AddRow(organizations, late);
  folder.Write(90, "organization", organizations);

  // Born later than every member of the half-year, so that no identity number stands twice.
  People people(Random(district.seed, "july members"));
  MemberFile members(district.seed, "july member fields", Dress::kEnglish);
  for (int i = 0; i < 25; ++i) {
    members.Add(late, people.Make(2001, 2001), DayBetween(random, "2020-07-08", "2020-07-31"));
  }
  folder.Write(91, "member", members.file());
}

}  // namespace

void AddMembers(District& district) {
  Random random(district.seed, "members");
  People people(Random(district.seed, "people"));
  const std::vector<int64_t> counts = MembersByOrganization(district, random);
  for (size_t i = 0; i < counts.size(); ++i) {
    Organization& organization = district.organizations[i];
    organization.members_begin = district.members.size();
    for (int64_t n = 0; n < counts[i]; ++n) {
      Member member;
      member.person = people.Make(1962, 2000);
      member.organization = i;
      member.joined_on = JoinedOn(random, organization, member.person);
      district.members.push_back(std::move(member));
    }
    organization.employees = counts[i] + counts[i] * random.Between(0, 40) / 100;
  }
  for (Organization& organization : district.organizations) {
    const size_t end = organization.subtree_end;
    organization.members_end = end < district.organizations.size()
                                   ? district.organizations[end].members_begin
                                   : district.members.size();
  }
}

void WriteMembership(const District& district, Folder& folder) {
  CsvFile organizations = OrganizationFile();
  for (const Organization& organization : district.organizations) {
    AddRow(organizations, organization);
  }
  folder.Write(1, "organization", organizations);

  // Three offices, three ways of writing.
  const size_t cuts[] = {0, district.members.size() * 6 / 10, district.members.size() * 8 / 10,
                         district.members.size()};
  constexpr Dress kDresses[] = {Dress::kEnglish, Dress::kChineseBom, Dress::kChineseGb18030};
  for (int part = 0; part < 3; ++part) {
    MemberFile file(district.seed, absl::StrCat("member fields ", part), kDresses[part]);
    for (size_t i = cuts[part]; i < cuts[part + 1]; ++i) {
      const Member& member = district.members[i];
      file.Add(district.organizations[member.organization], member.person, member.joined_on);
    }
    folder.Write(2 + part, "member", file.file());
  }
  WriteJuly(district, folder);
}

}  // namespace gonghui::district
