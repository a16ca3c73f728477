#include "services/funds/statement_files.h"

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include <memory>
#include <utility>
#include <vector>

#include "common/base/money.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/sheet/xlsx_writer.h"

namespace gonghui::funds {
namespace {

constexpr std::string_view kMoney = "单位：元";
constexpr std::string_view kSignatures =
    "法定代表人：            主管会计工作负责人：            会计机构负责人：";

std::string Indented(const v1::StatementLine& line) {
  std::string label;
  for (int i = 0; i < line.indent(); ++i) label += "　";
  return label + line.label();
}

std::string CheckText(const v1::StatementCheck& check) {
  return StrCat("校验 ", check.label(), "：", check.holds() ? "相符" : "不符",
                check.holds() ? ""
                              : StrCat("（", FormatYuan(check.left_fen()), " ≠ ",
                                       FormatYuan(check.right_fen()), "）"));
}

std::string EliminationText(const v1::Elimination& e) {
  return StrCat("抵销 ", e.payer_accounts(), "／", e.receiver_accounts(), "：",
                FormatYuan(e.payer_fen()), "／", FormatYuan(e.receiver_fen()));
}

// Draws lines of text from the top of an A4 page to its bottom.
class Page {
 public:
  // Points; a page is upright or across.
  explicit Page(bool across)
      : width_(across ? 842 : 595), height_(across ? 595 : 842), y_(kMargin) {
    surface_.reset(cairo_pdf_surface_create_for_stream(&Page::Take, &bytes_, width_, height_));
    cairo_.reset(cairo_create(surface_.get()));
  }

  double inner() const { return width_ - 2 * kMargin; }

  // Text in a box that begins `x` points from the margin; `right` aligns it there.
  void Write(std::string_view text, double x, double width, double size, bool right = false,
             bool centre = false) {
    const std::unique_ptr<PangoLayout, Free> layout(pango_cairo_create_layout(cairo_.get()));
    const std::unique_ptr<PangoFontDescription, Free> font(pango_font_description_new());
    pango_font_description_set_family(font.get(), "WenQuanYi Micro Hei, Noto Sans CJK SC, sans");
    pango_font_description_set_absolute_size(font.get(), size * PANGO_SCALE);
    pango_layout_set_font_description(layout.get(), font.get());
    pango_layout_set_width(layout.get(), static_cast<int>(width * PANGO_SCALE));
    pango_layout_set_alignment(layout.get(), right    ? PANGO_ALIGN_RIGHT
                                             : centre ? PANGO_ALIGN_CENTER
                                                      : PANGO_ALIGN_LEFT);
    pango_layout_set_ellipsize(layout.get(), PANGO_ELLIPSIZE_END);
    pango_layout_set_text(layout.get(), text.data(), static_cast<int>(text.size()));
    cairo_move_to(cairo_.get(), kMargin + x, y_);
    pango_cairo_show_layout(cairo_.get(), layout.get());
  }
  void Rule() {
    cairo_set_line_width(cairo_.get(), 0.5);
    cairo_move_to(cairo_.get(), kMargin, y_ - 2);
    cairo_line_to(cairo_.get(), width_ - kMargin, y_ - 2);
    cairo_stroke(cairo_.get());
  }
  // Goes on below; true where that was the end of a page and a new one began.
  bool Down(double by) {
    y_ += by;
    if (y_ < height_ - kMargin) return false;
    cairo_show_page(cairo_.get());
    y_ = kMargin;
    return true;
  }
  absl::StatusOr<std::string> Finish() {
    cairo_show_page(cairo_.get());
    const cairo_status_t drawn = cairo_status(cairo_.get());
    cairo_.reset();
    cairo_surface_finish(surface_.get());
    const cairo_status_t written = cairo_surface_status(surface_.get());
    if (drawn != CAIRO_STATUS_SUCCESS || written != CAIRO_STATUS_SUCCESS) {
      return Internal(StrCat("cairo: ", std::string_view(cairo_status_to_string(
                                            drawn != CAIRO_STATUS_SUCCESS ? drawn : written))));
    }
    return std::move(bytes_);
  }

 private:
  static constexpr double kMargin = 40;
  struct Free {
    void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
    void operator()(cairo_t* cairo) const { cairo_destroy(cairo); }
    void operator()(PangoLayout* layout) const { g_object_unref(layout); }
    void operator()(PangoFontDescription* font) const { pango_font_description_free(font); }
  };
  static cairo_status_t Take(void* bytes, const unsigned char* data, unsigned int size) {
    static_cast<std::string*>(bytes)->append(reinterpret_cast<const char*>(data), size);
    return CAIRO_STATUS_SUCCESS;
  }

  const double width_;
  const double height_;
  double y_;
  std::string bytes_;
  std::unique_ptr<cairo_surface_t, Free> surface_;
  std::unique_ptr<cairo_t, Free> cairo_;
};

// Columns of a page: the label, then the amounts.
struct Grid {
  double label;
  double amount;
};

void WriteHead(const v1::Statement& statement, const Grid& grid, Page& page) {
  page.Write("项目", 0, grid.label, 9);
  for (int i = 0; i < statement.columns_size(); ++i) {
    page.Write(statement.columns(i), grid.label + i * grid.amount, grid.amount, 9, true);
  }
  page.Down(15);
  page.Rule();
}

}  // namespace

absl::StatusOr<std::string> StatementXlsx(const v1::Statement& statement) {
  using sheet::Cell;
  sheet::Sheet table;
  table.name = statement.title();
  table.widths = {44};
  table.head_rows = 3;
  table.rows.push_back({{statement.title(), Cell::Kind::kHead}});
  table.rows.push_back({{StrCat("编制单位：", statement.unit_name()), Cell::Kind::kText},
                        {statement.period(), Cell::Kind::kText},
                        {std::string(kMoney), Cell::Kind::kText}});
  std::vector<Cell>& head = table.rows.emplace_back();
  head.push_back({"项目", Cell::Kind::kHead});
  for (const std::string& column : statement.columns()) {
    head.push_back({column, Cell::Kind::kHead});
    table.widths.push_back(18);
  }
  for (const v1::StatementLine& line : statement.lines()) {
    std::vector<Cell>& row = table.rows.emplace_back();
    row.push_back({Indented(line), line.heading() ? Cell::Kind::kHead : Cell::Kind::kText});
    for (const int64_t fen : line.amounts_fen()) {
      row.push_back({FormatYuan(fen), Cell::Kind::kNumber});
    }
  }
  for (const v1::Elimination& e : statement.eliminations()) {
    table.rows.push_back({{EliminationText(e), Cell::Kind::kText}});
  }
  for (const v1::StatementCheck& check : statement.checks()) {
    table.rows.push_back({{CheckText(check), Cell::Kind::kText}});
  }
  table.rows.push_back({{std::string(kSignatures), Cell::Kind::kText}});
  return sheet::WriteXlsx({table});
}

absl::StatusOr<std::string> StatementPdf(const v1::Statement& statement) {
  const int columns = statement.columns_size();
  Page page(columns > 3);
  const double amount = columns > 3 ? 62 : 110;
  const Grid grid{page.inner() - columns * amount, amount};
  page.Write(statement.title(), 0, page.inner(), 16, false, true);
  page.Down(26);
  page.Write(StrCat("编制单位：", statement.unit_name()), 0, page.inner() * 0.6, 9);
  page.Write(StrCat(statement.period(), "    ", kMoney), page.inner() * 0.6, page.inner() * 0.4, 9,
             true);
  page.Down(18);
  page.Rule();
  WriteHead(statement, grid, page);
  for (const v1::StatementLine& line : statement.lines()) {
    page.Write(Indented(line), 0, grid.label, 9);
    for (int i = 0; i < line.amounts_fen_size(); ++i) {
      page.Write(FormatYuan(line.amounts_fen(i)), grid.label + i * grid.amount, grid.amount, 9,
                 true);
    }
    if (page.Down(14)) WriteHead(statement, grid, page);
  }
  page.Rule();
  for (const v1::Elimination& e : statement.eliminations()) {
    page.Write(EliminationText(e), 0, page.inner(), 8);
    page.Down(12);
  }
  for (const v1::StatementCheck& check : statement.checks()) {
    page.Write(CheckText(check), 0, page.inner(), 8);
    page.Down(12);
  }
  page.Down(10);
  page.Write(kSignatures, 0, page.inner(), 9);
  return page.Finish();
}

}  // namespace gonghui::funds
