// Model workers' benefits and health checks, mutual aid, audits, renovation.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tests/acceptance/district.h"

namespace gonghui::district {
namespace {

constexpr size_t kModelWorkers = 72;
constexpr size_t kVisited = 66;
constexpr size_t kChecked = 69;
constexpr int64_t kFestivalGrants = 139760;  // Yuan; with the two subsidies 170,160.
constexpr size_t kMedical = 11;              // 2,400 yuan each.
constexpr size_t kHardship = 2;              // 2,000 yuan each.

class ModelWorkers {
 public:
  ModelWorkers(const District& district, Folder& folder)
      : district_(district),
        folder_(folder),
        random_(district.seed, "model workers"),
        persons_(random_.Sample(district.Settled(0), kModelWorkers)) {}

  void Write() {
    const std::vector<int64_t> grants =
        random_.Split(kFestivalGrants / 10, kVisited, 120);  // Tens of yuan.
    for (size_t i = 0; i < kVisited; ++i) {
      Pay(i, "festival_grant", grants[i] * 1000, "spring_festival",
          DayBetween(random_, "2020-01-08", "2020-01-22"));
    }
    for (size_t i = 0; i < kMedical; ++i) {
      Pay(i * 5, "medical_subsidy", 240000, "spring_festival", "2020-01-16");
    }
    for (size_t i = 0; i < kHardship; ++i) {
      Pay(i * 7 + 3, "hardship_subsidy", 200000, "spring_festival", "2020-01-17");
    }
    // Another festival, and the year before.
    for (size_t i = 60; i < kModelWorkers; ++i) {
      Pay(i, "festival_grant", 60000, "labour_day", "2020-04-28");
    }
    for (size_t i = 0; i < 64; ++i) {
      Pay(i, "festival_grant", 180000, "spring_festival", "2019-01-28");
    }
    folder_.Write(20, "model_worker_benefit", benefits_);
    HealthChecks();
  }

 private:
  const Member& At(size_t person) { return district_.members[persons_[person % persons_.size()]]; }
  const std::string& OrganizationOf(const Member& member) {
    return district_.organizations[member.organization].id;
  }

  void Pay(size_t person, absl::string_view kind, int64_t fen, absl::string_view festival,
           const std::string& date) {
    const Member& member = At(person);
    benefits_.Add({Numbered("LM", ++number_), OrganizationOf(member), date, member.person.full_name,
                   member.person.id_number, std::string(festival), std::string(kind), Yuan(fen)});
  }

  // Some come twice in May: they are one person each.
  void HealthChecks() {
    CsvFile file({kOrganization, {"on_date", "体检日期"}, kFullName, kPerson, {"group", "对象"}});
    const auto check = [&](const Member& member, const std::string& date, absl::string_view group) {
      file.Add({OrganizationOf(member), date, member.person.full_name, member.person.id_number,
                std::string(group)});
    };
    for (size_t i = 0; i < kChecked; ++i) {
      check(At(i), DayBetween(random_, "2020-05-06", "2020-05-19"), "model_workers");
    }
    for (size_t i = 0; i < 8; ++i) check(At(i * 6), "2020-05-26", "model_workers");
    for (size_t i = 40; i < kModelWorkers; ++i) check(At(i), "2020-07-09", "model_workers");
    for (size_t at : random_.Sample(district_.Settled(0), 120)) {
      check(district_.members[at], DayBetween(random_, "2020-05-06", "2020-05-29"), "members");
    }
    folder_.Write(50, "health_check_attendance", file);
  }

  const District& district_;
  Folder& folder_;
  Random random_;
  const std::vector<size_t> persons_;
  int64_t number_ = 0;
  CsvFile benefits_{{kNumber,
                     kOrganization,
                     {"on_date", "发放日期"},
                     kFullName,
                     kPerson,
                     {"festival", "慰问节日"},
                     {"benefit_kind", "补助种类"},
                     {"amount", "金额(元)"}},
                    Dress::kChineseGb18030};
};

constexpr size_t kUnits = 472;
constexpr size_t kSecondEnrolments = 8;  // Units that enrol late joiners in a second round.
constexpr int64_t kInsured = 56557;
constexpr int64_t kExempt = 57;        // Persons whose premium is waived.
constexpr int64_t kPremiumFen = 4000;  // A head.
constexpr size_t kClaims = 416;
constexpr int64_t kClaimsPaidFen = 97150000;

struct Enrolment {
  std::string number;
  size_t organization = 0;
  std::string date;
  std::vector<size_t> insured;  // Positions in District::members.
};

class MutualAid {
 public:
  MutualAid(const District& district, Folder& folder)
      : district_(district), folder_(folder), random_(district.seed, "mutual aid") {}

  void Write() {
    Enrol();
    Plans();
    Enrolments();
    Insured();
    Premiums();
    Claims();
  }

 private:
  const Organization& At(const Enrolment& enrolment) {
    return district_.organizations[enrolment.organization];
  }

  // The units with most settled members of their own; enough persons drawn from them all.
  void Enrol() {
    std::vector<std::pair<size_t, size_t>> sizes;
    for (const char* kind : {"enterprise", "institution", "community", "park", "branch"}) {
      for (size_t at : district_.OfKind(kind)) sizes.emplace_back(district_.Settled(at).size(), at);
    }
    std::sort(sizes.rbegin(), sizes.rend());
    std::vector<std::pair<size_t, size_t>> pool;  // Enrolment, member.
    for (size_t i = 0; i < std::min(kUnits, sizes.size()); ++i) {
      Enrolment enrolment;
      enrolment.number = Numbered("CB-2020", static_cast<int64_t>(i) + 1);
      enrolment.organization = sizes[i].second;
      enrolment.date = DayBetween(random_, "2020-02-17", "2020-05-29");
      enrolments_.push_back(enrolment);
      for (size_t member : district_.Settled(sizes[i].second)) pool.emplace_back(i, member);
    }
    for (size_t i = 0; i < kSecondEnrolments; ++i) {
      Enrolment again = enrolments_[i * 3];
      again.number = Numbered("CB-2020", static_cast<int64_t>(enrolments_.size()) + 1);
      again.date = DayBetween(random_, "2020-06-01", kLastDay);
      enrolments_.push_back(again);
    }
    for (const auto& [first, member] :
         random_.Sample(pool, static_cast<size_t>(district_.Scaled(kInsured)))) {
      const bool late = first % 3 == 0 && first / 3 < kSecondEnrolments && random_.Percent(10);
      enrolments_[late ? kUnits + first / 3 : first].insured.push_back(member);
    }
    for (Enrolment& enrolment : enrolments_) {
      std::sort(enrolment.insured.begin(), enrolment.insured.end());
    }
  }

  void Plans() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"title", "计划名称"},
                  {"on_date", "保障起始日期"},
                  {"premium_per_head", "每人参保金额(元)"},
                  {"target_persons", "参保任务人数"},
                  {"target_from", "任务下达单位"}});
    file.Add({"HZ-2020", district_.RootId(), "2020年度在职职工医疗互助", "2020-01-01", "40.00",
              absl::StrCat(district_.Scaled(kInsured)), "city"});
    file.Add({"HZ-2019", district_.RootId(), "2019年度在职职工医疗互助", "2019-01-01", "40.00",
              absl::StrCat(district_.Scaled(52000)), "city"});
    folder_.Write(21, "mutual_aid_plan", file);
  }

  void Enrolments() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"on_date", "参保日期"},
                  {"unit", "单位编码"},
                  {"unit_name", "单位名称"},
                  {"plan", "互助计划编号"},
                  {"insured_count", "参保人数"}},
                 Dress::kChinese);
    const auto add = [&](const std::string& number, const Organization& unit,
                         const std::string& date, const std::string& plan, size_t count) {
      file.Add({number, unit.id, date, unit.unit, unit.place, plan,
                count > 0 ? absl::StrCat(count) : ""});
    };
    for (const Enrolment& enrolment : enrolments_) {
      add(enrolment.number, At(enrolment), enrolment.date, "HZ-2020", enrolment.insured.size());
    }
    for (size_t i = 0; i < 30; ++i) {
      add(Numbered("CB-2019", static_cast<int64_t>(i) + 1), At(enrolments_[i * 11]), "2019-03-20",
          "HZ-2019", 0);
    }
    folder_.Write(22, "mutual_aid_enrolment", file);
  }

  void Insured() {
    CsvFile file(
        {kOrganization, {"on_date", "参保日期"}, {"enrolment", "参保编号"}, kFullName, kPerson});
    for (const Enrolment& enrolment : enrolments_) {
      for (size_t at : enrolment.insured) {
        const Member& member = district_.members[at];
        file.Add({At(enrolment).id, enrolment.date, enrolment.number, member.person.full_name,
                  member.person.id_number});
      }
    }
    folder_.Write(23, "mutual_aid_insured", file);
  }

  void Premiums() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"on_date", "收款日期"},
                  {"enrolment", "参保编号"},
                  {"amount", "收款金额(元)"}});
    int64_t exempt = std::min(kExempt, district_.Scaled(kExempt));
    int64_t number = 0;
    for (const Enrolment& enrolment : enrolments_) {
      auto heads = static_cast<int64_t>(enrolment.insured.size());
      if (exempt > 0 && heads > 1) {
        --heads;
        --exempt;
      }
      if (heads == 0) continue;
      file.Add({Numbered("SK-2020", ++number), At(enrolment).id, enrolment.date, enrolment.number,
                Yuan(heads * kPremiumFen)});
    }
    folder_.Write(24, "mutual_aid_premium", file);
  }

  void AddClaim(CsvFile& file, int64_t fen, const std::string& filed, const std::string& accepted,
                const std::string& paid, const std::string& refused) {
    const Enrolment* enrolment = nullptr;
    do {
      enrolment = &random_.Pick(enrolments_);
    } while (enrolment->insured.empty());
    const Member& member = district_.members[random_.Pick(enrolment->insured)];
    file.Add({Numbered("LP", ++claims_, 4), At(*enrolment).id, filed, enrolment->number,
              member.person.full_name, member.person.id_number, filed,
              Yuan(fen * random_.Between(15, 60) / 10), refused.empty() ? Yuan(fen) : "", accepted,
              paid, refused});
  }

  void Claims() {
    CsvFile file({kNumber,
                  kOrganization,
                  {"on_date", "申请日期"},
                  {"enrolment", "参保编号"},
                  kFullName,
                  kPerson,
                  {"event_on", "出险日期"},
                  {"self_paid", "个人自付金额(元)"},
                  {"amount", "互助金金额(元)"},
                  {"accepted_on", "受理日期"},
                  {"paid_on", "支付日期"},
                  {"refused_on", "不予支付日期"}});
    const std::vector<int64_t> amounts = random_.Split(kClaimsPaidFen, kClaims, 20000);
    for (size_t i = 0; i < kClaims; ++i) {
      // The first were filed in the year before and are paid in the half-year.
      if (i < 14) {
        AddClaim(file, amounts[i], DayBetween(random_, "2019-11-01", "2019-12-20"), "2019-12-27",
                 DayBetween(random_, "2020-01-06", "2020-01-20"), "");
      } else {
        const std::string filed = DayBetween(random_, "2020-01-02", "2020-06-10");
        AddClaim(file, amounts[i], filed, "", DayBetween(random_, filed, kLastDay), "");
      }
    }
    for (int i = 0; i < 12; ++i) {
      AddClaim(file, 123456, DayBetween(random_, "2020-06-11", kLastDay), "2020-07-02",
               "2020-07-15", "");
    }
    for (int i = 0; i < 9; ++i) {
      AddClaim(file, 100000, DayBetween(random_, "2020-02-01", "2020-05-30"), "", "", "2020-06-15");
    }
    folder_.Write(25, "mutual_aid_claim", file);
  }

  const District& district_;
  Folder& folder_;
  Random random_;
  std::vector<Enrolment> enrolments_;
  int64_t claims_ = 0;
};

// Eleven reports went out for comment in the half-year; others before, after, or not yet.
void WriteAudits(const District& district, Folder& folder) {
  Random random(district.seed, "audits");
  CsvFile file({kNumber,
                kOrganization,
                {"title", "报告名称"},
                {"on_date", "起草日期"},
                {"unit", "被审计单位编码"},
                {"unit_name", "被审计单位"},
                {"topic", "审计内容"},
                {"draft_for_comment_on", "征求意见稿日期"},
                {"issued_on", "出具日期"}});
  const std::vector<size_t> towns = district.OfKind("town_street");
  const auto add = [&](size_t town, const std::string& drafted, const std::string& comment,
                       const std::string& issued) {
    const Organization& audited = district.organizations[towns[town % towns.size()]];
    file.Add({Numbered("SJ", static_cast<int64_t>(file.rows()) + 1, 2), district.RootId(),
              absl::StrCat(audited.place, "总工会预算执行审计报告"), drafted, audited.id,
              audited.display_name, "budget_execution", comment, issued});
  };
  for (size_t i = 0; i < 11; ++i) {
    add(i, DayBetween(random, "2019-12-02", "2020-04-30"),
        DayBetween(random, "2020-05-01", kLastDay), i < 3 ? "2020-07-20" : "");
  }
  add(11, "2019-04-08", "2019-05-20", "2019-06-17");
  add(12, "2020-06-22", "2020-07-06", "");
  add(13, "2020-06-24", "", "");
  folder.Write(26, "audit_report", file);
}

void WriteRenovation(const District& district, Folder& folder) {
  CsvFile file({kNumber,
                kOrganization,
                {"title", "项目名称"},
                {"on_date", "立项日期"},
                {"place", "地点"},
                {"budget", "预算金额(元)"},
                {"started_on", "开工日期"}});
  file.Add({"ZX-01", district.RootId(), "职工服务中心装修", "2020-03-18", "区职工服务中心",
            "680000.00", "2020-05-11"});
  file.Add({"ZX-02", district.RootId(), "职工书屋改造", "2020-06-02", "青枫街道", "90000.00", ""});
  folder.Write(27, "renovation_project", file);
}

}  // namespace

void WriteFunds(const District& district, Folder& folder) {
  ModelWorkers(district, folder).Write();
  MutualAid(district, folder).Write();
  WriteAudits(district, folder);
  WriteRenovation(district, folder);
}

}  // namespace gonghui::district
