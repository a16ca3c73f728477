// Technical service, publicity, job fairs, safety, integrity, visits, documents.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tests/acceptance/district.h"

namespace gonghui::district {
namespace {

class Services {
 public:
  Services(const District& district, Folder& folder)
      : district_(district),
        folder_(folder),
        random_(district.seed, "services"),
        towns_(district.OfKind("town_street")),
        enterprises_(district.OfKind("enterprise")) {}

  void Write() {
    Visits();
    Publicity();
    Handouts();
    JobFairs();
    Integrity();
    Safety();
    Superiors();
    Documents();
  }

 private:
  const Organization& Town() { return district_.organizations[random_.Pick(towns_)]; }
  std::string Day(const std::string& first, const std::string& last) {
    return DayBetween(random_, first, last);
  }

  void Visits() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"title", "服务内容"},
                  {"on_date", "服务日期"},
                  {"service_field", "技术领域"},
                  {"unit", "受服务单位"}});
    constexpr absl::string_view kFields[] = {"mould",    "machinery", "medical", "agriculture",
                                             "science",  "textile",   "welding", "electrical",
                                             "catering", "logistics"};
    for (int64_t i = 0; i < 61; ++i) {
      const bool before = i >= 55;
      const Organization& unit = district_.organizations[random_.Pick(enterprises_)];
      file.Add({Numbered("FW", i + 1), unit.id, "劳模技术服务队下企业",
                before ? Day("2019-09-01", "2019-12-31") : Day(kFirstDay, kLastDay),
                before ? "aerospace" : std::string(kFields[i % 10]), unit.unit});
    }
    folder_.Write(53, "service_visit", file);
  }

  void Publicity() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"title", "活动名称"},
                  {"on_date", "举办日期"},
                  {"topic", "主题"}});
    const auto add = [&](const std::string& date, absl::string_view topic,
                         absl::string_view title) {
      file.Add({Numbered("XC", static_cast<int64_t>(file.rows()) + 1), Town().id,
                std::string(title), date, std::string(topic)});
    };
    for (int i = 0; i < 4; ++i) add(Day("2020-03-01", kLastDay), "law", "职工普法宣传");
    add("2020-04-15", "national_security", "国家安全教育日宣传");
    for (int i = 0; i < 3; ++i) add(Day("2020-06-01", kLastDay), "safety", "安全生产月宣传");
    add("2019-12-04", "law", "宪法日宣传");
    add("2020-07-14", "law", "劳动合同法宣传");
    folder_.Write(54, "publicity_activity", file);
  }

  void Handouts() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"title", "资料名称"},
                  {"on_date", "发放日期"},
                  {"topic", "主题"},
                  {"copies", "份数"}},
                 Dress::kChineseGb18030);
    struct Issue {
      absl::string_view topic;
      absl::string_view title;
      int64_t copies;
      size_t lines;
    };
    constexpr Issue kIssues[] = {{"职业病防治", "职业病防治手册", 500, 6},
                                 {"安全生产", "安全生产\"口袋书\",2020版", 2000, 18},
                                 {"普法", "职工维权手册", 3000, 23}};
    const auto add = [&](const Issue& issue, const std::string& date, int64_t copies) {
      file.Add({Numbered("FF", static_cast<int64_t>(file.rows()) + 1), Town().id,
                std::string(issue.title), date, std::string(issue.topic), absl::StrCat(copies)});
    };
    for (const Issue& issue : kIssues) {
      for (int64_t copies : random_.Split(issue.copies, issue.lines, 10)) {
        add(issue, Day("2020-02-10", kLastDay), copies);
      }
      add(issue, Day("2019-05-01", "2019-12-31"), 350);
      add(issue, Day("2020-07-01", "2020-07-31"), 120);
    }
    folder_.Write(55, "handout_issue", file);
  }

  void JobFairs() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"title", "招聘会名称"},
                  {"on_date", "举办日期"},
                  {"units", "参会单位数"},
                  {"vacancies", "岗位数"}});
    for (int64_t i = 0; i < 14; ++i) {
      const std::string date =
          i < 12 ? Day("2020-02-15", "2020-05-31") : Day("2019-02-10", "2019-03-31");
      file.Add({Numbered("ZP", i + 1, 2), Town().id, "“春风行动”招聘会", date,
                absl::StrCat(random_.Between(12, 60)), absl::StrCat(random_.Between(150, 900))});
    }
    folder_.Write(56, "job_fair", file);
  }

  void Integrity() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"title", "活动名称"},
                  {"on_date", "举办日期"},
                  {"campaign", "专题"}});
    constexpr absl::string_view kItems[] = {"专题党课",     "观看警示片", "廉政谈话",  "廉政测试",
                                            "参观教育基地", "家风分享",   "签订承诺书"};
    for (absl::string_view item : kItems) {
      file.Add({Numbered("LZ", static_cast<int64_t>(file.rows()) + 1, 2), district_.RootId(),
                std::string(item), Day("2020-05-06", "2020-05-31"), "warning_month"});
    }
    file.Add({"LZ-00", district_.RootId(), "节前廉政提醒", "2020-01-19", "holiday_reminder"});
    folder_.Write(57, "integrity_activity", file);
  }

  void Safety() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"title", "活动名称"},
                  {"on_date", "举办日期"},
                  {"activity_kind", "活动种类"}},
                 Dress::kChineseBom);
    constexpr absl::string_view kKinds[] = {"知识培训", "消防演练", "座谈会", "讲座", "现场咨询"};
    for (int64_t i = 0; i < 34; ++i) {
      const std::string kind(kKinds[i % 5]);
      file.Add({Numbered("AQ", i + 1), Town().id, absl::StrCat("安全生产", kind),
                Day("2020-05-01", kLastDay), kind});
    }
    folder_.Write(58, "safety_activity", file);
  }

  void Superiors() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"title", "来访事项"},
                  {"on_date", "来访日期"},
                  {"level", "来访级别"},
                  {"topic", "主题"}});
    const std::string root = district_.RootId();
    file.Add({"LF-01", root, "实名制数据调研", "2020-04-21", "national", "real_name_data"});
    file.Add({"LF-02", root, "基层改革试点督察", "2020-05-27", "city", "reform_pilots"});
    file.Add({"LF-03", root, "安全生产督察", "2020-06-18", "city", "safety"});
    file.Add({"LF-00", root, "基层改革试点督察", "2019-10-15", "city", "reform_pilots"});
    folder_.Write(59, "superior_visit", file);
  }

  void Documents() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"title", "文件标题"},
                  {"on_date", "印发日期"},
                  {"document_number", "文号"}});
    constexpr absl::string_view kTitles[] = {"年度工作要点",     "镇街工会换届工作意见",
                                             "集体协商要约行动", "职工疗休养通知",
                                             "党建带工建意见",   "作风建设实施方案"};
    for (int64_t i = 0; i < 6; ++i) {
      file.Add({Numbered("WJ-2020", i + 1, 2), district_.RootId(), std::string(kTitles[i]),
                Day("2020-02-01", kLastDay), absl::StrCat("澄工发〔2020〕", i + 1, "号")});
    }
    file.Add(
        {"WJ-2019-40", district_.RootId(), "年终考核通知", "2019-12-10", "澄工发〔2019〕40号"});
    folder_.Write(60, "issued_document", file);
  }

  const District& district_;
  Folder& folder_;
  Random random_;
  const std::vector<size_t> towns_;
  const std::vector<size_t> enterprises_;
};

}  // namespace

void WriteServices(const District& district, Folder& folder) { Services(district, folder).Write(); }

}  // namespace gonghui::district
