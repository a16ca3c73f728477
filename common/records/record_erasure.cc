// What is left of records when a person's data is erased.

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/records/record_store.h"

namespace gonghui::records {
namespace {

constexpr sql::Query kOfPerson{
    "records.list_of_person",
    "SELECT record_id FROM records WHERE tenant=$1 AND subject=$2 AND subject <> ''"};
constexpr sql::Query kClearRemarks{
    "records.clear_remarks", "UPDATE record_steps SET remark='' WHERE tenant=$1 AND record_id=$2"};

void EraseFrom(const common::v1::Kind& kind, Row& row) {
  for (const common::v1::KindField& field : kind.fields()) {
    const auto at = row.fields.find(field.name());
    if (!field.pii() || at == row.fields.end()) continue;
    if (!at->second.empty()) {
      row.title = Replace(row.title, at->second, "*");
      if (row.natural_key.find(at->second) != std::string::npos) row.natural_key = row.id;
    }
    row.fields.erase(at);
  }
  row.person_mask.clear();
}

}  // namespace

absl::Status ErasePersons(sql::Tx& tx, const catalog::Catalog& catalog, const std::string& tenant,
                          const std::set<std::string>& subjects, int64_t now_us) {
  for (const std::string& subject : subjects) {
    ASSIGN_OR_RETURN(const sql::Rows ids, tx.Run(kOfPerson, {tenant, subject}));
    for (size_t i = 0; i < ids.size(); ++i) {
      ASSIGN_OR_RETURN(std::optional<Row> row, FindRow(tx, tenant, ids[i].Get<std::string>(0)));
      const common::v1::Kind* kind = catalog.FindKind(row->kind);
      if (kind == nullptr) continue;  // No longer in the catalogue.
      EraseFrom(*kind, *row);
      ++row->version;
      row->update_time_us = now_us;
      RETURN_IF_ERROR(UpdateRow(tx, tenant, *row));
      RETURN_IF_ERROR(tx.Run(kClearRemarks, {tenant, row->id}).status());
    }
  }
  return absl::OkStatus();
}

}  // namespace gonghui::records
