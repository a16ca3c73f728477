// Chains, heads, receipts and what VerifyLedger finds after each way of tampering with the database
// or the anchor.
#include <fstream>
#include <functional>
#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/str_replace.h"
#include "common/testing/jobs.h"
#include "gonghui/funds/v1/proof.pb.h"
#include "services/funds/canonical.h"
#include "services/funds/chain_start.h"
#include "tests/integration/funds_suite.h"
#include "tests/receipt/receipt.h"

namespace gonghui::funds {
namespace {

using testing::HasReason;
using testing::IsOk;

constexpr std::string_view kProofs = "/gonghui.funds.v1.ProofService/";
constexpr int kVouchers = 8;
constexpr int kSealedFirst = 5;  // Under the first head; the rest are under the second.

class LedgerProofsTest : public FundsTest {
 protected:
  static std::string BookName(std::string_view book) { return StrCat(kDemo, "/books/", book); }

  static void Open(const std::string& book) {
    auto request = BookRequest("T01");
    request.mutable_book()->set_id(book);
    ASSERT_THAT(Accountant()->Invoke<v1::Book>(StrCat(kLedger, "CreateBook"), request), IsOk());
  }

  static v1::Voucher Post(const std::string& book, int n) {
    v1::PostVoucherRequest request;
    request.set_parent(BookName(book));
    request.set_request_id(StrCat(book, "-", n));
    v1::Voucher& voucher = *request.mutable_voucher();
    voucher.set_on_date(n % 2 == 0 ? "2024-05-13" : "2024-06-02");
    voucher.set_memo(StrCat("收到第", n, "笔"));
    for (const char* account : {"102", "402"}) {
      v1::Entry& entry = *voucher.add_entries();
      entry.set_account(account);
      account[0] == '1' ? entry.set_debit_fen(1000 + n) : entry.set_credit_fen(1000 + n);
      entry.set_memo(StrCat(account, "-", n));
    }
    auto posted = Accountant()->Invoke<v1::Voucher>(StrCat(kLedger, "PostVoucher"), request);
    EXPECT_THAT(posted, IsOk());
    return posted.ok() ? *posted : v1::Voucher();
  }

  static v1::Head Seal(const std::string& book) {
    v1::SealBookRequest request;
    request.set_name(BookName(book));
    auto head = Accountant()->Invoke<v1::Head>(StrCat(kProofs, "SealBook"), request);
    EXPECT_THAT(head, IsOk());
    return head.ok() ? *head : v1::Head();
  }

  // A book with vouchers under two heads.
  static void Fill(const std::string& book) {
    Open(book);
    for (int n = 1; n <= kVouchers; ++n) {
      Post(book, n);
      if (n == kSealedFirst) Seal(book);
    }
    Seal(book);
  }

  static absl::StatusOr<v1::VerifyLedgerResult> Verify(const std::string& book = "") {
    v1::VerifyLedgerRequest request;
    request.set_parent(std::string(kDemo));
    request.set_book(book);
    request.set_request_id(StrCat("verify-", ++verifications_));
    return testing::RunJob<v1::VerifyLedgerResult>(*As("admin", "*"),
                                                   StrCat(kProofs, "VerifyLedger"),
                                                   "gonghui.funds.v1.ProofService", request);
  }

  static void Run(const std::string& script) {
    ASSERT_THAT(suite_->database("funds").RunScript(script), IsOk()) << script;
  }
  static std::string Where(const std::string& book) {
    return StrCat(" WHERE tenant = 'demo' AND book_id = '", book, "'");
  }
  static std::string At(const std::string& book, int sequence) {
    return StrCat(Where(book), " AND sequence = ", sequence);
  }
  // Month and number of the voucher at that place.
  static std::pair<std::string, int64_t> KeyAt(const std::string& book, int sequence) {
    for (const v1::Voucher& voucher : Vouchers(book)) {
      if (voucher.sequence() == sequence) {
        return {voucher.on_date().substr(0, 7), voucher.number()};
      }
    }
    return {};
  }
  static std::string EntriesAt(const std::string& book, int sequence) {
    const auto [month, number] = KeyAt(book, sequence);
    return StrCat(Where(book), " AND month = '", month, "' AND number = ", number);
  }
  static void DeleteAt(const std::string& book, int sequence) {
    const std::string entries = EntriesAt(book, sequence);
    Run(StrCat("DELETE FROM entries", entries));
    Run(StrCat("DELETE FROM vouchers", At(book, sequence)));
  }

  // Changes a voucher and everything after it so that the chain is whole again.
  static void ForgeForward(const std::string& book, int from) {
    ASSERT_THAT(
        suite_->database("funds").ReadWrite(
            absl::InfiniteFuture(),
            [&](sql::Tx& tx) -> absl::Status {
              static constexpr sql::Query kRead{
                  "test.read_chain",
                  "SELECT canonical, hash, month, number FROM vouchers WHERE tenant = 'demo' "
                  "AND book_id = $1 AND sequence = $2 AND sequence > 0"};
              static constexpr sql::Query kWrite{
                  "test.write_chain",
                  "UPDATE vouchers SET canonical = $3, hash = $4, memo = $5 WHERE tenant = "
                  "'demo' AND book_id = $1 AND sequence = $2 AND sequence > 0"};
              static constexpr sql::Query kState{
                  "test.write_state",
                  "UPDATE book_states SET hash = $2 WHERE tenant = 'demo' AND book_id = $1"};
              std::string hash;
              for (int64_t n = 1; n <= kVouchers; ++n) {
                ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kRead, {book, n}));
                ASSIGN_OR_RETURN(SealedVoucher sealed,
                                 ParseCanonical(rows[0].Get<sql::Bytes>(0).data));
                if (n == from) sealed.memo = "另有用途";
                const std::string bytes = Canonical(sealed);
                hash = ChainHash(hash, bytes);
                RETURN_IF_ERROR(
                    tx.Run(kWrite, {book, n, sql::Bytes{bytes}, hash, sealed.memo}).status());
              }
              return tx.Run(kState, {book, hash}).status();
            }),
        IsOk());
  }

  static std::string AnchorPath() {
    return (std::filesystem::temp_directory_path() / StrCat("gonghui-funds-", ::getpid()) /
            "anchors/ledger.jsonl")
        .string();
  }

  static inline int verifications_ = 0;
};

TEST_P(LedgerProofsTest, EveryTamperingIsFoundWithItsReason) {
  struct Case {
    std::string book;
    v1::LedgerFault fault;
    int64_t sequence;
    std::function<void(const std::string&)> tamper;
  };
  const std::vector<Case> cases = {
      {"amount", v1::LEDGER_FAULT_AMOUNT_EDITED, 3,
       [](const std::string& b) {
         Run(StrCat("UPDATE entries SET debit_fen = 999", EntriesAt(b, 3), " AND line = 1"));
       }},
      {"amount-and-sums", v1::LEDGER_FAULT_AMOUNT_EDITED, 2,
       [](const std::string& b) {
         Run(StrCat("UPDATE entries SET debit_fen = debit_fen + 5", EntriesAt(b, 2),
                    " AND line = 1"));
         Run(StrCat("UPDATE entries SET credit_fen = credit_fen + 5", EntriesAt(b, 2),
                    " AND line = 2"));
         Run(StrCat("UPDATE account_sums SET debit_fen = debit_fen + 5", Where(b),
                    " AND month = '2024-05' AND account = '102'"));
         Run(StrCat("UPDATE account_sums SET credit_fen = credit_fen + 5", Where(b),
                    " AND month = '2024-05' AND account = '402'"));
       }},
      {"account", v1::LEDGER_FAULT_AMOUNT_EDITED, 4,
       [](const std::string& b) {
         Run(StrCat("UPDATE entries SET account = '101'", EntriesAt(b, 4), " AND line = 1"));
       }},
      {"memo", v1::LEDGER_FAULT_MEMO_EDITED, 2,
       [](const std::string& b) { Run(StrCat("UPDATE vouchers SET memo = 'x'", At(b, 2))); }},
      {"entry-memo", v1::LEDGER_FAULT_MEMO_EDITED, 6,
       [](const std::string& b) {
         Run(StrCat("UPDATE entries SET memo = 'x'", EntriesAt(b, 6), " AND line = 2"));
       }},
      {"date", v1::LEDGER_FAULT_DATE_EDITED, 4,
       [](const std::string& b) {
         Run(StrCat("UPDATE vouchers SET on_date = '2024-05-14'", At(b, 4)));
       }},
      {"entry-date", v1::LEDGER_FAULT_DATE_EDITED, 4,
       [](const std::string& b) {
         Run(StrCat("UPDATE entries SET on_date = '2024-05-01'", EntriesAt(b, 4)));
       }},
      {"poster", v1::LEDGER_FAULT_FIELD_EDITED, 1,
       [](const std::string& b) { Run(StrCat("UPDATE vouchers SET poster = 'x'", At(b, 1))); }},
      {"middle", v1::LEDGER_FAULT_DELETED, 3, [](const std::string& b) { DeleteAt(b, 3); }},
      {"middle-closed-up", v1::LEDGER_FAULT_DELETED, 3,
       [](const std::string& b) {
         DeleteAt(b, 3);
         for (int n = 4; n <= kVouchers; ++n) {
           Run(StrCat("UPDATE vouchers SET sequence = ", n - 1, At(b, n)));
         }
         Run(StrCat("UPDATE book_states SET sequence = ", kVouchers - 1, Where(b)));
       }},
      {"entry-gone", v1::LEDGER_FAULT_DELETED, 5,
       [](const std::string& b) {
         Run(StrCat("DELETE FROM entries", EntriesAt(b, 5), " AND line = 2"));
       }},
      {"tail", v1::LEDGER_FAULT_TAIL_DELETED, 7,
       [](const std::string& b) {
         DeleteAt(b, 8);
         DeleteAt(b, 7);
       }},
      {"tail-and-state", v1::LEDGER_FAULT_TAIL_DELETED, 8,
       [](const std::string& b) {
         DeleteAt(b, 8);
         Run(
             StrCat("UPDATE book_states SET sequence = 7, hash = (SELECT v.hash FROM vouchers v "
                    "WHERE v.tenant = 'demo' AND v.book_id = '",
                    b, "' AND v.sequence = 7)", Where(b)));
       }},
      {"all", v1::LEDGER_FAULT_BOOK_DELETED, 1,
       [](const std::string& b) {
         Run(StrCat("DELETE FROM entries", Where(b)));
         Run(StrCat("DELETE FROM vouchers", Where(b)));
       }},
      {"book", v1::LEDGER_FAULT_BOOK_DELETED, 0,
       [](const std::string& b) {
         for (const char* table : {"entries", "vouchers", "account_sums", "voucher_numbers",
                                   "ledger_heads", "book_states", "books"}) {
           Run(StrCat("DELETE FROM ", table, Where(b)));
         }
       }},
      {"swapped", v1::LEDGER_FAULT_SWAPPED, 2,
       [](const std::string& b) {
         Run(StrCat("UPDATE vouchers SET sequence = 99", At(b, 2)));
         Run(StrCat("UPDATE vouchers SET sequence = 2", At(b, 6)));
         Run(StrCat("UPDATE vouchers SET sequence = 6", At(b, 99)));
       }},
      {"inserted", v1::LEDGER_FAULT_INSERTED, 9,
       [](const std::string& b) {
         Run(StrCat(
             "INSERT INTO vouchers (tenant, book_id, month, number, on_date, memo, source, "
             "part, revision, digest, reverses, reversed_by, create_time_us, sequence, "
             "canonical, hash, attachments, restates, closing, maker, checker, poster) "
             "SELECT tenant, book_id, month, 50, on_date, memo, source, part, revision, "
             "digest, reverses, reversed_by, create_time_us, 0, canonical, hash, attachments, "
             "restates, closing, maker, checker, poster FROM vouchers",
             At(b, 1)));
       }},
      {"entry-added", v1::LEDGER_FAULT_INSERTED, 7,
       [](const std::string& b) {
         Run(StrCat(
             "INSERT INTO entries (tenant, book_id, month, number, line, account, debit_fen, "
             "credit_fen, on_date, memo, dimensions) SELECT tenant, book_id, month, number, "
             "3, account, 1, 0, on_date, memo, dimensions FROM entries",
             EntriesAt(b, 7), " AND line = 1"));
       }},
      {"renumbered", v1::LEDGER_FAULT_RENUMBERED, 5,
       [](const std::string& b) {
         const std::string entries = EntriesAt(b, 5);
         Run(StrCat("UPDATE vouchers SET number = 77", At(b, 5)));
         Run(StrCat("UPDATE entries SET number = 77", entries));
       }},
      {"forged", v1::LEDGER_FAULT_FORGED_FORWARD, 6,
       [](const std::string& b) { ForgeForward(b, 7); }},
      {"forged-without-heads", v1::LEDGER_FAULT_FORGED_FORWARD, 1,
       [](const std::string& b) {
         ForgeForward(b, 2);
         Run(StrCat("DELETE FROM ledger_heads", Where(b)));
       }},
      {"backup", v1::LEDGER_FAULT_ROLLED_BACK, 6,
       [](const std::string& b) {
         for (int n = kVouchers; n > kSealedFirst; --n) DeleteAt(b, n);
         Run(StrCat("DELETE FROM ledger_heads", Where(b), " AND head > 1"));
         Run(
             StrCat("UPDATE voucher_numbers SET next = 1 + (SELECT MAX(v.number) FROM vouchers v "
                    "WHERE v.tenant = 'demo' AND v.book_id = '",
                    b, "' AND v.month = voucher_numbers.month)", Where(b)));
         Run(
             StrCat("UPDATE book_states SET sequence = 5, hash = (SELECT v.hash FROM vouchers v "
                    "WHERE v.tenant = 'demo' AND v.book_id = '",
                    b, "' AND v.sequence = 5)", Where(b)));
       }},
      {"hash", v1::LEDGER_FAULT_HASH_EDITED, 4,
       [](const std::string& b) {
         Run(StrCat("UPDATE vouchers SET hash = '", std::string(64, 'a'), "'", At(b, 4)));
       }},
      {"sums", v1::LEDGER_FAULT_SUMS_EDITED, 0,
       [](const std::string& b) {
         Run(StrCat("UPDATE account_sums SET debit_fen = debit_fen + 1", Where(b),
                    " AND month = '2024-05' AND account = '102'"));
       }},
  };
  Fill("whole");
  for (const Case& c : cases) Fill(c.book);
  ASSERT_OK_AND_ASSIGN(const auto before, Verify());
  ASSERT_EQ(before.faults_size(), 0) << before.DebugString();
  EXPECT_EQ(before.books(), static_cast<int64_t>(cases.size()) + 1);
  EXPECT_EQ(before.vouchers(), before.books() * kVouchers);
  EXPECT_EQ(before.heads(), before.books() * 2);
  for (const Case& c : cases) c.tamper(c.book);
  ASSERT_OK_AND_ASSIGN(const auto after, Verify());
  std::map<std::string, v1::BookFault> faults;
  for (const v1::BookFault& fault : after.faults()) faults[fault.book()] = fault;
  EXPECT_FALSE(faults.contains("whole"));
  for (const Case& c : cases) {
    SCOPED_TRACE(c.book);
    ASSERT_TRUE(faults.contains(c.book));
    const v1::BookFault& fault = faults[c.book];
    EXPECT_EQ(v1::LedgerFault_Name(fault.fault()), v1::LedgerFault_Name(c.fault))
        << fault.DebugString();
    if (c.book != "inserted") EXPECT_EQ(fault.sequence(), c.sequence) << fault.DebugString();
  }
}

TEST_P(LedgerProofsTest, VouchersFromBeforeThereWereChainsAreChained) {
  Open("old");
  for (int n = 1; n <= kVouchers; ++n) Post("old", n);
  Run("UPDATE vouchers SET sequence = 0, canonical = NULL, hash = ''");
  Run("UPDATE book_states SET sequence = 0, hash = ''");
  ASSERT_OK_AND_ASSIGN(const auto before, Verify());
  EXPECT_EQ(before.faults_size(), 1);
  ASSERT_THAT(ChainOldVouchers(suite_->database("funds")), IsOk());
  Post("old", kVouchers + 1);
  ASSERT_OK_AND_ASSIGN(const auto after, Verify());
  EXPECT_EQ(after.faults_size(), 0) << after.DebugString();
  EXPECT_EQ(after.vouchers(), kVouchers + 1);
}

TEST_P(LedgerProofsTest, EditedAnchorIsFound) {
  Fill("one");
  Fill("two");
  std::ifstream in(AnchorPath());
  std::stringstream text;
  text << in.rdbuf();
  const std::string whole = text.str();
  const auto write = [&](const std::string& lines) { std::ofstream(AnchorPath()) << lines; };
  const auto fault = [&](const std::string& book) {
    auto result = Verify(book);
    EXPECT_THAT(result, IsOk());
    return result.ok() && result->faults_size() > 0 ? result->faults(0).fault()
                                                    : v1::LEDGER_FAULT_UNSPECIFIED;
  };
  EXPECT_EQ(fault("one"), v1::LEDGER_FAULT_UNSPECIFIED);
  // A head that we did not sign.
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 4u);
  std::string forged = lines[1];
  const size_t at = forged.find("\"signature\"") + 16;
  forged[at] = forged[at] == 'A' ? 'B' : 'A';
  write(StrCat(lines[0], "\n", forged, "\n", lines[2], "\n", lines[3], "\n"));
  EXPECT_EQ(fault("one"), v1::LEDGER_FAULT_ANCHOR_EDITED);
  EXPECT_EQ(fault("two"), v1::LEDGER_FAULT_UNSPECIFIED);
  // A head that was taken out.
  write(StrCat(lines[1], "\n", lines[2], "\n", lines[3], "\n"));
  EXPECT_EQ(fault("one"), v1::LEDGER_FAULT_ANCHOR_EDITED);
  write(StrCat(lines[0], "\n", lines[2], "\n", lines[3], "\n"));
  EXPECT_EQ(fault("one"), v1::LEDGER_FAULT_ANCHOR_EDITED);
  // What is written twice is written once.
  write(StrCat(whole, whole));
  EXPECT_EQ(fault("one"), v1::LEDGER_FAULT_UNSPECIFIED);
}

TEST_P(LedgerProofsTest, ReceiptIsVerifiedOfflineAndNoBitOfItCanChange) {
  Open("T01");
  std::vector<v1::Voucher> posted;
  for (int n = 1; n <= 11; ++n) {
    posted.push_back(Post("T01", n));
    if (n == 4) Seal("T01");
  }
  v1::GetReceiptProofRequest request;
  request.set_name(posted[10].name());
  const auto prove = [&] {
    return Accountant()->Invoke<v1::ReceiptProof>(StrCat(kProofs, "GetReceiptProof"), request);
  };
  EXPECT_THAT(prove(), HasReason(common::v1::REASON_STATE_FORBIDS));
  Seal("T01");
  for (const v1::Voucher& voucher : posted) {
    request.set_name(voucher.name());
    ASSERT_OK_AND_ASSIGN(const auto proof, prove());
    receipt::Proven proven;
    std::string reason;
    ASSERT_TRUE(receipt::Verify(proof.receipt(), proof.public_key(), proven, reason)) << reason;
    EXPECT_EQ(proven.sequence, voucher.sequence());
    EXPECT_EQ(proven.memo, voucher.memo());
    ASSERT_EQ(proven.entries.size(), 2u);
    EXPECT_EQ(proven.entries[0].debit_fen, voucher.entries(0).debit_fen());
    EXPECT_EQ(proven.entries[1].credit_fen, voucher.entries(1).credit_fen());
    EXPECT_EQ(proven.poster, "accountant-D01");
  }
  ASSERT_OK_AND_ASSIGN(const auto proof, prove());
  std::string bytes = proof.receipt();
  receipt::Proven proven;
  std::string reason;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(receipt::Verify(bytes, proof.public_key(), proven, reason)) << "bit " << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  }
  for (size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_FALSE(receipt::Verify(bytes.substr(0, size), proof.public_key(), proven, reason));
  }
  EXPECT_FALSE(receipt::Verify(bytes + "x", proof.public_key(), proven, reason));
  std::string other_key = proof.public_key();
  other_key[0] ^= 1;
  EXPECT_FALSE(receipt::Verify(bytes, other_key, proven, reason));
}

TEST_P(LedgerProofsTest, ProofsAreForThoseWhoMaySeeTheBook) {
  Fill("T01");
  v1::ListHeadsRequest heads;
  heads.set_parent(BookName("T01"));
  heads.set_page_size(1);
  ASSERT_OK_AND_ASSIGN(const auto first, Accountant()->Invoke<v1::ListHeadsResponse>(
                                             StrCat(kProofs, "ListHeads"), heads));
  ASSERT_EQ(first.heads_size(), 1);
  EXPECT_EQ(first.heads(0).last_sequence(), kSealedFirst);
  heads.set_page_token(first.next_page_token());
  ASSERT_OK_AND_ASSIGN(const auto second, Accountant()->Invoke<v1::ListHeadsResponse>(
                                              StrCat(kProofs, "ListHeads"), heads));
  ASSERT_EQ(second.heads_size(), 1);
  EXPECT_EQ(second.heads(0).index(), 2);
  EXPECT_TRUE(second.next_page_token().empty());
  heads.clear_page_token();
  EXPECT_THAT(
      As("accountant", "T02")->Invoke<v1::ListHeadsResponse>(StrCat(kProofs, "ListHeads"), heads),
      HasReason(common::v1::REASON_OUT_OF_SCOPE));
  v1::VerifyLedgerRequest verify;
  verify.set_parent(std::string(kDemo));
  verify.set_request_id("v");
  EXPECT_THAT(
      As("accountant", "T02")->Invoke<common::v1::Job>(StrCat(kProofs, "VerifyLedger"), verify),
      HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(As("accountant", "*", "other")
                  ->Invoke<common::v1::Job>(StrCat(kProofs, "VerifyLedger"), verify),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
}

INSTANTIATE_TEST_SUITE_P(Engines, LedgerProofsTest, ::testing::ValuesIn(testing::Engines()));

}  // namespace
}  // namespace gonghui::funds
