// Rows of a file into messages: headings, values, states, vouchers, order, errors.
#include "services/cli/import_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status.h"
#include "common/catalog/yaml_message.h"
#include "gonghui/common/v1/record.pb.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "gonghui/membership/v1/member.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "services/cli/template.h"

namespace gonghui::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kCatalog[] = R"(
version: "2020-01-01"
code_lists:
  - name: channel
    codes:
      - {code: hotline, label: {zh: 热线, en: hotline}, aliases: [12351热线]}
      - {code: visit, label: {zh: 来访, en: visit}}
kinds:
  - name: case
    label: {zh: 案件, en: case}
    number_required: true
    on_date_label: {zh: 受理日期, en: accepted on}
    fields:
      - {name: channel, type: code, codes: channel, label: {zh: 渠道, en: channel}, required: true}
      - {name: amount, type: money, label: {zh: 金额（元）, en: amount}}
      - {name: person, type: person, label: {zh: 身份证号, en: identity number}}
      - {name: urgent, type: boolean, label: {zh: 紧急, en: urgent}}
      - {name: before, type: record, refers_to: case, label: {zh: 前案, en: earlier case}}
    states:
      - {name: accepted, label: {zh: 已受理, en: accepted}}
      - {name: heard, label: {zh: 已开庭, en: heard}}
      - {name: closed, label: {zh: 已结案, en: closed}, final: true}
      - {name: lost, label: {zh: 已撤回, en: lost}, final: true}
    transitions:
      - {name: hear, from: [accepted], to: heard, label: {zh: 开庭, en: hear}}
      - {name: close, from: [heard], to: closed, label: {zh: 结案, en: close}}
  - name: organization
    noun: organization
    label: {zh: 工会, en: organization}
    fields:
      - {name: kind, label: {zh: 类型, en: kind}}
      - {name: employees, type: integer, label: {zh: 职工人数, en: employees}}
  - name: member
    noun: member
    label: {zh: 会员, en: member}
    fields:
      - {name: organization, type: organization, label: {zh: 所属工会, en: organization}}
      - {name: full_name, label: {zh: 姓名, en: full name}}
      - {name: id_number, type: person, label: {zh: 证件号码, en: identity number}}
      - {name: migrant_worker, type: boolean, label: {zh: 农民工, en: migrant}, default_value: 否}
      - {name: joined_on, type: date, label: {zh: 入会日期, en: joined on}}
  - name: voucher
    noun: voucher
    label: {zh: 凭证, en: voucher}
    fields:
      - {name: book, label: {zh: 账套, en: book}, required: true}
      - {name: voucher, label: {zh: 凭证编号, en: voucher}, required: true}
      - {name: on_date, type: date, label: {zh: 日期, en: date}, required: true}
      - {name: memo, label: {zh: 摘要, en: memo}, required: true}
      - {name: account, label: {zh: 科目, en: account}, required: true}
      - {name: debit, type: money, label: {zh: 借方, en: debit}}
      - {name: credit, type: money, label: {zh: 贷方, en: credit}}
      - {name: entry_memo, label: {zh: 分录摘要, en: entry memo}}
)";

const Kinds& TestKinds() {
  static const Kinds& kinds = *[] {
    common::v1::Catalog catalog;
    const absl::Status status = catalog::ParseYaml("test.yaml", kCatalog, catalog);
    EXPECT_TRUE(status.ok()) << status;
    auto answer = std::make_shared<common::v1::ListKindsResponse>();
    *answer->mutable_kinds() = catalog.kinds();
    *answer->mutable_code_lists() = catalog.code_lists();
    std::vector<KindEntry> entries;
    for (const auto& kind : catalog.kinds()) entries.emplace_back(kind, "test.Service", answer);
    return new Kinds(std::move(entries));
  }();
  return kinds;
}

absl::StatusOr<ImportFile> Read(const std::string& kind, std::string_view text) {
  auto csv = ParseCsv(text);
  if (!csv.ok()) return csv.status();
  auto entry = TestKinds().Find(kind);
  if (!entry.ok()) return entry.status();
  return ImportFile::FromCsv(**entry, *std::move(csv));
}

template <typename T>
const T& MessageOf(const ImportFile& file, size_t i) {
  return static_cast<const T&>(*file.items()[i].message);
}

::testing::Matcher<RowError> ErrorAt(int row, const std::string& column,
                                     const std::string& reason) {
  return AllOf(Field(&RowError::row, row), Field(&RowError::column, column),
               Field(&RowError::reason, reason));
}

TEST(ImportRows, ReadsChineseAndEnglishHeadings) {
  const auto file = Read("案件",
                         "编号,所属工会（编码）,受理日期,渠道,Amount,紧急\n"
                         "0001,T03,2020年3月5日,12351热线,\"1,409.5\",是\n");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(file->errors(), IsEmpty());
  ASSERT_EQ(file->items().size(), 1);
  const auto& record = MessageOf<common::v1::Record>(*file, 0);
  EXPECT_EQ(record.kind(), "case");
  EXPECT_EQ(record.number(), "0001");
  EXPECT_EQ(record.organization(), "T03");
  EXPECT_EQ(record.on_date(), "2020-03-05");
  EXPECT_EQ(record.fields().at("channel"), "hotline");
  EXPECT_EQ(record.fields().at("amount"), "1,409.5");
  EXPECT_EQ(record.fields().at("urgent"), "true");
}

TEST(ImportRows, NamesEveryProblemOfTheHeading) {
  const auto file = Read("case", "number,organisation,date,chanel,date\n");
  EXPECT_EQ(ReasonOf(file.status()), common::v1::REASON_FIELD_UNKNOWN);
  const std::string message(file.status().message());
  EXPECT_THAT(message, HasSubstr("\"chanel\" (did you mean channel?)"));
  EXPECT_THAT(message, HasSubstr("did you mean organization?"));
  EXPECT_THAT(message, HasSubstr("\"date\" stands twice"));
  EXPECT_THAT(message, HasSubstr("required column \"channel\" is missing"));
  EXPECT_THAT(MessageZhOf(file.status()), HasSubstr("缺少必填列“渠道”"));
}

TEST(ImportRows, SkipsBlankTotalsAndExplanations) {
  const auto file = Read("case",
                         "填表说明：一案一行,,,\n编号,所属工会,受理日期,渠道,错误原因\n\n"
                         "1,T03,20200305,visit,old error\n,,,\n合计,,,1\n");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->rows(), 1);
  EXPECT_EQ(file->skipped(), 3);
  ASSERT_EQ(file->items().size(), 1);
  EXPECT_THAT(file->items()[0].rows, ElementsAre(4));
}

TEST(ImportRows, ReportsAllErrorsOfAllRows) {
  const auto file = Read("case",
                         "number,organization,date,channel,person,urgent\n"
                         ",T03,2020-02-30,visit,,\n"
                         "2,,2020-03-01,,1.1E+17,maybe\n"
                         "3,T03,2020-03-01,visit,110105194912310000,no\n"
                         "4,T03,2020-03-01,visit,,,stray\n"
                         "5,T03,2020-03-01,visit,,\n");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(
      file->errors(),
      ElementsAre(ErrorAt(2, "number", "FIELD_REQUIRED"), ErrorAt(2, "date", "FIELD_INVALID"),
                  ErrorAt(3, "organization", "FIELD_REQUIRED"),
                  ErrorAt(3, "channel", "FIELD_REQUIRED"),
                  AllOf(ErrorAt(3, "person", "FIELD_INVALID"),
                        Field(&RowError::hint, HasSubstr("as text"))),
                  ErrorAt(3, "urgent", "FIELD_INVALID"), ErrorAt(4, "person", "FIELD_INVALID"),
                  ErrorAt(5, "", "FIELD_INVALID")));
  EXPECT_THAT(file->broken(), ElementsAre(2, 3, 4, 5));
  ASSERT_EQ(file->items().size(), 1);
  EXPECT_THAT(file->items()[0].rows, ElementsAre(6));
}

TEST(ImportRows, MessagesNeverRepeatPersonalData) {
  const auto file = Read("case",
                         "number,organization,date,channel,person\n"
                         "1,T03,2020-03-01,visit,110105194912310000\n");
  ASSERT_TRUE(file.ok());
  ASSERT_EQ(file->errors().size(), 1);
  EXPECT_THAT(file->errors()[0].message, ::testing::Not(HasSubstr("110105")));
}

TEST(ImportRows, WalksThroughTheStates) {
  const auto file = Read("case",
                         "number,organization,date,channel,heard_on,结案日期,已撤回日期\n"
                         "1,T03,2020-03-01,visit,2020-03-09,2020-04-01,\n"
                         "2,T03,2020-03-01,visit,,2020-04-01,\n"
                         "3,T03,2020-03-01,visit,,,2020-04-01\n");
  ASSERT_TRUE(file.ok()) << file.status();
  const auto step = [](const std::string& transition, const std::string& on_date) {
    return AllOf(Field(&Advance::transition, transition), Field(&Advance::on_date, on_date));
  };
  ASSERT_EQ(file->items().size(), 2);
  EXPECT_THAT(file->items()[0].advances,
              ElementsAre(step("hear", "2020-03-09"), step("close", "2020-04-01")));
  EXPECT_THAT(file->items()[1].advances,
              ElementsAre(step("hear", "2020-04-01"), step("close", "2020-04-01")));
  EXPECT_THAT(file->errors(), ElementsAre(ErrorAt(4, "已撤回日期", "TRANSITION_UNKNOWN")));
}

TEST(ImportRows, FillsTypedMessages) {
  const auto file = Read("member",
                         "所属工会,姓名,证件号码,入会日期,农民工\n"
                         "E0001,张三,11010519491231002X,2018/3/1,\n");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_EQ(file->items().size(), 1) << file->errors()[0].message;
  const auto& member = MessageOf<membership::v1::Member>(*file, 0);
  EXPECT_EQ(member.organization(), "E0001");
  EXPECT_EQ(member.full_name(), "张三");
  EXPECT_EQ(member.joined_on(), "2018-03-01");
  EXPECT_FALSE(member.migrant_worker());
}

TEST(ImportRows, PutsParentsFirst) {
  const auto file = Read("organization",
                         "number,organization,title,date,kind,employees\n"
                         "E1,T1,c,2003-01-01,enterprise,\"1,200\"\n"
                         "T1,D,b,2003-01-01,town_street,\n"
                         "D,,a,2003-01-01,district,many\n"
                         "T2,D0,b,2003-01-01,town_street,3\n");
  ASSERT_TRUE(file.ok()) << file.status();
  std::vector<std::string> ids;
  for (size_t i = 0; i < file->items().size(); ++i) {
    ids.push_back(MessageOf<membership::v1::Organization>(*file, i).id());
  }
  EXPECT_THAT(ids, ElementsAre("T1", "E1", "T2"));
  EXPECT_EQ(MessageOf<membership::v1::Organization>(*file, 1).employees(), 1200);
  EXPECT_THAT(file->errors(), ElementsAre(ErrorAt(4, "employees", "FIELD_INVALID")));
}

TEST(ImportRows, GroupsVouchers) {
  const auto file = Read("voucher",
                         "账套,凭证编号,日期,摘要,科目,借方,贷方,分录摘要\n"
                         "T01,1,2020-05-13,拨缴,102,1200.50,,存款\n"
                         "T01,2,2020-05-14,支出,501,x,,\n"
                         "T01,1,,,401,,1200.50,\n"
                         "T01,2,2020-05-14,支出,102,,3,\n"
                         "T02,1,2020-05-14,支出,102,,3,\n"
                         "T02,1,2020-05-15,支出,501,3,,\n");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_EQ(file->items().size(), 1);
  const auto& voucher = MessageOf<funds::v1::Voucher>(*file, 0);
  EXPECT_EQ(voucher.book(), "T01");
  EXPECT_EQ(voucher.source(), "1");
  EXPECT_EQ(voucher.on_date(), "2020-05-13");
  ASSERT_EQ(voucher.entries_size(), 2);
  EXPECT_EQ(voucher.entries(0).debit_fen(), 120050);
  EXPECT_EQ(voucher.entries(0).memo(), "存款");
  EXPECT_EQ(voucher.entries(1).credit_fen(), 120050);
  EXPECT_THAT(file->items()[0].rows, ElementsAre(2, 4));
  EXPECT_THAT(file->errors(), ElementsAre(ErrorAt(3, "借方", "AMOUNT_INVALID"),
                                          ErrorAt(7, "日期", "DUPLICATE_IN_REQUEST")));
  EXPECT_THAT(file->broken(), ElementsAre(3, 5, 6, 7));
}

TEST(ImportRows, TellsServerErrorsInTermsOfTheFile) {
  const auto file = Read("case",
                         "number,organization,date,渠道,前案\n"
                         "1,T03,2020-03-01,fax,9\n");
  ASSERT_TRUE(file.ok()) << file.status();
  common::v1::ItemFailure failure;
  failure.set_field("fields.channel");
  failure.set_reason("CODE_UNKNOWN");
  failure.set_message("not in the list");
  EXPECT_THAT(
      file->Explain(file->items()[0], failure),
      AllOf(ErrorAt(2, "渠道", "CODE_UNKNOWN"), Field(&RowError::hint, HasSubstr("hotline, visit")),
            Field(&RowError::hint_zh, HasSubstr("热线、来访"))));
  failure.set_field("record.fields[\"before\"]");
  failure.set_reason("REFERENCE_NOT_FOUND");
  EXPECT_THAT(file->Explain(file->items()[0], failure),
              AllOf(ErrorAt(2, "前案", "REFERENCE_NOT_FOUND"),
                    Field(&RowError::hint, HasSubstr("Load the case file first"))));
}

TEST(ImportRows, ItsTemplatesCanBeRead) {
  for (const char* kind : {"case", "organization", "member", "voucher"}) {
    for (const bool english : {false, true}) {
      const auto text = TemplateText(**TestKinds().Find(kind), english);
      ASSERT_TRUE(text.ok()) << text.status();
      EXPECT_TRUE(Read(kind, *text).ok()) << *text;
    }
  }
}

TEST(ImportRows, SuggestsAKind) {
  const auto entry = TestKinds().Find("membr");
  EXPECT_EQ(ReasonOf(entry.status()), common::v1::REASON_KIND_UNKNOWN);
  EXPECT_THAT(std::string(entry.status().message()), HasSubstr("Did you mean member?"));
}

}  // namespace
}  // namespace gonghui::cli
