#include "common/rpc/page.h"

#include <algorithm>
#include <memory>

#include "absl/strings/escaping.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/request_digest.h"

namespace gonghui::rpc {
namespace {

constexpr size_t kDigestSize = 16;  // Hex digits: enough against mistakes, the keys are no secret.

std::string DigestOfQuery(const google::protobuf::Message& request) {
  const std::unique_ptr<google::protobuf::Message> query(request.New());
  query->CopyFrom(request);
  for (const char* name : {"page_size", "page_token"}) {
    if (const auto* field = query->GetDescriptor()->FindFieldByName(name)) {
      query->GetReflection()->ClearField(query.get(), field);
    }
  }
  // Requests of two methods may look alike.
  return Sha256Hex(StrCat(query->GetDescriptor()->full_name(), "\n", DigestOf(*query)))
      .substr(0, kDigestSize);
}

Error InvalidToken(std::string_view why, std::string_view why_zh) {
  return InvalidArgument(common::v1::REASON_PAGE_TOKEN_INVALID,
                         StrCat("The page token ", why, "; start again from the first page"),
                         StrCat("分页标记", why_zh, "；请从第一页重新开始"))
      .At("page_token");
}

}  // namespace

absl::Status DamagedPageToken() { return InvalidToken("is damaged", "已损坏"); }

absl::StatusOr<int> PageSize(int requested, int standard, int most) {
  if (requested < 0) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           "A page cannot have fewer than 0 entries; leave page_size at 0 for the "
                           "standard size",
                           "每页条数不能为负；填0表示采用默认条数")
        .At("page_size");
  }
  return requested == 0 ? standard : std::min(requested, most);
}

std::string MakePageToken(const google::protobuf::Message& request,
                          const std::vector<std::string>& last_key) {
  // Digest, then each part of the key as "size:text".
  std::string plain = DigestOfQuery(request);
  for (const std::string& part : last_key) StrAppend(&plain, part.size(), ":", part);
  return absl::WebSafeBase64Escape(plain);
}

absl::StatusOr<std::vector<std::string>> ReadPageToken(const google::protobuf::Message& request,
                                                       std::string_view token, size_t key_size) {
  std::vector<std::string> key;
  if (token.empty()) return key;
  const absl::Status damaged = DamagedPageToken();
  std::string plain;
  if (!absl::WebSafeBase64Unescape(ToAbsl(token), &plain) || plain.size() < kDigestSize)
    return damaged;
  std::string_view rest = plain;
  if (rest.substr(0, kDigestSize) != DigestOfQuery(request)) {
    return InvalidToken("belongs to a query with other arguments", "属于条件不同的另一次查询");
  }
  rest.remove_prefix(kDigestSize);
  while (!rest.empty()) {
    const size_t colon = rest.find(':');
    size_t size = 0;
    if (colon == rest.npos || !ParseInteger(rest.substr(0, colon), &size) ||
        size > rest.size() - colon - 1) {
      return damaged;
    }
    key.emplace_back(rest.substr(colon + 1, size));
    rest.remove_prefix(colon + 1 + size);
  }
  if (key.size() != key_size) return damaged;
  return key;
}

}  // namespace gonghui::rpc
