#include "common/sheet/text.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "common/base/edit_distance.h"
#include "common/base/status.h"
#include "common/sheet/text_decoder.h"

namespace gonghui::sheet {
namespace {

constexpr char32_t kInvalid = 0xFFFFFFFF;

// Takes one character off the front of `text`; kInvalid (one byte taken) where it is not UTF-8.
char32_t TakeCharacter(std::string_view& text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const size_t length = first < 0x80   ? 1
                        : first < 0xC2 ? 0
                        : first < 0xE0 ? 2
                        : first < 0xF0 ? 3
                        : first < 0xF5 ? 4
                                       : 0;
  if (length == 0 || text.size() < length) {
    text.remove_prefix(1);
    return kInvalid;
  }
  static constexpr unsigned char kMask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t value = first & kMask[length];
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) {
      text.remove_prefix(1);
      return kInvalid;
    }
    value = (value << 6) | (byte(i) & 0x3F);
  }
  text.remove_prefix(length);
  static constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  return value < kLeast[length] || surrogate || value > 0x10FFFF ? kInvalid : value;
}

void AppendCharacter(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

std::u32string Characters(std::string_view text) {
  std::u32string characters;
  while (!text.empty()) characters += TakeCharacter(text);
  return characters;
}

char32_t HalfwidthOf(char32_t c) {
  if (c >= 0xFF01 && c <= 0xFF5E) return c - 0xFEE0;
  return c == 0x3000 || c == 0xA0 ? U' ' : c;
}

bool IsWide(char32_t c) {
  return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
         (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
         (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1FAFF) ||
         (c >= 0x20000 && c <= 0x3FFFD);
}

}  // namespace

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    if (TakeCharacter(text) == kInvalid) return false;
  }
  return true;
}

absl::StatusOr<std::string> DecodeText(std::string_view bytes) {
  archive::BytesInMemory source(bytes);
  ASSIGN_OR_RETURN(const auto decoder, TextDecoder::Open(source));
  std::string text;
  for (bool more = true; more;) {
    ASSIGN_OR_RETURN(more, decoder->Next(text));
  }
  return text;
}

std::string Halfwidth(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const char32_t c = TakeCharacter(text);
    if (c != kInvalid) AppendCharacter(out, HalfwidthOf(c));
  }
  return out;
}

std::string Trimmed(std::string_view text) {
  static constexpr std::string_view kSpaces[] = {
      " ", "\t", "\r", "\n", "\xE3\x80\x80", "\xC2\xA0", "\xEF\xBB\xBF"};
  for (bool changed = true; changed;) {
    changed = false;
    for (std::string_view space : kSpaces) {
      if (text.starts_with(space)) {
        text.remove_prefix(space.size());
        changed = true;
      }
      if (text.ends_with(space)) {
        text.remove_suffix(space.size());
        changed = true;
      }
    }
  }
  return std::string(text);
}

std::string HeadingKey(std::string_view heading) {
  std::string key;
  for (char c : Halfwidth(heading)) {
    if (absl::ascii_isspace(static_cast<unsigned char>(c)) ||
        std::string_view("()[]*").find(c) != std::string_view::npos)
      continue;
    key += absl::ascii_tolower(static_cast<unsigned char>(c));
  }
  return key;
}

std::string WithoutBrackets(std::string_view heading) {
  const std::string text = Halfwidth(heading);
  const size_t open = text.find('(');
  return Trimmed(open == std::string::npos ? text : text.substr(0, open));
}

int DisplayWidth(std::string_view text) {
  int width = 0;
  while (!text.empty()) width += IsWide(TakeCharacter(text)) ? 2 : 1;
  return width;
}

std::string Nearest(std::string_view text, const std::vector<std::string>& candidates) {
  const std::u32string wanted = Characters(HeadingKey(text));
  std::string best;
  size_t best_distance = std::max<size_t>(1, wanted.size() / 2) + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(wanted, Characters(HeadingKey(candidate)));
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace gonghui::sheet
