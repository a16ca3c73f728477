#include "common/crypto/personal.h"

#include <gcrypt.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "gtest/gtest.h"

namespace gonghui::crypto {
namespace {

// A folder of one test, removed afterwards.
class KeyFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "personal-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ + "/personal.yaml";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  PersonalData Open() {
    auto data = PersonalData::FromFile(path_);
    EXPECT_TRUE(data.ok()) << data.status();
    return *std::move(data);
  }
  void Write(std::string_view text) {
    std::filesystem::remove(path_);
    std::ofstream(path_) << text;
    chmod(path_.c_str(), 0600);
  }

  std::string folder_;
  std::string path_;
};

constexpr std::string_view kTwoKeys = R"(
keys:
  - {id: k1, sm4_hex: 0123456789abcdeffedcba9876543210}
  - {id: k2, sm4_hex: 00000000000000000000000000000001}
current: CURRENT
index_hex: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
)";

TEST(Sm3Test, StandardVector) {
  EXPECT_EQ(Sm3Hex("abc"), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
}

TEST(Sm4Test, StandardVector) {
  const std::string key = absl::HexStringToBytes("0123456789abcdeffedcba9876543210");
  std::string block = key;
  Sm3Hex("");  // Sets the library up.
  gcry_cipher_hd_t cipher;
  ASSERT_EQ(gcry_cipher_open(&cipher, GCRY_CIPHER_SM4, GCRY_CIPHER_MODE_ECB, 0), 0U);
  ASSERT_EQ(gcry_cipher_setkey(cipher, key.data(), key.size()), 0U);
  ASSERT_EQ(gcry_cipher_encrypt(cipher, block.data(), block.size(), nullptr, 0), 0U);
  gcry_cipher_close(cipher);
  EXPECT_EQ(absl::BytesToHexString(block), "681edf34d206965e86b3e94f536e4246");
}

// GM/T 0042, annex D.
TEST(HmacSm3Test, StandardVector) {
  const std::string key =
      absl::HexStringToBytes("0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20");
  const std::string half = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  const std::string message = half + half;
  Sm3Hex("");  // Sets the library up.
  gcry_mac_hd_t mac;
  ASSERT_EQ(gcry_mac_open(&mac, GCRY_MAC_HMAC_SM3, 0, nullptr), 0U);
  ASSERT_EQ(gcry_mac_setkey(mac, key.data(), key.size()), 0U);
  ASSERT_EQ(gcry_mac_write(mac, message.data(), message.size()), 0U);
  std::string digest(32, '\0');
  size_t size = digest.size();
  ASSERT_EQ(gcry_mac_read(mac, digest.data(), &size), 0U);
  gcry_mac_close(mac);
  EXPECT_EQ(absl::BytesToHexString(digest),
            "ca05e144ed05d1857840d1f318a4a8669e559fc8391f414485bfdf7bb408963a");
}

// RFC 8998, A.1.
TEST_F(KeyFileTest, OpensTheStandardVector) {
  Write(Replace(kTwoKeys, "CURRENT", "k1"));
  const std::string sealed = absl::HexStringToBytes(
      "026b31"  // The key's id as we write it: k1.
      "00001234567800000000abcd"
      "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
      "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
      "83de3541e4c2b58177e065a9bf7b62ec");
  const auto opened =
      Open().Decrypt(sealed, absl::HexStringToBytes("feedfacedeadbeeffeedfacedeadbeefabaddad2"));
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(absl::BytesToHexString(*opened),
            "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
            "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa");
}

TEST_F(KeyFileTest, GeneratesOnceAndPrivately) {
  ASSERT_TRUE(PersonalData::GenerateFile(path_).ok());
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  Open();
  EXPECT_FALSE(PersonalData::GenerateFile(path_).ok());
}

TEST_F(KeyFileTest, RefusesWhatOthersMayRead) {
  ASSERT_TRUE(PersonalData::GenerateFile(path_).ok());
  chmod(path_.c_str(), 0644);
  EXPECT_FALSE(PersonalData::FromFile(path_).ok());
}

TEST_F(KeyFileTest, RefusesBadFiles) {
  EXPECT_FALSE(PersonalData::FromFile(path_).ok());
  const std::string good = Replace(kTwoKeys, "CURRENT", "k1");
  for (const std::string& bad :
       {std::string("keys: ["), std::string(""), std::string(kTwoKeys),
        Replace(good, "fedcba9876543210", ""), Replace(good, "00010203", "")}) {
    Write(bad);
    EXPECT_FALSE(PersonalData::FromFile(path_).ok()) << bad;
  }
}

TEST_F(KeyFileTest, SealsAndOpens) {
  Write(Replace(kTwoKeys, "CURRENT", "k1"));
  const PersonalData data = Open();
  for (const std::string& plain : {std::string(), std::string("11010519491231002X")}) {
    const std::string sealed = data.Encrypt(plain, "demo/7");
    EXPECT_NE(sealed, data.Encrypt(plain, "demo/7")) << "the nonce must differ";
    const auto opened = data.Decrypt(sealed, "demo/7");
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(*opened, plain);
  }
}

TEST_F(KeyFileTest, DetectsEveryChangedByteAndContext) {
  Write(Replace(kTwoKeys, "CURRENT", "k1"));
  const PersonalData data = Open();
  const std::string sealed = data.Encrypt("secret", "demo/7");
  EXPECT_FALSE(data.Decrypt(sealed, "demo/8").ok());
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(data.Decrypt(changed, "demo/7").ok()) << i;
    EXPECT_FALSE(data.Decrypt(sealed.substr(0, i), "demo/7").ok()) << i;
  }
}

TEST_F(KeyFileTest, KeysRotate) {
  Write(Replace(kTwoKeys, "CURRENT", "k1"));
  const std::string sealed = Open().Encrypt("secret", "c");
  const std::string index = Open().Index("demo", "n");
  Write(Replace(kTwoKeys, "CURRENT", "k2"));
  const PersonalData rotated = Open();
  EXPECT_EQ(*rotated.Decrypt(sealed, "c"), "secret");
  EXPECT_EQ(*rotated.Decrypt(rotated.Encrypt("new", "c"), "c"), "new");
  EXPECT_EQ(rotated.Index("demo", "n"), index);
}

TEST_F(KeyFileTest, TakesOverKeysThatChangeInUse) {
  ASSERT_TRUE(PersonalData::GenerateFile(path_).ok());
  const PersonalData data = Open();
  const std::string sealed = data.Encrypt("secret", "c");
  const std::string index = data.Index("demo", "n");
  EXPECT_EQ(PersonalData::KeyIdOf(sealed), "k1");
  EXPECT_TRUE(data.Reload().ok());
  ASSERT_EQ(*PersonalData::AddKey(path_), "k2");
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  EXPECT_EQ(data.CurrentKeyId(), "k1");
  EXPECT_TRUE(data.Reload().ok());
  EXPECT_EQ(data.CurrentKeyId(), "k2");
  EXPECT_EQ(data.KeyIds(), (std::vector<std::string>{"k1", "k2"}));
  EXPECT_EQ(*data.Decrypt(sealed, "c"), "secret");
  const std::string anew = data.Encrypt("secret", "c");
  EXPECT_EQ(anew.rfind(PersonalData::SealedPrefix("k2"), 0), 0U);
  EXPECT_EQ(data.Index("demo", "n"), index);
}

TEST_F(KeyFileTest, AKeyNotKnownMakesItLookAgain) {
  ASSERT_TRUE(PersonalData::GenerateFile(path_).ok());
  const PersonalData here = Open();
  const PersonalData there = Open();
  ASSERT_TRUE(PersonalData::AddKey(path_).ok());
  ASSERT_TRUE(there.Reload().ok());
  EXPECT_EQ(*here.Decrypt(there.Encrypt("secret", "c"), "c"), "secret");
  EXPECT_EQ(here.CurrentKeyId(), "k2");
}

TEST_F(KeyFileTest, ABadFileChangesNothing) {
  Write(Replace(kTwoKeys, "CURRENT", "k1"));
  const PersonalData data = Open();
  const std::string sealed = data.Encrypt("secret", "c");
  const std::string good = Replace(kTwoKeys, "CURRENT", "k2");
  for (const std::string& bad :
       {std::string("keys: ["), std::string(""), std::string(kTwoKeys),
        Replace(good, "000102", "ff0102"), Replace(good, "0123456789abcdef", "0123456789abcdee"),
        Replace(good, "id: k1", "id: k2")}) {
    Write(bad);
    EXPECT_FALSE(data.Reload().ok()) << bad;
    EXPECT_TRUE(data.Reload().ok()) << "told once";
    EXPECT_EQ(data.CurrentKeyId(), "k1");
    EXPECT_EQ(*data.Decrypt(sealed, "c"), "secret");
  }
  std::filesystem::remove(path_);
  EXPECT_FALSE(data.Reload().ok());
  EXPECT_EQ(*data.Decrypt(sealed, "c"), "secret");
  Write(good);
  EXPECT_TRUE(data.Reload().ok());
  EXPECT_EQ(data.CurrentKeyId(), "k2");
}

TEST_F(KeyFileTest, ReadsWhatACommandPrints) {
  Write(Replace(kTwoKeys, "CURRENT", "k1"));
  const std::string command = "printf '# by %s\\n' 'a command'; cat " + path_;
  auto data = PersonalData::FromCommand(command);
  ASSERT_TRUE(data.ok()) << data.status();
  const std::string sealed = data->Encrypt("secret", "c");
  EXPECT_EQ(*Open().Decrypt(sealed, "c"), "secret");
  EXPECT_FALSE(PersonalData::FromCommand("exit 3").ok());
  EXPECT_FALSE(PersonalData::FromCommand("cat " + path_ + "; false").ok());
}

TEST_F(KeyFileTest, KeysChangeUnderManyThreads) {
  ASSERT_TRUE(PersonalData::GenerateFile(path_).ok());
  const PersonalData data = Open();
  const std::string first = data.Encrypt("first", "c");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      std::vector<std::string> sealed = {first};
      for (int i = 0; i < 500; ++i) {
        sealed.push_back(data.Encrypt("first", "c"));
        EXPECT_EQ(data.Decrypt(sealed[i / 2], "c").value_or("unread"), "first");
      }
    });
  }
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(PersonalData::AddKey(path_).ok());
    EXPECT_TRUE(data.Reload().ok());
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(data.CurrentKeyId(), "k6");
}

TEST_F(KeyFileTest, IndexIsStableScopedAndPerKey) {
  Write(Replace(kTwoKeys, "CURRENT", "k1"));
  const PersonalData one = Open();
  const std::string index = one.Index("demo", "11010519491231002X");
  // HMAC-SM3 by OpenSSL: printf 'demo\0…' | openssl dgst -sm3 -mac HMAC -macopt hexkey:000102…
  EXPECT_EQ(index, "58c8c6c601c8740726f4d75c2c76bf55");
  ASSERT_TRUE(PersonalData::GenerateFile(folder_ + "/other.yaml").ok());
  auto other = PersonalData::FromFile(folder_ + "/other.yaml");
  ASSERT_TRUE(other.ok());
  EXPECT_NE(other->Index("demo", "11010519491231002X"), index);
  EXPECT_EQ(one.Index("demo", "11010519491231002X"), index);
  EXPECT_NE(one.Index("else", "11010519491231002X"), index);
  EXPECT_NE(one.Index("dem", "o11010519491231002X"), index);
}

TEST_F(KeyFileTest, ServesManyThreads) {
  ASSERT_TRUE(PersonalData::GenerateFile(path_).ok());
  const PersonalData data = Open();
  const std::string expected = data.Index("demo", "n");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        EXPECT_EQ(data.Index("demo", "n"), expected);
        EXPECT_EQ(*data.Decrypt(data.Encrypt("p", "c"), "c"), "p");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(IdNumberTest, AcceptsAndNormalizes) {
  EXPECT_EQ(*NormalizeIdNumber("11010519491231002X"), "11010519491231002X");
  EXPECT_EQ(*NormalizeIdNumber(" 11010519491231002x "), "11010519491231002X");
  EXPECT_EQ(*NormalizeIdNumber("１１０１０５１９４９１２３１００２ｘ"), "11010519491231002X");
  EXPECT_EQ(*NormalizeIdNumber("　440524188001010014"), "440524188001010014");
  EXPECT_EQ(*NormalizeIdNumber("110105491231002"), "11010519491231002X");
}

TEST(IdNumberTest, RefusesWithoutRepeatingTheNumber) {
  for (const char* bad : {"", "110105194912310021", "1101051949123100", "110105194902310026",
                          "11010529991231002X", "1101051949123100２年", "ABCDEFGHIJKLMNOPQR"}) {
    const auto number = NormalizeIdNumber(bad);
    ASSERT_FALSE(number.ok()) << bad;
    EXPECT_EQ(ReasonOf(number.status()), common::v1::REASON_ID_NUMBER_INVALID);
    if (*bad != '\0') {
      EXPECT_EQ(number.status().ToString().find(bad), std::string::npos);
    }
  }
}

TEST(IdNumberTest, TellsBirthDateAndSex) {
  EXPECT_EQ(BirthDateOf("11010519491231002X"), "1949-12-31");
  EXPECT_EQ(SexOf("11010519491231002X"), "female");
  EXPECT_EQ(SexOf("440524188001010014"), "male");
}

TEST(MaskTest, ShowsLittle) {
  EXPECT_EQ(MaskIdNumber("11010519491231002X"), "110105********002X");
  EXPECT_EQ(MaskIdNumber("E12345678"), "E******78");
  EXPECT_EQ(MaskIdNumber("E1"), "**");
  EXPECT_EQ(MaskIdNumber("临时证件号"), "临**件号");
  EXPECT_EQ(MaskPhone("13812341234"), "138****1234");
  EXPECT_EQ(MaskPhone("12345"), "*****");
  EXPECT_EQ(MaskName("张三"), "张*");
  EXPECT_EQ(MaskName("欧阳小明"), "欧***");
  EXPECT_EQ(MaskName("张"), "*");
  EXPECT_EQ(MaskName(""), "");
}

}  // namespace
}  // namespace gonghui::crypto
