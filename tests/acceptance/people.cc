#include "tests/acceptance/people.h"

#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"

namespace gonghui::district {
namespace {

// Prefectures that exist with county codes that were never assigned (GB/T 2260 gives out 01-84), so
// that no number belongs to a person.
const std::vector<std::string>& Regions() {
  static const auto& regions = *new std::vector<std::string>{
      "320495", "320495", "320495", "320496", "320497", "321195", "320996", "321297", "340195",
      "341296", "341597", "410395", "411396", "411697", "421195", "360495", "510196", "610197"};
  return regions;
}

const std::vector<std::string>& Surnames() {
  static const auto& names = *new std::vector<std::string>{
      "王", "李", "张", "刘", "陈", "杨", "黄", "赵",   "吴",   "周",  "徐", "孙", "马",
      "朱", "胡", "郭", "何", "高", "林", "罗", "郑",   "梁",   "谢",  "宋", "唐", "许",
      "韩", "冯", "邓", "曹", "彭", "曾", "肖", "田",   "董",   "袁",  "潘", "于", "蒋",
      "蔡", "余", "杜", "叶", "程", "苏", "魏", "吕",   "丁",   "任",  "沈", "姚", "卢",
      "姜", "崔", "钟", "谭", "陆", "汪", "范", "金",   "石",   "廖",  "贾", "夏", "韦",
      "付", "方", "白", "邹", "孟", "熊", "秦", "欧阳", "上官", "诸葛"};
  return names;
}

const std::vector<std::string>& Given(bool female) {
  static const auto& women = *new std::vector<std::string>{
      "芳", "娜", "秀", "敏", "静", "丽", "艳", "娟", "霞", "燕", "玲",
      "桂", "英", "婷", "雪", "慧", "颖", "琳", "萍", "红", "梅", "莉",
      "兰", "洁", "倩", "蕾", "薇", "菲", "云", "琴", "欣", "怡"};
  static const auto& men = *new std::vector<std::string>{
      "伟", "强", "磊", "军", "洋", "勇", "杰", "涛", "明", "超", "刚",
      "平", "辉", "鹏", "华", "飞", "鑫", "波", "斌", "宇", "浩", "凯",
      "健", "俊", "帆", "帅", "旭", "宁", "龙", "林", "建", "国"};
  return female ? women : men;
}

// Check digit of the first 17 digits, GB 11643-1999 (ISO 7064 MOD 11-2).
char CheckDigit(const std::string& digits) {
  static constexpr std::array<int, 17> kWeights = {7, 9, 10, 5,  8, 4, 2, 1, 6,
                                                   3, 7, 9,  10, 5, 8, 4, 2};
  int sum = 0;
  for (size_t i = 0; i < kWeights.size(); ++i) sum += (digits[i] - '0') * kWeights[i];
  return "10X98765432"[sum % 11];
}

}  // namespace

std::string MakeName(Random& random, bool female) {
  std::string name = random.Pick(Surnames());
  name += random.Pick(Given(female));
  if (random.Percent(62)) name += random.Pick(Given(female));
  return name;
}

Person People::Make(int first_year, int last_year) {
  Person person;
  const int year = static_cast<int>(random_.Between(first_year, last_year));
  const absl::CivilDay birth =
      absl::CivilDay(year, 1, 1) + random_.Below(year % 4 == 0 ? 366 : 365);
  person.birth_date = absl::FormatCivilTime(birth);
  const std::string day = absl::StrFormat("%04d%02d%02d", birth.year(), birth.month(), birth.day());
  do {
    const std::string digits = absl::StrCat(random_.Pick(Regions()), day,
                                            absl::StrFormat("%03d", random_.Between(1, 999)));
    person.female = (digits[16] - '0') % 2 == 0;
    person.id_number = digits + CheckDigit(digits);
  } while (!taken_.insert(person.id_number).second);
  person.full_name = MakeName(random_, person.female);
  return person;
}

// 140 is a prefix of no subscriber.
std::string People::Phone() { return absl::StrFormat("140%08d", random_.Below(100000000)); }

std::string MakeCreditCode(Random& random, const std::string& prefix) {
  static constexpr absl::string_view kAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
  std::string code = absl::StrCat(prefix, random.Pick(Regions()), "MA");
  while (code.size() < 17) code += kAlphabet[static_cast<size_t>(random.Below(31))];
  int sum = 0, weight = 1;
  for (char c : code) {
    sum += static_cast<int>(kAlphabet.find(c)) * weight;
    weight = weight * 3 % 31;
  }
  return code + kAlphabet[static_cast<size_t>((31 - sum % 31) % 31)];
}

std::string DayBetween(Random& random, const std::string& first, const std::string& last) {
  absl::CivilDay from, to;
  if (!absl::ParseCivilTime(first, &from) || !absl::ParseCivilTime(last, &to)) return first;
  return absl::FormatCivilTime(from + random.Below(to - from + 1));
}

}  // namespace gonghui::district
