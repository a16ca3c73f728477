// The rejected rows of an import as a file in the layout of the one that came.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/sheet/table_stream.h"
#include "services/membership/member_import_store.h"

namespace gonghui::membership {

// Turn by turn: Read rows, Write them, Keep what they became (as often as the transaction is
// tried), Kept.
class MemberRejectsWriter {
 public:
  MemberRejectsWriter(const MemberImportStore& store, std::string federation, std::string id)
      : store_(store), federation_(std::move(federation)), id_(std::move(id)) {}

  // The next rows with their faults; false when these are the last.
  absl::StatusOr<bool> Read(sql::Tx& tx);
  absl::Status Write(bool last);
  // Adds what is written to the file; the file's size so far.
  absl::StatusOr<int64_t> Keep(sql::Tx& tx) const;
  void Kept();

 private:
  struct Rejected {
    StoredRow row;
    std::vector<v1::MemberImportFault> faults;
  };

  const MemberImportStore& store_;
  const std::string federation_;
  const std::string id_;
  std::vector<Rejected> rows_;
  std::vector<sheet::Cells> head_;
  int64_t after_ = 0;
  size_t width_ = 0;  // Of the headings; faults stand in the column after.
  std::string out_;
  int64_t size_ = 0;
  std::unique_ptr<sheet::TableStream> stream_;
};

// What the file that came is, and the file of rejects with it.
absl::StatusOr<sheet::TableStream::Format> FormatOf(sql::Tx& tx, const MemberImportStore& store,
                                                    const std::string& federation,
                                                    const std::string& id);

}  // namespace gonghui::membership
