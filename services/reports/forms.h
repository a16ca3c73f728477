// The forms of returns, loaded and checked: what a unit states, by whom and when, and what must
// hold.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/date.h"
#include "common/base/embedded.h"
#include "common/rpc/call.h"
#include "gonghui/reports/v1/return.pb.h"
#include "services/reports/dimensions.h"
#include "services/reports/measures.h"

namespace gonghui::reports {

// A cell of a form and where it stands.
struct FormPlace {
  const v1::FormRow* row = nullptr;
  const v1::FormCell* cell = nullptr;
  const v1::Measure* measure = nullptr;  // Null where the cell states none.
  DimensionMap dimensions;
  int row_index = 0;
  int column_index = 0;

  const std::string& code() const { return cell->code(); }
  int64_t factor() const { return cell->factor() == 0 ? 1 : cell->factor(); }
};

// One side of a check: the sum of its terms.
struct CheckTerm {
  int64_t sign = 1;
  std::string form;  // Empty: this one.
  std::string code;  // Empty: `number`.
  int64_t number = 0;
};
struct Check {
  std::vector<CheckTerm> left;
  std::string relation;  // = <= >= < >
  std::vector<CheckTerm> right;
};

// One entry of the catalogue. Immutable.
class Form {
 public:
  // Errors name the form and what is wrong.
  static absl::StatusOr<Form> Make(v1::Form message, const Measures& measures);
  Form(Form&&) = default;

  const v1::Form& message() const { return *message_; }
  const std::string& name() const { return message_->name(); }
  // Cells in the order of rows and columns.
  const std::vector<FormPlace>& places() const { return places_; }
  const FormPlace* Find(std::string_view code) const;  // nullptr when unknown.
  // Beside message().rules(); of a range rule it is empty.
  const std::vector<Check>& checks() const { return checks_; }
  // Cells of other forms that the checks name.
  std::vector<CheckTerm> TermsOutside() const;
  // Cells of the same measure directly within the one at `index`: their sum is at most its value.
  const std::vector<size_t>& PartsOf(size_t index) const { return parts_[index]; }
  // nullptr where organisations of this kind do not file.
  const v1::FormFiler* FilerOf(std::string_view kind) const;
  bool IsPeriod(const Period& period, const Measures& measures) const;

 private:
  Form() = default;
  absl::Status AddRow(int index, const Measures& measures);
  absl::Status ReadRules();
  absl::Status FindParts();
  absl::Status Fault(std::string_view what, std::string_view what_zh) const;

  std::unique_ptr<v1::Form> message_;  // Places point into it.
  std::vector<FormPlace> places_;
  std::map<std::string, size_t, std::less<>> by_code_;
  std::vector<Check> checks_;
  std::vector<std::vector<size_t>> parts_;
};

// All forms. Immutable, thread-safe.
class Forms {
 public:
  // Reads kFormsFile among the files. The error names file or form.
  static absl::StatusOr<Forms> Load(const std::vector<EmbeddedFile>& files,
                                    const Measures& measures);

  // The entry in force on a date; nullptr when there is none.
  const Form* Find(std::string_view name, std::string_view on_date) const;
  // The entries in force on a date, by name.
  std::vector<const Form*> InForce(std::string_view on_date) const;
  const Measures& measures() const { return *measures_; }

  absl::StatusOr<v1::ListFormsResponse> ListForms(rpc::Call& call,
                                                  const v1::ListFormsRequest& request) const;
  absl::StatusOr<v1::Form> GetForm(rpc::Call& call, const v1::GetFormRequest& request) const;

 private:
  const Measures* measures_ = nullptr;
  std::string version_;
  // Name, then valid_from.
  std::map<std::string, std::map<std::string, Form, std::less<>>, std::less<>> forms_;
};

// FORM_UNKNOWN at `field`.
absl::Status FormUnknown(std::string_view name, std::string_view field);

// A value of 10^-decimals units as printed, without zeros at the end: "12.5".
std::string FormatCell(const v1::FormRow& row, int64_t value);

}  // namespace gonghui::reports
