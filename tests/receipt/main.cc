// verify_receipt PUBLIC_KEY_HEX FILE: says whether the receipt is true, and what it proves.
#include <cstdio>
#include <fstream>
#include <iterator>

#include "tests/receipt/receipt.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: verify_receipt PUBLIC_KEY_HEX FILE\n");
    return 2;
  }
  std::string key;
  const std::string hex = argv[1];
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    key += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  std::ifstream file(argv[2], std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  receipt::Proven p;
  std::string reason;
  if (!receipt::Verify(bytes, key, p, reason)) {
    std::printf("FALSE: %s\n", reason.c_str());
    return 1;
  }
  std::printf("TRUE: %s/%s voucher %s-%lld (%lld in the chain) of %s: %s\n", p.federation.c_str(),
              p.book.c_str(), p.month.c_str(), static_cast<long long>(p.number),
              static_cast<long long>(p.sequence), p.on_date.c_str(), p.memo.c_str());
  for (const receipt::Entry& e : p.entries) {
    std::printf("  %-10s debit %14lld fen  credit %14lld fen  %s %s\n", e.account.c_str(),
                static_cast<long long>(e.debit_fen), static_cast<long long>(e.credit_fen),
                e.memo.c_str(), e.dimensions.c_str());
  }
  return 0;
}
