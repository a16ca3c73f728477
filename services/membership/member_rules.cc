#include "services/membership/member_rules.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/crypto/personal.h"
#include "re2/re2.h"
#include "services/membership/codes.h"

namespace gonghui::membership {
namespace {

// The group of papers in the catalogue whose 18 digits follow GB 11643.
constexpr std::string_view kResidentNumbers = "gb11643";
constexpr size_t kResidentDigits = 18;

absl::Status Required(std::string field) {
  return InvalidArgument(common::v1::REASON_FIELD_REQUIRED, StrCat(field, " is blank; fill it"),
                         StrCat(field, " 为空，请填写"))
      .At(std::move(field));
}

absl::Status Disagrees(std::string field) {
  return InvalidArgument(
             common::v1::REASON_FIELD_INVALID,
             StrCat(field,
                    " differs from what the identity number says; correct one of them, or "
                    "leave this one empty"),
             StrCat(field, " 与身份证号不一致，请更正其一或留空"))
      .At(std::move(field));
}

// The patterns of papers, each compiled once.
const re2::RE2& Compiled(const std::string& pattern) {
  static absl::Mutex mutex;
  static auto& compiled = *new std::map<std::string, std::unique_ptr<re2::RE2>>();
  absl::MutexLock lock(&mutex);
  std::unique_ptr<re2::RE2>& entry = compiled[pattern];
  if (entry == nullptr) entry = std::make_unique<re2::RE2>(pattern);
  return *entry;
}

absl::Status CheckForm(const common::v1::Code& paper, const std::string& number,
                       std::string_view at) {
  if (paper.pattern().empty() || re2::RE2::FullMatch(number, Compiled(paper.pattern()))) {
    return absl::OkStatus();
  }
  return InvalidArgument(
             common::v1::REASON_ID_NUMBER_INVALID,
             StrCat("this is no number of the paper '", paper.code(), "': ", paper.hint().en(),
                    "; compare it with the paper, or correct "
                    "its kind"),
             StrCat("这不是“", paper.label().zh(), "”的号码：", paper.hint().zh(),
                    "，请与证件核对或更正证件类别"))
      .With("id_type", paper.code())
      .At(StrCat(at, "id_number"));
}

using Faults = std::vector<absl::Status>;

void Collect(absl::Status status, Faults& faults) {
  if (!status.ok()) faults.push_back(std::move(status));
}

// The number in its stored form.
absl::Status NormalizeNumber(const catalog::Catalog& catalog, std::string_view at,
                             v1::Member& member, bool& standard) {
  standard = false;
  std::string& number = *member.mutable_id_number();
  const common::v1::Code* paper = catalog.FindCode("id_type", member.id_type());
  if (paper == nullptr) return Internal("a paper that the catalogue does not know");
  const bool resident = paper->code() == "resident_id";
  std::string normal = crypto::NormalizePaperNumber(number);
  if (normal.empty()) return Required(StrCat(at, "id_number"));
  // The 18 digits of other papers of the group follow the same standard.
  if (!resident && (paper->group() != kResidentNumbers || normal.size() != kResidentDigits)) {
    number = std::move(normal);
    return CheckForm(*paper, number, at);
  }
  absl::StatusOr<std::string> checked = crypto::NormalizeIdNumber(normal);
  if (!checked.ok()) {
    Error error = InvalidArgument(common::v1::REASON_ID_NUMBER_INVALID,
                                  std::string(FromAbsl(checked.status().message())),
                                  MessageZhOf(checked.status()));
    for (auto& [key, value] : MetadataOf(checked.status())) std::move(error).With(key, value);
    return std::move(error).At(StrCat(at, "id_number"));
  }
  number = *std::move(checked);
  standard = true;
  return CheckForm(*paper, number, at);
}

void NormalizePaperInto(const catalog::Catalog& catalog, std::string_view at, v1::Member& member,
                        Faults& faults) {
  if (member.id_type().empty()) member.set_id_type("resident_id");
  const absl::Status coded =
      ToCode(catalog, "id_type", StrCat(at, "id_type"), *member.mutable_id_type());
  if (!coded.ok()) return Collect(coded, faults);
  bool standard = false;  // The number holds sex and birth date.
  const absl::Status numbered = NormalizeNumber(catalog, at, member, standard);
  if (!numbered.ok()) return Collect(numbered, faults);
  if (!standard) return;
  const std::string sex = crypto::SexOf(member.id_number());
  const std::string birth_date = crypto::BirthDateOf(member.id_number());
  const bool sex_given = !member.sex().empty() && member.sex() != "unknown";
  if (sex_given && member.sex() != sex) faults.push_back(Disagrees(StrCat(at, "sex")));
  if (!member.birth_date().empty() && member.birth_date() != birth_date) {
    faults.push_back(Disagrees(StrCat(at, "birth_date")));
  }
  member.set_sex(sex);
  member.set_birth_date(birth_date);
}

// Codes in order, each once.
absl::Status NormalizeTags(const catalog::Catalog& catalog, std::string_view at,
                           v1::Member& member) {
  std::set<std::string> tags;
  for (const std::string& given : member.group_tags()) {
    std::string tag(Strip(given));
    const std::string field = StrCat(at, "group_tags");
    RETURN_IF_ERROR(ToCode(catalog, "worker_group", field, tag));
    if (tag.find(' ') != tag.npos) {
      return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                             StrCat("'", tag, "' is no group: a code has no blanks"),
                             StrCat("“", tag, "”不是群体代码：代码中不能有空格"))
          .With("value", tag)
          .At(field);
    }
    if (!tag.empty()) tags.insert(std::move(tag));
  }
  member.mutable_group_tags()->Assign(tags.begin(), tags.end());
  return absl::OkStatus();
}

absl::Status NormalizePhone(std::string_view at, v1::Member& member) {
  std::string& phone = *member.mutable_phone();
  std::erase(phone, ' ');
  const bool plain = std::all_of(phone.begin(), phone.end(), [](char c) {
    return (c >= '0' && c <= '9') || c == '+' || c == '-';
  });
  if (phone.empty() || (plain && phone.size() >= 5)) return absl::OkStatus();
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat(at, "phone is no telephone number: digits, + and - only"),
                         StrCat(at, "phone 不是电话号码：只能有数字、+ 和 -"))
      .At(StrCat(at, "phone"));
}

}  // namespace

void ClearOutputs(v1::Member& member) {
  for (auto clear : {&v1::Member::clear_name, &v1::Member::clear_etag, &v1::Member::clear_state,
                     &v1::Member::clear_create_time_us, &v1::Member::clear_retained_from,
                     &v1::Member::clear_leave_reason, &v1::Member::clear_seniority_from,
                     &v1::Member::clear_merged_into}) {
    (member.*clear)();
  }
}

absl::Status NormalizePaper(const catalog::Catalog& catalog, std::string_view at,
                            v1::Member& member) {
  Faults faults;
  NormalizePaperInto(catalog, at, member, faults);
  return faults.empty() ? absl::OkStatus() : faults.front();
}

absl::Status NormalizeMember(const catalog::Catalog& catalog, std::string_view at,
                             v1::Member& member) {
  const Faults faults = MemberFaults(catalog, at, member);
  return faults.empty() ? absl::OkStatus() : faults.front();
}

std::vector<absl::Status> MemberFaults(const catalog::Catalog& catalog, std::string_view at,
                                       v1::Member& member) {
  Faults faults;
  *member.mutable_full_name() = std::string(Strip(member.full_name()));
  if (member.full_name().empty()) faults.push_back(Required(StrCat(at, "full_name")));
  struct Coded {
    std::string_view name;  // Of the field and of its code list.
    std::string* value;
  };
  for (const Coded& field :
       {Coded{"sex", member.mutable_sex()}, Coded{"employment", member.mutable_employment()},
        Coded{"education", member.mutable_education()},
        Coded{"skill_level", member.mutable_skill_level()},
        Coded{"political_status", member.mutable_political_status()},
        Coded{"worker_group", member.mutable_worker_group()}}) {
    Collect(ToCode(catalog, field.name, StrCat(at, field.name), *field.value), faults);
  }
  Collect(NormalizeTags(catalog, at, member), faults);
  NormalizePaperInto(catalog, at, member, faults);
  Collect(NormalizePhone(at, member), faults);
  if (!member.left_on().empty() && member.left_on() < member.joined_on()) {
    faults.push_back(
        InvalidArgument(common::v1::REASON_FIELD_INVALID,
                        StrCat(at, "left_on lies before joined_on; correct one of them"),
                        StrCat(at, "left_on 早于 joined_on，请更正"))
            .At(StrCat(at, "left_on")));
  }
  if (member.birth_date() >= member.joined_on()) {
    faults.push_back(InvalidArgument(common::v1::REASON_FIELD_INVALID,
                                     StrCat(at, "joined_on lies before the birth date; correct it"),
                                     StrCat(at, "joined_on 早于出生日期，请更正"))
                         .At(StrCat(at, "joined_on")));
  }
  return faults;
}

}  // namespace gonghui::membership
