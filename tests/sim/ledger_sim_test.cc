// Random vouchers, batches, reversals and replays. After every step the database must hold what a
// model in memory holds: debits equal credits in every book, numbers without gaps in every book and
// month, each voucher once, and the balances of every account at the end and on a random day.
#include <gtest/gtest.h>

#include <cstdlib>
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
#include "google/protobuf/util/message_differencer.h"
#include "services/funds/balances.h"
#include "services/funds/books.h"
#include "services/funds/catalog.embedded.h"
#include "services/funds/schema.embedded.h"
#include "services/funds/vouchers.h"

namespace gonghui::funds {
namespace {

using google::protobuf::util::MessageDifferencer;
using testing::IsOk;

constexpr const char* kFederation = "sim";
const std::vector<std::string> kBooks = {"D", "T1", "T2"};
const std::vector<std::string> kAccounts = {"101", "102", "10201", "135",
                                            "215", "402", "50404", "510"};

uint64_t Setting(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// What must be in the database.
struct Model {
  struct Posted {
    v1::Voucher voucher;  // As answered.
    std::string book;
  };
  std::map<std::string, Posted> vouchers;                              // By name.
  std::map<std::pair<std::string, std::string>, std::string> sources;  // Book, source -> name.

  void Add(const std::string& book, const v1::Voucher& voucher) {
    ASSERT_TRUE(vouchers.emplace(voucher.name(), Posted{voucher, book}).second) << voucher.name();
    if (!voucher.source().empty()) sources[{book, voucher.source()}] = voucher.name();
  }
};

// What a call must come to.
enum class Expected { kPosted, kSameAsBefore, kExists, kRefused };

class LedgerSim : public ::testing::TestWithParam<std::string> {
 protected:
  LedgerSim() : db_(GetParam()) {
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
    balances_ = std::make_unique<Balances>(host, books_.get());
    method_.full_name = "gonghui.funds.v1.LedgerService.PostVoucher";
    method_.policy.set_permission("funds.vouchers.post");
    call_.method = &method_;
    call_.clock = &clock_;
    call_.federation = kFederation;
    call_.actor.subject = "accountant";
    call_.actor.federation = kFederation;
    common::v1::Grant grant;
    grant.set_role("accountant");
    grant.set_organization("*");
    call_.actor.grants.push_back(grant);
  }

  static tree::TreeCache::Page Organisations(int64_t after) {
    tree::TreeCache::Page page;
    page.sequence = after;
    for (const std::string& id : kBooks) {
      if (after > 0) break;
      tree::Version version;
      version.version_id = version.id = version.display_name = id;
      version.parent = id == "D" ? "" : "D";
      version.kind = id == "D" ? "district" : "enterprise";
      version.state = "open";
      version.valid_from = "2000-01-01";
      version.valid_to = "9999-12-31";
      page.versions.push_back(version);
      page.sequence = 1;
    }
    return page;
  }

  void OpenBooks() {
    for (const std::string& id : kBooks) {
      v1::CreateBookRequest request;
      request.set_parent(StrCat("federations/", kFederation));
      request.mutable_book()->set_organization(id);
      request.mutable_book()->set_chart(id == "D" ? "county-2022" : "grassroots-2022");
      request.mutable_book()->set_opened_on("2020-01-01");
      request.set_request_id(StrCat("book-", id));
      ASSERT_THAT(books_->Create(call_, request), IsOk());
    }
  }

  int Below(int bound) { return static_cast<int>(random_() % static_cast<uint64_t>(bound)); }
  template <typename T>
  const T& Pick(const std::vector<T>& items) {
    return items[Below(static_cast<int>(items.size()))];
  }
  std::string RandomDay() { return absl::StrFormat("2020-%02d-%02d", Below(4) + 1, Below(28) + 1); }
  std::string ParentOf(const std::string& book) const {
    return StrCat("federations/", kFederation, "/books/", book);
  }

  // Two to six entries that balance.
  v1::Voucher RandomVoucher() {
    v1::Voucher voucher;
    voucher.set_on_date(RandomDay());
    voucher.set_memo("随机凭证");
    if (Below(2) == 0) voucher.set_source(StrCat("S", ++sources_));
    int64_t total = 0;
    for (int i = 0, debits = Below(5) + 1; i < debits; ++i) {
      v1::Entry& entry = *voucher.add_entries();
      entry.set_account(Pick(kAccounts));
      entry.set_debit_fen(Below(1'000'000) + 1);
      total += entry.debit_fen();
    }
    v1::Entry& credit = *voucher.add_entries();
    credit.set_account(Pick(kAccounts));
    credit.set_credit_fen(total);
    return voucher;
  }

  void Spoil(v1::Voucher& voucher) {
    v1::Entry& first = *voucher.mutable_entries(0);
    switch (Below(5)) {
      case 0:
        first.set_debit_fen(first.debit_fen() + 1);
        break;
      case 1:
        first.set_debit_fen(-first.debit_fen());
        break;
      case 2:
        first.set_account("999");
        break;
      case 3:
        voucher.set_on_date("2019-12-31");
        break;
      default:
        voucher.mutable_entries()->DeleteSubrange(1, voucher.entries_size() - 1);
    }
  }

  struct Planned {
    v1::PostVoucherRequest request;
    std::string book;
    Expected expected = Expected::kPosted;
    std::string name;  // Of the voucher answered before.
  };

  Planned PlanOne() {
    Planned plan;
    const int what = Below(10);
    if (what == 0 && !history_.empty()) {
      plan = Pick(history_);  // The same request again.
      plan.expected = Expected::kSameAsBefore;
      return plan;
    }
    plan.book = Pick(kBooks);
    plan.request.set_parent(ParentOf(plan.book));
    plan.request.set_request_id(StrCat("r", ++requests_));
    *plan.request.mutable_voucher() = RandomVoucher();
    if (what <= 2 && !model_.sources.empty()) {
      // An imported voucher again under another request_id, the same or changed.
      auto it = model_.sources.begin();
      std::advance(it, Below(static_cast<int>(model_.sources.size())));
      const Model::Posted& posted = model_.vouchers.at(it->second);
      plan.book = posted.book;
      plan.request.set_parent(ParentOf(plan.book));
      v1::Voucher& voucher = *plan.request.mutable_voucher();
      voucher = posted.voucher;
      voucher.clear_book();
      plan.name = it->second;
      plan.expected = Expected::kSameAsBefore;
      if (what == 2) {
        voucher.set_memo("改了摘要");
        plan.expected = Expected::kExists;
      }
    } else if (what == 3) {
      Spoil(*plan.request.mutable_voucher());
      plan.expected = Expected::kRefused;
    }
    return plan;
  }

  void Judge(const Planned& plan, const absl::StatusOr<v1::Voucher>& result) {
    switch (plan.expected) {
      case Expected::kPosted:
        ASSERT_THAT(result, IsOk());
        model_.Add(plan.book, *result);
        history_.push_back(plan);
        history_.back().name = result->name();
        break;
      case Expected::kSameAsBefore:
        ASSERT_THAT(result, IsOk());
        EXPECT_EQ(result->name(), plan.name);
        break;
      case Expected::kExists:
        EXPECT_EQ(ReasonOf(result.status()), common::v1::REASON_ALREADY_EXISTS);
        break;
      case Expected::kRefused:
        EXPECT_FALSE(result.ok());
    }
  }

  void PostWaiting() {
    std::vector<Planned> plans;
    for (int i = 0, count = Below(12) + 1; i < count; ++i) plans.push_back(PlanOne());
    std::vector<Vouchers::PostCall> calls;
    for (const Planned& plan : plans) {
      calls.push_back({&call_, &plan.request, absl::UnknownError("not answered")});
    }
    vouchers_->PostWaiting(absl::MakeSpan(calls));
    for (size_t i = 0; i < plans.size(); ++i) Judge(plans[i], calls[i].result);
  }

  void PostBatch() {
    v1::BatchPostVouchersRequest request;
    request.set_parent(StrCat("federations/", kFederation));
    request.set_request_id(StrCat("b", ++requests_));
    request.set_partial(Below(2) == 0);
    std::set<int> bad;
    for (int i = 0, count = Below(40) + 1; i < count; ++i) {
      v1::Voucher& voucher = *request.add_vouchers();
      voucher = RandomVoucher();
      voucher.set_book(Pick(kBooks));
      if (Below(15) > 0) continue;
      Spoil(voucher);
      bad.insert(i);
    }
    ASSERT_OK_AND_ASSIGN(const auto response, vouchers_->BatchPost(call_, request));
    std::set<int> failed;
    for (const auto& failure : response.failures()) failed.insert(failure.index());
    EXPECT_EQ(failed, bad);
    const bool written = bad.empty() || request.partial();
    for (int i = 0; i < request.vouchers_size(); ++i) {
      const std::string& name = response.names(i);
      ASSERT_EQ(name.empty(), !written || bad.contains(i));
      if (name.empty()) continue;
      v1::Voucher posted = request.vouchers(i);
      posted.set_name(name);
      model_.Add(posted.book(), posted);
    }
    if (!written) return;
    ASSERT_OK_AND_ASSIGN(const auto replayed, vouchers_->BatchPost(call_, request));
    EXPECT_TRUE(MessageDifferencer::Equals(replayed, response));
  }

  void Reverse() {
    if (model_.vouchers.empty()) return;
    auto it = model_.vouchers.begin();
    std::advance(it, Below(static_cast<int>(model_.vouchers.size())));
    Model::Posted& original = it->second;
    v1::ReverseVoucherRequest request;
    request.set_name(it->first);
    request.set_reason("记错科目");
    request.set_on_date(std::max(original.voucher.on_date(), RandomDay()));
    request.set_request_id(StrCat("v", ++requests_));
    const bool allowed =
        original.voucher.reverses().empty() && original.voucher.reversed_by().empty();
    const auto result = vouchers_->Reverse(call_, request);
    if (!allowed) {
      EXPECT_EQ(ReasonOf(result.status()), common::v1::REASON_STATE_FORBIDS);
      return;
    }
    ASSERT_THAT(result, IsOk());
    EXPECT_EQ(result->reverses(), it->first);
    original.voucher.set_reversed_by(result->name());
    const std::string book = original.book;
    model_.Add(book, *result);
    ASSERT_OK_AND_ASSIGN(const auto again, vouchers_->Reverse(call_, request));
    EXPECT_TRUE(MessageDifferencer::Equals(again, *result));
  }

  // Sums of a book's accounts in the model up to a day.
  std::map<std::string, std::pair<int64_t, int64_t>> ModelSums(const std::string& book,
                                                               const std::string& day) const {
    std::map<std::string, std::pair<int64_t, int64_t>> sums;
    for (const auto& [name, posted] : model_.vouchers) {
      if (posted.book != book || posted.voucher.on_date() > day) continue;
      for (const v1::Entry& entry : posted.voucher.entries()) {
        sums[entry.account()].first += entry.debit_fen();
        sums[entry.account()].second += entry.credit_fen();
      }
    }
    return sums;
  }

  void CheckBalances(const std::string& book, const std::string& day) {
    v1::ListBalancesRequest request;
    request.set_parent(ParentOf(book));
    if (day != "9999-12-31") request.set_on_date(day);
    ASSERT_OK_AND_ASSIGN(const auto response, balances_->List(call_, request));
    EXPECT_EQ(response.debit_fen(), response.credit_fen());
    std::map<std::string, std::pair<int64_t, int64_t>> sums;
    for (const v1::Balance& b : response.balances()) {
      sums[b.account()] = {b.debit_fen(), b.credit_fen()};
    }
    EXPECT_EQ(sums, ModelSums(book, day)) << book << " on " << day;
  }

  // Straight from the rows, by SQL of its own.
  void CheckRows() {
    std::map<std::string, std::set<int64_t>> numbers;  // Book and month -> numbers in the model.
    for (const auto& [name, posted] : model_.vouchers) {
      const std::string month = posted.voucher.on_date().substr(0, 7);
      const int64_t number = std::stoll(name.substr(name.rfind('-') + 1));
      EXPECT_TRUE(numbers[StrCat(posted.book, " ", month)].insert(number).second) << name;
    }
    EXPECT_THAT(
        db_->ReadOnly(
            absl::InfiniteFuture(),
            [&](sql::Tx& tx) -> absl::Status {
              ASSIGN_OR_RETURN(const auto rows,
                               tx.Run({"sim.numbers",
                                       "SELECT book_id, month, COUNT(*), MIN(number), MAX(number) "
                                       "FROM vouchers GROUP BY book_id, month"}));
              EXPECT_EQ(rows.size(), numbers.size());
              for (size_t i = 0; i < rows.size(); ++i) {
                const auto& row = rows[i];
                const auto& known =
                    numbers[StrCat(row.Get<std::string>(0), " ", row.Get<std::string>(1))];
                EXPECT_EQ(row.Get<int64_t>(2), static_cast<int64_t>(known.size()));
                EXPECT_EQ(row.Get<int64_t>(3), 1);
                EXPECT_EQ(row.Get<int64_t>(4), row.Get<int64_t>(2));
              }
              ASSIGN_OR_RETURN(
                  const auto sums,
                  tx.Run({"sim.sums",
                          "SELECT book_id, CAST(SUM(debit_fen) AS BIGINT), "
                          "CAST(SUM(credit_fen) AS BIGINT) FROM entries GROUP BY book_id"}));
              for (size_t i = 0; i < sums.size(); ++i) {
                EXPECT_EQ(sums[i].Get<int64_t>(1), sums[i].Get<int64_t>(2))
                    << sums[i].Get<std::string>(0);
              }
              return absl::OkStatus();
            }),
        IsOk());
  }

  void CheckListing(const std::string& book) {
    v1::ListVouchersRequest request;
    request.set_parent(ParentOf(book));
    request.set_page_size(7);
    size_t count = 0;
    do {
      ASSERT_OK_AND_ASSIGN(const auto page, vouchers_->List(call_, request));
      for (const v1::Voucher& voucher : page.vouchers()) {
        ++count;
        const auto it = model_.vouchers.find(voucher.name());
        ASSERT_NE(it, model_.vouchers.end()) << voucher.name();
        const v1::Voucher& known = it->second.voucher;
        EXPECT_EQ(voucher.reversed_by(), known.reversed_by());
        EXPECT_EQ(voucher.reverses(), known.reverses());
        ASSERT_EQ(voucher.entries_size(), known.entries_size());
        for (int i = 0; i < voucher.entries_size(); ++i) {
          v1::Entry sent = known.entries(i);  // Defaults came to it since.
          *sent.mutable_dimensions() = voucher.entries(i).dimensions();
          EXPECT_TRUE(MessageDifferencer::Equals(voucher.entries(i), sent));
        }
      }
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    size_t known = 0;
    for (const auto& [name, posted] : model_.vouchers) known += posted.book == book ? 1 : 0;
    EXPECT_EQ(count, known) << book;
  }

  testing::TempDatabase db_;
  ManualClock clock_{absl::FromUnixSeconds(1'600'000'000)};
  tree::TreeCache tree_{[](const std::string&, int64_t after) { return Organisations(after); },
                        &clock_};
  std::unique_ptr<Charts> charts_;
  std::unique_ptr<Books> books_;
  std::unique_ptr<Vouchers> vouchers_;
  std::unique_ptr<Balances> balances_;
  rpc::Method method_;
  rpc::Call call_;
  std::mt19937_64 random_;
  Model model_;
  std::vector<Planned> history_;
  int64_t requests_ = 0;
  int64_t sources_ = 0;
};

TEST_P(LedgerSim, BooksStayTrue) {
  const uint64_t seed = Setting("GONGHUI_SIM_SEED", std::random_device{}());
  const uint64_t steps = Setting("GONGHUI_SIM_STEPS", 120);
  std::printf("seed %llu (GONGHUI_SIM_SEED repeats it)\n", static_cast<unsigned long long>(seed));
  random_.seed(seed);
  OpenBooks();
  for (uint64_t step = 0; step < steps && !HasFailure(); ++step) {
    SCOPED_TRACE(StrCat("seed ", seed, ", step ", step));
    clock_.Advance(absl::Seconds(1));
    switch (Below(4)) {
      case 0:
        PostBatch();
        break;
      case 1:
        Reverse();
        break;
      default:
        PostWaiting();
    }
    CheckRows();
    for (const std::string& book : kBooks) {
      CheckBalances(book, "9999-12-31");
      CheckBalances(book, RandomDay());
    }
    if (step % 10 == 0) CheckListing(Pick(kBooks));
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, LedgerSim, ::testing::ValuesIn(testing::Engines()));

}  // namespace
}  // namespace gonghui::funds
