#include "services/membership/sealed_files.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::membership {
namespace {

constexpr sql::Query kInsert{
    "membership.insert_sealed_piece",
    "INSERT INTO sealed_pieces (tenant, file, begins_at, size_bytes, sealed) VALUES ($1, $2, $3, "
    "$4, $5)"};
constexpr sql::Query kFind{
    "membership.find_sealed_piece",
    "SELECT begins_at, sealed FROM sealed_pieces WHERE tenant=$1 AND file=$2 AND begins_at<=$3 AND "
    "begins_at+size_bytes>$3 ORDER BY begins_at DESC LIMIT 1"};
constexpr sql::Query kDelete{"membership.delete_sealed_pieces",
                             "DELETE FROM sealed_pieces WHERE tenant=$1 AND file=$2"};

constexpr absl::Duration kTimeout = absl::Seconds(30);

// Ties a piece to its place: one copied elsewhere does not open.
std::string Context(std::string_view federation, std::string_view file, int64_t begins_at) {
  return StrCat(federation, "/files/", file, "/", begins_at);
}

}  // namespace

absl::Status SealedFiles::Append(sql::Tx& tx, const std::string& federation,
                                 const std::string& file, int64_t begins_at,
                                 std::string_view content) const {
  return tx
      .Run(kInsert, {federation, file, begins_at, static_cast<int64_t>(content.size()),
                     sql::Bytes{personal.Encrypt(content, Context(federation, file, begins_at))}})
      .status();
}

absl::StatusOr<std::string> SealedFiles::Read(sql::Tx& tx, const std::string& federation,
                                              const std::string& file, int64_t offset,
                                              size_t most) const {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFind, {federation, file, offset}));
  if (rows.empty()) return "";
  const auto begins_at = rows[0].Get<int64_t>(0);
  ASSIGN_OR_RETURN(const std::string piece, personal.Decrypt(rows[0].Get<sql::Bytes>(1).data,
                                                             Context(federation, file, begins_at)));
  return piece.substr(static_cast<size_t>(offset - begins_at), most);
}

absl::Status SealedFiles::Delete(sql::Tx& tx, const std::string& federation,
                                 const std::string& file) {
  return tx.Run(kDelete, {federation, file}).status();
}

absl::StatusOr<size_t> SealedFile::Read(uint64_t offset, char* to, size_t most) {
  size_t copied = 0;
  while (copied < most && offset < size_) {
    if (offset < begins_at_ || offset >= begins_at_ + piece_.size()) {
      RETURN_IF_ERROR(db_.ReadOnly(absl::Now() + kTimeout, [&](sql::Tx& tx) -> absl::Status {
        ASSIGN_OR_RETURN(piece_, files_.Read(tx, federation_, file_, static_cast<int64_t>(offset),
                                             std::numeric_limits<size_t>::max()));
        return absl::OkStatus();
      }));
      begins_at_ = offset;
      if (piece_.empty()) return Internal("a sealed file lacks a piece");
    }
    const size_t from = static_cast<size_t>(offset - begins_at_);
    const size_t some = std::min(most - copied, piece_.size() - from);
    std::memcpy(to + copied, piece_.data() + from, some);
    copied += some;
    offset += some;
  }
  return copied;
}

}  // namespace gonghui::membership
