#include "common/base/trace.h"

namespace gonghui {
namespace {

thread_local std::string_view current_trace;  // NOLINT(*-avoid-non-const-global-variables)

}  // namespace

TraceScope::TraceScope(std::string_view trace) : before_(current_trace) { current_trace = trace; }

TraceScope::~TraceScope() { current_trace = before_; }

std::string_view CurrentTrace() { return current_trace; }

}  // namespace gonghui
