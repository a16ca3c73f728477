#include "services/membership/organization_versions.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "common/base/date.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::membership {
namespace {

#define ORGANIZATION_COLUMNS                                                  \
  "version_id, id, parent, display_name, kind, state, valid_from, valid_to, " \
  "recorded_from_us, recorded_to_us, union_type, industry, credit_code, "     \
  "employees, founded_on, "                                                   \
  "sequence, affiliated_to"

// The sum keeps both engines from looking for the largest sequence from the end of its own index.
constexpr sql::Query kAt{
    "membership.organizations_at",
    "SELECT " ORGANIZATION_COLUMNS
    ", (SELECT MAX(sequence + 0) FROM organization_versions w WHERE w.tenant=v.tenant AND "
    "w.id=v.id) FROM organization_versions v WHERE tenant=$1 AND id>=$2 AND id<=$3 AND "
    "valid_from<=$4 AND valid_to>$4 AND recorded_from_us<=$5 AND recorded_to_us>$5"};
constexpr sql::Query kAfter{"membership.organization_versions_after",
                            "SELECT " ORGANIZATION_COLUMNS
                            ", sequence FROM organization_versions WHERE tenant=$1 AND sequence>$2 "
                            "ORDER BY sequence LIMIT $3"};
constexpr sql::Query kBelieved{"membership.organization_believed",
                               "SELECT " ORGANIZATION_COLUMNS
                               ", sequence FROM organization_versions WHERE tenant=$1 AND id=$2 "
                               "AND recorded_to_us=$3 ORDER BY valid_from"};
constexpr sql::Query kChildren{"membership.organizations_below",
                               "SELECT DISTINCT id FROM organization_versions WHERE tenant=$1 AND "
                               "parent=$2 AND recorded_to_us=$3"};
constexpr sql::Query kHead{"membership.organization_head",
                           "SELECT sequence FROM organization_heads WHERE tenant=$1"};
// Recording times rise strictly, so that an answer "as known at" an instant
// never changes later.
constexpr sql::Query kTakeHead{
    "membership.take_organization_head",
    "UPDATE organization_heads SET recorded_us = CASE WHEN recorded_us >= $2 THEN recorded_us + 1 "
    "ELSE $2 END WHERE tenant=$1 RETURNING sequence, recorded_us"};
constexpr sql::Query kSetHead{"membership.set_organization_head",
                              "UPDATE organization_heads SET sequence=$2 WHERE tenant=$1"};
constexpr sql::Query kEnd{"membership.end_organization_version",
                          "UPDATE organization_versions SET recorded_to_us=$3, sequence=$4 WHERE "
                          "tenant=$1 AND version_id=$2"};
constexpr sql::Query kBegin{
    "membership.begin_organization_version",
    "INSERT INTO organization_versions (tenant, " ORGANIZATION_COLUMNS
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)"};

OrganizationRow ToRow(const sql::Rows::Row& row) {
  OrganizationRow result;
  result.version = {.version_id = row.Get<std::string>(0),
                    .id = row.Get<std::string>(1),
                    .parent = row.Get<std::string>(2),
                    .display_name = row.Get<std::string>(3),
                    .kind = row.Get<std::string>(4),
                    .state = row.Get<std::string>(5),
                    .valid_from = row.Get<std::string>(6),
                    .valid_to = row.Get<std::string>(7),
                    .recorded_from_us = row.Get<int64_t>(8),
                    .recorded_to_us = row.Get<int64_t>(9)};
  result.union_type = row.Get<std::string>(10);
  result.industry = row.Get<std::string>(11);
  result.credit_code = row.Get<std::string>(12);
  result.employees = row.Get<int64_t>(13);
  result.founded_on = row.Get<std::string>(14);
  result.sequence = row.Get<int64_t>(15);
  result.version.affiliated_to = row.Get<std::string>(16);
  result.latest = row.Get<int64_t>(17);
  return result;
}

absl::StatusOr<std::vector<OrganizationRow>> Read(sql::Tx& tx, const sql::Query& query,
                                                  sql::Args args) {
  ASSIGN_OR_RETURN(sql::Rows rows, tx.Run(query, std::move(args)));
  std::vector<OrganizationRow> result;
  result.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) result.push_back(ToRow(rows[i]));
  return result;
}

// The same statement once per element.
absl::StatusOr<std::vector<OrganizationRow>> ReadEach(sql::Tx& tx, const sql::Query& query,
                                                      absl::Span<const sql::Args> keys) {
  std::vector<OrganizationRow> result;
  RETURN_IF_ERROR(
      tx.ReadMany(query, keys, [&](const sql::Rows::Row& row) { result.push_back(ToRow(row)); }));
  return result;
}

// Whether both say the same of the same days.
bool SameContent(const OrganizationRow& a, const OrganizationRow& b) {
  const auto content = [](const OrganizationRow& row) {
    const tree::Version& v = row.version;
    return std::tie(v.parent, v.display_name, v.kind, v.state, v.affiliated_to, row.union_type,
                    row.industry, row.credit_code, row.employees, row.founded_on);
  };
  return content(a) == content(b);
}

bool SameRow(const OrganizationRow& a, const OrganizationRow& b) {
  return a.version.valid_from == b.version.valid_from && a.version.valid_to == b.version.valid_to &&
         SameContent(a, b);
}

// Lets a version begin on the day, if any reaches beyond it.
void SplitAt(Life& life, std::string_view day) {
  for (size_t i = 0; i < life.size(); ++i) {
    tree::Version& version = life[i].version;
    if (version.valid_from >= day || version.valid_to <= day) continue;
    OrganizationRow right = life[i];
    version.valid_to = right.version.valid_from = std::string(day);
    life.insert(life.begin() + static_cast<ptrdiff_t>(i) + 1, std::move(right));
    return;
  }
}

// Joins neighbours that say the same.
void Join(Life& life) {
  Life joined;
  for (OrganizationRow& row : life) {
    if (!joined.empty() && SameContent(joined.back(), row)) {
      joined.back().version.valid_to = row.version.valid_to;
    } else {
      joined.push_back(std::move(row));
    }
  }
  life = std::move(joined);
}

// Rows of `a` that `b` does not have.
std::vector<const OrganizationRow*> Missing(const Life& a, const Life& b) {
  std::vector<const OrganizationRow*> missing;
  for (const OrganizationRow& row : a) {
    if (std::none_of(b.begin(), b.end(), [&](const auto& other) { return SameRow(row, other); })) {
      missing.push_back(&row);
    }
  }
  return missing;
}

}  // namespace

absl::StatusOr<std::vector<OrganizationRow>> ReadOrganizations(sql::Tx& tx,
                                                               const std::string& federation,
                                                               absl::Span<const std::string> ids,
                                                               const std::string& valid_at,
                                                               int64_t known_at_us) {
  // recorded_to_us is exclusive, and kNow where there is no end yet.
  const int64_t known_at = std::min(known_at_us, tree::kNow - 1);
  constexpr size_t kFew = 200;  // Below, look-ups cost less than a walk over all between.
  if (ids.size() > kFew) {
    const auto [first, last] = std::minmax_element(ids.begin(), ids.end());
    return Read(tx, kAt, {federation, *first, *last, valid_at, known_at});
  }
  std::vector<sql::Args> keys;
  for (const std::string& id : ids) keys.push_back({federation, id, id, valid_at, known_at});
  return ReadEach(tx, kAt, keys);
}

absl::StatusOr<Life> ReadBelieved(sql::Tx& tx, const std::string& federation,
                                  const std::string& id) {
  return Read(tx, kBelieved, {federation, id, tree::kNow});
}

absl::StatusOr<std::map<std::string, Life>> ReadLives(sql::Tx& tx, const std::string& federation,
                                                      const std::set<std::string>& ids) {
  std::vector<sql::Args> keys;
  for (const std::string& id : ids) keys.push_back({federation, id, tree::kNow});
  ASSIGN_OR_RETURN(std::vector<OrganizationRow> rows, ReadEach(tx, kBelieved, keys));
  std::map<std::string, Life> lives;
  for (OrganizationRow& row : rows) lives[row.version.id].push_back(std::move(row));
  return lives;
}

absl::StatusOr<std::vector<OrganizationRow>> ReadVersionsAfter(sql::Tx& tx,
                                                               const std::string& federation,
                                                               int64_t sequence, int64_t limit) {
  return Read(tx, kAfter, {federation, sequence, limit});
}

absl::StatusOr<int64_t> ReadVersionHead(sql::Tx& tx, const std::string& federation) {
  ASSIGN_OR_RETURN(sql::Rows rows, tx.Run(kHead, {federation}));
  return rows.empty() ? 0 : rows[0].Get<int64_t>(0);
}

const OrganizationRow* At(const Life& life, std::string_view day) {
  for (const OrganizationRow& row : life) {
    if (row.version.valid_from <= day && day < row.version.valid_to) return &row;
  }
  return nullptr;
}

int64_t LatestOf(const Life& life) {
  int64_t latest = 0;
  for (const OrganizationRow& row : life) latest = std::max(latest, row.sequence);
  return latest;
}

std::string ClosedOn(const Life& life) {
  std::string closed_on;
  for (const OrganizationRow& row : life) {
    if (row.version.state == "open") {
      closed_on.clear();
    } else if (closed_on.empty()) {
      closed_on = row.version.valid_from;
    }
  }
  return closed_on;
}

void AddEmployees(Life& life, int64_t employees, std::string_view from) {
  SplitAt(life, from);
  for (OrganizationRow& row : life) {
    if (row.version.valid_from >= from) row.employees += employees;
  }
  Join(life);
}

void Assign(Life& life, Attribute attribute, std::string_view value, std::string_view from,
            std::string_view to) {
  SplitAt(life, from);
  SplitAt(life, to);
  for (OrganizationRow& row : life) {
    if (row.version.valid_from >= from && row.version.valid_to <= to) {
      row.version.*attribute = std::string(value);
    }
  }
  Join(life);
}

std::string Change(Life& life, Attribute attribute, std::string_view value, std::string_view from) {
  const OrganizationRow* first = At(life, from);
  if (first == nullptr || first->version.*attribute == value) return "";
  const std::string before = first->version.*attribute;
  std::string until;
  for (const OrganizationRow& row : life) {
    if (row.version.valid_to <= from) continue;
    if (row.version.*attribute != before) break;
    until = row.version.valid_to;
  }
  Assign(life, attribute, value, from, until);
  return until;
}

void Refound(Life& life, const std::string& founded_on) {
  std::erase_if(life, [&](const auto& row) { return row.version.valid_to <= founded_on; });
  if (!life.empty()) life.front().version.valid_from = founded_on;
  for (OrganizationRow& row : life) row.founded_on = founded_on;
}

absl::StatusOr<TreeWrite> TreeWrite::Begin(sql::Tx& tx, std::string federation, int64_t now_us) {
  ASSIGN_OR_RETURN(sql::Rows rows, tx.Run(kTakeHead, {federation, now_us}));
  if (rows.empty()) {
    return NotFound(common::v1::REASON_NOT_FOUND,
                    StrCat("there is no federation '", federation, "'; create it first"),
                    StrCat("没有联合会“", federation, "”，请先创建"))
        .With("federation", federation)
        .At("parent");
  }
  TreeWrite write(tx, std::move(federation));
  write.sequence_ = rows[0].Get<int64_t>(0);
  write.recorded_us_ = rows[0].Get<int64_t>(1);
  return write;
}

absl::StatusOr<const Life*> TreeWrite::Believed(const std::string& id) {
  auto found = known_.find(id);
  if (found == known_.end()) {
    ASSIGN_OR_RETURN(Life life, ReadBelieved(tx_, federation_, id));
    found = known_.emplace(id, Known{life, life}).first;
  }
  return &found->second.now;
}

absl::StatusOr<std::set<std::string>> TreeWrite::Children(const std::string& id) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx_.Run(kChildren, {federation_, id, tree::kNow}));
  std::set<std::string> children;
  for (size_t i = 0; i < rows.size(); ++i) children.insert(rows[i].Get<std::string>(0));
  for (const auto& [child, known] : known_) {
    if (!known.touched) continue;
    const bool below = std::any_of(known.now.begin(), known.now.end(),
                                   [&](const auto& row) { return row.version.parent == id; });
    below ? (void)children.insert(child) : (void)children.erase(child);
  }
  return children;
}

absl::StatusOr<std::string> TreeWrite::Root() {
  ASSIGN_OR_RETURN(const std::set<std::string> roots, Children(""));
  return roots.empty() ? "" : *roots.begin();
}

void TreeWrite::Put(const std::string& id, Life life) {
  Known& known = known_[id];
  known.touched = true;
  journal_.emplace_back(id, std::exchange(known.now, std::move(life)));
}

void TreeWrite::TakeBack(size_t mark) {
  for (; journal_.size() > mark; journal_.pop_back()) {
    known_[journal_.back().first].now = std::move(journal_.back().second);
  }
}

std::vector<TreeWrite::Difference> TreeWrite::Differences() const {
  std::vector<Difference> differences;
  for (const auto& [id, known] : known_) {
    if (!known.touched) continue;
    Difference difference{id, &known.before, &known.now, Missing(known.before, known.now),
                          Missing(known.now, known.before)};
    if (difference.ended.empty() && difference.begun.empty()) continue;
    differences.push_back(std::move(difference));
  }
  return differences;
}

absl::Status TreeWrite::Finish() {
  std::vector<sql::Args> ended;
  std::vector<sql::Args> begun;
  for (auto& [id, known] : known_) {
    if (!known.touched) continue;
    for (const OrganizationRow* row : Missing(known.before, known.now)) {
      ended.push_back({federation_, row->version.version_id, recorded_us_, ++sequence_});
    }
    for (OrganizationRow& row : known.now) {
      tree::Version& v = row.version;
      const auto kept = std::find_if(known.before.begin(), known.before.end(),
                                     [&](const auto& old) { return SameRow(row, old); });
      if (kept != known.before.end()) {
        row = *kept;
        continue;
      }
      v.version_id = NewId(absl::FromUnixMicros(recorded_us_));
      v.recorded_from_us = recorded_us_;
      v.recorded_to_us = tree::kNow;
      row.sequence = ++sequence_;
      begun.push_back({federation_, v.version_id, v.id, v.parent, v.display_name, v.kind, v.state,
                       v.valid_from, v.valid_to, v.recorded_from_us, v.recorded_to_us,
                       row.union_type, row.industry, row.credit_code, row.employees, row.founded_on,
                       row.sequence, v.affiliated_to});
    }
    const int64_t latest = LatestOf(known.now);
    for (OrganizationRow& row : known.now) row.latest = latest;
  }
  RETURN_IF_ERROR(tx_.RunMany(kEnd, ended).status());
  RETURN_IF_ERROR(tx_.RunMany(kBegin, begun).status());
  return tx_.Run(kSetHead, {federation_, sequence_}).status();
}

}  // namespace gonghui::membership
