// Vouchers that wait for somebody else.
#pragma once

#include "absl/status/statusor.h"
#include "common/host/host.h"
#include "gonghui/funds/v1/hold.pb.h"
#include "services/funds/books.h"

namespace gonghui::funds {

// Thread-safe.
class Holds {
 public:
  Holds(const Host& host, Books* books) : host_(host), books_(books) {}

  absl::StatusOr<v1::Hold> Create(rpc::Call& call, const v1::CreateHoldRequest& request);
  absl::StatusOr<v1::Hold> Check(rpc::Call& call, const v1::CheckHoldRequest& request);
  absl::StatusOr<v1::Hold> Confirm(rpc::Call& call, const v1::ConfirmHoldRequest& request);
  absl::StatusOr<v1::Hold> Release(rpc::Call& call, const v1::ReleaseHoldRequest& request);
  absl::StatusOr<v1::Hold> Get(rpc::Call& call, const v1::GetHoldRequest& request);
  absl::StatusOr<v1::ListHoldsResponse> List(rpc::Call& call, const v1::ListHoldsRequest& request);

  // Ends the holds whose time has run out and gives their amounts back; some hundred at a time. The
  // number ended.
  absl::StatusOr<int> EndExpired(absl::Time deadline);

 private:
  struct Place;
  absl::StatusOr<Place> Find(rpc::Call& call, const std::string& name) const;

  const Host host_;
  Books* const books_;
};

}  // namespace gonghui::funds
