#include "services/reports/successions.h"

#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::reports {
namespace {

constexpr sql::Query kInsertSuccession{
    "reports.insert_succession",
    "INSERT INTO successions (tenant, organization, subject, record, on_date, successor) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING"};
constexpr sql::Query kDeleteSuccession{
    "reports.delete_succession",
    "DELETE FROM successions WHERE tenant=$1 AND organization=$2 AND subject=$3 AND record=$4 "
    "AND on_date=$5 AND successor=$6"};
constexpr sql::Query kListSuccessors{
    "reports.list_successors",
    "SELECT DISTINCT organization, successor FROM successions WHERE tenant=$1 AND on_date<=$2"};
constexpr sql::Query kListPersons{"reports.list_succeeded_persons",
                                  "SELECT subject, record, on_date, successor FROM successions "
                                  "WHERE tenant=$1 AND organization=$2 AND on_date<=$3"};

// More than any person is passed on: ends the walk should two splits of one day form a circle.
constexpr int kStepsMost = 100;

std::string SubjectKey(std::string_view subject) { return StrCat("s", subject); }
std::string RecordKey(std::string_view record) { return StrCat("r", record); }

}  // namespace

absl::Status StoreSuccessions(
    sql::Tx& tx, const std::string& tenant,
    const google::protobuf::RepeatedPtrField<common::v1::Succession>& successions) {
  // Those of one event are all made or all withdrawn; the order of others is kept.
  for (int i = 0; i < successions.size();) {
    const bool withdrawn = successions[i].withdrawn();
    std::vector<sql::Args> rows;
    for (; i < successions.size() && successions[i].withdrawn() == withdrawn; ++i) {
      const common::v1::Succession& one = successions[i];
      rows.push_back({tenant, one.organization(), one.subject(), one.record(), one.on_date(),
                      one.successor()});
    }
    RETURN_IF_ERROR(tx.RunMany(withdrawn ? kDeleteSuccession : kInsertSuccession, rows).status());
  }
  return absl::OkStatus();
}

absl::Status Successions::LoadGraph(sql::Tx& tx) {
  return tx.Stream(kListSuccessors, {tenant_, date_}, [&](const sql::Rows::Row& row) {
    graph_[row.Get<std::string>(0)].insert(row.Get<std::string>(1));
    return absl::OkStatus();
  });
}

void Successions::Apply(const common::v1::Succession& succession) {
  if (succession.on_date() > date_) return;
  graph_[succession.organization()].insert(succession.successor());
  Add(succession.organization(), succession.subject(), succession.record(),
      {succession.on_date(), succession.successor()});
}

std::set<std::string> Successions::HoldersOf(const std::string& organization) const {
  std::set<std::string> holders = {organization};
  std::vector<std::string> waiting = {organization};
  while (!waiting.empty()) {
    const auto found = graph_.find(waiting.back());
    waiting.pop_back();
    if (found == graph_.end()) continue;
    for (const std::string& successor : found->second) {
      if (holders.insert(successor).second) waiting.push_back(successor);
    }
  }
  return holders;
}

absl::Status Successions::LoadPersons(sql::Tx& tx, const std::string& organization) {
  for (const std::string& holder : HoldersOf(organization)) {
    if (!graph_.contains(holder) || !loaded_.insert(holder).second) continue;
    RETURN_IF_ERROR(
        tx.Stream(kListPersons, {tenant_, holder, date_}, [&](const sql::Rows::Row& row) {
          Add(holder, row.Get<std::string>(0), row.Get<std::string>(1),
              {row.Get<std::string>(2), row.Get<std::string>(3)});
          return absl::OkStatus();
        }));
  }
  return absl::OkStatus();
}

void Successions::Add(const std::string& organization, const std::string& subject,
                      const std::string& record, const Step& step) {
  Persons& persons = persons_[organization];
  if (!subject.empty()) persons[SubjectKey(subject)].insert(step);
  if (!record.empty()) persons[RecordKey(record)].insert(step);
}

const std::string& Successions::HolderOf(const StoredFact& fact) const {
  const std::string* holder = &fact.organization;
  std::string_view from;
  for (int steps = 0; steps < kStepsMost; ++steps) {
    const Step* next = Next(*holder, fact, from);
    if (next == nullptr) break;
    from = next->on_date;
    holder = &next->successor;
  }
  return *holder;
}

const Successions::Step* Successions::Next(const std::string& organization, const StoredFact& fact,
                                           std::string_view from) const {
  const auto persons = persons_.find(organization);
  if (persons == persons_.end()) return nullptr;
  const Step* next = nullptr;
  for (const std::string& key : {SubjectKey(fact.subject), RecordKey(fact.record)}) {
    const auto found = persons->second.find(key);
    if (found == persons->second.end()) continue;
    for (const Step& step : found->second) {
      if (step.on_date < from || (next != nullptr && *next <= step)) continue;
      if (from.empty() && ReopenedBy(organization, step.on_date, fact.on_date)) continue;
      next = &step;
      break;
    }
  }
  return next;
}

bool Successions::ReopenedBy(const std::string& organization, const std::string& closed_on,
                             const std::string& date) const {
  if (tree_ == nullptr || date <= closed_on) return false;
  bool closed = false;
  for (const tree::Version& version : tree_->Versions(organization)) {
    if (version.recorded_to_us != tree::kNow || version.valid_to <= closed_on) continue;
    if (version.valid_from > date) break;
    if (closed && version.state != "closed") return true;
    closed = closed || version.state == "closed";
  }
  return false;
}

}  // namespace gonghui::reports
