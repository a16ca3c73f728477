#include "services/reports/target_letters.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/date.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/crypto/personal.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "common/rpc/update.h"
#include "gonghui/feed/v1/feed.pb.h"
#include "services/reports/evaluation.h"
#include "services/reports/figures.h"
#include "services/reports/return_rows.h"
#include "services/reports/target_values.h"

namespace gonghui::reports {
namespace {

constexpr sql::Query kListVersions{
    "reports.list_letter_versions",
    "SELECT version, letter FROM letters WHERE tenant=$1 AND organization=$2 AND year=$3 "
    "ORDER BY version DESC"};
constexpr sql::Query kPut{
    "reports.put_letter",
    "INSERT INTO letters (tenant, organization, year, version, state, letter) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant, organization, year, version) "
    "DO UPDATE SET state=excluded.state, letter=excluded.letter"};
constexpr sql::Query kListOfUnit{
    "reports.list_letters",
    "SELECT letter FROM letters WHERE tenant=$1 AND organization=$2 AND ($3='' OR year=$3) "
    "AND (year, version) < ($4, $5) ORDER BY year DESC, version DESC LIMIT $6"};
// Signatures are a source of facts of their own, followed as soon as they are made.
constexpr sql::Query kNextSignature{
    "reports.next_letter_signature",
    "INSERT INTO feed_cursor (tenant, source, sequence) VALUES ($1, $2, 1) "
    "ON CONFLICT (tenant, source) DO UPDATE SET sequence = feed_cursor.sequence + 1 "
    "RETURNING sequence"};

constexpr std::string_view kSource = "letters";
constexpr std::string_view kYearAfterAll = "99999";

std::string YearName(std::string_view tenant, const v1::Letter& letter) {
  return StrCat("federations/", tenant, "/organizations/", letter.organization(), "/letters/",
                letter.year());
}

// The unit and year of a letter's name, and the version; 0 for the newest.
struct LetterId {
  std::string organization;
  std::string year;
  int32_t version = 0;
};

absl::Status NoLetter(std::string_view name) {
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no letter '", name, "': ListLetters shows the known ones"),
                  StrCat("没有责任书“", name, "”：请用 ListLetters 查看"))
      .At("name");
}

absl::StatusOr<LetterId> ParseLetter(std::string_view name) {
  const std::vector<std::string_view> parts = Split(name, '/');
  const size_t dot = parts[5].find('.');
  LetterId id{std::string(parts[3]), std::string(parts[5].substr(0, dot))};
  if (dot != std::string_view::npos && !ParseInteger(parts[5].substr(dot + 1), &id.version)) {
    return NoLetter(name);
  }
  return id;
}

// All versions, newest first.
absl::StatusOr<std::vector<v1::Letter>> Versions(sql::Tx& tx, const std::string& tenant,
                                                 const LetterId& id) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kListVersions, {tenant, id.organization, id.year}));
  std::vector<v1::Letter> letters(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    letters[i].ParseFromString(rows[i].Get<sql::Bytes>(1).data);
  }
  return letters;
}

// The version of a name among all of them.
absl::StatusOr<v1::Letter> Choose(const std::vector<v1::Letter>& versions, const LetterId& id,
                                  std::string_view name) {
  for (const v1::Letter& letter : versions) {
    if (id.version == 0 || letter.version() == id.version) return letter;
  }
  return NoLetter(name);
}

absl::Status Store(sql::Tx& tx, const std::string& tenant, const v1::Letter& letter) {
  return tx
      .Run(kPut, {tenant, letter.organization(), letter.year(), int64_t{letter.version()},
                  int64_t{letter.state()}, sql::Bytes{letter.SerializeAsString()}})
      .status();
}

// Changes with every step.
int64_t StepOf(const v1::Letter& letter) { return letter.create_time_us() + letter.state(); }

absl::Status WrongState(const v1::Letter& letter, std::string_view step, std::string_view step_zh,
                        std::string_view needed, std::string_view needed_zh) {
  return FailedPrecondition(
             common::v1::REASON_STATE_FORBIDS,
             StrCat("letter ", letter.year(), ".", letter.version(), " of ", letter.organization(),
                    " cannot be ", step, ": it must be ", needed),
             StrCat(letter.organization(), " 的责任书 ", letter.year(), ".", letter.version(),
                    " 不能", step_zh, "：须", needed_zh))
      .With("state", v1::LetterState_Name(letter.state()))
      .At("name");
}

bool SameTargets(const std::vector<v1::Target>& now, const v1::Letter& letter) {
  return now.size() == static_cast<size_t>(letter.targets_size()) &&
         std::equal(now.begin(), now.end(), letter.targets().begin(),
                    [](const v1::Target& a, const v1::Target& b) {
                      return a.name() == b.name() && a.version() == b.version();
                    });
}

std::string NameOn(const tree::OrganizationTree& tree, const std::string& organization,
                   const std::string& day) {
  const tree::Version* version = tree.Find(organization, day);
  return version == nullptr ? organization : version->display_name;
}

// A cell of a Markdown table.
std::string Escaped(std::string_view text) { return Replace(text, "|", "\\|"); }

std::string DateText(const std::string& iso) {
  const auto day = ParseDate(iso);
  if (!day.ok()) return "";
  return StrCat(day->year(), "年", day->month(), "月", day->day(), "日");
}

// 份 for copy; as it is where there is no word for it.
std::string UnitInChinese(const v1::SummaryCatalog& words, const std::string& unit) {
  const auto found = words.units().find(unit);
  return found == words.units().end() ? unit : found->second;
}

std::string LetterText(const tree::OrganizationTree& tree, const v1::SummaryCatalog& words,
                       const v1::Letter& letter, const std::string& day) {
  const std::string unit = Escaped(NameOn(tree, letter.organization(), day));
  const std::string giver = Escaped(NameOn(tree, letter.issued_by(), day));
  std::string text =
      StrCat("# ", letter.year(), "年度目标责任书\n\n下达单位：", giver, "\n\n责任单位：", unit,
             "\n\n编号：", letter.organization(), "-", letter.year(), "-", letter.version(), "\n");
  if (!letter.reason().empty()) StrAppend(&text, "\n修订原因：", letter.reason(), "\n");
  StrAppend(&text, "\n", unit, "对下列目标负责，由", giver, "按期检查、考核。\n\n",
            "| 序号 | 指标 | 范围 | 期间 | 目标 | 单位 | 权重 |\n",
            "|---:|---|---|---|---:|---|---:|\n");
  int number = 0;
  for (const v1::Target& target : letter.targets()) {
    const bool most = target.direction() == v1::TARGET_DIRECTION_AT_MOST;
    StrAppend(&text, "| ", ++number, " | ", Escaped(target.label().zh()), " | ",
              target.dimensions().empty() ? "全部" : Escaped(target.dimensions()), " | ",
              target.period(), " | ", most ? "不高于 " : "不低于 ", target.text(), " | ",
              Escaped(UnitInChinese(words, target.unit())), " | ",
              target.weight_hundredths() == 0 ? "—" : TrimmedDecimal(target.weight_hundredths(), 2),
              " |\n");
  }
  if (letter.digest().empty()) {
    StrAppend(&text, "\n责任人（签名）：\n\n签订日期：\n");
  } else {
    StrAppend(&text, "\n责任人：", letter.signer(), "\n\n签订日期：", DateText(letter.signed_on()),
              "\n\n内容摘要（SM3）：", letter.digest(), "\n");
  }
  return text;
}

}  // namespace

std::string LetterContent(std::string_view tenant, const v1::Letter& letter) {
  std::string content =
      StrCat("letter\t1\nfederation\t", tenant, "\norganization\t", letter.organization(),
             "\nyear\t", letter.year(), "\nversion\t", letter.version(), "\nissued_by\t",
             letter.issued_by(), "\nreason\t", letter.reason(), "\nsigner\t", letter.signer(),
             "\nsigned_on\t", letter.signed_on(), "\n");
  for (const v1::Target& target : letter.targets()) {
    StrAppend(&content, "target\t", target.measure(), "\t", target.dimensions(), "\t",
              target.period(), "\t",
              target.direction() == v1::TARGET_DIRECTION_AT_MOST ? "<=" : ">=", "\t",
              target.value(), "\t", target.unit(), "\t", target.weight_hundredths(), "\t",
              target.given_by(), "\n");
  }
  return content;
}

absl::StatusOr<v1::Letter> TargetLetters::Answer(const rpc::Call& call, v1::Letter letter) const {
  ASSIGN_OR_RETURN(const auto tree, options_.tree->Get(call.federation));
  letter.set_content(LetterContent(call.federation, letter));
  letter.set_text(LetterText(*tree, *options_.words, letter, DayOf(letter.create_time_us())));
  letter.set_name(StrCat(YearName(call.federation, letter), ".", letter.version()));
  letter.set_etag(rpc::MakeEtag(StepOf(letter)));
  return letter;
}

absl::StatusOr<v1::Letter> TargetLetters::Issue(rpc::Call& call,
                                                const v1::IssueLetterRequest& request) {
  RETURN_IF_ERROR(CheckOrganization(*options_.tree, call.federation, request.organization()));
  ASSIGN_OR_RETURN(const auto tree, options_.tree->Get(call.federation));
  const std::string superior = SuperiorOf(*tree, request.organization(), call.Today());
  RETURN_IF_ERROR(call.CheckScope(superior));
  const LetterId id{request.organization(), request.year()};
  return rpc::WriteOnce<v1::Letter>(
      *options_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Letter> {
        RETURN_IF_ERROR(TakeTargetTurn(tx, call.federation));
        ASSIGN_OR_RETURN(const std::vector<v1::Letter> versions, Versions(tx, call.federation, id));
        v1::Letter letter;
        letter.set_version(1);
        if (!versions.empty()) letter = versions.front();
        if (letter.state() == v1::LETTER_STATE_SIGNED) {
          return WrongState(letter, "issued", "下达", "amended first", "先修订");
        }
        ASSIGN_OR_RETURN(const std::vector<v1::Target> targets,
                         TargetsOfYear(tx, call.federation, id.organization, id.year));
        if (targets.empty()) {
          return FailedPrecondition(
                     common::v1::REASON_STATE_FORBIDS,
                     StrCat(id.organization, " has no targets in ", id.year, ": set them first"),
                     StrCat(id.organization, " 在 ", id.year, " 年没有目标：请先设定"))
              .At("organization");
        }
        letter.set_organization(id.organization);
        letter.set_year(id.year);
        letter.set_state(v1::LETTER_STATE_ISSUED);
        letter.set_issued_by(superior);
        letter.mutable_targets()->Assign(targets.begin(), targets.end());
        letter.set_caller(call.actor.subject);
        letter.set_create_time_us(call.clock->NowMicros());
        RETURN_IF_ERROR(Store(tx, call.federation, letter));
        return Answer(call, std::move(letter));
      });
}

absl::Status TargetLetters::CountSignature(sql::Tx& tx, const rpc::Call& call,
                                           const v1::Letter& letter) const {
  feed::v1::Event event;
  event.set_federation(call.federation);
  event.set_type("gonghui.reports.v1.LetterSigned");
  common::v1::RecordFacts& facts = *event.add_facts();
  facts.set_record(YearName(call.federation, letter));
  common::v1::Fact& fact = *facts.add_facts();
  fact.set_measure(options_.schemes->rules().letters_measure());
  fact.set_organization(letter.organization());
  fact.set_on_date(letter.signed_on());
  fact.set_delta(1);
  ASSIGN_OR_RETURN(const sql::Rows rows,
                   tx.Run(kNextSignature, {call.federation, std::string(kSource)}));
  event.set_sequence(rows[0].Get<int64_t>(0));
  return options_.rollups->Apply(tx, std::string(kSource), {event});
}

absl::StatusOr<v1::Letter> TargetLetters::Sign(rpc::Call& call,
                                               const v1::SignLetterRequest& request) {
  ASSIGN_OR_RETURN(const LetterId id, ParseLetter(request.name()));
  RETURN_IF_ERROR(call.CheckScope(id.organization));
  if (request.signed_on() > call.Today()) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           "a letter cannot be signed on a day to come", "签订日期不能晚于今天")
        .At("signed_on");
  }
  return rpc::WriteOnce<v1::Letter>(
      *options_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Letter> {
        RETURN_IF_ERROR(TakeTargetTurn(tx, call.federation));
        ASSIGN_OR_RETURN(std::vector<v1::Letter> versions, Versions(tx, call.federation, id));
        ASSIGN_OR_RETURN(v1::Letter letter, Choose(versions, id, request.name()));
        RETURN_IF_ERROR(rpc::CheckEtag(request.etag(), StepOf(letter)));
        if (letter.state() != v1::LETTER_STATE_ISSUED) {
          return WrongState(letter, "signed", "签订", "issued and not signed", "已下达且未签订");
        }
        ASSIGN_OR_RETURN(const std::vector<v1::Target> now,
                         TargetsOfYear(tx, call.federation, id.organization, id.year));
        if (!SameTargets(now, letter)) {
          return FailedPrecondition(
                     common::v1::REASON_PLAN_STALE,
                     "the targets changed since the letter was issued: issue it again, then sign",
                     "责任书下达后目标已有变化：请重新下达后再签订")
              .At("name");
        }
        letter.set_state(v1::LETTER_STATE_SIGNED);
        letter.set_signer(request.signer());
        letter.set_signed_on(request.signed_on());
        letter.set_digest(crypto::Sm3Hex(LetterContent(call.federation, letter)));
        letter.set_caller(call.actor.subject);
        letter.set_sign_time_us(call.clock->NowMicros());
        RETURN_IF_ERROR(Store(tx, call.federation, letter));
        for (v1::Letter& earlier : versions) {
          if (earlier.state() != v1::LETTER_STATE_SIGNED) continue;
          earlier.set_state(v1::LETTER_STATE_AMENDED);
          RETURN_IF_ERROR(Store(tx, call.federation, earlier));
        }
        if (letter.version() == 1) RETURN_IF_ERROR(CountSignature(tx, call, letter));
        return Answer(call, std::move(letter));
      });
}

absl::StatusOr<v1::Letter> TargetLetters::Amend(rpc::Call& call,
                                                const v1::AmendLetterRequest& request) {
  ASSIGN_OR_RETURN(const LetterId id, ParseLetter(request.name()));
  ASSIGN_OR_RETURN(const auto tree, options_.tree->Get(call.federation, id.organization));
  const std::string superior = SuperiorOf(*tree, id.organization, call.Today());
  RETURN_IF_ERROR(call.CheckScope(superior));
  return rpc::WriteOnce<v1::Letter>(
      *options_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Letter> {
        RETURN_IF_ERROR(TakeTargetTurn(tx, call.federation));
        ASSIGN_OR_RETURN(const std::vector<v1::Letter> versions, Versions(tx, call.federation, id));
        ASSIGN_OR_RETURN(v1::Letter letter, Choose(versions, id, request.name()));
        RETURN_IF_ERROR(rpc::CheckEtag(request.etag(), StepOf(letter)));
        if (letter.state() != v1::LETTER_STATE_SIGNED ||
            letter.version() != versions.front().version()) {
          return WrongState(letter, "amended", "修订", "signed, and the newest version",
                            "已签订且为最新版本");
        }
        letter.set_version(letter.version() + 1);
        letter.set_state(v1::LETTER_STATE_ISSUED);
        letter.set_issued_by(superior);
        letter.set_reason(request.reason());
        letter.clear_signer();
        letter.clear_signed_on();
        letter.clear_digest();
        letter.clear_sign_time_us();
        letter.set_caller(call.actor.subject);
        letter.set_create_time_us(call.clock->NowMicros());
        RETURN_IF_ERROR(Store(tx, call.federation, letter));
        return Answer(call, std::move(letter));
      });
}

absl::StatusOr<v1::Letter> TargetLetters::Get(rpc::Call& call,
                                              const v1::GetLetterRequest& request) {
  ASSIGN_OR_RETURN(const LetterId id, ParseLetter(request.name()));
  RETURN_IF_ERROR(call.CheckScope(id.organization));
  v1::Letter letter;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const std::vector<v1::Letter> versions, Versions(tx, call.federation, id));
    ASSIGN_OR_RETURN(letter, Choose(versions, id, request.name()));
    return absl::OkStatus();
  }));
  return Answer(call, std::move(letter));
}

absl::StatusOr<v1::ListLettersResponse> TargetLetters::List(rpc::Call& call,
                                                            const v1::ListLettersRequest& request) {
  ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 3));
  if (after.empty()) after = {"", "", "0"};
  std::vector<std::string> units = {request.organization()};
  if (request.children()) {
    ASSIGN_OR_RETURN(const auto tree, options_.tree->Get(call.federation, request.organization()));
    units = tree->Children(request.organization(), call.Today());
    for (const std::string& unit : units) RETURN_IF_ERROR(call.CheckScope(unit));
  }
  int64_t version = 0;
  if (!ParseInteger(after[2], &version)) return rpc::DamagedPageToken();
  v1::ListLettersResponse response;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    for (const std::string& unit : units) {
      if (unit < after[0]) continue;
      const bool first = unit != after[0];  // Of this unit nothing was shown yet.
      ASSIGN_OR_RETURN(const sql::Rows rows,
                       tx.Run(kListOfUnit, {call.federation, unit, request.year(),
                                            first ? std::string(kYearAfterAll) : after[1],
                                            first ? int64_t{0} : version, int64_t{size} + 1}));
      for (size_t i = 0; i < rows.size(); ++i) {
        if (response.letters_size() == size) {
          const v1::Letter& last = response.letters(size - 1);
          response.set_next_page_token(rpc::MakePageToken(
              request, {last.organization(), last.year(), StrCat(last.version())}));
          return absl::OkStatus();
        }
        v1::Letter& letter = *response.add_letters();
        letter.ParseFromString(rows[i].Get<sql::Bytes>(0).data);
        letter.set_name(StrCat(YearName(call.federation, letter), ".", letter.version()));
        letter.set_etag(rpc::MakeEtag(StepOf(letter)));
        letter.clear_targets();
      }
    }
    return absl::OkStatus();
  }));
  return response;
}

}  // namespace gonghui::reports
