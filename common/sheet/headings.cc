#include "common/sheet/headings.h"

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/sheet/text.h"

namespace gonghui::sheet {
namespace {

constexpr std::string_view kRejectZh = "错误原因";
constexpr std::string_view kRejectEn = "error";

}  // namespace

void Headings::Add(std::string_view heading, int column) {
  if (std::string key = HeadingKey(heading); !key.empty()) {
    columns_.try_emplace(std::move(key), column);
  }
}

int Headings::Find(std::string_view heading) const {
  auto found = columns_.find(HeadingKey(heading));
  if (found == columns_.end()) found = columns_.find(HeadingKey(WithoutBrackets(heading)));
  return found == columns_.end() ? -1 : found->second;
}

Headings HeadingsOf(const std::vector<common::v1::KindField>& fields) {
  Headings headings;
  const auto each = [&](auto add) {
    for (size_t i = 0; i < fields.size(); ++i) add(fields[i], static_cast<int>(i));
  };
  each([&](const auto& field, int column) { headings.Add(field.name(), column); });
  each([&](const auto& field, int column) {
    headings.Add(field.label().zh(), column);
    headings.Add(field.label().en(), column);
  });
  each([&](const auto& field, int column) {
    for (const std::string& alias : field.aliases()) headings.Add(alias, column);
    headings.Add(WithoutBrackets(field.label().zh()), column);
  });
  return headings;
}

std::string_view RejectHeading(bool chinese) { return chinese ? kRejectZh : kRejectEn; }

bool IsRejectHeading(std::string_view heading) {
  const std::string key = HeadingKey(heading);
  return key == kRejectZh || key == kRejectEn;
}

bool IsSkippedRow(const Cells& row) {
  if (IsBlank(row)) return true;
  const std::string first = Trimmed(row.front());
  return first.starts_with("合计") || first.starts_with("填表说明");
}

absl::StatusOr<std::string> YesOrNo(std::string_view text) {
  static const auto& words = *new std::map<std::string, std::string>{
      {"true", "true"}, {"yes", "true"}, {"y", "true"},      {"1", "true"},   {"是", "true"},
      {"√", "true"},    {"有", "true"},  {"false", "false"}, {"no", "false"}, {"n", "false"},
      {"0", "false"},   {"否", "false"}, {"×", "false"},     {"无", "false"}};
  const auto found = words.find(ToLower(text));
  if (found != words.end()) return found->second;
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         "This is neither yes nor no: write true or false.",
                         "既不是“是”也不是“否”，请填是或否。");
}

}  // namespace gonghui::sheet
