// A consumer process for feed_test: follows source "test" at argv[1] with the token argv[2] into
// the SQLite file argv[3], copying every event into the table copied_events. Runs until it is
// killed, or with argv[4] = "once" until it has caught up.
#include <cstdio>
#include <string>

#include "absl/time/clock.h"
#include "common/base/status.h"
#include "common/feed/follower.h"
#include "common/feed/schema.embedded.h"
#include "common/sql/migrate.h"

namespace gonghui {
namespace {

constexpr sql::Query kCopy{
    "test.copy_event",
    "INSERT INTO copied_events (tenant, sequence, resource) VALUES ($1, $2, $3)"};

absl::Status Follow(const std::string& address, const std::string& token, const std::string& file,
                    bool once) {
  ASSIGN_OR_RETURN(auto db, sql::Database::Open({.url = "sqlite:" + file}));
  std::vector<EmbeddedFile> schema = embedded::common_feed_schema();
  schema.push_back({"100_copy.sql",
                    "CREATE TABLE copied_events (tenant TEXT NOT NULL, sequence BIGINT NOT NULL, "
                    "resource TEXT NOT NULL, "
                    "PRIMARY KEY (tenant, sequence));"});
  RETURN_IF_ERROR(sql::Migrate(*db, schema, 0));
  const rpc::Client client({.address = address, .token = [token] { return token; }});
  feed::Follower follower(
      {.source = "test", .client = &client, .db = db.get(), .page_size = 20},
      [](sql::Tx& tx, const std::vector<feed::v1::Event>& events) -> absl::Status {
        for (const feed::v1::Event& event : events) {
          RETURN_IF_ERROR(
              tx.Run(kCopy, {event.federation(), event.sequence(), event.resources(0)}).status());
        }
        return absl::OkStatus();
      });
  while (true) {
    ASSIGN_OR_RETURN(bool moved, follower.PollOnce());
    if (once && !moved) return absl::OkStatus();
    if (!moved) absl::SleepFor(absl::Milliseconds(2));
  }
}

}  // namespace
}  // namespace gonghui

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const absl::Status status =
      gonghui::Follow(argv[1], argv[2], argv[3], argc > 4 && std::string(argv[4]) == "once");
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
