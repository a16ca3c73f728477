// The layout of a form on a sheet: title, whose return it is, the table, written and read.
//
//   区县、镇街工会工作半年报
//   报表代码  district_half_year  报告期  2020H1  填报单位  D01  示范区总工会
//   依据  …
//   项目  代码  计量单位  本期  说明
//   会员人数  102  人  85941
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/sheet/reader.h"
#include "common/sheet/xlsx_writer.h"
#include "gonghui/reports/v1/return.pb.h"
#include "services/reports/return_rows.h"

namespace gonghui::reports {

// A sheet as read: what stands in each cell of the form, and all that is wrong.
struct ReadReturnSheet {
  CellValues values;
  std::map<std::string, std::string, std::less<>> reasons;  // By cell.
  std::vector<v1::SheetFault> faults;                       // By row.
};

sheet::Sheet WriteReturnSheet(const ReturnKey& key, const StoredReturn& stored,
                              const std::string& display_name);
ReadReturnSheet ParseReturnSheet(const ReturnKey& key, const sheet::Table& table);

}  // namespace gonghui::reports
