// Text as people write it: see common/sheet/text.h.
#pragma once

#include "common/sheet/text.h"

namespace gonghui::cli {

using sheet::DecodeText;
using sheet::DisplayWidth;
using sheet::Halfwidth;
using sheet::HeadingKey;
using sheet::IsUtf8;
using sheet::Nearest;
using sheet::Trimmed;
using sheet::WithoutBrackets;

}  // namespace gonghui::cli
