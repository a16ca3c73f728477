#include "common/sheet/xlsx_writer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::sheet {
namespace {

// A file in memory: tables may hold what must not reach a disk.
class MemoryFile {
 public:
  MemoryFile() : fd_(memfd_create("sheet", MFD_CLOEXEC)) {}
  MemoryFile(const MemoryFile&) = delete;
  ~MemoryFile() {
    if (fd_ >= 0) close(fd_);
  }
  bool ok() const { return fd_ >= 0; }
  std::string path() const { return StrCat("/proc/self/fd/", fd_); }

 private:
  const int fd_;
};

// The parts of the file lie here while it is made.
constexpr char kMemoryFolder[] = "/dev/shm";

struct Formats {
  explicit Formats(lxw_workbook* book)
      : text(Bordered(book, "宋体")), number(Bordered(book, "宋体")), head(Bordered(book, "黑体")) {
    format_set_num_format_index(text, 49);  // "@": what is typed in later stays text, too.
    format_set_text_wrap(text);
    format_set_text_wrap(head);
    format_set_align(head, LXW_ALIGN_CENTER);
    format_set_bold(head);
    format_set_bg_color(head, 0xE7E6E6);
  }
  lxw_format* Of(Cell::Kind kind) const {
    if (kind == Cell::Kind::kHead) return head;
    return kind == Cell::Kind::kNumber ? number : text;
  }

  lxw_format* const text;
  lxw_format* const number;
  lxw_format* const head;

 private:
  static lxw_format* Bordered(lxw_workbook* book, const char* font) {
    lxw_format* format = workbook_add_format(book);
    format_set_font_name(format, font);
    format_set_border(format, LXW_BORDER_THIN);
    format_set_align(format, LXW_ALIGN_VERTICAL_CENTER);
    return format;
  }
};

// Lines that wrapped text takes in a column; a Chinese character is as wide as two others. Lines
// break between words, so they are not quite full.
int LinesOf(std::string_view text, double column_width) {
  int width = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) width += 1;
    if (byte >= 0xC0) width += 2;
  }
  constexpr double kFilled = 0.75;
  return std::max(1, static_cast<int>(std::ceil(width / std::max(1.0, column_width * kFilled))));
}

// Programs do not measure wrapped rows of a new file by themselves.
double HeightOf(const std::vector<Cell>& row, const std::vector<double>& widths) {
  constexpr double kLinePoints = 14.5;
  int lines = 1;
  for (size_t c = 0; c < row.size() && c < widths.size(); ++c) {
    if (row[c].kind != Cell::Kind::kNumber)
      lines = std::max(lines, LinesOf(row[c].text, widths[c]));
  }
  return lines > 1 ? lines * kLinePoints : LXW_DEF_ROW_HEIGHT;
}

lxw_error WriteCell(lxw_worksheet* page, lxw_row_t row, lxw_col_t column, const Cell& cell,
                    const Formats& formats) {
  lxw_format* format = formats.Of(cell.kind);
  if (cell.text.empty()) return worksheet_write_blank(page, row, column, format);
  if (cell.kind == Cell::Kind::kNumber) {
    return worksheet_write_number(page, row, column, std::strtod(cell.text.c_str(), nullptr),
                                  format);
  }
  return worksheet_write_string(page, row, column, cell.text.c_str(), format);
}

void SetPage(lxw_worksheet* page, const Sheet& sheet) {
  for (size_t c = 0; c < sheet.widths.size(); ++c) {
    const auto column = static_cast<lxw_col_t>(c);
    worksheet_set_column(page, column, column, sheet.widths[c], nullptr);
  }
  if (sheet.head_rows > 0) {
    worksheet_freeze_panes(page, sheet.head_rows, 0);
    worksheet_repeat_rows(page, 0, sheet.head_rows - 1);
  }
  worksheet_set_landscape(page);
  worksheet_set_paper(page, 9);  // A4
  worksheet_fit_to_pages(page, 1, 0);
  worksheet_set_margins(page, 0.5, 0.5, 0.6, 0.6);
  worksheet_set_footer(page, "&C&P / &N");
}

lxw_error AddSheet(lxw_workbook* book, const Sheet& sheet, const Formats& formats) {
  lxw_worksheet* page = workbook_add_worksheet(book, sheet.name.c_str());
  if (page == nullptr) return LXW_ERROR_SHEETNAME_ALREADY_USED;
  SetPage(page, sheet);
  for (size_t r = 0; r < sheet.rows.size(); ++r) {
    const auto row = static_cast<lxw_row_t>(r);
    worksheet_set_row(page, row, HeightOf(sheet.rows[r], sheet.widths), nullptr);
    for (size_t c = 0; c < sheet.rows[r].size(); ++c) {
      const lxw_error error =
          WriteCell(page, row, static_cast<lxw_col_t>(c), sheet.rows[r][c], formats);
      if (error != LXW_NO_ERROR) return error;
    }
  }
  return LXW_NO_ERROR;
}

}  // namespace

absl::StatusOr<std::string> WriteXlsx(const std::vector<Sheet>& sheets) {
  const MemoryFile file;
  if (!file.ok()) return absl::InternalError("no memory for a sheet");
  std::string folder = kMemoryFolder;
  lxw_workbook_options options{};
  options.tmpdir = folder.data();
  lxw_workbook* book = workbook_new_opt(file.path().c_str(), &options);
  if (book == nullptr) return absl::InternalError("no memory for a sheet");
  lxw_doc_properties properties{};
  properties.created = 1;  // Not now: equal sheets give equal bytes.
  workbook_set_properties(book, &properties);
  const Formats formats(book);
  lxw_error error = LXW_NO_ERROR;
  for (size_t i = 0; i < sheets.size() && error == LXW_NO_ERROR; ++i) {
    error = AddSheet(book, sheets[i], formats);
  }
  const lxw_error closed = workbook_close(book);  // Also frees it.
  if (error == LXW_NO_ERROR) error = closed;
  if (error != LXW_NO_ERROR) {
    return absl::InternalError(StrCat("sheet not written: ", lxw_strerror(error)));
  }
  std::ifstream bytes(file.path(), std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(bytes), {});
}

}  // namespace gonghui::sheet
