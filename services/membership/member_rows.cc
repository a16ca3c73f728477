#include "services/membership/member_rows.h"

#include <algorithm>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/update.h"
#include "services/membership/name_key.h"
#include "services/membership/organization_rules.h"

namespace gonghui::membership {
namespace {

// As callers see it.
#define MEMBER_STATE "CASE WHEN state='active' AND retained_from<>'' THEN 'retained' ELSE state END"

constexpr sql::InsertQuery kInsert{"membership.insert_member",
                                   "INSERT INTO members (tenant, " MEMBER_COLUMNS ")",
                                   "ON CONFLICT (tenant, id_index) DO NOTHING"};
constexpr sql::Query kUpdate{
    "membership.update_member",
    "UPDATE members SET organization=$3, full_name=$4, id_type=$5, "
    "id_index=$6, id_sealed=$7, "
    "sex=$8, birth_date=$9, phone_sealed=$10, employment=$11, education=$12, "
    "skill_level=$13, "
    "political_status=$14, job=$15, worker_group=$16, migrant_worker=$17, "
    "joined_on=$18, "
    "left_on=$19, leave_reason=$20, state=$21, version=$22, group_tags=$23, "
    "retained_from=$24, retain_reason=$25, seniority_from=$26, merged_into=$27, name_key=$28 "
    "WHERE tenant=$1 AND member_id=$2 AND version=$22-1"};
constexpr sql::Query kFind{"membership.find_member",
                           "SELECT " MEMBER_COLUMNS
                           " FROM members WHERE tenant=$1 AND member_id=$2"};
constexpr sql::Query kListAll{"membership.list_members",
                              "SELECT " MEMBER_COLUMNS
                              " FROM members WHERE tenant=$1 AND ($2='all' OR " MEMBER_STATE
                              "=$2) AND (organization, member_id) > "
                              "($3, $4) ORDER BY organization, member_id LIMIT $5"};
constexpr sql::Query kListOne{"membership.list_members_of_organization",
                              "SELECT " MEMBER_COLUMNS
                              " FROM members WHERE tenant=$1 AND ($2='all' OR " MEMBER_STATE
                              "=$2) AND organization=$3 AND "
                              "member_id>$4 ORDER BY member_id LIMIT $5"};
constexpr sql::Query kListOn{
    "membership.list_members_on",
    "SELECT " MEMBER_COLUMNS
    " FROM members WHERE tenant=$1 AND organization=$2 AND joined_on<=$3 AND (left_on='' OR "
    "left_on>$3) AND member_id>$4 UNION ALL SELECT " MEMBER_COLUMNS
    " FROM members WHERE tenant=$1 AND member_id IN (SELECT member_id FROM past_memberships WHERE "
    "tenant=$1 AND organization=$2 AND joined_on<=$3 AND left_on>$3 AND member_id>$4) "
    "ORDER BY member_id LIMIT $5"};
constexpr sql::Query kFindPast{"membership.find_past_memberships",
                               "SELECT organization, joined_on, left_on, "
                               "leave_reason FROM past_memberships "
                               "WHERE tenant=$1 AND member_id=$2 ORDER BY seq"};
constexpr sql::Query kInsertPast{
    "membership.insert_past_membership",
    "INSERT INTO past_memberships (tenant, member_id, seq, organization, "
    "joined_on, left_on, "
    "leave_reason) VALUES ($1, $2, $3, $4, $5, $6, $7)"};
constexpr sql::Query kDropPast{
    "membership.drop_past_memberships",
    "DELETE FROM past_memberships WHERE tenant=$1 AND member_id=$2 AND seq>$3"};

constexpr sql::Query kFindByIndex{"membership.find_person",
                                  "SELECT " MEMBER_COLUMNS
                                  " FROM members WHERE tenant = $1 AND id_index = $2"};

// Ties a sealed value to its row: a value copied to another row does not open.
std::string Context(std::string_view federation, std::string_view id, std::string_view column) {
  return StrCat(federation, "/", id, "/", column);
}

std::string JoinTags(const v1::Member& member) {
  std::string joined;
  for (const std::string& tag : member.group_tags()) StrAppend(&joined, tag, " ");
  return joined;
}

}  // namespace

bool CarriesOn(std::string_view leave_reason) {
  return leave_reason == kReorganisation || leave_reason == kTransfer;
}

std::vector<PastMembership> MembershipsOf(const MemberRow& row,
                                          absl::Span<const PastMembership> past) {
  std::vector<PastMembership> all(past.begin(), past.end());
  const v1::Member& member = row.member;
  all.push_back({member.organization(), member.joined_on(), member.left_on(), row.leave_reason});
  return all;
}

std::string MemberName(std::string_view federation, std::string_view id) {
  return StrCat("federations/", federation, "/members/", id);
}

std::string MemberStore::IndexOf(std::string_view federation, std::string_view id_type,
                                 std::string_view id_number) const {
  return id_type == "resident_id" ? personal.Index(federation, id_number)
                                  : personal.Index(federation, StrCat(id_type, ":", id_number));
}

sql::Args MemberStore::ToArgs(const std::string& federation, const MemberRow& row) const {
  const v1::Member& member = row.member;
  sql::Bytes id_sealed{
      personal.Encrypt(member.id_number(), Context(federation, row.id, "id_number"))};
  sql::Bytes phone_sealed;
  if (!member.phone().empty()) {
    phone_sealed.data = personal.Encrypt(member.phone(), Context(federation, row.id, "phone"));
  }
  return {federation,
          row.id,
          member.organization(),
          member.full_name(),
          member.id_type(),
          row.id_index,
          std::move(id_sealed),
          member.sex(),
          member.birth_date(),
          std::move(phone_sealed),
          member.employment(),
          member.education(),
          member.skill_level(),
          member.political_status(),
          member.job(),
          member.worker_group(),
          member.migrant_worker(),
          member.joined_on(),
          member.left_on(),
          row.leave_reason,
          member.state(),
          row.version,
          JoinTags(member),
          member.retained_from(),
          row.retain_reason,
          member.seniority_from(),
          member.merged_into(),
          NameKey(member.full_name()),
          row.created_by,
          member.create_time_us()};
}

absl::StatusOr<MemberRow> MemberStore::ToRow(const std::string& federation,
                                             const sql::Rows::Row& row) const {
  MemberRow result;
  v1::Member& member = result.member;
  result.id = row.Get<std::string>(0);
  member.set_organization(row.Get<std::string>(1));
  member.set_full_name(row.Get<std::string>(2));
  member.set_id_type(row.Get<std::string>(3));
  result.id_index = row.Get<std::string>(4);
  ASSIGN_OR_RETURN(
      *member.mutable_id_number(),
      personal.Decrypt(row.Get<sql::Bytes>(5).data, Context(federation, result.id, "id_number")));
  member.set_sex(row.Get<std::string>(6));
  member.set_birth_date(row.Get<std::string>(7));
  if (const sql::Bytes sealed = row.Get<sql::Bytes>(8); !sealed.data.empty()) {
    ASSIGN_OR_RETURN(*member.mutable_phone(),
                     personal.Decrypt(sealed.data, Context(federation, result.id, "phone")));
  }
  member.set_employment(row.Get<std::string>(9));
  member.set_education(row.Get<std::string>(10));
  member.set_skill_level(row.Get<std::string>(11));
  member.set_political_status(row.Get<std::string>(12));
  member.set_job(row.Get<std::string>(13));
  member.set_worker_group(row.Get<std::string>(14));
  member.set_migrant_worker(row.Get<bool>(15));
  member.set_joined_on(row.Get<std::string>(16));
  member.set_left_on(row.Get<std::string>(17));
  result.leave_reason = row.Get<std::string>(18);
  member.set_state(row.Get<std::string>(19));
  result.version = row.Get<int64_t>(20);
  for (std::string_view tag : Split(row.Get<std::string_view>(21), ' ')) {
    if (!tag.empty()) member.add_group_tags(std::string(tag));
  }
  member.set_retained_from(row.Get<std::string>(22));
  result.retain_reason = row.Get<std::string>(23);
  member.set_seniority_from(row.Get<std::string>(24));
  member.set_merged_into(row.Get<std::string>(25));
  result.created_by = row.Get<std::string>(27);
  member.set_create_time_us(row.Get<int64_t>(28));
  return result;
}

absl::StatusOr<int64_t> MemberStore::Insert(sql::Tx& tx, absl::Span<const sql::Args> rows) const {
  return tx.InsertMany(kInsert, rows);
}

absl::Status MemberStore::Update(sql::Tx& tx, const std::string& federation,
                                 const MemberRow& row) const {
  sql::Args args = ToArgs(federation, row);
  args.resize(args.size() - 2);  // created_by and create_time_us never change.
  ASSIGN_OR_RETURN(const sql::Rows updated, tx.Run(kUpdate, std::move(args)));
  if (updated.affected() == 1) return absl::OkStatus();
  return Aborted(common::v1::REASON_CONFLICT,
                 "the member was changed by another call at the same moment; try again",
                 "该会员同时被其他操作修改，请重试");
}

absl::StatusOr<std::optional<MemberRow>> MemberStore::Find(sql::Tx& tx,
                                                           const std::string& federation,
                                                           const std::string& id) const {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFind, {federation, id}));
  if (rows.empty()) return std::nullopt;
  return ToRow(federation, rows[0]);
}

absl::StatusOr<std::vector<MemberRow>> MemberStore::FindPersons(
    sql::Tx& tx, const std::string& federation, absl::Span<const std::string> indexes) const {
  std::vector<sql::Args> keys;
  for (const std::string& index : indexes) keys.push_back({federation, index});
  std::vector<MemberRow> found;
  absl::Status unreadable;
  RETURN_IF_ERROR(tx.ReadMany(kFindByIndex, keys, [&](const sql::Rows::Row& row) {
    absl::StatusOr<MemberRow> member = ToRow(federation, row);
    unreadable.Update(member.status());
    if (member.ok()) found.push_back(*std::move(member));
  }));
  RETURN_IF_ERROR(unreadable);
  return found;
}

absl::StatusOr<std::vector<MemberRow>> MemberStore::List(sql::Tx& tx, const std::string& federation,
                                                         const std::string& organization,
                                                         const std::string& state,
                                                         const std::string& after_organization,
                                                         const std::string& after_id,
                                                         int64_t limit) const {
  std::vector<MemberRow> members;
  const bool all = organization.empty();
  const std::string& from = all ? after_organization : organization;
  const std::string after = all || after_organization == organization ? after_id : "";
  RETURN_IF_ERROR(tx.Stream(all ? kListAll : kListOne, {federation, state, from, after, limit},
                            [&](const sql::Rows::Row& row) -> absl::Status {
                              ASSIGN_OR_RETURN(MemberRow member, ToRow(federation, row));
                              members.push_back(std::move(member));
                              return absl::OkStatus();
                            }));
  return members;
}

absl::StatusOr<std::vector<MemberRow>> MemberStore::ListOn(
    sql::Tx& tx, const std::string& federation, const std::string& organization,
    const std::string& day, const std::string& after_id, int64_t limit) const {
  std::vector<MemberRow> members;
  RETURN_IF_ERROR(tx.Stream(kListOn, {federation, organization, day, after_id, limit},
                            [&](const sql::Rows::Row& row) -> absl::Status {
                              ASSIGN_OR_RETURN(MemberRow member, ToRow(federation, row));
                              members.push_back(std::move(member));
                              return absl::OkStatus();
                            }));
  return members;
}

absl::StatusOr<std::vector<PastMembership>> MemberStore::FindPast(sql::Tx& tx,
                                                                  const std::string& federation,
                                                                  const std::string& id) const {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFindPast, {federation, id}));
  std::vector<PastMembership> past;
  for (size_t i = 0; i < rows.size(); ++i) {
    past.push_back({rows[i].Get<std::string>(0), rows[i].Get<std::string>(1),
                    rows[i].Get<std::string>(2), rows[i].Get<std::string>(3)});
  }
  return past;
}

absl::Status MemberStore::WritePast(sql::Tx& tx, const std::string& federation,
                                    const std::string& id, absl::Span<const PastMembership> before,
                                    absl::Span<const PastMembership> after) {
  size_t same = 0;
  while (same < std::min(before.size(), after.size()) && before[same] == after[same]) ++same;
  if (same < before.size()) {
    RETURN_IF_ERROR(tx.Run(kDropPast, {federation, id, static_cast<int64_t>(same)}).status());
  }
  for (size_t i = same; i < after.size(); ++i) {
    RETURN_IF_ERROR(
        tx.Run(kInsertPast, {federation, id, static_cast<int64_t>(i + 1), after[i].organization,
                             after[i].joined_on, after[i].left_on, after[i].leave_reason})
            .status());
  }
  return absl::OkStatus();
}

v1::Member MaskedView(const std::string& federation, const MemberRow& row) {
  v1::Member view = row.member;
  view.set_name(MemberName(federation, row.id));
  view.set_etag(rpc::MakeEtag(row.version));
  // The mask of 18 digits hides nothing but the birth date.
  if (view.id_number().size() == 18) view.clear_birth_date();
  view.set_id_number(crypto::MaskIdNumber(view.id_number()));
  if (!view.phone().empty()) view.set_phone(crypto::MaskPhone(view.phone()));
  view.set_leave_reason(row.leave_reason);
  if (!view.merged_into().empty()) view.set_merged_into(MemberName(federation, view.merged_into()));
  if (view.seniority_from().empty()) view.set_seniority_from(view.joined_on());
  if (view.state() == "active" && !view.retained_from().empty()) view.set_state("retained");
  if (view.id_type() == kErased) view.set_state(std::string(kErased));
  return view;
}

absl::StatusOr<std::vector<common::v1::Fact>> MemberFacts(const common::v1::Kind& kind,
                                                          const MemberRow& row,
                                                          absl::Span<const PastMembership> past) {
  const v1::Member& member = row.member;
  if (member.state() == kMerged) return std::vector<common::v1::Fact>();
  catalog::FactSource source;
  for (const auto& [name, value] : std::initializer_list<std::pair<const char*, std::string_view>>{
           {"number", row.id},
           {"subject", row.id_index},
           {"state", member.state()},
           {"sex", member.sex()},
           {"employment", member.employment()},
           {"education", member.education()},
           {"skill_level", member.skill_level()},
           {"political_status", member.political_status()},
           {"worker_group", member.worker_group()},
           {"migrant_worker", member.migrant_worker() ? "true" : "false"}}) {
    if (!value.empty()) source.fields.emplace(name, value);
  }
  const std::vector<PastMembership> all = MembershipsOf(row, past);
  std::vector<common::v1::Fact> facts;
  for (size_t i = 0; i < all.size(); ++i) {
    const auto carried_on = [&](const PastMembership& membership) {
      return CarriesOn(membership.leave_reason) ? membership.leave_reason : std::string();
    };
    source.organization = all[i].organization;
    source.fields["on_date"] = source.fields["joined_on"] = all[i].joined_on;
    source.fields["left_on"] = all[i].left_on;
    source.fields["began_by"] = i == 0 ? "" : carried_on(all[i - 1]);
    source.fields["ended_by"] = carried_on(all[i]);
    ASSIGN_OR_RETURN(const std::vector<common::v1::Fact> some, catalog::FactsOf(kind, source));
    facts.insert(facts.end(), some.begin(), some.end());
  }
  return facts;
}

}  // namespace gonghui::membership
