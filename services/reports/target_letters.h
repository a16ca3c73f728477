// Responsibility letters (目标责任书): a unit signs for its targets of a year.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "gonghui/reports/v1/target.pb.h"
#include "services/reports/target_rows.h"

namespace gonghui::reports {

// Thread-safe.
class TargetLetters {
 public:
  explicit TargetLetters(TargetOptions options) : options_(options) {}

  // STATE_FORBIDS where the unit has no targets in the year, or its letter is signed.
  absl::StatusOr<v1::Letter> Issue(rpc::Call& call, const v1::IssueLetterRequest& request);
  // The first signature of a unit and year also adds one to the letters measure, on signed_on.
  // STATE_FORBIDS where the version does not wait for a signature, PLAN_STALE where the targets
  // are others by now, FIELD_INVALID at `signed_on` for a day to come.
  absl::StatusOr<v1::Letter> Sign(rpc::Call& call, const v1::SignLetterRequest& request);
  // STATE_FORBIDS unless the version is signed and the newest.
  absl::StatusOr<v1::Letter> Amend(rpc::Call& call, const v1::AmendLetterRequest& request);
  absl::StatusOr<v1::Letter> Get(rpc::Call& call, const v1::GetLetterRequest& request);
  absl::StatusOr<v1::ListLettersResponse> List(rpc::Call& call,
                                               const v1::ListLettersRequest& request);

 private:
  // With name, etag, content and text.
  absl::StatusOr<v1::Letter> Answer(const rpc::Call& call, v1::Letter letter) const;
  absl::Status CountSignature(sql::Tx& tx, const rpc::Call& call, const v1::Letter& letter) const;

  const TargetOptions options_;
};

// What a letter's digest is over: a line for each of its parts in a fixed order, fields parted by
// tabs.
std::string LetterContent(std::string_view tenant, const v1::Letter& letter);

}  // namespace gonghui::reports
