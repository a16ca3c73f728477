// The kinds of record that an installation keeps, as its services list them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/client.h"
#include "gonghui/common/v1/catalog.pb.h"
#include "gonghui/common/v1/record.pb.h"
#include "services/cli/session.h"

namespace gonghui::cli {

// Services that keep catalogue-defined records, by the last collection of the names they give.
struct RecordService {
  std::string_view collection;  // "activities"
  std::string_view name;        // "gonghui.activities.v1.ActivityService"
};
inline constexpr RecordService kRecordServices[] = {
    {"registers", "gonghui.membership.v1.RegisterService"},
    {"benefits", "gonghui.funds.v1.BenefitService"},
    {"activities", "gonghui.activities.v1.ActivityService"},
    {"cases", "gonghui.casework.v1.CaseService"},
};

// A kind with the service that keeps it and that service's code lists.
class KindEntry {
 public:
  KindEntry(common::v1::Kind kind, std::string service,
            std::shared_ptr<const common::v1::ListKindsResponse> catalog);

  const common::v1::Kind& kind() const { return kind_; }
  const std::string& service() const { return service_; }
  std::string_view noun() const;  // record, organization, member, book or voucher.
  const common::v1::CodeList* FindCodes(std::string_view list) const;  // nullptr when unknown.

 private:
  common::v1::Kind kind_;
  std::string service_;
  std::shared_ptr<const common::v1::ListKindsResponse> catalog_;
};

// All kinds of an installation, in import order. Immutable.
class Kinds {
 public:
  explicit Kinds(std::vector<KindEntry> entries);
  // Asks each service; one that the server does not host is left out.
  static absl::StatusOr<Kinds> Fetch(const rpc::Client& client);

  // By name or label. KIND_UNKNOWN with the nearest name otherwise.
  absl::StatusOr<const KindEntry*> Find(std::string_view name) const;
  const std::vector<KindEntry>& entries() const { return entries_; }

 private:
  std::vector<KindEntry> entries_;
};

// The kind of that name or label, asked of the server.
absl::StatusOr<KindEntry> FetchKind(Session& session, std::string_view name);

// The code for a code, label or alias of the list, or nullptr. Case, width and surrounding space do
// not matter.
const common::v1::Code* FindCode(const common::v1::CodeList& list, std::string_view text);

}  // namespace gonghui::cli
