// Culture, skills and innovation, women workers, benefits, recuperation, training.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tests/acceptance/district.h"

namespace gonghui::district {
namespace {

// A parent record that persons sign up for.
struct Event {
  std::string number;
  std::string date;
  size_t persons = 0;
  bool women_only = false;
};

class Activities {
 public:
  Activities(const District& district, Folder& folder)
      : district_(district),
        folder_(folder),
        random_(district.seed, "activities"),
        towns_(district.OfKind("town_street")),
        settled_(district.Settled(0)) {
    for (size_t at : settled_) {
      if (district.members[at].person.female) women_.push_back(at);
    }
  }

  void Write() {
    Reading();
    ArtShow();
    Innovation();
    Studios();
    Pairings();
    Women();
    Matchmaking();
    Benefits();
    Courses();
    Recuperation();
    Training();
  }

 private:
  const std::string& Town(size_t i) {
    return district_.organizations[towns_[i % towns_.size()]].id;
  }
  std::string Day(const std::string& first, const std::string& last) {
    return DayBetween(random_, first, last);
  }

  // One row a person and event, at the person's own organisation.
  void WritePersons(int order, absl::string_view kind, absl::string_view parent,
                    absl::string_view parent_label, absl::string_view date_label,
                    const std::vector<Event>& events) {
    CsvFile file(
        {kOrganization, {"on_date", date_label}, {parent, parent_label}, kFullName, kPerson});
    for (const Event& event : events) {
      const std::vector<size_t>& from = event.women_only ? women_ : settled_;
      for (size_t at : random_.Sample(from, event.persons)) {
        const Member& member = district_.members[at];
        file.Add({district_.organizations[member.organization].id, event.date, event.number,
                  member.person.full_name, member.person.id_number});
      }
    }
    folder_.Write(order, kind, file);
  }

  void Reading() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"title", "活动名称"},
                  {"on_date", "举办日期"},
                  {"event_kind", "活动种类"}},
                 Dress::kChinese);
    constexpr absl::string_view kKinds[] = {"读书月", "行走讲坛", "女职工读书会", "亲子绘本"};
    for (int64_t i = 0; i < 6; ++i) {
      const std::string kind(kKinds[i % 4]);
      file.Add({Numbered("YD", i + 1), i < 2 ? district_.RootId() : Town(i * 2),
                absl::StrCat(kind, "，“书香澄湖”"), Day("2020-04-01", kLastDay), kind});
    }
    file.Add({Numbered("YD", 7), Town(3), "演讲, 朗诵", "2019-11-05", "朗诵会"});
    folder_.Write(33, "reading_event", file);
  }

  void ArtShow() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"title", "节目名称"},
                  {"on_date", "报送日期"},
                  {"event", "赛事"},
                  {"prize", "获奖等次"},
                  {"selected_on", "入选日期"},
                  {"rejected_on", "未入选日期"}});
    const auto add = [&](absl::string_view title, absl::string_view prize, const char* selected,
                         const char* rejected) {
      file.Add({Numbered("HY", static_cast<int64_t>(file.rows()) + 1), Town(file.rows() * 3),
                std::string(title), "2020-03-20", "city_art_show", std::string(prize), selected,
                rejected});
    };
    add("舞蹈《湖畔织女》", "二等奖", "2020-04-24", "");
    add("小品《班组长》", "二等奖", "2020-04-24", "");
    add("合唱《工人之歌》", "", "", "2020-04-24");
    add("评弹《新茶》", "", "2020-07-10", "");
    folder_.Write(34, "competition_entry", file);
  }

  // Some work on two projects: they are one participant each.
  void Innovation() {
    constexpr size_t kProjects = 10, kParticipants = 176, kTwice = 14;
    constexpr absl::string_view kTitles[] = {
        "模具快换夹具", "冷却水循环节能", "自动上下料", "焊缝视觉检测", "叉车防撞",
        "护理排班优化", "织机断纱停车",   "废料回收",   "点检二维码",   "电机绕线工装"};
    CsvFile projects({kNumber,
                      kOrganization,
                      {"title", "项目名称"},
                      {"on_date", "立项日期"},
                      {"service_field", "领域"}});
    CsvFile members(
        {kOrganization, {"on_date", "参加日期"}, {"project", "项目编号"}, kFullName, kPerson});
    CsvFile results({kNumber,
                     kOrganization,
                     {"title", "成果名称"},
                     {"on_date", "形成日期"},
                     {"project", "项目编号"}});
    const std::vector<size_t> persons = random_.Sample(settled_, kParticipants);
    const std::vector<int64_t> sizes = random_.Split(kParticipants, kProjects, 6);
    size_t next = 0;
    const auto join = [&](size_t person, const std::string& project) {
      const Member& member = district_.members[persons[person % persons.size()]];
      members.Add({district_.organizations[member.organization].id, Day("2020-04-01", kLastDay),
                   project, member.person.full_name, member.person.id_number});
    };
    for (size_t i = 0; i < kProjects; ++i) {
      const std::string number = Numbered("CX", static_cast<int64_t>(i) + 1, 2);
      projects.Add({number, Town(i), std::string(kTitles[i]), Day("2020-01-10", "2020-03-31"),
                    i % 2 == 0 ? "machinery" : "science"});
      for (int64_t n = 0; n < sizes[i]; ++n) join(next++, number);
      results.Add({absl::StrCat("CG-", number), Town(i), absl::StrCat(kTitles[i], "成果"),
                   Day("2020-05-01", kLastDay), number});
    }
    for (size_t i = 0; i < kTwice; ++i) join(i, "CX-10");
    results.Add({"CG-JUL", Town(2), "自动上下料二期", "2020-07-20", "CX-03"});
    folder_.Write(35, "innovation_project", projects);
    folder_.Write(36, "innovation_project_member", members);
    folder_.Write(37, "innovation_result", results);
  }

  void Studios() {
    CsvFile studios({kNumber,
                     kOrganization,
                     {"title", "工作室名称"},
                     {"on_date", "成立日期"},
                     {"holder", "领衔人类别"},
                     {"trade", "行业工种"},
                     {"in_operation", "是否发挥作用的示范工作室"}});
    CsvFile nominations({kNumber,
                         kOrganization,
                         {"on_date", "推荐日期"},
                         {"studio", "工作室编号"},
                         {"level", "推荐级别"}});
    constexpr absl::string_view kTrades[] = {
        "welder", "fitter", "electrician", "lathe_operator", "cook",
        "nurse",  "sewing", "forklift",    "mould",          "housekeeping"};
    const auto add = [&](const std::string& holder, absl::string_view trade,
                         const std::string& date, bool running) {
      const auto number = static_cast<int64_t>(studios.rows()) + 1;
      studios.Add({Numbered("GZS", number, 2), Town(studios.rows()),
                   absl::StrCat(MakeName(random_, random_.Percent(30)), "创新工作室"), date, holder,
                   std::string(trade), running ? "true" : "false"});
    };
    for (size_t i = 0; i < std::size(kTrades); ++i) {
      add("model_worker", kTrades[i], Day("2020-01-06", "2020-06-20"), i == 2 || i == 8);
    }
    for (size_t i = 0; i < 3; ++i) add("craftsman", kTrades[i], "2020-05-20", i == 0);
    add("model_worker", "courier", "2019-11-20", false);
    add("model_worker", "courier", "2020-07-16", false);
    nominations.Add({"TJ-01", district_.RootId(), "2020-06-08", "GZS-03", "city"});
    nominations.Add({"TJ-02", district_.RootId(), "2020-06-08", "GZS-09", "city"});
    nominations.Add({"TJ-03", district_.RootId(), "2020-06-09", "GZS-09", "province"});
    folder_.Write(38, "studio", studios);
    folder_.Write(39, "studio_nomination", nominations);
  }

  void Pairings() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"on_date", "结对日期"},
                  {"mentor_name", "师傅姓名"},
                  {"full_name", "徒弟姓名"},
                  {"person", "徒弟身份证号"},
                  {"trade", "工种"}});
    const std::vector<size_t> apprentices = random_.Sample(settled_, 8);
    for (size_t i = 0; i < apprentices.size(); ++i) {
      const Member& member = district_.members[apprentices[i]];
      file.Add({Numbered("ST", static_cast<int64_t>(i) + 1, 2),
                district_.organizations[member.organization].id,
                i < 6 ? Day("2020-03-01", kLastDay) : "2019-09-10", MakeName(random_, false),
                member.person.full_name, member.person.id_number, "fitter"});
    }
    folder_.Write(40, "mentor_pairing", file);
  }

  // Sixteen sessions around 8 March with 1,600 attendances; four ordinary ones.
  void Women() {
    constexpr size_t kSessions = 16, kOrdinary = 4;
    CsvFile file({kNumber,
                  kOrganization,
                  {"title", "活动名称"},
                  {"on_date", "举办日期"},
                  {"theme", "主题"}});
    const std::vector<int64_t> sizes = random_.Split(1600, kSessions, 40);
    std::vector<Event> events;
    for (size_t i = 0; i < kSessions + kOrdinary; ++i) {
      const bool march8 = i < kSessions;
      events.push_back({Numbered("NZ", static_cast<int64_t>(i) + 1, 2),
                        march8 ? Day("2020-03-02", "2020-03-20") : Day("2020-05-01", kLastDay),
                        march8 ? static_cast<size_t>(sizes[i]) : 30, true});
      file.Add({events.back().number, Town(i), march8 ? "“三八”女职工活动" : "女职工健康讲座",
                events.back().date, march8 ? "march8" : "ordinary"});
    }
    events.push_back({"NZ-2019", "2019-03-08", 90, true});
    file.Add({"NZ-2019", Town(0), "“三八”女职工活动", "2019-03-08", "march8"});
    folder_.Write(41, "womens_activity", file);
    WritePersons(42, "womens_activity_attendance", "activity", "活动编号", "出席日期", events);
  }

  void Matchmaking() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"title", "活动名称"},
                  {"on_date", "举办日期"},
                  {"matches", "牵手对数"}});
    file.Add({"LY-01", district_.RootId(), "“缘来是你”青年职工联谊", "2020-05-20", "7"});
    file.Add({"LY-02", Town(4), "园区单身职工交友", "2020-06-13", "4"});
    file.Add({"LY-00", district_.RootId(), "七夕交友", "2019-08-07", "9"});
    folder_.Write(43, "matchmaking_event", file);
  }

  void Benefits() {
    CsvFile projects({kNumber,
                      kOrganization,
                      {"title", "项目名称"},
                      {"on_date", "推出日期"},
                      {"tier", "需求层次"},
                      {"series", "系列"}});
    projects.Add(
        {"PH-1", district_.RootId(), "普惠购物", "2020-01-15", "basic_guarantee", "shopping"});
    projects.Add(
        {"PH-2", district_.RootId(), "普惠日", "2020-03-08", "better_life", "benefit_day"});
    projects.Add(
        {"PH-3", district_.RootId(), "普惠课堂", "2020-04-02", "better_life", "public_course"});
    folder_.Write(44, "benefit_project", projects);

    CsvFile merchants({kNumber,
                       kOrganization,
                       {"title", "商家名称"},
                       {"on_date", "签约日期"},
                       {"category", "类别"},
                       {"discount_percent", "优惠后付百分比"},
                       {"ended_on", "已终止日期"}});
    const auto add = [&](const std::string& signed_on, const char* ended) {
      const auto number = static_cast<int64_t>(merchants.rows()) + 1;
      const bool dining = number % 2 == 1;
      merchants.Add({Numbered("SJ", number, 2), district_.RootId(),
                     absl::StrCat(MakeName(random_, true), dining ? "小厨" : "百货"), signed_on,
                     dining ? "dining" : "shopping", dining ? "50" : "85", ended});
    };
    for (int i = 0; i < 10; ++i) add(Day("2019-03-01", "2020-06-15"), i == 0 ? "2020-07-12" : "");
    add("2019-04-01", "2020-03-31");
    add("2020-07-06", "");
    folder_.Write(45, "merchant_agreement", merchants);
  }

  void Courses() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"title", "课程名称"},
                  {"on_date", "开班日期"},
                  {"seats", "名额"}});
    constexpr absl::string_view kTitles[] = {"插花", "茶艺", "书法",  "瑜伽",
                                             "摄影", "烘焙", "八段锦"};
    const std::vector<int64_t> sizes = random_.Split(1000, 20, 15);
    std::vector<Event> events;
    for (size_t i = 0; i < sizes.size(); ++i) {
      events.push_back({Numbered("KT", static_cast<int64_t>(i) + 1, 2), Day("2020-04-08", kLastDay),
                        static_cast<size_t>(sizes[i])});
      file.Add({events.back().number, Town(i), std::string(kTitles[i % std::size(kTitles)]),
                events.back().date, absl::StrCat(sizes[i] + 5)});
    }
    events.push_back({"KT-JUL", "2020-07-04", 35});
    file.Add({"KT-JUL", Town(1), "暑期亲子手工", "2020-07-04", "40"});
    folder_.Write(46, "benefit_course", file);
    WritePersons(47, "course_registration", "course", "课程编号", "报名日期", events);
  }

  void Recuperation() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"title", "批次名称"},
                  {"on_date", "出发日期"},
                  {"group", "对象"},
                  {"days", "天数"}});
    const std::vector<Event> events = {{"LXY-01", "2020-05-25", 44},
                                       {"LXY-02", "2020-06-01", 43},
                                       {"LXY-03", "2020-06-08", 38},
                                       {"LXY-04", "2020-06-15", 22},
                                       {"LXY-05", "2020-07-06", 40}};
    for (const Event& event : events) {
      const bool cadres = event.number == "LXY-04";
      file.Add({event.number, district_.RootId(), cadres ? "优秀工会干部疗休养" : "一线职工疗休养",
                event.date, cadres ? "excellent_cadres" : "frontline", cadres ? "3" : "5"});
    }
    folder_.Write(48, "recuperation_trip", file);
    WritePersons(49, "recuperation_enrolment", "trip", "批次编号", "参加日期", events);
  }

  void Training() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"title", "培训班名称"},
                  {"on_date", "开班日期"},
                  {"topic", "主题"}});
    const std::vector<Event> events = {{"PX-01", "2020-05-14", 83},
                                       {"PX-02", "2020-06-11", 67},
                                       {"PX-03", "2020-04-16", 45},
                                       {"PX-04", "2019-10-17", 72}};
    for (const Event& event : events) {
      const bool law = event.number == "PX-03";
      file.Add({event.number, district_.RootId(), law ? "劳动法律培训" : "工会财务经审干部培训",
                event.date, law ? "law" : "finance_and_audit"});
    }
    folder_.Write(51, "training_course", file);
    WritePersons(52, "training_attendance", "course", "培训班编号", "到课日期", events);
  }

  const District& district_;
  Folder& folder_;
  Random random_;
  const std::vector<size_t> towns_;
  const std::vector<size_t> settled_;
  std::vector<size_t> women_;
};

}  // namespace

void WriteActivities(const District& district, Folder& folder) {
  Activities(district, folder).Write();
}

}  // namespace gonghui::district
