// How a figure came about: formula, cells by organisation, records.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "common/tree/tree_cache.h"
#include "gonghui/reports/v1/report.pb.h"
#include "services/reports/figures.h"

namespace gonghui::reports {

// How the figure is computed, in Chinese and English.
std::string FormulaOf(const FigureName& name);

// Thread-safe. Works from the facts, not from the cells: what it shows must add up to the figure.
class Explanations {
 public:
  struct Options {
    sql::Database* db = nullptr;
    const Measures* measures = nullptr;
    tree::TreeCache* tree = nullptr;
    FreshnessOf freshness;
  };
  explicit Explanations(Options options) : options_(std::move(options)) {}

  // Cells come with the first page only. A ratio has parts instead of cells and records; explain
  // those by their names.
  absl::StatusOr<v1::ExplainFigureResponse> Explain(rpc::Call& call,
                                                    const v1::ExplainFigureRequest& request);

 private:
  const Options options_;
};

}  // namespace gonghui::reports
