// Which columns a file of a kind may have, and which column of a file is which.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/sheet/headings.h"
#include "gonghui/common/v1/catalog.pb.h"
#include "google/protobuf/descriptor.h"
#include "services/cli/csv.h"
#include "services/cli/kinds.h"

namespace gonghui::cli {

// Where a cell goes.
enum class Place {
  kMessage,   // Field `target` of the item's message.
  kFieldMap,  // Entry of Record.fields.
  kState,     // Date of entering the state `target`.
  kEntry,     // Field `target` of a voucher's entry.
};

// One column that a kind takes.
struct Column {
  common::v1::KindField field;  // Name, type, labels, hint. Built-in columns look the same.
  Place place = Place::kFieldMap;
  const google::protobuf::FieldDescriptor* target = nullptr;  // For kMessage and kEntry.
  std::string state;                                          // For kState.
};

// The message that one row (of vouchers: the rows of one voucher) becomes.
const google::protobuf::Message& ItemPrototype(std::string_view noun);

// The columns of a kind: built-in ones, fields, dates of states. An INTERNAL error where the
// catalogue names a field that the message does not have.
absl::StatusOr<std::vector<Column>> ColumnsOf(const KindEntry& entry);

// For each cell of the header row the index of its column, or -1 where the column is to be left
// alone (blank heading, the error column of a reject file). One error names every unknown heading
// with the nearest known one, every heading that stands twice and every required column that is
// missing.
absl::StatusOr<std::vector<int>> MatchHeader(const std::vector<Column>& columns,
                                             const Cells& header);

using sheet::IsRejectHeading;
using sheet::IsSkippedRow;
using sheet::RejectHeading;

}  // namespace gonghui::cli
