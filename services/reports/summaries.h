// The work summary: sentences with figures, every number cited.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "common/tree/tree_cache.h"
#include "gonghui/reports/v1/report.pb.h"
#include "services/reports/figures.h"

namespace gonghui::reports {

// The catalogue's sections, taken apart. Immutable.
class SummaryTemplate {
 public:
  // A figure within a sentence and the words before it.
  struct Slot {
    std::string words;
    std::string measure;
    std::string dimensions;
  };
  struct Sentence {
    std::vector<Slot> slots;
    std::string ending;  // Words after the last figure.
  };
  struct Section {
    std::string heading;
    std::vector<Sentence> sentences;
  };
  // Errors name the sentence: an unknown measure or dimension, a brace without its other half.
  static absl::StatusOr<SummaryTemplate> Load(const Measures& measures);
  const std::vector<Section>& sections() const { return sections_; }

 private:
  std::vector<Section> sections_;
};

// Thread-safe.
class Summaries {
 public:
  struct Options {
    sql::Database* db = nullptr;
    const Measures* measures = nullptr;
    tree::TreeCache* tree = nullptr;
    const SummaryTemplate* sections = nullptr;
  };
  explicit Summaries(Options options) : options_(options) {}

  absl::StatusOr<v1::GetWorkSummaryResponse> Get(rpc::Call& call,
                                                 const v1::GetWorkSummaryRequest& request);

 private:
  const Options options_;
};

}  // namespace gonghui::reports
