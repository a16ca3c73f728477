#include "services/cli/import_report.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

constexpr size_t kErrorsShown = 50;
constexpr char kByteOrderMark[] = "\xEF\xBB\xBF";

std::string Message(const Session& session, const RowError& error) {
  return session.Say(error.message, error.message_zh.empty() ? error.message : error.message_zh);
}

}  // namespace

std::string Receipt::Json() const {
  const nlohmann::ordered_json json = {{"file", file},
                                       {"digest", digest},
                                       {"kind", kind},
                                       {"federation", federation},
                                       {"server", server},
                                       {"time", time},
                                       {"seconds", seconds},
                                       {"rows", rows},
                                       {"skipped", skipped},
                                       {"items", items},
                                       {"created", created},
                                       {"existing", existing},
                                       {"failed", failed},
                                       {"dry_run", dry_run},
                                       {"reject_file", reject_file}};
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string Receipt::Text(const Session& session) const {
  const double rate = rows / std::max(0.001, seconds);
  const std::string times = absl::StrFormat("%.1f s, %.0f/s", seconds, rate);
  const std::string counts =
      session.Say(dry_run ? absl::StrCat(rows - failed, " would be taken")
                          : absl::StrCat(created, " created, ", existing, " there before"),
                  dry_run ? absl::StrCat("可导入 ", rows - failed, " 行")
                          : absl::StrCat("新建 ", created, "，已有 ", existing));
  std::string text = session.Say(
      absl::StrCat(kind, ": ", rows, " rows, ", counts, ", ", failed, " rejected (", times, ")\n"),
      absl::StrCat(kind, "：", rows, " 行，", counts, "，退回 ", failed, "（", times, "）\n"));
  if (!reject_file.empty()) {
    text += session.Say("Rejected rows: " + reject_file + " (correct and import again)\n",
                        "退回的行：" + reject_file + "（更正后可再次导入）\n");
  }
  return text;
}

std::string ErrorTable(const Session& session, const std::vector<RowError>& errors) {
  Table table({session.Say(">row", ">行"), session.Say("column", "列"),
               session.Say("reason", "原因代码"), session.Say("message", "说明"),
               session.Say("hint", "处理办法")});
  for (size_t i = 0; i < errors.size() && i < kErrorsShown; ++i) {
    const RowError& error = errors[i];
    table.Add({absl::StrCat(error.row), error.column, error.reason, Message(session, error),
               session.Say(error.hint, error.hint_zh)});
  }
  if (table.empty()) return "";
  std::string text = table.Text();
  if (errors.size() > kErrorsShown) {
    const std::string more = absl::StrCat(errors.size() - kErrorsShown);
    text += session.Say(
        "… and " + more + " more errors; the reject file has them all (--rejects FILE)\n",
        "……另有 " + more + " 处错误，全部见退回文件（--rejects 文件）\n");
  }
  return text;
}

std::string WarningTable(const Session& session, const std::vector<RowError>& warnings) {
  Table table({session.Say(">row", ">行"), session.Say("column", "列"),
               session.Say("taken, but please check", "已受理，请核对")});
  for (size_t i = 0; i < warnings.size() && i < kErrorsShown; ++i) {
    const RowError& warning = warnings[i];
    table.Add({absl::StrCat(warning.row), warning.column, Message(session, warning)});
  }
  if (table.empty()) return "";
  std::string text = table.Text();
  if (warnings.size() > kErrorsShown) {
    const std::string more = absl::StrCat(warnings.size() - kErrorsShown);
    text += session.Say("… and " + more + " more (--json shows all)\n",
                        "……另有 " + more + " 处（--json 显示全部）\n");
  }
  return text;
}

std::string ErrorsJson(const std::vector<RowError>& errors) {
  auto json = nlohmann::ordered_json::array();
  for (const RowError& error : errors) {
    json.push_back({{"row", error.row},
                    {"column", error.column},
                    {"reason", error.reason},
                    {"message", error.message},
                    {"message_zh", error.message_zh},
                    {"hint", error.hint},
                    {"hint_zh", error.hint_zh}});
  }
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string RejectText(const Session& session, const ImportFile& file, const std::set<int>& rows,
                       const std::vector<RowError>& errors) {
  std::map<int, std::string> why;
  for (const RowError& error : errors) {
    std::string& text = why[error.row];
    absl::StrAppend(&text, text.empty() ? "" : "; ",
                    error.column.empty() ? "" : error.column + ": ", Message(session, error), " [",
                    error.reason, "]");
  }
  const std::string heading(RejectHeading(session.chinese()));
  Cells header = file.header();
  // A reject file imported again has the column already.
  const size_t width = IsRejectHeading(header.back()) ? header.size() - 1 : header.size();
  header.resize(width);
  header.push_back(heading);
  const char separator = file.file().separator;
  std::string text = kByteOrderMark + CsvLine(header, separator);
  for (int row : rows) {
    Cells cells = file.file().rows[row - 1];
    cells.resize(width);
    const auto found = why.find(row);
    cells.push_back(found != why.end() ? found->second
                                       : session.Say("Another row of the same voucher is wrong.",
                                                     "同一凭证的其他行有误。"));
    text += CsvLine(cells, separator);
  }
  return text;
}

}  // namespace gonghui::cli
