// Lists that come in pages.
#pragma once

#include <algorithm>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "common/base/status.h"
#include "services/cli/session.h"

namespace gonghui::cli {

// How much of a list to show.
struct PageOptions {
  int limit = 50;
  bool all = false;

  void AddTo(CLI::App* command) {
    command->add_option("--limit", limit, "How many to show")
        ->check(CLI::Range(1, 1000000))
        ->capture_default_str();
    command->add_flag("--all", all, "Every one");
  }
};

// Asks page after page until `limit` items were taken. `take` adds a page and returns the number of
// items so far.
template <typename Response, typename Request, typename Take>
absl::Status EachPage(Session& session, const std::string& method, Request& request,
                      const PageOptions& options, Take take) {
  int taken = 0;
  do {
    request.set_page_size(options.all ? 1000 : std::min(1000, options.limit - taken));
    ASSIGN_OR_RETURN(const Response page, session.Invoke<Response>(method, request));
    if (session.json()) PrintJson(page);
    taken = take(page);
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty() && (options.all || taken < options.limit));
  if (!request.page_token().empty()) {
    PrintNote(session.Say("There are more: --all shows every one.", "还有更多：--all 显示全部。"));
  }
  return absl::OkStatus();
}

}  // namespace gonghui::cli
