#include "services/membership/personal_keys.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::membership {
namespace {

// Rows of a step: few, so that those who write the same rows hardly wait.
constexpr int64_t kStep = 200;

// A column with sealed values, and what ties a value to its row. Values are found by key, and by
// number where the key alone does not tell one.
struct SealedColumn {
  sql::Query lengths;  // First bytes: the lengths of key ids.
  sql::Query keys;     // Beginnings with key ids of one length.
  sql::Query find;     // After a key and number, values that do not begin with $4.
  sql::Query write;    // Unless somebody wrote the value meanwhile.
  std::string (*context)(std::string_view federation, std::string_view key, int64_t number);
};

#define SEALED_COLUMN(table, column, key, number, after, at, context)                              \
  {                                                                                                \
    {"membership.lengths_of_" table "_" column,                                                    \
     "SELECT substr(" column ", 1, 1), COUNT(*) FROM " table " WHERE tenant=$1 AND length(" column \
     ")>0 GROUP BY 1"},                                                                            \
        {"membership.keys_of_" table "_" column,                                                   \
         "SELECT substr(" column ", 1, CAST($3 AS INTEGER)), COUNT(*) FROM " table                 \
         " WHERE tenant=$1 AND substr(" column ", 1, 1)=$2 GROUP BY 1"},                           \
        {"membership.find_" table "_" column "_to_reseal",                                         \
         "SELECT " key ", " number ", " column " FROM " table " WHERE tenant=$1 AND " after        \
         " AND length(" column ")>0 AND substr(" column                                            \
         ", 1, CAST($5 AS INTEGER))<>$4 ORDER BY " key ", " number " LIMIT $6"},                   \
        {"membership.reseal_" table "_" column,                                                    \
         "UPDATE " table " SET " column "=$5 WHERE tenant=$1 AND " key "=$2 AND " at               \
         " AND " column "=$4"},                                                                    \
        context                                                                                    \
  }
#define BY_KEY(table, column, key, context)                                                    \
  SEALED_COLUMN(table, column, key, "CAST(0 AS BIGINT)", key ">$2 AND CAST($3 AS BIGINT)>=-1", \
                "CAST($3 AS BIGINT)=0", context)
#define BY_NUMBER(table, column, key, number, context) \
  SEALED_COLUMN(table, column, key, number, "(" key ", " number ")>($2, $3)", number "=$3", context)

// All of them: a test compares them with the schema.
constexpr SealedColumn kColumns[] = {
    BY_KEY("members", "id_sealed", "member_id",
           [](std::string_view federation, std::string_view key, int64_t) {
             return StrCat(federation, "/", key, "/id_number");
           }),
    BY_KEY("members", "phone_sealed", "member_id",
           [](std::string_view federation, std::string_view key, int64_t) {
             return StrCat(federation, "/", key, "/phone");
           }),
    BY_KEY("applications", "content", "application_id",
           [](std::string_view federation, std::string_view key, int64_t) {
             return StrCat(federation, "/applications/", key);
           }),
    BY_KEY("member_merges", "undo", "merge_id",
           [](std::string_view federation, std::string_view key, int64_t) {
             return StrCat("federations/", federation, "/memberMerges/", key);
           }),
    BY_KEY("member_merges", "conflicts", "merge_id",
           [](std::string_view federation, std::string_view key, int64_t) {
             return StrCat("federations/", federation, "/memberMerges/", key);
           }),
    BY_NUMBER("sealed_pieces", "sealed", "file", "begins_at",
              [](std::string_view federation, std::string_view key, int64_t number) {
                return StrCat(federation, "/files/", key, "/", number);
              }),
    BY_NUMBER("member_import_rows", "sealed", "import_id", "file_row",
              [](std::string_view federation, std::string_view key, int64_t number) {
                return StrCat(federation, "/import_rows/", key, "/", number);
              }),
};

// Values by the id of their key.
absl::StatusOr<std::map<std::string, int64_t>> Count(sql::Tx& tx, const std::string& federation) {
  std::map<std::string, int64_t> counts;
  for (const SealedColumn& column : kColumns) {
    ASSIGN_OR_RETURN(const sql::Rows lengths, tx.Run(column.lengths, {federation}));
    for (size_t i = 0; i < lengths.size(); ++i) {
      const auto length = lengths[i].Get<sql::Bytes>(0);
      const int64_t size = 1 + static_cast<unsigned char>(length.data[0]);
      ASSIGN_OR_RETURN(const sql::Rows keys, tx.Run(column.keys, {federation, length, size}));
      for (size_t k = 0; k < keys.size(); ++k) {
        counts[keys[k].Get<sql::Bytes>(0).data.substr(1)] += keys[k].Get<int64_t>(1);
      }
    }
  }
  return counts;
}

// How far the job came: the checkpoint.
struct Place {
  std::string key;  // That was current when the round began.
  size_t column = 0;
  std::string after;
  int64_t number = -1;

  std::string ToText() const { return StrCat(key, "\n", column, "\n", number, "\n", after); }
  static Place FromText(std::string_view text) {
    Place place;
    const std::vector<std::string_view> parts = Split(text, '\n');
    if (parts.size() < 4 || !ParseInteger(parts[1], &place.column) ||
        !ParseInteger(parts[2], &place.number)) {
      return {};
    }
    place.key = parts[0];
    place.after = text.substr(static_cast<size_t>(parts[3].data() - text.data()));
    return place;
  }
};

// Seals the next values of the place's column anew; moves the place on. How many.
absl::StatusOr<int64_t> Step(sql::Tx& tx, const crypto::PersonalData& personal,
                             const std::string& federation, Place& place) {
  const SealedColumn& column = kColumns[place.column];
  const std::string prefix = crypto::PersonalData::SealedPrefix(place.key);
  ASSIGN_OR_RETURN(const sql::Rows rows,
                   tx.Run(column.find, {federation, place.after, place.number, sql::Bytes{prefix},
                                        static_cast<int64_t>(prefix.size()), kStep}));
  std::vector<sql::Args> writes;
  for (size_t i = 0; i < rows.size(); ++i) {
    place.after = rows[i].Get<std::string>(0);
    place.number = rows[i].Get<int64_t>(1);
    const auto sealed = rows[i].Get<sql::Bytes>(2);
    const std::string context = column.context(federation, place.after, place.number);
    ASSIGN_OR_RETURN(const std::string plain, personal.Decrypt(sealed.data, context));
    writes.push_back({federation, place.after, place.number, sealed,
                      sql::Bytes{personal.Encrypt(plain, context)}});
  }
  if (static_cast<int64_t>(rows.size()) < kStep) {
    ++place.column;
    place.after.clear();
    place.number = -1;
  }
  return tx.RunMany(column.write, writes);
}

}  // namespace

absl::StatusOr<v1::ListPersonalKeysResponse> PersonalKeys::List(
    rpc::Call& call, const v1::ListPersonalKeysRequest& /*request*/) {
  std::map<std::string, int64_t> counts;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(counts, Count(tx, call.federation));
    return absl::OkStatus();
  }));
  v1::ListPersonalKeysResponse response;
  const std::string current = personal_.CurrentKeyId();
  for (const std::string& id : personal_.KeyIds()) {
    v1::PersonalKey& key = *response.add_keys();
    key.set_id(id);
    key.set_current(id == current);
    key.set_known(true);
    key.set_values(counts[id]);
    counts.erase(id);
  }
  for (const auto& [id, values] : counts) {
    v1::PersonalKey& key = *response.add_keys();
    key.set_id(id);
    key.set_values(values);
  }
  return response;
}

absl::StatusOr<common::v1::Job> PersonalKeys::Reseal(rpc::Call& call,
                                                     const v1::ResealPersonalDataRequest& request) {
  return jobs_.Start(call, "", request);
}

absl::StatusOr<v1::ResealPersonalDataResult> PersonalKeys::Run(rpc::JobRun& run) {
  rpc::JobProgress progress = run.progress();
  Place place = Place::FromText(progress.checkpoint);
  while (true) {
    if (place.column == std::size(kColumns) && place.key == personal_.CurrentKeyId()) break;
    if (place.column == std::size(kColumns) || place.key.empty()) {
      // A round for the key that is current now.
      place = Place();
      place.key = personal_.CurrentKeyId();
      RETURN_IF_ERROR(db_.ReadOnly(absl::InfiniteFuture(), [&](sql::Tx& tx) -> absl::Status {
        ASSIGN_OR_RETURN(auto counts, Count(tx, run.federation()));
        counts.erase(place.key);
        progress.total = progress.done;
        for (const auto& [id, values] : counts) progress.total += values;
        return absl::OkStatus();
      }));
    }
    const int64_t done = progress.done;
    const Place from = place;
    RETURN_IF_ERROR(run.Save(progress, [&](sql::Tx& tx) -> absl::Status {
      place = from;
      ASSIGN_OR_RETURN(const int64_t resealed, Step(tx, personal_, run.federation(), place));
      progress.done = done + resealed;
      progress.total = std::max(progress.total, progress.done);
      progress.checkpoint = place.ToText();
      return absl::OkStatus();
    }));
  }
  v1::ResealPersonalDataResult result;
  result.set_resealed(progress.done);
  result.set_key(place.key);
  return result;
}

}  // namespace gonghui::membership
