#include "services/cli/progress.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "services/cli/session.h"

namespace gonghui::cli {
namespace {

constexpr int kBarWidth = 30;

}  // namespace

Progress::Progress(std::string label, int total, bool terminal)
    : label_(std::move(label)), total_(total), terminal_(terminal), start_(absl::Now()) {}

Progress::~Progress() {
  absl::MutexLock lock(&mutex_);
  if (terminal_ && total_ > 0) PrintNote("");
}

std::string Progress::Numbers() const {
  const double seconds = std::max(0.001, absl::ToDoubleSeconds(absl::Now() - start_));
  return absl::StrFormat("%d / %d  %.0f/s", done_, total_, done_ / seconds);
}

void Progress::Draw() {
  const int filled = total_ == 0 ? kBarWidth : kBarWidth * done_ / total_;
  const std::string line = absl::StrFormat("\r%s [%s%s] %s\033[K", label_, std::string(filled, '#'),
                                           std::string(kBarWidth - filled, '.'), Numbers());
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void Progress::Add(int done) {
  absl::MutexLock lock(&mutex_);
  done_ = std::min(total_, done_ + done);
  if (terminal_) return Draw();
  const int tenths = total_ == 0 ? 10 : static_cast<int>(10L * done_ / total_);
  if (tenths == tenths_) return;
  tenths_ = tenths;
  PrintNote(absl::StrFormat("%s %d %%  %s", label_, tenths * 10, Numbers()));
}

void Progress::Note(const std::string& text) {
  absl::MutexLock lock(&mutex_);
  PrintNote(terminal_ ? "\r\033[K" + text : text);
  if (terminal_) Draw();
}

}  // namespace gonghui::cli
