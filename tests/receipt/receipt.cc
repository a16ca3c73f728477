// A receipt is, in this order:
//   text    "gonghui receipt 1"
//   text    the voucher's bytes: a byte 1, then tenant, book, sequence, month, number, date, memo,
//   source, part, revision,
//           reverses, restates, closing, maker, checker, poster, time, attachments, entries
//   32      hash of the chain before the voucher
//   32 bit  n, then n hashes of 32 bytes: the Merkle path from the bottom up
//   text    the head: "gonghui ledger head 1", tenant, book, index, first and last sequence, root
//   and chain hash in hex,
//           digest of the head before, time
//   64      Ed25519 signature of the head
// A text is its length in 32 bits and its bytes, a number 64 bits, a truth value a byte; big
// endian.
#include "tests/receipt/receipt.h"

#include <openssl/evp.h>

#include <memory>

namespace receipt {
namespace {

constexpr size_t kHash = 32;
constexpr size_t kSignature = 64;

class Bytes {
 public:
  explicit Bytes(const std::string& bytes) : bytes_(bytes) {}
  uint64_t Number(size_t size) {
    uint64_t value = 0;
    for (const char c : Raw(size)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  int64_t Signed() { return static_cast<int64_t>(Number(8)); }
  std::string Raw(size_t size) {
    if (size > bytes_.size() - at_) {
      good_ = false;
      return "";
    }
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }
  std::string Text() { return Raw(Number(4)); }
  void Flag() { good_ = Number(1) <= 1 && good_; }
  bool good() const { return good_; }
  bool done() const { return good_ && at_ == bytes_.size(); }

 private:
  const std::string& bytes_;
  size_t at_ = 0;
  bool good_ = true;
};

const unsigned char* Data(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string Sm3(const std::string& bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sm3(), nullptr) != 1) return "";
  return std::string(reinterpret_cast<char*>(digest), size);
}

std::string Hex(const std::string& bytes) {
  std::string hex;
  for (const char c : bytes) {
    hex += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    hex += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

bool IsSigned(const std::string& message, const std::string& signature, const std::string& raw) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Data(raw), raw.size()),
      &EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  return key != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), Data(signature), signature.size(), Data(message),
                          message.size()) == 1;
}

bool ReadVoucher(const std::string& bytes, Proven& p) {
  Bytes in(bytes);
  if (in.Number(1) != 1) return false;
  p.federation = in.Text();
  p.book = in.Text();
  p.sequence = in.Signed();
  p.month = in.Text();
  p.number = in.Signed();
  p.on_date = in.Text();
  p.memo = in.Text();
  in.Text();    // Source,
  in.Signed();  // its part
  in.Signed();  // and revision.
  in.Text();    // What it reverses
  in.Text();    // or restates.
  in.Flag();    // Closing.
  p.maker = in.Text();
  p.checker = in.Text();
  p.poster = in.Text();
  p.posted_us = in.Signed();
  in.Text();  // Attachments.
  for (uint64_t left = in.Number(4); left > 0 && in.good(); --left) {
    Entry& entry = p.entries.emplace_back();
    entry.account = in.Text();
    entry.debit_fen = in.Signed();
    entry.credit_fen = in.Signed();
    entry.memo = in.Text();
    entry.dimensions = in.Text();
  }
  return in.done();
}

struct Head {
  std::string federation;
  std::string book;
  int64_t first = 0;
  int64_t last = 0;
  std::string root;
};

bool ReadHead(const std::string& bytes, Head& head, Proven& p) {
  Bytes in(bytes);
  if (in.Text() != "gonghui ledger head 1") return false;
  head.federation = in.Text();
  head.book = in.Text();
  p.head = in.Signed();
  head.first = in.Signed();
  head.last = in.Signed();
  head.root = in.Text();
  in.Text();  // Hash of the chain
  in.Text();  // and digest of the head before.
  p.signed_us = in.Signed();
  return in.done();
}

// The root over `count` leaves of which number `index` is `leaf`; takes the siblings from the top
// down. Empty where they are too few.
std::string Root(const std::string& leaf, uint64_t index, uint64_t count,
                 std::vector<std::string>& path) {
  if (count == 1) return leaf;
  if (path.empty()) return "";
  uint64_t left = 1;
  while (left * 2 < count) left *= 2;
  const std::string sibling = path.back();
  path.pop_back();
  const bool goes_left = index < left;
  const std::string below =
      goes_left ? Root(leaf, index, left, path) : Root(leaf, index - left, count - left, path);
  if (below.empty()) return "";
  return Sm3("\1" + (goes_left ? below + sibling : sibling + below));
}

}  // namespace

bool Verify(const std::string& receipt, const std::string& public_key, Proven& proven,
            std::string& reason) {
  proven = {};
  const auto refuse = [&](const char* why) {
    reason = why;
    return false;
  };
  Bytes in(receipt);
  if (in.Text() != "gonghui receipt 1") return refuse("not a receipt");
  const std::string voucher = in.Text();
  const std::string before = in.Raw(kHash);
  std::vector<std::string> path;
  for (uint64_t left = in.Number(4); left > 0 && in.good(); --left) path.push_back(in.Raw(kHash));
  const std::string head_bytes = in.Text();
  const std::string signature = in.Raw(kSignature);
  if (!in.done()) return refuse("too short or too long");
  Head head;
  if (!ReadVoucher(voucher, proven)) return refuse("the voucher is damaged");
  if (!ReadHead(head_bytes, head, proven)) return refuse("the head is damaged");
  if (!IsSigned(head_bytes, signature, public_key))
    return refuse("the head is not signed by the key");
  if (head.federation != proven.federation || head.book != proven.book) {
    return refuse("the head is of another book");
  }
  if (proven.sequence < head.first || proven.sequence > head.last) {
    return refuse("the head does not cover the voucher");
  }
  const std::string leaf = Sm3(std::string(1, '\0') + Sm3(before + voucher));
  const std::string root = Root(leaf, static_cast<uint64_t>(proven.sequence - head.first),
                                static_cast<uint64_t>(head.last - head.first + 1), path);
  if (!path.empty() || Hex(root) != head.root) return refuse("the voucher is not under the head");
  return true;
}

}  // namespace receipt
