#include "services/membership/accesses.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/time/time.h"
#include "common/auth/explanation.h"
#include "common/base/china_time.h"
#include "common/base/date.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/page.h"
#include "services/membership/codes.h"

namespace gonghui::membership {
namespace {

constexpr int64_t kVerifiedAtOnce = 500'000;

#define ACCESS_COLUMNS                                                        \
  "sequence, at_us, kind, actor, method, member_id, field, purpose, remark, " \
  "times, trace, digest"
#define ACCESS_FILTER                                                        \
  "($2='' OR actor=$2) AND (CAST($3 AS BIGINT)=0 OR kind=$3) AND at_us>=$4 " \
  "AND at_us<$5 AND "                                                        \
  "sequence<$6 ORDER BY sequence DESC LIMIT $7"

constexpr sql::Query kList{"membership.list_accesses",
                           "SELECT " ACCESS_COLUMNS
                           " FROM accesses WHERE tenant=$1 AND " ACCESS_FILTER};
constexpr sql::Query kListOfMember{
    "membership.list_accesses_of_member",
    "SELECT " ACCESS_COLUMNS " FROM accesses WHERE tenant=$1 AND member_id=$8 AND " ACCESS_FILTER};
constexpr sql::Query kScan{"membership.scan_accesses",
                           "SELECT " ACCESS_COLUMNS
                           " FROM accesses WHERE tenant=$1 AND sequence>=$2 ORDER BY sequence "
                           "LIMIT $3"};
constexpr sql::Query kHead{"membership.access_head",
                           "SELECT sequence, digest FROM access_heads WHERE tenant=$1"};

AccessRow ReadAccess(const sql::Rows::Row& row) {
  AccessRow result;
  v1::Access& a = result.access;
  a.set_sequence(row.Get<int64_t>(0));
  a.set_at_us(row.Get<int64_t>(1));
  a.set_kind(static_cast<v1::AccessKind>(row.Get<int64_t>(2)));
  a.set_actor(row.Get<std::string>(3));
  a.set_method(row.Get<std::string>(4));
  result.member_id = row.Get<std::string>(5);
  a.set_field(row.Get<std::string>(6));
  a.set_purpose(row.Get<std::string>(7));
  a.set_remark(row.Get<std::string>(8));
  a.set_times(static_cast<int32_t>(row.Get<int64_t>(9)));
  a.set_trace(row.Get<std::string>(10));
  a.set_digest(row.Get<std::string>(11));
  return result;
}

// Where the federations are, a day begins.
absl::StatusOr<int64_t> DayBegins(const std::string& day, int days_later) {
  ASSIGN_OR_RETURN(const absl::CivilDay civil, ParseDate(day));
  return DayBeginsMicros(civil + days_later);
}

// The field's value in clear.
absl::StatusOr<std::string> ValueOf(const v1::Member& member, const std::string& field) {
  if (field == "id_number") return member.id_number();
  if (field == "phone") return member.phone();
  if (field == "birth_date") return member.birth_date();
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat("'", field, "' is not masked: id_number, phone and birth_date are"),
                         StrCat("“", field, "”不是掩码字段，可查看 id_number、phone、birth_date"))
      .At("field");
}

v1::GrantVerdict VerdictOf(auth::Verdict verdict) {
  switch (verdict) {
    case auth::Verdict::kAllows:
      return v1::GRANT_VERDICT_ALLOWS;
    case auth::Verdict::kNotInForce:
      return v1::GRANT_VERDICT_NOT_IN_FORCE;
    case auth::Verdict::kRoleLacksPermission:
      return v1::GRANT_VERDICT_ROLE_LACKS_PERMISSION;
    case auth::Verdict::kElsewhere:
      break;
  }
  return v1::GRANT_VERDICT_ELSEWHERE;
}

}  // namespace

absl::Status CheckPurpose(const catalog::Catalog& catalog, const std::string& remark,
                          std::string& purpose) {
  RETURN_IF_ERROR(ToCode(catalog, "access_purpose", "purpose", purpose));
  if (purpose != "other" || !Strip(remark).empty()) return absl::OkStatus();
  return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                         "with the purpose 'other' the remark says what it is",
                         "目的为“其他”时须在备注中说明")
      .At("remark");
}

absl::StatusOr<v1::RevealFieldResponse> Accesses::Reveal(rpc::Call& call,
                                                         const v1::RevealFieldRequest& request) {
  const std::string id(LeafOf(request.name()));
  std::string purpose = request.purpose();
  RETURN_IF_ERROR(ValueOf({}, request.field()).status());
  RETURN_IF_ERROR(CheckPurpose(catalog_, request.remark(), purpose));
  v1::RevealFieldResponse response;
  RETURN_IF_ERROR(db_.ReadWrite(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<MemberRow> row,
                     register_.store.Find(tx, call.federation, id));
    if (!row.has_value()) return UnknownMember(id, "name");
    RETURN_IF_ERROR(call.CheckScope(row->member.organization()));
    AccessRow entry = NewAccess(call, v1::ACCESS_KIND_REVEAL, id);
    entry.access.set_field(request.field());
    entry.access.set_purpose(purpose);
    entry.access.set_remark(request.remark());
    RETURN_IF_ERROR(AccessLog::Append(tx, call.federation, absl::MakeSpan(&entry, 1)));
    ASSIGN_OR_RETURN(*response.mutable_value(), ValueOf(row->member, request.field()));
    response.set_sequence(entry.access.sequence());
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::ListAccessesResponse> Accesses::List(rpc::Call& call,
                                                        const v1::ListAccessesRequest& request) {
  const std::string member(LeafOf(request.member()));
  RETURN_IF_ERROR(log_.Flush(call.deadline));
  if (member.empty()) RETURN_IF_ERROR(call.CheckScope(""));
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 1));
  int64_t before = std::numeric_limits<int64_t>::max();
  if (!after.empty() && !absl::SimpleAtoi(after[0], &before)) return rpc::DamagedPageToken();
  int64_t from_us = 0;
  int64_t to_us = std::numeric_limits<int64_t>::max();
  if (!request.from_date().empty()) {
    ASSIGN_OR_RETURN(from_us, DayBegins(request.from_date(), 0));
  }
  if (!request.to_date().empty()) {
    ASSIGN_OR_RETURN(to_us, DayBegins(request.to_date(), 1));
  }
  sql::Args args = {call.federation, request.actor(), int64_t{request.kind()}, from_us,
                    to_us,           before,          int64_t{page_size} + 1};
  if (!member.empty()) args.push_back(member);
  std::vector<AccessRow> rows;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    rows.clear();
    if (!member.empty()) {
      ASSIGN_OR_RETURN(const std::optional<MemberRow> row,
                       register_.store.Find(tx, call.federation, member));
      if (!row.has_value()) return UnknownMember(member, "member");
      RETURN_IF_ERROR(call.CheckScope(row->member.organization()));
    }
    ASSIGN_OR_RETURN(const sql::Rows found, tx.Run(member.empty() ? kList : kListOfMember, args));
    for (size_t i = 0; i < found.size(); ++i) rows.push_back(ReadAccess(found[i]));
    return absl::OkStatus();
  }));
  v1::ListAccessesResponse response;
  if (rows.size() > static_cast<size_t>(page_size)) {
    rows.resize(static_cast<size_t>(page_size));
    response.set_next_page_token(
        rpc::MakePageToken(request, {StrCat(rows.back().access.sequence())}));
  }
  for (AccessRow& row : rows) {
    row.access.set_member(MemberName(call.federation, row.member_id));
    *response.add_accesses() = std::move(row.access);
  }
  return response;
}

absl::StatusOr<v1::VerifyAccessesResponse> Accesses::Verify(
    rpc::Call& call, const v1::VerifyAccessesRequest& request) {
  RETURN_IF_ERROR(log_.Flush(call.deadline));
  v1::VerifyAccessesResponse response;
  // The entry before the first one to be verified gives the digest to begin
  // with.
  const int64_t first = std::max<int64_t>(1, request.from_sequence());
  const int64_t begin = std::max<int64_t>(1, first - 1);
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    std::string digest;
    int64_t expected = begin;
    const auto fault = [&](int64_t sequence, const char* what) {
      response.set_first_bad(sequence);
      response.set_fault(what);
    };
    RETURN_IF_ERROR(tx.Stream(
        kScan, {call.federation, expected, kVerifiedAtOnce}, [&](const sql::Rows::Row& found) {
          const AccessRow row = ReadAccess(found);
          if (response.first_bad() != 0) return absl::OkStatus();
          if (row.access.sequence() != expected) {
            fault(expected, "missing");
          } else if (expected >= first && AccessDigest(digest, row) != row.access.digest()) {
            fault(expected, "changed");
          } else {
            digest = row.access.digest();
            if (expected >= first) response.set_entries(response.entries() + 1);
            ++expected;
          }
          return absl::OkStatus();
        }));
    response.set_digest(digest);
    if (response.first_bad() != 0) return absl::OkStatus();
    if (expected - begin == kVerifiedAtOnce) {
      response.set_next_sequence(expected);
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const sql::Rows head, tx.Run(kHead, {call.federation}));
    if (head.empty()) return absl::OkStatus();
    if (head[0].Get<int64_t>(0) >= expected) fault(expected, "cut");
    if (head[0].Get<int64_t>(0) == expected - 1 && head[0].Get<std::string>(1) != digest) {
      fault(expected - 1, "changed");
    }
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::ExplainAccessResponse> Accesses::Explain(
    rpc::Call& call, const v1::ExplainAccessRequest& request) {
  const std::string& organization = request.organization();
  std::vector<common::v1::Grant> grants = call.actor.grants;
  if (request.grants_size() > 0) {
    RETURN_IF_ERROR(call.CheckScope("membership.accesses.list", organization));
    grants.assign(request.grants().begin(), request.grants().end());
  }
  const std::string today = request.on_date().empty() ? call.Today() : request.on_date();
  v1::ExplainAccessResponse response;
  for (const common::v1::Grant& grant : grants) {
    ASSIGN_OR_RETURN(const auth::Verdict verdict,
                     auth::Judge(grant, *call.roles, *call.scope, call.federation,
                                 request.permission(), organization, today));
    v1::ExplainedGrant& explained = *response.add_grants();
    *explained.mutable_grant() = grant;
    explained.set_verdict(VerdictOf(verdict));
    if (verdict != auth::Verdict::kAllows || response.allowed()) continue;
    response.set_allowed(true);
    ASSIGN_OR_RETURN(const auto tree, tree_.Get(call.federation, organization));
    std::vector<std::string> path = tree->Path(organization, call.Today());
    const auto granted = std::find(path.begin(), path.end(), grant.organization());
    if (granted == path.end()) continue;  // At "*", or at the whole federation.
    path.erase(granted + 1, path.end());
    response.mutable_path()->Assign(path.rbegin(), path.rend());
  }
  for (std::string& role : auth::RolesHolding(request.permission())) {
    response.add_roles(std::move(role));
  }
  return response;
}

}  // namespace gonghui::membership
