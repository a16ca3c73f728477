// Three times the load that the suite can serve: how much is served then, and how fast.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/bench/benches.h"
#include "tests/bench/load.h"
#include "tests/bench/measure.h"

namespace gonghui::bench {
namespace {

constexpr const char* kListMembers = "/gonghui.membership.v1.MemberService/ListMembers";
constexpr int kMembers = 20000;
constexpr int kChannels = 4;
constexpr double kOverloadSeconds = 20;
constexpr double kUnloaded = 0.1;  // Of the capacity.
constexpr double kOverload = 3;

struct Outcome {
  double accepted = 0;  // A second.
  double refused = 0;   // The same: RESOURCE_EXHAUSTED.
  double failed = 0;    // The same: anything else.
  double p99 = 0;       // Seconds, of the accepted.
};

struct Flight {
  grpc::ClientContext context;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  grpc::ByteBuffer answer;
  grpc::Status status;
  absl::Time sent;
};

// A page of a hundred members: work for a worker and the database.
std::string Request() {
  membership::v1::ListMembersRequest request;
  request.set_parent("federations/bench");
  request.set_page_size(100);
  return request.SerializeAsString();
}

// Takes answers until the queue ends.
Outcome Collect(grpc::CompletionQueue& queue, double seconds) {
  Outcome outcome;
  std::vector<double> latencies;
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) {
    const std::unique_ptr<Flight> flight(static_cast<Flight*>(tag));
    if (flight->status.ok()) {
      latencies.push_back(absl::ToDoubleSeconds(absl::Now() - flight->sent));
    } else if (flight->status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
      outcome.refused += 1 / seconds;
    } else {
      outcome.failed += 1 / seconds;
    }
  }
  outcome.accepted = static_cast<double>(latencies.size()) / seconds;
  if (latencies.empty()) return outcome;
  const auto at = latencies.begin() + static_cast<ptrdiff_t>(latencies.size() * 99 / 100);
  std::nth_element(latencies.begin(), at, latencies.end());
  outcome.p99 = *at;
  return outcome;
}

// Calls at a fixed rate, whether or not earlier ones are answered: what many callers do.
Outcome Offer(const BenchSuite& suite, double rate, double seconds) {
  grpc::CompletionQueue queue;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs;
  for (int i = 0; i < kChannels; ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetInt("bench.channel", i);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stubs.push_back(std::make_unique<grpc::GenericStub>(
        grpc::CreateCustomChannel(suite.address(), grpc::InsecureChannelCredentials(), arguments)));
  }
  Outcome outcome;
  std::thread collector([&] { outcome = Collect(queue, seconds); });
  const std::string bytes = Request();
  const grpc::Slice slice(bytes);
  const absl::Time start = absl::Now();
  const auto calls = static_cast<int64_t>(rate * seconds);
  for (int64_t i = 0; i < calls; ++i) {
    absl::SleepFor(start + absl::Seconds(static_cast<double>(i) / rate) - absl::Now());
    auto* flight = new Flight;  // The collector's from here on.
    flight->sent = absl::Now();
    flight->context.set_deadline(absl::ToChronoTime(flight->sent + absl::Seconds(10)));
    flight->context.AddMetadata("authorization", absl::StrCat("Bearer ", suite.token()));
    flight->reader = stubs[static_cast<size_t>(i) % stubs.size()]->PrepareUnaryCall(
        &flight->context, kListMembers, grpc::ByteBuffer(&slice, 1), &queue);
    flight->reader->StartCall();
    flight->reader->Finish(&flight->answer, &flight->status, flight);
  }
  queue.Shutdown();  // Gives what is under way first.
  collector.join();
  return outcome;
}

}  // namespace

// Goals: goodput at least 0.8 of the capacity, p99 of the accepted at most five times that of a
// suite with little to do. Callers and suite share the machine.
void BenchOverload(const Settings& settings) {
  Suite::Options options;
  options.services = {"membership"};
  BenchSuite suite(std::move(options));
  suite.LoadMembers(kMembers);
  const double capacity = Run({.address = suite.address(),
                               .method = kListMembers,
                               .token = suite.token(),
                               .request = [](int64_t) { return Request(); },
                               .seconds = settings.seconds,
                               .in_flight = 32});
  const Outcome calm = Offer(suite, kUnloaded * capacity, kOverloadSeconds / 4);
  const Outcome storm = Offer(suite, kOverload * capacity, kOverloadSeconds);
  const Outcome after = Offer(suite, kUnloaded * capacity, kOverloadSeconds / 4);
  Print("overload_goodput", storm.accepted, "calls/s", capacity, 0.8);
  Print("overload_refused", storm.refused, "calls/s", capacity, 0);
  Print("overload_failed", storm.failed, "calls/s", capacity, 0);
  Print("overload_p99", storm.p99 * 1e3, "ms", calm.p99 * 1e3, 5);
  Print("overload_p99_after", after.p99 * 1e3, "ms", calm.p99 * 1e3, 0);
}

}  // namespace gonghui::bench
