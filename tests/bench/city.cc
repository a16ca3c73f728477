#include "tests/bench/city.h"

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/base/status.h"
#include "common/sql/insert.h"

namespace gonghui::bench {
namespace {

constexpr int kIndicatorsOfUnion = 10;
constexpr int kPersonsOfUnion = 100;
constexpr const char* kTopics[] = {"topic=health", "topic=law", "topic=safety"};

// Of ten indicators five are sums, two money, one a balance, one counts heads, one different units.
constexpr const char* kKinds[] = {"flow",  "flow",  "flow",  "flow",  "flow",
                                  "money", "money", "stock", "heads", "distinct"};

bool CountsSubjects(int indicator) { return indicator % 10 >= 8; }
bool HasTopic(int indicator) { return indicator % 2 == 0; }

std::vector<std::string> Days() {
  std::vector<std::string> days;
  for (int month = 0; month < City::kMonths; ++month) {
    for (int day = 1; day <= 28; ++day) {
      days.push_back(absl::StrFormat("%d-%02d-%02d", 2020 + month / 12, month % 12 + 1, day));
    }
  }
  return days;
}

}  // namespace

std::string City::District(int n) { return absl::StrFormat("D%02d", n); }

std::string City::Union(int n) const {
  return absl::StrFormat("%sU%05d", District(n * kDistricts / options_.unions), n);
}

std::string City::Indicator(int n) { return absl::StrFormat("indicator_%03d", n); }

std::string City::Catalogue() {
  std::string yaml = "measures:\n";
  for (int n = 0; n < kIndicators; ++n) {
    absl::StrAppend(&yaml, "  - {name: ", Indicator(n), ", kind: ", kKinds[n % 10],
                    ", unit: ", n % 10 >= 5 && n % 10 <= 6 ? "yuan" : "piece",
                    HasTopic(n) ? ", dimensions: [{key: topic}]" : "", "}\n");
  }
  return yaml;
}

void City::ForEachFact(absl::FunctionRef<void(const Fact&)> visit) const {
  static const auto& days = *new std::vector<std::string>(Days());
  std::mt19937_64 random(options_.seed);
  constexpr int kOfIndicator = kFactsOfUnion / kIndicatorsOfUnion;
  Fact fact;
  for (int n = 0; n < options_.unions; ++n) {
    fact.organization = Union(n);
    std::set<int> indicators;
    while (indicators.size() < kIndicatorsOfUnion) {
      indicators.insert(static_cast<int>(random() % kIndicators));
    }
    for (const int indicator : indicators) {
      fact.measure = Indicator(indicator);
      std::vector<size_t> on(kOfIndicator);
      for (size_t& day : on) day = random() % days.size();
      std::sort(on.begin(), on.end());
      for (const size_t day : on) {
        ++fact.sequence;
        fact.on_date = days[day];
        fact.dims = HasTopic(indicator) ? kTopics[random() % 3] : "";
        fact.subject = CountsSubjects(indicator)
                           ? absl::StrFormat("person-%06d-%03d", n, random() % kPersonsOfUnion)
                           : "";
        fact.delta = CountsSubjects(indicator) ? (random() % 10 == 0 ? -1 : 1)
                                               : static_cast<int64_t>(random() % 1000) + 1;
        fact.record = absl::StrFormat("%s/records/%09d", kFederation, fact.sequence);
        visit(fact);
      }
    }
  }
}

absl::Status City::Load(sql::Database& reports) const {
  static const auto& insert =
      *new sql::Insert("bench.insert_facts", "facts",
                       {"tenant", "organization", "measure", "on_date", "source", "sequence",
                        "ordinal", "dims", "subject", "delta", "record"});
  constexpr size_t kAtOnce = 20'000;
  absl::Status status;
  std::vector<sql::Args> rows;
  const auto write = [&] {
    status.Update(reports.ReadWrite(absl::InfiniteFuture(),
                                    [&](sql::Tx& tx) { return insert.Run(tx, rows); }));
    rows.clear();
  };
  ForEachFact([&](const Fact& fact) {
    rows.push_back({kFederation, fact.organization, fact.measure, fact.on_date, "archive",
                    fact.sequence, int64_t{0}, fact.dims, fact.subject, fact.delta, fact.record});
    if (rows.size() == kAtOnce) write();
  });
  write();
  constexpr sql::Query kFollowed{
      "bench.set_cursor", "INSERT INTO feed_cursor (tenant, source, sequence) VALUES ($1, $2, $3)"};
  status.Update(reports.ReadWrite(absl::InfiniteFuture(), [&](sql::Tx& tx) {
    return tx.Run(kFollowed, {kFederation, "archive", facts()}).status();
  }));
  return status;
}

}  // namespace gonghui::bench
