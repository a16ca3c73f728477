// Text functions over std::string_view. Debian builds Abseil with a string_view of its own, which
// std::string_view does not convert to; these forms take both.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace gonghui {

inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view FromAbsl(absl::string_view text) { return {text.data(), text.size()}; }

// An argument as absl::StrCat takes it.
template <typename T>
decltype(auto) AsPiece(const T& value) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return ToAbsl(value);
  } else {
    return (value);
  }
}

// absl::StrCat and absl::StrAppend for any mix of texts and numbers.
template <typename... T>
std::string StrCat(const T&... values) {
  return absl::StrCat(AsPiece(values)...);
}
template <typename... T>
void StrAppend(std::string* text, const T&... values) {
  absl::StrAppend(text, AsPiece(values)...);
}

// The pieces between separators; an empty text has one empty piece. They point into `text`.
inline std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (size_t end = text.find(separator); end != std::string_view::npos;
       end = text.find(separator)) {
    pieces.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  pieces.push_back(text);
  return pieces;
}

// Without ASCII white space at either end.
inline std::string_view Strip(std::string_view text) {
  return FromAbsl(absl::StripAsciiWhitespace(ToAbsl(text)));
}

inline std::string ToLower(std::string_view text) { return absl::AsciiStrToLower(ToAbsl(text)); }
inline std::string ToUpper(std::string_view text) { return absl::AsciiStrToUpper(ToAbsl(text)); }

// `text` with every occurrence of `from` (not empty) replaced.
inline std::string Replace(std::string_view text, std::string_view from, std::string_view to) {
  std::string replaced;
  for (size_t at = text.find(from); at != std::string_view::npos; at = text.find(from)) {
    replaced.append(text.substr(0, at)).append(to);
    text.remove_prefix(at + from.size());
  }
  return replaced.append(text);
}

// Reads a decimal number that fills `text`; false where it is none or does not fit.
template <typename Integer>
bool ParseInteger(std::string_view text, Integer* value) {
  return absl::SimpleAtoi(ToAbsl(text), value);
}

}  // namespace gonghui
