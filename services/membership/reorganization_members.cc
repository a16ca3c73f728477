#include "services/membership/reorganization_members.h"

#include <algorithm>

#include "common/base/date.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/catalog/fact_rules.h"
#include "nlohmann/json.hpp"
#include "services/membership/organization_rules.h"

namespace gonghui::membership {
namespace {

// What facts and the rules of a split read; nothing that is sealed.
#define OPEN_COLUMNS                                                          \
  "member_id, organization, id_index, sex, employment, education, "           \
  "skill_level, "                                                             \
  "political_status, job, worker_group, migrant_worker, joined_on, left_on, " \
  "leave_reason, state, "                                                     \
  "version"

constexpr sql::Query kIn{
    "membership.members_in",
    "SELECT " OPEN_COLUMNS
    " FROM members WHERE tenant=$1 AND organization=$2 AND (state='active' OR left_on>$3)"};
constexpr sql::Query kOnceIn{
    "membership.members_once_in",
    "SELECT " OPEN_COLUMNS
    " FROM members WHERE tenant=$1 AND member_id IN (SELECT member_id FROM past_memberships WHERE "
    "tenant=$1 AND organization=$2 AND left_on>$3)"};
constexpr sql::Query kOne{"membership.member_without_papers",
                          "SELECT " OPEN_COLUMNS " FROM members WHERE tenant=$1 AND member_id=$2"};
constexpr sql::Query kPast{"membership.past_memberships_of",
                           "SELECT member_id, organization, joined_on, left_on, leave_reason FROM "
                           "past_memberships WHERE tenant=$1 AND member_id=$2 ORDER BY seq"};
constexpr sql::Query kUpdate{
    "membership.transfer_member",
    "UPDATE members SET organization=$3, joined_on=$4, left_on=$5, leave_reason=$6, state=$7, "
    "version=$8, seniority_from=CASE WHEN seniority_from='' THEN joined_on ELSE seniority_from END "
    "WHERE tenant=$1 AND member_id=$2 AND version=$8-1"};
constexpr sql::Query kForgetPast{
    "membership.forget_past_memberships",
    "DELETE FROM past_memberships WHERE tenant=$1 AND member_id=$2 AND seq>$3"};
constexpr sql::Query kAddPast{
    "membership.add_past_membership",
    "INSERT INTO past_memberships (tenant, member_id, seq, organization, joined_on, left_on, "
    "leave_reason) VALUES ($1, $2, $3, $4, $5, $6, $7)"};

MemberRow ToRow(const sql::Rows::Row& in) {
  MemberRow row;
  v1::Member& member = row.member;
  row.id = in.Get<std::string>(0);
  member.set_organization(in.Get<std::string>(1));
  row.id_index = in.Get<std::string>(2);
  member.set_sex(in.Get<std::string>(3));
  member.set_employment(in.Get<std::string>(4));
  member.set_education(in.Get<std::string>(5));
  member.set_skill_level(in.Get<std::string>(6));
  member.set_political_status(in.Get<std::string>(7));
  member.set_job(in.Get<std::string>(8));
  member.set_worker_group(in.Get<std::string>(9));
  member.set_migrant_worker(in.Get<bool>(10));
  member.set_joined_on(in.Get<std::string>(11));
  member.set_left_on(in.Get<std::string>(12));
  row.leave_reason = in.Get<std::string>(13);
  member.set_state(in.Get<std::string>(14));
  row.version = in.Get<int64_t>(15);
  return row;
}

// All memberships in order, the row's last.
std::vector<PastMembership> Memberships(const MemberLife& life) {
  return MembershipsOf(life.row, life.past);
}

void SetMemberships(std::vector<PastMembership> all, MemberLife& life) {
  v1::Member& member = life.row.member;
  member.set_organization(all.back().organization);
  member.set_joined_on(all.back().joined_on);
  member.set_left_on(all.back().left_on);
  member.set_state(all.back().left_on.empty() ? "active" : "left");
  life.row.leave_reason = all.back().leave_reason;
  all.pop_back();
  life.past = std::move(all);
}

bool IsIn(const PastMembership& membership, std::string_view organization, std::string_view from,
          std::string_view to) {
  return membership.organization == organization && membership.joined_on < to &&
         (membership.left_on.empty() || membership.left_on > from);
}

nlohmann::json ToJson(const MemberLife& life) {
  nlohmann::json all = nlohmann::json::array();
  for (const PastMembership& m : Memberships(life)) {
    all.push_back({m.organization, m.joined_on, m.left_on, m.leave_reason});
  }
  return all;
}

std::vector<PastMembership> FromJson(const nlohmann::json& all) {
  std::vector<PastMembership> memberships;
  for (const nlohmann::json& m : all) memberships.push_back({m.at(0), m.at(1), m.at(2), m.at(3)});
  return memberships;
}

}  // namespace

absl::StatusOr<std::map<std::string, int64_t>> ReadMemberVersions(
    sql::Tx& tx, const std::string& federation, absl::Span<const std::string> ids) {
  std::vector<sql::Args> keys;
  for (const std::string& id : ids) keys.push_back({federation, id});
  std::map<std::string, int64_t> versions;
  RETURN_IF_ERROR(tx.ReadMany(kOne, keys, [&](const sql::Rows::Row& in) {
    const MemberRow row = ToRow(in);
    versions[row.id] = row.version;
  }));
  return versions;
}

absl::Status MemberMoves::Load(const sql::Query& query, absl::Span<const sql::Args> keys) {
  std::vector<std::string> loaded;
  RETURN_IF_ERROR(tx_.ReadMany(query, keys, [&](const sql::Rows::Row& in) {
    MemberRow row = ToRow(in);
    const auto [at, is_new] = known_.try_emplace(row.id);
    if (!is_new) return;
    loaded.push_back(row.id);
    at->second.before.row = std::move(row);
  }));
  std::vector<sql::Args> past;
  for (const std::string& id : loaded) past.push_back({federation_, id});
  RETURN_IF_ERROR(tx_.ReadMany(kPast, past, [&](const sql::Rows::Row& in) {
    known_[in.Get<std::string>(0)].before.past.push_back(
        {in.Get<std::string>(1), in.Get<std::string>(2), in.Get<std::string>(3),
         in.Get<std::string>(4)});
  }));
  for (const std::string& id : loaded) known_[id].now = known_[id].before;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<const MemberLife*>> MemberMoves::In(const std::string& organization,
                                                               const std::string& from,
                                                               std::string_view to) {
  const sql::Args key = {federation_, organization, from};
  RETURN_IF_ERROR(Load(kIn, {&key, 1}));
  RETURN_IF_ERROR(Load(kOnceIn, {&key, 1}));
  std::vector<const MemberLife*> found;
  for (const auto& [id, known] : known_) {
    const std::vector<PastMembership> all = Memberships(known.now);
    if (std::any_of(all.begin(), all.end(),
                    [&](const auto& m) { return IsIn(m, organization, from, to); })) {
      found.push_back(&known.now);
    }
  }
  return found;
}

const MemberLife& MemberMoves::Transfer(const std::string& id, const std::string& source,
                                        const std::string& target, const std::string& day) {
  Known& known = known_.at(id);
  known.touched = true;
  std::vector<PastMembership> all;
  for (PastMembership& membership : Memberships(known.now)) {
    if (!IsIn(membership, source, day, kForever)) {
      all.push_back(std::move(membership));
      continue;
    }
    PastMembership rest = membership;
    rest.organization = target;
    if (membership.joined_on < day) {
      rest.joined_on = membership.left_on = day;
      membership.leave_reason = kReorganisation;
      all.push_back(std::move(membership));
    }
    all.push_back(std::move(rest));
  }
  SetMemberships(std::move(all), known.now);
  return known.now;
}

absl::StatusOr<std::vector<std::string>> MemberMoves::Restore(
    const std::map<std::string, std::string>& undo) {
  std::vector<sql::Args> keys;
  for (const auto& [id, memberships] : undo) keys.push_back({federation_, id});
  RETURN_IF_ERROR(Load(kOne, keys));
  std::vector<std::string> changed;
  for (const auto& [id, memberships] : undo) {
    const nlohmann::json json = nlohmann::json::parse(memberships, nullptr, false);
    const auto known = known_.find(id);
    if (known == known_.end() || ToJson(known->second.now) != json.at("after")) {
      changed.push_back(id);
      continue;
    }
    known->second.touched = true;
    SetMemberships(FromJson(json.at("before")), known->second.now);
  }
  return changed;
}

absl::StatusOr<std::vector<MemberMoves::Moved>> MemberMoves::Changes() const {
  std::vector<Moved> changes;
  for (const auto& [id, known] : known_) {
    if (!known.touched) continue;
    Moved moved{
        .id = id,
        .id_index = known.before.row.id_index,
        .seen = known.before.row.version,
        .undo =
            nlohmann::json{{"before", ToJson(known.before)}, {"after", ToJson(known.now)}}.dump()};
    ASSIGN_OR_RETURN(const auto before, MemberFacts(kind_, known.before.row, known.before.past));
    ASSIGN_OR_RETURN(const auto after, MemberFacts(kind_, known.now.row, known.now.past));
    moved.facts = catalog::FactChanges(before, after);
    changes.push_back(std::move(moved));
  }
  return changes;
}

absl::StatusOr<std::vector<std::pair<std::string, int64_t>>> MemberMoves::Write() {
  std::vector<std::pair<std::string, int64_t>> written;
  std::vector<sql::Args> updates;
  std::vector<sql::Args> forgets;
  std::vector<sql::Args> adds;
  for (auto& [id, known] : known_) {
    if (!known.touched) continue;
    const v1::Member& member = known.now.row.member;
    const int64_t version = known.before.row.version + 1;
    updates.push_back({federation_, id, member.organization(), member.joined_on(), member.left_on(),
                       known.now.row.leave_reason, member.state(), version});
    const std::vector<PastMembership>& old = known.before.past;
    const std::vector<PastMembership>& past = known.now.past;
    size_t same = 0;
    while (same < std::min(old.size(), past.size()) && old[same] == past[same]) ++same;
    if (same < old.size()) forgets.push_back({federation_, id, static_cast<int64_t>(same)});
    for (size_t i = same; i < past.size(); ++i) {
      adds.push_back({federation_, id, static_cast<int64_t>(i + 1), past[i].organization,
                      past[i].joined_on, past[i].left_on, past[i].leave_reason});
    }
    written.emplace_back(id, version);
  }
  ASSIGN_OR_RETURN(const int64_t updated, tx_.RunMany(kUpdate, updates));
  if (updated != static_cast<int64_t>(updates.size())) {
    return Aborted(common::v1::REASON_CONFLICT,
                   "a member was changed by another call at the same moment; try again",
                   "有会员同时被其他操作修改，请重试");
  }
  RETURN_IF_ERROR(tx_.RunMany(kForgetPast, forgets).status());
  RETURN_IF_ERROR(tx_.RunMany(kAddPast, adds).status());
  return written;
}

}  // namespace gonghui::membership
