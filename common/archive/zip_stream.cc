#include "common/archive/zip_stream.h"

#include <zlib.h>

#include <array>
#include <limits>
#include <utility>

#include "common/base/status.h"

namespace gonghui::archive {
namespace {

// APPNOTE.TXT 6.3: sizes follow the part, names are UTF-8; deflated; 1 January 1980.
constexpr uint16_t kVersion = 20;
constexpr uint16_t kFlags = 0x0808;
constexpr uint16_t kDeflated = 8;
constexpr uint16_t kDosDate = 0x21;
constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max();

void Put16(std::string& to, uint64_t value) {
  to += static_cast<char>(value & 0xFF);
  to += static_cast<char>(value >> 8 & 0xFF);
}
void Put32(std::string& to, uint64_t value) {
  Put16(to, value & 0xFFFF);
  Put16(to, value >> 16 & 0xFFFF);
}

}  // namespace

struct ZipStream::Packer {
  Packer() { deflateInit2(&state, Z_BEST_SPEED, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY); }
  ~Packer() { deflateEnd(&state); }
  z_stream state{};
};

ZipStream::ZipStream(std::string& out) : out_(out) {}
ZipStream::~ZipStream() = default;

void ZipStream::Put(std::string_view bytes) {
  out_ += bytes;
  written_ += bytes.size();
}

void ZipStream::Begin(std::string name) {
  EndPart();
  std::string head = "PK\x03\x04";
  for (const uint16_t value : {kVersion, kFlags, kDeflated, uint16_t{0}, kDosDate}) {
    Put16(head, value);
  }
  head.append(12, '\0');  // Checksum and sizes follow the part.
  Put16(head, name.size());
  Put16(head, 0);
  entries_.push_back({.name = std::move(name), .offset = written_});
  Put(head);
  Put(entries_.back().name);
  packer_ = std::make_unique<Packer>();
}

void ZipStream::Pack(std::string_view bytes, bool last) {
  std::array<char, 1 << 16> buffer;
  z_stream& state = packer_->state;
  state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  state.avail_in = static_cast<uInt>(bytes.size());
  do {
    state.next_out = reinterpret_cast<Bytef*>(buffer.data());
    state.avail_out = buffer.size();
    deflate(&state, last ? Z_FINISH : Z_NO_FLUSH);
    const size_t packed = buffer.size() - state.avail_out;
    entries_.back().packed += packed;
    Put(std::string_view(buffer.data(), packed));
  } while (state.avail_out == 0);
}

void ZipStream::Write(std::string_view bytes) {
  Entry& entry = entries_.back();
  entry.size += bytes.size();
  entry.checksum =
      static_cast<uint32_t>(crc32(entry.checksum, reinterpret_cast<const Bytef*>(bytes.data()),
                                  static_cast<uInt>(bytes.size())));
  Pack(bytes, false);
}

void ZipStream::EndPart() {
  if (packer_ == nullptr) return;
  Pack("", true);
  packer_.reset();
  const Entry& entry = entries_.back();
  std::string tail = "PK\x07\x08";
  for (const uint64_t value : {uint64_t{entry.checksum}, entry.packed, entry.size}) {
    Put32(tail, value);
  }
  Put(tail);
}

absl::Status ZipStream::Finish() {
  EndPart();
  const uint64_t begins = written_;
  bool too_large = false;
  for (const Entry& entry : entries_) {
    std::string head = "PK\x01\x02";
    for (const uint16_t value : {kVersion, kVersion, kFlags, kDeflated, uint16_t{0}, kDosDate}) {
      Put16(head, value);
    }
    for (const uint64_t value : {uint64_t{entry.checksum}, entry.packed, entry.size}) {
      Put32(head, value);
    }
    Put16(head, entry.name.size());
    head.append(12, '\0');  // No extra field, comment, disk, attributes.
    Put32(head, entry.offset);
    Put(head);
    Put(entry.name);
    too_large = too_large || entry.size > kMost || entry.packed > kMost;
  }
  std::string tail = "PK\x05\x06";
  Put32(tail, 0);
  Put16(tail, entries_.size());
  Put16(tail, entries_.size());
  Put32(tail, written_ - begins);
  Put32(tail, begins);
  Put16(tail, 0);
  Put(tail);
  if (!too_large && written_ <= kMost) return absl::OkStatus();
  return ResourceExhausted(common::v1::REASON_STORAGE_FULL,
                           "the file has become larger than 4 GiB; choose fewer rows, or CSV",
                           "文件超过 4 GiB，请缩小范围或改用 CSV");
}

}  // namespace gonghui::archive
