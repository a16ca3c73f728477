#include "services/membership/personal_copies.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/records/record_store.h"
#include "google/protobuf/util/json_util.h"
#include "nlohmann/json.hpp"

namespace gonghui::membership {
namespace {

using nlohmann::json;

constexpr int kPage = 1000;

json ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(message, &text, options).ok()) return nullptr;
  return json::parse(text, nullptr, false);
}

// All pages of a list, as the array of its items.
template <typename Noun, typename Request, typename Response, typename Items>
absl::StatusOr<json> AllOf(rpc::Call& call, Noun& noun,
                           absl::StatusOr<Response> (Noun::*list)(rpc::Call&, const Request&),
                           Request request, Items items) {
  json all = json::array();
  request.set_page_size(kPage);
  do {
    ASSIGN_OR_RETURN(const Response page, (noun.*list)(call, request));
    for (const auto& item : items(page)) all.push_back(ToJson(item));
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return all;
}

// A member in clear.
json InClear(const std::string& federation, const MemberRow& row) {
  v1::Member member = MaskedView(federation, row);
  member.set_id_number(row.member.id_number());
  member.set_phone(row.member.phone());
  member.set_birth_date(row.member.birth_date());
  return ToJson(member);
}

// The register's records in which the person stands, their personal texts in clear.
absl::StatusOr<json> RecordsOf(sql::Tx& tx, const catalog::Catalog& catalog,
                               const std::string& federation, const MemberRow& row) {
  ASSIGN_OR_RETURN(const std::vector<records::Row> rows,
                   records::FindRowsOfPersons(tx, federation, {row.id_index}));
  json all = json::array();
  for (const records::Row& record : rows) {
    const common::v1::Kind* kind = catalog.FindKind(record.kind);
    if (kind == nullptr) continue;
    const std::string name = StrCat("federations/", federation, "/registers/", record.id);
    json& added = all.emplace_back(ToJson(records::ToRecord(*kind, record, name)));
    for (const auto& [field, value] : record.fields) added["fields"][field] = value;
  }
  return all;
}

}  // namespace

absl::StatusOr<v1::ExportPersonalDataResponse> PersonalCopies::Export(
    rpc::Call& call, const v1::ExportPersonalDataRequest& request) {
  const std::string id(LeafOf(request.name()));
  std::string purpose = request.purpose();
  RETURN_IF_ERROR(CheckPurpose(catalog_, request.remark(), purpose));
  json copy;
  v1::ExportPersonalDataResponse response;
  RETURN_IF_ERROR(db_.ReadWrite(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    copy = json::object();
    ASSIGN_OR_RETURN(const std::optional<MemberRow> row,
                     register_.store.Find(tx, call.federation, id));
    if (!row.has_value()) return UnknownMember(id, "name");
    RETURN_IF_ERROR(call.CheckScope(row->member.organization()));
    AccessRow entry = NewAccess(call, v1::ACCESS_KIND_EXPORT, id);
    entry.access.set_purpose(purpose);
    entry.access.set_remark(request.remark());
    RETURN_IF_ERROR(AccessLog::Append(tx, call.federation, absl::MakeSpan(&entry, 1)));
    response.set_sequence(entry.access.sequence());
    copy["member"] = InClear(call.federation, *row);
    ASSIGN_OR_RETURN(const auto past, register_.store.FindPast(tx, call.federation, id));
    for (const PastMembership& m : MembershipsOf(*row, past)) {
      copy["memberships"].push_back({{"organization", m.organization},
                                     {"joined_on", m.joined_on},
                                     {"left_on", m.left_on},
                                     {"leave_reason", m.leave_reason}});
    }
    ASSIGN_OR_RETURN(const std::vector<v1::Application> applications,
                     nouns_.applications.InClear(tx, call.federation, *row));
    copy["applications"] = json::array();
    for (const v1::Application& one : applications) copy["applications"].push_back(ToJson(one));
    ASSIGN_OR_RETURN(copy["records"], RecordsOf(tx, catalog_, call.federation, *row));
    return absl::OkStatus();
  }));
  v1::ListMemberEventsRequest events;
  events.set_parent(request.name());
  ASSIGN_OR_RETURN(copy["events"], AllOf(call, nouns_.history, &MemberHistory::ListEvents, events,
                                         [](const auto& page) { return page.events(); }));
  v1::ListEmploymentsRequest employments;
  employments.set_parent(request.name());
  ASSIGN_OR_RETURN(const auto work, nouns_.employments.List(call, employments));
  copy["employments"] = json::array();
  for (const v1::Employment& one : work.employments()) copy["employments"].push_back(ToJson(one));
  v1::ListCardsRequest cards;
  cards.set_member(request.name());
  ASSIGN_OR_RETURN(copy["cards"], AllOf(call, nouns_.cards, &Cards::List, cards,
                                        [](const auto& page) { return page.cards(); }));
  v1::ListTransfersRequest transfers;
  transfers.set_member(request.name());
  ASSIGN_OR_RETURN(copy["transfers"], AllOf(call, nouns_.transfers, &Transfers::List, transfers,
                                            [](const auto& page) { return page.transfers(); }));
  v1::ListAccessesRequest accesses;
  accesses.set_member(request.name());
  ASSIGN_OR_RETURN(copy["accesses"], AllOf(call, nouns_.accesses, &Accesses::List, accesses,
                                           [](const auto& page) { return page.accesses(); }));
  response.set_json(copy.dump(2));
  return response;
}

}  // namespace gonghui::membership
