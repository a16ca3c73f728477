// Returns as they are stored: names, rows, cells, history.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/date.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "common/tree/tree_cache.h"
#include "gonghui/reports/v1/return.pb.h"
#include "services/reports/forms.h"
#include "services/reports/return_rules.h"

namespace gonghui::reports {

class Rollups;

// What the operations on returns work with.
struct ReturnOptions {
  sql::Database* db = nullptr;
  const Forms* forms = nullptr;
  tree::TreeCache* tree = nullptr;
  Rollups* rollups = nullptr;
};

// Which return: resolved against the catalogue and the tree.
struct ReturnKey {
  std::string tenant;
  const Form* form = nullptr;
  std::string organization;
  Period period;
  std::string due_date;
  std::vector<std::string> path;  // Of the organisation today, itself first.

  std::string Name() const;
  sql::Args Columns() const;  // tenant, form, organization, period.
};

std::string ReturnName(std::string_view tenant, std::string_view form, std::string_view period,
                       std::string_view organization);
// NOT_FOUND at `field` for an organisation that the tree never held.
absl::Status CheckKnown(const tree::OrganizationTree& tree, const std::string& organization,
                        std::string_view field);
std::string DueDate(const Period& period, const v1::FormFiler& filer);
// Microseconds UTC as a day in Shanghai; empty for 0.
std::string DayOf(int64_t time_us);
// Days from one ISO date to another.
int DaysBetween(std::string_view from, std::string_view to);

// The return of a name. Errors at `name`: FIELD_INVALID, FORM_UNKNOWN, PERIOD_INVALID, NOT_FOUND
// for an organisation that did not stand at the period's end, RULE_VIOLATED for one that does not
// file the form.
absl::StatusOr<ReturnKey> ResolveReturn(const rpc::Call& call, const Forms& forms,
                                        const tree::TreeCache& tree, std::string_view name);

struct StoredCell {
  std::optional<int64_t> value;
  std::string reason;
  std::string remark;
};

struct StoredReturn {
  v1::ReturnState state = v1::RETURN_STATE_MISSING;
  int64_t approvals = 0;
  int64_t version = 0;
  int64_t filed_us = 0;
  std::string submitted_by;
  std::string approved_by;  // By level, one a line.
  std::string remark;
  int64_t create_time_us = 0;
  int64_t update_time_us = 0;
  std::map<std::string, StoredCell, std::less<>> cells;

  CellValues Values() const;
  // Filed after the due date, or not filed and the date is over.
  bool IsLate(const std::string& due_date, const std::string& today) const;
};

// MISSING where nobody has begun it.
absl::StatusOr<StoredReturn> LoadReturn(sql::Tx& tx, const ReturnKey& key);

// Changes of one return, stored with their history in one step.
class ReturnEdit {
 public:
  ReturnEdit(const rpc::Call& call, const ReturnKey& key, StoredReturn& stored)
      : call_(call), key_(key), stored_(stored) {}

  void SetValue(const std::string& code, std::optional<int64_t> value);
  void SetReason(const std::string& code, const std::string& reason);
  void SetRemark(const std::string& code, const std::string& remark);
  void SetState(v1::ReturnState state, const std::string& remark);
  bool changed() const { return !changes_.empty(); }
  // Writes everything under the next version.
  absl::Status Save(sql::Tx& tx);

 private:
  void Add(v1::ReturnChangeKind kind, const std::string& cell, std::string before,
           std::string after, const std::string& remark = "");

  const rpc::Call& call_;
  const ReturnKey& key_;
  StoredReturn& stored_;
  std::vector<v1::ReturnChange> changes_;
  std::vector<std::string> cells_;  // Touched.
};

// Column values 0-8: state, approvals, version, filed_us, submitted_by, approved_by, remark,
// create_time_us, update_time_us.
StoredReturn ReadReturn(const sql::Rows::Row& row, size_t first_column);
// The answer's form; `with_cells` lists every cell of the form.
v1::Return ToProto(const ReturnKey& key, const StoredReturn& stored, const std::string& today,
                   bool with_cells);

// "SENT_BACK".
std::string StateName(v1::ReturnState state);
// STATE_FORBIDS: `step` needs one of `allowed`.
absl::Status CheckState(v1::ReturnState state, std::initializer_list<v1::ReturnState> allowed,
                        std::string_view step, std::string_view step_zh);

// What the rules of a return need besides its own values.
absl::StatusOr<RuleInput> LoadRuleInput(sql::Tx& tx, const Forms& forms, const ReturnKey& key,
                                        const StoredReturn& stored);

}  // namespace gonghui::reports
