#include "services/funds/merkle.h"

#include <bit>

#include "absl/strings/escaping.h"
#include "common/base/text.h"
#include "common/crypto/personal.h"

namespace gonghui::funds {
namespace {

std::string Hash(std::string_view prefix, std::string_view left, std::string_view right) {
  return absl::HexStringToBytes(crypto::Sm3Hex(StrCat(prefix, left, right)));
}

size_t LeftOf(size_t count) { return std::bit_floor(count - 1); }

}  // namespace

std::string MerkleRoot(absl::Span<const std::string> leaves) {
  if (leaves.size() == 1) return Hash(std::string_view("\0", 1), leaves[0], "");
  const size_t left = LeftOf(leaves.size());
  return Hash("\1", MerkleRoot(leaves.subspan(0, left)), MerkleRoot(leaves.subspan(left)));
}

std::vector<std::string> MerklePath(absl::Span<const std::string> leaves, size_t index) {
  if (leaves.size() == 1) return {};
  const size_t left = LeftOf(leaves.size());
  const bool goes_left = index < left;
  std::vector<std::string> path = goes_left ? MerklePath(leaves.subspan(0, left), index)
                                            : MerklePath(leaves.subspan(left), index - left);
  path.push_back(MerkleRoot(goes_left ? leaves.subspan(left) : leaves.subspan(0, left)));
  return path;
}

}  // namespace gonghui::funds
