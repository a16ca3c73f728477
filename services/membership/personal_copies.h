// Everything that the register holds on one person.
#pragma once

#include "absl/status/statusor.h"
#include "common/catalog/catalog.h"
#include "common/host/host.h"
#include "gonghui/membership/v1/personal_data.pb.h"
#include "services/membership/accesses.h"
#include "services/membership/applications.h"
#include "services/membership/cards.h"
#include "services/membership/employments.h"
#include "services/membership/member_history.h"
#include "services/membership/transfers.h"

namespace gonghui::membership {

// Asks the nouns that hold a part. Thread-safe.
class PersonalCopies {
 public:
  struct Nouns {
    MemberHistory& history;
    Employments& employments;
    Cards& cards;
    Transfers& transfers;
    Applications& applications;
    Accesses& accesses;
  };
  PersonalCopies(const Host& host, const catalog::Catalog& catalog, Nouns nouns)
      : db_(*host.db), catalog_(catalog), register_(catalog, *host.personal), nouns_(nouns) {}

  absl::StatusOr<v1::ExportPersonalDataResponse> Export(
      rpc::Call& call, const v1::ExportPersonalDataRequest& request);

 private:
  sql::Database& db_;
  const catalog::Catalog& catalog_;
  const MemberRegister register_;
  const Nouns nouns_;
};

}  // namespace gonghui::membership
