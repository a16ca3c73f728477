#include "services/funds/service.h"

#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/catalog/catalog.h"
#include "common/feed/schema.embedded.h"
#include "common/records/records.h"
#include "common/records/schema.embedded.h"
#include "common/rpc/schema.embedded.h"
#include "common/sql/migrate.h"
#include "services/funds/benefits.h"
#include "services/funds/books.h"
#include "services/funds/catalog.embedded.h"
#include "services/funds/charts.h"
#include "services/funds/schema.embedded.h"
#include "services/funds/vouchers.h"

namespace gonghui::funds {
namespace {

constexpr std::string_view kChartFile = "chart.yaml";

std::vector<EmbeddedFile> Schema() {
  std::vector<EmbeddedFile> files = embedded::common_rpc_schema();
  for (const auto& part : {embedded::common_feed_schema(), embedded::common_records_schema(),
                           embedded::services_funds_schema()}) {
    files.insert(files.end(), part.begin(), part.end());
  }
  return files;
}

class Funds : public Hosted {
 public:
  Funds(const Host& host, Charts charts, catalog::Catalog catalog)
      : charts_(std::move(charts)),
        catalog_(std::move(catalog)),
        books_(host, &charts_),
        vouchers_(host, &books_),
        benefit_postings_(&books_),
        benefits_({.collection = "benefits",
                   .db = host.db,
                   .catalog = &catalog_,
                   .tree = host.tree,
                   .personal = host.personal,
                   .on_change =
                       [this](const rpc::Call& call, sql::Tx& tx,
                              absl::Span<const records::Change> changes) {
                         return benefit_postings_.OnChange(call, tx, changes);
                       }}),
        ledger_service_("gonghui.funds.v1.LedgerService", *host.pipeline),
        benefit_service_("gonghui.funds.v1.BenefitService", *host.pipeline) {
    ledger_service_.Handle("CreateBook", &books_, &Books::Create);
    ledger_service_.Handle("GetBook", &books_, &Books::Get);
    ledger_service_.Handle("ListBooks", &books_, &Books::List);
    ledger_service_.Handle("ListAccounts", &books_, &Books::ListAccounts);
    ledger_service_.HandleBatched<v1::PostVoucherRequest, v1::Voucher>(
        "PostVoucher",
        [this](absl::Span<Vouchers::PostCall> calls) { vouchers_.PostWaiting(calls); });
    ledger_service_.Handle("BatchPostVouchers", &vouchers_, &Vouchers::BatchPost);
    ledger_service_.Handle("ReverseVoucher", &vouchers_, &Vouchers::Reverse);
    ledger_service_.Handle("GetVoucher", &vouchers_, &Vouchers::Get);
    ledger_service_.Handle("ListVouchers", &vouchers_, &Vouchers::List);
    ledger_service_.Handle("ListBalances", &vouchers_, &Vouchers::ListBalances);
    benefits_.Serve(benefit_service_);
  }

  std::vector<rpc::Service*> services() override { return {&ledger_service_, &benefit_service_}; }

 private:
  const Charts charts_;
  const catalog::Catalog catalog_;
  Books books_;
  Vouchers vouchers_;
  BenefitPostings benefit_postings_;
  records::Records benefits_;
  rpc::Service ledger_service_;
  rpc::Service benefit_service_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Hosted>> OpenFunds(const Host& host) {
  RETURN_IF_ERROR(sql::Migrate(*host.db, Schema(), host.clock->NowMicros()));
  std::vector<EmbeddedFile> kinds;
  absl::StatusOr<Charts> charts = Internal("services/funds/catalog has no chart.yaml");
  ASSIGN_OR_RETURN(const std::vector<EmbeddedFile> files,
                   host.catalog(embedded::services_funds_catalog()));
  for (const EmbeddedFile& file : files) {
    if (file.name == kChartFile) {
      charts = Charts::Load(file);
    } else {
      kinds.push_back(file);
    }
  }
  if (!charts.ok()) return charts.status();
  ASSIGN_OR_RETURN(catalog::Catalog catalog, catalog::Catalog::Load("funds", kinds));
  return std::make_unique<Funds>(host, *std::move(charts), std::move(catalog));
}

}  // namespace gonghui::funds
