// Labour disputes with their parties, hazard reports, legal aid, wage arrears.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tests/acceptance/district.h"

namespace gonghui::district {
namespace {

constexpr size_t kDisputes = 260;
constexpr size_t kCarried = 4;  // Accepted in one half-year, closed in the next.
constexpr int64_t kWorkers = 304;
constexpr int64_t kAmountFen = 833100000;
constexpr size_t kHazards = 727;

class Casework {
 public:
  Casework(const District& district, Folder& folder)
      : district_(district),
        folder_(folder),
        random_(district.seed, "casework"),
        towns_(district.OfKind("town_street")),
        enterprises_(district.OfKind("enterprise")),
        settled_(district.Settled(0)) {}

  void Write() {
    Disputes();
    Hazards();
    Registers();
  }

 private:
  std::string Day(const std::string& first, const std::string& last) {
    return DayBetween(random_, first, last);
  }
  const Organization& Town() { return district_.organizations[random_.Pick(towns_)]; }

  void AddParty(const std::string& organization, const std::string& date,
                const std::string& dispute, absl::string_view role, const std::string& name,
                const std::string& person) {
    parties_.Add({organization, date, dispute, std::string(role), name, person});
  }

  void AddDispute(const std::string& accepted, const std::string& closed, int64_t workers,
                  int64_t fen) {
    static constexpr absl::string_view kChannels[] = {"mediation_centre", "union_visit", "hotline"};
    static constexpr absl::string_view kCauses[] = {"wages", "dismissal", "injury", "insurance",
                                                    "other"};
    const std::string number = Numbered("ZY", ++disputes_);
    const std::string organization = random_.Percent(60) ? district_.RootId() : Town().id;
    const Organization& employer = district_.organizations[random_.Pick(enterprises_)];
    cases_.Add({number, organization, "劳动争议调解", accepted,
                std::string(kChannels[random_.Below(3)]), std::string(kCauses[random_.Below(5)]),
                employer.unit, Yuan(fen), random_.Percent(70) ? "人社、司法、工会" : "", closed});
    AddParty(organization, accepted, number, "employer", absl::StrCat(employer.place, "有限公司"),
             "");
    for (size_t at : random_.Sample(settled_, static_cast<size_t>(workers))) {
      const Person& person = district_.members[at].person;
      AddParty(organization, accepted, number, "worker", person.full_name, person.id_number);
    }
  }

  void Disputes() {
    const std::vector<int64_t> amounts = random_.Split(kAmountFen, kDisputes, 80000);
    const std::vector<int64_t> further =
        random_.Split(kWorkers - static_cast<int64_t>(kDisputes), kDisputes, 0);
    for (size_t i = 0; i < kDisputes; ++i) {
      const bool carried = i < kCarried;
      const std::string accepted =
          carried ? Day("2020-06-20", kLastDay) : Day(kFirstDay, "2020-06-15");
      const std::string closed =
          carried ? Day("2020-07-01", "2020-07-10") : DayBetween(random_, accepted, kLastDay);
      AddDispute(accepted, closed, 1 + further[i], amounts[i]);
    }
    for (size_t i = 0; i < kCarried; ++i) {
      AddDispute(Day("2019-12-20", "2019-12-31"), Day("2020-01-02", "2020-01-10"), 2, 2500000);
    }
    for (int i = 0; i < 10; ++i) {
      AddDispute(Day("2019-03-01", "2019-06-30"), Day("2019-07-01", "2019-07-15"), 1, 1800000);
    }
    folder_.Write(70, "dispute_case", cases_);
    folder_.Write(71, "dispute_party", parties_);
  }

  void AddHazard(CsvFile& file, absl::string_view channel, const std::string& date) {
    static constexpr absl::string_view kPlaces[] = {"一车间", "二车间", "仓库",
                                                    "配电房", "食堂",   "工地东门"};
    const Organization& enterprise = district_.organizations[random_.Pick(enterprises_)];
    const bool fixed = random_.Percent(80);
    const std::string fixed_on = fixed ? DayBetween(random_, date, "2020-08-15") : "";
    const std::string verified_on =
        fixed && random_.Percent(60) ? DayBetween(random_, fixed_on, "2020-08-31") : "";
    file.Add({Numbered("YH", static_cast<int64_t>(file.rows()) + 1, 4), enterprise.id,
              "安全隐患随手拍", date, std::string(channel), random_.Percent(4) ? "重大" : "一般",
              enterprise.unit, std::string(kPlaces[random_.Below(std::size(kPlaces))]), fixed_on,
              verified_on});
  }

  void Hazards() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"title", "隐患描述"},
                  {"on_date", "报告日期"},
                  {"channel", "渠道"},
                  {"hazard_class", "等级"},
                  {"unit", "单位编码"},
                  {"place", "地点"},
                  {"fixed_on", "已整改日期"},
                  {"verified_on", "已复查日期"}},
                 Dress::kChinese);
    for (size_t i = 0; i < kHazards; ++i) AddHazard(file, "隐患随手拍", Day(kFirstDay, kLastDay));
    for (int i = 0; i < 88; ++i) AddHazard(file, "纸质", Day(kFirstDay, kLastDay));
    for (int i = 0; i < 60; ++i) AddHazard(file, "隐患随手拍", Day("2019-10-01", "2019-12-31"));
    for (int i = 0; i < 25; ++i) AddHazard(file, "隐患随手拍", Day("2020-07-01", "2020-07-31"));
    folder_.Write(72, "hazard_report", file);
  }

  void Registers() {
    const std::string root = district_.RootId();
    CsvFile agreements({kNumber, kOrganization, {"on_date", "签订日期"}, {"agency", "协作部门"}});
    agreements.Add({"XY-01", root, "2019-06-12", "hr_social_security"});
    agreements.Add({"XY-02", root, "2020-03-10", "justice"});
    agreements.Add({"XY-03", root, "2020-03-10", "union"});
    // Renewed with the same agency: still one agency.
    agreements.Add({"XY-04", root, "2020-06-12", "hr_social_security"});
    agreements.Add({"XY-05", root, "2020-07-20", "court"});
    folder_.Write(73, "mediation_agreement", agreements);

    CsvFile teams({kNumber,
                   kOrganization,
                   {"title", "服务队名称"},
                   {"on_date", "成立日期"},
                   {"lawyers", "律师人数"}});
    teams.Add({"FY-01", root, "职工法律援助服务队", "2020-03-25", "12"});
    folder_.Write(74, "legal_aid_team", teams);

    CsvFile arrears({kNumber, kOrganization, {"on_date", "开展日期"}, {"campaign", "行动"}});
    arrears.Add({"QX-01", root, "2020-01-09", "holiday_migrant_wages"});
    arrears.Add({"QX-02", root, "2020-05-20", "construction_joint_check"});
    arrears.Add({"QX-00", root, "2019-01-15", "holiday_migrant_wages"});
    folder_.Write(75, "wage_arrears_inspection", arrears);
  }

  const District& district_;
  Folder& folder_;
  Random random_;
  const std::vector<size_t> towns_;
  const std::vector<size_t> enterprises_;
  const std::vector<size_t> settled_;
  int64_t disputes_ = 0;
  CsvFile cases_{{kNumber,
                  kOrganization,
                  {"title", "争议事项"},
                  {"on_date", "受理日期"},
                  {"channel", "受理渠道"},
                  {"cause", "案由"},
                  {"unit", "用人单位编码"},
                  {"amount", "涉及金额（元）"},
                  {"agencies", "联合处置部门"},
                  {"closed_on", "已结案日期"}}};
  CsvFile parties_{{kOrganization,
                    {"on_date", "登记日期"},
                    {"dispute", "争议编号"},
                    {"role", "身份"},
                    {"full_name", "姓名或单位名称"},
                    kPerson}};
};

}  // namespace

void WriteCasework(const District& district, Folder& folder) { Casework(district, folder).Write(); }

}  // namespace gonghui::district
