// Where facts count for figures by another tree than that of their day, or along the second line.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/sql/sql.h"
#include "services/reports/basis.h"
#include "services/reports/coverage.h"
#include "services/reports/placements.h"
#include "services/reports/rollups.h"
#include "services/reports/successions.h"

namespace gonghui::reports {

// Cells say where facts count by the tree as it was. For another basis a figure is made of the
// owner's cells and a correction: the facts of those organisations that count differently for it
// are taken out and put in again. By one tree for all facts that costs what organisations cost that
// ever moved; along the second line, what those cost that are affiliated. Used within one
// transaction by one thread.
class Standpoint {
 public:
  // Without `all`: enough for the correction; with it: every organisation that has facts.
  static absl::StatusOr<Standpoint> Load(sql::Tx& tx, const std::string& tenant, const Basis& basis,
                                         bool all);

  // As it will stand when a planned change of the tree is done and its successions hold: with all
  // organisations that have facts. The basis has the tree of today; `planned` is as it will be.
  static absl::StatusOr<Standpoint> LoadPlanned(
      sql::Tx& tx, const std::string& tenant, const Basis& basis,
      std::shared_ptr<const tree::OrganizationTree> planned,
      const std::vector<common::v1::Succession>& successions);

  const Basis& basis() const { return basis_; }
  // The histories by which the cells are made, by organisation.
  const std::map<std::string, PathHistory>& placed() const { return placed_; }
  // Where facts of the organisation may count: itself and those after it.
  std::set<std::string> HoldersOf(const std::string& organization) const {
    return successions_.HoldersOf(organization);
  }
  // The history by which the cells of an organisation are or would be made.
  const PathHistory& Placed(const std::string& organization);
  // Organisations whose facts count differently for the owner than its cells say, by id.
  const std::vector<std::string>& Differing(const std::string& owner);
  // Whether any fact of the organisation may count for the owner.
  bool Reaches(const std::string& organization, const std::string& owner);

  // Reads what PathsOf needs to know of the organisation's persons. Not while rows are streamed.
  absl::Status Prepare(sql::Tx& tx, const std::string& organization) {
    return successions_.LoadPersons(tx, organization);
  }
  // By which paths the fact counts in the cells, and by which for the owner; empty paths while
  // its source does not count. Valid until the next call.
  const PathHistory& CellPaths(const StoredFact& fact);
  const PathHistory& PathsOf(const StoredFact& fact, const std::string& owner);

 private:
  Standpoint(std::string tenant, const Basis& basis)
      : basis_(basis), successions_(std::move(tenant), basis.date, basis.tree.get()) {}

  // Without regard to coverage and persons.
  const PathHistory& Standing(const std::string& organization, const std::string& owner);
  PathHistory AlongSecondLine(const PathHistory& primary, const std::string& owner) const;

  Basis basis_;
  std::map<std::string, PathHistory> placed_;
  Coverage coverage_;
  Successions successions_;
  std::map<std::pair<std::string, std::string>, PathHistory> standing_;
  std::map<std::string, std::vector<std::string>> differing_;
  PathHistory cell_room_;
  PathHistory room_;
};

}  // namespace gonghui::reports
