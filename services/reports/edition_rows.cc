#include "services/reports/edition_rows.h"

#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/update.h"

namespace gonghui::reports {
namespace {

#define OF_EDITION "tenant=$1 AND organization=$2 AND period=$3 AND basis=$4 AND number=$5"
constexpr sql::Query kGet{"reports.get_edition", "SELECT edition FROM editions WHERE " OF_EDITION};
constexpr sql::Query kGetDefinitions{"reports.get_edition_definitions",
                                     "SELECT definitions FROM editions WHERE " OF_EDITION};
constexpr sql::Query kListOfPeriod{
    "reports.list_editions_of_period",
    "SELECT number, edition FROM editions WHERE tenant=$1 AND organization=$2 AND period=$3 AND "
    "basis=$4 ORDER BY number DESC"};
constexpr sql::Query kListParts{"reports.list_edition_parts",
                                "SELECT content FROM edition_parts WHERE " OF_EDITION
                                " ORDER BY part"};
#undef OF_EDITION

}  // namespace

sql::Args EditionId::KeyAnd(std::initializer_list<sql::Value> more) const {
  sql::Args args = Key();
  args.insert(args.end(), more);
  return args;
}

std::string EditionId::Name() const {
  return StrCat("federations/", tenant, "/organizations/", organization, "/editions/", period,
                basis.empty() ? "" : "@", basis, ".", number);
}

absl::Status NoEdition(std::string_view name, std::string_view field) {
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no edition '", name, "': ListEditions shows the known ones"),
                  StrCat("没有版本“", name, "”：请用 ListEditions 查看"))
      .At(std::string(field));
}

absl::StatusOr<EditionId> ParseEdition(std::string_view name, std::string_view field) {
  const std::vector<std::string_view> parts = Split(name, '/');
  if (parts.size() != 6 || parts[0] != "federations" || parts[2] != "organizations" ||
      parts[4] != "editions") {
    return NoEdition(name, field);
  }
  const std::string_view leaf = parts[5];
  const size_t dot = leaf.rfind('.');
  EditionId id{.tenant = std::string(parts[1]), .organization = std::string(parts[3])};
  if (dot == std::string_view::npos || !ParseInteger(leaf.substr(dot + 1), &id.number)) {
    return NoEdition(name, field);
  }
  const std::string_view period = leaf.substr(0, dot);
  const size_t at = period.find('@');
  id.period = period.substr(0, at);
  if (at != std::string_view::npos) id.basis = period.substr(at + 1);
  return id;
}

v1::Edition ReadEditionRow(const EditionId& id, const std::string& bytes) {
  v1::Edition edition;
  edition.ParseFromString(bytes);
  edition.set_name(id.Name());
  edition.set_etag(rpc::MakeEtag(edition.state()));
  return edition;
}

absl::StatusOr<v1::Edition> LoadEdition(sql::Tx& tx, const EditionId& id) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kGet, id.Key()));
  if (rows.empty()) return NoEdition(id.Name());
  return ReadEditionRow(id, rows[0].Get<sql::Bytes>(0).data);
}

absl::StatusOr<std::vector<v1::Edition>> EditionsOfPeriod(sql::Tx& tx, const EditionId& id) {
  ASSIGN_OR_RETURN(const sql::Rows rows,
                   tx.Run(kListOfPeriod, {id.tenant, id.organization, id.period, id.basis}));
  std::vector<v1::Edition> editions;
  EditionId one = id;
  for (size_t i = 0; i < rows.size(); ++i) {
    one.number = rows[i].Get<int64_t>(0);
    editions.push_back(ReadEditionRow(one, rows[i].Get<sql::Bytes>(1).data));
  }
  return editions;
}

absl::StatusOr<v1::MeasureCatalog> ReadEditionDefinitions(sql::Tx& tx, const EditionId& id) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kGetDefinitions, id.Key()));
  if (rows.empty()) return NoEdition(id.Name());
  v1::MeasureCatalog definitions;
  definitions.ParseFromString(rows[0].Get<sql::Bytes>(0).data);
  return definitions;
}

absl::StatusOr<EditionFigures> ReadEditionFigures(sql::Tx& tx, const EditionId& id,
                                                  std::string_view only) {
  EditionReader reader(only);
  RETURN_IF_ERROR(tx.Stream(kListParts, id.Key(), [&](const sql::Rows::Row& row) {
    return reader.Add(row.Get<sql::Bytes>(0).data);
  }));
  return std::move(reader).Figures();
}

}  // namespace gonghui::reports
