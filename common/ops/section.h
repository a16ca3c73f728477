// What a part of the process tells operators when they ask.
#pragma once

#include <functional>
#include <string>

namespace gonghui::ops {

// A section of /statusz. Gauges that change by themselves, as ages do, are set by its `tell`, which
// /metrics asks too. Thread-safe.
class Section {
 public:
  // `tell` gives whole lines, without personal data and without secrets. It is called on any thread
  // while the section lives, must answer at once and may not make or end a section.
  Section(std::string title, std::function<std::string()> tell);
  ~Section();
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;

 private:
  const std::string title_;
};

// Everything the sections tell, under their titles. Sections of one title stand together.
std::string TellSections();

}  // namespace gonghui::ops
