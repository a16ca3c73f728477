#include "services/cli/kinds.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "services/cli/text.h"

namespace gonghui::cli {

KindEntry::KindEntry(common::v1::Kind kind, std::string service,
                     std::shared_ptr<const common::v1::ListKindsResponse> catalog)
    : kind_(std::move(kind)), service_(std::move(service)), catalog_(std::move(catalog)) {}

std::string_view KindEntry::noun() const {
  return kind_.noun().empty() ? std::string_view("record") : kind_.noun();
}

const common::v1::CodeList* KindEntry::FindCodes(std::string_view list) const {
  for (const auto& candidate : catalog_->code_lists()) {
    if (candidate.name() == list) return &candidate;
  }
  return nullptr;
}

Kinds::Kinds(std::vector<KindEntry> entries) : entries_(std::move(entries)) {
  std::stable_sort(entries_.begin(), entries_.end(), [](const KindEntry& a, const KindEntry& b) {
    return a.kind().import_order() < b.kind().import_order();
  });
}

absl::StatusOr<Kinds> Kinds::Fetch(const rpc::Client& client) {
  std::vector<KindEntry> entries;
  absl::Status missing;
  for (const RecordService& service : kRecordServices) {
    auto answer = client.Invoke<common::v1::ListKindsResponse>(
        "/" + std::string(service.name) + "/ListKinds", common::v1::ListKindsRequest());
    if (absl::IsUnimplemented(answer.status())) {
      missing = answer.status();
      continue;
    }
    if (!answer.ok()) return answer.status();
    auto catalog = std::make_shared<common::v1::ListKindsResponse>(*std::move(answer));
    for (const auto& kind : catalog->kinds()) {
      if (kind.noun() == "card") continue;  // Its numbers are drawn, not imported.
      entries.emplace_back(kind, std::string(service.name), catalog);
    }
  }
  if (entries.empty() && !missing.ok()) return missing;
  return Kinds(std::move(entries));
}

absl::StatusOr<const KindEntry*> Kinds::Find(std::string_view name) const {
  const std::string key = HeadingKey(name);
  std::vector<std::string> known;
  for (const KindEntry& entry : entries_) {
    const auto& kind = entry.kind();
    for (const std::string& spelling : {kind.name(), kind.label().zh(), kind.label().en()}) {
      if (HeadingKey(spelling) == key) return &entry;
    }
    known.push_back(kind.name());
  }
  const std::string nearest = Nearest(name, known);
  return InvalidArgument(common::v1::REASON_KIND_UNKNOWN,
                         absl::StrCat("There is no kind \"", std::string(name), "\". ",
                                      nearest.empty() ? "" : "Did you mean " + nearest + "? ",
                                      "gonghui import --list shows all kinds."),
                         absl::StrCat("没有名为“", std::string(name), "”的类别。",
                                      nearest.empty() ? "" : "是否指 " + nearest + "?",
                                      "gonghui import --list 列出全部类别。"))
      .With("kind", std::string(name));
}

absl::StatusOr<KindEntry> FetchKind(Session& session, std::string_view name) {
  ASSIGN_OR_RETURN(const rpc::Client* client, session.Connect());
  ASSIGN_OR_RETURN(const Kinds kinds, Kinds::Fetch(*client));
  ASSIGN_OR_RETURN(const KindEntry* entry, kinds.Find(name));
  return *entry;
}

const common::v1::Code* FindCode(const common::v1::CodeList& list, std::string_view text) {
  const std::string key = HeadingKey(text);
  if (key.empty()) return nullptr;
  for (const auto& code : list.codes()) {
    if (HeadingKey(code.code()) == key || HeadingKey(code.label().zh()) == key ||
        HeadingKey(code.label().en()) == key) {
      return &code;
    }
    for (const std::string& alias : code.aliases()) {
      if (HeadingKey(alias) == key) return &code;
    }
  }
  return nullptr;
}

}  // namespace gonghui::cli
