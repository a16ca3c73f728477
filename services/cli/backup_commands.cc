// gonghui backup, gonghui restore: the databases of an installation, on the machine that has them.
#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/base/status.h"
#include "common/sql/copy.h"
#include "nlohmann/json.hpp"
#include "services/cli/csv.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kFormat = 1;
constexpr char kManifest[] = "backup.json";
// In this order: what follows the feeds of others is copied before them, and what is referred to
// last. So a copy of reports never knows more than the copies of its sources.
constexpr const char* kAreas[] = {"reports", "casework", "activities", "funds", "membership"};

struct BackupOptions {
  std::string data = "var/data";
  std::string folder;                  // Of the backup.
  std::string into;                    // Folder of backups.
  std::vector<std::string> url_files;  // AREA=FILE.
  int keep = 0;                        // 0: all.
  bool keys = false;
};

absl::Status Spoilt(const std::string& file, const std::string& why, const std::string& why_zh) {
  return FailedPrecondition(
      common::v1::REASON_STATE_FORBIDS,
      absl::StrCat("the backup is not whole: ", file, " ", why, "; use another backup"),
      absl::StrCat("备份不完整：", file, " ", why_zh, "，请改用其他备份"));
}

absl::StatusOr<std::string> DigestOf(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Spoilt(path.filename(), "is missing", "缺失");
  EVP_MD_CTX* digest = EVP_MD_CTX_new();
  const absl::Cleanup free = [digest] { EVP_MD_CTX_free(digest); };
  EVP_DigestInit_ex(digest, EVP_sha256(), nullptr);
  std::vector<char> piece(1 << 20);
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0) {
    EVP_DigestUpdate(digest, piece.data(), static_cast<size_t>(file.gcount()));
  }
  std::string bytes(EVP_MAX_MD_SIZE, 0);
  unsigned int size = 0;
  EVP_DigestFinal_ex(digest, reinterpret_cast<unsigned char*>(bytes.data()), &size);
  bytes.resize(size);
  return absl::BytesToHexString(bytes);
}

// Area -> database URL, of all areas: as the options say, else the server's own variables, else
// SQLite in the data folder.
absl::StatusOr<std::map<std::string, std::string>> UrlsOf(const BackupOptions& options) {
  std::map<std::string, std::string> urls;
  std::vector<std::string> url_files;
  for (const std::string area : kAreas) {
    urls[area] = absl::StrCat("sqlite:", options.data, "/", area, ".db");
    const std::string variable =
        absl::StrCat("GONGHUI_", absl::AsciiStrToUpper(area), "_DATABASE_URL_FILE");
    if (const char* file = std::getenv(variable.c_str()); file != nullptr) {
      url_files.push_back(absl::StrCat(area, "=", file));
    }
  }
  url_files.insert(url_files.end(), options.url_files.begin(), options.url_files.end());
  for (const std::string& given : url_files) {
    const std::pair<std::string, std::string> named =
        absl::StrSplit(given, absl::MaxSplits('=', 1));
    const auto area = urls.find(named.first);
    if (area == urls.end()) {
      return InvalidArgument(
          common::v1::REASON_FIELD_INVALID,
          absl::StrCat("--database-url-file: no service '", named.first, "'; write AREA=FILE"),
          absl::StrCat("--database-url-file：没有服务“", named.first, "”，请写作 服务=文件"));
    }
    ASSIGN_OR_RETURN(const std::string text, ReadFile(named.second));
    area->second = std::string(absl::StripAsciiWhitespace(text));
  }
  return urls;
}

json Described(const std::string& file, const fs::path& folder, const std::string& digest) {
  return {{"file", file}, {"bytes", fs::file_size(folder / file)}, {"sha256", digest}};
}

// Copies what lies in a folder of the data folder; nothing where there is none.
absl::Status CopyFolder(const fs::path& from, const fs::path& to, bool flush) {
  std::error_code failed;
  if (!fs::exists(from)) return absl::OkStatus();
  fs::copy(from, to, fs::copy_options::recursive, failed);
  if (failed) {
    return Unavailable(common::v1::REASON_UNAVAILABLE,
                       absl::StrCat("cannot copy ", from.string(), ": ", failed.message()),
                       absl::StrCat("无法复制 ", from.string()));
  }
  for (const auto& entry : fs::recursive_directory_iterator(to)) {
    if (!flush || !entry.is_regular_file()) continue;
    const int file = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (file >= 0) fsync(file);
    if (file >= 0) ::close(file);
  }
  return absl::OkStatus();
}

// Everything into `folder`; the manifest last.
absl::StatusOr<json> CopyAll(const BackupOptions& options, const fs::path& folder) {
  ASSIGN_OR_RETURN(const auto urls, UrlsOf(options));
  json manifest = {
      {"format", kFormat},
      {"version", kVersion},
      {"created", absl::FormatTime(absl::RFC3339_sec, absl::Now(), absl::UTCTimeZone())},
      {"keys", options.keys},
      {"databases", json::array()}};
  // Before the ledger: an anchor holds nothing that the copied ledger lacks.
  RETURN_IF_ERROR(CopyFolder(fs::path(options.data) / "anchors", folder / "anchors", true));
  if (options.keys) {
    RETURN_IF_ERROR(CopyFolder(fs::path(options.data) / "keys", folder / "keys", true));
  }
  for (const std::string area : kAreas) {
    const std::string& url = urls.at(area);
    ASSIGN_OR_RETURN(const std::string engine, sql::EngineOf(url));
    const std::string file = area + (engine == "sqlite" ? ".db" : ".pgdump");
    RETURN_IF_ERROR(sql::CopyOut(url, folder / file));
    ASSIGN_OR_RETURN(const std::string digest, DigestOf(folder / file));
    json described = Described(file, folder, digest);
    described["area"] = area;
    described["engine"] = engine;
    manifest["databases"].push_back(std::move(described));
  }
  return manifest;
}

void ShowManifest(const Session& session, const json& manifest) {
  if (session.json()) {
    Print(manifest.dump(2) + "\n");
    return;
  }
  Table table({session.Say("database", "数据库"), session.Say("engine", "引擎"),
               session.Say(">bytes", ">字节"), "SHA-256"});
  for (const json& database : manifest["databases"]) {
    table.Add({database["area"], database["engine"], absl::StrCat(database["bytes"].get<int64_t>()),
               database["sha256"].get<std::string>().substr(0, 16)});
  }
  Print(table.Text());
}

// Of a backup that --into makes: the instant, so that names sort by age.
constexpr char kStamp[] = "%E4Y%m%dT%H%M%SZ";

// The backups that --into made in a folder, the oldest first.
std::vector<fs::path> BackupsIn(const fs::path& into) {
  std::vector<fs::path> backups;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(into, ignored)) {
    absl::Time made;
    if (fs::exists(entry.path() / kManifest) &&
        absl::ParseTime(kStamp, entry.path().filename().string(), &made, nullptr)) {
      backups.push_back(entry.path());
    }
  }
  std::sort(backups.begin(), backups.end());
  return backups;
}

void KeepNewest(const fs::path& into, int keep) {
  std::vector<fs::path> backups = BackupsIn(into);
  std::error_code ignored;
  for (size_t i = 0; i + static_cast<size_t>(keep) < backups.size(); ++i) {
    fs::remove_all(backups[i], ignored);
  }
}

// The folder itself, or the newest backup in it.
fs::path BackupAt(const fs::path& folder) {
  if (fs::exists(folder / kManifest)) return folder;
  const std::vector<fs::path> backups = BackupsIn(folder);
  return backups.empty() ? folder : backups.back();
}

absl::StatusOr<int> Backup(Session& session, const BackupOptions& options) {
  if (options.folder.empty() == options.into.empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_REQUIRED, "give --to or --into, one of them",
                           "请在 --to 与 --into 中任选其一");
  }
  const fs::path folder =
      options.into.empty()
          ? fs::path(options.folder)
          : fs::path(options.into) / absl::FormatTime(kStamp, absl::Now(), absl::UTCTimeZone());
  const fs::path partial = folder.string() + ".partial";
  if (fs::exists(folder)) {
    return AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                         absl::StrCat(folder.string(), " exists; name a new folder with --to"),
                         absl::StrCat(folder.string(), " 已存在，请用 --to 指定新文件夹"));
  }
  std::error_code ignored;
  fs::remove_all(partial, ignored);
  fs::create_directories(partial, ignored);
  fs::permissions(partial, fs::perms::owner_all, ignored);
  const absl::StatusOr<json> manifest = CopyAll(options, partial);
  absl::Status written = manifest.status();
  if (written.ok()) written = WriteFile(partial / kManifest, manifest->dump(2) + "\n");
  if (!written.ok()) {
    fs::remove_all(partial, ignored);
    return written;
  }
  fs::rename(partial, folder);
  if (options.keep > 0 && !options.into.empty()) KeepNewest(options.into, options.keep);
  ShowManifest(session, *manifest);
  if (!options.keys) {
    PrintNote(session.Say(
        "The keys of personal data and of the ledger are not in it (--with-keys): keep them "
        "elsewhere; without them the personal data cannot be read.",
        "备份不含个人信息密钥与账簿签名密钥（--with-keys "
        "可包含）：请另行妥善保管，缺少密钥将无法读取个人信息。"));
  }
  return kSuccess;
}

// The manifest, after every file was compared with it.
absl::StatusOr<json> CheckedManifest(const fs::path& folder) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile((folder / kManifest).string()));
  const json manifest = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!manifest.is_object() || manifest.value("format", 0) != kFormat ||
      !manifest.contains("databases") || manifest["databases"].size() != std::size(kAreas)) {
    return Spoilt(kManifest, "is no list of a backup of this version", "不是本版本的备份清单");
  }
  for (const json& database : manifest["databases"]) {
    const std::string file = database.value("file", "");
    const fs::path path = folder / fs::path(file).filename();
    ASSIGN_OR_RETURN(const std::string digest, DigestOf(path));
    if (digest == database.value("sha256", "")) continue;
    const bool cut = fs::file_size(path) < database.value("bytes", uintmax_t{0});
    return cut ? Spoilt(file, "is shorter than it was", "被截断")
               : Spoilt(file, "is not what was written", "内容与备份时不一致");
  }
  return manifest;
}

absl::StatusOr<int> Restore(Session& session, const BackupOptions& options) {
  const fs::path folder = BackupAt(options.folder);
  ASSIGN_OR_RETURN(const json manifest, CheckedManifest(folder));
  ASSIGN_OR_RETURN(const auto urls, UrlsOf(options));
  for (const json& database : manifest["databases"]) {
    const std::string area = database.value("area", "");
    const auto url = urls.find(area);
    if (url == urls.end()) return Spoilt(kManifest, "names an unknown service", "含未知服务");
    ASSIGN_OR_RETURN(const std::string engine, sql::EngineOf(url->second));
    if (engine != database.value("engine", "")) {
      return InvalidArgument(
          common::v1::REASON_FIELD_INVALID,
          absl::StrCat("the backup of ", area, " is of ", database.value("engine", ""),
                       " and goes into such a database only; give --database-url-file"),
          absl::StrCat(area, " 的备份引擎为 ", database.value("engine", ""),
                       "，只能恢复到同类数据库；请用 --database-url-file 指定"));
    }
    RETURN_IF_ERROR(sql::CheckEmpty(url->second));
  }
  for (const json& database : manifest["databases"]) {
    const fs::path file = folder / fs::path(database.value("file", "")).filename();
    RETURN_IF_ERROR(sql::CopyIn(file, urls.at(database.value("area", ""))));
  }
  for (const char* kept : {"anchors", "keys"}) {
    if (fs::exists(fs::path(options.data) / kept)) continue;  // What is there is newer.
    RETURN_IF_ERROR(CopyFolder(folder / kept, fs::path(options.data) / kept, false));
  }
  ShowManifest(session, manifest);
  PrintNote(session.Say(
      "Start gonghuid on it, then check: gonghui ledger verify, and gonghui verify for the "
      "figures.",
      "请以此数据启动 gonghuid，并执行 gonghui ledger verify 与 gonghui verify 核对账簿与报表。"));
  return kSuccess;
}

}  // namespace

void AddBackupCommands(Program& program) {
  auto options = std::make_shared<BackupOptions>();
  Session& session = program.session;
  CLI::App* backup =
      AddCommand(program.app, "backup", "Copy all databases of an installation while it runs",
                 "gonghui backup --data var/data --to /backup/2026-11-22");
  backup->add_option("--to", options->folder, "New folder for the backup")->type_name("DIR");
  backup->add_option("--into", options->into, "Folder of backups: makes a new one in it")
      ->type_name("DIR");
  backup->add_option("--keep", options->keep, "With --into: remove all but the newest so many")
      ->check(CLI::Range(1, 10000));
  backup->add_flag("--with-keys", options->keys,
                   "Also the keys of personal data and of the ledger: keep such a backup sealed");
  OnRun(backup, program, [&session, options] { return Backup(session, *options); });
  CLI::App* restore = AddCommand(program.app, "restore", "Put a backup into empty databases",
                                 "gonghui restore --from /backup/2026-11-22 --data var/restored");
  restore
      ->add_option("--from", options->folder,
                   "Folder of the backup, or of backups: then the newest of them")
      ->required()
      ->type_name("DIR");
  OnRun(restore, program, [&session, options] { return Restore(session, *options); });
  for (CLI::App* command : {backup, restore}) {
    command->add_option("--data", options->data, "Data folder of the server")
        ->envname("GONGHUI_DATA")
        ->type_name("DIR")
        ->capture_default_str();
    command
        ->add_option("--database-url-file", options->url_files,
                     "AREA=FILE: where the service's database is, as the server's option of "
                     "that name; default: SQLite in the data folder")
        ->type_name("AREA=FILE");
  }
}

}  // namespace gonghui::cli
