// The record engine: catalogue-defined records with fields, parents, states, clocks and the facts
// they yield. Every service that keeps records owns one engine over its own database and catalogue.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/catalog/catalog.h"
#include "common/catalog/fact_rules.h"
#include "common/crypto/personal.h"
#include "common/rpc/call.h"
#include "common/rpc/service.h"
#include "common/sql/sql.h"
#include "common/tree/tree_cache.h"
#include "gonghui/common/v1/record.pb.h"
#include "gonghui/feed/v1/feed.pb.h"

namespace gonghui::records {

// One write of the engine, shown to the service's hook inside the transaction.
struct Change {
  const common::v1::Kind* kind;
  const common::v1::Record* record;   // As it is after the change, with name and state.
  const catalog::FactSource* before;  // nullptr for a new record.
  const catalog::FactSource* after;
};

// Thread-safe.
class Records {
 public:
  struct Options {
    std::string
        collection;  // Last collection of the names: activities, cases, benefits, registers.
    sql::Database* db = nullptr;
    const catalog::Catalog* catalog = nullptr;
    tree::TreeCache* tree = nullptr;
    const crypto::PersonalData* personal = nullptr;
    // Called with everything that a transaction wrote, in order, once a kind, before the feed event
    // is appended; an error fails the transaction. A record created and advanced in one batch is
    // one change from nullptr to its last state. funds posts vouchers here, and adds their facts to
    // the event.
    std::function<absl::Status(const rpc::Call&, sql::Tx&, absl::Span<const Change>,
                               feed::v1::Event&)>
        on_change;
  };
  explicit Records(Options options);

  absl::StatusOr<common::v1::Record> Create(rpc::Call& call,
                                            const common::v1::CreateRecordRequest& request);
  absl::StatusOr<common::v1::BatchCreateRecordsResponse> BatchCreate(
      rpc::Call& call, const common::v1::BatchCreateRecordsRequest& request);
  absl::StatusOr<common::v1::Record> Get(rpc::Call& call,
                                         const common::v1::GetRecordRequest& request);
  absl::StatusOr<common::v1::ListRecordsResponse> List(
      rpc::Call& call, const common::v1::ListRecordsRequest& request);
  absl::StatusOr<common::v1::GetBoardResponse> GetBoard(rpc::Call& call,
                                                        const common::v1::GetBoardRequest& request);
  absl::StatusOr<common::v1::Record> Update(rpc::Call& call,
                                            const common::v1::UpdateRecordRequest& request);
  absl::StatusOr<common::v1::Record> Advance(rpc::Call& call,
                                             const common::v1::AdvanceRecordRequest& request);
  absl::StatusOr<common::v1::Record> Cancel(rpc::Call& call,
                                            const common::v1::CancelRecordRequest& request);
  absl::StatusOr<common::v1::ListKindsResponse> ListKinds(
      rpc::Call& call, const common::v1::ListKindsRequest& request);

  // Adds the nine methods to the gRPC service of an area.
  void Serve(rpc::Service& service);

 private:
  // The organisations at or below one; none where that is all of them.
  absl::StatusOr<std::vector<std::string>> Below(const rpc::Call& call,
                                                 const std::string& organization,
                                                 const std::string& on_date);

  const Options options_;
};

}  // namespace gonghui::records
