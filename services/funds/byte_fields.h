// Texts and numbers as bytes that every reader takes the same way: a text is its length (32 bits)
// and its bytes, a number 64 bits, a truth value one byte; all numbers big endian.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace gonghui::funds {

class ByteWriter {
 public:
  ByteWriter& operator<<(std::string_view text) {
    Number(text.size(), 4);
    bytes_.append(text);
    return *this;
  }
  ByteWriter& operator<<(const std::string& text) { return *this << std::string_view(text); }
  ByteWriter& operator<<(int64_t value) { return Number(static_cast<uint64_t>(value), 8); }
  ByteWriter& operator<<(bool value) { return Number(value ? 1 : 0, 1); }
  ByteWriter& Number(uint64_t value, int size) {
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
      bytes_.push_back(static_cast<char>(value >> shift));
    }
    return *this;
  }
  ByteWriter& Raw(std::string_view bytes) {
    bytes_.append(bytes);
    return *this;
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads nothing more after the first fault.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  ByteReader& operator>>(std::string& text) {
    const uint64_t size = Number(4);
    if (size > rest_.size()) return Fail();
    text = std::string(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return *this;
  }
  ByteReader& operator>>(int64_t& value) {
    value = static_cast<int64_t>(Number(8));
    return *this;
  }
  ByteReader& operator>>(bool& value) {
    const uint64_t byte = Number(1);
    value = byte == 1;
    return byte > 1 ? Fail() : *this;
  }
  uint64_t Number(size_t size) {
    if (size > rest_.size()) {
      Fail();
      return 0;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(rest_[i]);
    rest_.remove_prefix(size);
    return value;
  }
  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty() && !failed_; }

 private:
  ByteReader& Fail() {
    failed_ = true;
    rest_ = {};
    return *this;
  }

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace gonghui::funds
