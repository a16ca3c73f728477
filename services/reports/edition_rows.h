// Editions as they are stored: names, rows, and what a frozen edition holds.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/sql/sql.h"
#include "gonghui/reports/v1/edition.pb.h"
#include "services/reports/edition_content.h"

namespace gonghui::reports {

// The name of an edition, in parts. An edition that is not yet written has the number 0.
struct EditionId {
  std::string tenant;
  std::string organization;
  std::string period = {};
  std::string basis = {};
  int64_t number = 0;

  sql::Args Key() const { return {tenant, organization, period, basis, number}; }
  sql::Args KeyAnd(std::initializer_list<sql::Value> more) const;
  std::string Name() const;
};

// NOT_FOUND at `field`, also for a name of another form.
absl::StatusOr<EditionId> ParseEdition(std::string_view name, std::string_view field = "name");
absl::Status NoEdition(std::string_view name, std::string_view field = "name");

// With name and etag.
v1::Edition ReadEditionRow(const EditionId& id, const std::string& bytes);
// NOT_FOUND at `name`.
absl::StatusOr<v1::Edition> LoadEdition(sql::Tx& tx, const EditionId& id);
// Those of the same organisation, period and basis, newest first.
absl::StatusOr<std::vector<v1::Edition>> EditionsOfPeriod(sql::Tx& tx, const EditionId& id);
// The measures by which an edition was made.
absl::StatusOr<v1::MeasureCatalog> ReadEditionDefinitions(sql::Tx& tx, const EditionId& id);
// What an edition holds of one organisation; of all where `only` is empty.
absl::StatusOr<EditionFigures> ReadEditionFigures(sql::Tx& tx, const EditionId& id,
                                                  std::string_view only = "");

}  // namespace gonghui::reports
