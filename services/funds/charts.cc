#include "services/funds/charts.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "common/base/date.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/catalog/yaml_message.h"
#include "services/funds/statement_lines.h"

namespace gonghui::funds {
namespace {

absl::Status Fault(std::string_view where, std::string_view what, std::string_view what_zh) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID, StrCat(where, ": ", what),
                         StrCat(where, "：", what_zh));
}

bool IsDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

absl::Status CheckCash(const Chart& chart, const v1::CashAccounts& cash, std::string_view file) {
  for (const std::string& day : {cash.valid_from(), cash.valid_to()}) {
    if (!day.empty()) RETURN_IF_ERROR(ParseDate(day).status());
  }
  for (const std::string& account : cash.accounts()) {
    if (!chart.Resolve(account).ok()) {
      return Fault(StrCat(file, ": cash"), StrCat("no account '", account, "'"),
                   StrCat("没有科目“", account, "”"));
    }
  }
  return absl::OkStatus();
}

bool IsSide(std::string_view side) { return side == "debit" || side == "credit" || side == "both"; }

}  // namespace

absl::Status Chart::Add(const v1::ChartAccount& account, const v1::Account* parent) {
  const std::string where = StrCat("chart '", message_.name(), "', account '", account.code(), "'");
  v1::Account listed;
  listed.set_code(account.code());
  listed.set_display_name(account.name());
  listed.set_side(account.side().empty() && parent != nullptr ? parent->side() : account.side());
  listed.set_postable(account.children().empty());
  listed.set_citation(message_.citation());
  if (!IsDigits(account.code())) return Fault(where, "the code must be digits", "代码应为数字");
  if (account.name().empty()) return Fault(where, "the name is empty", "缺少名称");
  if (!IsSide(listed.side())) {
    return Fault(where, "the side must be debit, credit or both",
                 "余额方向应为 debit、credit 或 both");
  }
  if (parent != nullptr && (!account.code().starts_with(parent->code()) ||
                            account.code().size() == parent->code().size())) {
    return Fault(where, "a detail must extend its parent's code", "明细代码应以上级代码开头");
  }
  accounts_.push_back(listed);
  for (const v1::ChartAccount& child : account.children()) RETURN_IF_ERROR(Add(child, &listed));
  return absl::OkStatus();
}

void Chart::Index() {
  for (const v1::Account& account : accounts_) by_code_.emplace(account.code(), &account);
}

const v1::Account* Chart::FindListed(std::string_view code) const {
  const auto it = by_code_.find(ToAbsl(code));
  if (it != by_code_.end()) return it->second;
  return borrows_ == nullptr ? nullptr : borrows_->FindListed(code);
}

absl::StatusOr<const v1::Account*> Chart::Resolve(std::string_view code,
                                                  std::string_view at) const {
  if (const v1::Account* account = FindListed(code); account != nullptr) {
    if (account->postable()) return account;
    return MustUseDetail(*account, code, at);
  }
  const bool digits = IsDigits(code);
  for (size_t size = code.size(); digits && size-- > 1;) {
    const v1::Account* account = FindListed(code.substr(0, size));
    if (account == nullptr) continue;
    if (account->postable()) return account;
    return MustUseDetail(*account, code, at);
  }
  return InvalidArgument(
             common::v1::REASON_ACCOUNT_UNKNOWN,
             StrCat("The account '", code, "' is not in the chart ", message_.name(),
                    "; ListAccounts shows its accounts."),
             StrCat("科目“", code, "”不在“", message_.label().zh(), "”中，请从该科目表中选用。"))
      .With("account", std::string(code))
      .With("chart", message_.name())
      .At(std::string(at));
}

absl::Status Chart::MustUseDetail(const v1::Account& account, std::string_view code,
                                  std::string_view at) const {
  std::string details;
  const Chart& owner = by_code_.contains(account.code()) ? *this : *borrows_;
  for (const v1::Account& detail : owner.accounts_) {
    if (detail.postable() && detail.code().starts_with(account.code())) {
      StrAppend(&details, details.empty() ? "" : ", ", detail.code(), " ", detail.display_name());
    }
  }
  return InvalidArgument(
             common::v1::REASON_ACCOUNT_UNKNOWN,
             StrCat("The chart ", message_.name(), " prescribes details of account ",
                    account.code(), ", and '", code, "' is none of them; use one of: ", details,
                    "."),
             StrCat("科目 ", account.code(), " ", account.display_name(),
                    " 须使用规定的明细科目，“", code, "”不是其中之一；请选用：", details, "。"))
      .With("account", std::string(code))
      .With("chart", message_.name())
      .With("details", details)
      .At(std::string(at));
}

bool Chart::IsCash(std::string_view account, std::string_view on_date) const {
  return std::any_of(cash_.begin(), cash_.end(), [&](const v1::CashAccounts& cash) {
    return cash.valid_from() <= on_date && (cash.valid_to().empty() || on_date < cash.valid_to()) &&
           IsUnder(account, cash.accounts());
  });
}

absl::StatusOr<Charts> Charts::Load(const EmbeddedFile& file, const EmbeddedFile& statements) {
  v1::ChartCatalog catalog;
  RETURN_IF_ERROR(catalog::ParseYaml(file.name, file.text, catalog));
  v1::ChartCatalog forms;
  RETURN_IF_ERROR(catalog::ParseYaml(statements.name, statements.text, forms));
  RETURN_IF_ERROR(CheckForms(forms));
  catalog.mutable_statements()->Swap(forms.mutable_statements());
  catalog.mutable_eliminations()->Swap(forms.mutable_eliminations());
  Charts charts;
  for (v1::Chart& message : *catalog.mutable_charts()) {
    const std::string where = StrCat(file.name, ": chart '", message.name(), "'");
    RETURN_IF_ERROR(ParseDate(message.valid_from()).status());
    const auto [it, added] = charts.charts_.try_emplace(message.name());
    if (!added) return Fault(where, "the name stands twice", "名称重复");
    Chart& chart = it->second;
    chart.message_ = std::move(message);
    for (const auto& account : chart.message_.accounts()) {
      RETURN_IF_ERROR(chart.Add(account, nullptr));
    }
    chart.Index();
    if (chart.by_code_.size() != chart.accounts_.size()) {
      return Fault(where, "a code stands twice", "科目代码重复");
    }
  }
  for (auto& [name, chart] : charts.charts_) {
    const std::string& lender = chart.message_.borrows();
    if (lender.empty()) continue;
    chart.borrows_ = charts.Find(lender);
    if (chart.borrows_ == nullptr || !chart.borrows_->message_.borrows().empty()) {
      return Fault(StrCat(file.name, ": chart '", name, "'"),
                   "'borrows' must name a chart that borrows nothing", "borrows 所指科目表无效");
    }
  }
  std::vector<std::string> names;
  for (const auto& [name, chart] : charts.charts_) names.push_back(name);
  ASSIGN_OR_RETURN(Dimensions dimensions, Dimensions::Load(catalog, names));
  charts.dimensions_ = std::make_unique<const Dimensions>(std::move(dimensions));
  for (auto& [name, chart] : charts.charts_) {
    chart.dimensions_ = charts.dimensions_.get();
    for (const v1::CashAccounts& cash : catalog.cash()) {
      const auto& names_of = cash.charts();
      if (names_of.empty() || std::find(names_of.begin(), names_of.end(), name) != names_of.end()) {
        RETURN_IF_ERROR(CheckCash(chart, cash, file.name));
        chart.cash_.push_back(cash);
      }
    }
    for (v1::Account& account : chart.accounts_) {
      const auto keys = charts.dimensions_->NeededBy(name, account.code());
      account.mutable_needed_dimensions()->Assign(keys.begin(), keys.end());
    }
  }
  charts.defaults_.assign(catalog.default_chart().begin(), catalog.default_chart().end());
  for (const v1::DefaultChart& entry : charts.defaults_) {
    if (charts.Find(entry.chart()) == nullptr) {
      return Fault(StrCat(file.name, ": default_chart"), StrCat("no chart '", entry.chart(), "'"),
                   StrCat("没有科目表“", entry.chart(), "”"));
    }
  }
  if (charts.defaults_.empty() || !charts.defaults_.back().kind().empty()) {
    return Fault(StrCat(file.name, ": default_chart"), "the last entry must be for any kind",
                 "最后一项应适用于所有类别");
  }
  catalog.clear_charts();
  charts.catalog_ = std::move(catalog);
  return charts;
}

const Chart* Charts::Find(std::string_view name) const {
  const auto it = charts_.find(name);
  return it == charts_.end() ? nullptr : &it->second;
}

const Chart& Charts::DefaultFor(std::string_view organization_kind) const {
  const auto fits = std::find_if(defaults_.begin(), defaults_.end(), [&](const auto& entry) {
    return entry.kind().empty() || entry.kind() == organization_kind;
  });
  return charts_.find(fits->chart())->second;
}

std::string Charts::Names() const {
  std::string names;
  for (const auto& [name, chart] : charts_) StrAppend(&names, names.empty() ? "" : ", ", name);
  return names;
}

}  // namespace gonghui::funds
