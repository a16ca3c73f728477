// gonghui backup and restore: the drill that an operator does.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/strip.h"
#include "common/rpc/client.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "nlohmann/json.hpp"
#include "tests/integration/cli_suite.h"

namespace gonghui {
namespace {

using ::testing::HasSubstr;

class BackupTest : public CliTest {
 protected:
  void Fill() {
    ImportOrganizations();
    Write(folder_ / "members.csv", MemberFile(0, 200));
    ASSERT_EQ(Gonghui("import member members.csv").code, 0);
    const Result book = Gonghui(
        "call LedgerService.CreateBook "
        "'{\"parent\":\"federations/demo\",\"book\":{\"organization\":"
        "\"D01\",\"chart\":\"county-2022\",\"openedOn\":\"2020-01-01\"}}'");
    ASSERT_EQ(book.code, 0) << book.err;
  }

  // Posts one voucher after the other until told to stop; returns how many were acknowledged.
  int Post(const std::atomic<bool>& stop, std::atomic<int>& posted) {
    const std::string token(absl::StripAsciiWhitespace(Read(folder_ / "token")));
    const rpc::Client client(
        {.address = absl::StrCat("127.0.0.1:", port_), .token = [token] { return token; }});
    while (!stop) {
      funds::v1::PostVoucherRequest request;
      request.set_parent("federations/demo/books/D01");
      request.set_request_id(absl::StrCat("v", posted.load()));
      funds::v1::Voucher& voucher = *request.mutable_voucher();
      voucher.set_on_date("2020-03-01");
      voucher.set_memo("利息");
      funds::v1::Entry& debit = *voucher.add_entries();
      debit.set_account("102");
      debit.set_debit_fen(100);
      funds::v1::Entry& credit = *voucher.add_entries();
      credit.set_account("408");
      credit.set_credit_fen(100);
      const auto answer =
          client.Invoke<funds::v1::Voucher>("/gonghui.funds.v1.LedgerService/PostVoucher", request);
      EXPECT_TRUE(answer.ok()) << answer.status();
      if (!answer.ok()) break;
      ++posted;
    }
    return posted;
  }

  // Each put one yuan into the bank.
  int Vouchers() {
    const nlohmann::json balances =
        nlohmann::json::parse(Gonghui("balances --book D01 --json").out, nullptr, false);
    if (!balances.contains("debit_fen")) return -1;
    return std::stoi(balances["debit_fen"].get<std::string>()) / 100;
  }

  std::string Quoted(const char* name) const { return "'" + (folder_ / name).string() + "'"; }
};

TEST_F(BackupTest, ADrillEndsWithASoundLedgerAndSoundFigures) {
  Fill();
  std::atomic<bool> stop = false;
  std::atomic<int> posted = 0;
  std::thread writer([&] { Post(stop, posted); });
  while (posted < 20) std::this_thread::yield();
  const int before = posted;
  const Result backup =
      Gonghui("backup --data " + Quoted("data") + " --to " + Quoted("copy") + " --with-keys");
  const int after = posted;
  stop = true;
  writer.join();
  ASSERT_EQ(backup.code, 0) << backup.err;
  EXPECT_THAT(backup.out, HasSubstr("membership"));
  EXPECT_EQ(fs::status(folder_ / "copy/funds.db").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(Gonghui("backup --data " + Quoted("data") + " --to " + Quoted("copy")).code, 4);

  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(
        Gonghui("backup --data " + Quoted("data") + " --into " + Quoted("nights") + " --keep 1")
            .code,
        0);
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // Named by the second.
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "nights"), {}), 1);

  suite_.reset();
  fs::rename(folder_ / "data", folder_ / "lost");
  ASSERT_EQ(Gonghui("restore --from " + Quoted("nights") + " --data " + Quoted("newest")).code, 0);
  const Result restore = Gonghui("restore --from " + Quoted("copy") + " --data " + Quoted("data"));
  ASSERT_EQ(restore.code, 0) << restore.err;
  EXPECT_EQ(Gonghui("restore --from " + Quoted("copy") + " --data " + Quoted("data")).code, 4)
      << "it holds data now";
  fs::copy(folder_ / "lost/dev", folder_ / "data/dev");  // The token's key.
  StartSuite("127.0.0.1:0");
  EXPECT_GE(Vouchers(), before) << "acknowledged before the backup began";
  EXPECT_LE(Vouchers(), after + 1);
  const Result ledger = Gonghui("ledger verify");
  EXPECT_EQ(ledger.code, 0) << ledger.out << ledger.err;
  const Result figures = Gonghui("verify rollups");
  EXPECT_EQ(figures.code, 0) << figures.out << figures.err;
  EXPECT_EQ(CountMembers(), 200);
}

TEST_F(BackupTest, ASpoiltBackupIsRefusedBeforeAnythingIsWritten) {
  Fill();
  ASSERT_EQ(Gonghui("backup --data " + Quoted("data") + " --to " + Quoted("copy")).code, 0);
  const std::string good = Read(folder_ / "copy/membership.db");
  const std::string restore =
      "restore --lang en --from " + Quoted("copy") + " --data " + Quoted("new");
  std::string flipped = good;
  flipped[flipped.size() / 2] ^= 1;
  Write(folder_ / "copy/membership.db", flipped);
  EXPECT_THAT(Gonghui(restore).err, HasSubstr("membership.db is not what was written"));
  Write(folder_ / "copy/membership.db", good.substr(0, good.size() - 1));
  EXPECT_THAT(Gonghui(restore).err, HasSubstr("membership.db is shorter"));
  fs::remove(folder_ / "copy/membership.db");
  EXPECT_THAT(Gonghui(restore).err, HasSubstr("membership.db is missing"));
  Write(folder_ / "copy/backup.json", "{}");
  EXPECT_NE(Gonghui(restore).code, 0);
  EXPECT_FALSE(fs::exists(folder_ / "new"));
}

}  // namespace
}  // namespace gonghui
