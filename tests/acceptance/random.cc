#include "tests/acceptance/random.h"

namespace gonghui::district {

Random::Random(uint64_t seed, absl::string_view topic) : state_(seed) {
  for (char c : topic) {
    state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    Next();
  }
}

uint64_t Random::Next() {  // SplitMix64
  uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

int64_t Random::Below(int64_t bound) {
  return static_cast<int64_t>((static_cast<unsigned __int128>(Next()) * bound) >> 64);
}

int64_t Random::Between(int64_t low, int64_t high) { return low + Below(high - low + 1); }

std::vector<int64_t> Random::Split(int64_t total, size_t parts, int64_t least) {
  std::vector<int64_t> weights(parts);
  int64_t sum = 0;
  for (int64_t& weight : weights) {
    int64_t root = Between(10, 100);
    weight = root * root * root;
    sum += weight;
  }
  // Cutting the running total keeps the sum exact.
  const int64_t rest = total - least * static_cast<int64_t>(parts);
  int64_t running = 0, given = 0;
  for (int64_t& weight : weights) {
    running += weight;
    auto upto = static_cast<int64_t>(static_cast<__int128>(rest) * running / sum);
    weight = least + upto - given;
    given = upto;
  }
  return weights;
}

}  // namespace gonghui::district
