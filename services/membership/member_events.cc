#include "services/membership/member_events.h"

#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::membership {
namespace {

constexpr sql::Query kAddRetention{
    "membership.add_retention",
    "INSERT INTO member_retentions (tenant, member_id, seq, retained_from, resumed_on, reason) "
    "VALUES ($1, $2, (SELECT COUNT(*) + 1 FROM member_retentions WHERE tenant=$1 AND "
    "member_id=$2), $3, $4, $5)"};
constexpr sql::Query kFindRetentions{
    "membership.find_retentions",
    "SELECT retained_from, resumed_on, reason FROM member_retentions WHERE tenant=$1 AND "
    "member_id=$2 ORDER BY seq"};
constexpr sql::Query kAddEvent{
    "membership.add_member_event",
    "INSERT INTO member_events (tenant, member_id, seq, kind, on_date, organization, "
    "from_organization, reason, document, fields, actor, record_time_us, related) "
    "VALUES ($1, $2, (SELECT COUNT(*) + 1 FROM member_events WHERE tenant=$1 AND member_id=$2), "
    "$3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"};
constexpr sql::Query kFindEvents{
    "membership.find_member_events",
    "SELECT kind, on_date, organization, from_organization, reason, document, fields, actor, "
    "record_time_us, related FROM member_events WHERE tenant=$1 AND member_id=$2 ORDER BY seq"};

}  // namespace

absl::Status AddRetention(sql::Tx& tx, const std::string& federation, const std::string& member_id,
                          const Retention& ended) {
  return tx.Run(kAddRetention, {federation, member_id, ended.from, ended.to, ended.reason})
      .status();
}

absl::StatusOr<std::vector<Retention>> FindRetentions(sql::Tx& tx, const std::string& federation,
                                                      const std::string& member_id) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFindRetentions, {federation, member_id}));
  std::vector<Retention> retentions;
  for (size_t i = 0; i < rows.size(); ++i) {
    retentions.push_back(
        {rows[i].Get<std::string>(0), rows[i].Get<std::string>(1), rows[i].Get<std::string>(2)});
  }
  return retentions;
}

absl::Status AddMemberEvent(sql::Tx& tx, const rpc::Call& call, const std::string& member_id,
                            v1::MemberEvent event) {
  return tx
      .Run(kAddEvent, {call.federation, member_id, static_cast<int64_t>(event.kind()),
                       event.on_date(), event.organization(), event.from_organization(),
                       event.reason(), event.document(), absl::StrJoin(event.fields(), ","),
                       call.actor.subject, call.clock->NowMicros(), event.related()})
      .status();
}

absl::StatusOr<std::vector<v1::MemberEvent>> FindMemberEvents(sql::Tx& tx,
                                                              const std::string& federation,
                                                              const std::string& member_id) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFindEvents, {federation, member_id}));
  std::vector<v1::MemberEvent> events;
  for (size_t i = 0; i < rows.size(); ++i) {
    v1::MemberEvent& event = events.emplace_back();
    event.set_kind(static_cast<v1::MemberEventKind>(rows[i].Get<int64_t>(0)));
    event.set_on_date(rows[i].Get<std::string>(1));
    event.set_organization(rows[i].Get<std::string>(2));
    event.set_from_organization(rows[i].Get<std::string>(3));
    event.set_reason(rows[i].Get<std::string>(4));
    event.set_document(rows[i].Get<std::string>(5));
    for (std::string_view field : Split(rows[i].Get<std::string_view>(6), ',')) {
      if (!field.empty()) event.add_fields(std::string(field));
    }
    event.set_actor(rows[i].Get<std::string>(7));
    event.set_record_time_us(rows[i].Get<int64_t>(8));
    event.set_related(rows[i].Get<std::string>(9));
  }
  return events;
}

}  // namespace gonghui::membership
