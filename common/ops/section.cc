#include "common/ops/section.h"

#include <map>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/base/text.h"

namespace gonghui::ops {
namespace {

struct Sections {
  absl::Mutex mutex;
  // Title and section: the order of the page.
  std::map<std::pair<std::string, const Section*>, std::function<std::string()>> all
      ABSL_GUARDED_BY(mutex);
};

// Never destroyed: threads may ask until the process ends.
Sections& TheSections() {
  static Sections& sections = *new Sections;
  return sections;
}

}  // namespace

Section::Section(std::string title, std::function<std::string()> tell) : title_(std::move(title)) {
  Sections& sections = TheSections();
  absl::MutexLock lock(&sections.mutex);
  sections.all[{title_, this}] = std::move(tell);
}

Section::~Section() {
  Sections& sections = TheSections();
  absl::MutexLock lock(&sections.mutex);
  sections.all.erase({title_, this});
}

std::string TellSections() {
  Sections& sections = TheSections();
  absl::MutexLock lock(&sections.mutex);
  std::string text;
  std::string_view title;
  for (const auto& [key, tell] : sections.all) {
    if (key.first != title) StrAppend(&text, "\n", key.first, "\n");
    title = key.first;
    const std::string told = tell();
    for (const std::string_view line : Split(told, '\n')) {
      if (!line.empty()) StrAppend(&text, "  ", line, "\n");
    }
  }
  return text;
}

}  // namespace gonghui::ops
