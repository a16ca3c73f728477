#include "services/membership/organization_versions.h"

#include <algorithm>
#include <utility>

#include "common/base/date.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::membership {
namespace {

#define ORGANIZATION_COLUMNS                                                                     \
  "version_id, id, parent, display_name, kind, state, valid_from, valid_to, "                    \
  "recorded_from_us, recorded_to_us, union_type, industry, credit_code, employees, founded_on, " \
  "sequence"

constexpr sql::Query kAt{
    "membership.organizations_at",
    "SELECT " ORGANIZATION_COLUMNS
    ", (SELECT MAX(sequence) FROM organization_versions w WHERE w.tenant=v.tenant AND w.id=v.id) "
    "FROM organization_versions v WHERE tenant=$1 AND id>=$2 AND id<=$3 AND valid_from<=$4 AND "
    "valid_to>$4 AND recorded_from_us<=$5 AND recorded_to_us>$5 ORDER BY id"};
constexpr sql::Query kAfter{"membership.organization_versions_after",
                            "SELECT " ORGANIZATION_COLUMNS
                            ", sequence FROM organization_versions "
                            "WHERE tenant=$1 AND sequence>$2 ORDER BY sequence LIMIT $3"};
constexpr sql::Query kBelieved{
    "membership.organization_believed",
    "SELECT " ORGANIZATION_COLUMNS
    ", sequence FROM organization_versions "
    "WHERE tenant=$1 AND id=$2 AND recorded_to_us=$3 ORDER BY valid_from"};
constexpr sql::Query kAllBelieved{"membership.organizations_believed",
                                  "SELECT " ORGANIZATION_COLUMNS
                                  ", sequence FROM organization_versions "
                                  "WHERE tenant=$1 AND recorded_to_us=$2"};
constexpr sql::Query kRoot{"membership.organization_root",
                           "SELECT id FROM organization_versions "
                           "WHERE tenant=$1 AND parent='' AND recorded_to_us=$2 LIMIT 1"};
constexpr sql::Query kHead{"membership.organization_head",
                           "SELECT sequence FROM organization_heads WHERE tenant=$1"};
// Recording times rise strictly, so that an answer "as known at" an instant never changes later.
constexpr sql::Query kTakeHead{
    "membership.take_organization_head",
    "UPDATE organization_heads SET recorded_us = CASE WHEN recorded_us >= $2 THEN recorded_us + 1 "
    "ELSE $2 END WHERE tenant=$1 RETURNING sequence, recorded_us"};
constexpr sql::Query kSetHead{"membership.set_organization_head",
                              "UPDATE organization_heads SET sequence=$2 WHERE tenant=$1"};
constexpr sql::Query kEnd{"membership.end_organization_version",
                          "UPDATE organization_versions SET recorded_to_us=$3, sequence=$4 "
                          "WHERE tenant=$1 AND version_id=$2"};
constexpr sql::Query kBegin{
    "membership.begin_organization_version",
    "INSERT INTO organization_versions (tenant, " ORGANIZATION_COLUMNS
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"};

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
  result.latest = row.Get<int64_t>(16);
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

}  // namespace

absl::StatusOr<std::vector<OrganizationRow>> ReadOrganizations(
    sql::Tx& tx, const std::string& federation, const std::string& first, const std::string& last,
    const std::string& valid_at, int64_t known_at_us) {
  // recorded_to_us is exclusive, and kNow where there is no end yet.
  return Read(tx, kAt, {federation, first, last, valid_at, std::min(known_at_us, tree::kNow - 1)});
}

absl::StatusOr<std::vector<OrganizationRow>> ReadBelieved(sql::Tx& tx,
                                                          const std::string& federation,
                                                          const std::string& id) {
  return Read(tx, kBelieved, {federation, id, tree::kNow});
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

std::string ClosedOn(const std::vector<OrganizationRow>& believed) {
  for (const OrganizationRow& row : believed) {
    if (row.version.state == "closed") return row.version.valid_from;
  }
  return "";
}

Revision Revise(const std::vector<OrganizationRow>& believed, std::string tree::Version::*attribute,
                std::string_view value, std::string_view from) {
  Revision revision;
  const std::string* before = nullptr;
  for (const OrganizationRow& row : believed) {
    if (row.version.valid_to <= from) continue;
    if (before == nullptr) before = &(row.version.*attribute);
    if (row.version.*attribute != *before || *before == value) break;
    OrganizationRow right = row;
    right.version.*attribute = std::string(value);
    if (row.version.valid_from < from) {
      OrganizationRow left = row;
      left.version.valid_to = std::string(from);
      right.version.valid_from = std::string(from);
      revision.begun.push_back(std::move(left));
    }
    revision.until = right.version.valid_to;
    revision.ended.push_back(row);
    revision.begun.push_back(std::move(right));
  }
  return revision;
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

absl::StatusOr<std::vector<OrganizationRow>> TreeWrite::Believed(const std::string& id) {
  auto known = believed_.find(id);
  if (known == believed_.end()) {
    ASSIGN_OR_RETURN(std::vector<OrganizationRow> rows, ReadBelieved(tx_, federation_, id));
    known = believed_.emplace(id, std::move(rows)).first;
  }
  return known->second;
}

absl::StatusOr<tree::OrganizationTree> TreeWrite::Tree() {
  tree::OrganizationTree tree;
  RETURN_IF_ERROR(tx_.Stream(kAllBelieved, {federation_, tree::kNow},
                             [&](const sql::Rows::Row& row) -> absl::Status {
                               tree.Apply(ToRow(row).version);
                               return absl::OkStatus();
                             }));
  return tree;
}

absl::StatusOr<std::string> TreeWrite::Root() {
  if (root_.empty()) {
    ASSIGN_OR_RETURN(sql::Rows rows, tx_.Run(kRoot, {federation_, tree::kNow}));
    if (!rows.empty()) root_ = rows[0].Get<std::string>(0);
  }
  return root_;
}

void TreeWrite::Found(OrganizationRow row) {
  row.version.state = "open";
  row.version.valid_from = row.founded_on;
  row.version.valid_to = kForever;
  if (row.version.parent.empty()) root_ = row.version.id;
  Record(std::move(row));
}

int64_t TreeWrite::Apply(const std::string& id, Revision revision) {
  std::vector<OrganizationRow>& believed = believed_[id];
  for (const OrganizationRow& row : revision.ended) {
    ended_.push_back({federation_, row.version.version_id, recorded_us_, ++sequence_});
    std::erase_if(believed, [&](const OrganizationRow& known) {
      return known.version.version_id == row.version.version_id;
    });
  }
  for (OrganizationRow& row : revision.begun) Record(std::move(row));
  std::sort(believed.begin(), believed.end(),
            [](const OrganizationRow& a, const OrganizationRow& b) {
              return a.version.valid_from < b.version.valid_from;
            });
  return sequence_;
}

void TreeWrite::Record(OrganizationRow row) {
  tree::Version& version = row.version;
  version.version_id = NewId(absl::FromUnixMicros(recorded_us_));
  version.recorded_from_us = recorded_us_;
  version.recorded_to_us = tree::kNow;
  row.sequence = row.latest = ++sequence_;
  begun_.push_back({federation_, version.version_id, version.id, version.parent,
                    version.display_name, version.kind, version.state, version.valid_from,
                    version.valid_to, version.recorded_from_us, version.recorded_to_us,
                    row.union_type, row.industry, row.credit_code, row.employees, row.founded_on,
                    row.sequence});
  believed_[version.id].push_back(std::move(row));
}

absl::Status TreeWrite::Finish() {
  RETURN_IF_ERROR(tx_.RunMany(kEnd, ended_).status());
  RETURN_IF_ERROR(tx_.RunMany(kBegin, begun_).status());
  return tx_.Run(kSetHead, {federation_, sequence_}).status();
}

}  // namespace gonghui::membership
