// What the commands of gonghui levy share.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "gonghui/funds/v1/levy.pb.h"
#include "services/cli/program.h"

namespace gonghui::cli {

inline constexpr std::string_view kLevyService = "/gonghui.funds.v1.LevyService/";

struct LevyOptions {
  std::string id;
  std::string file;
  std::string organization;
  std::string channel = "tax_agency";
  std::string batch;
  std::string state;
  std::string resolution;
  std::string exception;
  std::string unit;
  std::vector<std::string> receipts;
  std::string amount;
  std::string item;
  std::string period;
  std::string to_period;
  std::string on;
  std::string series = "A";
  std::string remark;
  int64_t number = 0;
  int count = 50;
  int days = 1;
  int year = 0;
  int instalment = 1;
  int limit = 50;
  bool overdue = false;
  bool up = false;
  bool down = false;
  bool check = false;
};

template <typename Response, typename Request>
absl::StatusOr<Response> AskLevy(Session& session, std::string_view method, Request& request) {
  ASSIGN_OR_RETURN(Response response,
                   session.Invoke<Response>(StrCat(kLevyService, method), request));
  if (session.json()) PrintJson(response);
  return response;
}
inline std::string NewRequest() { return NewId(absl::Now()); }
// federations/{f}/COLLECTION/ID.
absl::StatusOr<std::string> LevyName(const Session& session, std::string_view collection,
                                     std::string_view id);
// The value of an enum by its short name in lower case: "exception" of LEVY_RECEIPT_STATE_….
// FIELD_INVALID at `option` names those there are. An empty text is 0.
absl::StatusOr<int> EnumOf(const google::protobuf::EnumDescriptor& type, std::string_view text,
                           std::string_view option);
std::string EnumWord(const google::protobuf::EnumDescriptor& type, int value);
void ShowReceipts(const Session& session, const std::vector<funds::v1::LevyReceipt>& receipts);

using LevyRun = absl::StatusOr<int> (*)(Session&, const LevyOptions&);
// A command below gonghui levy.
using AddLevy = std::function<CLI::App*(const std::string& name, const std::string& description,
                                        const std::string& example, LevyRun run)>;
// Payers, payrolls and receipts out of files; batches.
void AddLevyFiles(const AddLevy& add, LevyOptions& options);
// Sharing, remittances, refunds, receipt forms.
void AddLevyMoney(const AddLevy& add, LevyOptions& options);

}  // namespace gonghui::cli
