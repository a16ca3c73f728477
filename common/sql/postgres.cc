#include "common/sql/engine.h"
namespace gonghui::sql {
absl::StatusOr<std::unique_ptr<Database>> OpenPostgres(const Database::Options& options) {
  return DatabaseAway();
}
}  // namespace gonghui::sql
