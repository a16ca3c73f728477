#include "common/archive/zip.h"

#include <zip.h>

#include <memory>

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::archive {
namespace {

constexpr zip_uint16_t kDosTime = 0;
constexpr zip_uint16_t kDosDate = 0x21;  // 1 January 1980, the first day that ZIP knows.
constexpr zip_int64_t kFilesMost = 10'000;

struct Discard {
  void operator()(zip_t* zip) const { zip_discard(zip); }
};
struct CloseFile {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
struct Release {
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};
using Zip = std::unique_ptr<zip_t, Discard>;
using Source = std::unique_ptr<zip_source_t, Release>;

absl::Status Unreadable(std::string_view why, std::string_view why_zh) {
  return InvalidArgument(
      common::v1::REASON_FIELD_INVALID,
      StrCat("the file is no readable office document: ", why, "; save it again and send that"),
      StrCat("文件不是可读取的办公文档：", why_zh, "，请重新保存后再提交"));
}

absl::Status NotWritten(std::string_view step) {
  return Internal(StrCat("zip: ", step, " failed"));
}

absl::Status AddFile(zip_t* zip, const File& file) {
  Source source(zip_source_buffer(zip, file.bytes.data(), file.bytes.size(), 0));
  if (source == nullptr) return NotWritten("source");
  const zip_int64_t index = zip_file_add(zip, file.name.c_str(), source.get(), ZIP_FL_ENC_UTF_8);
  if (index < 0) return NotWritten("add");
  source.release();  // The archive's now.
  if (zip_file_set_dostime(zip, static_cast<zip_uint64_t>(index), kDosTime, kDosDate, 0) != 0) {
    return NotWritten("time");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> BytesOf(zip_source_t* source) {
  zip_stat_t stat;
  if (zip_source_stat(source, &stat) != 0 || zip_source_open(source) != 0) return NotWritten("end");
  std::string bytes(stat.size, '\0');
  const zip_int64_t read = zip_source_read(source, bytes.data(), bytes.size());
  zip_source_close(source);
  if (read != static_cast<zip_int64_t>(bytes.size())) return NotWritten("reading back");
  return bytes;
}

}  // namespace

absl::StatusOr<std::string> WriteZip(const std::vector<File>& files) {
  Source target(zip_source_buffer_create(nullptr, 0, 0, nullptr));
  if (target == nullptr) return NotWritten("target");
  Zip zip(zip_open_from_source(target.get(), ZIP_CREATE | ZIP_TRUNCATE, nullptr));
  if (zip == nullptr) return NotWritten("open");
  zip_source_keep(target.get());  // Closing the archive drops one of the two references.
  for (const File& file : files) RETURN_IF_ERROR(AddFile(zip.get(), file));
  if (zip_close(zip.get()) != 0) return NotWritten("close");
  zip.release();
  return BytesOf(target.get());
}

absl::StatusOr<std::map<std::string, std::string>> ReadZip(std::string_view bytes,
                                                           uint64_t most_bytes) {
  Source source(zip_source_buffer_create(bytes.data(), bytes.size(), 0, nullptr));
  Zip zip(source == nullptr ? nullptr : zip_open_from_source(source.get(), ZIP_RDONLY, nullptr));
  if (zip == nullptr) return Unreadable("it is not a ZIP archive", "不是 ZIP 压缩包");
  source.release();  // The archive's now.
  const zip_int64_t count = zip_get_num_entries(zip.get(), 0);
  if (count > kFilesMost) return Unreadable("it holds too many parts", "内含部件过多");
  std::map<std::string, std::string> files;
  uint64_t left = most_bytes;
  for (zip_int64_t i = 0; i < count; ++i) {
    const auto index = static_cast<zip_uint64_t>(i);
    zip_stat_t stat;
    if (zip_stat_index(zip.get(), index, 0, &stat) != 0) {
      return Unreadable("its directory is damaged", "目录已损坏");
    }
    if (stat.size > left) return Unreadable("it is too large when unpacked", "解压后过大");
    left -= stat.size;
    std::unique_ptr<zip_file_t, CloseFile> file(zip_fopen_index(zip.get(), index, 0));
    std::string content(stat.size, '\0');
    if (file == nullptr || zip_fread(file.get(), content.data(), content.size()) !=
                               static_cast<zip_int64_t>(content.size())) {
      return Unreadable("a part is damaged or encrypted", "有部件损坏或加密");
    }
    files.emplace(stat.name, std::move(content));
  }
  return files;
}

}  // namespace gonghui::archive
