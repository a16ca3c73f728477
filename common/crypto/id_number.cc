// Identity numbers (GB 11643-1999) and masks.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/time/civil_time.h"
#include "common/base/clock.h"
#include "common/base/date.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/crypto/personal.h"

namespace gonghui::crypto {
namespace {

constexpr int kWeights[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
constexpr std::string_view kCheckDigits = "10X98765432";
constexpr int kEarliestBirthYear = 1850;

Error Invalid(std::string_view what, std::string_view what_zh) {
  return InvalidArgument(common::v1::REASON_ID_NUMBER_INVALID,
                         StrCat("the identity number ", what, "; compare it with the card"),
                         StrCat("身份证号", what_zh, "，请与证件核对"));
}

// Full-width digits and letters (U+FF10 … U+FF5A) as ASCII, the ideographic space as a space.
std::string Narrow(std::string_view text) {
  std::string narrow;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = [&](size_t at) {
      return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
    };
    if (byte(i) == 0xEF && (byte(i + 1) == 0xBC || byte(i + 1) == 0xBD)) {
      const unsigned code =
          ((byte(i) & 0x0FU) << 12U) | ((byte(i + 1) & 0x3FU) << 6U) | (byte(i + 2) & 0x3FU);
      narrow += static_cast<char>(code - 0xFEE0U);
      i += 2;
    } else if (text.substr(i, 3) == "\u3000") {
      narrow += ' ';
      i += 2;
    } else {
      narrow += text[i];
    }
  }
  return narrow;
}

char CheckDigit(std::string_view first_17) {
  int sum = 0;
  for (int i = 0; i < 17; ++i) sum += (first_17[i] - '0') * kWeights[i];
  return kCheckDigits[sum % 11];
}

bool AllDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isdigit(c); });
}

// The number of UTF-8 bytes of the first character.
size_t FirstCharacter(std::string_view text) {
  size_t size = text.empty() ? 0 : 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) ++size;
  return size;
}

// Where each character of a UTF-8 text begins, and its end.
std::vector<size_t> Boundaries(std::string_view text) {
  std::vector<size_t> boundaries = {0};
  while (boundaries.back() < text.size()) {
    boundaries.push_back(boundaries.back() + FirstCharacter(text.substr(boundaries.back())));
  }
  return boundaries;
}

// Shows `head` and `tail` characters, stars between; nothing of a text that is no longer.
std::string Masked(std::string_view text, size_t head, size_t tail) {
  const std::vector<size_t> boundaries = Boundaries(text);
  const size_t characters = boundaries.size() - 1;
  if (characters <= head + tail) return std::string(characters, '*');
  return StrCat(text.substr(0, boundaries[head]), std::string(characters - head - tail, '*'),
                text.substr(boundaries[characters - tail]));
}

// 3.20402E+17, as spreadsheets show a long number.
bool IsScientific(std::string_view number) {
  const size_t e = number.find('E');
  if (e == number.npos || e == 0 || e + 1 == number.size()) return false;
  const auto digits_and = [](std::string_view part, char other) {
    return std::all_of(part.begin(), part.end(),
                       [&](char c) { return absl::ascii_isdigit(c) || c == other; });
  };
  return digits_and(number.substr(0, e), '.') && digits_and(number.substr(e + 1), '+');
}

absl::Status Damaged(std::string_view damage, std::string_view what, std::string_view what_zh) {
  return Invalid(StrCat(what, ": format the column as text and enter the number anew"),
                 StrCat(what_zh, "：请将该列设为文本格式后重新录入"))
      .With("damage", std::string(damage));
}

}  // namespace

std::string NormalizePaperNumber(std::string_view text) { return ToUpper(Strip(Narrow(text))); }

absl::StatusOr<std::string> NormalizeIdNumber(std::string_view text) {
  std::string number = NormalizePaperNumber(text);
  if (IsScientific(number)) {
    return Damaged("scientific", "was turned into scientific notation by a spreadsheet",
                   "被电子表格转成了科学计数法");
  }
  if ((number.size() == 17 || number.size() == 14) && AllDigits(number)) {
    return Damaged("shortened", "has lost a digit or the X at its end, as happens in spreadsheets",
                   "少了一位（或末位 X），常见于电子表格");
  }
  if (number.size() == 15 && AllDigits(number)) {
    number.insert(6, "19");
    number += CheckDigit(number);
  }
  const bool has_form = number.size() == 18 && AllDigits(std::string_view(number).substr(0, 17)) &&
                        (absl::ascii_isdigit(number[17]) || number[17] == 'X');
  if (!has_form) {
    return Invalid("must have 18 digits (the last may be X) or 15",
                   "应为 18 位（末位可为 X）或 15 位");
  }
  if (number[17] != CheckDigit(number) && number.ends_with("000")) {
    return Damaged("rounded", "ends in 000 and has a wrong check digit: a spreadsheet rounded it",
                   "末三位为 000 且校验码不符，应是电子表格舍入所致");
  }
  if (number[17] != CheckDigit(number)) return Invalid("has a wrong check digit", "校验码不符");
  const std::string birth = BirthDateOf(number);
  const auto day = ParseDate(birth);
  if (!day.ok() || day->year() < kEarliestBirthYear || birth > Clock::System().Today()) {
    return Invalid("holds no possible birth date", "中的出生日期无效");
  }
  return number;
}

std::string BirthDateOf(std::string_view id_number) {
  return StrCat(id_number.substr(6, 4), "-", id_number.substr(10, 2), "-", id_number.substr(12, 2));
}

std::string SexOf(std::string_view id_number) {
  return (id_number[16] - '0') % 2 == 1 ? "male" : "female";
}

std::string MaskIdNumber(std::string_view id_number) {
  return Boundaries(id_number).size() > 15 ? Masked(id_number, 6, 4) : Masked(id_number, 1, 2);
}

std::string MaskPhone(std::string_view phone) { return Masked(phone, 3, 4); }

std::string MaskName(std::string_view full_name) { return Masked(full_name, 1, 0); }

}  // namespace gonghui::crypto
