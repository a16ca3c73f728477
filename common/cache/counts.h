// How often a level of the cache held what was asked for.
#pragma once

#include <string_view>

#include "common/ops/metrics.h"

namespace gonghui::cache {

struct Counts {
  explicit Counts(std::string_view level) : hit(Make(level, "hit")), miss(Make(level, "miss")) {}

  const ops::Counter hit;
  const ops::Counter miss;

 private:
  static ops::Counter Make(std::string_view level, std::string_view result) {
    return ops::Counter("gonghui_cache_total", "Look-ups in the cache.",
                        {{"level", level}, {"result", result}});
  }
};

}  // namespace gonghui::cache
