// What the operations of the engine share.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/records/record_checks.h"
#include "common/records/record_store.h"
#include "common/records/records.h"
#include "common/rpc/call.h"
#include "gonghui/common/v1/record.pb.h"
#include "gonghui/feed/v1/feed.pb.h"

namespace gonghui::records {

using TreePtr = std::shared_ptr<const tree::OrganizationTree>;

// Name of a record of the call's federation.
std::string NameOf(const Records::Options& options, const rpc::Call& call, std::string_view id);

// The kind, if this engine keeps its records. REASON_KIND_UNKNOWN at `path` otherwise.
absl::StatusOr<const common::v1::Kind*> KindNamed(const Records::Options& options,
                                                  std::string_view name, std::string path);

RecordChecks ChecksFor(const Records::Options& options, const rpc::Call& call,
                       const common::v1::Kind& kind, const tree::OrganizationTree& tree,
                       std::string prefix);

// Gets a fresh tree where the record names an organisation that `tree` does not know: it may have
// been founded a moment ago. Once is enough: what this does not bring is not there.
absl::Status SeeOrganizations(const Records::Options& options, const rpc::Call& call,
                              const common::v1::Kind& kind, const common::v1::Record& record,
                              TreePtr& tree);

// Fault: no record of the kind that `field` refers to has this number.
absl::Status ParentMissing(const common::v1::KindField& field, const std::string& number,
                           std::string_view prefix);
// Fault: another record, `name`, has the same key.
absl::Status KeyTaken(const common::v1::Kind& kind, const std::string& name,
                      std::string_view prefix);

// Fault: another record, `name`, has the same number.
absl::Status NumberTaken(const std::string& name, std::string_view prefix);

// Adds what is only warned of, each told of a path inside the record.
void AddWarnings(const Faults& warnings, common::v1::Record& record);

// An event of this engine's area; `what` is in the past tense.
feed::v1::Event NewEvent(const Records::Options& options, std::string_view what);
// Adds what one record contributes, if anything.
void AddFacts(std::string record, std::vector<common::v1::Fact> facts, feed::v1::Event& event);

// One record that a transaction wrote.
struct Written {
  const Row* row;
  const catalog::FactSource* before;
  const catalog::FactSource* after;
};
// Shows the hook, if there is one, what the transaction changed.
absl::Status CallHook(const Records::Options& options, const rpc::Call& call, sql::Tx& tx,
                      const common::v1::Kind& kind, const std::vector<Written>& written,
                      feed::v1::Event& event);

}  // namespace gonghui::records
