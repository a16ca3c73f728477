// The options by which commands select members.
#pragma once

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "gonghui/membership/v1/member.pb.h"

namespace gonghui::cli {

struct MemberFilterOptions {
  std::vector<std::string> states;
  std::vector<std::string> tags;
  std::string sex;
  std::string employment;
  std::string joined_from;
  std::string joined_to;
  std::string name;  // Not of filters that are kept: it may be personal.

  // All but the states and the name.
  void AddTo(CLI::App* command);
  void AddStatesTo(CLI::App* command);
  void AddNameTo(CLI::App* command);
  membership::v1::MemberFilter Filter() const;
};

}  // namespace gonghui::cli
