// The annex: every figure with its source, as a spreadsheet.
#include "common/base/text.h"
#include "common/sheet/xlsx_writer.h"
#include "services/reports/dimensions.h"
#include "services/reports/summary_citation.h"
#include "services/reports/summary_document.h"

namespace gonghui::reports {
namespace {

using sheet::Cell;
using Row = std::vector<Cell>;

std::string DimensionsText(const v1::Figure& figure) {
  DimensionMap dimensions;
  for (const common::v1::Dimension& d : figure.dimensions()) dimensions.emplace(d.key(), d.value());
  return FormatDimensions(dimensions);
}

Row Head(const std::vector<const char*>& names) {
  Row row;
  for (const char* name : names) row.push_back({name, Cell::Kind::kHead});
  return row;
}

Cell Number(std::string_view text) { return {std::string(text), Cell::Kind::kNumber}; }

std::string ChangeText(const v1::Figure& figure) {
  for (const v1::ComparedFigure& compared : figure.comparisons()) {
    if (compared.comparison() == v1::COMPARISON_YEAR_ON_YEAR && compared.has_change()) {
      return compared.change_text();
    }
  }
  return "";
}

// What both sheets say of a figure.
void AppendSource(const AnnexFigure& one, Row& row) {
  const v1::Figure& figure = one.figure;
  row.push_back({figure.label().zh()});
  row.push_back({one.dimensions});
  row.push_back({DimensionsText(figure)});
  row.push_back({figure.period()});
  row.push_back(Number(figure.text()));
  row.push_back({one.unit});
  row.push_back(Number(ChangeText(figure)));
  row.push_back(Number(figure.suppressed() ? "" : StrCat(figure.records())));
  row.push_back({one.definition});
  row.push_back({one.formula});
  row.push_back({figure.name()});
}

}  // namespace

absl::StatusOr<std::string> WriteAnnex(const SummaryDocument& document,
                                       const std::map<std::string, AnnexFigure>& cited,
                                       const std::vector<AnnexFigure>& all) {
  sheet::Sheet text{.name = "正文引用",
                    .widths = {5, 11, 17, 15, 15, 9, 10, 6, 8, 8, 20, 24, 30},
                    .head_rows = 1,
                    .rows = {}};
  text.rows.push_back(Head({"序号", "正文表述", "指标", "维度", "维度代码", "期间", "准确值",
                            "单位", "同比(%)", "记录数", "统计口径", "计算公式", "指标值名称"}));
  for (size_t i = 0; i < document.citations.size(); ++i) {
    const v1::SummaryCitation& citation = document.citations[i];
    Row row = {Number(StrCat(i + 1)), {citation.text()}};
    const auto found = cited.find(citation.figure().name());
    if (found != cited.end()) {
      AppendSource(found->second, row);
    } else {
      row.insert(row.end(),
                 {{"计划事项"}, {}, {}, {}, {}, {}, {}, Number("1"), {}, {}, {citation.name()}});
    }
    text.rows.push_back(std::move(row));
  }
  sheet::Sheet figures{.name = "全部指标",
                       .widths = {5, 20, 18, 18, 9, 10, 6, 8, 8, 22, 26, 30},
                       .head_rows = 1,
                       .rows = {}};
  figures.rows.push_back(Head({"序号", "指标", "维度", "维度代码", "期间", "准确值", "单位",
                               "同比(%)", "记录数", "统计口径", "计算公式", "指标值名称"}));
  for (size_t i = 0; i < all.size(); ++i) {
    Row row = {Number(StrCat(i + 1))};
    AppendSource(all[i], row);
    figures.rows.push_back(std::move(row));
  }
  return sheet::WriteXlsx({text, figures});
}

}  // namespace gonghui::reports
