#include "services/membership/service.h"

#include <utility>

#include "common/base/status.h"
#include "common/cache/schema.embedded.h"
#include "common/catalog/catalog.h"
#include "common/feed/schema.embedded.h"
#include "common/records/records.h"
#include "common/records/schema.embedded.h"
#include "common/rpc/schema.embedded.h"
#include "common/rpc/upkeep.h"
#include "common/sql/migrate.h"
#include "services/membership/access_log.h"
#include "services/membership/accesses.h"
#include "services/membership/applications.h"
#include "services/membership/cards.h"
#include "services/membership/catalog.embedded.h"
#include "services/membership/duplicates.h"
#include "services/membership/employments.h"
#include "services/membership/erasures.h"
#include "services/membership/federations.h"
#include "services/membership/member_exports.h"
#include "services/membership/member_filters.h"
#include "services/membership/member_history.h"
#include "services/membership/member_imports.h"
#include "services/membership/member_merges.h"
#include "services/membership/members.h"
#include "services/membership/name_key_backfill.h"
#include "services/membership/organizations.h"
#include "services/membership/personal_copies.h"
#include "services/membership/personal_keys.h"
#include "services/membership/reorganizations.h"
#include "services/membership/schema.embedded.h"
#include "services/membership/transfers.h"

namespace gonghui::membership {
namespace {

constexpr absl::Duration kUpkeepEvery = absl::Hours(1);

class MembershipService : public Hosted {
 public:
  MembershipService(const Host& host, catalog::Catalog catalog)
      : catalog_(std::move(catalog)),
        cache_(host.open_cache()),
        federations_(host),
        organizations_(host, catalog_),
        reorganizations_(host, catalog_, *cache_),
        access_log_(*host.db),
        accesses_(host, catalog_, access_log_),
        members_(host, catalog_, *cache_, access_log_),
        history_(host, catalog_),
        transfers_(host, catalog_, *cache_),
        applications_(host, catalog_, *cache_),
        employments_(host, catalog_),
        cards_(host, catalog_),
        duplicates_(host, catalog_, access_log_),
        merges_(host, catalog_, *cache_),
        jobs_({.db = host.db, .clock = host.clock}),
        filters_(host, catalog_, *cache_, transfers_, jobs_),
        imports_(host, catalog_, *cache_, members_, jobs_),
        exports_(host, catalog_, jobs_),
        personal_keys_(host, jobs_),
        erasures_(host, catalog_, *cache_, applications_),
        copies_(host, catalog_,
                {history_, employments_, cards_, transfers_, applications_, accesses_}),
        registers_({.collection = "registers",
                    .db = host.db,
                    .catalog = &catalog_,
                    .tree = host.tree,
                    .personal = host.personal,
                    .on_change = nullptr}),
        federation_service_("gonghui.membership.v1.FederationService", *host.pipeline),
        organization_service_("gonghui.membership.v1.OrganizationService", *host.pipeline),
        reorganization_service_("gonghui.membership.v1.ReorganizationService", *host.pipeline),
        member_service_("gonghui.membership.v1.MemberService", *host.pipeline),
        history_service_("gonghui.membership.v1.MemberHistoryService", *host.pipeline),
        transfer_service_("gonghui.membership.v1.TransferService", *host.pipeline),
        application_service_("gonghui.membership.v1.ApplicationService", *host.pipeline),
        employment_service_("gonghui.membership.v1.EmploymentService", *host.pipeline),
        card_service_("gonghui.membership.v1.CardService", *host.pipeline),
        merge_service_("gonghui.membership.v1.MemberMergeService", *host.pipeline),
        filter_service_("gonghui.membership.v1.MemberFilterService", *host.pipeline),
        import_service_("gonghui.membership.v1.MemberImportService", *host.pipeline),
        export_service_("gonghui.membership.v1.MemberExportService", *host.pipeline),
        job_service_("gonghui.membership.v1.JobService", *host.pipeline),
        access_service_("gonghui.membership.v1.AccessService", *host.pipeline),
        personal_service_("gonghui.membership.v1.PersonalDataService", *host.pipeline),
        register_service_("gonghui.membership.v1.RegisterService", *host.pipeline) {
    federation_service_.Handle("CreateFederation", &federations_, &Federations::Create);
    federation_service_.Handle("GetFederation", &federations_, &Federations::Get);

    rpc::Service& o = organization_service_;
    o.Handle("CreateOrganization", &organizations_, &Organizations::Create);
    o.Handle("BatchCreateOrganizations", &organizations_, &Organizations::BatchCreate);
    o.Handle("GetOrganization", &organizations_, &Organizations::Get);
    o.Handle("ListOrganizations", &organizations_, &Organizations::List);
    o.Handle("GetTree", &organizations_, &Organizations::GetTree);
    o.Handle("RenameOrganization", &organizations_, &Organizations::Rename);
    o.Handle("MoveOrganization", &organizations_, &Organizations::Move);
    o.Handle("CloseOrganization", &organizations_, &Organizations::Close);
    o.Handle("ListOrganizationVersions", &organizations_, &Organizations::ListVersions);

    rpc::Service& r = reorganization_service_;
    r.Handle("PlanReorganization", &reorganizations_, &Reorganizations::Plan);
    r.Handle("ApplyReorganization", &reorganizations_, &Reorganizations::Apply);
    r.Handle("RevertReorganization", &reorganizations_, &Reorganizations::Revert);
    r.Handle("GetReorganization", &reorganizations_, &Reorganizations::Get);
    r.Handle("ListReorganizations", &reorganizations_, &Reorganizations::List);
    r.Handle("ListReorganizationEffects", &reorganizations_, &Reorganizations::ListEffects);
    r.Handle("MergeOrganizations", &reorganizations_, &Reorganizations::Merge);
    r.Handle("SplitOrganization", &reorganizations_, &Reorganizations::Split);

    rpc::Service& m = member_service_;
    m.HandleBatched<v1::CreateMemberRequest, v1::Member>(
        "CreateMember",
        [this](absl::Span<Members::CreateCall> calls) { members_.CreateWaiting(calls); });
    m.Handle("BatchCreateMembers", &members_, &Members::BatchCreate);
    m.HandleWithPeek<v1::GetMemberRequest, v1::Member>(
        "GetMember",
        [this](rpc::Call& call, const v1::GetMemberRequest& r) { return members_.Peek(call, r); },
        [this](rpc::Call& call, const v1::GetMemberRequest& r) { return members_.Get(call, r); });
    m.Handle("ListMembers", &members_, &Members::List);
    m.Handle("UpdateMember", &members_, &Members::Update);
    m.Handle("RetainMember", &members_, &Members::Retain);
    m.Handle("ResumeMember", &members_, &Members::Resume);
    m.Handle("LeaveMember", &members_, &Members::Leave);
    m.Handle("JoinMember", &members_, &Members::Join);

    history_service_.Handle("ListMemberEvents", &history_, &MemberHistory::ListEvents);
    history_service_.Handle("GetMemberFlow", &history_, &MemberHistory::GetFlow);

    rpc::Service& t = transfer_service_;
    t.Handle("StartTransfer", &transfers_, &Transfers::Start);
    t.Handle("AcceptTransfer", &transfers_, &Transfers::Accept);
    t.Handle("RejectTransfer", &transfers_, &Transfers::Reject);
    t.Handle("CancelTransfer", &transfers_, &Transfers::Cancel);
    t.Handle("GetTransfer", &transfers_, &Transfers::Get);
    t.Handle("ListTransfers", &transfers_, &Transfers::List);

    rpc::Service& a = application_service_;
    a.Handle("SubmitApplication", &applications_, &Applications::Submit);
    a.Handle("ApproveApplication", &applications_, &Applications::Approve);
    a.Handle("RefuseApplication", &applications_, &Applications::Refuse);
    a.Handle("WithdrawApplication", &applications_, &Applications::Withdraw);
    a.Handle("GetApplication", &applications_, &Applications::Get);
    a.Handle("ListApplications", &applications_, &Applications::List);

    rpc::Service& e = employment_service_;
    e.Handle("CreateEmployment", &employments_, &Employments::Create);
    e.Handle("UpdateEmployment", &employments_, &Employments::Update);
    e.Handle("DeleteEmployment", &employments_, &Employments::Delete);
    e.Handle("ListEmployments", &employments_, &Employments::List);

    rpc::Service& c = card_service_;
    c.Handle("IssueCard", &cards_, &Cards::Issue);
    c.Handle("BatchIssueCards", &cards_, &Cards::BatchIssue);
    c.Handle("ReportCardLoss", &cards_, &Cards::ReportLoss);
    c.Handle("ReplaceCard", &cards_, &Cards::Replace);
    c.Handle("CancelCard", &cards_, &Cards::Cancel);
    c.Handle("GetCard", &cards_, &Cards::Get);
    c.Handle("ListCards", &cards_, &Cards::List);
    c.Handle("CountCards", &cards_, &Cards::Count);
    c.Handle("VerifyCard", &cards_, &Cards::Verify);

    rpc::Service& d = merge_service_;
    d.Handle("FindDuplicates", &duplicates_, &Duplicates::Find);
    d.Handle("MergeMembers", &merges_, &MemberMerges::Merge);
    d.Handle("UnmergeMembers", &merges_, &MemberMerges::Unmerge);
    d.Handle("GetMemberMerge", &merges_, &MemberMerges::Get);

    rpc::Service& f = filter_service_;
    f.Handle("CreateMemberFilter", &filters_, &MemberFilters::Create);
    f.Handle("GetMemberFilter", &filters_, &MemberFilters::Get);
    f.Handle("ListMemberFilters", &filters_, &MemberFilters::List);
    f.Handle("DeleteMemberFilter", &filters_, &MemberFilters::Delete);
    f.Handle("ChangeMembers", &filters_, &MemberFilters::Change);
    jobs_.Register<v1::ChangeMembersRequest, v1::ChangeMembersResponse>(
        "ChangeMembers", [this](rpc::JobRun& run, const v1::ChangeMembersRequest& request) {
          return filters_.ChangeMany(run, request);
        });

    rpc::Service& i = import_service_;
    i.Handle("CreateMemberImport", &imports_, &MemberImports::Create);
    i.Handle("AppendMemberImport", &imports_, &MemberImports::Append);
    i.Handle("StartMemberImport", &imports_, &MemberImports::Start);
    i.Handle("UndoMemberImport", &imports_, &MemberImports::Undo);
    i.Handle("GetMemberImport", &imports_, &MemberImports::Get);
    i.Handle("ListMemberImports", &imports_, &MemberImports::List);
    i.Handle("ListMemberImportFaults", &imports_, &MemberImports::ListFaults);
    i.Handle("GetMemberImportRejects", &imports_, &MemberImports::GetRejects);
    jobs_.Register<v1::StartMemberImportRequest, v1::MemberImport>(
        "StartMemberImport", [this](rpc::JobRun& run, const v1::StartMemberImportRequest& request) {
          return imports_.Run(run, request);
        });
    jobs_.Register<v1::UndoMemberImportRequest, v1::MemberImport>(
        "UndoMemberImport", [this](rpc::JobRun& run, const v1::UndoMemberImportRequest& request) {
          return imports_.TakeBack(run, request);
        });
    jobs_.Register<v1::ResealPersonalDataRequest, v1::ResealPersonalDataResult>(
        "ResealPersonalData", [this](rpc::JobRun& run, const v1::ResealPersonalDataRequest&) {
          return personal_keys_.Run(run);
        });

    rpc::Service& x = export_service_;
    x.Handle("ExportMembers", &exports_, &MemberExports::Start);
    x.Handle("GetMemberExport", &exports_, &MemberExports::Get);
    x.Handle("DownloadMemberExport", &exports_, &MemberExports::Download);
    jobs_.Register<v1::ExportMembersRequest, v1::MemberExport>(
        "ExportMembers", [this](rpc::JobRun& run, const v1::ExportMembersRequest& request) {
          return exports_.Run(run, request);
        });
    jobs_.Serve(job_service_);

    access_service_.Handle("RevealField", &accesses_, &Accesses::Reveal);
    access_service_.Handle("ListAccesses", &accesses_, &Accesses::List);
    access_service_.Handle("VerifyAccesses", &accesses_, &Accesses::Verify);
    access_service_.Handle("ExplainAccess", &accesses_, &Accesses::Explain);

    rpc::Service& p = personal_service_;
    p.Handle("ListPersonalKeys", &personal_keys_, &PersonalKeys::List);
    p.Handle("ResealPersonalData", &personal_keys_, &PersonalKeys::Reseal);
    p.Handle("ExportPersonalData", &copies_, &PersonalCopies::Export);
    p.Handle("EraseMember", &erasures_, &Erasures::Erase);

    registers_.Serve(register_service_);
  }

  std::vector<rpc::Service*> services() override {
    return {&federation_service_,  &organization_service_, &reorganization_service_,
            &member_service_,      &history_service_,      &transfer_service_,
            &application_service_, &employment_service_,   &card_service_,
            &merge_service_,       &filter_service_,       &import_service_,
            &export_service_,      &job_service_,          &access_service_,
            &personal_service_,    &register_service_};
  }
  void Start() override {
    jobs_.StartWorkers();
    access_log_.Start();
    upkeep_.Add("expired imports", [this] { return imports_.EmptyExpired(); });
    upkeep_.Add("expired exports", [this] { return exports_.EmptyExpired(); });
    upkeep_.Start();
  }
  void Stop() override {
    upkeep_.Stop();
    jobs_.Stop();
    access_log_.Stop();
  }

 private:
  const catalog::Catalog catalog_;
  const std::unique_ptr<cache::Cache> cache_;
  Federations federations_;
  Organizations organizations_;
  Reorganizations reorganizations_;
  AccessLog access_log_;
  Accesses accesses_;
  Members members_;
  MemberHistory history_;
  Transfers transfers_;
  Applications applications_;
  Employments employments_;
  Cards cards_;
  Duplicates duplicates_;
  MemberMerges merges_;
  rpc::Jobs jobs_;
  MemberFilters filters_;
  MemberImports imports_;
  MemberExports exports_;
  rpc::Upkeep upkeep_{kUpkeepEvery};
  PersonalKeys personal_keys_;
  Erasures erasures_;
  PersonalCopies copies_;
  records::Records registers_;
  rpc::Service federation_service_;
  rpc::Service organization_service_;
  rpc::Service reorganization_service_;
  rpc::Service member_service_;
  rpc::Service history_service_;
  rpc::Service transfer_service_;
  rpc::Service application_service_;
  rpc::Service employment_service_;
  rpc::Service card_service_;
  rpc::Service merge_service_;
  rpc::Service filter_service_;
  rpc::Service import_service_;
  rpc::Service export_service_;
  rpc::Service job_service_;
  rpc::Service access_service_;
  rpc::Service personal_service_;
  rpc::Service register_service_;
};

}  // namespace

std::vector<EmbeddedFile> MembershipSchema() {
  std::vector<EmbeddedFile> files;
  for (const std::vector<EmbeddedFile>* part :
       {&embedded::common_rpc_schema(), &embedded::common_feed_schema(),
        &embedded::common_records_schema(), &embedded::common_cache_schema(),
        &embedded::services_membership_schema()}) {
    files.insert(files.end(), part->begin(), part->end());
  }
  return files;
}

absl::StatusOr<std::unique_ptr<Hosted>> OpenMembership(const Host& host) {
  RETURN_IF_ERROR(sql::Migrate(*host.db, MembershipSchema(), host.clock->NowMicros()));
  RETURN_IF_ERROR(FillNameKeys(*host.db));
  ASSIGN_OR_RETURN(const std::vector<EmbeddedFile> files,
                   host.catalog(embedded::services_membership_catalog()));
  ASSIGN_OR_RETURN(catalog::Catalog catalog, catalog::Catalog::Load("membership", files));
  return std::make_unique<MembershipService>(host, std::move(catalog));
}

}  // namespace gonghui::membership
