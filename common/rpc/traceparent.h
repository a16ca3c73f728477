// W3C trace context, version 00.
#pragma once

#include <string>
#include <string_view>

namespace gonghui::rpc {

// The traceparent of our own span: the same trace with a new span id, or a new sampled trace where
// `received` is empty or malformed.
std::string ContinueTrace(std::string_view received);

}  // namespace gonghui::rpc
