#include "services/reports/editions.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/crypto/personal.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "common/rpc/update.h"
#include "services/reports/edition_changes.h"
#include "services/reports/edition_content.h"
#include "services/reports/edition_rows.h"

namespace gonghui::reports {
namespace {

#define OF_EDITION "tenant=$1 AND organization=$2 AND period=$3 AND basis=$4 AND number=$5"
constexpr sql::Query kList{
    "reports.list_editions",
    "SELECT period, basis, number, edition FROM editions WHERE tenant=$1 AND organization=$2 AND "
    "($3='' OR period=$3) AND (period, basis, number) < ($4, $5, $6) "
    "ORDER BY period DESC, basis DESC, number DESC LIMIT $7"};
constexpr sql::Query kInsert{
    "reports.insert_edition",
    "INSERT INTO editions (tenant, organization, period, basis, number, edition, definitions) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7)"};
constexpr sql::Query kInsertPart{
    "reports.insert_edition_part",
    "INSERT INTO edition_parts (tenant, organization, period, basis, number, part, content) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7)"};
constexpr sql::Query kInsertChange{
    "reports.insert_edition_change",
    "INSERT INTO edition_changes (tenant, organization, period, basis, number, ordinal, measure, "
    "unit, change) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"};
constexpr sql::Query kGetPart{"reports.get_edition_part",
                              "SELECT content FROM edition_parts WHERE " OF_EDITION " AND part=$6"};
constexpr sql::Query kCountParts{"reports.count_edition_parts",
                                 "SELECT COUNT(*) FROM edition_parts WHERE " OF_EDITION};
constexpr sql::Query kListChanges{
    "reports.list_edition_changes",
    "SELECT ordinal, change FROM edition_changes WHERE " OF_EDITION
    " AND ordinal>$6 AND ($7='' OR measure=$7) AND ($8='' OR unit=$8) ORDER BY ordinal LIMIT $9"};
constexpr sql::Query kUpdate{"reports.update_edition",
                             "UPDATE editions SET edition=$6 WHERE " OF_EDITION};
constexpr sql::Query kListFollowed{"reports.edition_list_followed",
                                   "SELECT source, sequence FROM feed_cursor WHERE tenant=$1"};
#undef OF_EDITION

constexpr size_t kPartBytes = 1 << 20;
constexpr int kProgressEvery = 50;  // Organisations.
constexpr int kPollsMost = 50;
constexpr absl::Duration kPoll = absl::Milliseconds(200);

absl::Status Store(sql::Tx& tx, const EditionId& id, v1::Edition edition) {
  edition.clear_name();
  edition.clear_etag();
  return tx.Run(kUpdate, id.KeyAnd({sql::Bytes{edition.SerializeAsString()}})).status();
}

// The figures of one organisation: of each measure the total and every combination of its
// dimensions.
absl::Status AddFigures(sql::Tx& tx, const Measures& measures, const FigureScope& scope,
                        Standpoint* standpoint, EditionFigures& figures) {
  for (const v1::Measure& measure : measures.catalog().measures()) {
    ASSIGN_OR_RETURN(const LoadedMeasure loaded,
                     LoadedMeasure::Load(tx, measures, scope, measure, standpoint));
    if (loaded.empty()) continue;
    std::vector<std::string> keys;
    for (const v1::MeasureDimension& dimension : measure.dimensions()) {
      if (!dimension.remark()) keys.push_back(dimension.key());
    }
    for (size_t mask = 0; mask < (size_t{1} << keys.size()); ++mask) {
      std::set<std::string> split;
      for (size_t i = 0; i < keys.size(); ++i) {
        if ((mask >> i) & 1) split.insert(keys[i]);
      }
      for (auto& [group, outcome] : loaded.Split(DimensionFilter{}, split)) {
        std::string text = MakeFigure(scope, measure, group, outcome).text();
        figures.emplace(EditionKey{scope.organization, measure.name(), FormatDimensions(group)},
                        EditionFigure{outcome, std::move(text)});
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::map<std::string, int64_t>> Followed(sql::Tx& tx, const std::string& tenant) {
  std::map<std::string, int64_t> followed;
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kListFollowed, {tenant}));
  for (size_t i = 0; i < rows.size(); ++i) {
    followed[rows[i].Get<std::string>(0)] = rows[i].Get<int64_t>(1);
  }
  return followed;
}

// What an edition held.
absl::StatusOr<EditionBase> ReadBase(sql::Tx& tx, const EditionId& id, const v1::Edition& edition) {
  EditionBase base;
  base.followed.insert(edition.followed().begin(), edition.followed().end());
  ASSIGN_OR_RETURN(base.definitions, ReadEditionDefinitions(tx, id));
  ASSIGN_OR_RETURN(base.figures, ReadEditionFigures(tx, id));
  return base;
}

// A new edition on its way into the tables.
struct Draft {
  EditionId id;
  v1::Edition edition;
  std::string content;
  std::string definitions;
  std::optional<v1::Edition> newest;  // The one before.
  std::vector<v1::EditionChange> changes;
};

absl::StatusOr<EditionFigures> FiguresOf(sql::Tx& tx, const Measures& measures,
                                         const FigureScope& scope,
                                         const std::vector<std::string>& organizations,
                                         Standpoint& standpoint, rpc::JobRun& run) {
  EditionFigures figures;
  rpc::JobProgress progress;
  progress.total = static_cast<int64_t>(organizations.size());
  progress.note = scope.period.text;
  for (const std::string& organization : organizations) {
    FigureScope of_unit = scope;
    of_unit.organization = organization;
    RETURN_IF_ERROR(AddFigures(tx, measures, of_unit,
                               scope.basis.IsDefault() ? nullptr : &standpoint, figures));
    if (++progress.done % kProgressEvery == 0) RETURN_IF_ERROR(run.Save(progress));
  }
  return figures;
}

// The figures as one snapshot has them, and how they differ from the edition before.
absl::StatusOr<Draft> Freeze(sql::Tx& tx, const Measures& measures, const FigureScope& scope,
                             const std::vector<std::string>& organizations, rpc::JobRun& run) {
  Draft draft;
  draft.id = {scope.tenant, scope.organization, scope.period.text, scope.basis.Text(), 1};
  ASSIGN_OR_RETURN(Standpoint standpoint,
                   Standpoint::Load(tx, scope.tenant, scope.basis, /*all=*/true));
  EditionNow now{.figures = {}, .organizations = {organizations.begin(), organizations.end()}};
  ASSIGN_OR_RETURN(now.figures, FiguresOf(tx, measures, scope, organizations, standpoint, run));
  EditionHead head;
  head.scope = scope;
  head.catalogue = measures.catalog().version();
  head.fingerprint = measures.fingerprint();
  ASSIGN_OR_RETURN(head.followed, Followed(tx, scope.tenant));
  draft.content = WriteEdition(head, now.figures);
  draft.definitions = measures.catalog().SerializeAsString();
  v1::Edition& edition = draft.edition;
  ASSIGN_OR_RETURN(const std::vector<v1::Edition> earlier, EditionsOfPeriod(tx, draft.id));
  if (!earlier.empty()) {
    draft.newest = earlier.front();
    EditionId newest = draft.id;
    newest.number = draft.newest->number();
    ASSIGN_OR_RETURN(const EditionBase base, ReadBase(tx, newest, *draft.newest));
    ASSIGN_OR_RETURN(draft.changes, ChangesBetween(tx, measures, scope, base, now, standpoint));
    draft.id.number = newest.number + 1;
    edition.set_base(newest.Name());
  }
  edition.set_number(static_cast<int32_t>(draft.id.number));
  edition.set_organization(scope.organization);
  edition.set_period(scope.period.text);
  edition.set_tree_mode(scope.basis.mode);
  edition.set_tree_date(scope.basis.date);
  edition.set_state(v1::EDITION_STATE_FROZEN);
  edition.set_digest(crypto::Sm3Hex(draft.content));
  edition.set_bytes(static_cast<int64_t>(draft.content.size()));
  edition.set_figures(static_cast<int64_t>(now.figures.size()));
  edition.set_changes(static_cast<int64_t>(draft.changes.size()));
  edition.set_catalogue(head.catalogue);
  edition.mutable_followed()->insert(head.followed.begin(), head.followed.end());
  return draft;
}

absl::Status Insert(sql::Tx& tx, const Draft& draft) {
  RETURN_IF_ERROR(tx.Run(kInsert, draft.id.KeyAnd({sql::Bytes{draft.edition.SerializeAsString()},
                                                   sql::Bytes{draft.definitions}}))
                      .status());
  std::vector<sql::Args> parts;
  for (size_t at = 0; at < draft.content.size(); at += kPartBytes) {
    parts.push_back(draft.id.KeyAnd(
        {static_cast<int64_t>(parts.size()), sql::Bytes{draft.content.substr(at, kPartBytes)}}));
  }
  RETURN_IF_ERROR(tx.RunMany(kInsertPart, parts).status());
  std::vector<sql::Args> changes;
  for (const v1::EditionChange& change : draft.changes) {
    changes.push_back(
        draft.id.KeyAnd({static_cast<int64_t>(changes.size()) + 1, change.measure(),
                         change.organization(), sql::Bytes{change.SerializeAsString()}}));
  }
  return tx.RunMany(kInsertChange, changes).status();
}

}  // namespace

absl::StatusOr<FigureScope> Editions::ScopeOf(const rpc::Call& call,
                                              const v1::ClosePeriodRequest& request) const {
  FigureScope scope;
  scope.tenant = call.federation;
  scope.organization = request.organization();
  ASSIGN_OR_RETURN(scope.period, options_.measures->periods().Parse(request.period(), "period"));
  v1::QueryFiguresRequest asked;
  asked.set_tree_mode(request.tree_mode());
  asked.set_tree_date(request.tree_date());
  ASSIGN_OR_RETURN(scope.basis, BasisOf(asked));
  RETURN_IF_ERROR(ResolveBasis(call, *options_.tree, scope.basis));
  return scope;
}

absl::StatusOr<common::v1::Job> Editions::Begin(rpc::Call& call,
                                                const v1::ClosePeriodRequest& request) {
  ASSIGN_OR_RETURN(const FigureScope scope, ScopeOf(call, request));
  RETURN_IF_ERROR(CheckOrganization(*options_.tree, call.federation, request.organization()));
  if (scope.period.last_day >= call.Today()) {
    return FailedPrecondition(common::v1::REASON_PERIOD_NOT_OVER,
                              StrCat("period ", scope.period.text, " lasts until ",
                                     scope.period.last_day, ": close it from the day after"),
                              StrCat("期间 ", scope.period.text, " 到 ", scope.period.last_day,
                                     " 为止，请在次日起再封存"))
        .With("last_day", scope.period.last_day)
        .At("period");
  }
  return options_.jobs->Start(call, request.organization(), request);
}

void Editions::AwaitSources(const std::string& federation) const {
  for (int i = 0; i < kPollsMost; ++i) {
    absl::SleepFor(kPoll);  // What a follower knows of its source is as old as its last poll.
    const std::vector<v1::Freshness> sources = options_.freshness(federation);
    if (std::all_of(sources.begin(), sources.end(), [](const v1::Freshness& source) {
          return source.applied() >= source.head() || !source.error().empty();
        })) {
      return;
    }
  }
}

absl::StatusOr<v1::Edition> Editions::Close(rpc::JobRun& run,
                                            const v1::ClosePeriodRequest& request) {
  rpc::Call call;
  call.clock = options_.clock;
  call.federation = run.federation();
  AwaitSources(call.federation);
  ASSIGN_OR_RETURN(const FigureScope scope, ScopeOf(call, request));
  ASSIGN_OR_RETURN(const auto tree, options_.tree->Get(call.federation, scope.organization));
  std::vector<std::string> organizations =
      tree->Subtree(scope.organization, scope.basis.DayOf(scope.period.last_day));
  if (organizations.empty()) organizations = {scope.organization};
  Draft draft;
  RETURN_IF_ERROR(options_.db->ReadOnly(absl::InfiniteFuture(), [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(draft, Freeze(tx, *options_.measures, scope, organizations, run));
    return absl::OkStatus();
  }));
  if (draft.newest.has_value() && draft.changes.empty()) return *draft.newest;
  v1::Edition& edition = draft.edition;
  edition.set_remark(request.remark());
  edition.set_caller(run.caller());
  edition.set_create_time_us(options_.clock->NowMicros());
  rpc::JobProgress progress = run.progress();
  const absl::Status saved = run.Save(progress, [&](sql::Tx& tx) { return Insert(tx, draft); });
  if (absl::IsAlreadyExists(saved)) {  // Another job took the number: try again on top of it.
    return Aborted(common::v1::REASON_CONFLICT, "the period was closed meanwhile",
                   "该期间刚被另一作业封存");
  }
  RETURN_IF_ERROR(saved);
  edition.set_name(draft.id.Name());
  edition.set_etag(rpc::MakeEtag(edition.state()));
  return edition;
}

absl::StatusOr<v1::Edition> Editions::Get(rpc::Call& call, const v1::GetEditionRequest& request) {
  ASSIGN_OR_RETURN(const EditionId id, ParseEdition(request.name()));
  RETURN_IF_ERROR(call.CheckScope(id.organization));
  v1::Edition edition;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(edition, LoadEdition(tx, id));
    return absl::OkStatus();
  }));
  return edition;
}

absl::StatusOr<v1::ListEditionsResponse> Editions::List(rpc::Call& call,
                                                        const v1::ListEditionsRequest& request) {
  ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 3));
  if (after.empty()) after = {"~", "", "0"};
  int64_t number = 0;
  if (!ParseInteger(after[2], &number)) return rpc::DamagedPageToken();
  v1::ListEditionsResponse response;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    ASSIGN_OR_RETURN(const sql::Rows rows,
                     tx.Run(kList, {call.federation, request.organization(), request.period(),
                                    after[0], after[1], number, int64_t{size} + 1}));
    EditionId id{.tenant = call.federation, .organization = request.organization()};
    for (size_t i = 0; i < rows.size(); ++i) {
      if (i == static_cast<size_t>(size)) {
        response.set_next_page_token(
            rpc::MakePageToken(request, {id.period, id.basis, StrCat(id.number)}));
        break;
      }
      id.period = rows[i].Get<std::string>(0);
      id.basis = rows[i].Get<std::string>(1);
      id.number = rows[i].Get<int64_t>(2);
      *response.add_editions() = ReadEditionRow(id, rows[i].Get<sql::Bytes>(3).data);
    }
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::ReadEditionResponse> Editions::Read(rpc::Call& call,
                                                       const v1::ReadEditionRequest& request) {
  ASSIGN_OR_RETURN(const EditionId id, ParseEdition(request.name()));
  RETURN_IF_ERROR(call.CheckScope(id.organization));
  v1::ReadEditionResponse response;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    ASSIGN_OR_RETURN(const sql::Rows count, tx.Run(kCountParts, id.Key()));
    response.set_parts(static_cast<int32_t>(count[0].Get<int64_t>(0)));
    if (response.parts() == 0) return NoEdition(request.name());
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kGetPart, id.KeyAnd({int64_t{request.part()}})));
    if (rows.empty()) {
      return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                             StrCat("the edition has the parts 0 to ", response.parts() - 1),
                             StrCat("该版本只有第 0 至 ", response.parts() - 1, " 部分"))
          .At("part");
    }
    response.set_content(rows[0].Get<sql::Bytes>(0).data);
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::ListEditionChangesResponse> Editions::ListChanges(
    rpc::Call& call, const v1::ListEditionChangesRequest& request) {
  ASSIGN_OR_RETURN(const EditionId id, ParseEdition(request.name()));
  RETURN_IF_ERROR(call.CheckScope(id.organization));
  ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 1));
  int64_t ordinal = 0;
  if (!after.empty() && !ParseInteger(after[0], &ordinal)) {
    return rpc::DamagedPageToken();
  }
  v1::ListEditionChangesResponse response;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    RETURN_IF_ERROR(LoadEdition(tx, id).status());
    ASSIGN_OR_RETURN(const sql::Rows rows,
                     tx.Run(kListChanges, id.KeyAnd({ordinal, request.measure(), request.only(),
                                                     int64_t{size} + 1})));
    for (size_t i = 0; i < rows.size() && i < static_cast<size_t>(size); ++i) {
      response.add_changes()->ParseFromString(rows[i].Get<sql::Bytes>(1).data);
    }
    if (rows.size() > static_cast<size_t>(size)) {
      const int64_t last = rows[static_cast<size_t>(size) - 1].Get<int64_t>(0);
      response.set_next_page_token(rpc::MakePageToken(request, {StrCat(last)}));
    }
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::Edition> Editions::Publish(rpc::Call& call,
                                              const v1::PublishEditionRequest& request) {
  ASSIGN_OR_RETURN(const EditionId id, ParseEdition(request.name()));
  RETURN_IF_ERROR(call.CheckScope(id.organization));
  return rpc::WriteOnce<v1::Edition>(
      *options_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Edition> {
        ASSIGN_OR_RETURN(v1::Edition edition, LoadEdition(tx, id));
        RETURN_IF_ERROR(rpc::CheckEtag(request.etag(), edition.state()));
        if (edition.state() == v1::EDITION_STATE_PUBLISHED) return edition;
        ASSIGN_OR_RETURN(const std::vector<v1::Edition> all, EditionsOfPeriod(tx, id));
        for (v1::Edition other : all) {
          EditionId other_id = id;
          other_id.number = other.number();
          if (other.state() != v1::EDITION_STATE_PUBLISHED) continue;
          if (other_id.number > id.number) {
            return FailedPrecondition(
                       common::v1::REASON_EDITION_UNCHANGEABLE,
                       StrCat("the later edition ", other_id.number,
                              " of this period is the official one: close the period again and "
                              "publish the new edition"),
                       StrCat("同一期间较新的第 ", other_id.number,
                              " 版已发布：请重新封存并发布新版本"))
                .With("published", other.name())
                .At("name");
          }
          other.set_state(v1::EDITION_STATE_SUPERSEDED);
          other.set_superseded_by(id.Name());
          RETURN_IF_ERROR(Store(tx, other_id, std::move(other)));
        }
        edition.set_state(v1::EDITION_STATE_PUBLISHED);
        edition.set_publish_time_us(call.clock->NowMicros());
        RETURN_IF_ERROR(Store(tx, id, edition));
        edition.set_etag(rpc::MakeEtag(edition.state()));
        return edition;
      });
}

}  // namespace gonghui::reports
