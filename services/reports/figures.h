// Figures: ListMeasures and QueryFigures.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "common/tree/tree_cache.h"
#include "gonghui/reports/v1/report.pb.h"
#include "services/reports/evaluation.h"
#include "services/reports/measures.h"

namespace gonghui::reports {

// How far each source has been followed for a federation.
using FreshnessOf = std::function<std::vector<v1::Freshness>(const std::string& federation)>;
// As the caller may know it: who may not see the whole federation learns only how many events
// reports is behind, not how many there are.
void AddFreshness(const rpc::Call& call, const FreshnessOf& freshness,
                  google::protobuf::RepeatedPtrField<v1::Freshness>& to);

// A parsed Figure.name.
struct FigureName {
  FigureScope scope;
  const v1::Measure* measure = nullptr;
  DimensionFilter filter;  // Without split.
};
// The basis is not resolved. Errors at `name`: FIELD_INVALID, MEASURE_UNKNOWN, PERIOD_INVALID,
// DIMENSION_UNKNOWN, NOT_ADDITIVE.
absl::StatusOr<FigureName> ParseFigureName(const Measures& measures, std::string_view name);

// Errors: NOT_FOUND at `organization`.
absl::Status CheckOrganization(const tree::TreeCache& tree, const std::string& federation,
                               const std::string& organization);

// Thread-safe.
class Figures {
 public:
  struct Options {
    sql::Database* db = nullptr;
    const Measures* measures = nullptr;
    tree::TreeCache* tree = nullptr;
    FreshnessOf freshness;
  };
  explicit Figures(Options options) : options_(std::move(options)) {}

  absl::StatusOr<v1::ListMeasuresResponse> ListMeasures(rpc::Call& call,
                                                        const v1::ListMeasuresRequest& request);
  absl::StatusOr<v1::QueryFiguresResponse> Query(rpc::Call& call,
                                                 const v1::QueryFiguresRequest& request);
  absl::StatusOr<v1::GetFreshnessResponse> GetFreshness(rpc::Call& call,
                                                        const v1::GetFreshnessRequest& request);

 private:
  // A measure as the request asks for it.
  struct Asked {
    const v1::Measure* measure;
    DimensionFilter filter;
    bool named;  // By the request: answered also without facts.
  };
  absl::StatusOr<std::vector<Asked>> Resolve(const v1::QueryFiguresRequest& request,
                                             const Period& period) const;
  absl::StatusOr<std::vector<std::string>> Organizations(rpc::Call& call,
                                                         const v1::QueryFiguresRequest& request,
                                                         const std::string& day) const;

  const Options options_;
};

}  // namespace gonghui::reports
