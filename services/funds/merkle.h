// Merkle trees over hashes as Certificate Transparency builds them (RFC 6962, 2.1), with SM3.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace gonghui::funds {

// Hashes are 32 raw bytes. A leaf is SM3 of a zero byte and the hash, a node SM3 of a one byte and
// its two children; of n leaves the left child takes the largest power of two that is less than n.
// `leaves` is not empty.
std::string MerkleRoot(absl::Span<const std::string> leaves);
// The siblings of leaf `index` from the bottom up.
std::vector<std::string> MerklePath(absl::Span<const std::string> leaves, size_t index);

}  // namespace gonghui::funds
