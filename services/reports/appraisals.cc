#include "services/reports/appraisals.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/crypto/personal.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "common/rpc/update.h"
#include "services/reports/evaluation.h"
#include "services/reports/target_values.h"

namespace gonghui::reports {
namespace {

#define OF_UNIT "tenant=$1 AND organization=$2 AND scheme=$3 AND period=$4"
constexpr sql::Query kGetFrozen{"reports.get_frozen_appraisal",
                                "SELECT digest, appraisal FROM appraisals WHERE " OF_UNIT};
constexpr sql::Query kFreeze{
    "reports.freeze_appraisal",
    "INSERT INTO appraisals (tenant, organization, scheme, period, digest, appraisal) "
    "VALUES ($1, $2, $3, $4, $5, $6)"};
constexpr sql::Query kListOfUnit{"reports.list_assessments_of_unit",
                                 "SELECT assessment FROM assessments WHERE " OF_UNIT
                                 " ORDER BY item, kind, version"};
constexpr sql::Query kGetLast{"reports.get_last_assessment",
                              "SELECT version, assessment FROM assessments WHERE " OF_UNIT
                              " AND item=$5 AND kind=$6 ORDER BY version DESC LIMIT 1"};
constexpr sql::Query kAdd{
    "reports.add_assessment",
    "INSERT INTO assessments (tenant, organization, scheme, period, item, kind, version, "
    "assessment) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
constexpr sql::Query kList{
    "reports.list_assessments",
    "SELECT item, kind, version, assessment FROM assessments a WHERE " OF_UNIT
    " AND (item, kind, version) > ($5, $6, $7) AND (CAST($8 AS BIGINT)=1 OR version=(SELECT "
    "MAX(version) FROM assessments b WHERE b.tenant=a.tenant AND b.organization=a.organization "
    "AND b.scheme=a.scheme AND b.period=a.period AND b.item=a.item AND b.kind=a.kind)) "
    "ORDER BY item, kind, version LIMIT $9"};
#undef OF_UNIT

constexpr int kPointDecimals = 2;
constexpr std::string_view kAssess = "reports.appraisals.assess";  // To judge units below.

Error Invalid(std::string en, std::string zh) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID, std::move(en), std::move(zh));
}

absl::Status NotOver(const Period& period, std::string_view needed, std::string_view needed_zh) {
  return FailedPrecondition(common::v1::REASON_PERIOD_NOT_OVER,
                            StrCat("period ", period.text, " lasts from ", period.first_day, " to ",
                                   period.last_day, ": ", needed),
                            StrCat("期间 ", period.text, " 为 ", period.first_day, " 至 ",
                                   period.last_day, "：", needed_zh))
      .With("last_day", period.last_day)
      .At("name");
}

absl::Status IsFrozen(const std::string& name) {
  return FailedPrecondition(
             common::v1::REASON_STATE_FORBIDS,
             StrCat("the appraisal '", name, "' is frozen: nothing of it changes any more"),
             StrCat("考核结果“", name, "”已固化，不能再更改"))
      .With("appraisal", name);
}

absl::Status NotAppraised(const std::string& unit, const Scheme& scheme, const Period& period) {
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("the scheme '", scheme.message().name(), "' appraises no unit '", unit,
                         "' on ", period.last_day,
                         ": it must stand below another and be of one of the scheme's kinds"),
                  StrCat("方案“", scheme.message().name(), "”在 ", period.last_day, " 不考核单位“",
                         unit, "”：须有上级且属于方案规定的层级"))
      .With("organization", unit)
      .At("assessment.organization");
}

// The assessments in force: by item and kind, of the last version, unless withdrawn.
using InForce = std::map<std::pair<std::string, v1::AssessmentKind>, v1::Assessment>;

absl::StatusOr<InForce> AssessmentsOf(sql::Tx& tx, sql::Args unit) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kListOfUnit, std::move(unit)));
  InForce in_force;
  for (size_t i = 0; i < rows.size(); ++i) {
    v1::Assessment assessment;
    assessment.ParseFromString(rows[i].Get<sql::Bytes>(0).data);
    const std::pair key(assessment.item(), assessment.kind());
    if (assessment.withdrawn()) {
      in_force.erase(key);
    } else {
      in_force[key] = std::move(assessment);
    }
  }
  return in_force;
}

std::optional<int64_t> PointsIn(const InForce& in_force, const std::string& item,
                                v1::AssessmentKind kind) {
  const auto found = in_force.find({item, kind});
  if (found == in_force.end()) return std::nullopt;
  const auto points = ReadDecimal(found->second.score_text(), kPointDecimals, "score_text");
  return points.ok() ? std::optional(*points) : std::nullopt;
}

}  // namespace

std::string Appraisals::Key::Name(std::string_view tenant) const {
  return StrCat("federations/", tenant, "/organizations/", organization, "/appraisals/",
                scheme->message().name(), ".", period.text);
}

sql::Args Appraisals::Key::Columns(const std::string& tenant) const {
  return {tenant, organization, scheme->message().name(), period.text};
}

absl::StatusOr<Appraisals::Key> Appraisals::Resolve(const std::string& organization,
                                                    std::string_view scheme,
                                                    std::string_view period,
                                                    const std::string& scheme_field,
                                                    const std::string& period_field) const {
  Key key;
  key.organization = organization;
  ASSIGN_OR_RETURN(key.period, options_.measures->periods().Parse(period, period_field));
  key.scheme = options_.schemes->Find(scheme, key.period.last_day);
  if (key.scheme == nullptr) {
    return NotFound(common::v1::REASON_NOT_FOUND,
                    StrCat("there is no scheme '", scheme, "' for ", key.period.text,
                           ": ListAppraisalSchemes shows the known ones"),
                    StrCat(key.period.text, " 没有考核方案“", scheme,
                           "”：请用 ListAppraisalSchemes 查看"))
        .At(scheme_field);
  }
  const int months = key.scheme->message().months();
  if (MonthsOf(key.period).size() != static_cast<size_t>(months)) {
    return InvalidArgument(
               common::v1::REASON_PERIOD_INVALID,
               StrCat("the scheme '", scheme, "' is for periods of ", months, " months"),
               StrCat("方案“", scheme, "”适用于 ", months, " 个月的期间"))
        .At(period_field);
  }
  return key;
}

absl::StatusOr<Appraisals::Key> Appraisals::ResolveName(rpc::Call& call,
                                                        const std::string& name) const {
  const std::vector<std::string_view> parts = Split(name, '/');
  const std::string organization(parts[3]);
  RETURN_IF_ERROR(call.CheckScope(organization));
  const size_t dot = parts[5].find('.');
  if (dot == std::string_view::npos) {
    return Invalid("an appraisal's name ends in {scheme}.{period}, like basic_union_year.2020",
                   "考核名称以 {scheme}.{period} 结尾，如 basic_union_year.2020")
        .At("name");
  }
  return Resolve(organization, parts[5].substr(0, dot), parts[5].substr(dot + 1), "name", "name");
}

absl::StatusOr<v1::ListAppraisalSchemesResponse> Appraisals::ListSchemes(
    rpc::Call& call, const v1::ListAppraisalSchemesRequest& request) {
  return options_.schemes->List();
}

absl::Status Appraisals::CheckAssessment(const SchemeItem& item, v1::Assessment& assessment) const {
  const bool veto = assessment.kind() == v1::ASSESSMENT_KIND_VETO;
  const bool self = assessment.kind() == v1::ASSESSMENT_KIND_SELF;
  const int self_percent = item.message->self_percent();
  const bool takes =
      veto ? item.IsVeto() : item.IsAssessed() && (self ? self_percent > 0 : self_percent < 100);
  if (!takes) {
    return Invalid(StrCat("the item '", assessment.item(),
                          "' takes no such assessment: the scheme "
                          "says how it is scored"),
                   StrCat("项目“", assessment.item(), "”不接受这种评定：评分方式见方案"))
        .At("assessment.kind");
  }
  if (veto || assessment.withdrawn()) {
    if (!assessment.score_text().empty()) {
      return Invalid("a mark, and what is withdrawn, has no score", "标记或撤回时不填分数")
          .At("assessment.score_text");
    }
    if (assessment.evidence().empty() && !assessment.withdrawn()) {
      return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                             "a veto needs evidence: name the document or record",
                             "一票否决须有依据：请写明文件或记录")
          .At("assessment.evidence");
    }
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const int64_t points,
                   ReadDecimal(assessment.score_text(), kPointDecimals, "assessment.score_text"));
  if (points > item.points) {
    return Invalid(StrCat("the item '", assessment.item(), "' has at most ",
                          TrimmedDecimal(item.points, kPointDecimals), " points"),
                   StrCat("项目“", assessment.item(), "”最多 ",
                          TrimmedDecimal(item.points, kPointDecimals), " 分"))
        .At("assessment.score_text");
  }
  assessment.set_score_text(TrimmedDecimal(points, kPointDecimals));
  return absl::OkStatus();
}

absl::StatusOr<v1::Assessment> Appraisals::Record(rpc::Call& call,
                                                  const v1::RecordAssessmentRequest& request) {
  v1::Assessment assessment = request.assessment();
  const std::string& unit = assessment.organization();
  ASSIGN_OR_RETURN(const Key own, Resolve(unit, assessment.scheme(), assessment.period(),
                                          "assessment.scheme", "assessment.period"));
  ASSIGN_OR_RETURN(const auto tree, options_.tree->Get(call.federation, unit));
  const tree::Version* version = tree->Find(unit, own.period.last_day);
  const std::string superior = SuperiorOf(*tree, unit, own.period.last_day);
  const bool self = assessment.kind() == v1::ASSESSMENT_KIND_SELF;
  RETURN_IF_ERROR(self ? call.CheckScope(unit) : call.CheckScope(kAssess, superior));
  if (version == nullptr || superior == unit || !own.scheme->Appraises(version->kind)) {
    return NotAppraised(unit, *own.scheme, own.period);
  }
  const SchemeItem* item = own.scheme->Find(assessment.item());
  if (item == nullptr) {
    return NotFound(common::v1::REASON_NOT_FOUND,
                    StrCat("the scheme '", assessment.scheme(), "' has no item '",
                           assessment.item(), "'"),
                    StrCat("方案“", assessment.scheme(), "”没有项目“", assessment.item(), "”"))
        .At("assessment.item");
  }
  RETURN_IF_ERROR(CheckAssessment(*item, assessment));
  assessment.set_period(own.period.text);
  const Key result{superior, own.scheme, own.period};
  return rpc::WriteOnce<v1::Assessment>(
      *options_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Assessment> {
        RETURN_IF_ERROR(TakeTargetTurn(tx, call.federation));
        ASSIGN_OR_RETURN(const sql::Rows frozen,
                         tx.Run(kGetFrozen, result.Columns(call.federation)));
        if (!frozen.empty()) return IsFrozen(result.Name(call.federation));
        sql::Args key = own.Columns(call.federation);
        key.insert(key.end(), {assessment.item(), int64_t{assessment.kind()}});
        ASSIGN_OR_RETURN(const sql::Rows last, tx.Run(kGetLast, key));
        const int64_t before = last.empty() ? 0 : last[0].Get<int64_t>(0);
        RETURN_IF_ERROR(rpc::CheckEtag(assessment.etag(), before));
        v1::Assessment stored = assessment;
        stored.clear_etag();
        stored.set_version(before + 1);
        stored.set_caller(call.actor.subject);
        stored.set_create_time_us(call.clock->NowMicros());
        key.insert(key.end(), {stored.version(), sql::Bytes{stored.SerializeAsString()}});
        RETURN_IF_ERROR(tx.Run(kAdd, std::move(key)).status());
        stored.set_etag(rpc::MakeEtag(stored.version()));
        return stored;
      });
}

absl::StatusOr<v1::ListAssessmentsResponse> Appraisals::List(
    rpc::Call& call, const v1::ListAssessmentsRequest& request) {
  ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 3));
  if (after.empty()) after = {"", "0", "0"};
  int64_t kind = 0;
  int64_t version = 0;
  if (!ParseInteger(after[1], &kind) || !ParseInteger(after[2], &version)) {
    return rpc::DamagedPageToken();
  }
  ASSIGN_OR_RETURN(const Key key, Resolve(request.organization(), request.scheme(),
                                          request.period(), "scheme", "period"));
  v1::ListAssessmentsResponse response;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    sql::Args args = key.Columns(call.federation);
    args.insert(args.end(),
                {after[0], kind, version, int64_t{request.history()}, int64_t{size} + 1});
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kList, std::move(args)));
    for (size_t i = 0; i < rows.size(); ++i) {
      if (response.assessments_size() == size) {
        response.set_next_page_token(rpc::MakePageToken(
            request, {rows[i - 1].Get<std::string>(0), StrCat(rows[i - 1].Get<int64_t>(1)),
                      StrCat(rows[i - 1].Get<int64_t>(2))}));
        break;
      }
      v1::Assessment& assessment = *response.add_assessments();
      assessment.ParseFromString(rows[i].Get<sql::Bytes>(3).data);
      assessment.set_etag(rpc::MakeEtag(assessment.version()));
    }
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<std::vector<ItemInput>> Appraisals::ValuesOf(FigureReader& reader, sql::Tx& tx,
                                                            const std::string& tenant,
                                                            const Key& key, const std::string& unit,
                                                            const PeriodDay& when) const {
  std::vector<ItemInput> inputs(key.scheme->items().size());
  std::vector<v1::Target> targets(inputs.size());
  std::set<std::string> ids;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const SchemeItem& item = key.scheme->items()[i];
    if (item.measure == nullptr) continue;
    targets[i].set_organization(unit);
    targets[i].set_measure(item.measure->name());
    targets[i].set_dimensions(item.message->dimensions());
    targets[i].set_period(key.period.text);
    if (item.message->source() == v1::APPRAISAL_SOURCE_TARGET) ids.insert(TargetId(targets[i]));
  }
  ASSIGN_OR_RETURN(const TargetVersions last, ReadLast(tx, tenant, ids));
  for (size_t i = 0; i < inputs.size(); ++i) {
    const SchemeItem& item = key.scheme->items()[i];
    if (item.measure == nullptr) continue;
    ItemInput& input = inputs[i];
    v1::TargetProgress progress;
    ASSIGN_OR_RETURN(*progress.mutable_achieved(),
                     ReadAchieved(reader, *options_.measures, tenant, targets[i], when));
    const v1::Figure& figure = progress.achieved();
    input.figure = figure.name();
    if (item.message->source() == v1::APPRAISAL_SOURCE_FIGURE) {
      if (figure.has_value()) input.value = figure.value();
      continue;
    }
    const auto target = last.find(TargetId(targets[i]));
    if (target == last.end() || target->second.deleted) continue;
    *progress.mutable_target() = target->second.target;
    input.target = target->second.target.name();
    SetStanding(*item.measure, when, 0, progress);
    if (progress.has_completion()) input.value = progress.completion_hundredths();
  }
  return inputs;
}

absl::StatusOr<v1::Appraisal> Appraisals::Compute(sql::Tx& tx, const rpc::Call& call,
                                                  const Key& key) const {
  const std::string today = call.Today();
  if (today < key.period.first_day) return NotOver(key.period, "it has not begun", "尚未开始");
  ASSIGN_OR_RETURN(const PeriodDay when, PeriodDay::Make(key.period, today));
  ASSIGN_OR_RETURN(const auto tree, options_.tree->Get(call.federation));
  FigureReader reader(tx, *options_.measures, call.federation, &call);
  std::vector<v1::UnitAppraisal> units;
  for (const std::string& unit : tree->Children(key.organization, key.period.last_day)) {
    const tree::Version* version = tree->Find(unit, key.period.last_day);
    if (version == nullptr || !key.scheme->Appraises(version->kind)) continue;
    RETURN_IF_ERROR(call.CheckScope(unit));
    ASSIGN_OR_RETURN(std::vector<ItemInput> inputs,
                     ValuesOf(reader, tx, call.federation, key, unit, when));
    const Key own{unit, key.scheme, key.period};
    ASSIGN_OR_RETURN(const InForce said, AssessmentsOf(tx, own.Columns(call.federation)));
    v1::UnitAppraisal& appraised = units.emplace_back();
    appraised.set_organization(unit);
    for (size_t i = 0; i < inputs.size(); ++i) {
      const SchemeItem& item = key.scheme->items()[i];
      const std::string& name = item.message->name();
      inputs[i].self = PointsIn(said, name, v1::ASSESSMENT_KIND_SELF);
      inputs[i].panel = PointsIn(said, name, v1::ASSESSMENT_KIND_PANEL);
      inputs[i].marked = said.contains({name, v1::ASSESSMENT_KIND_VETO});
      *appraised.add_items() = ScoreItem(item, inputs[i]);
    }
  }
  RankUnits(*key.scheme, units);
  v1::Appraisal appraisal;
  appraisal.set_name(key.Name(call.federation));
  appraisal.set_organization(key.organization);
  appraisal.set_period(key.period.text);
  *appraisal.mutable_scheme() = key.scheme->message();
  appraisal.mutable_units()->Assign(units.begin(), units.end());
  appraisal.set_units_total(static_cast<int32_t>(units.size()));
  return appraisal;
}

absl::StatusOr<v1::Appraisal> Appraisals::Get(rpc::Call& call,
                                              const v1::GetAppraisalRequest& request) {
  ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 1));
  int first = 0;
  if (!after.empty() && !ParseInteger(after[0], &first)) {
    return rpc::DamagedPageToken();
  }
  ASSIGN_OR_RETURN(const Key key, ResolveName(call, request.name()));
  v1::Appraisal appraisal;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    appraisal.Clear();
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kGetFrozen, key.Columns(call.federation)));
    if (rows.empty()) {
      ASSIGN_OR_RETURN(appraisal, Compute(tx, call, key));
    } else {
      appraisal.ParseFromString(rows[0].Get<sql::Bytes>(1).data);
      appraisal.set_digest(rows[0].Get<std::string>(0));
    }
    return absl::OkStatus();
  }));
  auto& units = *appraisal.mutable_units();
  units.DeleteSubrange(0, std::min(first, units.size()));
  if (units.size() > size) {
    units.DeleteSubrange(size, units.size() - size);
    appraisal.set_next_page_token(rpc::MakePageToken(request, {StrCat(first + size)}));
  }
  return appraisal;
}

absl::StatusOr<v1::Appraisal> Appraisals::Freeze(rpc::Call& call,
                                                 const v1::FreezeAppraisalRequest& request) {
  ASSIGN_OR_RETURN(const Key key, ResolveName(call, request.name()));
  if (call.Today() <= key.period.last_day) {
    return NotOver(key.period, "freeze the result from the day after", "请在次日起再固化");
  }
  return rpc::WriteOnce<v1::Appraisal>(
      *options_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Appraisal> {
        RETURN_IF_ERROR(TakeTargetTurn(tx, call.federation));
        ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kGetFrozen, key.Columns(call.federation)));
        if (!rows.empty()) {
          return AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                               "the appraisal is frozen already and never changes: read it",
                               "该考核结果已固化，不再改变：请直接查看")
              .At("name");
        }
        ASSIGN_OR_RETURN(v1::Appraisal appraisal, Compute(tx, call, key));
        appraisal.set_frozen(true);
        appraisal.set_caller(call.actor.subject);
        appraisal.set_freeze_time_us(call.clock->NowMicros());
        const std::string bytes = appraisal.SerializeAsString();
        const std::string digest = crypto::Sm3Hex(bytes);
        sql::Args args = key.Columns(call.federation);
        args.insert(args.end(), {digest, sql::Bytes{bytes}});
        RETURN_IF_ERROR(tx.Run(kFreeze, std::move(args)).status());
        appraisal.set_digest(digest);
        appraisal.clear_units();
        return appraisal;
      });
}

}  // namespace gonghui::reports
