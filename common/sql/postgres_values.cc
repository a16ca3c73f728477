#include "common/sql/postgres_values.h"

#include <endian.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::sql {
namespace {

// pg_type.oid of the types that the dialect knows.
constexpr Oid kBool = 16, kBytea = 17, kInt8 = 20, kInt2 = 21, kInt4 = 23, kText = 25,
              kFloat4 = 700, kFloat8 = 701, kNumeric = 1700;

constexpr int kTextFormat = 0, kBinaryFormat = 1;

// An element's type and that of arrays of it.
struct ArrayType {
  Oid element;
  Oid array;
};

ArrayType ArrayTypeOf(const Value& value) {
  if (std::holds_alternative<int64_t>(value)) return {kInt8, 1016};
  if (std::holds_alternative<double>(value)) return {kFloat8, 1022};
  if (std::holds_alternative<bool>(value)) return {kBool, 1000};
  if (std::holds_alternative<Bytes>(value)) return {kBytea, 1001};
  return {kText, 1009};
}

// Appends in network order.
void Put32(std::string& to, uint32_t number) {
  const uint32_t bits = htobe32(number);
  to.append(reinterpret_cast<const char*>(&bits), sizeof(bits));
}

void PutElement(std::string& to, std::string_view bytes) {
  Put32(to, static_cast<uint32_t>(bytes.size()));
  to.append(bytes);
}

// The value as an element of an array in binary format.
struct ElementWriter {
  std::string& to;

  void operator()(std::monostate) const { Put32(to, 0xffffffff); }
  void operator()(int64_t value) const { Number(static_cast<uint64_t>(value)); }
  void operator()(double value) const { Number(std::bit_cast<uint64_t>(value)); }
  void operator()(bool value) const { PutElement(to, {value ? "\1" : "\0", 1}); }
  void operator()(const std::string& value) const { PutElement(to, value); }
  void operator()(const Bytes& value) const { PutElement(to, value.data); }
  void Number(uint64_t bits) const {
    bits = htobe64(bits);
    PutElement(to, {reinterpret_cast<const char*>(&bits), sizeof(bits)});
  }
};

absl::StatusOr<Value> ReadValue(std::string_view query_name, Oid type, std::string_view text) {
  switch (type) {
    case kBool:
      return text == "t";
    case kBytea:  // "\x" and hexadecimal digits.
      return Bytes{absl::HexStringToBytes(ToAbsl(text.substr(2)))};
    case kInt2:
    case kInt4:
    case kInt8:
    case kNumeric: {  // SUM of BIGINT is NUMERIC.
      int64_t number = 0;
      if (ParseInteger(text, &number)) return number;
      return Internal(StrCat("statement ", query_name, " yields a number that is no int64"));
    }
    case kFloat4:
    case kFloat8: {
      double number = 0;
      if (absl::SimpleAtod(ToAbsl(text), &number)) return number;
      return Internal(StrCat("statement ", query_name, " yields no double"));
    }
    default:
      return std::string(text);
  }
}

}  // namespace

PostgresArguments::PostgresArguments(const Args& args) {
  numbers_.reserve(args.size());  // The values point into it: it may not move.
  types_.reserve(args.size());
  values_.reserve(args.size());
  lengths_.reserve(args.size());
  formats_.reserve(args.size());
  for (const Value& value : args) {
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      AddNumber(kInt8, static_cast<uint64_t>(*integer));
    } else if (const auto* real = std::get_if<double>(&value)) {
      AddNumber(kFloat8, std::bit_cast<uint64_t>(*real));
    } else if (const auto* boolean = std::get_if<bool>(&value)) {
      Add(kBool, *boolean ? "t" : "f", 1, kTextFormat);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      Add(kText, text->c_str(), text->size(), kTextFormat);
    } else if (const auto* bytes = std::get_if<Bytes>(&value)) {
      Add(kBytea, bytes->data.c_str(), bytes->data.size(), kBinaryFormat);
    } else {
      Add(0, nullptr, 0, kTextFormat);  // NULL of the type that the server infers.
    }
  }
}

PostgresArguments PostgresArguments::Columns(absl::Span<const Args> rows) {
  PostgresArguments columns;
  const size_t count = rows.front().size();
  columns.arrays_.resize(count);
  for (size_t at = 0; at < count; ++at) {
    const auto known = std::find_if(rows.begin(), rows.end(), [&](const Args& row) {
      return !std::holds_alternative<std::monostate>(row[at]);
    });
    const ArrayType type = ArrayTypeOf(known == rows.end() ? Value() : (*known)[at]);
    std::string& array = columns.arrays_[at];
    Put32(array, 1);  // Dimensions.
    Put32(array, 1);  // There may be NULL.
    Put32(array, type.element);
    Put32(array, static_cast<uint32_t>(rows.size()));
    Put32(array, 1);  // Index of the first.
    for (const Args& row : rows) std::visit(ElementWriter{array}, row[at]);
    columns.Add(type.array, array.data(), array.size(), kBinaryFormat);
  }
  return columns;
}

void PostgresArguments::AddNumber(Oid type, uint64_t bits) {
  numbers_.push_back(htobe64(bits));
  Add(type, reinterpret_cast<const char*>(&numbers_.back()), sizeof(bits), kBinaryFormat);
}

void PostgresArguments::Add(Oid type, const char* value, size_t length, int format) {
  types_.push_back(type);
  values_.push_back(value);
  lengths_.push_back(static_cast<int>(length));
  formats_.push_back(format);
}

std::string_view ResultRow::Text(size_t column) const {
  const int at = static_cast<int>(column);
  return {PQgetvalue(&result_, row_, at), static_cast<size_t>(PQgetlength(&result_, row_, at))};
}

int64_t ResultRow::Integer(size_t column) const {
  const std::string_view bytes = Text(column);
  int64_t number = 0;
  if (bytes.size() != sizeof(number)) return 0;  // NULL.
  std::memcpy(&number, bytes.data(), sizeof(number));
  return static_cast<int64_t>(be64toh(static_cast<uint64_t>(number)));
}

absl::StatusOr<Rows> ReadRows(std::string_view query_name, const PGresult& result) {
  const int columns = PQnfields(&result);
  const int rows = PQntuples(&result);
  std::vector<Value> values;
  values.reserve(static_cast<size_t>(columns) * rows);
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) {
      if (PQgetisnull(&result, row, column) != 0) {
        values.emplace_back(std::monostate());
        continue;
      }
      const std::string_view text(PQgetvalue(&result, row, column),
                                  PQgetlength(&result, row, column));
      ASSIGN_OR_RETURN(Value value, ReadValue(query_name, PQftype(&result, column), text));
      values.push_back(std::move(value));
    }
  }
  int64_t affected = 0;
  // For SELECT the server counts the rows returned.
  if (std::strncmp(PQcmdStatus(const_cast<PGresult*>(&result)), "SELECT", 6) != 0) {
    const char* count = PQcmdTuples(const_cast<PGresult*>(&result));
    if (*count != '\0' && !ParseInteger(count, &affected)) affected = 0;
  }
  return Rows(columns, std::move(values), affected);
}

}  // namespace gonghui::sql
