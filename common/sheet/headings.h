// What the columns of a file are called, and what its rows and cells say.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/sheet/csv.h"
#include "gonghui/common/v1/catalog.pb.h"

namespace gonghui::sheet {

// Finds columns by their headings; spaces, width, brackets and asterisks do not matter.
class Headings {
 public:
  void Add(std::string_view heading, int column);  // The first column of a heading keeps it.
  // -1 where no column is called so, with or without what stands in brackets.
  int Find(std::string_view heading) const;

 private:
  std::map<std::string, int, std::less<>> columns_;
};

// By position. Names win over labels, labels over aliases.
Headings HeadingsOf(const std::vector<common::v1::KindField>& fields);

// Heading of the column that a file of rejected rows adds.
std::string_view RejectHeading(bool chinese);
bool IsRejectHeading(std::string_view heading);
// True for blank rows and for rows of totals or explanations that forms carry (合计, 填表说明).
bool IsSkippedRow(const Cells& row);

// "true" or "false" for what people write; FIELD_INVALID otherwise.
absl::StatusOr<std::string> YesOrNo(std::string_view text);

}  // namespace gonghui::sheet
