// Reading the tree.

#include <algorithm>
#include <utility>

#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/page.h"
#include "common/rpc/update.h"
#include "services/membership/organizations.h"

namespace gonghui::membership {
namespace {

constexpr int kMostVersions = 5000;  // A page of versions.

// A moment on both time axes, as a request gives it.
struct Moment {
  std::string valid_at;
  int64_t known_at_us;
};

Moment MomentOf(const rpc::Call& call, const std::string& valid_at, int64_t known_at_us) {
  return {valid_at.empty() ? call.Today() : valid_at, known_at_us == 0 ? tree::kNow : known_at_us};
}

Error NotThere(const std::string& id, const Moment& moment, std::string_view field) {
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no organisation '", id, "' on ", moment.valid_at,
                         "; it is unknown or was founded later"),
                  StrCat("在 ", moment.valid_at, " 没有工会“", id, "”：编码不存在或当时尚未成立"))
      .With("organization", id)
      .With("valid_at", moment.valid_at)
      .At(std::string(field));
}

// A walk through a tree, depth first, children by id, that can begin after any organisation.
struct Walk {
  const tree::OrganizationTree& tree;
  const Moment& moment;
  const std::string& kind;  // Empty: every kind.
  const size_t limit;
  std::vector<std::string> found = {};

  // `after` is the path from `id` down to the last organisation of the page before; empty: none.
  void Visit(const std::string& id, absl::Span<const std::string> after) {
    if (found.size() >= limit) return;
    if (after.empty()) {
      const tree::Version* version = tree.Find(id, moment.valid_at, moment.known_at_us);
      if (kind.empty() || version->kind == kind) found.push_back(id);
    } else {
      after.remove_prefix(1);
    }
    for (const std::string& child : tree.Children(id, moment.valid_at, moment.known_at_us)) {
      if (!after.empty() && child < after.front()) continue;
      const bool on_path = !after.empty() && child == after.front();
      Visit(child, on_path ? after : absl::Span<const std::string>());
    }
  }
};

// Adds the nodes of a subtree and returns how many open organisations it holds, the top included.
int AddNodes(const tree::OrganizationTree& tree, const Moment& moment, const std::string& id,
             int depth, v1::GetTreeResponse& response) {
  const int index = response.nodes_size();
  v1::TreeNode& node = *response.add_nodes();
  node.mutable_organization()->set_id(id);
  node.set_depth(depth);
  int below = 0;
  for (const std::string& child : tree.Children(id, moment.valid_at, moment.known_at_us)) {
    below += AddNodes(tree, moment, child, depth + 1, response);
  }
  response.mutable_nodes(index)->set_descendants(below);
  return below + (tree.Find(id, moment.valid_at, moment.known_at_us)->state == "open" ? 1 : 0);
}

}  // namespace

absl::StatusOr<std::map<std::string, v1::Organization>> Organizations::ReadAll(
    const rpc::Call& call, absl::Span<const std::string> ids, const std::string& valid_at,
    int64_t known_at_us) const {
  std::map<std::string, v1::Organization> views;
  if (ids.empty()) return views;
  std::vector<OrganizationRow> rows;
  std::vector<Successor> successors;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(rows, ReadOrganizations(tx, call.federation, ids, valid_at, known_at_us));
    std::vector<std::string> closed;
    for (const OrganizationRow& row : rows) {
      if (row.version.state == kClosed) closed.push_back(row.version.id);
    }
    ASSIGN_OR_RETURN(successors,
                     ReadSuccessors(tx, call.federation, closed, valid_at, known_at_us));
    return absl::OkStatus();
  }));
  for (const OrganizationRow& row : rows) {
    views.emplace(row.version.id, View(row, call.federation));
  }
  for (const Successor& successor : successors) {
    views[successor.organization].add_successors(successor.successor);
  }
  return views;
}

absl::StatusOr<v1::Organization> Organizations::Get(rpc::Call& call,
                                                    const v1::GetOrganizationRequest& request) {
  const std::string id(LeafOf(request.name()));
  RETURN_IF_ERROR(call.CheckScope(id));
  const Moment moment = MomentOf(call, request.valid_at(), request.known_at_us());
  ASSIGN_OR_RETURN(auto views, ReadAll(call, {id}, moment.valid_at, moment.known_at_us));
  if (views.empty()) return NotThere(id, moment, "name");
  return std::move(views.begin()->second);
}

absl::StatusOr<v1::ListOrganizationsResponse> Organizations::List(
    rpc::Call& call, const v1::ListOrganizationsRequest& request) {
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::vector<std::string> token,
                   rpc::ReadPageToken(request, request.page_token(), 3));
  Moment moment = MomentOf(call, request.valid_at(), request.known_at_us());
  ASSIGN_OR_RETURN(const auto tree, tree_.Get(call.federation, request.organization()));
  if (!token.empty()) {
    moment.valid_at = token[1];
    if (!ParseInteger(token[2], &moment.known_at_us)) {
      return rpc::DamagedPageToken();
    }
  } else if (moment.known_at_us == tree::kNow) {
    moment.known_at_us = tree->recorded_us();  // Every page shows the tree of the first.
  }
  const std::string top = request.organization().empty() ? tree->Root() : request.organization();
  v1::ListOrganizationsResponse response;
  if (top.empty()) return response;
  if (tree->Find(top, moment.valid_at, moment.known_at_us) == nullptr) {
    return NotThere(top, moment, "organization");
  }
  std::vector<std::string> after;
  if (!token.empty()) {
    after = tree->Path(token[0], moment.valid_at, moment.known_at_us);
    std::reverse(after.begin(), after.end());
    after.erase(after.begin(), std::find(after.begin(), after.end(), top));
  }
  const size_t wanted = static_cast<size_t>(page_size);
  Walk walk{*tree, moment, request.kind(), wanted + 1};
  walk.Visit(top, after);
  if (walk.found.size() > wanted) {
    walk.found.resize(wanted);
    response.set_next_page_token(rpc::MakePageToken(
        request, {walk.found.back(), moment.valid_at, StrCat(moment.known_at_us)}));
  }
  ASSIGN_OR_RETURN(auto views, ReadAll(call, walk.found, moment.valid_at, moment.known_at_us));
  for (const std::string& id : walk.found) {
    if (auto view = views.find(id); view != views.end()) {
      *response.add_organizations() = std::move(view->second);
    }
  }
  return response;
}

absl::StatusOr<v1::GetTreeResponse> Organizations::GetTree(rpc::Call& call,
                                                           const v1::GetTreeRequest& request) {
  const Moment moment = MomentOf(call, request.valid_at(), request.known_at_us());
  ASSIGN_OR_RETURN(const auto tree, tree_.Get(call.federation, request.organization()));
  const std::string top = request.organization().empty() ? tree->Root() : request.organization();
  v1::GetTreeResponse all;
  if (top.empty()) return all;
  if (tree->Find(top, moment.valid_at, moment.known_at_us) == nullptr) {
    return NotThere(top, moment, "organization");
  }
  AddNodes(*tree, moment, top, 0, all);
  v1::GetTreeResponse response;
  std::vector<std::string> ids;
  for (v1::TreeNode& node : *all.mutable_nodes()) {
    if (request.depth() > 0 && node.depth() > request.depth()) continue;
    ids.push_back(node.organization().id());
    *response.add_nodes() = std::move(node);
  }
  ASSIGN_OR_RETURN(auto views, ReadAll(call, ids, moment.valid_at, moment.known_at_us));
  for (v1::TreeNode& node : *response.mutable_nodes()) {
    *node.mutable_organization() = std::move(views[node.organization().id()]);
  }
  return response;
}

absl::StatusOr<v1::ListOrganizationVersionsResponse> Organizations::ListVersions(
    rpc::Call& call, const v1::ListOrganizationVersionsRequest& request) {
  RETURN_IF_ERROR(call.CheckScope(""));
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size(), 1000, kMostVersions));
  v1::ListOrganizationVersionsResponse response;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    ASSIGN_OR_RETURN(const int64_t head, ReadVersionHead(tx, call.federation));
    response.set_head(head);
    ASSIGN_OR_RETURN(const std::vector<OrganizationRow> rows,
                     ReadVersionsAfter(tx, call.federation, request.after_sequence(), page_size));
    for (const OrganizationRow& row : rows) {
      *response.add_versions() = VersionView(row, call.federation);
    }
    return absl::OkStatus();
  }));
  return response;
}

tree::TreeCache::Loader TreeLoader(sql::Database& db) {
  return [&db](const std::string& federation,
               int64_t after_sequence) -> absl::StatusOr<tree::TreeCache::Page> {
    tree::TreeCache::Page page;
    const absl::Time deadline = absl::Now() + absl::Seconds(5);
    RETURN_IF_ERROR(db.ReadOnly(deadline, [&](sql::Tx& tx) -> absl::Status {
      page.versions.clear();
      page.sequence = after_sequence;
      ASSIGN_OR_RETURN(std::vector<OrganizationRow> rows,
                       ReadVersionsAfter(tx, federation, after_sequence, kMostVersions));
      for (OrganizationRow& row : rows) {
        page.sequence = row.sequence;
        page.versions.push_back(std::move(row.version));
      }
      return absl::OkStatus();
    }));
    return page;
  };
}

}  // namespace gonghui::membership
