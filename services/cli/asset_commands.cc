// gonghui asset depreciate: a month's depreciation of all assets in use.
#include <memory>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/date.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "gonghui/common/v1/record.pb.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

using common::v1::BatchCreateRecordsRequest;
using common::v1::BatchCreateRecordsResponse;
using common::v1::ListRecordsRequest;
using common::v1::ListRecordsResponse;
using common::v1::Record;

constexpr int kAssetsAtOnce = 500;

struct DepreciationOptions {
  std::string month;
  std::string organization;
  bool dry_run = false;
};

struct Charged {
  int created = 0;
  int existing = 0;
  int done = 0;  // Kept, bought later, or fully depreciated.
  int failed = 0;
  Table faults;
};

int64_t NumberIn(const Record& record, const std::string& field) {
  const auto found = record.fields().find(field);
  int64_t value = 0;
  return found != record.fields().end() && absl::SimpleAtoi(found->second, &value) ? value : 0;
}

// One charge for each asset of a page that has life left.
BatchCreateRecordsRequest ChargesOf(const ListRecordsResponse& page, const std::string& on_date,
                                    Charged& charged) {
  BatchCreateRecordsRequest request;
  for (const Record& asset : page.records()) {
    if (NumberIn(asset, "charged") >= NumberIn(asset, "life_months")) {
      ++charged.done;
      continue;
    }
    Record& record = *request.add_records();
    record.set_kind("depreciation");
    record.set_organization(asset.organization());
    record.set_on_date(on_date);
    (*record.mutable_fields())["asset"] = asset.number();
  }
  return request;
}

absl::Status Charge(Session& session, BatchCreateRecordsRequest request, Charged& charged) {
  request.set_request_id(NewId(absl::Now()));  // Asset and month keep a charge from doubling.
  ASSIGN_OR_RETURN(const auto answer,
                   session.Invoke<BatchCreateRecordsResponse>(
                       "/gonghui.funds.v1.BenefitService/BatchCreateRecords", request));
  if (session.json()) PrintJson(answer);
  charged.created += answer.created();
  charged.existing += answer.existing();
  charged.failed += answer.failures_size();
  for (const auto& failure : answer.failures()) {
    const Record& record = request.records(failure.index());
    charged.faults.Add({record.fields().at("asset"), record.organization(),
                        session.Say(failure.message(), failure.message_zh())});
  }
  return absl::OkStatus();
}

absl::StatusOr<int> Depreciate(Session& session, const DepreciationOptions& options) {
  const auto month = ParsePeriod(options.month);
  if (!month.ok() || month->first_month != month->last_month) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           "--month is not a month; write it as 2022-05",
                           "--month 不是月份，请写作 2022-05");
  }
  const std::string& on_date = month->last_day;
  ListRecordsRequest list;
  ASSIGN_OR_RETURN(*list.mutable_parent(), session.Parent());
  list.set_kind("asset");
  list.set_state("in_use");
  list.set_organization(options.organization);
  list.set_to_date(on_date);
  list.set_page_size(kAssetsAtOnce);
  Charged charged{.faults =
                      Table({session.Say("asset", "资产"), session.Say("organization", "组织"),
                             session.Say("why", "原因")})};
  do {
    ASSIGN_OR_RETURN(const auto page, session.Invoke<ListRecordsResponse>(
                                          "/gonghui.funds.v1.BenefitService/ListRecords", list));
    BatchCreateRecordsRequest charges = ChargesOf(page, on_date, charged);
    charges.set_parent(list.parent());
    charges.set_partial(true);
    charges.set_validate_only(options.dry_run);
    if (charges.records_size() > 0) RETURN_IF_ERROR(Charge(session, std::move(charges), charged));
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  if (session.json()) return charged.failed > 0 ? kRejected : kSuccess;
  Print(absl::StrCat(on_date, ": ",
                     options.dry_run ? session.Say("would be charged ", "将计提 ")
                                     : session.Say("charged ", "已计提 "),
                     charged.created, session.Say(", charged before ", "，此前已计提 "),
                     charged.existing,
                     session.Say(", nothing left to charge ", "，已提足或不计提 "), charged.done,
                     session.Say(", refused ", "，未能计提 "), charged.failed, "\n"));
  if (charged.failed > 0) Print(charged.faults.Text());
  return charged.failed > 0 ? kRejected : kSuccess;
}

}  // namespace

void AddAssetCommands(Program& program) {
  CLI::App* asset = AddCommand(program.app, "asset", "Month-end work on fixed assets",
                               "gonghui asset depreciate --month 2022-05 --dry-run");
  asset->require_subcommand(1);
  CLI::App* depreciate = AddCommand(
      *asset, "depreciate",
      "Charge a month's depreciation of all assets in use, one voucher each; may be run again",
      "gonghui asset depreciate --month 2022-05 --org T01");
  auto options = std::make_shared<DepreciationOptions>();
  depreciate->add_option("--month", options->month, "Month, such as 2022-05")->required();
  depreciate->add_option("--org", options->organization, "Organisation, with everything below it")
      ->type_name("ID");
  depreciate->add_flag("--dry-run", options->dry_run, "Only check");
  Session& session = program.session;
  OnRun(depreciate, program, [&session, options] { return Depreciate(session, *options); });
}

}  // namespace gonghui::cli
