// A digest that is equal for equal requests.
#pragma once

#include <string>

#include "google/protobuf/message.h"

namespace gonghui::rpc {

// SHA-256 in hex of the message with maps in a fixed order.
std::string DigestOf(const google::protobuf::Message& message);

}  // namespace gonghui::rpc
