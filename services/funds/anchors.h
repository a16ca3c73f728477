// Where signed heads are kept outside the database: a file that is appended to, or an HTTP
// endpoint.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace gonghui::funds {

// A signed head as it is written down: one JSON object a line, {"content": base64, "signature":
// base64}.
struct SignedHead {
  std::string content;
  std::string signature;
  bool operator==(const SignedHead&) const = default;
};
std::string ToLine(const SignedHead& head);
// nullopt-like: an empty content where the line is no head.
SignedHead ParseLine(std::string_view line);

// Thread-safe.
class Anchor {
 public:
  virtual ~Anchor() = default;
  // Written for good when OK. A head may be written twice.
  virtual absl::Status Write(absl::Span<const SignedHead> heads) = 0;
  // Shows every line in the order written; a line that is no head has an empty content.
  virtual absl::Status Read(const std::function<void(const SignedHead&)>& head) = 0;
};

// "http://host:port/path": POST of lines, GET gives all lines. Else the path of a file, made when
// missing. Empty: nothing is kept, nothing is found.
absl::StatusOr<std::unique_ptr<Anchor>> OpenAnchor(const std::string& target);

}  // namespace gonghui::funds
