#include "services/membership/member_imports.h"

#include <optional>
#include <utility>

#include "common/base/date.h"
#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "services/membership/codes.h"
#include "services/membership/federations.h"
#include "services/membership/member_import_rejects.h"

namespace gonghui::membership {
namespace {

absl::Status StateForbids(std::string_view en, std::string_view zh) {
  return FailedPrecondition(common::v1::REASON_STATE_FORBIDS, std::string(en), std::string(zh))
      .At("name");
}

absl::Status Gone() {
  return StateForbids("the file of this import was deleted as its days were over; upload it anew",
                      "该导入的文件已到期删除，请重新上传");
}

absl::Status OffsetAhead(int64_t size) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat("the file has ", size,
                                " bytes so far: go on there, or send earlier bytes as they were"),
                         StrCat("文件已收到 ", size, " 字节，请由此续传"))
      .With("size_bytes", StrCat(size))
      .At("offset");
}

// An import whose job ended early, whoever ended it, has failed.
absl::Status Settle(sql::Tx& tx, const std::string& federation, v1::MemberImport& import) {
  if (import.state() != v1::MEMBER_IMPORT_STATE_RUNNING) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto job, rpc::Jobs::Find(tx, federation, import.job()));
  if (!job.has_value() || job->end_time_us() == 0) return absl::OkStatus();
  import.set_state(v1::MEMBER_IMPORT_STATE_FAILED);
  if (job->state() != common::v1::JOB_STATE_CANCELLED) {
    *import.mutable_failure() = job->failure();
    return absl::OkStatus();
  }
  common::v1::JobFailure& failure = *import.mutable_failure();
  failure.set_reason(common::v1::REASON_CANCELLED);
  failure.set_message("the job was cancelled; start the import again, or undo what it wrote");
  failure.set_message_zh("作业已取消，可重新启动导入，或撤销已写入的部分");
  return absl::OkStatus();
}

}  // namespace

MemberImports::MemberImports(const Host& host, const catalog::Catalog& catalog, cache::Cache& cache,
                             const Members& members, rpc::Jobs& jobs)
    : db_(*host.db),
      catalog_(catalog),
      register_(catalog, *host.personal),
      store_{.files = {*host.personal}},
      tools_{.db = *host.db,
             .tree = *host.tree,
             .clock = *host.clock,
             .cache = cache,
             .catalog = catalog,
             .members = members,
             .members_register = register_,
             .store = store_},
      jobs_(jobs) {}

absl::StatusOr<StoredImport> MemberImports::Read(const rpc::Call& call,
                                                 const std::string& name) const {
  absl::StatusOr<StoredImport> stored = absl::UnknownError("not read");
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) {
    stored = store_.Find(tx, call.federation, std::string(LeafOf(name)));
    return stored.ok() ? Settle(tx, call.federation, stored->import) : stored.status();
  }));
  RETURN_IF_ERROR(call.CheckScope(stored->import.organization()));
  return stored;
}

absl::StatusOr<v1::MemberImport> MemberImports::Create(
    rpc::Call& call, const v1::CreateMemberImportRequest& request) {
  const std::string& organization = request.member_import().organization();
  ASSIGN_OR_RETURN(const auto tree, tools_.tree.Get(call.federation, organization));
  if (!tree->Exists(organization)) {
    return InvalidArgument(common::v1::REASON_REFERENCE_NOT_FOUND,
                           StrCat("there is no organisation '", organization, "'"),
                           StrCat("没有工会“", organization, "”"))
        .At("member_import.organization");
  }
  const std::string today = call.Today();
  ASSIGN_OR_RETURN(const int64_t days, LimitOn(catalog_, "member_file_days", today));
  ASSIGN_OR_RETURN(const absl::CivilDay day, ParseDate(today));
  StoredImport stored{.id = NewId(call.clock->Now())};
  v1::MemberImport& import = stored.import;
  import.set_name(StrCat("federations/", call.federation, "/memberImports/", stored.id));
  import.set_organization(organization);
  import.set_title(request.member_import().title());
  import.set_state(v1::MEMBER_IMPORT_STATE_UPLOADING);
  import.set_actor(call.actor.subject);
  import.set_create_time_us(call.clock->NowMicros());
  import.set_expires_on(FormatDate(day + days));
  return rpc::WriteOnce<v1::MemberImport>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::MemberImport> {
        RETURN_IF_ERROR(store_.Insert(tx, call.federation, stored));
        return stored.import;
      });
}

absl::StatusOr<v1::MemberImport> MemberImports::Append(
    rpc::Call& call, const v1::AppendMemberImportRequest& request) {
  RETURN_IF_ERROR(Read(call, request.name()).status());
  ASSIGN_OR_RETURN(const int64_t most_mib, LimitOn(catalog_, "member_file_mib", call.Today()));
  const auto added = static_cast<int64_t>(request.content().size());
  v1::MemberImport answer;
  RETURN_IF_ERROR(db_.ReadWrite(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(StoredImport stored,
                     store_.Find(tx, call.federation, std::string(LeafOf(request.name()))));
    answer = stored.import;
    const std::string file = MemberImportStore::ContentFile(stored.id);
    const int64_t size = stored.import.size_bytes();
    if (request.offset() < size && request.offset() >= 0) {
      ASSIGN_OR_RETURN(
          const std::string there,
          store_.files.Read(tx, call.federation, file, request.offset(), request.content().size()));
      return there == request.content() ? absl::OkStatus() : OffsetAhead(size);
    }
    if (request.offset() != size) return OffsetAhead(size);
    if (stored.import.state() != v1::MEMBER_IMPORT_STATE_UPLOADING) {
      return StateForbids("the file was started already; create another import for more bytes",
                          "该导入已启动，不能再追加；请新建导入");
    }
    if (size + added > most_mib << 20) {
      return InvalidArgument(common::v1::REASON_REQUEST_TOO_LARGE,
                             StrCat("a file has at most ", most_mib, " MiB; split it"),
                             StrCat("文件最大 ", most_mib, " MiB，请拆分"))
          .At("content");
    }
    RETURN_IF_ERROR(store_.files.Append(tx, call.federation, file, size, request.content()));
    stored.import.set_size_bytes(size + added);
    answer = stored.import;
    return store_.Update(tx, call.federation, stored);
  }));
  return answer;
}

absl::StatusOr<common::v1::Job> MemberImports::Start(rpc::Call& call,
                                                     const v1::StartMemberImportRequest& request) {
  ASSIGN_OR_RETURN(const StoredImport stored, Read(call, request.name()));
  if (stored.emptied) return Gone();
  if (stored.import.size_bytes() == 0) {
    return StateForbids("nothing was uploaded yet; send the file by AppendMemberImport",
                        "尚未上传文件，请先用 AppendMemberImport 上传");
  }
  return jobs_.Start(call, stored.import.organization(), request);
}

absl::StatusOr<common::v1::Job> MemberImports::Undo(rpc::Call& call,
                                                    const v1::UndoMemberImportRequest& request) {
  ASSIGN_OR_RETURN(const StoredImport stored, Read(call, request.name()));
  return jobs_.Start(call, stored.import.organization(), request);
}

absl::StatusOr<v1::MemberImport> MemberImports::Get(rpc::Call& call,
                                                    const v1::GetMemberImportRequest& request) {
  ASSIGN_OR_RETURN(const StoredImport stored, Read(call, request.name()));
  return stored.import;
}

absl::StatusOr<v1::ListMemberImportsResponse> MemberImports::List(
    rpc::Call& call, const v1::ListMemberImportsRequest& request) {
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 1));
  const auto size = static_cast<size_t>(page_size);
  std::vector<StoredImport> found;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(found, store_.List(tx, call.federation, request.organization(),
                                        after.empty() ? "" : after[0], page_size + 1));
    for (StoredImport& stored : found) {
      RETURN_IF_ERROR(Settle(tx, call.federation, stored.import));
    }
    return absl::OkStatus();
  }));
  v1::ListMemberImportsResponse response;
  if (found.size() > size) {
    found.resize(size);
    response.set_next_page_token(rpc::MakePageToken(request, {found.back().id}));
  }
  for (StoredImport& stored : found) *response.add_member_imports() = std::move(stored.import);
  return response;
}

absl::StatusOr<v1::ListMemberImportFaultsResponse> MemberImports::ListFaults(
    rpc::Call& call, const v1::ListMemberImportFaultsRequest& request) {
  ASSIGN_OR_RETURN(const StoredImport stored, Read(call, request.name()));
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::vector<std::string> token,
                   rpc::ReadPageToken(request, request.page_token(), 2));
  MemberImportStore::FaultKey start;
  if (!token.empty() &&
      (!ParseInteger(token[0], &start.row) || !ParseInteger(token[1], &start.seq))) {
    return rpc::DamagedPageToken();
  }
  v1::ListMemberImportFaultsResponse response;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    MemberImportStore::FaultKey after = start;
    ASSIGN_OR_RETURN(
        std::vector<v1::MemberImportFault> faults,
        store_.ListFaults(tx, call.federation, stored.id, request.kept(), after, page_size));
    if (static_cast<int>(faults.size()) == page_size) {
      response.set_next_page_token(
          rpc::MakePageToken(request, {StrCat(after.row), StrCat(after.seq)}));
    }
    for (v1::MemberImportFault& fault : faults) *response.add_faults() = std::move(fault);
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::MemberImportRejects> MemberImports::GetRejects(
    rpc::Call& call, const v1::GetMemberImportRejectsRequest& request) {
  ASSIGN_OR_RETURN(const StoredImport stored, Read(call, request.name()));
  if (stored.emptied) return Gone();
  v1::MemberImportRejects rejects;
  rejects.set_size_bytes(stored.import.rejects_bytes());
  if (rejects.size_bytes() == 0) return rejects;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(
        *rejects.mutable_content(),
        store_.files.Read(tx, call.federation, MemberImportStore::RejectsFile(stored.id),
                          request.offset(), SealedFiles::kMostAnswered));
    ASSIGN_OR_RETURN(const auto format, FormatOf(tx, store_, call.federation, stored.id));
    const bool workbook = format == sheet::TableStream::Format::kXlsx;
    rejects.set_file_name(workbook ? "rejects.xlsx" : "rejects.csv");
    return absl::OkStatus();
  }));
  return rejects;
}

absl::Status MemberImports::EmptyExpired() const {
  const std::string today = tools_.clock.Today();
  return ForEachFederation(db_, [&](sql::Tx& tx, const std::string& federation) {
    return store_.EmptyExpired(tx, federation, today);
  });
}

absl::StatusOr<v1::MemberImport> MemberImports::Run(
    rpc::JobRun& run, const v1::StartMemberImportRequest& request) const {
  return MemberImportWork(tools_, run, std::string(LeafOf(request.name()))).Import(request.mode());
}

absl::StatusOr<v1::MemberImport> MemberImports::TakeBack(
    rpc::JobRun& run, const v1::UndoMemberImportRequest& request) const {
  return MemberImportWork(tools_, run, std::string(LeafOf(request.name()))).Undo();
}

}  // namespace gonghui::membership
