// The services of the API that callers outside of the platform use.
#pragma once

#include <string_view>

namespace gonghui::rpc {

// Full names. The gateway and `gonghui call` offer all of their methods; the feed is for services.
inline constexpr std::string_view kApiServices[] = {
    "gonghui.membership.v1.FederationService",
    "gonghui.membership.v1.OrganizationService",
    "gonghui.membership.v1.ReorganizationService",
    "gonghui.membership.v1.MemberService",
    "gonghui.membership.v1.MemberHistoryService",
    "gonghui.membership.v1.MemberFilterService",
    "gonghui.membership.v1.MemberMergeService",
    "gonghui.membership.v1.MemberImportService",
    "gonghui.membership.v1.MemberExportService",
    "gonghui.membership.v1.TransferService",
    "gonghui.membership.v1.ApplicationService",
    "gonghui.membership.v1.EmploymentService",
    "gonghui.membership.v1.CardService",
    "gonghui.membership.v1.AccessService",
    "gonghui.membership.v1.PersonalDataService",
    "gonghui.membership.v1.RegisterService",
    "gonghui.membership.v1.JobService",
    "gonghui.funds.v1.LedgerService",
    "gonghui.funds.v1.BankService",
    "gonghui.funds.v1.BenefitService",
    "gonghui.funds.v1.ControlService",
    "gonghui.funds.v1.DuesService",
    "gonghui.funds.v1.HoldService",
    "gonghui.funds.v1.LevyService",
    "gonghui.funds.v1.ProofService",
    "gonghui.funds.v1.StatementService",
    "gonghui.activities.v1.ActivityService",
    "gonghui.casework.v1.CaseService",
    "gonghui.reports.v1.ReportService",
    "gonghui.reports.v1.EditionService",
    "gonghui.reports.v1.ReturnService",
    "gonghui.reports.v1.SummaryService",
    "gonghui.reports.v1.TargetService",
    "gonghui.reports.v1.AppraisalService",
    "gonghui.reports.v1.JobService"};

}  // namespace gonghui::rpc
