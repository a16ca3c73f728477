#include "services/funds/levy_facts.h"

#include <algorithm>
#include <set>
#include <utility>

#include "common/base/date.h"
#include "common/base/text.h"
#include "common/catalog/fact_rules.h"

namespace gonghui::funds {
namespace {

using common::v1::Fact;

constexpr std::string_view kIncome = "fund_income";

std::string YearLater(const std::string& day) {
  const auto parsed = ParseDate(day);
  if (!parsed.ok()) return day;
  const absl::CivilDay later(parsed->year() + 1, parsed->month(), parsed->day());
  // 29 February counts with the last day of its month.
  return FormatDate(later.month() == parsed->month() ? later : later - 1);
}

// Current less the year before, and the year before.
void AddCompared(std::string_view prefix, const ReceiptRow& row, const std::string& day,
                 const std::string& channel, std::vector<Fact>& facts) {
  const std::string& organization = row.view.organization();
  const int64_t fen = row.view.paid_fen();
  const std::string later = YearLater(day);
  std::vector<std::pair<std::string, std::string>> by;
  if (!channel.empty()) by = {{"channel", channel}};
  facts.push_back(NewFact(StrCat(prefix, "_change"), organization, day, fen, by));
  facts.push_back(NewFact(StrCat(prefix, "_change"), organization, later, -fen, by));
  facts.push_back(NewFact(StrCat(prefix, "_base"), organization, later, fen, by));
}

}  // namespace

Fact NewFact(std::string_view measure, const std::string& organization, const std::string& on_date,
             int64_t delta, const std::vector<std::pair<std::string, std::string>>& dimensions) {
  Fact fact;
  fact.set_measure(std::string(measure));
  fact.set_organization(organization);
  fact.set_on_date(on_date);
  fact.set_delta(delta);
  for (const auto& [key, value] : dimensions) {
    auto& dimension = *fact.add_dimensions();
    dimension.set_key(key);
    dimension.set_value(value);
  }
  return fact;
}

std::vector<Fact> ObligationFacts(const LevyRules& rules, const ObligationRow& row,
                                  const std::vector<Paid>& paid) {
  const v1::LevyObligation& o = row.view;
  std::vector<Fact> facts;
  if (o.payable_fen() == 0) return facts;
  facts.push_back(NewFact("fund_payable", o.organization(), row.last_day, o.payable_fen(),
                          {{"item", o.item()}}));
  const int64_t settled = PositionAt(row, paid, kForever, nullptr).received_fen;
  if (settled > 0) {
    facts.push_back(NewFact("fund_settled", o.organization(), row.last_day,
                            std::min(settled, o.payable_fen()), {{"item", o.item()}}));
  }
  // The days on which amount or age of the arrears change.
  std::set<std::string> days;
  for (const v1::AgeBucket& age : rules.message().ages()) {
    days.insert(DaysAfter(o.due_on(), age.from_days()));
  }
  for (const Paid& part : paid) {
    if (part.on_date > o.due_on()) days.insert(part.on_date);
  }
  int64_t before = 0;
  std::string age_before;
  for (const std::string& day : days) {
    const Position at = PositionAt(row, paid, day, nullptr);
    const std::string& age = rules.Age(DaysBetween(o.due_on(), day)).name();
    const auto add = [&](const std::string& bucket, int64_t delta) {
      if (delta == 0) return;
      facts.push_back(NewFact("fund_arrears", o.organization(), day, delta,
                              {{"age", bucket}, {"item", o.item()}}));
    };
    if (age == age_before) {
      add(age, at.outstanding_fen - before);
    } else {
      add(age_before, -before);
      add(age, at.outstanding_fen);
    }
    before = at.outstanding_fen;
    age_before = age;
  }
  return facts;
}

std::vector<Fact> ReceiptFacts(const LevyRules& rules, const ReceiptRow& row) {
  const v1::LevyReceipt& r = row.view;
  std::vector<Fact> facts;
  const bool held = r.state() == v1::LEVY_RECEIPT_STATE_HELD;
  if (!held && r.state() != v1::LEVY_RECEIPT_STATE_CONFIRMED) return facts;
  const auto item = rules.FindItem(r.item(), "");
  if (item.ok() && (*item)->held()) {
    facts.push_back(NewFact("preparatory_received", r.organization(), r.received_on(), r.paid_fen(),
                            {{"channel", r.channel()}}));
  }
  if (held) return facts;
  const std::string day = row.settled_on.empty() ? r.received_on() : row.settled_on;
  facts.push_back(NewFact("fund_received", r.organization(), day, r.paid_fen(),
                          {{"channel", r.channel()}, {"item", r.item()}}));
  AddCompared(kIncome, row, day, r.channel(), facts);
  for (const v1::LevyChannel& channel : rules.message().channels()) {
    if (channel.code() == r.channel() && !channel.income_measure().empty()) {
      AddCompared(channel.income_measure(), row, day, "", facts);
      break;
    }
  }
  return facts;
}

void AddFacts(const std::string& record, const std::vector<Fact>& before,
              const std::vector<Fact>& after, feed::v1::Event& event) {
  std::vector<Fact> changes = catalog::FactChanges(before, after);
  if (changes.empty()) return;
  auto& facts = *event.add_facts();
  facts.set_record(record);
  facts.mutable_facts()->Assign(changes.begin(), changes.end());
}

}  // namespace gonghui::funds
