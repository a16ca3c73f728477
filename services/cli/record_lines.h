// Records of any kind, as commands name and show them.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "gonghui/common/v1/record.pb.h"
#include "services/cli/kinds.h"
#include "services/cli/session.h"

namespace gonghui::cli {

// The service that keeps records of this name; nullptr: the name is of something else.
const RecordService* ServiceOf(const std::string& name);
// Says what a name of a record looks like.
absl::Status NoRecordName();

// Tells on stderr which rules the record breaks without being refused.
void NoteWarnings(const Session& session, const common::v1::Record& record);

}  // namespace gonghui::cli
