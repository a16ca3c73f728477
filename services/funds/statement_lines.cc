#include "services/funds/statement_lines.h"

#include <algorithm>
#include <set>
#include <utility>

#include "common/base/date.h"
#include "common/base/money.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "services/funds/dimensions.h"

namespace gonghui::funds {
namespace {

constexpr std::string_view kTakes[] = {"opening", "closing", "period", "year", "last_year"};

bool IsPresent(std::string_view only, bool yearly) {
  return only.empty() || only == (yearly ? "year" : "month");
}

const std::string& TakesOf(const v1::FormColumn& column, bool yearly) {
  return yearly && !column.yearly_takes().empty() ? column.yearly_takes() : column.takes();
}

// What a line takes in a column: its own balance, of a year earlier in the column of the year
// before.
std::string TakesIn(const v1::FormLine& line, const v1::FormColumn& column, bool yearly) {
  const std::string& takes = TakesOf(column, yearly);
  if (line.takes().empty()) return takes;
  if (takes != "last_year") return line.takes();
  return line.takes() == "opening" ? "last_opening" : "opening";
}

// One printed line: a line of the form, for one value where it stands once for each.
struct Place {
  const v1::FormLine* line = nullptr;
  std::string value;
};

class Maker {
 public:
  Maker(const v1::Form& form, const StatementPeriod& period, const Takings& takings)
      : form_(form), period_(period), takings_(takings) {}

  absl::StatusOr<v1::Statement> Run() {
    v1::Statement statement;
    statement.set_form(form_.form());
    statement.set_title(form_.title());
    statement.set_period(period_.text);
    for (const v1::FormColumn& column : form_.columns()) {
      const bool yearly = period_.yearly && !column.yearly_heading().empty();
      statement.add_columns(yearly ? column.yearly_heading() : column.heading());
    }
    for (const v1::FormLine& line : form_.lines()) {
      if (!IsPresent(line.only(), period_.yearly)) continue;
      if (line.each()) {
        for (const std::string& value : Values()) RETURN_IF_ERROR(Print({&line, value}, statement));
      } else {
        RETURN_IF_ERROR(Print({&line, ""}, statement));
      }
    }
    for (const v1::FormCheck& check : form_.checks()) {
      if (IsPresent(check.only(), period_.yearly)) RETURN_IF_ERROR(Print(check, statement));
    }
    return statement;
  }

 private:
  // Values of the dimension by which lines are parted, in every taking.
  std::set<std::string> Values() const {
    std::set<std::string> values;
    for (const auto& [takes, slices] : takings_) {
      for (const Slice& slice : slices) {
        std::string value(ValueOf(slice.dimensions, form_.lines_by()));
        if (!value.empty()) values.insert(std::move(value));
      }
    }
    return values;
  }

  absl::Status Print(const Place& place, v1::Statement& statement) {
    v1::StatementLine& printed = *statement.add_lines();
    const v1::FormLine& line = *place.line;
    printed.set_code(place.value.empty() ? line.code() : StrCat(line.code(), ":", place.value));
    printed.set_label(place.value.empty() ? line.label() : StrCat(line.label(), "：", place.value));
    printed.set_indent(line.indent());
    printed.set_heading(line.heading());
    if (line.heading()) return absl::OkStatus();
    for (const v1::FormColumn& column : form_.columns()) {
      ASSIGN_OR_RETURN(const int64_t amount, AmountOf(place, column));
      printed.add_amounts_fen(amount);
    }
    return absl::OkStatus();
  }

  // The check of the first column that fails, or of the last.
  absl::Status Print(const v1::FormCheck& check, v1::Statement& statement) {
    v1::StatementCheck& printed = *statement.add_checks();
    printed.set_name(check.name());
    printed.set_label(check.label().zh());
    printed.set_holds(true);
    for (const v1::FormColumn& column : form_.columns()) {
      if (!printed.holds()) break;
      ASSIGN_OR_RETURN(const int64_t left, SumOf(check.left(), column));
      ASSIGN_OR_RETURN(const int64_t right, SumOf(check.right(), column));
      printed.set_left_fen(left);
      printed.set_right_fen(right);
      printed.set_holds(left == right);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<int64_t> SumOf(const google::protobuf::RepeatedPtrField<std::string>& codes,
                                const v1::FormColumn& column) {
    int64_t sum = 0;
    for (const std::string& signed_code : codes) {
      const bool minus = signed_code.starts_with('-');
      const std::string_view code = std::string_view(signed_code).substr(minus ? 1 : 0);
      for (const v1::FormLine& line : form_.lines()) {
        if (line.code() != code || !IsPresent(line.only(), period_.yearly)) continue;
        // A line that stands once for each value is summed over all of them.
        for (const std::string& value : line.each() ? Values() : std::set<std::string>{""}) {
          ASSIGN_OR_RETURN(const int64_t amount, AmountOf({&line, value}, column));
          ASSIGN_OR_RETURN(sum, AddChecked(sum, minus ? -amount : amount));
        }
      }
    }
    return sum;
  }

  absl::StatusOr<int64_t> AmountOf(const Place& place, const v1::FormColumn& column) {
    const v1::FormLine& line = *place.line;
    if (line.sum_size() > 0) return SumOf(line.sum(), column);
    const auto taking = takings_.find(TakesIn(line, column, period_.yearly));
    if (taking == takings_.end()) return 0;
    const auto& terms = column.of().empty() ? line.of() : column.of();
    int64_t sum = 0;
    for (const Slice& slice : taking->second) {
      if (!HoldsFor(slice.dimensions, column.when()) || !HoldsFor(slice.dimensions, line.when()) ||
          (line.each() && ValueOf(slice.dimensions, form_.lines_by()) != place.value)) {
        continue;
      }
      for (const v1::FormAmount& term : terms) {
        if (!IsUnder(slice.account, term.accounts()) || !HoldsFor(slice.dimensions, term.when())) {
          continue;
        }
        const int64_t debit = term.side() == "credit" ? 0 : slice.debit_fen;
        const int64_t credit = term.side() == "debit" ? 0 : slice.credit_fen;
        ASSIGN_OR_RETURN(sum, AddChecked(sum, term.credit() ? credit - debit : debit - credit));
      }
    }
    return sum;
  }

  const v1::Form& form_;
  const StatementPeriod& period_;
  const Takings& takings_;
};

absl::Status Fault(const v1::Form& form, std::string_view what) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat("statement ", form.form(), ": ", what),
                         StrCat("报表 ", form.form(), "：", what));
}

}  // namespace

absl::StatusOr<StatementPeriod> ParseStatementPeriod(std::string_view text) {
  StatementPeriod period;
  period.text = std::string(text);
  period.yearly = text.size() == 4;
  ASSIGN_OR_RETURN(const Period parsed, ParsePeriod(text));
  if (!period.yearly && parsed.first_month != parsed.last_month) {
    return InvalidArgument(
               common::v1::REASON_PERIOD_INVALID,
               StrCat("A statement is of a month (2024-05) or a year (2024), not '", text, "'."),
               StrCat("报表期间为月（2024-05）或年（2024），不能是“", text, "”。"))
        .At("period");
  }
  period.year = parsed.first_day.substr(0, 4);
  period.first_day = parsed.first_day;
  period.last_day = parsed.last_day;
  return period;
}

bool IsBalance(std::string_view takes) {
  return takes == "opening" || takes == "closing" || takes == "last_opening";
}

std::pair<std::string, std::string> DaysOf(std::string_view takes, const StatementPeriod& period) {
  const std::string before = StrCat(std::stoi(period.year) - 1);
  if (takes == "opening") return {"", before + "-12-31"};
  if (takes == "closing") return {"", period.last_day};
  if (takes == "last_opening") return {"", StrCat(std::stoi(period.year) - 2, "-12-31")};
  if (takes == "period") return {period.first_day, period.last_day};
  if (takes == "year") return {period.year + "-01-01", period.last_day};
  return {before + "-01-01", before + "-12-31"};
}

std::vector<std::string> TakingsOf(const v1::Form& form, const StatementPeriod& period) {
  std::set<std::string> takings;
  for (const v1::FormColumn& column : form.columns()) {
    takings.insert(TakesOf(column, period.yearly));
    for (const v1::FormLine& line : form.lines()) {
      if (IsPresent(line.only(), period.yearly)) {
        takings.insert(TakesIn(line, column, period.yearly));
      }
    }
  }
  return {takings.begin(), takings.end()};
}

absl::StatusOr<v1::Statement> MakeStatement(const v1::Form& form, const StatementPeriod& period,
                                            const Takings& takings) {
  return Maker(form, period, takings).Run();
}

absl::Status CheckForms(const v1::ChartCatalog& catalog) {
  for (const v1::Form& form : catalog.statements()) {
    std::set<std::string> codes;
    for (const v1::FormLine& line : form.lines()) {
      if (!codes.insert(line.code()).second) {
        return Fault(form, StrCat("the line '", line.code(), "' stands twice"));
      }
    }
    const auto check = [&](const auto& names) -> absl::Status {
      for (const std::string& name : names) {
        const std::string code = name.starts_with('-') ? name.substr(1) : name;
        if (!codes.contains(code)) return Fault(form, StrCat("there is no line '", code, "'"));
      }
      return absl::OkStatus();
    };
    for (const v1::FormLine& line : form.lines()) RETURN_IF_ERROR(check(line.sum()));
    for (const v1::FormCheck& formula : form.checks()) {
      RETURN_IF_ERROR(check(formula.left()));
      RETURN_IF_ERROR(check(formula.right()));
    }
    for (const v1::FormColumn& column : form.columns()) {
      for (const std::string* named : {&column.takes(), &column.yearly_takes()}) {
        const std::string& takes = *named;
        if (!takes.empty() &&
            std::find(std::begin(kTakes), std::end(kTakes), takes) == std::end(kTakes)) {
          return Fault(form, StrCat("a column cannot take '", takes, "'"));
        }
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace gonghui::funds
