// Random postings over restricted funds, budget lines, holds, closed months and roles against a
// model that knows, of each, whether it must be let in. At the end nothing is overspent, every sum
// is what the model holds, and the chain verifies. GONGHUI_FULL=1: a million postings an engine.
// The seed is printed; GONGHUI_SEED repeats a run.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "common/base/text.h"
#include "common/feed/schema.embedded.h"
#include "common/rpc/schema.embedded.h"
#include "common/sql/migrate.h"
#include "common/testing/database.h"
#include "common/testing/matchers.h"
#include "common/testing/settings.h"
#include "services/funds/books.h"
#include "services/funds/catalog.embedded.h"
#include "services/funds/controls.h"
#include "services/funds/holds.h"
#include "services/funds/ledger_check.h"
#include "services/funds/months.h"
#include "services/funds/schema.embedded.h"
#include "services/funds/vouchers.h"

namespace gonghui::funds {
namespace {

using testing::IsOk;

constexpr const char* kFederation = "sim";
constexpr const char* kBook = "E";
constexpr int kMonths = 6;  // Of 2024.
constexpr int kBatch = 50;

struct ModelFund {
  std::string purpose;  // Account that it may be spent on.
  std::string last_day;
  int64_t received = 0;
  int64_t spent = 0;
  int64_t held = 0;
  int64_t available() const { return received - spent - held; }
};

struct ModelLine {
  int64_t amount = 0;
  bool block = false;
  int64_t used = 0;
  int64_t held = 0;
  int64_t available() const { return amount - used - held; }
};

// What a voucher of this simulation does: an income, or an expense of a fund or of none.
struct Move {
  std::string on_date;
  std::string account;  // Of income or expense.
  std::string fund;
  int64_t fen = 0;
  bool income = false;
};

class ControlsSim : public ::testing::TestWithParam<std::string> {
 protected:
  ControlsSim() : db_(GetParam()) {
    std::vector<EmbeddedFile> schema = embedded::common_rpc_schema();
    for (const auto& part : {embedded::common_feed_schema(), embedded::services_funds_schema()}) {
      schema.insert(schema.end(), part.begin(), part.end());
    }
    EXPECT_THAT(sql::Migrate(*db_, schema, 1), IsOk());
    std::map<std::string_view, EmbeddedFile> files;
    for (const EmbeddedFile& file : embedded::services_funds_catalog()) files[file.name] = file;
    charts_ = std::make_unique<Charts>(
        *Charts::Load(files.at("chart.yaml"), files.at("statements.yaml")));
    Host host;
    host.clock = &clock_;
    host.db = db_.get();
    host.tree = &tree_;
    books_ = std::make_unique<Books>(host, charts_.get());
    vouchers_ = std::make_unique<Vouchers>(host, books_.get());
    holds_ = std::make_unique<Holds>(host, books_.get());
    months_ = std::make_unique<Months>(host, books_.get(), charts_.get());
    call_.method = &method_;
    call_.clock = &clock_;
    call_.federation = kFederation;
    call_.roles = &auth::Roles::Builtin();
    method_.full_name = "gonghui.funds.v1.LedgerService.PostVoucher";
    method_.policy.set_permission("funds.vouchers.post");
    BecomeRole("accountant");
  }

  // Accountants may post into soft-closed months, bookkeepers may not.
  void BecomeRole(const std::string& role) {
    role_ = role;
    call_.actor = {};
    call_.actor.subject = role;
    call_.actor.federation = kFederation;
    common::v1::Grant& grant = call_.actor.grants.emplace_back();
    grant.set_role(role);
    grant.set_organization("*");
    grant.set_below(true);
  }

  static tree::TreeCache::Page Organisations(int64_t after) {
    tree::TreeCache::Page page;
    page.sequence = after;
    if (after > 0) return page;
    tree::Version version;
    version.version_id = version.id = version.display_name = kBook;
    version.kind = "enterprise";
    version.state = "open";
    version.valid_from = "2000-01-01";
    version.valid_to = "9999-12-31";
    page.versions.push_back(version);
    page.sequence = 1;
    return page;
  }

  void SetUp() override {
    v1::CreateBookRequest request;
    request.set_parent(StrCat("federations/", kFederation));
    request.mutable_book()->set_organization(kBook);
    request.mutable_book()->set_chart("grassroots-2022");
    request.mutable_book()->set_opened_on("2024-01-01");
    request.set_request_id("book");
    ASSERT_THAT(books_->Create(call_, request), IsOk());
    funds_ = {{"F1", {"50404", "2024-12-31"}}, {"F2", {"50405", "2024-03-31"}}};
    lines_ = {{"50102", {2'000'000, true}}, {"50404", {900'000, true}}, {"503", {100'000, false}}};
    std::string script;
    for (const auto& [code, fund] : funds_) {
      StrAppend(&script,
                "INSERT INTO restricted_funds (tenant, book_id, fund, display_name, purposes, "
                "payer, valid_from, valid_to, received_fen, spent_fen, held_fen) VALUES ('sim', "
                "'E', '",
                code, "', '', '", fund.purpose, "', '', '2024-01-01', '", fund.last_day,
                "', 0, 0, 0);");
    }
    for (const auto& [item, line] : lines_) {
      StrAppend(&script,
                "INSERT INTO budget_lines (tenant, book_id, year, item, fund, unit, amount_fen, "
                "block, used_fen, held_fen) VALUES ('sim', 'E', 2024, '",
                item, "', '', '', ", line.amount, ", ", line.block ? "TRUE" : "FALSE", ", 0, 0);");
    }
    StrAppend(&script, "UPDATE book_states SET controlled = TRUE;");
    ASSERT_THAT(db_->RunScript(script), IsOk());
  }

  int Below(int bound) { return static_cast<int>(random_() % static_cast<uint64_t>(bound)); }
  std::string NextId() { return StrCat("r", ++ids_); }

  Move RandomMove() {
    Move move;
    move.on_date = absl::StrFormat("2024-%02d-%02d", Below(kMonths) + 1, Below(28) + 1);
    move.fen = Below(10'000) + 1;
    move.income = Below(3) == 0;
    const int which = Below(4);
    move.fund = which == 0 ? "F1" : which == 1 ? "F2" : "";
    const std::vector<std::string> accounts = {"50102", "50301", "50404", "50405", "510"};
    move.account = move.income ? (move.fund.empty() ? "401" : "40302")
                   : !move.fund.empty() && Below(4) > 0
                       ? funds_[move.fund].purpose
                       : accounts[static_cast<size_t>(Below(static_cast<int>(accounts.size())))];
    return move;
  }

  static v1::Voucher ToVoucher(const Move& move) {
    v1::Voucher voucher;
    voucher.set_on_date(move.on_date);
    voucher.set_memo("模拟");
    voucher.set_book(kBook);
    v1::Entry& cash = *voucher.add_entries();
    cash.set_account("102");
    move.income ? cash.set_debit_fen(move.fen) : cash.set_credit_fen(move.fen);
    v1::Entry& other = *voucher.add_entries();
    other.set_account(move.account);
    move.income ? other.set_credit_fen(move.fen) : other.set_debit_fen(move.fen);
    if (!move.fund.empty()) (*other.mutable_dimensions())["fund"] = move.fund;
    return voucher;
  }

  bool MonthTakes(const Move& move) const {
    const std::string month = move.on_date.substr(0, 7);
    if (month <= hard_) return false;
    return month > soft_ || role_ == "accountant";
  }

  // Whether it must be let in; if so, takes its amounts.
  bool Take(const Move& move, bool as_hold) {
    if (!MonthTakes(move)) return false;
    ModelFund* fund = move.fund.empty() ? nullptr : &funds_[move.fund];
    if (fund != nullptr && !move.income &&
        (move.account != fund->purpose || move.on_date > fund->last_day ||
         fund->available() < move.fen)) {
      return false;
    }
    for (const auto& [item, line] : lines_) {
      if (!move.income && move.account.starts_with(item) && line.block &&
          line.available() < move.fen) {
        return false;
      }
    }
    Add(move, as_hold, 1);
    return true;
  }

  void Add(const Move& move, bool as_hold, int sign) {
    if (!move.fund.empty()) {
      ModelFund& fund = funds_[move.fund];
      if (as_hold) {
        if (!move.income) fund.held += sign * move.fen;
      } else {
        (move.income ? fund.received : fund.spent) += sign * move.fen;
      }
    }
    if (move.income) return;
    for (auto& [item, line] : lines_) {
      if (!move.account.starts_with(item)) continue;
      (as_hold ? line.held : line.used) += sign * move.fen;
    }
  }

  void PostBatch() {
    BecomeRole(Below(2) == 0 ? "accountant" : "bookkeeper");
    v1::BatchPostVouchersRequest request;
    request.set_parent(StrCat("federations/", kFederation));
    request.set_partial(true);
    request.set_request_id(NextId());
    std::set<int> refused;
    for (int i = 0; i < kBatch; ++i) {
      const Move move = RandomMove();
      *request.add_vouchers() = ToVoucher(move);
      if (!Take(move, false)) refused.insert(i);
    }
    ASSERT_OK_AND_ASSIGN(const auto response, vouchers_->BatchPost(call_, request));
    std::set<int> theirs;
    for (const common::v1::ItemFailure& failure : response.failures()) {
      theirs.insert(failure.index());
    }
    ASSERT_EQ(theirs, refused) << response.DebugString();
    posted_ += response.posted();
    refused_ += static_cast<int64_t>(refused.size());
    BecomeRole("accountant");
  }

  void CreateHold() {
    const Move move = RandomMove();
    v1::CreateHoldRequest request;
    request.set_parent(StrCat("federations/", kFederation, "/books/", kBook));
    *request.mutable_hold()->mutable_voucher() = ToVoucher(move);
    request.set_request_id(NextId());
    const auto hold = holds_->Create(call_, request);
    ASSERT_EQ(hold.ok(), Take(move, true)) << hold.status();
    if (hold.ok()) held_.emplace_back(hold->name(), move);
  }

  void EndHold() {
    if (held_.empty()) return;
    const size_t at = static_cast<size_t>(Below(static_cast<int>(held_.size())));
    const auto [name, move] = held_[at];
    if (Below(2) == 0) {
      v1::ReleaseHoldRequest request;
      request.set_name(name);
      request.set_reason("模拟");
      request.set_request_id(NextId());
      ASSERT_THAT(holds_->Release(call_, request), IsOk());
      Add(move, true, -1);
    } else {
      v1::ConfirmHoldRequest request;
      request.set_name(name);
      request.set_request_id(NextId());
      const auto confirmed = holds_->Confirm(call_, request);
      Add(move, true, -1);
      const bool expected = Take(move, false);
      ASSERT_EQ(confirmed.ok(), expected) << confirmed.status();
      if (!expected) {
        Add(move, true, 1);  // It goes on waiting.
        return;
      }
      ++posted_;
    }
    held_.erase(held_.begin() + static_cast<ptrdiff_t>(at));
  }

  void CloseOrReopen() {
    if (Below(3) == 0 && !soft_.empty() && soft_ > hard_) {
      v1::ReopenMonthRequest request;
      request.set_name(StrCat("federations/", kFederation, "/books/", kBook));
      request.set_month(soft_);
      request.set_reason("模拟");
      request.set_request_id(NextId());
      ASSERT_OK_AND_ASSIGN(const auto opened, months_->Reopen(call_, request));
      soft_ = opened.book().soft_closed_through();
      return;
    }
    const std::string month = absl::StrFormat("2024-%02d", Below(kMonths) + 1);
    v1::CloseMonthRequest request;
    request.set_name(StrCat("federations/", kFederation, "/books/", kBook));
    request.set_month(month);
    // The last months stay open, or nothing could be posted in the end.
    request.set_hard(Below(8) == 0 && month <= "2024-02");
    request.set_request_id(NextId());
    const bool allowed = month > (request.hard() ? hard_ : soft_);
    const auto closed = months_->Close(call_, request);
    ASSERT_EQ(closed.ok(), allowed) << closed.status();
    if (!allowed) return;
    soft_ = std::max(soft_, month);
    if (request.hard()) hard_ = month;
  }

  void CheckAll() {
    std::vector<v1::Fund> funds;
    std::vector<v1::BudgetLine> lines;
    LedgerCheck check(kFederation, kBook, std::string(32, '\0'), nullptr, 0);
    ASSERT_THAT(db_->ReadOnly(absl::InfiniteFuture(),
                              [&](sql::Tx& tx) -> absl::Status {
                                ASSIGN_OR_RETURN(funds, ListFunds(tx, kFederation, kBook, "", 10));
                                ASSIGN_OR_RETURN(lines, ListLines(tx, kFederation, kBook, 2024));
                                bool more = true;
                                while (more) {
                                  ASSIGN_OR_RETURN(more, check.ReadMore(tx));
                                }
                                return check.Finish(tx);
                              }),
                IsOk());
    EXPECT_FALSE(check.found()) << check.fault().DebugString();
    ASSERT_EQ(funds.size(), funds_.size());
    for (const v1::Fund& fund : funds) {
      const ModelFund& model = funds_[fund.code()];
      EXPECT_EQ(fund.received_fen(), model.received) << fund.code();
      EXPECT_EQ(fund.spent_fen(), model.spent) << fund.code();
      EXPECT_EQ(fund.held_fen(), model.held) << fund.code();
      EXPECT_GE(fund.available_fen(), 0) << fund.code();
    }
    ASSERT_EQ(lines.size(), lines_.size());
    for (const v1::BudgetLine& line : lines) {
      const ModelLine& model = lines_[line.item()];
      EXPECT_EQ(line.used_fen(), model.used) << line.item();
      EXPECT_EQ(line.held_fen(), model.held) << line.item();
      if (line.block()) EXPECT_GE(line.available_fen(), 0) << line.item();
    }
  }

  testing::TempDatabase db_;
  ManualClock clock_{absl::FromUnixSeconds(1'735'700'000)};  // 2025-01-01.
  tree::TreeCache tree_{[](const std::string&, int64_t after) { return Organisations(after); },
                        &clock_};
  std::unique_ptr<Charts> charts_;
  std::unique_ptr<Books> books_;
  std::unique_ptr<Vouchers> vouchers_;
  std::unique_ptr<Holds> holds_;
  std::unique_ptr<Months> months_;
  rpc::Method method_;
  rpc::Call call_;
  std::string role_;
  std::mt19937_64 random_;
  std::map<std::string, ModelFund> funds_;
  std::map<std::string, ModelLine> lines_;
  std::vector<std::pair<std::string, Move>> held_;
  std::string soft_;
  std::string hard_;
  int64_t ids_ = 0;
  int64_t posted_ = 0;
  int64_t refused_ = 0;
};

TEST_P(ControlsSim, NothingIsOverspentWhateverIsAsked) {
  random_.seed(testing::Seed());
  const int64_t wanted = testing::FullSize() ? 1'000'000 : 4'000;
  while (posted_ + refused_ < wanted && !HasFatalFailure()) {
    PostBatch();
    for (int i = Below(4); i > 0 && !HasFatalFailure(); --i) CreateHold();
    for (int i = Below(4); i > 0 && !HasFatalFailure(); --i) EndHold();
    if (Below(10) == 0 && !HasFatalFailure()) CloseOrReopen();
    // Now and then a limit rises, so that there is always something to spend.
    if (Below(20) == 0) {
      lines_["50102"].amount += 1'000'000;
      ASSERT_THAT(db_->RunScript("UPDATE budget_lines SET amount_fen = amount_fen + 1000000 "
                                 "WHERE item = '50102'"),
                  IsOk());
    }
  }
  CheckAll();
  std::printf("%lld posted, %lld refused\n", static_cast<long long>(posted_),
              static_cast<long long>(refused_));
}

INSTANTIATE_TEST_SUITE_P(Engines, ControlsSim, ::testing::ValuesIn(testing::Engines()));

}  // namespace
}  // namespace gonghui::funds
