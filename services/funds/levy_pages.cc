#include "services/funds/levy_pages.h"

#include <algorithm>

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::funds {

absl::StatusOr<std::vector<std::string>> Below(const tree::TreeCache& trees, const rpc::Call& call,
                                               const std::string& organization) {
  ASSIGN_OR_RETURN(const auto tree, trees.Get(call.federation, organization));
  const std::string& top = organization.empty() ? tree->Root() : organization;
  if (!tree->Exists(top)) {
    return NotFound(common::v1::REASON_NOT_FOUND,
                    StrCat("there is no organisation '", top, "'; ListOrganizations shows them"),
                    StrCat("没有工会“", top, "”；请用 ListOrganizations 查看"))
        .With("organization", top)
        .At("organization");
  }
  std::vector<std::string> ids = tree->Subtree(top, call.Today());
  if (ids.empty()) ids.push_back(top);  // Closed, or not founded yet.
  std::sort(ids.begin(), ids.end());
  return ids;
}

absl::StatusOr<std::vector<std::string>> ReadPage(sql::Tx& tx, const std::string& tenant,
                                                  const std::vector<std::string>& organizations,
                                                  const std::vector<std::string>& after,
                                                  int page_size, const PageQuery& page) {
  std::vector<std::string> key = after.empty() ? std::vector<std::string>(3) : after;
  int taken = 0;
  for (auto it = std::lower_bound(organizations.begin(), organizations.end(), key[0]);
       it != organizations.end(); ++it) {
    if (*it != key[0]) key = {*it, "", ""};
    while (true) {
      const int limit = std::max(page_size - taken, 100);
      sql::Args args = {tenant, *it, key[1], key[2], int64_t{limit}};
      args.insert(args.end(), page.more.begin(), page.more.end());
      ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(*page.query, std::move(args)));
      for (size_t i = 0; i < rows.size(); ++i) {
        if (taken == page_size) return key;
        const std::vector<std::string> keys = page.take(rows[i]);
        if (keys.empty()) continue;
        key = {*it, keys[0], keys[1]};
        ++taken;
      }
      if (rows.size() < static_cast<size_t>(limit)) break;
      // All may have been unwanted: go on after the last row read.
      key = {*it, rows[rows.size() - 1].Get<std::string>(0),
             rows[rows.size() - 1].Get<std::string>(1)};
    }
  }
  return std::vector<std::string>();
}

}  // namespace gonghui::funds
