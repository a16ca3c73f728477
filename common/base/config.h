// Configuration of a program: defaults < YAML file < environment < flags. An unknown key in any of
// them is an error.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace gonghui {

// One option. Key "data_dir" is YAML `data_dir:`, environment GONGHUI_DATA_DIR and flag --data-dir
// (or --data_dir).
struct ConfigOption {
  std::string key;
  std::string default_value;
  std::string help;
  bool secret = false;   // Redacted in dumps.
  bool boolean = false;  // --key alone means true.
};

// Values of the declared options. Immutable after Load.
class Config {
 public:
  // `argv` without the program's name. "--config FILE" (or GONGHUI_CONFIG) names the YAML file.
  // Environment variables with the prefix GONGHUI_ that name no option are an error, except those
  // listed in `foreign_env`.
  static absl::StatusOr<Config> Load(std::vector<ConfigOption> options,
                                     const std::vector<std::string>& argv,
                                     const std::map<std::string, std::string>& env,
                                     const std::vector<std::string>& foreign_env = {});

  const std::string& Get(std::string_view key) const;  // CHECK-fails for an undeclared key.
  absl::StatusOr<int64_t> GetInt(std::string_view key) const;
  bool GetBool(std::string_view key) const;
  std::string Dump() const;  // key = value (source), secrets hidden.
  static std::string Help(const std::vector<ConfigOption>& options);

 private:
  struct Entry {
    ConfigOption option;
    std::string value;
    std::string source;  // default, file, environment or flag.
  };
  std::map<std::string, Entry, std::less<>> entries_;
};

// The process environment as a map.
std::map<std::string, std::string> ProcessEnvironment();

}  // namespace gonghui
