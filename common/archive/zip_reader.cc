#include "common/archive/zip_reader.h"

#include <zip.h>

#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::archive {
namespace {

constexpr zip_int64_t kPartsMost = 10'000;

absl::Status Unreadable() {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         "the file is no readable ZIP archive; save it again and send that",
                         "文件不是可读取的压缩包，请重新保存后再提交");
}

// A ByteSource as libzip reads it.
struct Input {
  explicit Input(ByteSource& bytes) : source(&bytes) { zip_error_init(&error); }
  ~Input() { zip_error_fini(&error); }
  Input(const Input&) = delete;

  ByteSource* source;
  uint64_t at = 0;
  absl::Status status;  // Of the source's first failure.
  zip_error_t error;
};

zip_int64_t ReadInput(Input& input, void* data, zip_uint64_t length) {
  const auto read = input.source->Read(input.at, static_cast<char*>(data), length);
  if (!read.ok()) {
    input.status = read.status();
    zip_error_set(&input.error, ZIP_ER_READ, 0);
    return -1;
  }
  input.at += *read;
  return static_cast<zip_int64_t>(*read);
}

zip_int64_t StatInput(const Input& input, void* data) {
  auto* stat = static_cast<zip_stat_t*>(data);
  zip_stat_init(stat);
  stat->size = input.source->size();
  stat->valid = ZIP_STAT_SIZE;
  return sizeof(zip_stat_t);
}

zip_int64_t SeekInput(Input& input, void* data, zip_uint64_t length) {
  const zip_int64_t offset =
      zip_source_seek_compute_offset(input.at, input.source->size(), data, length, &input.error);
  if (offset < 0) return -1;
  input.at = static_cast<uint64_t>(offset);
  return 0;
}

zip_int64_t HandleInput(void* user, void* data, zip_uint64_t length, zip_source_cmd_t command) {
  Input& input = *static_cast<Input*>(user);
  switch (command) {
    case ZIP_SOURCE_OPEN:
      input.at = 0;
      return 0;
    case ZIP_SOURCE_READ:
      return ReadInput(input, data, length);
    case ZIP_SOURCE_STAT:
      return StatInput(input, data);
    case ZIP_SOURCE_SEEK:
      return SeekInput(input, data, length);
    case ZIP_SOURCE_TELL:
      return static_cast<zip_int64_t>(input.at);
    case ZIP_SOURCE_ERROR:
      return zip_error_to_data(&input.error, data, length);
    case ZIP_SOURCE_CLOSE:
    case ZIP_SOURCE_FREE:
      return 0;
    case ZIP_SOURCE_SUPPORTS:
      return zip_source_make_command_bitmap(
          ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR,
          ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, ZIP_SOURCE_SUPPORTS, -1);
    default:
      zip_error_set(&input.error, ZIP_ER_OPNOTSUPP, 0);
      return -1;
  }
}

class UnpackedPart : public ZipReader::Part {
 public:
  UnpackedPart(zip_file_t* file, Input& input) : file_(file), input_(input) {}
  ~UnpackedPart() override { zip_fclose(file_); }
  absl::StatusOr<size_t> Read(char* to, size_t most) override {
    const zip_int64_t read = zip_fread(file_, to, most);
    if (read >= 0) return static_cast<size_t>(read);
    return input_.status.ok() ? Unreadable() : input_.status;
  }

 private:
  zip_file_t* const file_;
  Input& input_;
};

class LibzipReader : public ZipReader {
 public:
  explicit LibzipReader(ByteSource& source) : input_(source) {}
  ~LibzipReader() override {
    if (zip_ != nullptr) zip_discard(zip_);
  }

  absl::Status Open() {
    zip_source_t* source = zip_source_function_create(HandleInput, &input_, nullptr);
    if (source == nullptr) return Internal("zip: no source");
    zip_ = zip_open_from_source(source, ZIP_RDONLY, nullptr);
    if (zip_ == nullptr) {
      zip_source_free(source);
      return Failure();
    }
    const zip_int64_t count = zip_get_num_entries(zip_, 0);
    if (count > kPartsMost) return Unreadable();
    for (zip_int64_t i = 0; i < count; ++i) {
      zip_stat_t stat;
      if (zip_stat_index(zip_, static_cast<zip_uint64_t>(i), 0, &stat) != 0) return Failure();
      sizes_.emplace(stat.name, stat.size);
    }
    return absl::OkStatus();
  }

  const std::map<std::string, uint64_t>& sizes() const override { return sizes_; }

  absl::StatusOr<std::unique_ptr<Part>> OpenPart(const std::string& name) override {
    if (!sizes_.contains(name)) {
      return NotFound(common::v1::REASON_NOT_FOUND, "the archive lacks a part that it names",
                      "压缩包缺少其所引用的部件");
    }
    zip_file_t* file = zip_fopen(zip_, name.c_str(), 0);
    if (file == nullptr) return Failure();
    return std::make_unique<UnpackedPart>(file, input_);
  }

 private:
  absl::Status Failure() const { return input_.status.ok() ? Unreadable() : input_.status; }

  Input input_;
  zip_t* zip_ = nullptr;
  std::map<std::string, uint64_t> sizes_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ZipReader>> ZipReader::Open(ByteSource& source) {
  auto reader = std::make_unique<LibzipReader>(source);
  RETURN_IF_ERROR(reader->Open());
  return reader;
}

}  // namespace gonghui::archive
