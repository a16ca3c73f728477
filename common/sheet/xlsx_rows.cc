// Sheets and shared texts of XLSX workbooks, parsed as they are unpacked.
#include <expat.h>

#include <array>
#include <deque>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/sheet/reader.h"
#include "common/sheet/row_reader.h"

namespace gonghui::sheet {
namespace {

constexpr size_t kRowsMost = 1'048'576;  // Of the format.
constexpr size_t kColumnsMost = 16'384;
constexpr size_t kRowBytesMost = 1 << 20;
constexpr size_t kTextBytesMost = 192 << 20;  // Of all shared texts.

std::string_view Attribute(const char** attributes, std::string_view name) {
  for (; *attributes != nullptr; attributes += 2) {
    if (attributes[0] == name) return attributes[1];
  }
  return {};
}

// "AB12".
bool IsPlace(std::string_view reference) {
  size_t letters = 0;
  while (letters < reference.size() && absl::ascii_isupper(reference[letters])) ++letters;
  size_t row = 0;
  return letters > 0 && ParseInteger(reference.substr(letters), &row) && row > 0 &&
         row <= kRowsMost;
}

// A part of a workbook as a stream of XML events.
class XmlPart {
 public:
  explicit XmlPart(std::unique_ptr<archive::ZipReader::Part> part)
      : part_(std::move(part)), parser_(XML_ParserCreate(nullptr)) {
    XML_SetUserData(parser_, this);
    XML_SetElementHandler(
        parser_,
        [](void* self, const char* name, const char** attributes) {
          static_cast<XmlPart*>(self)->Begin(LocalName(name), attributes);
        },
        [](void* self, const char* name) { static_cast<XmlPart*>(self)->End(LocalName(name)); });
    XML_SetCharacterDataHandler(parser_, [](void* self, const char* text, int size) {
      static_cast<XmlPart*>(self)->Text({text, static_cast<size_t>(size)});
    });
    // Workbooks have none; entities could make a small file a large one.
    XML_SetStartDoctypeDeclHandler(parser_,
                                   [](void* self, const char*, const char*, const char*, int) {
                                     static_cast<XmlPart*>(self)->Fail(DamagedWorkbook());
                                   });
  }
  virtual ~XmlPart() { XML_ParserFree(parser_); }
  XmlPart(const XmlPart&) = delete;

 protected:
  // Parses the next piece; false at the end.
  absl::StatusOr<bool> ParseMore() {
    if (ended_) return false;
    std::array<char, 1 << 15> buffer;
    ASSIGN_OR_RETURN(const size_t read, part_->Read(buffer.data(), buffer.size()));
    const bool parsed =
        XML_Parse(parser_, buffer.data(), static_cast<int>(read), read == 0) != XML_STATUS_ERROR;
    RETURN_IF_ERROR(failure_);
    if (!parsed) return DamagedWorkbook();
    ended_ = read == 0;
    return !ended_;
  }
  void Fail(absl::Status status) {
    failure_.Update(std::move(status));
    XML_StopParser(parser_, XML_FALSE);
  }

  virtual void Begin(std::string_view name, const char** attributes) = 0;
  virtual void End(std::string_view name) = 0;
  virtual void Text(std::string_view text) = 0;

 private:
  const std::unique_ptr<archive::ZipReader::Part> part_;
  const XML_Parser parser_;
  bool ended_ = false;
  absl::Status failure_;
};

}  // namespace

// All texts in one piece of memory: there may be millions.
class SharedTexts {
 public:
  std::string_view At(size_t index) const {
    if (index >= ends_.size()) return {};
    const size_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(text_).substr(begin, ends_[index] - begin);
  }
  void Append(std::string_view text) { text_ += text; }
  void EndText() { ends_.push_back(static_cast<uint32_t>(text_.size())); }
  // Gives back what it grew by for more.
  void End() {
    text_.shrink_to_fit();
    ends_.shrink_to_fit();
  }
  size_t bytes() const { return text_.size() + ends_.size() * sizeof(uint32_t); }

 private:
  std::string text_;
  std::vector<uint32_t> ends_;
};

namespace {

class TextsPart : public XmlPart {
 public:
  using XmlPart::XmlPart;

  absl::StatusOr<std::shared_ptr<const SharedTexts>> Read() {
    for (bool more = true; more;) {
      ASSIGN_OR_RETURN(more, ParseMore());
    }
    texts_->End();
    return std::move(texts_);
  }

 private:
  void Begin(std::string_view name, const char**) override {
    if (name == "rPh") phonetic_ = true;
    takes_ = name == "t" && !phonetic_;
  }
  void End(std::string_view name) override {
    takes_ = false;
    if (name == "rPh") phonetic_ = false;
    if (name == "si") texts_->EndText();
    if (texts_->bytes() > kTextBytesMost) Fail(TooLarge());
  }
  void Text(std::string_view text) override {
    if (takes_) texts_->Append(text);
  }

  std::shared_ptr<SharedTexts> texts_ = std::make_shared<SharedTexts>();
  bool phonetic_ = false;
  bool takes_ = false;
};

class SheetRows : public RowReader, private XmlPart {
 public:
  SheetRows(std::unique_ptr<archive::ZipReader::Part> part, const Workbook& workbook,
            std::shared_ptr<const SharedTexts> texts)
      : XmlPart(std::move(part)), workbook_(workbook), texts_(std::move(texts)) {}

  absl::StatusOr<bool> Next(Cells& cells) override {
    for (bool more = true; ready_.empty() && more;) {
      ASSIGN_OR_RETURN(more, ParseMore());
    }
    if (ready_.empty()) return false;
    row_ = ready_.front().row;
    cells = std::move(ready_.front().cells);
    ready_.pop_front();
    return true;
  }
  int64_t row() const override { return row_; }

 private:
  struct Line {
    int64_t row;
    Cells cells;
  };

  void Begin(std::string_view name, const char** attributes) override {
    if (name == "row") {
      BeginRow(Attribute(attributes, "r"));
    } else if (name == "c" && in_row_) {
      BeginCell(attributes);
    } else if (name == "rPh") {
      phonetic_ = true;
    }
    takes_ = in_cell_ && !phonetic_ && (name == "v" || (name == "t" && type_ == "inlineStr"));
  }
  void End(std::string_view name) override {
    takes_ = false;
    if (name == "rPh") phonetic_ = false;
    if (name == "c" && in_cell_) EndCell();
    if (name == "row" && in_row_) {
      in_row_ = false;
      if (!cells_.empty()) ready_.push_back({next_row_ - 1, std::move(cells_)});
      cells_.clear();
    }
  }
  void Text(std::string_view text) override {
    if (!takes_) return;
    value_ += text;
    if (value_.size() > kRowBytesMost) Fail(TooLarge());
  }

  void BeginRow(std::string_view reference) {
    int64_t row = next_row_;
    if (!reference.empty() && !ParseInteger(reference, &row)) return Fail(DamagedWorkbook());
    if (row < next_row_ || row > static_cast<int64_t>(kRowsMost)) return Fail(DamagedWorkbook());
    next_row_ = row + 1;
    next_column_ = 0;
    bytes_ = 0;
    in_row_ = true;
  }
  void BeginCell(const char** attributes) {
    type_ = Attribute(attributes, "t");
    style_ = -1;
    ParseInteger(Attribute(attributes, "s"), &style_);
    value_.clear();
    // "AB12": the row is known; a position that is not given follows the one before.
    const std::string_view reference = Attribute(attributes, "r");
    column_ = next_column_;
    size_t letters = 0;
    for (size_t at = 0; at < reference.size() && absl::ascii_isupper(reference[at]); ++at) {
      letters = letters * 26 + static_cast<size_t>(reference[at] - 'A' + 1);
      if (letters > kColumnsMost) return Fail(DamagedWorkbook());
    }
    if (!reference.empty() && !IsPlace(reference)) return Fail(DamagedWorkbook());
    if (letters > 0) column_ = letters - 1;
    next_column_ = column_ + 1;
    in_cell_ = true;
  }
  void EndCell() {
    in_cell_ = false;
    std::string text = ValueOf();
    if (text.empty()) return;
    bytes_ += text.size();
    if (bytes_ > kRowBytesMost || column_ >= kColumnsMost) return Fail(TooLarge());
    if (cells_.size() <= column_) cells_.resize(column_ + 1);
    cells_[column_] = std::move(text);
  }
  std::string ValueOf() const {
    if (type_ == "s") {
      size_t index = 0;
      return ParseInteger(value_, &index) ? std::string(texts_->At(index)) : "";
    }
    if (type_ == "b") return value_ == "1" ? "TRUE" : "FALSE";
    if (type_ == "inlineStr" || type_ == "str" || type_ == "e") return value_;
    if (type_ == "d") return value_.substr(0, 10);
    return NumberText(value_, workbook_.date_styles.contains(style_), workbook_.since_1904);
  }

  const Workbook& workbook_;
  const std::shared_ptr<const SharedTexts> texts_;
  std::deque<Line> ready_;  // Parsed ahead.
  int64_t row_ = 0;
  int64_t next_row_ = 1;
  size_t next_column_ = 0;
  size_t column_ = 0;
  size_t bytes_ = 0;  // Of the row.
  Cells cells_;
  std::string type_;
  int style_ = -1;
  std::string value_;
  bool in_row_ = false;
  bool in_cell_ = false;
  bool phonetic_ = false;
  bool takes_ = false;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const SharedTexts>> ReadSharedTexts(archive::ZipReader& archive,
                                                                   const Workbook& workbook) {
  if (workbook.strings_part.empty()) return std::make_shared<const SharedTexts>();
  ASSIGN_OR_RETURN(auto part, archive.OpenPart(workbook.strings_part));
  return TextsPart(std::move(part)).Read();
}

absl::StatusOr<std::unique_ptr<RowReader>> OpenSheet(archive::ZipReader& archive,
                                                     const Workbook& workbook,
                                                     std::shared_ptr<const SharedTexts> texts,
                                                     size_t sheet) {
  ASSIGN_OR_RETURN(auto part, archive.OpenPart(workbook.sheets[sheet].part));
  return std::make_unique<SheetRows>(std::move(part), workbook, std::move(texts));
}

std::string ColumnLetters(size_t column) {
  std::string letters;
  for (size_t rest = column + 1; rest > 0; rest = (rest - 1) / 26) {
    letters.insert(letters.begin(), static_cast<char>('A' + (rest - 1) % 26));
  }
  return letters;
}

}  // namespace gonghui::sheet
