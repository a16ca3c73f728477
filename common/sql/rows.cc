#include <cstdlib>
#include <limits>
#include <type_traits>

#include "common/base/log.h"
#include "common/sql/sql.h"

namespace gonghui::sql {
namespace {

[[noreturn]] void Impossible(size_t column, std::string_view wanted, const Value& value) {
  constexpr std::string_view kHeld[] = {"null", "integer", "double", "boolean", "text", "bytes"};
  log::Error("sql_value_of_other_type", {{"column", static_cast<int64_t>(column)},
                                         {"wanted", wanted},
                                         {"held", kHeld[value.index()]}});
  std::abort();
}

int64_t AsInteger(const Value& value, size_t column) {
  if (const auto* integer = std::get_if<int64_t>(&value)) return *integer;
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean ? 1 : 0;
  Impossible(column, "integer", value);
}

double AsDouble(const Value& value, size_t column) {
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* integer = std::get_if<int64_t>(&value)) return static_cast<double>(*integer);
  Impossible(column, "double", value);
}

const std::string& AsText(const Value& value, size_t column) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  Impossible(column, "text", value);
}

template <typename T>
struct Reader {
  static T Read(const Value& value, size_t column) {
    if constexpr (std::is_same_v<T, bool>) {
      return AsInteger(value, column) != 0;  // SQLite keeps booleans as integers.
    } else if constexpr (std::is_same_v<T, int>) {
      const int64_t integer = AsInteger(value, column);
      if (integer < std::numeric_limits<int>::min() || integer > std::numeric_limits<int>::max()) {
        Impossible(column, "int", value);
      }
      return static_cast<int>(integer);
    } else if constexpr (std::is_same_v<T, int64_t>) {
      return AsInteger(value, column);
    } else if constexpr (std::is_same_v<T, double>) {
      return AsDouble(value, column);
    } else if constexpr (std::is_same_v<T, Bytes>) {
      if (const auto* bytes = std::get_if<Bytes>(&value)) return *bytes;
      Impossible(column, "bytes", value);
    } else {
      return T(AsText(value, column));
    }
  }
};

template <typename T>
struct Reader<std::optional<T>> {
  static std::optional<T> Read(const Value& value, size_t column) {
    if (std::holds_alternative<std::monostate>(value)) return std::nullopt;
    return Reader<T>::Read(value, column);
  }
};

}  // namespace

const Value& Rows::Row::at(size_t column) const {
  if (index_ >= rows_->size() || column >= rows_->columns_) {
    log::Error("sql_value_out_of_range",
               {{"row", static_cast<int64_t>(index_)}, {"column", static_cast<int64_t>(column)}});
    std::abort();
  }
  return rows_->values_[index_ * rows_->columns_ + column];
}

bool Rows::Row::IsNull(size_t column) const {
  return std::holds_alternative<std::monostate>(at(column));
}

template <typename T>
T Rows::Row::Get(size_t column) const {
  return Reader<T>::Read(at(column), column);
}

template int64_t Rows::Row::Get(size_t) const;
template int Rows::Row::Get(size_t) const;
template double Rows::Row::Get(size_t) const;
template bool Rows::Row::Get(size_t) const;
template std::string Rows::Row::Get(size_t) const;
template std::string_view Rows::Row::Get(size_t) const;
template Bytes Rows::Row::Get(size_t) const;
template std::optional<int64_t> Rows::Row::Get(size_t) const;
template std::optional<int> Rows::Row::Get(size_t) const;
template std::optional<double> Rows::Row::Get(size_t) const;
template std::optional<bool> Rows::Row::Get(size_t) const;
template std::optional<std::string> Rows::Row::Get(size_t) const;
template std::optional<std::string_view> Rows::Row::Get(size_t) const;
template std::optional<Bytes> Rows::Row::Get(size_t) const;

}  // namespace gonghui::sql
