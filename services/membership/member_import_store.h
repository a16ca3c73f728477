// Imports of members as they lie in the database.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/sheet/csv.h"
#include "common/sql/sql.h"
#include "gonghui/membership/v1/member_import.pb.h"
#include "gonghui/membership/v1/member_import_checkpoint.pb.h"
#include "services/membership/sealed_files.h"

namespace gonghui::membership {

struct StoredImport {
  std::string id;
  std::string run = {};          // The job's that goes on with it.
  v1::MemberImport import = {};  // With name.
  bool emptied = false;          // Its files are gone.
};

// A row of the file, kept sealed.
struct StoredRow {
  int64_t number = 0;
  bool heading = false;
  sheet::Cells cells;
};

// Outlives its users.
struct MemberImportStore {
  SealedFiles files;

  static std::string ContentFile(std::string_view id);
  static std::string RejectsFile(std::string_view id);

  absl::Status Insert(sql::Tx& tx, const std::string& federation, const StoredImport& stored) const;
  absl::Status Update(sql::Tx& tx, const std::string& federation, const StoredImport& stored) const;
  // NOT_FOUND at name.
  absl::StatusOr<StoredImport> Find(sql::Tx& tx, const std::string& federation,
                                    const std::string& id) const;
  // Of one organisation, before the id (empty: from the newest on), newest first.
  absl::StatusOr<std::vector<StoredImport>> List(sql::Tx& tx, const std::string& federation,
                                                 const std::string& organization,
                                                 const std::string& before_id, int64_t limit) const;

  absl::Status AddFaults(sql::Tx& tx, const std::string& federation, const std::string& id,
                         bool kept, absl::Span<const v1::MemberImportFault> faults) const;
  struct FaultKey {
    int64_t row = 0;
    int64_t seq = -1;
  };
  // After the key, which becomes that of the last.
  absl::StatusOr<std::vector<v1::MemberImportFault>> ListFaults(sql::Tx& tx,
                                                                const std::string& federation,
                                                                const std::string& id, bool kept,
                                                                FaultKey& after,
                                                                int64_t limit) const;
  absl::StatusOr<std::vector<v1::MemberImportFault>> FaultsOf(sql::Tx& tx,
                                                              const std::string& federation,
                                                              const std::string& id,
                                                              int64_t row) const;
  absl::Status DropFaults(sql::Tx& tx, const std::string& federation, const std::string& id,
                          bool kept) const;

  absl::Status AddRows(sql::Tx& tx, const std::string& federation, const std::string& id,
                       absl::Span<const StoredRow> rows) const;
  absl::StatusOr<std::vector<StoredRow>> ListRows(sql::Tx& tx, const std::string& federation,
                                                  const std::string& id, int64_t after,
                                                  int64_t limit) const;
  // The rows and the file made of them.
  absl::Status DropRejects(sql::Tx& tx, const std::string& federation, const std::string& id) const;

  absl::Status AddStep(sql::Tx& tx, const std::string& federation, const std::string& id,
                       int64_t seq, const v1::MemberImportStep& step) const;
  absl::Status DropStep(sql::Tx& tx, const std::string& federation, const std::string& id,
                        int64_t seq) const;
  // The number of the last step, 0 where there is none; `step` may be nullptr.
  absl::StatusOr<int64_t> LastStep(sql::Tx& tx, const std::string& federation,
                                   const std::string& id, v1::MemberImportStep* step) const;

  // Drops the files of imports that expired by the day.
  absl::Status EmptyExpired(sql::Tx& tx, const std::string& federation,
                            const std::string& today) const;
};

}  // namespace gonghui::membership
