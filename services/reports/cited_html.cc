// Reads the text and the citations of an HTML page.
#include <cstdint>
#include <map>

#include "common/base/text.h"
#include "services/reports/cited_text.h"

namespace gonghui::reports {
namespace {

void AppendUtf8(uint32_t code, std::string* text) {
  if (code < 0x80) {
    *text += static_cast<char>(code);
  } else if (code < 0x800) {
    *text += static_cast<char>(0xC0 | code >> 6);
    *text += static_cast<char>(0x80 | (code & 63));
  } else if (code < 0x10000) {
    *text += static_cast<char>(0xE0 | code >> 12);
    *text += static_cast<char>(0x80 | (code >> 6 & 63));
    *text += static_cast<char>(0x80 | (code & 63));
  } else if (code < 0x110000) {
    *text += static_cast<char>(0xF0 | code >> 18);
    *text += static_cast<char>(0x80 | (code >> 12 & 63));
    *text += static_cast<char>(0x80 | (code >> 6 & 63));
    *text += static_cast<char>(0x80 | (code & 63));
  }
}

// "&#8212;" and "&#x2014;"; false for anything else.
bool AppendCharacter(std::string_view entity, std::string* text) {
  if (!entity.starts_with('#')) return false;
  const bool hex = entity.size() > 1 && (entity[1] == 'x' || entity[1] == 'X');
  uint32_t code = 0;
  for (const char c : entity.substr(hex ? 2 : 1)) {
    const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
    uint32_t digit = 16;
    if (lower >= '0' && lower <= '9') digit = static_cast<uint32_t>(lower - '0');
    if (hex && lower >= 'a' && lower <= 'f') digit = static_cast<uint32_t>(lower - 'a' + 10);
    if (digit == 16 || code > 0x110000) return false;
    code = code * (hex ? 16 : 10) + digit;
  }
  AppendUtf8(code, text);
  return true;
}

std::string Unescape(std::string_view text) {
  static const auto& names = *new std::map<std::string_view, std::string_view>{
      {"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}, {"nbsp", " "}};
  std::string plain;
  while (!text.empty()) {
    const size_t mark = text.find('&');
    plain += text.substr(0, mark);
    if (mark == std::string_view::npos) break;
    text.remove_prefix(mark);
    const size_t end = text.find(';');
    const std::string_view entity =
        end == std::string_view::npos || end > 10 ? "" : text.substr(1, end - 1);
    const auto named = names.find(entity);
    if (named != names.end()) plain += named->second;
    if (named != names.end() || AppendCharacter(entity, &plain)) {
      text.remove_prefix(end + 1);
    } else {
      plain += '&';
      text.remove_prefix(1);
    }
  }
  return plain;
}

bool IsSpace(char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)); }

struct Tag {
  std::string name;  // In lower case.
  bool closes = false;
  std::map<std::string, std::string> attributes;
};

// What stands between < and >.
Tag ParseTag(std::string_view inside) {
  Tag tag;
  tag.closes = inside.starts_with('/');
  if (tag.closes) inside.remove_prefix(1);
  const auto word = [&](std::string_view ends) {
    const size_t end = inside.find_first_of(ends);
    const std::string_view taken = inside.substr(0, end);
    inside.remove_prefix(taken.size());
    return taken;
  };
  const auto skip_space = [&] {
    while (!inside.empty() && (IsSpace(inside[0]) || inside[0] == '/')) inside.remove_prefix(1);
  };
  tag.name = ToLower(word(" \t\r\n/"));
  for (skip_space(); !inside.empty(); skip_space()) {
    const std::string key = ToLower(word("= \t\r\n"));
    skip_space();
    if (!inside.starts_with('=')) {
      if (key.empty()) inside.remove_prefix(1);
      continue;
    }
    inside.remove_prefix(1);
    while (!inside.empty() && IsSpace(inside[0])) inside.remove_prefix(1);
    if (inside.empty()) break;
    const char quote = inside[0];
    std::string_view value;
    if (quote == '"' || quote == '\'') {
      inside.remove_prefix(1);
      value = word(std::string_view(&quote, 1));
      if (!inside.empty()) inside.remove_prefix(1);
    } else {
      value = word(" \t\r\n");
    }
    tag.attributes[key] = Unescape(value);
  }
  return tag;
}

// The end of a tag that begins at 0; quotes may hold ">".
size_t TagEnd(std::string_view html) {
  char quote = 0;
  for (size_t i = 1; i < html.size(); ++i) {
    if (quote != 0) {
      if (html[i] == quote) quote = 0;
    } else if (html[i] == '"' || html[i] == '\'') {
      quote = html[i];
    } else if (html[i] == '>') {
      return i;
    }
  }
  return html.size();
}

bool IsBlock(std::string_view name) {
  static const auto& blocks = *new std::map<std::string_view, bool>{
      {"p", true},  {"div", true}, {"h1", true}, {"h2", true}, {"h3", true},    {"h4", true},
      {"h5", true}, {"h6", true},  {"li", true}, {"td", true}, {"th", true},    {"tr", true},
      {"ul", true}, {"ol", true},  {"dd", true}, {"dt", true}, {"table", true}, {"body", true}};
  return blocks.contains(name);
}

// Line ends and blanks of the source stand for one blank; between Chinese words editors put none.
std::string Joined(std::string_view text) {
  std::string joined;
  for (const char c : text) {
    if (IsSpace(c) && (joined.empty() || joined.back() == ' ')) continue;
    joined += IsSpace(c) ? ' ' : c;
  }
  return joined;
}

class PageReader {
 public:
  CitedText Read(std::string_view html) {
    while (!html.empty()) {
      const size_t open = html.find('<');
      if (hidden_.empty()) builder_.AddText(Joined(Unescape(html.substr(0, open))));
      if (open == std::string_view::npos) break;
      html.remove_prefix(open);
      if (html.starts_with("<!--")) {
        const size_t end = html.find("-->");
        html.remove_prefix(end == std::string_view::npos ? html.size() : end + 3);
        continue;
      }
      const size_t end = TagEnd(html);
      Take(ParseTag(html.substr(1, end - 1)));
      html.remove_prefix(std::min(end + 1, html.size()));
    }
    return builder_.Take();
  }

 private:
  void Take(const Tag& tag) {
    if (!hidden_.empty()) {
      if (tag.closes && tag.name == hidden_) hidden_.clear();
      return;
    }
    const auto id = tag.attributes.find("id");
    const bool sources = id != tag.attributes.end() && id->second == "sources";
    if (!tag.closes &&
        (tag.name == "head" || tag.name == "style" || tag.name == "script" || sources)) {
      hidden_ = tag.name;
    } else if (tag.name == "a") {
      const auto figure = tag.attributes.find("data-figure");
      if (figure == tag.attributes.end()) {
        builder_.EndSpan();
      } else {
        const auto exact = tag.attributes.find("data-exact");
        builder_.BeginSpan(figure->second, exact == tag.attributes.end() ? "" : exact->second);
      }
    } else if (tag.name == "br") {
      builder_.AddText("\n");
    } else if (IsBlock(tag.name)) {
      builder_.EndSpan();
      builder_.EndParagraph();
    }
  }

  CitedTextBuilder builder_;
  std::string hidden_;  // The element whose content is not read.
};

}  // namespace

CitedText ReadHtml(std::string_view html) { return PageReader().Read(html); }

}  // namespace gonghui::reports
