// The work of the jobs that read a file of members and take an import back.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "common/cache/cache.h"
#include "common/catalog/catalog.h"
#include "common/rpc/jobs.h"
#include "common/tree/tree_cache.h"
#include "gonghui/feed/v1/feed.pb.h"
#include "services/membership/member_edit.h"
#include "services/membership/member_import_store.h"
#include "services/membership/member_sheet.h"
#include "services/membership/members.h"

namespace gonghui::membership {

// What the work needs. Outlives it.
struct MemberImportTools {
  sql::Database& db;
  tree::TreeCache& tree;
  const Clock& clock;
  cache::Cache& cache;
  const catalog::Catalog& catalog;
  const Members& members;
  const MemberRegister& members_register;
  const MemberImportStore& store;
};

// One attempt at one job. Each step is a transaction with its checkpoint: an attempt that dies
// leaves the rest to the next, which reads the file anew up to the last step. Memory: two steps,
// and 20 bytes a person.
class MemberImportWork {
 public:
  MemberImportWork(const MemberImportTools& tools, rpc::JobRun& run, std::string import_id);

  absl::StatusOr<v1::MemberImport> Import(v1::MemberImportMode mode);
  absl::StatusOr<v1::MemberImport> Undo();

 private:
  using Place = v1::MemberImportCheckpoint;
  struct Step;

  // Commits `body` with the place that it leaves, while the import is this run's.
  absl::Status Save(const std::function<absl::Status(sql::Tx&, StoredImport&, Place&)>& body);
  absl::Status BeginImport(v1::MemberImportMode mode);
  absl::Status BeginUndo();
  // Judges all rows that are not judged yet, and writes the good ones in the write phase.
  absl::Status ReadFile(bool whole);
  absl::Status AddRow(MemberSheetRow row, Step& step);
  void PackFacts(Members::Candidate& candidate, Step& step);
  // Of the step that leads from place_ to `place`.
  void SetCounts(const Place& place, v1::MemberImport& import) const;
  // The event of the members whose status is good, in wire format.
  static std::string EventOf(const Step& step, absl::Span<const absl::Status> statuses);
  absl::Status WriteStep(sql::Tx& tx, const MemberSheet& file, const Step& step, Place& place);
  // Turns a name into an id, and finds organisations outside of the import's.
  void PlaceMember(const MemberSheet& file, MemberSheetRow& row);
  void ClaimPerson(const MemberSheet& file, MemberSheetRow& row);
  absl::Status LoadOrganizations();
  // The steps after place_.base_step, the last first.
  absl::Status TakeBack();
  absl::Status TakeBackStep(sql::Tx& tx, const v1::MemberImportStep& step,
                            std::vector<std::string>& gone, Place& place);
  absl::Status WriteRejects();
  absl::StatusOr<v1::MemberImport> End(v1::MemberImportState state);

  const MemberImportTools& tools_;
  rpc::JobRun& run_;
  const std::string id_;
  const std::string& federation_;
  rpc::Call call_;
  Place place_;
  feed::v1::Event part_;  // Used again and again.
  bool writes_ = false;   // Of the pass through the file: writes what it judges.
  StoredImport stored_;
  std::map<std::string, std::string, std::less<>> organizations_;  // Id or name -> id; twice: "".
  // Person -> first row. The key is of the blind index.
  absl::flat_hash_map<std::array<uint32_t, 3>, uint32_t> persons_;
};

}  // namespace gonghui::membership
