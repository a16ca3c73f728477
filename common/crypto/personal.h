// Personal data at rest: SM4-GCM encryption (GB/T 32907) and a keyed blind index by HMAC-SM3 (GB/T
// 32905).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace gonghui::crypto {

// Keys of an installation, as YAML: `keys: [{id, sm4_hex}]`, `current: id`, `index_hex`; a file of
// mode 0600 or 0640, or what a command prints. Thread-safe. Keys change while they are used: add a
// key, make it current, and have everything sealed anew; then the old one may go. The index key
// never changes.
class PersonalData {
 public:
  static absl::StatusOr<PersonalData> FromFile(const std::string& path);
  // `command` is run by sh, at most 20 s, when the keys are needed and then at most once a minute.
  static absl::StatusOr<PersonalData> FromCommand(const std::string& command);
  static absl::Status GenerateFile(
      const std::string& path);  // Fresh random keys; refuses to overwrite.
  // Adds a fresh random key to the file and makes it current. Its id.
  static absl::StatusOr<std::string> AddKey(const std::string& path);

  // Takes over the keys where their source changed. A source at fault is logged once and the keys
  // stay as they are; so they do where it changes the index key or the bytes of a key.
  absl::Status Reload() const;
  std::vector<std::string> KeyIds() const;
  std::string CurrentKeyId() const;

  // key id, nonce, ciphertext and tag; `context` (for example tenant + record id) is authenticated
  // with it.
  std::string Encrypt(std::string_view plain, std::string_view context) const;
  // A key that is not known makes the source be looked at again.
  absl::StatusOr<std::string> Decrypt(std::string_view sealed, std::string_view context) const;
  // What everything begins with that the key seals.
  static std::string SealedPrefix(std::string_view key_id);
  // Id of the key that sealed it; empty where that is damaged.
  static std::string_view KeyIdOf(std::string_view sealed);
  // Pseudonym for equality and distinct counts: the first 16 bytes of HMAC-SM3 as 32 hex digits.
  // Same input, same output in every service that has the same key. `scope` is the federation.
  std::string Index(std::string_view scope, std::string_view plain) const;

  ~PersonalData();
  PersonalData(PersonalData&&) noexcept;
  PersonalData& operator=(PersonalData&&) noexcept;

 private:
  struct State;
  explicit PersonalData(std::unique_ptr<State> state);
  static absl::StatusOr<PersonalData> Open(std::unique_ptr<State> state);
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
