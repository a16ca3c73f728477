// Whether what a book knows lets a voucher in: closed months, people, attachments, restricted
// funds, budgets.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/sql/sql.h"
#include "services/funds/book_states.h"
#include "services/funds/controls.h"
#include "services/funds/postings.h"

namespace gonghui::funds {

// The draft is neither refused nor posted before.
inline bool IsToPost(const Draft& draft) { return draft.status.ok() && !draft.existing; }

// Sets the drafts' dimensions, marks those that may not be posted (see PostEach), takes the rest's
// amounts from funds and budget lines, and gives the states of the books. The caller's transaction
// must write these.
absl::StatusOr<BookStates> Admit(sql::Tx& tx, const std::string& tenant,
                                 absl::Span<Draft* const> drafts, std::string_view at,
                                 Controls::As as = Controls::As::kPosted);

}  // namespace gonghui::funds
