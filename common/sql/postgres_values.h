// Values on their way to and from PostgreSQL.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/sql/sql.h"

namespace gonghui::sql {

// The arguments of one execution in libpq's form: numbers and bytes in binary, the rest as text.
// Keeps pointers into `args`.
class PostgresArguments {
 public:
  explicit PostgresArguments(const Args& args);
  // The columns of rows of equal size as arrays, each of the type of its first value that is not
  // NULL (none: text).
  static PostgresArguments Columns(absl::Span<const Args> rows);

  int count() const { return static_cast<int>(types_.size()); }
  const Oid* types() const { return types_.data(); }
  const char* const* values() const { return values_.data(); }
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }

 private:
  PostgresArguments() = default;
  void Add(Oid type, const char* value, size_t length, int format);
  void AddNumber(Oid type, uint64_t bits);

  std::vector<uint64_t> numbers_;  // In network order.
  std::vector<std::string> arrays_;
  std::vector<Oid> types_;
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
};

// A row of a result in binary format, where libpq keeps it.
class ResultRow final : public RowView {
 public:
  ResultRow(const PGresult& result, int row) : result_(result), row_(row) {}
  std::string_view Text(size_t column) const override;
  int64_t Integer(size_t column) const override;

 private:
  const PGresult& result_;
  const int row_;
};

// Copies a result out of libpq. INTERNAL for a number that is no int64 (a SUM that overflowed, or
// an AVG: CAST it in the statement).
absl::StatusOr<Rows> ReadRows(std::string_view query_name, const PGresult& result);

}  // namespace gonghui::sql
