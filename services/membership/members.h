// The real-name register of members.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/catalog/catalog.h"
#include "common/host/host.h"
#include "gonghui/feed/v1/feed.pb.h"
#include "gonghui/membership/v1/member.pb.h"
#include "services/membership/access_log.h"
#include "services/membership/member_edit.h"
#include "services/membership/member_rows.h"
#include "services/membership/open_organizations.h"

namespace gonghui::membership {

// Thread-safe.
class Members {
 public:
  using CreateCall = rpc::BatchedCall<v1::CreateMemberRequest, v1::Member>;

  Members(const Host& host, const catalog::Catalog& catalog, cache::Cache& cache, AccessLog& log);

  // Creates the members of calls that wait together in one transaction; a rejected one does not
  // hurt the rest.
  void CreateWaiting(absl::Span<CreateCall> calls);
  absl::StatusOr<v1::BatchCreateMembersResponse> BatchCreate(
      rpc::Call& call, const v1::BatchCreateMembersRequest& request);
  // The answer of Get when it can be found without blocking.
  std::optional<absl::StatusOr<v1::Member>> Peek(rpc::Call& call,
                                                 const v1::GetMemberRequest& request);
  absl::StatusOr<v1::Member> Get(rpc::Call& call, const v1::GetMemberRequest& request);
  absl::StatusOr<v1::ListMembersResponse> List(rpc::Call& call,
                                               const v1::ListMembersRequest& request);
  absl::StatusOr<v1::Member> Update(rpc::Call& call, const v1::UpdateMemberRequest& request);
  absl::StatusOr<v1::Member> Retain(rpc::Call& call, const v1::RetainMemberRequest& request);
  absl::StatusOr<v1::Member> Resume(rpc::Call& call, const v1::ResumeMemberRequest& request);
  absl::StatusOr<v1::Member> Leave(rpc::Call& call, const v1::LeaveMemberRequest& request);
  absl::StatusOr<v1::Member> Join(rpc::Call& call, const v1::JoinMemberRequest& request);

  // A member of a request, ready to be written.
  struct Candidate {
    std::string at = {};  // Its path in the request, "member." or empty.
    absl::Status status = absl::OkStatus();
    MemberRow row = {};
    std::vector<common::v1::Fact> facts = {};
  };

  // Fills in what follows from the member in stored form: id, person, state, facts.
  void Complete(const rpc::Call& call, Candidate& candidate) const;
  // Members join organisations that exist and are open.
  absl::Status CheckOrganizations(sql::Tx& tx, const std::string& federation,
                                  absl::Span<const Candidate> candidates,
                                  absl::Span<absl::Status> statuses) const;
  // Inserts what is well; where a person is registered already sets the status, and `existing` for
  // the same content.
  absl::Status InsertNew(sql::Tx& tx, const std::string& federation,
                         absl::Span<const Candidate> candidates, absl::Span<const sql::Args> args,
                         absl::Span<absl::Status> statuses, std::vector<bool>& existing) const;
  // The same for persons who may be registered; inserts nothing.
  absl::Status JudgeRegistered(sql::Tx& tx, const std::string& federation,
                               absl::Span<const Candidate> candidates,
                               absl::Span<absl::Status> statuses,
                               std::vector<bool>& existing) const;

 private:
  // A change of one member.
  struct Change {
    std::string name;
    std::string_view name_field;  // Where the request holds it.
    std::string etag;
    bool check_scope;  // At the organisation where the member is.
    std::string event;
    // Answers what happened.
    std::function<absl::StatusOr<v1::MemberEvent>(sql::Tx&, MemberEdit&)> edit;
  };
  struct Round;

  Candidate Prepare(const rpc::Call& call, const v1::Member& member, std::string at) const;
  // A batch holds a person once; the first good item is taken.
  static void RefuseDuplicates(absl::Span<const Candidate> candidates,
                               absl::Span<absl::Status> statuses);
  absl::Status CreateRound(sql::Tx& tx, Round& round) const;
  template <typename Request>
  absl::StatusOr<v1::Member> Apply(rpc::Call& call, const Request& request, const Change& change);
  absl::StatusOr<MemberRow> Read(const rpc::Call& call, const std::string& id,
                                 std::string_view field) const;
  absl::StatusOr<v1::Member> GetPresent(rpc::Call& call, const v1::GetMemberRequest& request);
  absl::StatusOr<v1::ListMembersResponse> Select(rpc::Call& call,
                                                 const v1::ListMembersRequest& request) const;
  absl::StatusOr<v1::ListMembersResponse> ListAsOf(rpc::Call& call,
                                                   const v1::ListMembersRequest& request,
                                                   const std::string& state,
                                                   const std::vector<std::string>& after,
                                                   size_t limit) const;
  absl::StatusOr<v1::ListMembersResponse> ListFiltered(rpc::Call& call,
                                                       const v1::ListMembersRequest& request,
                                                       const std::vector<std::string>& after,
                                                       size_t limit) const;
  absl::StatusOr<v1::Member> GetAsOf(rpc::Call& call, const v1::GetMemberRequest& request) const;
  absl::StatusOr<std::vector<MemberRow>> FindByNumber(const rpc::Call& call,
                                                      const v1::ListMembersRequest& request,
                                                      const std::string& state) const;

  sql::Database& db_;
  tree::TreeCache& tree_;
  cache::Cache& cache_;
  AccessLog& log_;
  const catalog::Catalog& catalog_;
  const MemberRegister register_;
  const common::v1::Kind& kind_;
  const MemberStore& store_;
  mutable KnownOrganizations known_;
};

}  // namespace gonghui::membership
