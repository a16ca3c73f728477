#include "common/sql/meter.h"

#include <utility>

#include "common/base/text.h"

namespace gonghui::sql {
namespace {

ops::Gauge Connections(const std::string& name, std::string_view state) {
  return ops::Gauge("gonghui_sql_connections", "Connections to the database.",
                    {{"database", name}, {"state", state}});
}

}  // namespace

Meter::Meter(const std::string& name, const std::string& engine, std::function<PoolUse()> use)
    : seconds("gonghui_sql_seconds", "Time of a transaction, with its waits and repeats.",
              {{"database", name}}),
      pool_wait("gonghui_sql_pool_wait_seconds", "Time until a connection was free.",
                {{"database", name}}),
      busy_(Connections(name, "busy")),
      idle_(Connections(name, "idle")),
      section_("databases", [this, name, engine, use = std::move(use)] {
        const PoolUse now = use();
        busy_.Set(now.busy);
        idle_.Set(now.idle);
        return StrCat(name, ": ", engine, ", ", now.busy, " connections busy, ", now.idle,
                      " idle, ", now.waiting, " calls waiting");
      }) {}

}  // namespace gonghui::sql
