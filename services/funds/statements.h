// Statements in the prescribed form.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/host/host.h"
#include "gonghui/funds/v1/statement.pb.h"
#include "services/funds/books.h"
#include "services/funds/charts.h"
#include "services/funds/statement_lines.h"

namespace gonghui::funds {

// Thread-safe.
class Statements {
 public:
  Statements(const Host& host, Books* books, const Charts* charts)
      : host_(host), books_(books), charts_(charts) {}

  absl::StatusOr<v1::ListStatementFormsResponse> ListForms(
      rpc::Call& call, const v1::ListStatementFormsRequest& request);
  absl::StatusOr<v1::Statement> Get(rpc::Call& call, const v1::GetStatementRequest& request);
  absl::StatusOr<v1::ExportStatementResponse> Export(rpc::Call& call,
                                                     const v1::ExportStatementRequest& request);
  absl::StatusOr<v1::ExportBookResponse> ExportBook(rpc::Call& call,
                                                    const v1::ExportBookRequest& request);

 private:
  absl::StatusOr<v1::Statement> OfBook(rpc::Call& call, const v1::GetStatementRequest& request,
                                       const v1::Form& form, const StatementPeriod& period);
  absl::StatusOr<v1::Statement> OfOrganization(rpc::Call& call,
                                               const v1::GetStatementRequest& request,
                                               const v1::Form& form, const StatementPeriod& period);

  const Host host_;
  Books* const books_;
  const Charts* const charts_;
};

}  // namespace gonghui::funds
