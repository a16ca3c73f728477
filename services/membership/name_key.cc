#include "services/membership/name_key.h"

#include <unicode/translit.h>
#include <unicode/unistr.h>

#include <map>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/synchronization/mutex.h"
#include "common/base/text.h"
#include "google/protobuf/stubs/logging.h"

namespace gonghui::membership {
namespace {

// Characters under one of ICU's transforms, each worked out once: a transform of a whole name takes
// some ten microseconds, which an import feels.
class Transform {
 public:
  explicit Transform(const char* id) {
    UErrorCode error = U_ZERO_ERROR;
    transform_.reset(icu::Transliterator::createInstance(icu::UnicodeString::fromUTF8(id),
                                                         UTRANS_FORWARD, error));
    GOOGLE_CHECK(U_SUCCESS(error)) << "ICU has no transform " << id;
  }

  std::string Of(std::string_view character) const {
    absl::MutexLock lock(&mutex_);
    if (const auto known = known_.find(character); known != known_.end()) return known->second;
    icu::UnicodeString text = icu::UnicodeString::fromUTF8(
        icu::StringPiece(character.data(), static_cast<int32_t>(character.size())));
    transform_->transliterate(text);
    std::string result;
    text.toUTF8String(result);
    known_.emplace(character, result);
    return result;
  }

 private:
  std::unique_ptr<icu::Transliterator> transform_;
  mutable absl::Mutex mutex_;
  // At most as large as Unicode.
  mutable std::map<std::string, std::string, std::less<>> known_ ABSL_GUARDED_BY(mutex_);
};

const Transform& Surname() {
  static const auto& transform = *new Transform("Han-Latin/Names; Latin-ASCII; Lower");
  return transform;
}

const Transform& Sound() {
  static const auto& transform = *new Transform("Han-Latin; Latin-ASCII; Lower");
  return transform;
}

const Transform& Simplified() {
  static const auto& transform = *new Transform("Hant-Hans");
  return transform;
}

std::vector<std::string_view> Characters(std::string_view text) {
  std::vector<std::string_view> characters;
  while (!text.empty()) {
    size_t size = 1;
    while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) ++size;
    characters.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return characters;
}

// The pinyin of each character; blanks and dots between parts of a name are left out.
std::vector<std::string> Syllables(std::string_view full_name) {
  std::vector<std::string> syllables;
  for (std::string_view character : Characters(full_name)) {
    std::string syllable = (syllables.empty() ? Surname() : Sound()).Of(Simplified().Of(character));
    std::erase_if(syllable, [](char c) { return c == ' ' || c == '\'' || c == '.'; });
    if (!syllable.empty() && syllable != "·") syllables.push_back(std::move(syllable));
  }
  return syllables;
}

}  // namespace

std::string NameKey(std::string_view full_name) {
  std::string key;
  for (const std::string& syllable : Syllables(full_name)) key += syllable;
  return key;
}

std::string NameInitials(std::string_view full_name) {
  std::string initials;
  for (const std::string& syllable : Syllables(full_name)) initials += syllable[0];
  return initials;
}

std::string SimplifiedName(std::string_view full_name) {
  std::string simplified;
  for (std::string_view character : Characters(full_name)) simplified += Simplified().Of(character);
  return simplified;
}

bool NameBeginsWith(std::string_view full_name, std::string_view query) {
  query = Strip(query);
  if (SimplifiedName(full_name).starts_with(SimplifiedName(query))) return true;
  std::string typed = ToLower(query);
  std::erase_if(typed, [](char c) { return c == ' ' || c == '\''; });
  for (char c : typed) {
    if (!absl::ascii_isalpha(static_cast<unsigned char>(c))) return false;
  }
  return NameKey(full_name).starts_with(typed) || NameInitials(full_name).starts_with(typed);
}

}  // namespace gonghui::membership
