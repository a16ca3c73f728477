// The operations of SummaryService.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "common/tree/tree_cache.h"
#include "services/reports/dimension_labels.h"
#include "services/reports/figure_reader.h"
#include "services/reports/figures.h"
#include "services/reports/frozen_figures.h"
#include "services/reports/summary_check.h"
#include "services/reports/summary_composer.h"
#include "services/reports/summary_items.h"

namespace gonghui::reports {

// Thread-safe.
class WorkSummaries {
 public:
  struct Options {
    sql::Database* db = nullptr;
    const Measures* measures = nullptr;
    const SummaryForms* forms = nullptr;
    tree::TreeCache* tree = nullptr;
    const rpc::Client* activities = nullptr;  // Keeps the plan items.
    // Who tells of the kinds of records: full name of a service -> its client.
    std::map<std::string, const rpc::Client*> kinds;
  };
  explicit WorkSummaries(Options options)
      : options_(options), wording_(options.forms->catalog()), items_(options.activities) {}

  absl::StatusOr<v1::ListSummaryTemplatesResponse> ListTemplates(
      rpc::Call& call, const v1::ListSummaryTemplatesRequest& request);
  absl::StatusOr<v1::GenerateSummaryResponse> Generate(rpc::Call& call,
                                                       const v1::GenerateSummaryRequest& request);
  absl::StatusOr<v1::CheckSummaryResponse> Check(rpc::Call& call,
                                                 const v1::CheckSummaryRequest& request);

 private:
  absl::StatusOr<SummaryComposer::Frame> FrameOf(const rpc::Call& call,
                                                 const v1::GenerateSummaryRequest& request,
                                                 const Period& period, std::string* kind) const;
  // Reads the items that the form asks for; what the caller may not read is noted.
  absl::Status ReadItems(const rpc::Call& call, const SummaryForm& form,
                         const std::string& organization, const Period& period,
                         SummaryComposer::Source& source, v1::GenerateSummaryResponse& response);
  absl::StatusOr<FigureScope> ScopeOf(const rpc::Call& call,
                                      const v1::GenerateSummaryRequest& request,
                                      Period period) const;
  // The edition asked for, once the caller may read it; FIELD_INVALID at what contradicts it.
  absl::StatusOr<std::optional<EditionId>> EditionOf(
      const rpc::Call& call, const v1::GenerateSummaryRequest& request) const;
  // The figure of today that a name is of, or that an edition froze.
  absl::StatusOr<FigureName> NameOfToday(const std::string& name) const;
  // Reads the catalogues of the services; notes which does not answer: its dimensions stand as
  // codes.
  DimensionLabels ReadLabels(const rpc::Call& call, v1::GenerateSummaryResponse& response) const;
  AnnexFigure Explained(const DimensionLabels& labels, const v1::Figure& figure) const;
  absl::Status WriteFiles(const rpc::Call& call, const v1::GenerateSummaryRequest& request,
                          const SummaryDocument& document, const std::vector<v1::Figure>& all,
                          v1::GenerateSummaryResponse& response) const;

  // What every citation of the text says today, by SummaryCitation.name.
  using SaidByCitation = std::map<std::string, SummaryCheck::Said>;
  absl::StatusOr<SaidByCitation> Recompute(rpc::Call& call, const CitedText& text,
                                           SummaryCheck::Source& source) const;
  SummaryCheck::Said RecordSaid(const rpc::Call& call, const Citation& citation) const;
  // NOT_FOUND, OUT_OF_SCOPE and the errors of ParseFigureName.
  absl::StatusOr<FigureName> NameOf(const rpc::Call& call, const Citation& citation) const;
  // The same for a figure of an edition.
  absl::StatusOr<EditionFigureName> FrozenNameOf(const rpc::Call& call,
                                                 const Citation& citation) const;
  // Figures that the caller may read, by citation; those of editions by edition and organisation.
  struct Cited {
    std::map<std::string, FigureName> today;
    std::map<std::pair<std::string, std::string>, std::map<std::string, EditionFigureName>> frozen;
  };
  absl::Status ReadCited(sql::Tx& tx, const rpc::Call& call, const Cited& cited,
                         SaidByCitation& said) const;
  void AddNames(const rpc::Call& call, const std::string& organization,
                SummaryCheck::Source& source) const;

  const Options options_;
  const Wording wording_;
  const SummaryItems items_;
};

}  // namespace gonghui::reports
