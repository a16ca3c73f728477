#include "services/cli/csv.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "services/cli/text.h"

namespace gonghui::cli {

absl::StatusOr<CsvFile> ReadCsvFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  auto text = DecodeText(bytes);
  auto file = text.ok() ? ParseCsv(*text) : text.status();
  if (!file.ok()) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           absl::StrCat(path, ": ", file.status().message()),
                           absl::StrCat(path, ":", MessageZhOf(file.status())));
  }
  file->digest = Sha256Hex(bytes);
  return file;
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::error_code error;
  if (!in || std::filesystem::is_directory(path, error)) {
    return InvalidArgument(common::v1::REASON_NOT_FOUND,
                           "Cannot read the file " + path + ": check its name and its permissions.",
                           "无法读取文件 " + path + "，请检查文件名和权限。");
  }
  return std::string(std::istreambuf_iterator<char>(in), {});
}

absl::Status WriteFile(const std::string& path, std::string_view content) {
  const std::string draft = path + ".part";
  std::ofstream out(draft, std::ios::binary | std::ios::trunc);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(draft, path, error);
  if (out && !error) return absl::OkStatus();
  std::filesystem::remove(draft, error);
  return InvalidArgument(
      common::v1::REASON_STORAGE_FULL,
      "Cannot write the file " + path + ": check the folder, its permissions and the free space.",
      "无法写入文件 " + path + "，请检查文件夹、权限和剩余空间。");
}

}  // namespace gonghui::cli
