#include "common/crypto/personal.h"

#include <fcntl.h>
#include <gcrypt.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/escaping.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/crypto/gcrypt_must.h"
#include "yaml-cpp/yaml.h"

namespace gonghui::crypto {
namespace {

constexpr size_t kCipherKeyBytes = 16;
constexpr size_t kIndexKeyBytes = 32;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;
constexpr size_t kIndexBytes = 16;
constexpr size_t kLongestKeyId = 255;

constexpr absl::Duration kCommandEvery = absl::Minutes(1);
constexpr absl::Duration kCommandAtOnce = absl::Seconds(1);  // For a key that is not known.

void UseLibrary() {
  static const bool ready = [] {
    gcry_check_version(nullptr);
    Must(gcry_control(GCRYCTL_DISABLE_SECMEM, 0));
    Must(gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0));
    return true;
  }();
  (void)ready;
}

std::string RandomBytes(size_t size) {
  UseLibrary();
  std::string bytes(size, '\0');
  gcry_randomize(bytes.data(), size, GCRY_STRONG_RANDOM);
  return bytes;
}

std::string Hex(std::string_view bytes) { return absl::BytesToHexString(ToAbsl(bytes)); }

absl::Status KeysFault(const std::string& source, std::string_view what, std::string_view what_zh) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID, StrCat("keys of ", source, ": ", what),
                         StrCat("密钥来源 ", source, "：", what_zh))
      .With("source", source);
}

// What a file or a command holds. Never changed.
struct Keys {
  struct Key {
    std::string id;
    std::string bytes;
  };
  uint64_t number = 0;  // Of these keys; unlike an address never used again.
  std::vector<Key> keys;
  size_t current = 0;
  std::string index_key;

  size_t Find(std::string_view id) const {  // keys.size() where it is not there.
    size_t key = 0;
    while (key < keys.size() && keys[key].id != id) ++key;
    return key;
  }
};

absl::StatusOr<Keys> ReadKeys(const std::string& source, const std::string& text) {
  static std::atomic<uint64_t> count{0};
  Keys keys;
  keys.number = ++count;
  const auto bytes_of = [](const YAML::Node& hex) {
    return absl::HexStringToBytes(hex.as<std::string>());
  };
  // yaml-cpp reports by exceptions; they end here.
  try {
    const YAML::Node root = YAML::Load(text);
    for (const auto& node : root["keys"]) {
      const auto id = node["id"].as<std::string>();
      const std::string bytes = bytes_of(node["sm4_hex"]);
      if (id.empty() || id.size() > kLongestKeyId || bytes.size() != kCipherKeyBytes) {
        return KeysFault(source, "a key needs an id and 32 hex digits",
                         "密钥应有编号和 32 位十六进制");
      }
      if (keys.Find(id) < keys.keys.size()) {
        return KeysFault(source, "two keys have one id", "密钥编号重复");
      }
      keys.keys.push_back({id, bytes});
    }
    keys.current = keys.Find(root["current"].as<std::string>());
    keys.index_key = bytes_of(root["index_hex"]);
  } catch (const YAML::Exception& e) {
    return KeysFault(source, StrCat("line ", e.mark.line + 1, ": ", e.msg), "格式有误");
  }
  if (keys.current >= keys.keys.size()) {
    return KeysFault(source, "'current' names no key", "current 没有对应的密钥");
  }
  if (keys.index_key.size() != kIndexKeyBytes) {
    return KeysFault(source, "'index_hex' needs 64 hex digits", "index_hex 应为 64 位十六进制");
  }
  return keys;
}

std::string TextOf(const Keys& keys) {
  std::string text =
      "# Keys of personal data. Whoever has this file can read it; whoever loses it "
      "cannot.\nkeys:\n";
  for (const Keys::Key& key : keys.keys) {
    StrAppend(&text, "  - {id: '", key.id, "', sm4_hex: '", Hex(key.bytes), "'}\n");
  }
  StrAppend(&text, "current: '", keys.keys[keys.current].id, "'\nindex_hex: '", Hex(keys.index_key),
            "'\n");
  return text;
}

// What was read before may stand sealed or indexed in databases.
absl::Status CheckReplacement(const std::string& source, const Keys& before, const Keys& after) {
  if (before.index_key != after.index_key) {
    return KeysFault(source, "'index_hex' changed: nobody would be found any more; put it back",
                     "index_hex 不得更改，否则无法查到任何人，请恢复");
  }
  for (const Keys::Key& key : before.keys) {
    const size_t same = after.Find(key.id);
    if (same < after.keys.size() && after.keys[same].bytes != key.bytes) {
      return KeysFault(source, StrCat("key '", key.id, "' changed: give a new key a new id"),
                       StrCat("密钥“", key.id, "”内容被更改：新密钥请用新编号"));
    }
  }
  return absl::OkStatus();
}

// A file as it was when it was read.
struct Stamp {
  int64_t modified_s = 0;
  int64_t modified_ns = 0;
  uint64_t inode = 0;
  int64_t size = -1;
  bool operator==(const Stamp&) const = default;
};

Stamp StampOf(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return {};
  return {info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_ino, info.st_size};
}

absl::StatusOr<std::string> FileText(const std::string& path) {
  struct stat info {};
  std::ifstream file(path, std::ios::binary);
  if (stat(path.c_str(), &info) != 0 || !file) {
    return KeysFault(path, "it cannot be read; make one or correct the path", "无法读取");
  }
  if ((info.st_mode & 0007) != 0) {
    return KeysFault(path, "others may read it; set its mode to 0600 or 0640",
                     "权限过宽，应为 0600 或 0640");
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

absl::StatusOr<std::string> CommandText(const std::string& command) {
  const std::string quoted = Replace(command, "'", "'\\''");
  std::FILE* out = popen(StrCat("exec timeout -s KILL 20 sh -c '", quoted, "'").c_str(), "re");
  if (out == nullptr) return KeysFault("the command", "it cannot be run", "命令无法执行");
  std::string text;
  std::array<char, 4096> some;
  for (size_t read; (read = std::fread(some.data(), 1, some.size(), out)) > 0;) {
    text.append(some.data(), read);
  }
  if (pclose(out) == 0) return text;
  return KeysFault("the command", "it failed or took more than 20 s", "命令失败或超过 20 秒");
}

// A new file with the text, on the disk.
bool WriteNew(const std::string& path, const std::string& text, mode_t mode) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return false;
  bool written = fchmod(fd, mode) == 0;
  written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && written;
  written = fsync(fd) == 0 && written;
  written = close(fd) == 0 && written;
  if (!written) unlink(path.c_str());
  return written;
}

// Handles with keys set, kept by each thread for the keys that it used last: setting a key costs
// more than an index.
struct Handles {
  std::shared_ptr<const Keys> keys;
  gcry_mac_hd_t mac = nullptr;
  std::vector<gcry_cipher_hd_t> ciphers;  // By key; nullptr until used.

  void Open(std::shared_ptr<const Keys> wanted) {
    Close();
    keys = std::move(wanted);
    ciphers.resize(keys->keys.size(), nullptr);
    Must(gcry_mac_open(&mac, GCRY_MAC_HMAC_SM3, 0, nullptr));
    Must(gcry_mac_setkey(mac, keys->index_key.data(), keys->index_key.size()));
  }
  // Ready for one message under a nonce and its authenticated context.
  gcry_cipher_hd_t Cipher(size_t key, std::string_view nonce, std::string_view context) {
    gcry_cipher_hd_t& cipher = ciphers[key];
    if (cipher == nullptr) {
      const std::string& bytes = keys->keys[key].bytes;
      Must(gcry_cipher_open(&cipher, GCRY_CIPHER_SM4, GCRY_CIPHER_MODE_GCM, 0));
      Must(gcry_cipher_setkey(cipher, bytes.data(), bytes.size()));
    } else {
      Must(gcry_cipher_reset(cipher));
    }
    Must(gcry_cipher_setiv(cipher, nonce.data(), nonce.size()));
    Must(gcry_cipher_authenticate(cipher, context.data(), context.size()));
    return cipher;
  }
  void Close() {
    if (mac != nullptr) gcry_mac_close(mac);
    for (gcry_cipher_hd_t cipher : ciphers) gcry_cipher_close(cipher);
    mac = nullptr;
    ciphers.clear();
  }
  ~Handles() { Close(); }
};

thread_local Handles t_handles;

}  // namespace

struct PersonalData::State {
  std::string path;  // Or else:
  std::string command;
  absl::Mutex reading;  // One at a time; before `mutex`.
  Stamp stamp ABSL_GUARDED_BY(reading);
  absl::Time ran ABSL_GUARDED_BY(reading) = absl::InfinitePast();
  absl::Mutex mutex;
  std::shared_ptr<const Keys> keys ABSL_GUARDED_BY(mutex);
  std::atomic<uint64_t> number = 0;  // Of `keys`.

  std::shared_ptr<const Keys> Get() {
    absl::MutexLock lock(&mutex);
    return keys;
  }
  Handles& Use() {
    const uint64_t wanted = number.load(std::memory_order_acquire);
    if (t_handles.keys == nullptr || t_handles.keys->number != wanted) t_handles.Open(Get());
    return t_handles;
  }
  // Reads the source where it changed; a command that ran within `recent` is not run again.
  absl::Status Read(absl::Duration recent) {
    absl::MutexLock lock(&reading);
    const absl::Time now = absl::Now();
    const Stamp seen = path.empty() ? Stamp{} : StampOf(path);
    if (path.empty() ? now - ran < recent : seen == stamp) return absl::OkStatus();
    stamp = seen;
    ran = now;
    ASSIGN_OR_RETURN(const std::string text, path.empty() ? CommandText(command) : FileText(path));
    ASSIGN_OR_RETURN(Keys read, ReadKeys(path.empty() ? "the command" : path, text));
    const std::shared_ptr<const Keys> before = Get();
    if (before != nullptr) {
      RETURN_IF_ERROR(CheckReplacement(path.empty() ? "the command" : path, *before, read));
      const bool same = TextOf(*before) == TextOf(read);
      if (same) return absl::OkStatus();
      log::Info("keys of personal data taken over",
                {{"current", std::string_view(read.keys[read.current].id)},
                 {"keys", static_cast<int64_t>(read.keys.size())}});
    }
    absl::MutexLock change(&mutex);
    keys = std::make_shared<const Keys>(std::move(read));
    number.store(keys->number, std::memory_order_release);
    return absl::OkStatus();
  }
  absl::Status Reload(absl::Duration recent) {
    const absl::Status status = Read(recent);
    if (!status.ok()) {
      log::Error("keys of personal data refused, the ones before stay in use",
                 {{"reason", FromAbsl(status.message())}});
    }
    return status;
  }
};

PersonalData::PersonalData(std::unique_ptr<State> state) : state_(std::move(state)) {}
PersonalData::~PersonalData() = default;
PersonalData::PersonalData(PersonalData&&) noexcept = default;
PersonalData& PersonalData::operator=(PersonalData&&) noexcept = default;

absl::StatusOr<PersonalData> PersonalData::Open(std::unique_ptr<State> state) {
  UseLibrary();
  if (!state->path.empty() && StampOf(state->path) == Stamp{}) {
    return FileText(state->path).status();
  }
  RETURN_IF_ERROR(state->Read(absl::ZeroDuration()));
  return PersonalData(std::move(state));
}

absl::StatusOr<PersonalData> PersonalData::FromFile(const std::string& path) {
  auto state = std::make_unique<State>();
  state->path = path;
  return Open(std::move(state));
}

absl::StatusOr<PersonalData> PersonalData::FromCommand(const std::string& command) {
  auto state = std::make_unique<State>();
  state->command = command;
  return Open(std::move(state));
}

absl::Status PersonalData::GenerateFile(const std::string& path) {
  Keys keys;
  keys.keys.push_back({"k1", RandomBytes(kCipherKeyBytes)});
  keys.index_key = RandomBytes(kIndexKeyBytes);
  if (WriteNew(path, TextOf(keys), 0600)) return absl::OkStatus();
  return KeysFault(path, "it exists or its folder cannot be written; nothing was changed",
                   "已存在或目录不可写，未作改动");
}

absl::StatusOr<std::string> PersonalData::AddKey(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, FileText(path));
  ASSIGN_OR_RETURN(Keys keys, ReadKeys(path, text));
  size_t number = keys.keys.size();
  std::string id;
  do {
    id = StrCat("k", ++number);
  } while (keys.Find(id) < keys.keys.size());
  keys.current = keys.keys.size();
  keys.keys.push_back({id, RandomBytes(kCipherKeyBytes)});
  struct stat info {};
  const std::string beside = StrCat(path, ".new");
  unlink(beside.c_str());  // Of an attempt that was cut short.
  if (stat(path.c_str(), &info) == 0 && WriteNew(beside, TextOf(keys), info.st_mode & 0770) &&
      std::rename(beside.c_str(), path.c_str()) == 0) {
    return id;
  }
  return KeysFault(path, "its folder cannot be written; nothing was changed",
                   "目录不可写，未作改动");
}

absl::Status PersonalData::Reload() const { return state_->Reload(kCommandEvery); }

std::vector<std::string> PersonalData::KeyIds() const {
  std::vector<std::string> ids;
  for (const Keys::Key& key : state_->Get()->keys) ids.push_back(key.id);
  return ids;
}

std::string PersonalData::CurrentKeyId() const {
  const std::shared_ptr<const Keys> keys = state_->Get();
  return keys->keys[keys->current].id;
}

std::string PersonalData::SealedPrefix(std::string_view key_id) {
  return StrCat(std::string(1, static_cast<char>(key_id.size())), key_id);
}

std::string_view PersonalData::KeyIdOf(std::string_view sealed) {
  const size_t size = sealed.empty() ? 0 : static_cast<unsigned char>(sealed[0]);
  return sealed.size() > size ? sealed.substr(1, size) : std::string_view();
}

// Layout: length of the key id (1 byte), key id, nonce, ciphertext, tag.
std::string PersonalData::Encrypt(std::string_view plain, std::string_view context) const {
  Handles& handles = state_->Use();
  const size_t current = handles.keys->current;
  std::array<char, kNonceBytes> nonce;
  gcry_create_nonce(nonce.data(), nonce.size());
  std::string sealed = SealedPrefix(handles.keys->keys[current].id);
  sealed.append(nonce.data(), nonce.size());
  const size_t head = sealed.size();
  sealed.append(plain).resize(head + plain.size() + kTagBytes);
  const gcry_cipher_hd_t cipher = handles.Cipher(current, {nonce.data(), nonce.size()}, context);
  Must(gcry_cipher_encrypt(cipher, sealed.data() + head, plain.size(), nullptr, 0));
  Must(gcry_cipher_gettag(cipher, sealed.data() + head + plain.size(), kTagBytes));
  return sealed;
}

absl::StatusOr<std::string> PersonalData::Decrypt(std::string_view sealed,
                                                  std::string_view context) const {
  const auto damaged = [] {
    return Internal(
        "sealed personal data is damaged, was moved, or its key is not in the key file");
  };
  const std::string_view id = KeyIdOf(sealed);
  const size_t head = 1 + id.size();
  if (id.empty() || sealed.size() < head + kNonceBytes + kTagBytes) return damaged();
  Handles* handles = &state_->Use();
  size_t key = handles->keys->Find(id);
  if (key == handles->keys->keys.size()) {
    state_->Reload(kCommandAtOnce).IgnoreError();  // Logged; the keys at hand decide.
    handles = &state_->Use();
    key = handles->keys->Find(id);
  }
  if (key == handles->keys->keys.size()) return damaged();
  const std::string_view nonce = sealed.substr(head, kNonceBytes);
  std::string plain(sealed.substr(head + kNonceBytes));
  const std::string tag = plain.substr(plain.size() - kTagBytes);
  plain.resize(plain.size() - kTagBytes);
  const gcry_cipher_hd_t cipher = handles->Cipher(key, nonce, context);
  Must(gcry_cipher_decrypt(cipher, plain.data(), plain.size(), nullptr, 0));
  if (gcry_cipher_checktag(cipher, tag.data(), tag.size()) != 0) return damaged();
  return plain;
}

std::string PersonalData::Index(std::string_view scope, std::string_view plain) const {
  const gcry_mac_hd_t mac = state_->Use().mac;
  Must(gcry_mac_reset(mac));
  Must(gcry_mac_write(mac, scope.data(), scope.size()));
  Must(gcry_mac_write(mac, "\0", 1));  // Parts the two, as neither holds NUL.
  Must(gcry_mac_write(mac, plain.data(), plain.size()));
  std::array<char, 32> digest;
  size_t size = digest.size();
  Must(gcry_mac_read(mac, digest.data(), &size));
  return Hex({digest.data(), kIndexBytes});
}

std::string Sm3Hex(std::string_view bytes) {
  UseLibrary();
  std::array<char, 32> digest;
  gcry_md_hash_buffer(GCRY_MD_SM3, digest.data(), bytes.data(), bytes.size());
  return Hex({digest.data(), digest.size()});
}

}  // namespace gonghui::crypto
