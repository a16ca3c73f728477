// SM3 (GB/T 32905) over bytes that come piece by piece.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace gonghui::crypto {

class Sm3 {
 public:
  Sm3();
  ~Sm3();
  void Add(std::string_view bytes);
  std::string Hex() const;  // Of all so far: 64 hex digits.

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gonghui::crypto
