// HTTP routes from google.api.http annotations.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "google/api/http.pb.h"
#include "google/protobuf/descriptor.h"

namespace gonghui::gateway {

// A path template such as "/v1/{name=federations/*/cases/*}:advance". "*" is one segment, "**" the
// rest.
class PathTemplate {
 public:
  static absl::StatusOr<PathTemplate> Parse(std::string_view text);
  // Field path -> value for a decoded path, or nullopt.
  std::optional<std::map<std::string, std::string>> Match(std::string_view path) const;

 private:
  struct Segment {
    enum Kind { kLiteral, kOne, kRest } kind;
    std::string text;
    int variable = -1;
  };
  std::vector<Segment> segments_;
  std::vector<std::string> variables_;
  std::string verb_;
};

// One way to call a method over HTTP.
struct Route {
  const google::protobuf::MethodDescriptor* method;
  std::string verb;  // GET, POST, PATCH, DELETE, PUT.
  PathTemplate path;
  std::string body;  // "*", a field, or empty.
};

// The routes of all methods of a service; methods without annotation have none.
absl::StatusOr<std::vector<Route>> RoutesOf(const google::protobuf::ServiceDescriptor& service);

}  // namespace gonghui::gateway
