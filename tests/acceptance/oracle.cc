#include "tests/acceptance/oracle.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <functional>
#include <memory>
#include <regex>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tests/acceptance/csv_file.h"

namespace gonghui::district {
namespace {

constexpr const char* kDatabases[] = {"membership", "funds", "activities", "casework"};

// A value of a row; empty where it is NULL.
std::string Text(sqlite3_stmt* row, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
  return text == nullptr ? "" : text;
}

// The four files, attached under the names of their services.
class Databases {
 public:
  absl::Status Open(const std::string& folder) {
    sqlite3* db = nullptr;
    const int opened = sqlite3_open(":memory:", &db);
    db_.reset(db);
    if (opened != SQLITE_OK) return Failed("open");
    for (const char* name : kDatabases) {
      // Attaching would make a missing file.
      const std::string file = absl::StrCat(folder, "/", name, ".db");
      if (!std::ifstream(file)) return absl::NotFoundError(absl::StrCat("cannot read ", file));
      absl::Status attached = Run(absl::StrCat("ATTACH '", file, "' AS ", name));
      if (!attached.ok()) return attached;
    }
    return absl::OkStatus();
  }

  // Days are bound where the statement names :first and :last.
  absl::Status Run(const std::string& sql, const Days& days = {},
                   const std::function<void(sqlite3_stmt*)>& row = nullptr) {
    const char* rest = sql.c_str();
    while (*rest != '\0') {
      sqlite3_stmt* made = nullptr;
      if (sqlite3_prepare_v2(db_.get(), rest, -1, &made, &rest) != SQLITE_OK) return Failed(sql);
      if (made == nullptr) break;  // Only a comment is left.
      const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> statement(made,
                                                                                 sqlite3_finalize);
      Bind(made, ":first", days.first);
      Bind(made, ":last", days.last);
      int step = sqlite3_step(made);
      for (; step == SQLITE_ROW; step = sqlite3_step(made)) {
        if (row) row(made);
      }
      if (step != SQLITE_DONE) return Failed(sql);
    }
    return absl::OkStatus();
  }

 private:
  static void Bind(sqlite3_stmt* statement, const char* name, const std::string& value) {
    const int index = sqlite3_bind_parameter_index(statement, name);
    if (index > 0) sqlite3_bind_text(statement, index, value.c_str(), -1, SQLITE_TRANSIENT);
  }
  absl::Status Failed(const std::string& what) const {
    return absl::InternalError(absl::StrCat(sqlite3_errmsg(db_.get()), " in: ", what));
  }

  std::unique_ptr<sqlite3, decltype(&sqlite3_close)> db_{nullptr, sqlite3_close};
};

std::string Quoted(absl::string_view name) { return absl::StrCat("\"", name, "\""); }

// Ways to restrict by each key: not at all, by each of its values, by the name of the total. Every
// entry holds one SQL expression a key, empty where the key does not restrict.
std::vector<std::vector<std::string>> Splits(const Count& count) {
  std::vector<std::vector<std::string>> splits = {{}};
  for (const Count::Key& key : count.keys) {
    std::vector<std::string> ways = {"", Quoted(key.name)};
    if (!key.total.empty()) ways.push_back(absl::StrCat("'", key.total, "'"));
    std::vector<std::vector<std::string>> longer;
    for (const std::vector<std::string>& split : splits) {
      for (const std::string& way : ways) {
        longer.push_back(split);
        longer.back().push_back(way);
      }
    }
    splits = std::move(longer);
  }
  return splits;
}

// Adds the figures of one split of what the table `item` holds.
absl::Status Add(Databases& databases, const Count& count, const std::vector<std::string>& split,
                 const std::string& period, Figures& figures) {
  std::vector<std::string> columns = {"top"}, keys, filled;
  for (size_t i = 0; i < split.size(); ++i) {
    if (split[i].empty()) continue;
    keys.push_back(count.keys[i].name);
    columns.push_back(split[i]);
    filled.push_back(absl::StrCat(" AND ", split[i], " <> ''"));
  }
  const std::string columns_text = absl::StrJoin(columns, ", ");
  const std::string sql = absl::StrCat("SELECT ", columns_text, ", ", count.expression, ", ",
                                       count.divisor, " FROM item JOIN below USING (organization)",
                                       " WHERE item.day >= since AND item.day < until",
                                       absl::StrJoin(filled, ""), " GROUP BY ", columns_text);
  return databases.Run(sql, {}, [&](sqlite3_stmt* row) {
    const int value = static_cast<int>(columns.size());
    const int64_t part = sqlite3_column_int64(row, value);
    const int64_t whole = sqlite3_column_int64(row, value + 1);
    if (whole == 0) return;
    std::vector<std::string> pairs;
    for (size_t i = 0; i < keys.size(); ++i) {
      pairs.push_back(absl::StrCat(keys[i], "=", Text(row, static_cast<int>(i) + 1)));
    }
    figures[{count.measure, absl::StrJoin(pairs, ";"), period, Text(row, 0)}] =
        Rounded(part, whole, count.decimals);
  });
}

// Reads the first line of a measure; false when the section is no measure.
bool ParseCount(const std::string& section, Count& count) {
  static const std::regex& heading =
      *new std::regex("-- ([a-z_]+): (.+?)(?: per (.+?))?(?: to (\\d) decimals?)?(?: by (.+))?");
  std::smatch part;
  const std::string line = section.substr(0, section.find('\n'));
  if (!std::regex_match(line, part, heading)) return false;
  count.measure = part[1];
  count.expression = part[2];
  count.divisor = part[3].matched ? part[3].str() : "1";
  count.decimals = part[4].matched ? std::stoi(part[4]) : 0;
  if (part[5].matched) {
    for (const std::string& key : std::vector<std::string>(absl::StrSplit(part[5].str(), ", "))) {
      const std::pair<std::string, std::string> named = absl::StrSplit(key, " or ");
      count.keys.push_back({named.first, named.second});
    }
  }
  count.query = section;
  return true;
}

std::string ValueOr0(const Figures& figures, const FigureName& name) {
  const auto found = figures.find(name);
  return found == figures.end() ? "0" : found->second;
}

}  // namespace

absl::StatusOr<Oracle> ReadOracle(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  std::stringstream text;
  text << file.rdbuf();
  Oracle oracle;
  for (const std::string& section :
       std::vector<std::string>(absl::StrSplit(text.str(), "\n\n", absl::SkipWhitespace()))) {
    Count count;
    if (ParseCount(section, count)) {
      oracle.counts.push_back(std::move(count));
    } else if (oracle.counts.empty()) {
      oracle.views.push_back(section);
    } else {
      return absl::InvalidArgumentError(absl::StrCat("no measure: ", section));
    }
  }
  return oracle;
}

absl::StatusOr<Figures> Recount(const Oracle& oracle, const std::string& folder,
                                const std::vector<Days>& periods) {
  Databases databases;
  if (absl::Status opened = databases.Open(folder); !opened.ok()) return opened;
  for (const std::string& view : oracle.views) {
    if (absl::Status made = databases.Run(view); !made.ok()) return made;
  }
  Figures figures;
  for (const Days& days : periods) {
    for (const Count& count : oracle.counts) {
      absl::Status done =
          databases.Run(absl::StrCat("CREATE TEMP TABLE item AS ", count.query), days);
      for (const std::vector<std::string>& split : Splits(count)) {
        if (done.ok()) done = Add(databases, count, split, days.period, figures);
      }
      if (done.ok()) done = databases.Run("DROP TABLE item");
      if (!done.ok()) return done;
    }
  }
  return figures;
}

Figures ParseFigures(absl::string_view csv) {
  Figures figures;
  const std::vector<std::vector<std::string>> rows = ParseCsv(csv);
  for (size_t i = 1; i < rows.size(); ++i) {
    // measure,dimensions,period,organization,value,unit,records
    if (rows[i].size() < 5) continue;
    figures[{rows[i][0], rows[i][1], rows[i][2], rows[i][3]}] = rows[i][4];
  }
  return figures;
}

std::string Restricting(const Count& count, const std::string& dimensions) {
  std::vector<std::string> pairs;
  for (const std::string& pair :
       std::vector<std::string>(absl::StrSplit(dimensions, ';', absl::SkipEmpty()))) {
    const std::pair<std::string, std::string> named = absl::StrSplit(pair, absl::MaxSplits('=', 1));
    const auto restricts = [&](const Count::Key& key) {
      return key.name == named.first && key.total != named.second;
    };
    if (std::any_of(count.keys.begin(), count.keys.end(), restricts)) pairs.push_back(pair);
  }
  std::sort(pairs.begin(), pairs.end());
  return absl::StrJoin(pairs, ";");
}

std::string Rounded(int64_t part, int64_t whole, int decimals) {
  if (part < 0) {
    const std::string text = Rounded(-part, whole, decimals);
    return text == "0" ? text : absl::StrCat("-", text);
  }
  int64_t scale = 1;
  for (int i = 0; i < decimals; ++i) scale *= 10;
  const int64_t units = (2 * part * scale + whole) / (2 * whole);
  std::string text = absl::StrCat(units / scale);
  if (units % scale != 0) {
    const std::string fraction = absl::StrCat(units % scale);
    absl::StrAppend(&text, ".", std::string(decimals - fraction.size(), '0'), fraction);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text;
}

std::vector<std::string> Differences(const Figures& recounted, const Figures& answered) {
  Figures either = recounted;
  either.insert(answered.begin(), answered.end());
  std::vector<std::string> differences;
  for (const auto& [name, unused] : either) {
    const std::string ours = ValueOr0(recounted, name), theirs = ValueOr0(answered, name);
    if (ours == theirs) continue;
    differences.push_back(absl::StrCat(name.measure, name.dimensions.empty() ? "" : " ",
                                       name.dimensions, " of ", name.organization, " in ",
                                       name.period, ": recounted ", ours, ", answered ", theirs));
  }
  return differences;
}

}  // namespace gonghui::district
