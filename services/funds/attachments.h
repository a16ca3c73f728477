// Papers behind vouchers.
#pragma once

#include "absl/status/statusor.h"
#include "common/host/host.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "services/funds/books.h"

namespace gonghui::funds {

// Thread-safe.
class Attachments {
 public:
  Attachments(const Host& host, Books* books) : host_(host), books_(books) {}

  absl::StatusOr<v1::Attachment> Create(rpc::Call& call,
                                        const v1::CreateAttachmentRequest& request);
  // INTERNAL where the stored bytes are not those of the digest.
  absl::StatusOr<v1::GetAttachmentResponse> Get(rpc::Call& call,
                                                const v1::GetAttachmentRequest& request);

 private:
  const Host host_;
  Books* const books_;
};

}  // namespace gonghui::funds
