// Reorganisations as they lie in the database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/sql/sql.h"
#include "gonghui/membership/v1/reorganization.pb.h"
#include "services/membership/reorganization_steps.h"

namespace gonghui::membership {

using Effects = v1::ListReorganizationEffectsResponse;

struct ReorganizationRow {
  std::string id;
  int64_t version = 0;         // 0: not kept yet.
  v1::Reorganization content;  // Without name and etag.
  Effects tree;                // Versions ended and begun.
};

// What kind of thing an effect is about.
inline constexpr std::string_view kOrganization = "organization";
inline constexpr std::string_view kReference = "reference";  // Named, not changed.
inline constexpr std::string_view kMember = "member";
inline constexpr std::string_view kRegister = "register";

// What a reorganisation is about, and what it does to it.
struct EffectRow {
  std::string subject;
  std::string id;
  int64_t seen = 0;       // Version that is changed.
  Effects part;           // Facts and successions.
  std::string undo = {};  // What it was before and after, as JSON.
};

// Empty for REORGANIZATION_STATE_UNSPECIFIED.
std::string StateText(v1::ReorganizationState state);
std::string ReorganizationName(std::string_view federation, std::string_view id);
v1::Reorganization View(const ReorganizationRow& row, std::string_view federation);

absl::Status InsertReorganization(sql::Tx& tx, const std::string& federation,
                                  const ReorganizationRow& row);
// Writes the row at its version; CONFLICT unless the version before is there.
absl::Status UpdateReorganization(sql::Tx& tx, const std::string& federation,
                                  const ReorganizationRow& row);
absl::StatusOr<std::optional<ReorganizationRow>> FindReorganization(sql::Tx& tx,
                                                                    const std::string& federation,
                                                                    const std::string& id);
// Newest first, below the id `before` (empty: all). Empty organisation or
// state: any.
absl::StatusOr<std::vector<ReorganizationRow>> ListReorganizations(
    sql::Tx& tx, const std::string& federation, const std::string& organization,
    const std::string& state, const std::string& before, int64_t limit);

// Replaces the effects of the reorganisation.
absl::Status WriteEffects(sql::Tx& tx, const std::string& federation, const std::string& id,
                          absl::Span<const EffectRow> effects);
// In order, after the first `skip`.
absl::StatusOr<std::vector<EffectRow>> ReadEffects(sql::Tx& tx, const std::string& federation,
                                                   const std::string& id, int64_t skip,
                                                   int64_t limit);

absl::Status InsertSuccessors(sql::Tx& tx, const std::string& federation, const std::string& id,
                              absl::Span<const Successor> successors, int64_t recorded_us);
// Ends the belief in them.
absl::Status EndSuccessors(sql::Tx& tx, const std::string& federation, const std::string& id,
                           int64_t recorded_us);
// Those of the organisations that held on `valid_at` as known at `known_at_us`.
absl::StatusOr<std::vector<Successor>> ReadSuccessors(sql::Tx& tx, const std::string& federation,
                                                      absl::Span<const std::string> organizations,
                                                      const std::string& valid_at,
                                                      int64_t known_at_us);

}  // namespace gonghui::membership
