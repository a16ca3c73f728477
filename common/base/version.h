// The version of the platform's programs.
#pragma once

namespace gonghui {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace gonghui
