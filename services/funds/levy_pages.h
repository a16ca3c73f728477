// Lists over an organisation and everything below it, page by page.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "common/rpc/page.h"
#include "common/sql/sql.h"
#include "common/tree/tree_cache.h"

namespace gonghui::funds {

// The organisation (empty: the root) and everything below it today, by id. NOT_FOUND at
// `organization`.
absl::StatusOr<std::vector<std::string>> Below(const tree::TreeCache& trees, const rpc::Call& call,
                                               const std::string& organization);

// One page by organisation, then by two keys. The query takes tenant, organisation, the two keys
// after which to go on, a limit, then `more`, and orders by the keys. `take` uses a row and answers
// its keys; none where the row is not wanted.
struct PageQuery {
  const sql::Query* query;
  sql::Args more;
  std::function<std::vector<std::string>(const sql::Rows::Row&)> take;
};
// Answers the key of the last row where there may be more; else nothing.
absl::StatusOr<std::vector<std::string>> ReadPage(sql::Tx& tx, const std::string& tenant,
                                                  const std::vector<std::string>& organizations,
                                                  const std::vector<std::string>& after,
                                                  int page_size, const PageQuery& page);

// The same within one call: reads the token, runs a reading transaction, sets the next token.
template <typename Request, typename Response>
absl::Status FillPage(sql::Database& db, const rpc::Call& call, const Request& request,
                      const std::vector<std::string>& organizations, const PageQuery& page,
                      Response& response, const std::function<void()>& restart) {
  auto size = rpc::PageSize(request.page_size());
  if (!size.ok()) return size.status();
  auto after = rpc::ReadPageToken(request, request.page_token(), 3);
  if (!after.ok()) return after.status();
  return db.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    restart();
    auto last = ReadPage(tx, call.federation, organizations, *after, *size, page);
    if (!last.ok()) return last.status();
    if (!last->empty()) response.set_next_page_token(rpc::MakePageToken(request, *last));
    return absl::OkStatus();
  });
}

}  // namespace gonghui::funds
