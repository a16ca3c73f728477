#include "services/membership/member_exports.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "common/base/date.h"
#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/crypto/sm3.h"
#include "common/sheet/table_stream.h"
#include "services/membership/access_log.h"
#include "services/membership/codes.h"
#include "services/membership/federations.h"
#include "services/membership/member_filters.h"

namespace gonghui::membership {
namespace {

constexpr std::string_view kReveal = "membership.personal_fields.reveal";
constexpr std::string_view kMethod = "gonghui.membership.v1.MemberExportService.ExportMembers";
constexpr size_t kPageRows = 1000;
constexpr size_t kPieceBytes = 1 << 18;

constexpr sql::Query kInsert{
    "membership.insert_member_export",
    "INSERT INTO member_exports (tenant, export_id, content, expires_on, emptied) VALUES ($1, $2, "
    "$3, $4, $5)"};
constexpr sql::Query kUpdate{
    "membership.update_member_export",
    "UPDATE member_exports SET content=$3 WHERE tenant=$1 AND export_id=$2"};
constexpr sql::Query kFind{
    "membership.find_member_export",
    "SELECT content, emptied FROM member_exports WHERE tenant=$1 AND export_id=$2"};
constexpr sql::Query kListExpired{
    "membership.list_expired_member_exports",
    "SELECT export_id FROM member_exports WHERE tenant=$1 AND expires_on<=$2 AND emptied=$3"};
constexpr sql::Query kEmpty{
    "membership.empty_member_export",
    "UPDATE member_exports SET emptied=$3 WHERE tenant=$1 AND export_id=$2"};

sql::Bytes Packed(v1::MemberExport made) {
  made.clear_name();
  return {made.SerializeAsString()};
}

std::string LabelOf(const catalog::Catalog& catalog, std::string_view list,
                    const std::string& code) {
  const common::v1::Code* found = catalog.FindCode(list, code);
  return found == nullptr || found->label().zh().empty() ? code : found->label().zh();
}

std::string StateLabel(std::string_view state) {
  if (state == "active") return "在册";
  if (state == "retained") return "保留会籍";
  return state == "left" ? "已离会" : "已合并";
}

std::vector<std::string> StatesOf(const std::string& state) {
  if (state == "all") return {"active", "retained", "left"};
  return {state.empty() ? "active" : state};
}

}  // namespace

// The file as it grows.
class MemberExports::Writing {
 public:
  Writing(const catalog::Catalog& catalog, const common::v1::Kind& kind, bool clear,
          v1::MemberExportFormat format)
      : catalog_(catalog),
        kind_(kind),
        clear_(clear),
        stream_(sheet::TableStream::Begin(format == v1::MEMBER_EXPORT_FORMAT_CSV
                                              ? sheet::TableStream::Format::kCsv
                                              : sheet::TableStream::Format::kXlsx,
                                          out_)) {
    sheet::Cells headings;
    for (const common::v1::KindField& field : kind.fields()) headings.push_back(field.label().zh());
    for (const char* more : {"其他群体", "会籍状态", "离会原因"}) headings.emplace_back(more);
    stream_->Add(headings, true);
  }

  void Add(const ListedMember& listed) {
    v1::Member member = listed.view;
    const MemberRow& row = listed.row;
    if (clear_) {
      member.set_id_number(row.member.id_number());
      member.set_phone(row.member.phone());
      member.set_birth_date(row.member.birth_date());
    }
    sheet::Cells cells;
    for (const common::v1::KindField& field : kind_.fields()) {
      cells.push_back(sheet::WithoutFormula(CellOf(member, field)));
    }
    std::string tags;
    for (const std::string& tag : member.group_tags()) {
      StrAppend(&tags, tags.empty() ? "" : "、", LabelOf(catalog_, "worker_group", tag));
    }
    cells.push_back(std::move(tags));
    cells.push_back(StateLabel(member.state()));
    cells.push_back(LabelOf(catalog_, "leave_reason", member.leave_reason()));
    digest_.Add(sheet::CsvLine(cells));
    stream_->Add(cells);
    ++rows_;
  }
  absl::Status Finish() {
    stream_->Add({StrCat("合计 ", rows_, " 人"), StrCat("SM3 ", digest_.Hex())});
    return stream_->Finish();
  }

  int64_t rows() const { return rows_; }
  std::string digest() const { return digest_.Hex(); }
  const std::string& waiting() const { return out_; }
  int64_t size() const { return size_; }  // Of what was taken away.
  void Taken() {
    size_ += static_cast<int64_t>(out_.size());
    out_.clear();
  }

 private:
  std::string CellOf(const v1::Member& member, const common::v1::KindField& field) const {
    const auto* target = v1::Member::descriptor()->FindFieldByName(field.name());
    const auto* reflection = member.GetReflection();
    if (target->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_BOOL) {
      return reflection->GetBool(member, target) ? "是" : "否";
    }
    std::string value = reflection->GetString(member, target);
    return field.codes().empty() ? value : LabelOf(catalog_, field.codes(), value);
  }

  const catalog::Catalog& catalog_;
  const common::v1::Kind& kind_;
  const bool clear_;
  std::string out_;
  const std::unique_ptr<sheet::TableStream> stream_;
  crypto::Sm3 digest_;
  int64_t rows_ = 0;
  int64_t size_ = 0;
};

// What the file is made of, page by page.
class MemberExports::Reading {
 public:
  static absl::StatusOr<Reading> Begin(const MemberExports& exports, const rpc::Call& call,
                                       const v1::ExportMembersRequest& request) {
    ASSIGN_OR_RETURN(MemberSelection selection, exports.Select(call, request));
    ASSIGN_OR_RETURN(const auto tree, exports.tree_.Get(call.federation, request.organization()));
    const std::string& top = request.organization().empty() ? tree->Root() : request.organization();
    const std::string day = request.as_of().empty() ? call.Today() : request.as_of();
    std::vector<std::string> organizations = tree->Subtree(top, day);
    std::sort(organizations.begin(), organizations.end());
    return Reading(exports, call.federation, request, std::move(selection),
                   std::move(organizations));
  }

  // How many there are; 0 where only reading them tells.
  absl::StatusOr<int64_t> Count(sql::Tx& tx) const {
    if (!request_.as_of().empty()) return 0;
    return selection_.Count(tx, exports_.register_.store, federation_, organizations_);
  }
  // The next page; whether there are more.
  absl::StatusOr<bool> Next(std::vector<ListedMember>& page) {
    ListPlace place;
    bool more = false;
    RETURN_IF_ERROR(exports_.db_.ReadOnly(absl::InfiniteFuture(), [&](sql::Tx& tx) -> absl::Status {
      place = place_;
      page.clear();
      ASSIGN_OR_RETURN(
          more, request_.as_of().empty() ? Select(tx, place, page) : SelectOn(tx, place, page));
      return absl::OkStatus();
    }));
    place_ = std::move(place);
    return more;
  }

 private:
  Reading(const MemberExports& exports, std::string federation,
          const v1::ExportMembersRequest& request, MemberSelection selection,
          std::vector<std::string> organizations)
      : exports_(exports),
        federation_(std::move(federation)),
        request_(request),
        selection_(std::move(selection)),
        organizations_(std::move(organizations)) {}

  absl::StatusOr<bool> Select(sql::Tx& tx, ListPlace& place,
                              std::vector<ListedMember>& page) const {
    ASSIGN_OR_RETURN(std::vector<MemberRow> rows,
                     selection_.PageOfAll(tx, exports_.register_.store, federation_, organizations_,
                                          place.organization, place.id, kPageRows));
    if (!rows.empty()) place = {rows.back().member.organization(), rows.back().id};
    for (MemberRow& row : rows) {
      v1::Member view = MaskedView(federation_, row);
      page.push_back({std::move(row), std::move(view)});
    }
    return page.size() == kPageRows;
  }
  absl::StatusOr<bool> SelectOn(sql::Tx& tx, ListPlace& place,
                                std::vector<ListedMember>& page) const {
    const std::string state = request_.state().empty() ? "active" : request_.state();
    return ListMembersOn(tx, exports_.register_.store, federation_, organizations_,
                         request_.as_of(), state, kPageRows, place, page);
  }

  const MemberExports& exports_;
  const std::string federation_;
  const v1::ExportMembersRequest& request_;
  const MemberSelection selection_;
  const std::vector<std::string> organizations_;
  ListPlace place_;
};

absl::StatusOr<MemberSelection> MemberExports::Select(
    const rpc::Call& call, const v1::ExportMembersRequest& request) const {
  v1::MemberFilter filter = request.filter();
  if (!request.saved_filter().empty()) {
    ASSIGN_OR_RETURN(filter, ReadSavedFilter(db_, call, request.saved_filter()));
  }
  return MemberSelection::Make(catalog_, filter, "filter.", StatesOf(request.state()));
}

absl::StatusOr<common::v1::Job> MemberExports::Start(rpc::Call& call,
                                                     const v1::ExportMembersRequest& request) {
  RETURN_IF_ERROR(Select(call, request).status());
  const bool filtered = request.has_filter() || !request.saved_filter().empty();
  if (!request.as_of().empty() && (filtered || request.state() == "left")) return AsOfStandsAlone();
  if (!request.state().empty() && request.filter().states_size() > 0) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           "give state or filter.states, not both",
                           "state 与 filter.states 只能填一个")
        .At("state");
  }
  std::string purpose = request.purpose();
  RETURN_IF_ERROR(ToCode(catalog_, "access_purpose", "purpose", purpose));
  if (request.clear_numbers()) {
    RETURN_IF_ERROR(call.CheckScope(kReveal, request.organization()));
    const bool unexplained = purpose.empty() || (purpose == "other" && request.remark().empty());
    if (unexplained) {
      return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                             "numbers in clear need a purpose, and the purpose 'other' a remark",
                             "导出明文号码须填写目的；目的为“其他”时须在备注中说明")
          .At(purpose.empty() ? "purpose" : "remark");
    }
  }
  return jobs_.Start(call, request.organization(), request);
}

absl::StatusOr<MemberExports::Stored> MemberExports::Read(const rpc::Call& call,
                                                          const std::string& name) const {
  const std::string id(LeafOf(name));
  Stored stored;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFind, {call.federation, id}));
    if (rows.empty()) {
      return NotFound(common::v1::REASON_NOT_FOUND, StrCat("there is no export '", id, "'"),
                      StrCat("没有导出“", id, "”"))
          .At("name");
    }
    stored.made.ParseFromString(rows[0].Get<sql::Bytes>(0).data);
    stored.emptied = rows[0].Get<bool>(1);
    return absl::OkStatus();
  }));
  stored.made.set_name(StrCat("federations/", call.federation, "/memberExports/", id));
  RETURN_IF_ERROR(call.CheckScope(stored.made.organization()));
  if (stored.made.clear_numbers()) {
    RETURN_IF_ERROR(call.CheckScope(kReveal, stored.made.organization()));
  }
  return stored;
}

absl::StatusOr<v1::MemberExport> MemberExports::Get(rpc::Call& call,
                                                    const v1::GetMemberExportRequest& request) {
  ASSIGN_OR_RETURN(const Stored stored, Read(call, request.name()));
  return stored.made;
}

absl::StatusOr<v1::MemberExportPiece> MemberExports::Download(
    rpc::Call& call, const v1::DownloadMemberExportRequest& request) {
  ASSIGN_OR_RETURN(const Stored stored, Read(call, request.name()));
  if (stored.emptied || stored.made.expires_on() <= call.Today() || stored.made.digest().empty()) {
    return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                              "the file is not complete yet, or was deleted as its days were over; "
                              "see the job, or export anew",
                              "文件尚未完成或已到期删除，请查看作业或重新导出")
        .At("name");
  }
  v1::MemberExportPiece piece;
  piece.set_size_bytes(stored.made.size_bytes());
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(*piece.mutable_content(),
                     files_.Read(tx, call.federation, std::string(LeafOf(request.name())),
                                 request.offset(), SealedFiles::kMostAnswered));
    return absl::OkStatus();
  }));
  return piece;
}

absl::Status MemberExports::EmptyExpired() const {
  const std::string today = clock_.Today();
  return ForEachFederation(db_, [&](sql::Tx& tx, const std::string& federation) -> absl::Status {
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kListExpired, {federation, today, false}));
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto id = rows[i].Get<std::string>(0);
      RETURN_IF_ERROR(SealedFiles::Delete(tx, federation, id));
      RETURN_IF_ERROR(tx.Run(kEmpty, {federation, id, true}).status());
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<v1::MemberExport> MemberExports::Describe(
    const rpc::JobRun& run, const v1::ExportMembersRequest& request) const {
  const std::string today = clock_.Today();
  ASSIGN_OR_RETURN(const int64_t days, LimitOn(catalog_, "member_file_days", today));
  ASSIGN_OR_RETURN(const absl::CivilDay day, ParseDate(today));
  v1::MemberExport made;
  const bool csv = request.format() == v1::MEMBER_EXPORT_FORMAT_CSV;
  made.set_organization(request.organization());
  made.set_format(csv ? v1::MEMBER_EXPORT_FORMAT_CSV : v1::MEMBER_EXPORT_FORMAT_XLSX);
  made.set_clear_numbers(request.clear_numbers());
  made.set_purpose(request.purpose());
  RETURN_IF_ERROR(ToCode(catalog_, "access_purpose", "purpose", *made.mutable_purpose()));
  made.set_actor(run.caller());
  made.set_create_time_us(clock_.NowMicros());
  made.set_expires_on(FormatDate(day + days));
  made.set_file_name(StrCat("members-", today, csv ? ".csv" : ".xlsx"));
  return made;
}

std::vector<AccessRow> MemberExports::AccessesTo(const std::vector<ListedMember>& page,
                                                 const v1::MemberExport& made,
                                                 const std::string& remark) const {
  std::vector<AccessRow> accesses;
  for (const ListedMember& listed : page) {
    v1::Access& access = accesses.emplace_back(AccessRow{listed.row.id, {}}).access;
    access.set_at_us(clock_.NowMicros());
    access.set_kind(v1::ACCESS_KIND_EXPORT);
    access.set_actor(made.actor());
    access.set_method(std::string(kMethod));
    access.set_purpose(made.purpose());
    access.set_remark(remark);
    access.set_times(1);
  }
  return accesses;
}

absl::StatusOr<v1::MemberExport> MemberExports::Run(rpc::JobRun& run,
                                                    const v1::ExportMembersRequest& request) const {
  const std::string& federation = run.federation();
  rpc::Call call;
  call.clock = &clock_;
  call.federation = federation;
  ASSIGN_OR_RETURN(Reading reading, Reading::Begin(*this, call, request));
  ASSIGN_OR_RETURN(v1::MemberExport made, Describe(run, request));

  rpc::JobProgress progress = run.progress();  // The checkpoint is the export's id.
  const bool again = !progress.checkpoint.empty();
  if (!again) progress.checkpoint = NewId(clock_.Now());
  const std::string id = progress.checkpoint;
  RETURN_IF_ERROR(db_.ReadOnly(absl::InfiniteFuture(), [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(progress.total, reading.Count(tx));
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(run.Save(progress, [&](sql::Tx& tx) -> absl::Status {
    RETURN_IF_ERROR(SealedFiles::Delete(tx, federation, id));
    if (again) return absl::OkStatus();
    return tx.Run(kInsert, {federation, id, Packed(made), made.expires_on(), false}).status();
  }));

  Writing writing(catalog_, *register_.kind, request.clear_numbers(), made.format());
  for (bool more = true; more;) {
    std::vector<ListedMember> page;
    ASSIGN_OR_RETURN(more, reading.Next(page));
    for (const ListedMember& listed : page) writing.Add(listed);
    if (!more) RETURN_IF_ERROR(writing.Finish());
    progress.done = writing.rows();
    std::vector<AccessRow> accesses = AccessesTo(page, made, request.remark());
    const bool takes = !more || writing.waiting().size() >= kPieceBytes;
    RETURN_IF_ERROR(run.Save(progress, [&](sql::Tx& tx) -> absl::Status {
      if (!accesses.empty()) {
        RETURN_IF_ERROR(AccessLog::Append(tx, federation, absl::MakeSpan(accesses)));
      }
      if (takes) {
        RETURN_IF_ERROR(files_.Append(tx, federation, id, writing.size(), writing.waiting()));
      }
      if (more) return absl::OkStatus();
      made.set_rows(writing.rows());
      made.set_digest(writing.digest());
      made.set_size_bytes(writing.size() + static_cast<int64_t>(writing.waiting().size()));
      return tx.Run(kUpdate, {federation, id, Packed(made)}).status();
    }));
    if (takes) writing.Taken();
  }
  made.set_name(StrCat("federations/", federation, "/memberExports/", id));
  return made;
}

}  // namespace gonghui::membership
