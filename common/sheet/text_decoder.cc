#include "common/sheet/text_decoder.h"

#include <iconv.h>

#include <cerrno>
#include <string_view>

#include "common/base/status.h"
#include "common/sheet/text.h"

namespace gonghui::sheet {
namespace {

constexpr size_t kPiece = 1 << 16;
constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

absl::Status NotText(std::string why, std::string why_zh) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         why + " Save it as CSV (UTF-8 or GB18030) and try again.",
                         why_zh + "请另存为 CSV(UTF-8 或 GB18030）后重试。");
}

absl::Status OtherEncoding() {
  return NotText("The file is neither UTF-8 nor GB18030 text.",
                 "文件既不是 UTF-8 也不是 GB18030 文本。");
}

// Bytes at the end that may be the beginning of a character.
size_t Unfinished(std::string_view utf8) {
  for (size_t back = 1; back <= 3 && back <= utf8.size(); ++back) {
    const auto byte = static_cast<unsigned char>(utf8[utf8.size() - back]);
    if (byte < 0x80) return 0;
    if (byte < 0xC0) continue;
    const size_t length = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    return length > back ? back : 0;
  }
  return 0;
}

absl::Status ReadPiece(archive::ByteSource& source, uint64_t& at, std::string& bytes) {
  const size_t before = bytes.size();
  bytes.resize(before + kPiece);
  ASSIGN_OR_RETURN(const size_t read, source.Read(at, bytes.data() + before, kPiece));
  bytes.resize(before + read);
  at += read;
  return absl::OkStatus();
}

// Whether all bytes are UTF-8. FIELD_INVALID for NUL bytes.
absl::StatusOr<bool> AllUtf8(archive::ByteSource& source) {
  std::string bytes;
  bool utf8 = true;
  for (uint64_t at = 0; at < source.size();) {
    const size_t kept = bytes.size();
    RETURN_IF_ERROR(ReadPiece(source, at, bytes));
    if (bytes.size() == kept) break;
    if (bytes.find('\0', kept) != std::string::npos) {
      return NotText("The file holds NUL bytes: it is not text.", "文件含有空字节，不是文本。");
    }
    const size_t rest = at < source.size() ? Unfinished(bytes) : 0;
    utf8 = utf8 && IsUtf8(std::string_view(bytes).substr(0, bytes.size() - rest));
    bytes.erase(0, bytes.size() - rest);
  }
  return utf8;
}

}  // namespace

struct TextDecoder::Converter {
  explicit Converter(const char* encoding) : handle(iconv_open("UTF-8", encoding)) {}
  ~Converter() {
    if (usable()) iconv_close(handle);
  }
  bool usable() const { return handle != reinterpret_cast<iconv_t>(-1); }
  const iconv_t handle;
};

TextDecoder::TextDecoder(archive::ByteSource& source, uint64_t begins, const char* encoding)
    : source_(source),
      at_(begins),
      converter_(encoding == nullptr ? nullptr : std::make_unique<Converter>(encoding)) {}
TextDecoder::~TextDecoder() = default;

absl::StatusOr<std::unique_ptr<TextDecoder>> TextDecoder::Open(archive::ByteSource& source) {
  std::string head(4, '\0');
  ASSIGN_OR_RETURN(const size_t read, source.Read(0, head.data(), head.size()));
  head.resize(read);
  if (head == "PK\x03\x04" || head == "\xD0\xCF\x11\xE0") {
    return NotText("This is a spreadsheet workbook, not a CSV file.",
                   "这是电子表格工作簿，不是 CSV 文件。");
  }
  uint64_t begins = 0;
  const char* encoding = nullptr;
  if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF")) {
    begins = 2;
    encoding = head[0] == '\xFF' ? "UTF-16LE" : "UTF-16BE";
  } else {
    const bool marked = head.starts_with(kUtf8Mark);
    ASSIGN_OR_RETURN(const bool utf8, AllUtf8(source));
    if (marked) begins = kUtf8Mark.size();
    if (marked && !utf8) {
      return NotText("The file is marked as UTF-8 but is not.", "文件标为 UTF-8，内容却不是。");
    }
    if (!utf8) encoding = "GB18030";
  }
  auto decoder = std::unique_ptr<TextDecoder>(new TextDecoder(source, begins, encoding));
  if (encoding != nullptr && !decoder->converter_->usable()) {
    return NotText("This machine cannot read " + std::string(encoding) + ".",
                   "本机无法读取 " + std::string(encoding) + " 编码。");
  }
  return decoder;
}

absl::StatusOr<bool> TextDecoder::Next(std::string& utf8) {
  if (at_ >= source_.size()) return false;
  RETURN_IF_ERROR(ReadPiece(source_, at_, pending_));
  const bool last = at_ >= source_.size();
  if (converter_ != nullptr) {
    RETURN_IF_ERROR(Convert(last, utf8));
    return true;
  }
  const size_t whole = pending_.size() - (last ? 0 : Unfinished(pending_));
  utf8.append(pending_, 0, whole);
  pending_.erase(0, whole);
  return true;
}

absl::Status TextDecoder::Convert(bool last, std::string& utf8) {
  const size_t before = utf8.size();
  utf8.resize(before + pending_.size() * 2 + 16);  // A character of two bytes takes three.
  char* from = pending_.data();
  size_t from_left = pending_.size();
  char* to = utf8.data() + before;
  size_t to_left = utf8.size() - before;
  const size_t result = iconv(converter_->handle, &from, &from_left, &to, &to_left);
  const bool unfinished = result == static_cast<size_t>(-1) && errno == EINVAL && !last;
  if (result == static_cast<size_t>(-1) && !unfinished) return OtherEncoding();
  utf8.resize(utf8.size() - to_left);
  pending_.erase(0, pending_.size() - from_left);
  return absl::OkStatus();
}

}  // namespace gonghui::sheet
