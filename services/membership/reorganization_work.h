// One reorganisation within one transaction: its steps, what they do, and
// writing it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/catalog/catalog.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "gonghui/feed/v1/feed.pb.h"
#include "services/membership/reorganization_rows.h"
#include "services/membership/reorganization_steps.h"

namespace gonghui::membership {

class ReorganizationWork {
 public:
  // Members with the versions that were written.
  using MemberVersions = std::vector<std::pair<std::string, int64_t>>;

  // Takes the federation's head row: writers of the tree follow one another.
  static absl::StatusOr<std::unique_ptr<ReorganizationWork>> Begin(sql::Tx& tx,
                                                                   const rpc::Call& call,
                                                                   const catalog::Catalog& catalog);

  // Takes the steps in their order. One error tells all their faults.
  absl::Status Take(const google::protobuf::RepeatedPtrField<v1::ReorganizationStep>& steps);
  absl::Status Take(const v1::ReorganizationStep& step, const StepPath& at);

  // What the steps do, in an order that depends on them alone.
  absl::StatusOr<std::vector<EffectRow>> Effects();
  // A new reorganisation with these steps: counts, organisations and versions
  // filled in.
  ReorganizationRow Describe(v1::Reorganization content, absl::Span<const EffectRow> effects) const;

  // Keeps the new reorganisation as a plan.
  absl::Status Keep(ReorganizationRow& row, absl::Span<const EffectRow> effects);
  // Writes what the steps do and keeps the reorganisation (new or planned) as
  // applied; appends the event last.
  absl::Status CarryOut(ReorganizationRow& row, std::vector<EffectRow> effects);
  // Takes an applied reorganisation back. REVERT_BLOCKED names what changed
  // since.
  absl::Status Revert(ReorganizationRow& row);

  TreeWrite& tree() { return tree_; }
  const MemberVersions& written() const { return written_; }

 private:
  ReorganizationWork(sql::Tx& tx, const rpc::Call& call, const catalog::Catalog& catalog,
                     TreeWrite tree);
  absl::Status AddOrganizations(std::vector<EffectRow>& effects);
  absl::Status RestoreTree(const std::vector<EffectRow>& effects,
                           std::vector<std::string>& changed);
  absl::Status CheckRestored(const std::vector<EffectRow>& effects);
  absl::Status CheckUnfounded(const std::vector<EffectRow>& effects);
  absl::Status WriteParts();
  absl::Status Announce(const ReorganizationRow& row, std::string_view type,
                        const std::vector<EffectRow>& effects,
                        const std::vector<EffectRow>& withdrawn);

  sql::Tx& tx_;
  const rpc::Call& call_;
  const catalog::Catalog& catalog_;
  TreeWrite tree_;
  MemberMoves members_;
  TermsOfOffice terms_;
  Reorganizing work_;
  MemberVersions written_;
};

}  // namespace gonghui::membership
