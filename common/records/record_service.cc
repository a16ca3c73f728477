#include "common/records/record_service.h"

#include <utility>

#include "common/base/status.h"
#include "common/catalog/catalog.h"
#include "common/feed/schema.embedded.h"
#include "common/records/records.h"
#include "common/records/schema.embedded.h"
#include "common/rpc/schema.embedded.h"
#include "common/sql/migrate.h"

namespace gonghui::records {
namespace {

class RecordService final : public Hosted {
 public:
  RecordService(const Host& host, const RecordServiceOptions& options, catalog::Catalog catalog)
      : catalog_(std::move(catalog)),
        records_({.collection = options.collection,
                  .db = host.db,
                  .catalog = &catalog_,
                  .tree = host.tree,
                  .personal = host.personal,
                  .on_change = nullptr}),
        service_(options.service, *host.pipeline) {
    records_.Serve(service_);
  }

  std::vector<rpc::Service*> services() override { return {&service_}; }

 private:
  const catalog::Catalog catalog_;
  Records records_;
  rpc::Service service_;
};

}  // namespace

std::vector<EmbeddedFile> RecordSchema() {
  std::vector<EmbeddedFile> schema;
  for (const auto* files : {&embedded::common_rpc_schema(), &embedded::common_feed_schema(),
                            &embedded::common_records_schema()}) {
    schema.insert(schema.end(), files->begin(), files->end());
  }
  return schema;
}

absl::StatusOr<std::unique_ptr<Hosted>> OpenRecordService(const Host& host,
                                                          RecordServiceOptions options) {
  RETURN_IF_ERROR(sql::Migrate(*host.db, RecordSchema(), host.clock->NowMicros()));
  ASSIGN_OR_RETURN(const std::vector<EmbeddedFile> files, host.catalog(*options.catalog));
  ASSIGN_OR_RETURN(catalog::Catalog catalog, catalog::Catalog::Load(options.area, files));
  return std::make_unique<RecordService>(host, options, std::move(catalog));
}

}  // namespace gonghui::records
