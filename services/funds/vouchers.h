// The ledger's vouchers: posting, reversal, reading.
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/host/host.h"
#include "common/rpc/service.h"
#include "gonghui/feed/v1/feed.pb.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "services/funds/books.h"
#include "services/funds/postings.h"

namespace gonghui::funds {

// Posts the red-letter reversal of a voucher, links both and adds its facts to the event.
// STATE_FORBIDS: it is reversed already, or a reversal itself; FIELD_INVALID: dated before it; else
// as Post.
absl::StatusOr<v1::Voucher> PostReversal(sql::Tx& tx, const rpc::Call& call, const BookPtr& book,
                                         const VoucherKey& key, std::string_view on_date,
                                         std::string_view reason, bool by_person,
                                         feed::v1::Event& event);

// Thread-safe.
class Vouchers {
 public:
  using PostCall = rpc::BatchedCall<v1::PostVoucherRequest, v1::Voucher>;

  Vouchers(const Host& host, Books* books) : host_(host), books_(books) {}

  // Posts the vouchers of all calls in one transaction and sets their results. A call that must be
  // refused does not hold up the rest. A repeated source with the same content gives the voucher
  // posted before.
  void PostWaiting(absl::Span<PostCall> calls);
  absl::StatusOr<v1::BatchPostVouchersResponse> BatchPost(
      rpc::Call& call, const v1::BatchPostVouchersRequest& request);
  absl::StatusOr<v1::Voucher> Reverse(rpc::Call& call, const v1::ReverseVoucherRequest& request);
  absl::StatusOr<v1::Voucher> Get(rpc::Call& call, const v1::GetVoucherRequest& request);
  absl::StatusOr<v1::ListVouchersResponse> List(rpc::Call& call,
                                                const v1::ListVouchersRequest& request);

 private:
  struct Waiting;
  absl::StatusOr<v1::BatchPostVouchersResponse> TryBatch(rpc::Call& call,
                                                         std::vector<Draft> checked);
  absl::Status Prepare(Waiting& waiting);
  void PostRound(absl::Span<Waiting* const> round);
  enum class Look { kAtSourced, kAtAll };
  absl::Status PostTogether(absl::Span<Waiting* const> round, Look look);
  absl::Status PostGroup(sql::Tx& tx, absl::Span<Waiting* const> group);

  const Host host_;
  Books* const books_;
};

}  // namespace gonghui::funds
