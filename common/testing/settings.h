// What the environment says about the size and the seed of a test.
#pragma once

#include <cstdint>

namespace gonghui::testing {

// True where GONGHUI_FULL is set: the long run instead of the one for every change.
bool FullSize();

// GONGHUI_SEED, or a random number. Printed, so that a failure can be repeated.
uint64_t Seed();

}  // namespace gonghui::testing
