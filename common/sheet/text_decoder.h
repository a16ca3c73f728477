// Text files of any encoding as UTF-8, piece by piece.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/archive/byte_source.h"

namespace gonghui::sheet {

// A byte order mark decides the encoding, else strict UTF-8, else GB18030. Used by one thread; the
// source outlives it.
class TextDecoder {
 public:
  // Reads all bytes once, to tell the encoding. Errors: FIELD_INVALID for workbooks (xlsx, xls) and
  // for bytes that are no text.
  static absl::StatusOr<std::unique_ptr<TextDecoder>> Open(archive::ByteSource& source);
  ~TextDecoder();

  // Appends the next piece without byte order mark; false at the end. FIELD_INVALID for bytes that
  // are none of these encodings.
  absl::StatusOr<bool> Next(std::string& utf8);

 private:
  struct Converter;
  TextDecoder(archive::ByteSource& source, uint64_t begins, const char* encoding);
  absl::Status Convert(bool last, std::string& utf8);

  archive::ByteSource& source_;
  uint64_t at_;
  std::string pending_;                   // Read and not converted yet.
  std::unique_ptr<Converter> converter_;  // None: the bytes are UTF-8.
};

}  // namespace gonghui::sheet
