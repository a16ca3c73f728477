#include "tests/bench/duck.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace gonghui::bench {
namespace {

void WriteCsv(const City& city, const std::string& path) {
  std::ofstream csv(path);
  city.ForEachFact([&](const City::Fact& fact) {
    csv << fact.organization << ',' << fact.measure << ',' << fact.on_date << ',' << fact.dims
        << ',' << fact.subject << ',' << fact.delta << '\n';
  });
}

}  // namespace

Duck::Duck(const City& city) {
  int in[2];
  int out[2];
  if (pipe(in) != 0 || pipe(out) != 0) return;
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    for (const int file : {in[0], in[1], out[0], out[1]}) close(file);
    execlp("node", "node", GONGHUI_SOURCE_DIR "/tests/bench/duck.mjs", nullptr);
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  signal(SIGPIPE, SIG_IGN);
  to_ = fdopen(in[1], "w");
  from_ = fdopen(out[0], "r");
  std::fputs("SELECT 1\n", to_);
  std::fflush(to_);
  char line[256];
  ready_ = std::fgets(line, sizeof(line), from_) != nullptr;
  if (!ready_) return;
  const std::string path = absl::StrCat("/tmp/gonghui-bench-", getpid(), ".csv");
  WriteCsv(city, path);
  Run(absl::StrCat(
      "CREATE TABLE text AS SELECT * FROM read_csv('", path,
      "', header = false, columns = {'organization': 'VARCHAR', 'measure': 'VARCHAR', 'on_date': "
      "'VARCHAR', 'dims': 'VARCHAR', 'subject': 'VARCHAR', 'delta': 'BIGINT'})"));
  std::filesystem::remove(path);
  Run("CREATE TABLE series AS SELECT row_number() OVER (ORDER BY organization, measure, dims, "
      "subject)::INTEGER AS series, * FROM (SELECT DISTINCT organization, measure, "
      "coalesce(dims, '') AS dims, coalesce(subject, '') AS subject FROM text)");
  Run("CREATE TABLE coded AS SELECT series, (substr(on_date, 1, 4)::INTEGER * 12 + "
      "substr(on_date, 6, 2)::INTEGER)::INTEGER AS month, (on_date::DATE - DATE "
      "'2020-01-01')::INTEGER AS day, delta FROM text t JOIN series s ON t.organization = "
      "s.organization AND t.measure = s.measure AND coalesce(t.dims, '') = s.dims AND "
      "coalesce(t.subject, '') = s.subject ORDER BY series, day");
}

Duck::~Duck() {
  if (to_ != nullptr) std::fclose(to_);
  if (from_ != nullptr) std::fclose(from_);
  if (pid_ > 0) waitpid(pid_, nullptr, 0);
}

Duck::Answer Duck::Run(const std::string& sql) {
  std::fputs((sql + "\n").c_str(), to_);
  std::fflush(to_);
  char line[4096];
  Answer answer;
  if (std::fgets(line, sizeof(line), from_) == nullptr) {
    std::fprintf(stderr, "bench: DuckDB gave no answer to: %s\n", sql.c_str());
    std::_Exit(1);
  }
  for (absl::string_view word : absl::StrSplit(absl::StripSuffix(line, "\n"), ' ')) {
    answer.row.emplace_back(word);
  }
  if (!absl::SimpleAtod(answer.row.front(), &answer.seconds)) answer.seconds = 0;
  answer.row.erase(answer.row.begin());
  return answer;
}

}  // namespace gonghui::bench
