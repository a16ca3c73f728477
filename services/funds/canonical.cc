#include "services/funds/canonical.h"

#include "absl/strings/escaping.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/crypto/personal.h"
#include "services/funds/byte_fields.h"

namespace gonghui::funds {
namespace {

constexpr char kVersion = 1;
constexpr size_t kHashBytes = 32;

}  // namespace

std::string Canonical(const SealedVoucher& v) {
  ByteWriter writer;
  writer.Number(kVersion, 1) << v.tenant << v.book << v.sequence << v.month << v.number << v.on_date
                             << v.memo << v.source << v.part << v.revision << v.reverses
                             << v.restates << v.closing << v.maker << v.checker << v.poster
                             << v.create_time_us << v.attachments;
  writer.Number(v.entries.size(), 4);
  for (const SealedVoucher::Entry& e : v.entries) {
    writer << e.account << e.debit_fen << e.credit_fen << e.memo << e.dimensions;
  }
  return writer.Take();
}

absl::StatusOr<SealedVoucher> ParseCanonical(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.Number(1) != kVersion) return Internal("sealed voucher of an unknown version");
  SealedVoucher v;
  reader >> v.tenant >> v.book >> v.sequence >> v.month >> v.number >> v.on_date >> v.memo >>
      v.source >> v.part >> v.revision >> v.reverses >> v.restates >> v.closing >> v.maker >>
      v.checker >> v.poster >> v.create_time_us >> v.attachments;
  for (uint64_t left = reader.Number(4); left > 0 && !reader.failed(); --left) {
    SealedVoucher::Entry& e = v.entries.emplace_back();
    reader >> e.account >> e.debit_fen >> e.credit_fen >> e.memo >> e.dimensions;
  }
  if (!reader.at_end()) return Internal("sealed voucher is damaged");
  return v;
}

std::string ChainHash(std::string_view before, std::string_view canonical) {
  const std::string bytes =
      before.empty() ? std::string(kHashBytes, '\0') : absl::HexStringToBytes(ToAbsl(before));
  return crypto::Sm3Hex(StrCat(bytes, canonical));
}

}  // namespace gonghui::funds
