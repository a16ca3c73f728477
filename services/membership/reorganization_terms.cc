#include "services/membership/reorganization_terms.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/date.h"
#include "common/base/status.h"
#include "common/catalog/fact_rules.h"
#include "common/tree/organization_tree.h"
#include "nlohmann/json.hpp"

namespace gonghui::membership {
namespace {

using records::Row;

// A kind of the registers that holds terms of office, and how one ends: by a step to a state, or by
// its last day.
struct TermKind {
  std::string_view kind;
  std::vector<std::string_view> running;  // States.
  std::string_view over;                  // State after it; empty: the state stays.
  std::string_view step;                  // To that state.
  std::string_view last_day;              // Field; empty: built-in ends_on.
};

const std::vector<TermKind>& TermKinds() {
  static const auto& kinds = *new std::vector<TermKind>{
      {"post_holding", {"holding"}, "left", "leave", ""},
      {"committee_term", {"in_office", "extended"}, "ended", "end", ""},
      {"election", {"completed"}, "", "", "term_to"},
      {"post_plan", {""}, "", "", ""},
  };
  return kinds;
}

const TermKind& TermKindOf(const Row& row) {
  return *std::find_if(TermKinds().begin(), TermKinds().end(),
                       [&](const TermKind& term) { return term.kind == row.kind; });
}

constexpr int64_t kMost = 100'000;  // Records of one kind in one organisation.

constexpr sql::Query kCount{
    "membership.count_register_records",
    "SELECT COUNT(*) FROM records WHERE tenant=$1 AND organization=$2 AND cancelled=FALSE"};

// The last day of a term that ends before `day`, but not before it began.
absl::StatusOr<std::string> LastDay(const std::string& day, const std::string& began) {
  ASSIGN_OR_RETURN(const absl::CivilDay closed, ParseDate(day));
  return std::max(FormatDate(closed - 1), began);
}

// Ends the term that the record holds; false where none runs on the day or
// later.
absl::StatusOr<bool> EndTerm(const std::string& day, Row& row) {
  const TermKind& term = TermKindOf(row);
  if (std::find(term.running.begin(), term.running.end(), row.state) == term.running.end()) {
    return false;
  }
  ASSIGN_OR_RETURN(const std::string last, LastDay(day, row.on_date));
  row.due_date.clear();
  if (!term.over.empty()) {
    row.state = term.over;
    row.entered[row.state] = last;
    return true;
  }
  std::string& ends = term.last_day.empty() ? row.ends_on : row.fields[std::string(term.last_day)];
  if (!ends.empty() && ends < day) return false;
  ends = last;
  return true;
}

nlohmann::json ToJson(const Row& row) {
  return {{"state", row.state},
          {"ends_on", row.ends_on},
          {"due_date", row.due_date},
          {"entered", row.entered},
          {"fields", row.fields}};
}

void FromJson(const nlohmann::json& json, Row& row) {
  const auto texts = [&](const char* name) {
    records::Texts result;
    for (const auto& [key, value] : json.at(name).items()) result[key] = value;
    return result;
  };
  row.state = json.at("state");
  row.ends_on = json.at("ends_on");
  row.due_date = json.at("due_date");
  row.entered = texts("entered");
  row.fields = texts("fields");
}

}  // namespace

absl::Status TermsOfOffice::End(const std::string& organization, const std::string& day,
                                int64_t& records_left) {
  ASSIGN_OR_RETURN(const sql::Rows counted, tx_.Run(kCount, {call_.federation, organization}));
  records_left += counted[0].Get<int64_t>(0);
  for (const TermKind& term : TermKinds()) {
    if (catalog_.FindKind(term.kind) == nullptr) continue;
    records::ListQuery query;
    query.kind = term.kind;
    query.organizations = {organization};
    query.limit = kMost;
    ASSIGN_OR_RETURN(std::vector<Row> rows, records::ListRows(tx_, call_.federation, query));
    for (Row& row : rows) {
      if (row.cancelled || known_.contains(row.id)) continue;
      Row ended = row;
      ASSIGN_OR_RETURN(const bool ran, EndTerm(day, ended));
      if (!ran) continue;
      const std::string id = row.id;
      known_.emplace(id, Known{std::move(row), std::move(ended)});
      --records_left;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> TermsOfOffice::Restore(
    const std::map<std::string, std::string>& undo) {
  std::vector<std::string> changed;
  for (const auto& [id, term] : undo) {
    const nlohmann::json json = nlohmann::json::parse(term, nullptr, false);
    ASSIGN_OR_RETURN(const std::optional<Row> row, records::FindRow(tx_, call_.federation, id));
    if (!row.has_value() || ToJson(*row) != json.at("after")) {
      changed.push_back(id);
      continue;
    }
    Row restored = *row;
    FromJson(json.at("before"), restored);
    known_.emplace(id, Known{*row, std::move(restored)});
  }
  return changed;
}

absl::StatusOr<std::vector<TermsOfOffice::Changed>> TermsOfOffice::Changes() {
  std::vector<Changed> changes;
  for (const auto& [id, known] : known_) {
    const common::v1::Kind& kind = *catalog_.FindKind(known.before.kind);
    tree::OrganizationTree tree;  // Holds what facts ask of it: the organisation's kind.
    ASSIGN_OR_RETURN(const Life* life, tree_.Believed(known.before.organization));
    for (const OrganizationRow& row : *life) tree.Apply(row.version);
    Changed changed{
        .id = id,
        .seen = known.before.version,
        .undo = nlohmann::json{{"before", ToJson(known.before)}, {"after", ToJson(known.now)}}.dump(
            -1, ' ', false, nlohmann::json::error_handler_t::replace)};
    std::optional<Row> above;
    if (!known.before.parent_id.empty()) {
      ASSIGN_OR_RETURN(above, records::FindRow(tx_, call_.federation, known.before.parent_id));
    }
    records::Parent parent;
    if (above.has_value()) parent = {catalog_.FindKind(above->kind), &*above};
    const auto facts_of = [&](const Row& row) {
      return catalog::FactsOf(kind, records::ToSource(catalog_, kind, row, parent, tree));
    };
    ASSIGN_OR_RETURN(const auto before, facts_of(known.before));
    ASSIGN_OR_RETURN(const auto after, facts_of(known.now));
    changed.facts = catalog::FactChanges(before, after);
    changes.push_back(std::move(changed));
  }
  return changes;
}

absl::Status TermsOfOffice::Write() {
  const int64_t now_us = call_.clock->NowMicros();
  for (auto& [id, known] : known_) {
    Row& row = known.now;
    row.version = known.before.version + 1;
    row.actor = call_.actor.subject;
    row.update_time_us = now_us;
    RETURN_IF_ERROR(records::UpdateRow(tx_, call_.federation, row));
    if (row.state == known.before.state) continue;
    common::v1::RecordStep step;
    const TermKind& term = TermKindOf(row);
    const bool over = row.state == term.over;
    step.set_transition(over ? std::string(term.step) : "resume");
    step.set_from_state(known.before.state);
    step.set_to_state(row.state);
    step.set_on_date(over ? row.entered[row.state] : call_.Today());
    step.set_actor(row.actor);
    step.set_create_time_us(now_us);
    const std::vector<common::v1::RecordStep> steps = {std::move(step)};
    ASSIGN_OR_RETURN(const auto earlier, records::FindSteps(tx_, call_.federation, id));
    const records::StepsOf added = {&id, &steps, static_cast<int64_t>(earlier.size())};
    RETURN_IF_ERROR(records::InsertSteps(tx_, call_.federation, {&added, 1}));
  }
  return absl::OkStatus();
}

}  // namespace gonghui::membership
