#include "common/records/record_counts.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/records/record_values.h"

namespace gonghui::records {
namespace {

using common::v1::Kind;

constexpr int64_t kPage = 500;

}  // namespace

absl::StatusOr<std::vector<Row>> AllChildren(sql::Tx& tx, const std::string& tenant,
                                             const std::string& id) {
  std::vector<Row> all;
  while (true) {
    ASSIGN_OR_RETURN(auto page,
                     FindChildren(tx, tenant, id, all.empty() ? "" : all.back().id, kPage));
    const bool last = static_cast<int64_t>(page.size()) < kPage;
    std::move(page.begin(), page.end(), std::back_inserter(all));
    if (last) return all;
  }
}

absl::Status AboveBroken(const Kind& kind, const absl::Status& fault, std::string_view prefix) {
  const auto* field = FieldOfType(kind, common::v1::FIELD_TYPE_RECORD);
  Error error(fault.code(), ReasonOf(fault),
              StrCat("with this record, what it belongs to would break a rule: ",
                     std::string(fault.message())),
              StrCat("加上本记录后，所属记录将违反规则：", MessageZhOf(fault)));
  for (auto& [key, value] : MetadataOf(fault)) std::move(error).With(key, value);
  return std::move(error).At(StrCat(prefix, "fields.", field->name()));
}

absl::StatusOr<Recount> Recounting::Count(sql::Tx& tx, const Kind& kind, const Row& row,
                                          absl::Span<const Row* const> changed,
                                          Faults& faults) const {
  ASSIGN_OR_RETURN(std::vector<Row> children, AllChildren(tx, call_.federation, row.id));
  std::set<std::string_view> replaced;
  for (const Row* one : changed) replaced.insert(one->id);
  std::erase_if(children, [&](const Row& child) { return replaced.contains(child.id); });
  for (const Row* one : changed) {
    if (one->parent_id == row.id && !one->cancelled) children.push_back(*one);
  }
  std::optional<Row> above;
  if (!row.parent_id.empty()) {
    ASSIGN_OR_RETURN(above, FindRow(tx, call_.federation, row.parent_id));
  }
  Parent parent;
  if (above.has_value()) parent = {options_.catalog->FindKind(above->kind), &*above};
  Recount recount;
  recount.kind = &kind;
  recount.before = row;
  recount.after = row;
  recount.source_before = ToSource(*options_.catalog, kind, row, parent, tree_);
  recount.source_after =
      Values(*options_.catalog, tree_).Compute(kind, parent, children, recount.after);
  const RecordChecks checks = ChecksFor(options_, call_, kind, tree_, "");
  checks.SetClock(recount.source_after, "", recount.after);
  checks.CheckRules(recount.source_after, faults);
  return recount;
}

absl::Status Recounting::Write(sql::Tx& tx, Recount recount, feed::v1::Event& event) const {
  Row& row = recount.after;
  if (row == recount.before) return absl::OkStatus();
  row.version = recount.before.version + 1;
  row.actor = call_.actor.subject;
  row.update_time_us = call_.clock->NowMicros();
  RETURN_IF_ERROR(UpdateRow(tx, call_.federation, row));
  ASSIGN_OR_RETURN(const auto before, catalog::FactsOf(*recount.kind, recount.source_before));
  ASSIGN_OR_RETURN(const auto after, catalog::FactsOf(*recount.kind, recount.source_after));
  const std::string name = NameOf(options_, call_, row.id);
  event.add_resources(name);
  AddFacts(name, catalog::FactChanges(before, after), event);
  RETURN_IF_ERROR(CallHook(options_, call_, tx, *recount.kind,
                           {{&row, &recount.source_before, &recount.source_after}}, event));
  return Follow(tx, *recount.kind, row.parent_id, row, "", event);
}

absl::Status Recounting::Follow(sql::Tx& tx, const Kind& kind, const std::string& parent_id,
                                const Row& changed, std::string_view prefix,
                                feed::v1::Event& event) const {
  if (parent_id.empty()) return absl::OkStatus();
  const auto* field = FieldOfType(kind, common::v1::FIELD_TYPE_RECORD);
  const Kind* above = options_.catalog->FindKind(field->refers_to());
  if (!SumsOver(*above, kind)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::optional<Row> row, FindRow(tx, call_.federation, parent_id));
  if (!row.has_value()) return absl::OkStatus();
  Faults faults;
  ASSIGN_OR_RETURN(Recount recount, Count(tx, *above, *row, {&changed}, faults));
  if (!faults.empty()) return AboveBroken(kind, faults.front(), prefix);
  return Write(tx, std::move(recount), event);
}

}  // namespace gonghui::records
