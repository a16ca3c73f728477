// Personal data at rest: SM4-GCM encryption (GB/T 32907) and a keyed blind index by HMAC-SM3 (GB/T
// 32905).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace gonghui::crypto {

// Keys of an installation, from a YAML file (mode 0600 or 0640): `keys: [{id, sm4_hex}]`, `current:
// id`, `index_hex`. Immutable; thread-safe.
class PersonalData {
 public:
  static absl::StatusOr<PersonalData> FromFile(const std::string& path);
  static absl::Status GenerateFile(
      const std::string& path);  // Fresh random keys; refuses to overwrite.

  // key id, nonce, ciphertext and tag; `context` (for example tenant + record id) is authenticated
  // with it.
  std::string Encrypt(std::string_view plain, std::string_view context) const;
  absl::StatusOr<std::string> Decrypt(std::string_view sealed, std::string_view context) const;
  // Pseudonym for equality and distinct counts: the first 16 bytes of HMAC-SM3 as 32 hex digits.
  // Same input, same output in every service that has the same key. `scope` is the federation.
  std::string Index(std::string_view scope, std::string_view plain) const;

  ~PersonalData();
  PersonalData(PersonalData&&) noexcept;
  PersonalData& operator=(PersonalData&&) noexcept;

 private:
  PersonalData();
  struct State;
  std::unique_ptr<State> state_;
};

// The number of any paper as it is stored: upper case, half width, without blanks around it.
std::string NormalizePaperNumber(std::string_view text);
// GB 11643 resident identity number: normalises (trim, full width, x -> X, 15 -> 18 digits) and
// checks digit and date. REASON_ID_NUMBER_INVALID otherwise; the message never repeats the number.
// What a spreadsheet damaged is told apart by the metadata "damage": scientific (3.2E+17), rounded
// (the last three digits became zeros), shortened (a digit was lost).
absl::StatusOr<std::string> NormalizeIdNumber(std::string_view text);
std::string BirthDateOf(std::string_view id_number);  // ISO, of a normalised number.
std::string SexOf(std::string_view id_number);        // "male" or "female".

std::string MaskIdNumber(std::string_view id_number);  // 320402********1234
std::string MaskPhone(std::string_view phone);         // 138****1234
std::string MaskName(std::string_view full_name);      // 张*

std::string Sm3Hex(std::string_view bytes);  // 64 hex digits.

}  // namespace gonghui::crypto
