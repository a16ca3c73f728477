// The bytes of a voucher that are hashed, sealed and shown in receipts. A version once written is
// read for ever: a new field means a new version.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace gonghui::funds {

// A voucher with every field that its proof covers, as stored.
struct SealedVoucher {
  struct Entry {
    std::string account;
    int64_t debit_fen = 0;
    int64_t credit_fen = 0;
    std::string memo;
    std::string dimensions;  // "key=value;key=value", by key.
    bool operator==(const Entry&) const = default;
  };

  std::string tenant;
  std::string book;
  int64_t sequence = 0;
  std::string month;
  int64_t number = 0;
  std::string on_date;
  std::string memo;
  std::string source;
  int64_t part = 0;
  int64_t revision = 0;
  std::string reverses;  // Id.
  std::string restates;  // Month.
  bool closing = false;
  std::string maker;
  std::string checker;
  std::string poster;
  int64_t create_time_us = 0;
  std::string attachments;  // Digests, with commas between.
  std::vector<Entry> entries;
};

// Version 1: a byte 1, then the fields in the order above. A text is its length in bytes (32 bits)
// and its bytes, a number 64 bits, a truth value one byte, the entries their count (32 bits) and
// one after the other; all numbers big endian.
std::string Canonical(const SealedVoucher& voucher);
// INTERNAL where the bytes are of no known version, too few or too many.
absl::StatusOr<SealedVoucher> ParseCanonical(std::string_view bytes);

// The hash of the chain after a voucher: SM3 of the hash before (32 bytes, zeros before the first
// voucher) and the voucher's bytes. Hashes are 64 hex digits, `before` empty before the first.
std::string ChainHash(std::string_view before, std::string_view canonical);

}  // namespace gonghui::funds
