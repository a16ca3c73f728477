// Names as people look for them: by sound, and regardless of the form of a character.
#pragma once

#include <string>
#include <string_view>

namespace gonghui::membership {

// The name in pinyin without tones and blanks, "zhangsan"; surnames as surnames are read. Letters
// stay, in lower case. Variant forms of a character (張, 张) have one key.
std::string NameKey(std::string_view full_name);
// The first letter of each character's pinyin: "zs".
std::string NameInitials(std::string_view full_name);
// The name in simplified characters.
std::string SimplifiedName(std::string_view full_name);
// Whether the name begins with what was typed: characters, pinyin or initials.
bool NameBeginsWith(std::string_view full_name, std::string_view query);

}  // namespace gonghui::membership
