#include "services/funds/service.h"

#include <optional>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/catalog/catalog.h"
#include "common/feed/schema.embedded.h"
#include "common/records/records.h"
#include "common/records/schema.embedded.h"
#include "common/rpc/schema.embedded.h"
#include "common/sql/migrate.h"
#include "services/funds/attachments.h"
#include "services/funds/balances.h"
#include "services/funds/bank_service.h"
#include "services/funds/benefits.h"
#include "services/funds/books.h"
#include "services/funds/catalog.embedded.h"
#include "services/funds/chain_start.h"
#include "services/funds/charts.h"
#include "services/funds/control_records.h"
#include "services/funds/heads.h"
#include "services/funds/holds.h"
#include "services/funds/ledger_jobs.h"
#include "services/funds/ledger_keeper.h"
#include "services/funds/levy_service.h"
#include "services/funds/months.h"
#include "services/funds/schema.embedded.h"
#include "services/funds/statements.h"
#include "services/funds/vouchers.h"

namespace gonghui::funds {
namespace {

constexpr std::string_view kChartFile = "chart.yaml";
constexpr std::string_view kStatementFile = "statements.yaml";

class Funds : public Hosted {
 public:
  Funds(const Host& host, Charts charts, LevyRules levy_rules, catalog::Catalog catalog)
      : host_(host),
        charts_(std::move(charts)),
        catalog_(std::move(catalog)),
        books_(host, &charts_),
        vouchers_(host, &books_),
        balances_(host, &books_),
        months_(host, &books_, &charts_),
        holds_(host, &books_),
        attachments_(host, &books_),
        statements_(host, &books_, &charts_),
        benefit_postings_(&books_),
        control_records_(host, &books_),
        bank_(host, &catalog_, &charts_),
        benefits_({.collection = "benefits",
                   .db = host.db,
                   .catalog = &catalog_,
                   .tree = host.tree,
                   .personal = host.personal,
                   .on_change = [this](const rpc::Call& call, sql::Tx& tx,
                                       absl::Span<const records::Change> changes,
                                       feed::v1::Event& event) -> absl::Status {
                     RETURN_IF_ERROR(benefit_postings_.OnChange(call, tx, changes, event));
                     RETURN_IF_ERROR(control_records_.OnChange(call, tx, changes));
                     return bank_.accounts().OnChange(call, tx, changes);
                   }}),
        levies_(host, std::move(levy_rules), &books_),
        ledger_service_("gonghui.funds.v1.LedgerService", *host.pipeline),
        hold_service_("gonghui.funds.v1.HoldService", *host.pipeline),
        control_service_("gonghui.funds.v1.ControlService", *host.pipeline),
        proof_service_("gonghui.funds.v1.ProofService", *host.pipeline),
        statement_service_("gonghui.funds.v1.StatementService", *host.pipeline),
        benefit_service_("gonghui.funds.v1.BenefitService", *host.pipeline) {
    ledger_service_.Handle("CreateBook", &books_, &Books::Create);
    ledger_service_.Handle("GetBook", &books_, &Books::Get);
    ledger_service_.Handle("UpdateBook", &books_, &Books::Update);
    ledger_service_.Handle("ListBooks", &books_, &Books::List);
    ledger_service_.Handle("ListAccounts", &books_, &Books::ListAccounts);
    ledger_service_.HandleBatched<v1::PostVoucherRequest, v1::Voucher>(
        "PostVoucher",
        [this](absl::Span<Vouchers::PostCall> calls) { vouchers_.PostWaiting(calls); });
    ledger_service_.Handle("BatchPostVouchers", &vouchers_, &Vouchers::BatchPost);
    ledger_service_.Handle("ReverseVoucher", &vouchers_, &Vouchers::Reverse);
    ledger_service_.Handle("GetVoucher", &vouchers_, &Vouchers::Get);
    ledger_service_.Handle("ListVouchers", &vouchers_, &Vouchers::List);
    ledger_service_.Handle("CloseMonth", &months_, &Months::Close);
    ledger_service_.Handle("ReopenMonth", &months_, &Months::Reopen);
    ledger_service_.Handle("ListBalances", &balances_, &Balances::List);
    ledger_service_.Handle("ListEntries", &balances_, &Balances::ListEntries);
    ledger_service_.Handle("CreateAttachment", &attachments_, &Attachments::Create);
    ledger_service_.Handle("GetAttachment", &attachments_, &Attachments::Get);
    hold_service_.Handle("CreateHold", &holds_, &Holds::Create);
    hold_service_.Handle("CheckHold", &holds_, &Holds::Check);
    hold_service_.Handle("ConfirmHold", &holds_, &Holds::Confirm);
    hold_service_.Handle("ReleaseHold", &holds_, &Holds::Release);
    hold_service_.Handle("GetHold", &holds_, &Holds::Get);
    hold_service_.Handle("ListHolds", &holds_, &Holds::List);
    control_service_.Handle("ListFunds", &control_records_, &ControlRecords::ListFunds);
    control_service_.Handle("ListBudgetLines", &control_records_, &ControlRecords::ListBudgetLines);
    statement_service_.Handle("ListStatementForms", &statements_, &Statements::ListForms);
    statement_service_.Handle("GetStatement", &statements_, &Statements::Get);
    statement_service_.Handle("ExportStatement", &statements_, &Statements::Export);
    statement_service_.Handle("ExportBook", &statements_, &Statements::ExportBook);
    benefits_.Serve(benefit_service_);
  }

  std::vector<rpc::Service*> services() override {
    std::vector<rpc::Service*> all = {&ledger_service_, &hold_service_,      &control_service_,
                                      &proof_service_,  &statement_service_, &benefit_service_,
                                      bank_.service()};
    for (rpc::Service* service : levies_.services()) all.push_back(service);
    return all;
  }

  // Reads the ledger's key and opens its anchor.
  absl::Status OpenProofs() {
    ASSIGN_OR_RETURN(heads_, Heads::Open(host_, &books_));
    ledger_jobs_ = std::make_unique<LedgerJobs>(host_, &books_, heads_.get());
    proof_service_.Handle("VerifyLedger", ledger_jobs_.get(), &LedgerJobs::Verify);
    proof_service_.Handle("SealBook", heads_.get(), &Heads::Seal);
    proof_service_.Handle("ListHeads", heads_.get(), &Heads::List);
    proof_service_.Handle("GetReceiptProof", heads_.get(), &Heads::Prove);
    ledger_jobs_->jobs().Serve(proof_service_);
    keeper_ = std::make_unique<LedgerKeeper>(host_, heads_.get(), &holds_);
    return absl::OkStatus();
  }

  void Start() override {
    ledger_jobs_->jobs().StartWorkers();
    keeper_->Start();
  }
  void Stop() override {
    keeper_->Stop();
    ledger_jobs_->jobs().Stop();
  }

 private:
  const Host host_;
  const Charts charts_;
  const catalog::Catalog catalog_;
  Books books_;
  Vouchers vouchers_;
  Balances balances_;
  Months months_;
  Holds holds_;
  Attachments attachments_;
  Statements statements_;
  BenefitPostings benefit_postings_;
  ControlRecords control_records_;
  BankService bank_;
  records::Records benefits_;
  LevyService levies_;
  std::unique_ptr<Heads> heads_;
  std::unique_ptr<LedgerJobs> ledger_jobs_;
  std::unique_ptr<LedgerKeeper> keeper_;
  rpc::Service ledger_service_;
  rpc::Service hold_service_;
  rpc::Service control_service_;
  rpc::Service proof_service_;
  rpc::Service statement_service_;
  rpc::Service benefit_service_;
};

}  // namespace

std::vector<EmbeddedFile> FundsSchema() {
  std::vector<EmbeddedFile> files = embedded::common_rpc_schema();
  for (const auto& part : {embedded::common_feed_schema(), embedded::common_records_schema(),
                           embedded::services_funds_schema()}) {
    files.insert(files.end(), part.begin(), part.end());
  }
  return files;
}

absl::StatusOr<std::unique_ptr<Hosted>> OpenFunds(const Host& host) {
  RETURN_IF_ERROR(sql::Migrate(*host.db, FundsSchema(), host.clock->NowMicros()));
  RETURN_IF_ERROR(ChainOldVouchers(*host.db));
  std::vector<EmbeddedFile> kinds;
  std::optional<EmbeddedFile> chart_file;
  std::optional<EmbeddedFile> statement_file;
  absl::StatusOr<LevyRules> levy_rules = Internal("services/funds/catalog has no levy.yaml");
  ASSIGN_OR_RETURN(const std::vector<EmbeddedFile> files,
                   host.catalog(embedded::services_funds_catalog()));
  for (const EmbeddedFile& file : files) {
    if (file.name == kChartFile) {
      chart_file = file;
    } else if (file.name == kStatementFile) {
      statement_file = file;
    } else if (file.name == kLevyFile) {
      levy_rules = LevyRules::Load(file);
    } else {
      kinds.push_back(file);
    }
  }
  if (!chart_file.has_value() || !statement_file.has_value()) {
    return Internal("services/funds/catalog has no chart.yaml or no statements.yaml");
  }
  ASSIGN_OR_RETURN(Charts charts, Charts::Load(*chart_file, *statement_file));
  if (!levy_rules.ok()) return levy_rules.status();
  ASSIGN_OR_RETURN(catalog::Catalog catalog, catalog::Catalog::Load("funds", kinds));
  auto funds =
      std::make_unique<Funds>(host, std::move(charts), *std::move(levy_rules), std::move(catalog));
  RETURN_IF_ERROR(funds->OpenProofs());
  return funds;
}

}  // namespace gonghui::funds
