// Looks for identity and phone numbers in clear wherever the platform leaves data behind.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <unordered_set>

#include "absl/strings/escaping.h"
#include "common/testing/jobs.h"
#include "common/testing/redis_server.h"
#include "common/testing/settings.h"
#include "gonghui/common/v1/record.pb.h"
#include "gonghui/membership/v1/access.pb.h"
#include "gonghui/membership/v1/application.pb.h"
#include "gonghui/membership/v1/member_export.pb.h"
#include "gonghui/membership/v1/member_merge.pb.h"
#include "gonghui/membership/v1/personal_data.pb.h"
#include "gonghui/reports/v1/report.pb.h"
#include "tests/integration/membership.h"

namespace gonghui::membership {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPhoneDigits = 11;
constexpr size_t kIdDigits = 17;  // Without the check digit.

// The numbers of person `i`, like those of no other test.
std::string NumberOf(int i) {
  const absl::CivilDay born = absl::CivilDay(1970, 1, 1) + i / 1000;
  const std::string digits =
      absl::StrFormat("450721%04d%02d%02d%03d", born.year(), born.month(), born.day(), i % 1000);
  static constexpr int kWeights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  int sum = 0;
  for (int k = 0; k < 17; ++k) sum += (digits[k] - '0') * kWeights[k];
  return digits + "10X98765432"[sum % 11];
}
std::string PhoneOf(int i) {
  return absl::StrCat(15'000'000'000 + int64_t{i} * 7919 % 999'999'937);
}

// Finds known numbers in bytes of any kind.
class Scanner {
 public:
  explicit Scanner(int people) {
    for (int i = 0; i < people; ++i) {
      ids_.insert(std::stoull(NumberOf(i).substr(0, kIdDigits)));
      phones_.insert(std::stoull(PhoneOf(i)));
    }
  }

  // `whole`: a phone number has no digit beside it, as in text, where times of many digits stand.
  void Scan(const std::string& where, std::string_view bytes, bool whole) {
    for (size_t from = 0; from < bytes.size();) {
      if (!IsDigit(bytes[from])) {
        ++from;
        continue;
      }
      size_t to = from;
      while (to < bytes.size() && IsDigit(bytes[to])) ++to;
      ScanDigits(where, bytes.substr(from, to - from), whole, InHash(bytes, from, to));
      from = to;
    }
  }
  // The same for text in which bytes stand as \x and hexadecimal digits.
  void ScanWithHex(const std::string& where, const std::string& text) {
    Scan(where, text, true);
    for (size_t at = text.find("\\x"); at != std::string::npos; at = text.find("\\x", at + 2)) {
      size_t end = at + 2;
      while (end < text.size() && isxdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
      const std::string hex = text.substr(at + 2, (end - at - 2) / 2 * 2);
      Scan(where, absl::HexStringToBytes(hex), true);
    }
  }
  void ScanFiles(const fs::path& folder) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes(std::istreambuf_iterator<char>(file), {});
      scanned_bytes_ += bytes.size();
      Scan(entry.path().filename().string(), bytes, false);
    }
  }
  const std::set<std::string>& found() const { return found_; }
  size_t scanned_bytes() const { return scanned_bytes_; }

 private:
  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }
  static bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || c == '-'; }
  // Whether the digits are of a hash or an id: 32, 36 or 64 hex digits with at most a few letters
  // of what stands before and behind. A phone number beside one would make it longer.
  static bool InHash(std::string_view bytes, size_t from, size_t to) {
    constexpr size_t kMost = 70;
    while (from > 0 && to - from <= kMost && IsHex(bytes[from - 1])) --from;
    while (to < bytes.size() && to - from <= kMost && IsHex(bytes[to])) ++to;
    const size_t size = to - from;
    return (size >= 32 && size <= 40) || (size >= 64 && size <= kMost);
  }
  // Of a million phone numbers some stand in the hashes of a million people by chance.
  void ScanDigits(const std::string& where, std::string_view digits, bool whole, bool in_hash) {
    for (size_t i = 0; i + kIdDigits <= digits.size(); ++i) {
      Look(where, digits.substr(i, kIdDigits), ids_);
    }
    if (in_hash || (whole && digits.size() != kPhoneDigits)) return;
    for (size_t i = 0; i + kPhoneDigits <= digits.size(); ++i) {
      Look(where, digits.substr(i, kPhoneDigits), phones_);
    }
  }
  void Look(const std::string& where, std::string_view digits,
            const std::unordered_set<uint64_t>& known) {
    const uint64_t number = std::stoull(std::string(digits));
    if (known.contains(number)) found_.insert(absl::StrCat(where, ": ", number));
  }

  std::unordered_set<uint64_t> ids_;
  std::unordered_set<uint64_t> phones_;
  std::set<std::string> found_;  // "where: number".
  size_t scanned_bytes_ = 0;
};

// Everything that calls leave behind: all services, a shared Redis, HTTP, logs of calls.
class PersonalScanTest : public MembershipTest {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / absl::StrCat("scan_", getpid(), "_", GetParam());
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "tmp");
    setenv("TMPDIR", (folder_ / "tmp").c_str(), 1);
    ::testing::internal::CaptureStderr();
    Suite::Options options;
    options.data_dir = (folder_ / "data").string();
    options.dev = true;
    options.http_port = 0;
    options.redis = redis_.address();
    options.redis_lease = absl::Milliseconds(100);  // Redis is used from five leases on.
    if (GetParam() != "sqlite") {
      for (const char* area : {"membership", "reports"}) {
        auto database = std::make_unique<::gonghui::testing::TempDatabase>(GetParam());
        urls_.push_back(options.database_urls[area] = database->Close());
        databases_.push_back(std::move(database));
      }
    }
    auto suite = Suite::Start(std::move(options));
    ASSERT_TRUE(suite.ok()) << suite.status();
    suite_ = *std::move(suite);
    admin_ = ClientOf("demo", "admin", "*");
    clerk_ = ClientOf("demo", "registrar", "T01", true);
    MakeDistrict();
  }
  void TearDown() override {
    suite_.reset();
    unsetenv("TMPDIR");
    MembershipTest::TearDown();
  }

  static v1::Member Person(const std::string& organization, int i) {
    v1::Member member = Member(organization, 0);
    member.set_id_number(NumberOf(i));
    member.set_phone(PhoneOf(i));
    return member;
  }
  void Load(int people) {
    for (int first = 0; first < people; first += 1000) {
      v1::BatchCreateMembersRequest request;
      request.set_parent("federations/demo");
      request.set_request_id(absl::StrCat("load", first));
      for (int i = first; i < std::min(people, first + 1000); ++i) {
        *request.add_members() = Person(i % 2 == 0 ? "E01" : "E02", i);
      }
      const auto made =
          Members<v1::BatchCreateMembersResponse>(*admin_, "BatchCreateMembers", request);
      ASSERT_THAT(made, IsOk());
      ASSERT_EQ(made->failures_size(), 0);
    }
  }
  template <typename Response, typename Request>
  absl::StatusOr<Response> Ask(const std::string& method, const Request& request) {
    return admin_->Invoke<Response>("/gonghui.membership.v1." + method, request);
  }
  // Calls that go wrong, each with numbers of somebody.
  void Fail(int from) {
    v1::Member member = Person("E01", 0);
    member.set_full_name("李四");
    EXPECT_FALSE(Create(*admin_, member, "again").ok());
    member = Person("E01", from);
    member.mutable_id_number()->back() = member.id_number().back() == '1' ? '2' : '1';
    EXPECT_FALSE(Create(*admin_, member, "digit").ok());
    member = Person("E01", from);
    member.mutable_phone()->push_back('x');
    EXPECT_FALSE(Create(*admin_, member, "phone").ok());
    EXPECT_FALSE(Create(*admin_, Person("E99", from), "nowhere").ok());
    EXPECT_FALSE(Create(*clerk_, Person("E02", from), "scope").ok());
    member = Person("E01", from);
    member.set_joined_on("yesterday");
    EXPECT_FALSE(Create(*admin_, member, "date").ok());
    v1::BatchCreateMembersRequest batch;
    batch.set_parent("federations/demo");
    for (int i = 0; i < 5; ++i) *batch.add_members() = Person("E02", i);
    EXPECT_THAT(Members<v1::BatchCreateMembersResponse>(*admin_, "BatchCreateMembers", batch),
                ::testing::A<absl::StatusOr<v1::BatchCreateMembersResponse>>());
    common::v1::CreateRecordRequest record = Citation(from);
    record.mutable_record()->mutable_fields()->at("person").pop_back();
    EXPECT_FALSE(Ask<common::v1::Record>("RegisterService/CreateRecord", record).ok());
  }
  static common::v1::CreateRecordRequest Citation(int i) {
    common::v1::CreateRecordRequest request;
    request.set_parent("federations/demo");
    common::v1::Record& record = *request.mutable_record();
    record.set_kind("merit_citation");
    record.set_organization("E01");
    record.set_title("抢险");
    record.set_on_date("2020-01-01");
    for (const auto& [field, value] : {std::pair{"cause", "incident"},
                                       {"cause_number", "Q1"},
                                       {"grade", "1"},
                                       {"target", "person"},
                                       {"full_name", "张三"}}) {
      (*record.mutable_fields())[field] = value;
    }
    (*record.mutable_fields())["person"] = NumberOf(i);
    return request;
  }
  // Calls that find, show, change and export.
  void Work(int from) {
    v1::ListMembersRequest list;
    list.set_parent("federations/demo");
    list.set_id_number(NumberOf(7));
    const auto found = Members<v1::ListMembersResponse>(*admin_, "ListMembers", list);
    ASSERT_THAT(found, IsOk());
    ASSERT_EQ(found->members_size(), 1);
    const std::string name = found->members(0).name();
    list.clear_id_number();
    list.set_page_size(1000);
    const auto listed = Members<v1::ListMembersResponse>(*admin_, "ListMembers", list);
    ASSERT_THAT(listed, IsOk());
    for (const v1::Member& member : listed->members()) {  // Into the caches.
      v1::GetMemberRequest get;
      get.set_name(member.name());
      ASSERT_THAT(Members<v1::Member>(*admin_, "GetMember", get), IsOk());
    }
    v1::RevealFieldRequest reveal;
    reveal.set_name(name);
    reveal.set_purpose("contact");
    for (const char* field : {"id_number", "phone"}) {
      reveal.set_field(field);
      ASSERT_THAT(Ask<v1::RevealFieldResponse>("AccessService/RevealField", reveal), IsOk());
    }
    v1::ExportPersonalDataRequest copy;
    copy.set_name(name);
    copy.set_purpose("member_request");
    ASSERT_THAT(Ask<v1::ExportPersonalDataResponse>("PersonalDataService/ExportPersonalData", copy),
                IsOk());
    v1::UpdateMemberRequest update;
    update.mutable_member()->set_name(name);
    update.mutable_member()->set_phone(PhoneOf(from + 1));
    update.set_update_mask("phone");
    update.set_request_id("update");
    ASSERT_THAT(Members<v1::Member>(*admin_, "UpdateMember", update), IsOk());
    v1::FindDuplicatesRequest duplicates;
    duplicates.set_parent("federations/demo");
    duplicates.mutable_member()->set_id_number(NumberOf(9));
    duplicates.mutable_member()->set_phone(PhoneOf(9));
    ASSERT_THAT(Ask<v1::FindDuplicatesResponse>("MemberMergeService/FindDuplicates", duplicates),
                IsOk());
    v1::SubmitApplicationRequest apply;
    apply.set_parent("federations/demo");
    apply.set_request_id("apply");
    *apply.mutable_member() = Person("E01", from + 2);
    ASSERT_THAT(Ask<v1::Application>("ApplicationService/SubmitApplication", apply), IsOk());
    ASSERT_THAT(Ask<common::v1::Record>("RegisterService/CreateRecord", Citation(11)), IsOk());
    v1::ExportMembersRequest members;
    members.set_parent("federations/demo");
    members.set_organization("E01");
    members.set_clear_numbers(true);
    members.set_purpose("contact");
    members.set_format(v1::MEMBER_EXPORT_FORMAT_CSV);
    ASSERT_THAT(::gonghui::testing::RunJob<v1::MemberExport>(
                    *admin_, "/gonghui.membership.v1.MemberExportService/ExportMembers",
                    "gonghui.membership.v1.JobService", members),
                IsOk());
    AskOverHttp(NumberOf(13));
    ASSERT_THAT(suite_->CatchUp(), IsOk());
    reports::v1::QueryFiguresRequest figures;
    figures.set_parent("federations/demo");
    figures.set_organization("D01");
    figures.set_period("2018");
    ASSERT_THAT(admin_->Invoke<reports::v1::QueryFiguresResponse>(
                    "/gonghui.reports.v1.ReportService/QueryFigures", figures),
                IsOk());
  }
  // Numbers in an address: what logs like best.
  void AskOverHttp(const std::string& number) {
    auth::Actor actor{.subject = "http", .federation = "demo"};
    common::v1::Grant& grant = actor.grants.emplace_back();
    grant.set_role("admin");
    grant.set_organization("*");
    const auto token = suite_->DevToken(actor);
    ASSERT_THAT(token, IsOk());
    const std::string command =
        absl::StrCat("curl -s -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer ", *token,
                     "' 'http://127.0.0.1:", suite_->http_port(),
                     "/v1/federations/demo/members?id_number=", number, "'");
    std::FILE* out = popen(command.c_str(), "r");
    ASSERT_NE(out, nullptr);
    char code[4] = {};
    EXPECT_NE(std::fgets(code, sizeof code, out), nullptr);
    EXPECT_EQ(pclose(out), 0);
    EXPECT_STREQ(code, "200");
  }

  // Every row of every table of a PostgreSQL schema.
  static void ScanTables(const std::string& url, Scanner& scanner) {
    auto db = sql::Database::Open({.url = url});
    ASSERT_THAT(db, IsOk());
    std::vector<std::string> tables;
    ASSERT_THAT((*db)->ReadOnly(absl::InfiniteFuture(),
                                [&](sql::Tx& tx) -> absl::Status {
                                  tables.clear();
                                  ASSIGN_OR_RETURN(const sql::Rows rows,
                                                   tx.Run({"scan.tables",
                                                           "SELECT CAST(table_name AS TEXT) FROM "
                                                           "information_schema.tables WHERE "
                                                           "table_schema=current_schema()"}));
                                  for (size_t i = 0; i < rows.size(); ++i) {
                                    tables.push_back(rows[i].Get<std::string>(0));
                                  }
                                  return absl::OkStatus();
                                }),
                IsOk());
    ASSERT_GT(tables.size(), 5u);
    static std::deque<std::string> texts;  // Queries outlive the program.
    for (const std::string& table : tables) {
      const std::string& name = texts.emplace_back(absl::StrCat("scan.", texts.size()));
      const std::string& text =
          texts.emplace_back(absl::StrCat("SELECT CAST(t AS TEXT) FROM ", table, " AS t"));
      ASSERT_THAT((*db)->ReadOnly(absl::InfiniteFuture(),
                                  [&](sql::Tx& tx) {
                                    return tx.Stream(
                                        {name, text}, {}, [&](const sql::Rows::Row& row) {
                                          scanner.ScanWithHex(table, row.Get<std::string>(0));
                                          return absl::OkStatus();
                                        });
                                  }),
                  IsOk());
    }
  }
  // Redis' memory as a file below the folder.
  void DumpRedis() {
    const std::string client = absl::StrCat("redis-cli -s ", redis_.address().substr(5), " ");
    const std::string quiet = " >/dev/null 2>&1";
    ASSERT_EQ(std::system((client + "CONFIG SET rdbcompression no" + quiet).c_str()), 0);
    ASSERT_EQ(std::system((client + "--rdb " + (folder_ / "dump.rdb").string() + quiet).c_str()),
              0);
    ASSERT_TRUE(fs::exists(folder_ / "dump.rdb"));
    EXPECT_GT(fs::file_size(folder_ / "dump.rdb"), 10'000u);
  }
  void ScanAll(Scanner& scanner) {
    scanner.ScanFiles(folder_);
    for (const std::string& url : urls_) ScanTables(url, scanner);
  }

  ::gonghui::testing::RedisServer redis_;
  std::vector<std::unique_ptr<::gonghui::testing::TempDatabase>> databases_;
  std::vector<std::string> urls_;
};

TEST_P(PersonalScanTest, FindsNoNumberInClear) {
  const int people = ::gonghui::testing::FullSize() ? 1'000'000 : 2'000;
  Load(people);
  Fail(people);
  absl::SleepFor(absl::Seconds(1));
  Work(people);
  DumpRedis();
  Scanner scanner(people + 10);
  ScanAll(scanner);
  const std::string logs = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(logs, ::testing::HasSubstr("BatchCreateMembers"));
  scanner.Scan("logs", logs, true);
  EXPECT_GT(scanner.scanned_bytes(), 100'000u);
  EXPECT_THAT(scanner.found(), ::testing::IsEmpty());

  // The scanner finds what is there: a row, a log line, and bytes as PostgreSQL shows them.
  const std::string url =
      urls_.empty() ? absl::StrCat("sqlite:", (folder_ / "data" / "membership.db").string())
                    : urls_[0];
  {
    auto db = sql::Database::Open({.url = url});
    ASSERT_THAT(db, IsOk());
    ASSERT_THAT((*db)->RunScript(absl::StrCat("UPDATE members SET job='", NumberOf(5),
                                              "', worker_group='", PhoneOf(6),
                                              "' WHERE member_id=(SELECT MIN(member_id) FROM "
                                              "members)")),
                IsOk());
  }
  Scanner again(people);
  ScanAll(again);
  EXPECT_GE(again.found().size(), 2u);
  Scanner texts(people);
  texts.Scan("log", absl::StrCat("{\"phone\":\"", PhoneOf(3), "\"}"), true);
  texts.ScanWithHex("bytes",
                    absl::StrCat("(1,\"\\x0a12", absl::BytesToHexString(NumberOf(4)), "\")"));
  EXPECT_EQ(texts.found().size(), 2u);
  Scanner hashes(people);
  hashes.Scan("in a hash", absl::StrCat("id_", std::string(20, 'a'), PhoneOf(5), "b"), false);
  EXPECT_EQ(hashes.found().size(), 0u);
  hashes.Scan("beside a hash", absl::StrCat(std::string(32, 'a'), PhoneOf(5)), false);
  EXPECT_EQ(hashes.found().size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Engines, PersonalScanTest,
                         ::testing::ValuesIn(::gonghui::testing::Engines()));

}  // namespace
}  // namespace gonghui::membership
