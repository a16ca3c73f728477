#include "common/ops/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/ops/ops_server.h"
#include "httplib.h"

namespace gonghui::ops {
namespace {

using ::testing::HasSubstr;

TEST(MetricsTest, ExportsWhatWasCounted) {
  const Counter counter("test_events_total", "Events.", {{"kind", "a"}});
  counter.Add();
  counter.Add(2);
  const Counter same("test_events_total", "Events.", {{"kind", "a"}});
  same.Add();
  const Counter other("test_events_total", "Events.", {{"kind", "b"}});
  other.Add();
  const Gauge gauge("test_depth", "Depth.");
  gauge.Set(7);
  const Histogram histogram("test_seconds", "Seconds.");
  histogram.Observe(0.0002);
  const std::string text = ExportMetrics();
  EXPECT_THAT(text, HasSubstr("test_events_total{kind=\"a\"} 4"));
  EXPECT_THAT(text, HasSubstr("test_events_total{kind=\"b\"} 1"));
  EXPECT_THAT(text, HasSubstr("test_depth 7"));
  EXPECT_THAT(text, HasSubstr("test_seconds_bucket{le=\"0.0001\"} 0"));
  EXPECT_THAT(text, HasSubstr("test_seconds_bucket{le=\"0.00025\"} 1"));
  EXPECT_THAT(text, HasSubstr("test_seconds_bucket{le=\"60\"} 1"));
}

TEST(OpsServerTest, AnswersTheFourPaths) {
  std::string reason;
  auto server = OpsServer::Start({.not_ready = [&] { return reason; },
                                  .status_page = [] { return std::string("feed: level\n"); }});
  ASSERT_TRUE(server.ok()) << server.status();
  httplib::Client http("127.0.0.1", (*server)->port());
  EXPECT_EQ(http.Get("/healthz")->status, 200);
  EXPECT_EQ(http.Get("/readyz")->status, 200);
  reason = "migrating";
  const auto not_ready = http.Get("/readyz");
  EXPECT_EQ(not_ready->status, 503);
  EXPECT_EQ(not_ready->body, "migrating\n");
  EXPECT_EQ(http.Get("/statusz")->body, "feed: level\n");
  EXPECT_EQ(http.Get("/metrics")->status, 200);
  EXPECT_EQ(http.Get("/other")->status, 404);
}

TEST(OpsServerTest, RefusesABusyPort) {
  auto first = OpsServer::Start({});
  ASSERT_TRUE(first.ok());
  OpsServer::Options taken;
  taken.port = (*first)->port();
  const auto second = OpsServer::Start(taken);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(std::to_string((*first)->port())));
}

}  // namespace
}  // namespace gonghui::ops
