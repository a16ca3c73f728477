// A service that keeps nothing but records.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/embedded.h"
#include "common/host/host.h"

namespace gonghui::records {

struct RecordServiceOptions {
  std::string area;        // "casework".
  std::string service;     // "gonghui.casework.v1.CaseService".
  std::string collection;  // "cases".
  const std::vector<EmbeddedFile>* catalog = nullptr;
};

// The migrations of its database (common/sql/migrate.h).
std::vector<EmbeddedFile> RecordSchema();

// Migrates the database and loads the catalogue.
absl::StatusOr<std::unique_ptr<Hosted>> OpenRecordService(const Host& host,
                                                          RecordServiceOptions options);

}  // namespace gonghui::records
