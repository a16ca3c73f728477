#include "common/base/resource_name.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui {
namespace {

constexpr std::string_view kFederations = "federations/";

bool IsId(std::string_view text) {
  if (text.empty() || text.size() > 128) return false;
  for (char c : text) {
    if (!absl::ascii_isalnum(c) && std::string_view("._~-").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

bool IsVariable(std::string_view segment) {
  return segment.starts_with('{') && segment.ends_with('}');
}

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> ParseName(std::string_view pattern,
                                                             std::string_view name) {
  const std::vector<std::string_view> wanted = Split(pattern, '/');
  const std::vector<std::string_view> given = Split(name, '/');
  std::map<std::string, std::string> ids;
  bool matches = wanted.size() == given.size();
  for (size_t i = 0; matches && i < wanted.size(); ++i) {
    if (IsVariable(wanted[i])) {
      matches = IsId(given[i]);
      ids.emplace(wanted[i].substr(1, wanted[i].size() - 2), given[i]);
    } else {
      matches = wanted[i] == given[i];
    }
  }
  if (matches) return ids;
  return InvalidArgument(
             common::v1::REASON_FIELD_INVALID,
             StrCat("the resource name does not have the form ", pattern,
                    " with ids of 1 to 128 letters, digits or . _ ~ -"),
             StrCat("资源名称应为 ", pattern, "，标识由 1 至 128 个字母、数字或 . _ ~ - 组成"))
      .With("pattern", std::string(pattern));
}

std::string_view FederationOf(std::string_view name) {
  if (!name.starts_with(kFederations)) return {};
  name.remove_prefix(kFederations.size());
  return name.substr(0, name.find('/'));
}

std::string_view LeafOf(std::string_view name) { return name.substr(name.rfind('/') + 1); }

}  // namespace gonghui
