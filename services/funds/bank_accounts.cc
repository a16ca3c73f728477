#include "services/funds/bank_accounts.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "common/base/date.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/catalog/fact_rules.h"
#include "common/records/record_values.h"
#include "services/funds/control_records.h"
#include "services/funds/levy_pages.h"

namespace gonghui::funds {
namespace {

constexpr std::string_view kKind = "bank_account";
constexpr std::string_view kClosed = "closed";
constexpr size_t kLongestId = 63;
constexpr size_t kMostDigits = 4;  // Of an account number that may be told.

#define BANK_ACCOUNT_COLUMNS                                                                       \
  "account_id, organization, book_id, account, dimension, dimension_value, opened_on, closed_on, " \
  "reconciled_through"
constexpr sql::Query kFind{"funds.find_bank_account",
                           "SELECT " BANK_ACCOUNT_COLUMNS
                           " FROM bank_accounts WHERE tenant = $1 AND account_id = $2"};
constexpr sql::Query kLock{
    "funds.lock_bank_account",
    "UPDATE bank_accounts SET changes = changes + 1 WHERE tenant = $1 AND account_id = $2"};
constexpr sql::Query kPut{
    "funds.put_bank_account",
    "INSERT INTO bank_accounts (tenant, " BANK_ACCOUNT_COLUMNS
    ", changes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', 0) "
    "ON CONFLICT (tenant, account_id) DO UPDATE SET organization = excluded.organization, "
    "book_id = excluded.book_id, account = excluded.account, dimension = excluded.dimension, "
    "dimension_value = excluded.dimension_value, opened_on = excluded.opened_on, "
    "closed_on = excluded.closed_on, changes = bank_accounts.changes + 1"};
constexpr sql::Query kDelete{"funds.delete_bank_account",
                             "DELETE FROM bank_accounts WHERE tenant = $1 AND account_id = $2"};
constexpr sql::Query kSetReconciled{
    "funds.set_bank_account_reconciled",
    "UPDATE bank_accounts SET reconciled_through = $3 WHERE tenant = $1 AND account_id = $2"};
constexpr sql::Query kAnyLine{
    "funds.find_any_bank_line",
    "SELECT 1 FROM bank_lines WHERE tenant = $1 AND account_id = $2 LIMIT 1"};
constexpr sql::Query kOthersOfBook{
    "funds.list_bank_accounts_of_book",
    "SELECT " BANK_ACCOUNT_COLUMNS
    " FROM bank_accounts WHERE tenant = $1 AND book_id = $2 AND closed_on = '' "
    "AND account_id <> $3 ORDER BY account_id"};
constexpr sql::Query kList{
    "funds.list_bank_accounts",
    "SELECT " BANK_ACCOUNT_COLUMNS
    ", (SELECT COUNT(*) FROM bank_lines AS l WHERE l.tenant = a.tenant "
    "AND l.account_id = a.account_id AND l.matched_on = '') FROM bank_accounts AS a "
    "WHERE tenant = $1 AND organization = $2 AND (account_id, organization) > ($3, $4) "
    "ORDER BY account_id LIMIT $5"};

BankAccountRow ToAccount(const sql::Rows::Row& row) {
  return {row.Get<std::string>(0), row.Get<std::string>(1), row.Get<std::string>(2),
          row.Get<std::string>(3), row.Get<std::string>(4), row.Get<std::string>(5),
          row.Get<std::string>(6), row.Get<std::string>(7), row.Get<std::string>(8)};
}

BankAccountRow ToAccount(const records::Change& change) {
  const catalog::FactSource& record = *change.after;
  const auto field = [&](std::string_view name) {
    return std::string(catalog::ValueOf(record, name));
  };
  const auto closed = record.entered.find(kClosed);
  return {change.record->number(),
          record.organization,
          field("book"),
          field("account"),
          field("dimension"),
          field("dimension_value"),
          change.record->on_date(),
          closed == record.entered.end() ? "" : closed->second,
          ""};
}

absl::Status FieldInvalid(std::string_view field, std::string_view en, std::string_view zh) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID, std::string(en), std::string(zh))
      .At(std::string(field));
}

// The number becomes part of names; what is told of the bank's number is not more than its end.
absl::Status CheckTexts(const BankAccountRow& account, std::string_view digits) {
  const auto in_name = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  };
  if (account.id.size() > kLongestId || !absl::ascii_isalnum(account.id.front()) ||
      !std::all_of(account.id.begin(), account.id.end(), in_name)) {
    return FieldInvalid("number",
                        "the number of a bank account consists of letters, digits, '.', '_' and "
                        "'-', at most 63",
                        "银行账户编号由字母、数字、点、下划线和短横组成，不超过 63 位");
  }
  if (digits.size() > kMostDigits ||
      !std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit)) {
    return FieldInvalid("fields.last_digits",
                        "give at most the last four digits of the account's number, never all",
                        "只填账号末四位数字，不得填写完整账号");
  }
  return absl::OkStatus();
}

bool SameEntries(const BankAccountRow& a, const BankAccountRow& b) {
  const bool nested = a.account.starts_with(b.account) || b.account.starts_with(a.account);
  const bool told_apart =
      !a.dimension.empty() && a.dimension == b.dimension && a.dimension_value != b.dimension_value;
  return nested && !told_apart;
}

absl::Status EntriesTaken(const BankAccountRow& other) {
  return AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                       StrCat("bank account '", other.id, "' has entries of account ",
                              other.account, " of book '", other.book,
                              "' already; give each a detail account or a dimension of its own"),
                       StrCat("银行账户“", other.id, "”已对应账套“", other.book, "”的科目 ",
                              other.account, "；请为每个账户使用各自的明细科目或维度"))
      .With("existing", other.id)
      .At("fields.account");
}

absl::Status HasLines(std::string_view id) {
  return FailedPrecondition(
             common::v1::REASON_STATE_FORBIDS,
             StrCat("bank account '", id,
                    "' has statement lines: its book, account and opening day stay, and it is not "
                    "cancelled; close it and enter another one"),
             StrCat(
                 "银行账户“", id,
                 "”已有对账单流水，其账套、科目和开户日期不得变更，也不得作废；请销户后另行登记"))
      .With("allowed", "close");
}

bool SameInLedger(const BankAccountRow& a, const BankAccountRow& b) {
  return a.book == b.book && a.account == b.account && a.dimension == b.dimension &&
         a.dimension_value == b.dimension_value && a.opened_on == b.opened_on &&
         a.organization == b.organization;
}

}  // namespace

DimensionMap BankAccountRow::dimensions() const {
  return dimension.empty() ? DimensionMap() : DimensionMap{{dimension, dimension_value}};
}

std::string BankAccountRow::last_day() const {
  return closed_on.empty() ? std::string(kForever) : closed_on;
}

bool BankAccountRow::IsReconciled(std::string_view day) const {
  return day.substr(0, 7) <= reconciled_through;
}

std::string BankAccountRow::FirstOpenDay() const {
  const auto month = ParseDate(reconciled_through + "-01");
  return month.ok() ? FormatDate(absl::CivilDay(absl::CivilMonth(*month) + 1)) : "";
}

std::string BankAccountName(std::string_view tenant, std::string_view id) {
  return StrCat("federations/", tenant, "/bankAccounts/", id);
}

absl::StatusOr<BankAccountRow> FindBankAccount(sql::Tx& tx, const rpc::Call& call,
                                               const std::string& id, std::string_view field) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFind, {call.federation, id}));
  if (rows.empty()) {
    return NotFound(common::v1::REASON_NOT_FOUND,
                    StrCat("there is no bank account '", id, "'; ListBankAccounts shows them"),
                    StrCat("没有银行账户“", id, "”；请用 ListBankAccounts 查看"))
        .With("account", id)
        .At(std::string(field));
  }
  BankAccountRow account = ToAccount(rows[0]);
  RETURN_IF_ERROR(call.CheckScope(account.organization));
  return account;
}

absl::StatusOr<BankAccountRow> LockBankAccount(sql::Tx& tx, const rpc::Call& call,
                                               const std::string& id, std::string_view field) {
  ASSIGN_OR_RETURN(BankAccountRow account, FindBankAccount(tx, call, id, field));
  RETURN_IF_ERROR(tx.Run(kLock, {call.federation, id}).status());
  return account;
}

absl::Status SetReconciled(sql::Tx& tx, const std::string& tenant, const BankAccountRow& account) {
  return tx.Run(kSetReconciled, {tenant, account.id, account.reconciled_through}).status();
}

absl::StatusOr<int64_t> BankLimit(const Banking& banking, const rpc::Call& call,
                                  const BankAccountRow& account, std::string_view name,
                                  std::string_view on_date) {
  ASSIGN_OR_RETURN(const auto tree, banking.tree->Get(call.federation, account.organization));
  catalog::FactSource source;
  source.organization = account.organization;
  source.fields.emplace("on_date", on_date);
  int64_t value = 0;
  if (ParseInteger(records::Values(*banking.catalog, *tree).Read(StrCat("limit.", name), source),
                   &value)) {
    return value;
  }
  return Internal(StrCat("the catalogue has no limit ", name, " for ", on_date));
}

absl::Status BankAccounts::CheckLedger(const rpc::Call& call, sql::Tx& tx,
                                       const catalog::FactSource& record,
                                       const BankAccountRow& account) const {
  ASSIGN_OR_RETURN(const v1::Book book, BookOfRecord(call, tx, record));
  const Chart* chart = banking_.charts->Find(book.chart());
  if (chart == nullptr) return Internal(StrCat("book ", book.name(), " is on no chart"));
  RETURN_IF_ERROR(chart->Resolve(account.account, "fields.account").status());
  if (!chart->IsCash(account.account, account.opened_on)) {
    return FieldInvalid(
        "fields.account",
        StrCat("account ", account.account, " holds no money; take 102 or a detail"),
        StrCat("科目 ", account.account, " 不是货币资金科目，请填 102 或其明细"));
  }
  v1::Entry entry;
  entry.set_account(account.account);
  for (const auto& [key, value] : account.dimensions()) (*entry.mutable_dimensions())[key] = value;
  RETURN_IF_ERROR(chart->Complete(entry, account.opened_on, "fields").status());
  ASSIGN_OR_RETURN(const sql::Rows others,
                   tx.Run(kOthersOfBook, {call.federation, account.book, account.id}));
  for (size_t i = 0; i < others.size() && account.closed_on.empty(); ++i) {
    const BankAccountRow other = ToAccount(others[i]);
    if (SameEntries(account, other)) return EntriesTaken(other);
  }
  return absl::OkStatus();
}

absl::Status BankAccounts::Take(const rpc::Call& call, sql::Tx& tx,
                                const records::Change& change) const {
  const BankAccountRow account = ToAccount(change);
  ASSIGN_OR_RETURN(const sql::Rows stored, tx.Run(kFind, {call.federation, account.id}));
  const bool cancelled = change.after->cancelled;
  if (!stored.empty() && (cancelled || !SameInLedger(ToAccount(stored[0]), account))) {
    ASSIGN_OR_RETURN(const sql::Rows line, tx.Run(kAnyLine, {call.federation, account.id}));
    if (!line.empty()) return HasLines(account.id);
  }
  if (cancelled) return tx.Run(kDelete, {call.federation, account.id}).status();
  RETURN_IF_ERROR(CheckTexts(account, catalog::ValueOf(*change.after, "last_digits")));
  RETURN_IF_ERROR(CheckLedger(call, tx, *change.after, account));
  return tx
      .Run(kPut, {call.federation, account.id, account.organization, account.book, account.account,
                  account.dimension, account.dimension_value, account.opened_on, account.closed_on})
      .status();
}

absl::Status BankAccounts::OnChange(const rpc::Call& call, sql::Tx& tx,
                                    absl::Span<const records::Change> changes) const {
  for (const records::Change& change : changes) {
    if (change.kind->name() == kKind) RETURN_IF_ERROR(Take(call, tx, change));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::ListBankAccountsResponse> BankAccounts::List(
    rpc::Call& call, const v1::ListBankAccountsRequest& request) {
  ASSIGN_OR_RETURN(const auto below, Below(*banking_.tree, call, request.organization()));
  v1::ListBankAccountsResponse response;
  const PageQuery page{&kList, {}, [&](const sql::Rows::Row& row) {
                         const BankAccountRow stored = ToAccount(row);
                         v1::BankAccount& account = *response.add_accounts();
                         account.set_name(BankAccountName(call.federation, stored.id));
                         account.set_organization(stored.organization);
                         account.set_book(stored.book);
                         account.set_account(stored.account);
                         account.set_dimension(stored.dimension);
                         account.set_dimension_value(stored.dimension_value);
                         account.set_opened_on(stored.opened_on);
                         account.set_closed_on(stored.closed_on);
                         account.set_reconciled_through(stored.reconciled_through);
                         account.set_open_lines(row.Get<int64_t>(9));
                         return std::vector<std::string>{stored.id, stored.organization};
                       }};
  RETURN_IF_ERROR(
      FillPage(*banking_.db, call, request, below, page, response, [&] { response.Clear(); }));
  return response;
}

}  // namespace gonghui::funds
