// Files that hold personal data: in the database, piece by piece, each piece sealed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "common/archive/byte_source.h"
#include "common/crypto/personal.h"
#include "common/sql/sql.h"

namespace gonghui::membership {

// Of a federation. Outlives its users.
struct SealedFiles {
  static constexpr size_t kMostAnswered = 1 << 20;  // Bytes of a piece as it is answered.

  const crypto::PersonalData& personal;

  // Adds the bytes that begin there.
  absl::Status Append(sql::Tx& tx, const std::string& federation, const std::string& file,
                      int64_t begins_at, std::string_view content) const;
  // Bytes from the offset on, at most `most` and no further than a piece reaches; empty at the end.
  absl::StatusOr<std::string> Read(sql::Tx& tx, const std::string& federation,
                                   const std::string& file, int64_t offset, size_t most) const;
  static absl::Status Delete(sql::Tx& tx, const std::string& federation, const std::string& file);
};

// A file as something to read from; keeps one piece in memory.
class SealedFile : public archive::ByteSource {
 public:
  SealedFile(sql::Database& db, const SealedFiles& files, std::string federation, std::string file,
             int64_t size)
      : db_(db),
        files_(files),
        federation_(std::move(federation)),
        file_(std::move(file)),
        size_(static_cast<uint64_t>(size)) {}
  uint64_t size() const override { return size_; }
  absl::StatusOr<size_t> Read(uint64_t offset, char* to, size_t most) override;

 private:
  sql::Database& db_;
  const SealedFiles& files_;
  const std::string federation_;
  const std::string file_;
  const uint64_t size_;
  uint64_t begins_at_ = 0;
  std::string piece_;
};

}  // namespace gonghui::membership
