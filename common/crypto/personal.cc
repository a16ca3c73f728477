#include "common/crypto/personal.h"

#include <fcntl.h>
#include <gcrypt.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "yaml-cpp/yaml.h"

namespace gonghui::crypto {
namespace {

constexpr size_t kCipherKeyBytes = 16;
constexpr size_t kIndexKeyBytes = 32;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;
constexpr size_t kIndexBytes = 16;

// libgcrypt fails only when misused or out of memory: nothing can go on then.
void Must(gcry_error_t error) {
  if (error == 0) return;
  log::Error("crypto", {{"cause", std::string_view(gcry_strerror(error))}});
  std::abort();
}

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

// Handles with keys set, kept by each thread for the PersonalData that it used last: setting a key
// costs more than an index.
struct Handles {
  uint64_t owner = 0;
  gcry_mac_hd_t mac = nullptr;
  std::vector<gcry_cipher_hd_t> ciphers;  // By key; nullptr until used.

  void Close() {
    if (mac != nullptr) gcry_mac_close(mac);
    for (gcry_cipher_hd_t cipher : ciphers) gcry_cipher_close(cipher);
    mac = nullptr;
    ciphers.clear();
  }
  ~Handles() { Close(); }
};

thread_local Handles t_handles;

absl::Status KeyFileFault(const std::string& path, std::string_view what,
                          std::string_view what_zh) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID, StrCat("key file ", path, ": ", what),
                         StrCat("密钥文件 ", path, "：", what_zh))
      .With("path", path);
}

}  // namespace

struct PersonalData::State {
  struct Key {
    std::string id;
    std::string bytes;
  };
  uint64_t number = 0;  // Unlike an address, never used again.
  std::vector<Key> keys;
  size_t current = 0;
  std::string index_key;

  Handles& Open() const {
    if (t_handles.owner != number) {
      t_handles.Close();
      t_handles.owner = number;
      t_handles.ciphers.resize(keys.size(), nullptr);
      Must(gcry_mac_open(&t_handles.mac, GCRY_MAC_HMAC_SM3, 0, nullptr));
      Must(gcry_mac_setkey(t_handles.mac, index_key.data(), index_key.size()));
    }
    return t_handles;
  }

  // Ready for one message under a nonce and its authenticated context.
  gcry_cipher_hd_t Cipher(size_t key, std::string_view nonce, std::string_view context) const {
    gcry_cipher_hd_t& cipher = Open().ciphers[key];
    if (cipher == nullptr) {
      Must(gcry_cipher_open(&cipher, GCRY_CIPHER_SM4, GCRY_CIPHER_MODE_GCM, 0));
      Must(gcry_cipher_setkey(cipher, keys[key].bytes.data(), keys[key].bytes.size()));
    } else {
      Must(gcry_cipher_reset(cipher));
    }
    Must(gcry_cipher_setiv(cipher, nonce.data(), nonce.size()));
    Must(gcry_cipher_authenticate(cipher, context.data(), context.size()));
    return cipher;
  }
};

PersonalData::PersonalData() : state_(std::make_unique<State>()) {
  static std::atomic<uint64_t> count{0};
  UseLibrary();
  state_->number = ++count;
}
PersonalData::~PersonalData() = default;
PersonalData::PersonalData(PersonalData&&) noexcept = default;
PersonalData& PersonalData::operator=(PersonalData&&) noexcept = default;

absl::StatusOr<PersonalData> PersonalData::FromFile(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    return KeyFileFault(path, "it cannot be read; make one or correct the path", "无法读取");
  }
  if ((info.st_mode & 0007) != 0) {
    return KeyFileFault(path, "others may read it; set its mode to 0600 or 0640",
                        "权限过宽，应为 0600 或 0640");
  }
  PersonalData data;
  State& state = *data.state_;
  const auto bytes_of = [](const YAML::Node& hex) {
    return absl::HexStringToBytes(hex.as<std::string>());
  };
  // yaml-cpp reports by exceptions; they end here.
  try {
    const YAML::Node root = YAML::LoadFile(path);
    const auto current = root["current"].as<std::string>();
    state.current = root["keys"].size();
    for (const auto& node : root["keys"]) {
      state.keys.push_back({node["id"].as<std::string>(), bytes_of(node["sm4_hex"])});
      const State::Key& key = state.keys.back();
      if (key.id.empty() || key.id.size() > 255 || key.bytes.size() != kCipherKeyBytes) {
        return KeyFileFault(path, "a key needs an id and 32 hex digits",
                            "密钥应有编号和 32 位十六进制");
      }
      if (key.id == current) state.current = state.keys.size() - 1;
    }
    state.index_key = bytes_of(root["index_hex"]);
  } catch (const YAML::Exception& e) {
    return KeyFileFault(path, StrCat("line ", e.mark.line + 1, ": ", e.msg), "格式有误");
  }
  if (state.current >= state.keys.size()) {
    return KeyFileFault(path, "'current' names no key", "current 没有对应的密钥");
  }
  if (state.index_key.size() != kIndexKeyBytes) {
    return KeyFileFault(path, "'index_hex' needs 64 hex digits", "index_hex 应为 64 位十六进制");
  }
  return data;
}

absl::Status PersonalData::GenerateFile(const std::string& path) {
  const std::string text = StrCat(
      "# Keys of personal data. Whoever has this file can read it; whoever loses it cannot.\n",
      "keys:\n  - {id: k1, sm4_hex: '", Hex(RandomBytes(kCipherKeyBytes)),
      "'}\ncurrent: k1\nindex_hex: '", Hex(RandomBytes(kIndexKeyBytes)), "'\n");
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    return KeyFileFault(path, "it exists or its folder cannot be written; nothing was changed",
                        "已存在或目录不可写，未作改动");
  }
  bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  written = fsync(fd) == 0 && written;
  written = close(fd) == 0 && written;
  if (written) return absl::OkStatus();
  unlink(path.c_str());
  return KeyFileFault(path, "it could not be written in full", "写入失败");
}

// Layout: length of the key id (1 byte), key id, nonce, ciphertext, tag.
std::string PersonalData::Encrypt(std::string_view plain, std::string_view context) const {
  const State::Key& key = state_->keys[state_->current];
  std::array<char, kNonceBytes> nonce;
  gcry_create_nonce(nonce.data(), nonce.size());
  std::string sealed(1, static_cast<char>(key.id.size()));
  sealed.append(key.id).append(nonce.data(), nonce.size());
  const size_t head = sealed.size();
  sealed.append(plain).resize(head + plain.size() + kTagBytes);
  const gcry_cipher_hd_t cipher =
      state_->Cipher(state_->current, {nonce.data(), nonce.size()}, context);
  Must(gcry_cipher_encrypt(cipher, sealed.data() + head, plain.size(), nullptr, 0));
  Must(gcry_cipher_gettag(cipher, sealed.data() + head + plain.size(), kTagBytes));
  return sealed;
}

absl::StatusOr<std::string> PersonalData::Decrypt(std::string_view sealed,
                                                  std::string_view context) const {
  const absl::Status damaged =
      Internal("sealed personal data is damaged, was moved, or its key is not in the key file");
  if (sealed.empty()) return damaged;
  const size_t id_size = static_cast<unsigned char>(sealed[0]);
  if (sealed.size() < 1 + id_size + kNonceBytes + kTagBytes) return damaged;
  const std::string_view id = sealed.substr(1, id_size);
  size_t key = 0;
  while (key < state_->keys.size() && state_->keys[key].id != id) ++key;
  if (key == state_->keys.size()) return damaged;
  const std::string_view nonce = sealed.substr(1 + id_size, kNonceBytes);
  std::string plain(sealed.substr(1 + id_size + kNonceBytes));
  const std::string tag = plain.substr(plain.size() - kTagBytes);
  plain.resize(plain.size() - kTagBytes);
  const gcry_cipher_hd_t cipher = state_->Cipher(key, nonce, context);
  Must(gcry_cipher_decrypt(cipher, plain.data(), plain.size(), nullptr, 0));
  if (gcry_cipher_checktag(cipher, tag.data(), tag.size()) != 0) return damaged;
  return plain;
}

std::string PersonalData::Index(std::string_view scope, std::string_view plain) const {
  const gcry_mac_hd_t mac = state_->Open().mac;
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
