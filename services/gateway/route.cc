#include "services/gateway/route.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/status.h"
#include "google/api/annotations.pb.h"

namespace gonghui::gateway {
namespace {

std::pair<std::string, std::string> VerbAndPath(const google::api::HttpRule& rule) {
  switch (rule.pattern_case()) {
    case google::api::HttpRule::kGet:
      return {"GET", rule.get()};
    case google::api::HttpRule::kPost:
      return {"POST", rule.post()};
    case google::api::HttpRule::kPatch:
      return {"PATCH", rule.patch()};
    case google::api::HttpRule::kPut:
      return {"PUT", rule.put()};
    case google::api::HttpRule::kDelete:
      return {"DELETE", rule.delete_()};
    default:
      return {"", ""};
  }
}

}  // namespace

absl::StatusOr<PathTemplate> PathTemplate::Parse(std::string_view text) {
  PathTemplate result;
  if (text.empty() || text.front() != '/')
    return Internal(absl::StrCat("bad path template ", std::string(text)));
  const size_t close = text.rfind('}');
  const size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && (close == std::string_view::npos || colon > close)) {
    result.verb_ = std::string(text.substr(colon + 1));
    text = text.substr(0, colon);
  }
  const auto add = [&](std::string_view part, int variable) {
    result.segments_.push_back({part == "*"    ? Segment::kOne
                                : part == "**" ? Segment::kRest
                                               : Segment::kLiteral,
                                std::string(part), variable});
  };
  for (size_t at = 1; at < text.size();) {
    if (text[at] == '{') {
      const size_t end = text.find('}', at);
      if (end == std::string_view::npos)
        return Internal(absl::StrCat("bad path template ", std::string(text)));
      const std::string inside(text.substr(at + 1, end - at - 1));
      const std::vector<std::string> halves = absl::StrSplit(inside, absl::MaxSplits('=', 1));
      result.variables_.push_back(halves[0]);
      const int variable = static_cast<int>(result.variables_.size()) - 1;
      const std::vector<std::string> parts =
          absl::StrSplit(halves.size() > 1 ? halves[1] : "*", '/');
      for (const std::string& part : parts) {
        add(part, variable);
      }
      at = end + 2;
    } else {
      const size_t end = std::min(text.find('/', at), text.size());
      add(text.substr(at, end - at), -1);
      at = end + 1;
    }
  }
  return result;
}

std::optional<std::map<std::string, std::string>> PathTemplate::Match(std::string_view path) const {
  if (!verb_.empty()) {
    const std::string suffix = ":" + verb_;
    if (path.size() <= suffix.size() || path.substr(path.size() - suffix.size()) != suffix)
      return std::nullopt;
    path.remove_suffix(suffix.size());
  }
  if (path.empty() || path.front() != '/') return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(std::string(path.substr(1)), '/');
  std::vector<std::vector<std::string>> values(variables_.size());
  size_t at = 0;
  for (const Segment& segment : segments_) {
    if (at >= parts.size()) return std::nullopt;
    size_t take = 1;
    if (segment.kind == Segment::kRest) {
      take = parts.size() - at;
    } else if (parts[at].empty() ||
               (segment.kind == Segment::kLiteral && parts[at] != segment.text)) {
      return std::nullopt;
    }
    for (; take > 0; --take, ++at) {
      if (segment.variable >= 0) values[segment.variable].push_back(parts[at]);
    }
  }
  if (at != parts.size()) return std::nullopt;
  std::map<std::string, std::string> result;
  for (size_t i = 0; i < variables_.size(); ++i)
    result[variables_[i]] = absl::StrJoin(values[i], "/");
  return result;
}

absl::StatusOr<std::vector<Route>> RoutesOf(const google::protobuf::ServiceDescriptor& service) {
  std::vector<Route> routes;
  for (int i = 0; i < service.method_count(); ++i) {
    const google::protobuf::MethodDescriptor* method = service.method(i);
    if (!method->options().HasExtension(google::api::http)) continue;
    const google::api::HttpRule& rule = method->options().GetExtension(google::api::http);
    const auto [verb, path] = VerbAndPath(rule);
    ASSIGN_OR_RETURN(PathTemplate path_template, PathTemplate::Parse(path));
    routes.push_back({method, verb, std::move(path_template), rule.body()});
  }
  return routes;
}

}  // namespace gonghui::gateway
