#include "common/sql/dialect.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::sql {
namespace {

// One engine lacks each of these, or gives it another meaning. A word is matched as a whole.
constexpr std::string_view kForbidden[] = {"::",           "->",           "@>",
                                           "ARRAY",        "ANY",          "AUTOINCREMENT",
                                           "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP",
                                           "DATETIME",     "DISTINCT ON",  "FOR UPDATE",
                                           "FOR SHARE",    "GREATEST",     "GROUP_CONCAT",
                                           "IFNULL",       "ILIKE",        "INSERT OR",
                                           "INTERVAL",     "JULIANDAY",    "LEAST",
                                           "NEXTVAL",      "NOW",          "NUMERIC",
                                           "PRAGMA",       "RANDOM",       "REPLACE INTO",
                                           "ROWID",        "SERIAL",       "STRFTIME",
                                           "STRING_AGG",   "TIMESTAMPTZ",  "TRIGGER",
                                           "UNNEST"};

bool IsWordChar(char c) { return absl::ascii_isalnum(c) || c == '_'; }

// Upper case, white space as one blank, string literals emptied, comments gone.
std::string Skeleton(std::string_view text) {
  std::string bare;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\'') {
      i = std::min(text.find('\'', i + 1), text.size());
      bare += "''";
    } else if (text.substr(i, 2) == "--") {
      i = std::min(text.find('\n', i), text.size());
      bare += ' ';
    } else if (absl::ascii_isspace(text[i])) {
      if (!bare.ends_with(' ')) bare += ' ';
    } else {
      bare += absl::ascii_toupper(text[i]);
    }
  }
  return bare;
}

bool Holds(std::string_view bare, std::string_view construct) {
  const bool word = IsWordChar(construct.front());
  for (size_t at = bare.find(construct); at != std::string_view::npos;
       at = bare.find(construct, at + 1)) {
    const size_t end = at + construct.size();
    const bool whole =
        (at == 0 || !IsWordChar(bare[at - 1])) && (end == bare.size() || !IsWordChar(bare[end]));
    if (whole || !word) return true;
  }
  return false;
}

}  // namespace

absl::Status CheckDialect(const Query& query) {
  const std::string bare = Skeleton(query.text);
  for (std::string_view construct : kForbidden) {
    if (Holds(bare, construct)) {
      return Internal(StrCat("statement ", query.name, " uses ", construct,
                             ", which is outside the common dialect of sql.h"));
    }
  }
  return absl::OkStatus();
}

}  // namespace gonghui::sql
