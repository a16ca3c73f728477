#include "services/funds/ledger_keeper.h"

#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/base/text.h"

namespace gonghui::funds {
namespace {

constexpr absl::Duration kHoldsEvery = absl::Seconds(2);
constexpr absl::Duration kLongest = absl::Minutes(5);  // One round.

void Tell(std::string_view what, const absl::Status& status) {
  if (!status.ok()) log::Error(what, {{"cause", FromAbsl(status.message())}});
}

}  // namespace

void LedgerKeeper::Start() {
  thread_ = std::thread([this] { Run(); });
}

void LedgerKeeper::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void LedgerKeeper::Run() {
  absl::Time next_seal = absl::Now() + every_;
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      mutex_.AwaitWithTimeout(absl::Condition(&stopping_), std::min(kHoldsEvery, every_));
      if (stopping_) return;
    }
    Tell("holds_not_ended", holds_->EndExpired(absl::Now() + kLongest).status());
    if (absl::Now() < next_seal) continue;
    Tell("books_not_sealed", heads_->SealAll(absl::Now() + kLongest));
    next_seal = absl::Now() + every_;
  }
}

}  // namespace gonghui::funds
