#include "common/base/log.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/base/library_log.h"
#include "common/base/trace.h"
#include "nlohmann/json.hpp"

namespace gonghui::log {
namespace {

std::atomic<Level> g_level{Level::kInfo};
std::atomic<void (*)(std::string_view)> g_observer{nullptr};

std::string_view LevelName(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarning:
      return "warning";
    case Level::kError:
      return "error";
  }
  return "error";
}

// Lets 20 library lines a second through and counts what it drops.
class Throttle {
 public:
  bool Admit(int64_t& dropped) {
    const int64_t second = absl::ToUnixSeconds(absl::Now());
    if (second_.exchange(second) != second) {
      used_ = 0;
      dropped = dropped_.exchange(0);
    }
    if (used_.fetch_add(1) < 20) return true;
    ++dropped_;
    return false;
  }

 private:
  std::atomic<int64_t> second_{0};
  std::atomic<int64_t> used_{0};
  std::atomic<int64_t> dropped_{0};
};

void WriteLibraryLine(Level level, std::string_view library, std::string_view file, int64_t line,
                      std::string_view message) {
  static Throttle throttle;
  int64_t dropped = 0;
  if (!throttle.Admit(dropped)) return;
  Write(level, "library",
        {{"library", library},
         {"file", file},
         {"line", line},
         {"message", message},
         {"dropped_before", dropped}});
}

}  // namespace

void SetLevel(Level level) { g_level = level; }

void ObserveLibraryLines(void (*observer)(std::string_view message)) { g_observer = observer; }

void Write(Level level, std::string_view event, const std::vector<Field>& fields) {
  if (level < g_level.load(std::memory_order_relaxed)) return;
  nlohmann::ordered_json line;
  line["time"] = absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::Now(), absl::UTCTimeZone());
  line["level"] = LevelName(level);
  line["event"] = event;
  for (const auto& [key, value] : fields) {
    std::visit([&line, name = key](const auto& v) { line[std::string(name)] = v; }, value);
  }
  if (!CurrentTrace().empty() && !line.contains("trace")) line["trace"] = CurrentTrace();
  std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.push_back('\n');
  // One write keeps lines whole. A log that cannot be written has nowhere to report that.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

void CaptureLibraryLogs() {
  // gRPC has no level between INFO and ERROR; its errors are warnings to us.
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
  gpr_set_log_function([](gpr_log_func_args* args) {
    if (const auto observer = g_observer.load()) observer(args->message);
    WriteLibraryLine(Level::kWarning, "grpc", args->file, args->line, args->message);
  });
  google::protobuf::SetLogHandler([](google::protobuf::LogLevel level, const char* file, int line,
                                     const std::string& message) {
    if (level < google::protobuf::LOGLEVEL_WARNING) return;
    WriteLibraryLine(level == google::protobuf::LOGLEVEL_WARNING ? Level::kWarning : Level::kError,
                     "protobuf", file, line, message);
  });
}

}  // namespace gonghui::log
