// What a database tells operators.
#pragma once

#include <functional>
#include <string>

#include "common/ops/metrics.h"
#include "common/ops/section.h"
#include "common/sql/pool.h"

namespace gonghui::sql {

class Meter {
 public:
  // `use` is called on any thread while the meter lives.
  Meter(const std::string& name, const std::string& engine, std::function<PoolUse()> use);

  const ops::Histogram seconds;    // A transaction, from its asking to its end.
  const ops::Histogram pool_wait;  // For a connection; on SQLite for one that reads.

 private:
  const ops::Gauge busy_;
  const ops::Gauge idle_;
  const ops::Section section_;
};

}  // namespace gonghui::sql
