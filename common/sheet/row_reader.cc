#include "common/sheet/row_reader.h"

#include <deque>
#include <string>
#include <utility>

#include "common/base/status.h"
#include "common/sheet/reader.h"
#include "common/sheet/text.h"
#include "common/sheet/text_decoder.h"

namespace gonghui::sheet {
namespace {

constexpr size_t kCellsMost = 2'000'000;    // Of a table in memory.
constexpr size_t kCellBytesMost = 1 << 20;  // Above, a quotation mark is not closed.
constexpr std::string_view kZipMark = "PK\x03\x04";

// What is wrong with the archive is wrong with the workbook.
absl::Status OfWorkbook(const absl::Status& status) {
  const bool unreadable = ReasonOf(status) == common::v1::REASON_FIELD_INVALID ||
                          ReasonOf(status) == common::v1::REASON_NOT_FOUND;
  return unreadable ? DamagedWorkbook() : status;
}

class CsvRows : public RowReader {
 public:
  explicit CsvRows(std::unique_ptr<TextDecoder> decoder) : decoder_(std::move(decoder)) {}

  absl::StatusOr<bool> Next(Cells& cells) override {
    while (rows_.empty() && !ended_) RETURN_IF_ERROR(ReadMore());
    if (rows_.empty()) return false;
    cells = std::move(rows_.front());
    rows_.pop_front();
    ++row_;
    return true;
  }
  int64_t row() const override { return row_; }

 private:
  absl::Status ReadMore() {
    std::string text;
    const auto more = decoder_->Next(text);
    if (!more.ok()) return absl::IsInvalidArgument(more.status()) ? NotATable() : more.status();
    if (splitter_ == nullptr) splitter_ = std::make_unique<CsvSplitter>(SniffSeparator(text));
    splitter_->Take(text, rows_);
    ended_ = !*more || splitter_->cell_bytes() > kCellBytesMost;
    return ended_ ? splitter_->Finish(rows_) : absl::OkStatus();
  }

  const std::unique_ptr<TextDecoder> decoder_;
  std::unique_ptr<CsvSplitter> splitter_;  // Once the first piece is there.
  std::deque<Cells> rows_;                 // Read ahead.
  int64_t row_ = 0;
  bool ended_ = false;
};

// Keeps what the first sheet is read from.
class WorkbookRows : public RowReader {
 public:
  static absl::StatusOr<std::unique_ptr<RowReader>> Open(archive::ByteSource& source) {
    auto rows = std::make_unique<WorkbookRows>();
    ASSIGN_OR_RETURN(rows->archive_, archive::ZipReader::Open(source));
    ASSIGN_OR_RETURN(rows->workbook_, ReadWorkbook(*rows->archive_));
    if (rows->workbook_.sheets.empty()) return DamagedWorkbook();
    ASSIGN_OR_RETURN(auto texts, ReadSharedTexts(*rows->archive_, rows->workbook_));
    ASSIGN_OR_RETURN(rows->rows_, OpenSheet(*rows->archive_, rows->workbook_, std::move(texts), 0));
    return rows;
  }
  absl::StatusOr<bool> Next(Cells& cells) override {
    auto more = rows_->Next(cells);
    if (!more.ok()) return OfWorkbook(more.status());
    return more;
  }
  int64_t row() const override { return rows_->row(); }

 private:
  std::unique_ptr<archive::ZipReader> archive_;
  Workbook workbook_;
  std::unique_ptr<RowReader> rows_;
};

absl::StatusOr<Table> ReadTable(RowReader& rows, size_t& cells) {
  Table table;
  Cells line;
  for (bool more = true; more;) {
    ASSIGN_OR_RETURN(more, rows.Next(line));
    if (!more) break;
    cells += line.size();
    if (cells > kCellsMost) return TooLarge();
    table.rows.resize(static_cast<size_t>(rows.row()));
    table.rows.back() = std::move(line);
  }
  return table;
}

absl::StatusOr<std::vector<Table>> ReadWorkbookTables(archive::ByteSource& source) {
  ASSIGN_OR_RETURN(const auto archive, archive::ZipReader::Open(source));
  ASSIGN_OR_RETURN(const Workbook workbook, ReadWorkbook(*archive));
  ASSIGN_OR_RETURN(const auto texts, ReadSharedTexts(*archive, workbook));
  std::vector<Table> tables;
  size_t cells = 0;
  for (size_t i = 0; i < workbook.sheets.size(); ++i) {
    ASSIGN_OR_RETURN(const auto rows, OpenSheet(*archive, workbook, texts, i));
    ASSIGN_OR_RETURN(Table table, ReadTable(*rows, cells));
    table.name = workbook.sheets[i].name;
    tables.push_back(std::move(table));
  }
  return tables;
}

absl::StatusOr<std::vector<Table>> ReadCsv(std::string_view bytes) {
  const auto text = DecodeText(bytes);
  if (!text.ok()) return NotATable();
  ASSIGN_OR_RETURN(CsvFile file, ParseCsv(*text));
  std::vector<Table> tables(1);
  tables[0].rows = std::move(file.rows);
  return tables;
}

}  // namespace

bool IsWorkbook(archive::ByteSource& source) {
  std::string head(kZipMark.size(), '\0');
  const auto read = source.Read(0, head.data(), head.size());
  return read.ok() && *read == head.size() && head == kZipMark;
}

absl::StatusOr<std::unique_ptr<RowReader>> OpenRows(archive::ByteSource& source) {
  if (IsWorkbook(source)) {
    auto rows = WorkbookRows::Open(source);
    if (!rows.ok()) return OfWorkbook(rows.status());
    return rows;
  }
  auto decoder = TextDecoder::Open(source);
  if (!decoder.ok()) {
    return absl::IsInvalidArgument(decoder.status()) ? NotATable() : decoder.status();
  }
  return std::make_unique<CsvRows>(*std::move(decoder));
}

absl::StatusOr<std::vector<Table>> ReadTables(std::string_view bytes) {
  archive::BytesInMemory source(bytes);
  if (!IsWorkbook(source)) return ReadCsv(bytes);
  auto tables = ReadWorkbookTables(source);
  if (!tables.ok()) return OfWorkbook(tables.status());
  return tables;
}

}  // namespace gonghui::sheet
