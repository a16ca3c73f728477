// The trace that a thread works for. Every log line that the thread writes carries it.
#pragma once

#include <string_view>

namespace gonghui {

// Trace id (32 hex digits) of a W3C traceparent; empty where that is none. A part of `traceparent`.
inline std::string_view TraceOf(std::string_view traceparent) {
  return traceparent.size() >= 35 ? traceparent.substr(3, 32) : std::string_view();
}

// While it lives, its thread works for this trace, whose text outlives it. An empty one: for none.
class TraceScope {
 public:
  explicit TraceScope(std::string_view trace);
  ~TraceScope();
  TraceScope(const TraceScope&) = delete;
  TraceScope& operator=(const TraceScope&) = delete;

 private:
  const std::string_view before_;
};

// Of the innermost scope of this thread; empty without one.
std::string_view CurrentTrace();

}  // namespace gonghui
