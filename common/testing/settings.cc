#include "common/testing/settings.h"

#include <cstdio>
#include <cstdlib>
#include <random>

namespace gonghui::testing {

bool FullSize() { return std::getenv("GONGHUI_FULL") != nullptr; }

uint64_t Seed() {
  const char* text = std::getenv("GONGHUI_SEED");
  const uint64_t seed =
      text == nullptr ? std::random_device{}() : std::strtoull(text, nullptr, /*base=*/10);
  std::printf("seed %llu (GONGHUI_SEED repeats it)\n", static_cast<unsigned long long>(seed));
  return seed;
}

}  // namespace gonghui::testing
