#include "common/base/config.h"

#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/base/edit_distance.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui {
namespace {

constexpr std::string_view kEnvPrefix = "GONGHUI_";
constexpr std::string_view kConfigKey = "config";

std::string EnvName(std::string_view key) { return StrCat(kEnvPrefix, ToUpper(key)); }

std::string FlagName(std::string_view key) { return StrCat("--", Replace(key, "_", "-")); }

Error Invalid(std::string message, std::string message_zh) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID, std::move(message),
                         std::move(message_zh));
}

// The values that a YAML file sets, in text form; a list is joined with commas.
absl::StatusOr<std::map<std::string, std::string>> ReadYaml(const std::string& path) {
  std::map<std::string, std::string> values;
  try {
    const YAML::Node root = YAML::LoadFile(path);
    if (root.IsNull()) return values;
    if (!root.IsMap()) {
      return Invalid(StrCat(path, " holds no `key: value` lines; write one option a line"),
                     StrCat(path, " 里没有“键: 值”行，请每行写一个选项"));
    }
    for (const auto& entry : root) {
      const std::string key = entry.first.as<std::string>();
      if (entry.second.IsSequence()) {
        values[key] = absl::StrJoin(entry.second.as<std::vector<std::string>>(), ",");
      } else {
        values[key] = entry.second.IsNull() ? "" : entry.second.as<std::string>();
      }
    }
  } catch (const YAML::BadFile&) {
    return Invalid(StrCat("cannot read the configuration file ", path, "; check its path"),
                   StrCat("无法读取配置文件 ", path, "，请检查路径"));
  } catch (const YAML::Exception& e) {
    return Invalid(StrCat(path, " is not valid YAML of flat options: ", e.what()),
                   StrCat(path, " 不是合法的 YAML 选项文件，第 ", e.mark.line + 1, " 行"));
  }
  return values;
}

// Splits "--key=value", "--key value" and a boolean's "--key".
absl::StatusOr<std::map<std::string, std::string>> ReadFlags(
    const std::vector<std::string>& argv, const std::vector<ConfigOption>& options) {
  std::map<std::string, std::string> values;
  for (size_t i = 0; i < argv.size(); ++i) {
    std::string_view arg = argv[i];
    if (!arg.starts_with("--")) {
      return Invalid(StrCat("unexpected argument '", argv[i], "'; options start with --"),
                     StrCat("多余的参数“", argv[i], "”，选项以 -- 开头"));
    }
    arg.remove_prefix(2);
    const size_t equals = arg.find('=');
    const std::string key = Replace(arg.substr(0, equals), "-", "_");
    const auto option = std::find_if(options.begin(), options.end(),
                                     [&](const ConfigOption& o) { return o.key == key; });
    if (equals != std::string_view::npos) {
      values[key] = std::string(arg.substr(equals + 1));
    } else if (option == options.end() || option->boolean) {
      values[key] = "true";  // An unknown key is refused with a suggestion by the caller.
    } else if (i + 1 < argv.size()) {
      values[key] = argv[++i];
    } else {
      return Invalid(StrCat("option ", argv[i], " needs a value"),
                     StrCat("选项 ", argv[i], " 缺少值"));
    }
  }
  return values;
}

// The environment's variables of ours as option keys.
std::map<std::string, std::string> ReadEnvironment(const std::map<std::string, std::string>& env,
                                                   const std::vector<std::string>& foreign) {
  std::map<std::string, std::string> values;
  for (const auto& [name, value] : env) {
    if (!name.starts_with(kEnvPrefix)) continue;
    if (std::find(foreign.begin(), foreign.end(), name) != foreign.end()) continue;
    values[ToLower(std::string_view(name).substr(kEnvPrefix.size()))] = value;
  }
  return values;
}

}  // namespace

absl::StatusOr<Config> Config::Load(std::vector<ConfigOption> options,
                                    const std::vector<std::string>& argv,
                                    const std::map<std::string, std::string>& env,
                                    const std::vector<std::string>& foreign_env) {
  options.push_back({std::string(kConfigKey), "", "YAML file with options"});
  Config config;
  for (const ConfigOption& option : options) {
    config.entries_[option.key] = {option, option.default_value, "default"};
  }
  const auto apply = [&config](const std::map<std::string, std::string>& values,
                               std::string_view source, auto spelling) -> absl::Status {
    for (const auto& [key, value] : values) {
      const auto found = config.entries_.find(key);
      if (found == config.entries_.end()) {
        const auto nearest = std::min_element(config.entries_.begin(), config.entries_.end(),
                                              [&k = key](auto& a, auto& b) {
                                                return EditDistance<std::string_view>(a.first, k) <
                                                       EditDistance<std::string_view>(b.first, k);
                                              });
        return Invalid(StrCat("unknown option ", spelling(key), " (", source, "); did you mean ",
                              spelling(nearest->first), "?"),
                       StrCat("未知选项 ", spelling(key), "，是否应为 ", spelling(nearest->first),
                              "？"))
            .At(key);
      }
      if (found->second.option.boolean && value != "true" && value != "false") {
        return Invalid(StrCat("option ", spelling(key), " takes true or false"),
                       StrCat("选项 ", spelling(key), " 只能是 true 或 false"))
            .At(key);
      }
      found->second.value = value;
      found->second.source = std::string(source);
    }
    return absl::OkStatus();
  };
  const auto plain = [](std::string_view key) { return std::string(key); };
  const auto from_env = ReadEnvironment(env, foreign_env);
  ASSIGN_OR_RETURN(const auto from_flags, ReadFlags(argv, options));
  std::string file;
  for (const auto* source : {&from_env, &from_flags}) {
    const auto named = source->find(std::string(kConfigKey));
    if (named != source->end()) file = named->second;
  }
  if (!file.empty()) {
    ASSIGN_OR_RETURN(const auto from_file, ReadYaml(file));
    RETURN_IF_ERROR(apply(from_file, "file", plain));
  }
  RETURN_IF_ERROR(apply(from_env, "environment", EnvName));
  RETURN_IF_ERROR(apply(from_flags, "flag", FlagName));
  return config;
}

const std::string& Config::Get(std::string_view key) const {
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    log::Error("config_option_undeclared", {{"key", key}});
    std::abort();
  }
  return found->second.value;
}

absl::StatusOr<int64_t> Config::GetInt(std::string_view key) const {
  int64_t value = 0;
  if (!ParseInteger(Get(key), &value)) {
    return Invalid(StrCat("option ", key, " is not a whole number"),
                   StrCat("选项 ", key, " 不是整数"))
        .At(std::string(key));
  }
  return value;
}

bool Config::GetBool(std::string_view key) const { return Get(key) == "true"; }

std::string Config::Dump() const {
  std::string text;
  for (const auto& [key, entry] : entries_) {
    const bool hidden = entry.option.secret && !entry.value.empty();
    StrAppend(&text, key, " = ", hidden ? "***" : entry.value, " (", entry.source, ")\n");
  }
  return text;
}

std::string Config::Help(const std::vector<ConfigOption>& options) {
  std::string text;
  for (const ConfigOption& option : options) {
    absl::StrAppendFormat(&text, "  %-28s %s", FlagName(option.key), option.help);
    if (!option.default_value.empty() && !option.secret) {
      StrAppend(&text, " [", option.default_value, "]");
    }
    text.push_back('\n');
  }
  absl::StrAppendFormat(&text, "  %-28s %s\n", "--config", "YAML file with options");
  return text;
}

std::map<std::string, std::string> ProcessEnvironment() {
  std::map<std::string, std::string> env;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      env.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return env;
}

}  // namespace gonghui
