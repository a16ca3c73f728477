// Checks a receipt of a voucher offline, with nothing but OpenSSL and the public key of the ledger.
// Shares no code with the service; the format is told in receipt.cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace receipt {

struct Entry {
  std::string account;
  int64_t debit_fen = 0;
  int64_t credit_fen = 0;
  std::string memo;
  std::string dimensions;
};

// What a true receipt proves.
struct Proven {
  std::string federation;
  std::string book;
  int64_t sequence = 0;
  std::string month;
  int64_t number = 0;
  std::string on_date;
  std::string memo;
  std::string maker;
  std::string checker;
  std::string poster;
  int64_t posted_us = 0;
  std::vector<Entry> entries;
  int64_t head = 0;       // Index of the signed head.
  int64_t signed_us = 0;  // When it was signed.
};

// `public_key` is 32 raw bytes. False with the reason where anything at all is not as it was
// signed.
bool Verify(const std::string& receipt, const std::string& public_key, Proven& proven,
            std::string& reason);

}  // namespace receipt
