#include "services/membership/member_import_store.h"

#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::membership {
namespace {

constexpr sql::Query kInsert{
    "membership.insert_member_import",
    "INSERT INTO member_imports (tenant, import_id, organization, run, content, expires_on, "
    "emptied) VALUES ($1, $2, $3, $4, $5, $6, $7)"};
constexpr sql::Query kUpdate{
    "membership.update_member_import",
    "UPDATE member_imports SET run=$3, content=$4 WHERE tenant=$1 AND import_id=$2"};
constexpr sql::Query kFind{"membership.find_member_import",
                           "SELECT import_id, run, content, emptied FROM member_imports WHERE "
                           "tenant=$1 AND import_id=$2"};
constexpr sql::Query kList{
    "membership.list_member_imports",
    "SELECT import_id, run, content, emptied FROM member_imports WHERE tenant=$1 AND "
    "organization=$2 AND import_id<$3 ORDER BY import_id DESC LIMIT $4"};
constexpr sql::Query kListExpired{
    "membership.list_expired_member_imports",
    "SELECT import_id FROM member_imports WHERE tenant=$1 AND expires_on<=$2 AND emptied=$3"};
constexpr sql::Query kEmpty{
    "membership.empty_member_import",
    "UPDATE member_imports SET emptied=$3 WHERE tenant=$1 AND import_id=$2"};

constexpr sql::Query kInsertFault{
    "membership.insert_member_import_fault",
    "INSERT INTO member_import_faults (tenant, import_id, kept, file_row, seq, content) VALUES "
    "($1, $2, $3, $4, $5, $6)"};
constexpr sql::Query kListFaults{
    "membership.list_member_import_faults",
    "SELECT content, file_row, seq FROM member_import_faults WHERE tenant=$1 AND import_id=$2 AND "
    "kept=$3 AND (file_row, seq) > ($4, $5) ORDER BY file_row, seq LIMIT $6"};
constexpr sql::Query kFaultsOf{
    "membership.faults_of_member_import_row",
    "SELECT content FROM member_import_faults WHERE tenant=$1 AND import_id=$2 AND kept=$3 AND "
    "file_row=$4 ORDER BY seq"};
constexpr sql::Query kDropFaults{
    "membership.drop_member_import_faults",
    "DELETE FROM member_import_faults WHERE tenant=$1 AND import_id=$2 AND kept=$3"};

constexpr sql::Query kInsertRow{
    "membership.insert_member_import_row",
    "INSERT INTO member_import_rows (tenant, import_id, file_row, heading, sealed) VALUES ($1, $2, "
    "$3, $4, $5)"};
constexpr sql::Query kListRows{
    "membership.list_member_import_rows",
    "SELECT file_row, heading, sealed FROM member_import_rows WHERE tenant=$1 AND import_id=$2 AND "
    "file_row>$3 ORDER BY file_row LIMIT $4"};
constexpr sql::Query kDropRows{"membership.drop_member_import_rows",
                               "DELETE FROM member_import_rows WHERE tenant=$1 AND import_id=$2"};

constexpr sql::Query kInsertStep{
    "membership.insert_member_import_step",
    "INSERT INTO member_import_steps (tenant, import_id, seq, content) VALUES ($1, $2, $3, $4)"};
constexpr sql::Query kLastStep{
    "membership.last_member_import_step",
    "SELECT seq, content FROM member_import_steps WHERE tenant=$1 AND import_id=$2 ORDER BY seq "
    "DESC LIMIT 1"};
constexpr sql::Query kDropStep{
    "membership.drop_member_import_step",
    "DELETE FROM member_import_steps WHERE tenant=$1 AND import_id=$2 AND seq=$3"};

constexpr std::string_view kAfterAll = "~";  // Sorts behind every id.

sql::Bytes Packed(v1::MemberImport import) {
  import.clear_name();
  return {import.SerializeAsString()};
}

StoredImport ToImport(const std::string& federation, const sql::Rows::Row& row) {
  StoredImport stored{.id = row.Get<std::string>(0), .run = row.Get<std::string>(1)};
  stored.import.ParseFromString(row.Get<sql::Bytes>(2).data);
  stored.import.set_name(StrCat("federations/", federation, "/memberImports/", stored.id));
  stored.emptied = row.Get<bool>(3);
  return stored;
}

// Ties the sealed cells to their row.
std::string Context(std::string_view federation, std::string_view id, int64_t number) {
  return StrCat(federation, "/import_rows/", id, "/", number);
}

v1::MemberImportFault ToFault(const sql::Rows::Row& row) {
  v1::MemberImportFault fault;
  fault.ParseFromString(row.Get<sql::Bytes>(0).data);
  return fault;
}

}  // namespace

std::string MemberImportStore::ContentFile(std::string_view id) { return StrCat(id, "/content"); }
std::string MemberImportStore::RejectsFile(std::string_view id) { return StrCat(id, "/rejects"); }

absl::Status MemberImportStore::Insert(sql::Tx& tx, const std::string& federation,
                                       const StoredImport& stored) const {
  return tx
      .Run(kInsert, {federation, stored.id, stored.import.organization(), stored.run,
                     Packed(stored.import), stored.import.expires_on(), stored.emptied})
      .status();
}

absl::Status MemberImportStore::Update(sql::Tx& tx, const std::string& federation,
                                       const StoredImport& stored) const {
  return tx.Run(kUpdate, {federation, stored.id, stored.run, Packed(stored.import)}).status();
}

absl::StatusOr<StoredImport> MemberImportStore::Find(sql::Tx& tx, const std::string& federation,
                                                     const std::string& id) const {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFind, {federation, id}));
  if (!rows.empty()) return ToImport(federation, rows[0]);
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no import '", id, "'; ListMemberImports shows them"),
                  StrCat("没有导入“", id, "”，可用 ListMemberImports 查看"))
      .At("name");
}

absl::StatusOr<std::vector<StoredImport>> MemberImportStore::List(sql::Tx& tx,
                                                                  const std::string& federation,
                                                                  const std::string& organization,
                                                                  const std::string& before_id,
                                                                  int64_t limit) const {
  const std::string before = before_id.empty() ? std::string(kAfterAll) : before_id;
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kList, {federation, organization, before, limit}));
  std::vector<StoredImport> imports;
  for (size_t i = 0; i < rows.size(); ++i) imports.push_back(ToImport(federation, rows[i]));
  return imports;
}

absl::Status MemberImportStore::AddFaults(sql::Tx& tx, const std::string& federation,
                                          const std::string& id, bool kept,
                                          absl::Span<const v1::MemberImportFault> faults) const {
  std::vector<sql::Args> rows;
  int64_t row = 0;
  int64_t seq = 0;
  for (const v1::MemberImportFault& fault : faults) {
    seq = fault.row() == row ? seq + 1 : 0;
    row = fault.row();
    rows.push_back({federation, id, kept, row, seq, sql::Bytes{fault.SerializeAsString()}});
  }
  return tx.RunMany(kInsertFault, rows).status();
}

absl::StatusOr<std::vector<v1::MemberImportFault>> MemberImportStore::ListFaults(
    sql::Tx& tx, const std::string& federation, const std::string& id, bool kept, FaultKey& after,
    int64_t limit) const {
  ASSIGN_OR_RETURN(const sql::Rows rows,
                   tx.Run(kListFaults, {federation, id, kept, after.row, after.seq, limit}));
  std::vector<v1::MemberImportFault> faults;
  for (size_t i = 0; i < rows.size(); ++i) {
    faults.push_back(ToFault(rows[i]));
    after = {rows[i].Get<int64_t>(1), rows[i].Get<int64_t>(2)};
  }
  return faults;
}

absl::StatusOr<std::vector<v1::MemberImportFault>> MemberImportStore::FaultsOf(
    sql::Tx& tx, const std::string& federation, const std::string& id, int64_t row) const {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFaultsOf, {federation, id, false, row}));
  std::vector<v1::MemberImportFault> faults;
  for (size_t i = 0; i < rows.size(); ++i) faults.push_back(ToFault(rows[i]));
  return faults;
}

absl::Status MemberImportStore::DropFaults(sql::Tx& tx, const std::string& federation,
                                           const std::string& id, bool kept) const {
  return tx.Run(kDropFaults, {federation, id, kept}).status();
}

absl::Status MemberImportStore::AddRows(sql::Tx& tx, const std::string& federation,
                                        const std::string& id,
                                        absl::Span<const StoredRow> rows) const {
  std::vector<sql::Args> inserts;
  for (const StoredRow& row : rows) {
    v1::MemberImportRow packed;
    packed.mutable_cells()->Assign(row.cells.begin(), row.cells.end());
    inserts.push_back({federation, id, row.number, row.heading,
                       sql::Bytes{files.personal.Encrypt(packed.SerializeAsString(),
                                                         Context(federation, id, row.number))}});
  }
  return tx.RunMany(kInsertRow, inserts).status();
}

absl::StatusOr<std::vector<StoredRow>> MemberImportStore::ListRows(sql::Tx& tx,
                                                                   const std::string& federation,
                                                                   const std::string& id,
                                                                   int64_t after,
                                                                   int64_t limit) const {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kListRows, {federation, id, after, limit}));
  std::vector<StoredRow> found;
  for (size_t i = 0; i < rows.size(); ++i) {
    StoredRow& row = found.emplace_back();
    row.number = rows[i].Get<int64_t>(0);
    row.heading = rows[i].Get<bool>(1);
    ASSIGN_OR_RETURN(const std::string plain,
                     files.personal.Decrypt(rows[i].Get<sql::Bytes>(2).data,
                                            Context(federation, id, row.number)));
    v1::MemberImportRow packed;
    packed.ParseFromString(plain);
    row.cells.assign(packed.cells().begin(), packed.cells().end());
  }
  return found;
}

absl::Status MemberImportStore::DropRejects(sql::Tx& tx, const std::string& federation,
                                            const std::string& id) const {
  RETURN_IF_ERROR(tx.Run(kDropRows, {federation, id}).status());
  return SealedFiles::Delete(tx, federation, RejectsFile(id));
}

absl::Status MemberImportStore::AddStep(sql::Tx& tx, const std::string& federation,
                                        const std::string& id, int64_t seq,
                                        const v1::MemberImportStep& step) const {
  return tx.Run(kInsertStep, {federation, id, seq, sql::Bytes{step.SerializeAsString()}}).status();
}

absl::Status MemberImportStore::DropStep(sql::Tx& tx, const std::string& federation,
                                         const std::string& id, int64_t seq) const {
  return tx.Run(kDropStep, {federation, id, seq}).status();
}

absl::StatusOr<int64_t> MemberImportStore::LastStep(sql::Tx& tx, const std::string& federation,
                                                    const std::string& id,
                                                    v1::MemberImportStep* step) const {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kLastStep, {federation, id}));
  if (rows.empty()) return 0;
  if (step != nullptr) step->ParseFromString(rows[0].Get<sql::Bytes>(1).data);
  return rows[0].Get<int64_t>(0);
}

absl::Status MemberImportStore::EmptyExpired(sql::Tx& tx, const std::string& federation,
                                             const std::string& today) const {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kListExpired, {federation, today, false}));
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto id = rows[i].Get<std::string>(0);
    RETURN_IF_ERROR(DropRejects(tx, federation, id));
    RETURN_IF_ERROR(SealedFiles::Delete(tx, federation, ContentFile(id)));
    RETURN_IF_ERROR(tx.Run(kEmpty, {federation, id, true}).status());
  }
  return absl::OkStatus();
}

}  // namespace gonghui::membership
