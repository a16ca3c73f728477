#include "services/membership/duplicates.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "common/base/resource_name.h"
#include "common/base/text.h"
#include "common/crypto/personal.h"
#include "services/membership/name_key.h"

namespace gonghui::membership {
namespace {

using v1::DuplicateSign;

constexpr int kMostAnswered = 50;
constexpr int kBestScore = 100;
constexpr size_t kMostOfSound = 500;  // Of those whom the caller may see.

// How much a sign says. One that may be chance needs another beside it.
struct Weight {
  DuplicateSign sign;
  int score;
};
constexpr Weight kWeights[] = {
    {v1::DUPLICATE_SIGN_SAME_NUMBER, 100}, {v1::DUPLICATE_SIGN_SWAPPED_DIGITS, 60},
    {v1::DUPLICATE_SIGN_ONE_DIGIT, 50},    {v1::DUPLICATE_SIGN_SAME_PHONE, 30},
    {v1::DUPLICATE_SIGN_SAME_NAME, 25},    {v1::DUPLICATE_SIGN_SAME_BIRTH_DATE, 25},
    {v1::DUPLICATE_SIGN_SAME_SOUND, 15},
};
constexpr int kEnough = 40;

constexpr sql::Query kBySoundAndBirth{"membership.find_by_sound_and_birth",
                                      "SELECT member_id, organization FROM members WHERE tenant=$1 "
                                      "AND name_key=$2 AND birth_date=$3"};
constexpr sql::Query kBySound{
    "membership.find_by_sound",
    "SELECT member_id, organization FROM members WHERE tenant=$1 AND name_key=$2"};

// Valid numbers that become `number` by swapping two neighbouring digits or mistyping one.
std::set<std::string> NumbersNear(const std::string& number) {
  std::set<std::string> near;
  const auto add = [&](const std::string& variant) {
    if (absl::StatusOr<std::string> normal = crypto::NormalizeIdNumber(variant); normal.ok()) {
      near.insert(*std::move(normal));
    }
  };
  add(number);
  if (number.size() != 18) return near;
  for (size_t i = 0; i < number.size(); ++i) {
    std::string variant = number;
    if (i + 1 < number.size()) {
      std::swap(variant[i], variant[i + 1]);
      add(variant);
      variant = number;
    }
    for (char digit : std::string_view("0123456789X")) {
      variant[i] = digit;
      add(variant);
    }
  }
  return near;
}

std::optional<DuplicateSign> CompareNumbers(const std::string& a, const std::string& b) {
  if (a.empty() || a.size() != b.size()) return std::nullopt;
  std::vector<size_t> differing;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) differing.push_back(i);
  }
  if (differing.empty()) return v1::DUPLICATE_SIGN_SAME_NUMBER;
  if (differing.size() == 1) return v1::DUPLICATE_SIGN_ONE_DIGIT;
  const size_t i = differing[0];
  if (differing.size() == 2 && differing[1] == i + 1 && a[i] == b[i + 1] && a[i + 1] == b[i]) {
    return v1::DUPLICATE_SIGN_SWAPPED_DIGITS;
  }
  return std::nullopt;
}

std::string DigitsOf(std::string_view phone) {
  std::string digits;
  for (char c : phone) {
    if (absl::ascii_isdigit(static_cast<unsigned char>(c))) digits += c;
  }
  return digits;
}

std::set<DuplicateSign> SignsOf(const v1::PersonSketch& known, const std::string& number,
                                const v1::Member& other) {
  std::set<DuplicateSign> signs;
  if (const auto sign = CompareNumbers(number, other.id_number())) signs.insert(*sign);
  if (!known.full_name().empty()) {
    if (SimplifiedName(known.full_name()) == SimplifiedName(other.full_name())) {
      signs.insert(v1::DUPLICATE_SIGN_SAME_NAME);
    } else if (NameKey(known.full_name()) == NameKey(other.full_name())) {
      signs.insert(v1::DUPLICATE_SIGN_SAME_SOUND);
    }
  }
  if (!known.birth_date().empty() && known.birth_date() == other.birth_date()) {
    signs.insert(v1::DUPLICATE_SIGN_SAME_BIRTH_DATE);
  }
  if (!known.phone().empty() && DigitsOf(known.phone()) == DigitsOf(other.phone())) {
    signs.insert(v1::DUPLICATE_SIGN_SAME_PHONE);
  }
  return signs;
}

}  // namespace

absl::StatusOr<Duplicates::Person> Duplicates::ReadPerson(
    sql::Tx& tx, const rpc::Call& call, const v1::FindDuplicatesRequest& request) const {
  Person person;
  person.known = request.member();
  if (!request.member_name().empty()) {
    person.id = LeafOf(request.member_name());
    ASSIGN_OR_RETURN(const std::optional<MemberRow> row,
                     register_.store.Find(tx, call.federation, person.id));
    if (!row.has_value()) return UnknownMember(person.id, "member_name");
    RETURN_IF_ERROR(call.CheckScope(row->member.organization()));
    person.known.set_full_name(row->member.full_name());
    person.known.set_id_number(row->member.id_number());
    person.known.set_birth_date(row->member.birth_date());
    person.known.set_phone(row->member.phone());
  }
  if (person.known.full_name().empty() && person.known.id_number().empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                           "name a registered member by member_name, or give a name or an "
                           "identity number in member",
                           "请用 member_name 指明已登记会员，或在 member 中填姓名或证件号码")
        .At("member");
  }
  person.number = crypto::NormalizePaperNumber(person.known.id_number());
  if (absl::StatusOr<std::string> normal = crypto::NormalizeIdNumber(person.number); normal.ok()) {
    person.number = *std::move(normal);
    if (person.known.birth_date().empty()) {
      person.known.set_birth_date(crypto::BirthDateOf(person.number));
    }
  }
  return person;
}

absl::StatusOr<std::vector<MemberRow>> Duplicates::Candidates(
    sql::Tx& tx, const std::string& federation, const Person& person,
    const std::function<bool(const std::string& organization)>& sees) const {
  std::vector<std::string> indexes;
  for (const std::string& number : NumbersNear(person.number)) {
    indexes.push_back(register_.store.IndexOf(federation, "resident_id", number));
  }
  for (const common::v1::Code& paper : register_.catalog->FindCodes("id_type")->codes()) {
    if (person.number.empty() || paper.code() == "resident_id") continue;
    indexes.push_back(register_.store.IndexOf(federation, paper.code(), person.number));
  }
  ASSIGN_OR_RETURN(std::vector<MemberRow> found,
                   register_.store.FindPersons(tx, federation, indexes));
  std::set<std::string> ids;
  if (!person.known.full_name().empty()) {
    const std::string sound = NameKey(person.known.full_name());
    const auto add = [&](const sql::Rows::Row& row) {
      if (ids.size() < kMostOfSound && sees(row.Get<std::string>(1))) {
        ids.insert(row.Get<std::string>(0));
      }
      return absl::OkStatus();
    };
    if (!person.known.birth_date().empty()) {
      RETURN_IF_ERROR(
          tx.Stream(kBySoundAndBirth, {federation, sound, person.known.birth_date()}, add));
    }
    if (!person.known.phone().empty()) {
      RETURN_IF_ERROR(tx.Stream(kBySound, {federation, sound}, add));
    }
  }
  for (const MemberRow& row : found) ids.erase(row.id);
  for (const std::string& id : ids) {
    ASSIGN_OR_RETURN(std::optional<MemberRow> row, register_.store.Find(tx, federation, id));
    if (row.has_value()) found.push_back(*std::move(row));
  }
  std::erase_if(found, [&](const MemberRow& row) {
    return row.id == person.id || row.member.state() == kMerged;
  });
  return found;
}

absl::StatusOr<v1::FindDuplicatesResponse> Duplicates::Find(
    rpc::Call& call, const v1::FindDuplicatesRequest& request) {
  Person person;
  std::vector<MemberRow> candidates;
  ASSIGN_OR_RETURN(const auto tree, tree_.Get(call.federation, request.organization()));
  const auto inside = [&](const std::string& organization) {
    return request.organization().empty() ||
           tree->IsAtOrBelow(organization, request.organization(), call.Today());
  };
  std::map<std::string, bool> seen;  // By organisation.
  const auto sees = [&](const std::string& organization) {
    const auto [place, fresh] = seen.try_emplace(organization, false);
    if (fresh) place->second = inside(organization) && call.CheckScope(organization).ok();
    return place->second;
  };
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(person, ReadPerson(tx, call, request));
    ASSIGN_OR_RETURN(candidates, Candidates(tx, call.federation, person, sees));
    return absl::OkStatus();
  }));
  std::vector<v1::Duplicate> duplicates;
  for (const MemberRow& row : candidates) {
    const std::string& organization = row.member.organization();
    if (!inside(organization)) continue;
    std::set<DuplicateSign> signs = SignsOf(person.known, person.number, row.member);
    if (!sees(organization)) {  // Only that the number is known there, as CreateMember would tell.
      if (!signs.contains(v1::DUPLICATE_SIGN_SAME_NUMBER)) continue;
      signs = {v1::DUPLICATE_SIGN_SAME_NUMBER};
    }
    v1::Duplicate duplicate;
    int score = 0;
    for (const Weight& weight : kWeights) {
      if (!signs.contains(weight.sign)) continue;
      duplicate.add_signs(weight.sign);
      score += weight.score;
    }
    if (score < kEnough) continue;
    duplicate.set_score(std::min(score, kBestScore));
    if (sees(organization)) {
      *duplicate.mutable_member() = MaskedView(call.federation, row);
    } else {
      duplicate.mutable_member()->set_organization(organization);
    }
    duplicates.push_back(std::move(duplicate));
  }
  std::stable_sort(duplicates.begin(), duplicates.end(),
                   [](const auto& a, const auto& b) { return a.score() > b.score(); });
  v1::FindDuplicatesResponse response;
  for (v1::Duplicate& duplicate : duplicates) {
    if (response.duplicates_size() == kMostAnswered) break;
    if (const std::string& name = duplicate.member().name(); !name.empty()) {
      RETURN_IF_ERROR(log_.Note(call, v1::ACCESS_KIND_LIST, LeafOf(name)));
    }
    *response.add_duplicates() = std::move(duplicate);
  }
  return response;
}

}  // namespace gonghui::membership
