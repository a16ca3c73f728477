#include "services/funds/attachments.h"

#include <string>

#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/crypto/personal.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"

namespace gonghui::funds {
namespace {

constexpr std::string_view kBookName = "federations/{federation}/books/{book}";
constexpr std::string_view kAttachmentName =
    "federations/{federation}/books/{book}/attachments/{attachment}";

constexpr sql::Query kInsertAttachment{
    "funds.insert_attachment",
    "INSERT INTO attachments (tenant, book_id, digest, file_name, media_type, content, "
    "create_time_us) VALUES ($1, $2, $3, $4, $5, $6, $7) "
    "ON CONFLICT (tenant, book_id, digest) DO NOTHING"};
constexpr sql::Query kGetAttachment{"funds.get_attachment",
                                    "SELECT file_name, media_type, content FROM attachments "
                                    "WHERE tenant = $1 AND book_id = $2 AND digest = $3"};

v1::Attachment Describe(std::string_view book_name, std::string_view digest,
                        const std::string& file_name, const std::string& media_type, size_t size) {
  v1::Attachment attachment;
  attachment.set_name(StrCat(book_name, "/attachments/", digest));
  attachment.set_digest(std::string(digest));
  attachment.set_file_name(file_name);
  attachment.set_media_type(media_type);
  attachment.set_size(static_cast<int64_t>(size));
  return attachment;
}

}  // namespace

absl::StatusOr<v1::Attachment> Attachments::Create(rpc::Call& call,
                                                   const v1::CreateAttachmentRequest& request) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kBookName, request.parent()));
  ASSIGN_OR_RETURN(const BookPtr book, books_->FindForCaller(call, name.at("book")));
  const std::string digest = crypto::Sm3Hex(request.content());
  return rpc::WriteOnce<v1::Attachment>(
      *host_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Attachment> {
        RETURN_IF_ERROR(
            tx.Run(kInsertAttachment,
                   {call.federation, book->id, digest, request.file_name(), request.media_type(),
                    sql::Bytes{request.content()}, call.clock->NowMicros()})
                .status());
        const v1::Attachment attachment = Describe(request.parent(), digest, request.file_name(),
                                                   request.media_type(), request.content().size());
        feed::v1::Event event;
        event.set_type("gonghui.funds.v1.AttachmentStored");
        event.add_resources(attachment.name());
        RETURN_IF_ERROR(feed::Append(tx, call, std::move(event)));
        return attachment;
      });
}

absl::StatusOr<v1::GetAttachmentResponse> Attachments::Get(
    rpc::Call& call, const v1::GetAttachmentRequest& request) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kAttachmentName, request.name()));
  ASSIGN_OR_RETURN(const BookPtr book, books_->FindForCaller(call, name.at("book")));
  const std::string& digest = name.at("attachment");
  v1::GetAttachmentResponse response;
  RETURN_IF_ERROR(host_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const sql::Rows rows,
                     tx.Run(kGetAttachment, {call.federation, book->id, digest}));
    if (rows.empty()) {
      return NotFound(common::v1::REASON_NOT_FOUND,
                      StrCat("The book holds no attachment ", digest, "."),
                      StrCat("账套中没有附件 ", digest, "。"))
          .With("digest", digest);
    }
    *response.mutable_content() = rows[0].Get<sql::Bytes>(2).data;
    *response.mutable_attachment() = Describe(
        StrCat("federations/", call.federation, "/books/", book->id), digest,
        rows[0].Get<std::string>(0), rows[0].Get<std::string>(1), response.content().size());
    return absl::OkStatus();
  }));
  if (crypto::Sm3Hex(response.content()) == digest) return response;
  return Internal(StrCat("the bytes of attachment ", digest, " were changed"));
}

}  // namespace gonghui::funds
