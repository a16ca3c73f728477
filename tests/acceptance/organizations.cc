// The tree of 878 organisations: the district federation; towns and streets with joint unions,
// enterprises and branches; industry unions with their enterprises; units directly below.
#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "tests/acceptance/district.h"

namespace gonghui::district {
namespace {

constexpr size_t kTowns = 14;
constexpr size_t kJoint = 84;          // Of villages, communities and parks.
constexpr size_t kEnterprises = 553;   // Below towns and joint unions.
constexpr size_t kNewEnterprises = 6;  // Of these, unions founded in the half-year.
constexpr size_t kIndustryEnterprises = 60;
constexpr size_t kDirect = 40;
constexpr size_t kBranches = 120;

constexpr absl::string_view kPlaces[kTowns] = {"青枫", "云溪", "临湖", "白塔", "栖霞",
                                               "柳荫", "石桥", "望江", "竹林", "红梅",
                                               "新闸", "荷塘", "金井", "东渡"};

struct Industry {
  absl::string_view code;
  absl::string_view name;
};
constexpr Industry kIndustries[] = {{"construction", "建筑业"},
                                    {"transport", "物流业"},
                                    {"catering", "餐饮业"},
                                    {"resident_services", "家政业"},
                                    {"education", "教育系统"}};

struct Trade {
  absl::string_view industry;
  absl::string_view name;
};
constexpr Trade kTrades[] = {
    {"manufacturing", "机械"},   {"manufacturing", "模具"},   {"manufacturing", "轴承"},
    {"manufacturing", "电子"},   {"manufacturing", "纺织"},   {"manufacturing", "塑业"},
    {"manufacturing", "新材料"}, {"manufacturing", "电机"},   {"manufacturing", "食品"},
    {"construction", "建设"},    {"transport", "物流"},       {"catering", "餐饮"},
    {"trade", "商贸"},           {"information", "软件科技"}, {"research", "智能装备"},
    {"health", "医药"},          {"agriculture", "生态农业"}, {"property_management", "物业服务"}};

constexpr absl::string_view kDirectUnits[] = {"教育局",   "卫生健康局", "住建局",   "人民医院",
                                              "中医医院", "第一中学",   "实验小学", "供水公司",
                                              "公交公司", "市政环卫"};

// A node that is being built: its position stays while its subtree grows behind it.
class Builder {
 public:
  explicit Builder(District& district)
      : district_(district), random_(district.seed, "organizations") {}

  void Build();

 private:
  size_t Add(Organization organization, absl::string_view latest = "2019-11-30");
  void Close(size_t position) {
    district_.organizations[position].subtree_end = district_.organizations.size();
  }
  Organization Below(size_t parent, absl::string_view kind, absl::string_view type);
  void AddTown(size_t number, int64_t joint, int64_t enterprises, bool new_enterprise);
  size_t AddJointUnion(size_t town, size_t number, absl::string_view place);
  void AddIndustryUnion(size_t number, const Industry& industry, int64_t enterprises);
  void AddPropertyAgencies();
  void AddDirectUnits();
  void AddEnterprise(size_t parent, std::string id, absl::string_view place, bool is_new);
  std::string Brand();

  District& district_;
  Random random_;
  std::vector<int64_t> branches_;  // Of each enterprise, taken from the back.
  std::set<std::string> brands_;
};

Organization Builder::Below(size_t parent, absl::string_view kind, absl::string_view type) {
  Organization organization;
  organization.parent = district_.organizations[parent].id;
  organization.kind = std::string(kind);
  organization.union_type = std::string(type);
  // No union is older than the one above it.
  organization.founded_on = district_.organizations[parent].founded_on;
  return organization;
}

size_t Builder::Add(Organization organization, absl::string_view latest) {
  if (organization.founded_on < latest) {
    organization.founded_on = DayBetween(random_, organization.founded_on, std::string(latest));
  }
  organization.credit_code = MakeCreditCode(random_, "81");
  organization.unit = MakeCreditCode(random_, "91");
  district_.organizations.push_back(std::move(organization));
  Close(district_.organizations.size() - 1);
  return district_.organizations.size() - 1;
}

std::string Builder::Brand() {
  static const auto& first =
      *new std::vector<std::string>{"恒", "瑞", "宏", "鑫", "华", "盛", "泰", "嘉",
                                    "远", "博", "永", "金", "天", "海", "中", "卓"};
  static const auto& second =
      *new std::vector<std::string>{"达", "丰", "源", "和", "信", "诚", "兴", "隆",
                                    "通", "力", "润", "康", "利", "越", "腾", "邦"};
  std::string brand;
  do {
    brand = absl::StrCat(random_.Pick(first), random_.Pick(second),
                         random_.Percent(60) ? random_.Pick(second) : "");
  } while (!brands_.insert(brand).second);
  return brand;
}

void Builder::AddEnterprise(size_t parent, std::string id, absl::string_view place, bool is_new) {
  const Trade& trade = kTrades[random_.Below(std::size(kTrades))];
  Organization enterprise = Below(parent, "enterprise", "single");
  enterprise.id = std::move(id);
  enterprise.place = absl::StrCat(place, Brand(), trade.name);
  enterprise.display_name = absl::StrCat(enterprise.place, "有限公司工会委员会");
  enterprise.industry = std::string(trade.industry);
  if (is_new) enterprise.founded_on = DayBetween(random_, "2020-02-20", "2020-06-12");
  const size_t position = Add(enterprise);
  if (is_new) return;
  const int64_t branches = branches_.back();
  branches_.pop_back();
  for (int64_t i = 1; i <= branches; ++i) {
    Organization branch = Below(position, "branch", "branch");
    branch.id = absl::StrCat(enterprise.id, "-B", i);
    branch.place = absl::StrCat(enterprise.place, i, "分厂");
    branch.display_name = absl::StrCat(enterprise.place, "有限公司", i, "分厂分工会");
    branch.industry = enterprise.industry;
    Add(std::move(branch));
  }
  Close(position);
}

size_t Builder::AddJointUnion(size_t town, size_t number, absl::string_view place) {
  static constexpr absl::string_view kAreas[] = {"村", "社区", "工业园"};
  const auto area = static_cast<size_t>(random_.Below(std::size(kAreas)));
  Organization joint = Below(town, area == 2 ? "park" : "community", "joint");
  joint.id = absl::StrFormat("%s-J%02d", joint.parent, number);
  joint.place = absl::StrCat(place, "第", number, kAreas[area]);
  joint.display_name = absl::StrCat(joint.place, "联合工会");
  return Add(std::move(joint), "2010-12-31");
}

void Builder::AddTown(size_t number, int64_t joint, int64_t enterprises, bool new_enterprise) {
  const absl::string_view place = kPlaces[number];
  Organization town = Below(0, "town_street", "federation");
  town.id = absl::StrFormat("T%02d", number + 1);
  town.place = absl::StrCat(place, number % 3 == 0 ? "街道" : "镇");
  town.display_name = absl::StrCat("澄湖区", town.place, "总工会");
  const std::string id = town.id;
  const size_t position = Add(std::move(town), "1999-12-31");

  // The first bucket stands directly below the town, one more for each joint union.
  std::vector<int64_t> buckets(static_cast<size_t>(joint) + 1);
  for (int64_t i = 0; i < enterprises; ++i) {
    ++buckets[random_.Percent(65) ? 0 : static_cast<size_t>(random_.Below(joint + 1))];
  }
  int64_t made = 0;
  for (size_t bucket = 0; bucket < buckets.size(); ++bucket) {
    size_t parent = position;
    if (bucket > 0) {
      parent = AddJointUnion(position, bucket, place);
    }
    for (int64_t i = 0; i < buckets[bucket]; ++i) {
      ++made;
      AddEnterprise(parent, absl::StrFormat("%s-E%03d", id, made), place,
                    new_enterprise && made == 1);
    }
    Close(parent);
  }
  Close(position);
}

void Builder::AddIndustryUnion(size_t number, const Industry& industry, int64_t enterprises) {
  Organization head = Below(0, "industry_joint", "industry_joint");
  head.id = absl::StrFormat("I%02d", number);
  head.place = absl::StrCat("澄湖区", industry.name);
  head.display_name = absl::StrCat(head.place, "行业联合工会");
  head.industry = std::string(industry.code);
  const std::string id = head.id;
  const size_t position = Add(std::move(head), "2012-12-31");
  for (int64_t i = 1; i <= enterprises; ++i) {
    AddEnterprise(position, absl::StrFormat("%s-E%02d", id, i), industry.name, false);
  }
  Close(position);
}

void Builder::AddPropertyAgencies() {
  Organization agencies = Below(0, "industry_joint", "industry_joint");
  agencies.id = "I06";
  agencies.place = "澄湖区房产经纪";
  agencies.display_name = "澄湖区房产经纪行业联合工会";
  agencies.industry = "property_agency";
  agencies.founded_on = "2020-05-13";
  Add(std::move(agencies));
}

void Builder::AddDirectUnits() {
  for (size_t i = 0; i < kDirect; ++i) {
    Organization unit = Below(0, "institution", "single");
    unit.id = absl::StrFormat("Z%02d", i + 1);
    unit.place = absl::StrCat("澄湖区", kDirectUnits[i % std::size(kDirectUnits)]);
    if (i >= std::size(kDirectUnits)) {
      absl::StrAppend(&unit.place, "第", i / std::size(kDirectUnits), "中心");
    }
    unit.display_name = absl::StrCat(unit.place, "工会");
    unit.industry = "public_administration";
    Add(std::move(unit));
  }
}

void Builder::Build() {
  Organization root;
  root.id = "D01";
  root.place = "澄湖区";
  root.display_name = "澄湖区总工会";
  root.kind = "district";
  root.union_type = "federation";
  root.founded_on = "1952-05-01";
  root.credit_code = MakeCreditCode(random_, "81");
  root.unit = MakeCreditCode(random_, "91");
  district_.organizations.push_back(std::move(root));

  branches_ = random_.Split(kBranches, kEnterprises + kIndustryEnterprises - kNewEnterprises, 0);
  const std::vector<int64_t> joint = random_.Split(kJoint, kTowns, 3);
  const std::vector<int64_t> enterprises = random_.Split(kEnterprises, kTowns, 15);
  for (size_t i = 0; i < kTowns; ++i) {
    AddTown(i, joint[i], enterprises[i], i % 2 == 0 && i / 2 < kNewEnterprises);
  }
  const std::vector<int64_t> covered =
      random_.Split(kIndustryEnterprises, std::size(kIndustries), 4);
  for (size_t i = 0; i < std::size(kIndustries); ++i) {
    AddIndustryUnion(i + 1, kIndustries[i], covered[i]);
  }
  AddPropertyAgencies();
  AddDirectUnits();
  Close(0);
}

}  // namespace

void AddOrganizations(District& district) { Builder(district).Build(); }

}  // namespace gonghui::district
