// Persons who went with a part of a split organisation, and what of the old facts goes with them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/sql/sql.h"
#include "common/tree/organization_tree.h"
#include "gonghui/common/v1/fact.pb.h"
#include "services/reports/rollups.h"

namespace gonghui::reports {

// Stores them, or takes back those withdrawn, in order.
absl::Status StoreSuccessions(
    sql::Tx& tx, const std::string& tenant,
    const google::protobuf::RepeatedPtrField<common::v1::Succession>& successions);

// The successions in force on a day, of the organisations they are loaded for.
class Successions {
 public:
  Successions() = default;
  // `tree` outlives it; nullptr where no organisation was ever closed.
  Successions(std::string tenant, std::string date, const tree::OrganizationTree* tree)
      : tenant_(std::move(tenant)), date_(std::move(date)), tree_(tree) {}

  // Which organisations have successors at all, and whom.
  absl::Status LoadGraph(sql::Tx& tx);
  // Adds one that is not stored: what would be.
  void Apply(const common::v1::Succession& succession);

  // Where facts of the organisation may count: itself and all that come after it.
  std::set<std::string> HoldersOf(const std::string& organization) const;
  // Reads the persons of the organisation and all that come after it; do so before Holder.
  absl::Status LoadPersons(sql::Tx& tx, const std::string& organization);
  // Where the fact counts: the last successor of its person, else its own organisation. A fact
  // that happened after the organisation was opened again stays there.
  const std::string& HolderOf(const StoredFact& fact) const;
  bool empty() const { return graph_.empty(); }

 private:
  struct Step {
    std::string on_date;
    std::string successor;
    auto operator<=>(const Step&) const = default;
  };
  // By subject ("s" and the subject) or record ("r" and the name).
  using Persons = std::map<std::string, std::set<Step>, std::less<>>;

  void Add(const std::string& organization, const std::string& subject, const std::string& record,
           const Step& step);
  const Step* Next(const std::string& organization, const StoredFact& fact,
                   std::string_view from) const;
  bool ReopenedBy(const std::string& organization, const std::string& closed_on,
                  const std::string& date) const;

  std::string tenant_;
  std::string date_;
  const tree::OrganizationTree* tree_ = nullptr;
  std::map<std::string, std::set<std::string>, std::less<>> graph_;
  std::map<std::string, Persons, std::less<>> persons_;
  std::set<std::string> loaded_;
};

}  // namespace gonghui::reports
