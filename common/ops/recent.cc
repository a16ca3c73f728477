#include "common/ops/recent.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/base/text.h"

namespace gonghui::ops {
namespace {

constexpr size_t kErrorsShown = 50;
constexpr size_t kStatementsKept = 20;

struct Failures {
  absl::Time last;
  int64_t count = 0;
  std::string trace;
};

struct SlowStatement {
  absl::Time ended;
  std::string query;
  absl::Duration took;
  std::string trace;
};

struct Notes {
  absl::Mutex mutex;
  std::map<std::pair<std::string, std::string>, Failures> failures
      ABSL_GUARDED_BY(mutex);  // By method and reason.
  std::deque<SlowStatement> statements ABSL_GUARDED_BY(mutex);
};

// Never destroyed: threads may note until the process ends.
Notes& TheNotes() {
  static Notes& notes = *new Notes;
  return notes;
}

std::string Moment(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

}  // namespace

void NoteError(std::string_view method, std::string_view reason, std::string_view trace) {
  Notes& notes = TheNotes();
  absl::MutexLock lock(&notes.mutex);
  Failures& failures = notes.failures[{std::string(method), std::string(reason)}];
  failures.last = absl::Now();
  ++failures.count;
  failures.trace = trace;
}

void NoteSlowStatement(std::string_view query, absl::Duration took, std::string_view trace) {
  Notes& notes = TheNotes();
  absl::MutexLock lock(&notes.mutex);
  notes.statements.push_front({absl::Now(), std::string(query), took, std::string(trace)});
  if (notes.statements.size() > kStatementsKept) notes.statements.pop_back();
}

std::string RecentErrors() {
  Notes& notes = TheNotes();
  absl::MutexLock lock(&notes.mutex);
  std::vector<std::pair<absl::Time, std::string>> lines;
  for (const auto& [key, failures] : notes.failures) {
    lines.emplace_back(failures.last,
                       StrCat(Moment(failures.last), " ", failures.count, "x ", key.first, " ",
                              key.second, " trace ", failures.trace, "\n"));
  }
  std::sort(lines.rbegin(), lines.rend());
  std::string text;
  for (size_t i = 0; i < std::min(lines.size(), kErrorsShown); ++i) text += lines[i].second;
  return text;
}

std::string RecentSlowStatements() {
  Notes& notes = TheNotes();
  absl::MutexLock lock(&notes.mutex);
  std::string text;
  for (const SlowStatement& statement : notes.statements) {
    StrAppend(&text, Moment(statement.ended), " ", absl::ToInt64Milliseconds(statement.took),
              " ms ", statement.query, " trace ", statement.trace, "\n");
  }
  return text;
}

}  // namespace gonghui::ops
