#include "common/records/engine.h"

#include <string>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::records {

using common::v1::Kind;

std::string NameOf(const Records::Options& options, const rpc::Call& call, std::string_view id) {
  return StrCat("federations/", call.federation, "/", options.collection, "/", id);
}

absl::StatusOr<const Kind*> KindNamed(const Records::Options& options, std::string_view name,
                                      std::string path) {
  const Kind* kind = options.catalog->FindKind(name);
  if (kind != nullptr && (kind->noun().empty() || kind->noun() == "record")) return kind;
  return InvalidArgument(common::v1::REASON_KIND_UNKNOWN,
                         StrCat("this service keeps no records of kind '", name,
                                "'; ListKinds shows those it keeps"),
                         StrCat("本服务没有“", name, "”这种记录，可用 ListKinds 查询"))
      .With("kind", std::string(name))
      .At(std::move(path));
}

RecordChecks ChecksFor(const Records::Options& options, const rpc::Call& call, const Kind& kind,
                       const tree::OrganizationTree& tree, std::string prefix) {
  return RecordChecks({.catalog = options.catalog,
                       .personal = options.personal,
                       .tree = &tree,
                       .federation = call.federation,
                       .prefix = std::move(prefix)},
                      kind);
}

absl::Status SeeOrganizations(const Records::Options& options, const rpc::Call& call,
                              const Kind& kind, const common::v1::Record& record, TreePtr& tree) {
  std::vector<std::string> named = {record.organization()};
  for (const auto& field : kind.fields()) {
    if (field.type() != common::v1::FIELD_TYPE_ORGANIZATION) continue;
    const auto given = record.fields().find(field.name());
    if (given != record.fields().end()) named.push_back(given->second);
  }
  for (const std::string& id : named) {
    if (id.empty() || tree->Exists(id)) continue;
    ASSIGN_OR_RETURN(tree, options.tree->Get(call.federation, id));
    break;
  }
  return absl::OkStatus();
}

absl::Status ParentMissing(const common::v1::KindField& field, const std::string& number,
                           std::string_view prefix) {
  return NotFound(common::v1::REASON_REFERENCE_NOT_FOUND,
                  StrCat("there is no ", field.refers_to(), " with number '", number,
                         "'; load it first or correct the number"),
                  StrCat("没有编号为“", number, "”的 ", field.refers_to(), "，请先录入或更正编号"))
      .With("kind", field.refers_to())
      .With("number", number)
      .At(StrCat(prefix, "fields.", field.name()));
}

absl::Status KeyTaken(const Kind& kind, const std::string& name, std::string_view prefix) {
  const std::string key = kind.key().empty() ? "number" : kind.key(0);
  bool is_field = false;
  for (const auto& field : kind.fields()) is_field = is_field || field.name() == key;
  return AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                       StrCat("a record with this key exists with other content: ", name,
                              "; correct the key, or update that record"),
                       StrCat("相同键的记录已存在且内容不同：", name, "，请更正键或修改该记录"))
      .With("existing", name)
      .At(StrCat(prefix, is_field ? "fields." : "", key));
}

absl::Status NumberTaken(const std::string& name, std::string_view prefix) {
  return AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                       StrCat("another record has this number: ", name, "; take another number"),
                       StrCat("该编号已被使用：", name, "，请换一个编号"))
      .With("existing", name)
      .At(StrCat(prefix, "number"));
}

void AddWarnings(const Faults& warnings, common::v1::Record& record) {
  for (const absl::Status& fault : warnings) {
    common::v1::RecordWarning& warning = *record.add_warnings();
    for (auto& [key, value] : MetadataOf(fault)) {
      if (key == "rule") warning.set_rule(value);
    }
    warning.set_field(FieldOf(fault));
    warning.set_message(std::string(fault.message()));
    warning.set_message_zh(MessageZhOf(fault));
  }
}

feed::v1::Event NewEvent(const Records::Options& options, std::string_view what) {
  feed::v1::Event event;
  event.set_type(StrCat("gonghui.", options.catalog->area(), ".v1.", what));
  return event;
}

void AddFacts(std::string record, std::vector<common::v1::Fact> facts, feed::v1::Event& event) {
  if (facts.empty()) return;
  auto& added = *event.add_facts();
  added.set_record(std::move(record));
  added.mutable_facts()->Reserve(static_cast<int>(facts.size()));
  for (auto& fact : facts) *added.add_facts() = std::move(fact);
}

absl::Status CallHook(const Records::Options& options, const rpc::Call& call, sql::Tx& tx,
                      const Kind& kind, const std::vector<Written>& written,
                      feed::v1::Event& event) {
  if (!options.on_change) return absl::OkStatus();
  std::vector<common::v1::Record> records;
  records.reserve(written.size());  // The changes point into it.
  std::vector<Change> changes;
  for (const Written& one : written) {
    records.push_back(ToRecord(kind, *one.row, NameOf(options, call, one.row->id)));
    changes.push_back({&kind, &records.back(), one.before, one.after});
  }
  return options.on_change(call, tx, changes, event);
}

}  // namespace gonghui::records
