#include "common/catalog/yaml_message.h"

#include <cmath>
#include <cstdint>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "gonghui/common/v1/catalog.pb.h"
#include "google/protobuf/descriptor.h"
#include "yaml-cpp/yaml.h"

namespace gonghui::catalog {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

absl::Status Fault(std::string_view file, int line, std::string_view what,
                   std::string_view what_zh) {
  const std::string where = StrCat(file, ":", line);
  return InvalidArgument(common::v1::REASON_FIELD_INVALID, StrCat(where, ": ", what),
                         StrCat(where, "：", what_zh))
      .With("position", where);
}

// MEASURE_KIND_FLOW of MeasureKind -> "flow".
std::string ShortName(const EnumValueDescriptor& value) {
  std::string prefix;
  for (char c : value.type()->name()) {
    if (absl::ascii_isupper(c) && !prefix.empty()) prefix += '_';
    prefix += absl::ascii_toupper(c);
  }
  prefix += '_';
  std::string_view name = value.name();
  if (name.substr(0, prefix.size()) == prefix) name.remove_prefix(prefix.size());
  return ToLower(name);
}

// Walks a YAML tree along the fields of a message.
class Reader {
 public:
  explicit Reader(std::string_view file) : file_(file) {}

  absl::Status Fill(const YAML::Node& node, Message& message) {
    if (node.IsScalar() && message.GetDescriptor() == common::v1::Label::descriptor()) {
      auto& label = static_cast<common::v1::Label&>(message);
      label.set_zh(node.Scalar());
      label.set_en(node.Scalar());
      return absl::OkStatus();
    }
    if (!node.IsMap()) {
      return Bad(node, StrCat("a map of ", message.GetDescriptor()->name(), " is wanted"),
                 StrCat("此处应为 ", message.GetDescriptor()->name(), " 的键值"));
    }
    std::set<std::string> seen;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) return Bad(entry.first, "a key must be text", "键必须是文字");
      const std::string& key = entry.first.Scalar();
      if (!seen.insert(key).second) {
        return Bad(entry.first, StrCat("the key '", key, "' stands twice"),
                   StrCat("键“", key, "”重复"));
      }
      const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(key);
      if (field == nullptr) {
        return Bad(entry.first,
                   StrCat("unknown key '", key, "' of ", message.GetDescriptor()->name()),
                   StrCat(message.GetDescriptor()->name(), " 没有键“", key, "”"));
      }
      RETURN_IF_ERROR(FillField(entry.second, *field, message));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Bad(const YAML::Node& node, std::string_view what, std::string_view what_zh) const {
    return Fault(file_, node.Mark().line + 1, what, what_zh);
  }

  absl::Status FillField(const YAML::Node& node, const FieldDescriptor& field, Message& message) {
    if (field.is_map()) return FillMap(node, field, message);
    if (!field.is_repeated()) return FillOne(node, field, message);
    if (!node.IsSequence()) {
      return Bad(node, StrCat("'", field.name(), "' wants a list"),
                 StrCat("“", field.name(), "”应为列表"));
    }
    for (const auto& item : node) RETURN_IF_ERROR(FillOne(item, field, message));
    return absl::OkStatus();
  }

  absl::Status FillMap(const YAML::Node& node, const FieldDescriptor& field, Message& message) {
    if (!node.IsMap()) {
      return Bad(node, StrCat("'", field.name(), "' wants a map"),
                 StrCat("“", field.name(), "”应为键值"));
    }
    std::set<std::string> seen;
    for (const auto& entry : node) {
      Message& item = *message.GetReflection()->AddMessage(&message, &field);
      RETURN_IF_ERROR(FillOne(entry.first, *field.message_type()->map_key(), item));
      if (!seen.insert(entry.first.Scalar()).second) {
        return Bad(entry.first, StrCat("the key '", entry.first.Scalar(), "' stands twice"),
                   StrCat("键“", entry.first.Scalar(), "”重复"));
      }
      RETURN_IF_ERROR(FillOne(entry.second, *field.message_type()->map_value(), item));
    }
    return absl::OkStatus();
  }

  // Sets a singular field or adds one element of a repeated one.
  absl::Status FillOne(const YAML::Node& node, const FieldDescriptor& field, Message& message) {
    const auto& reflection = *message.GetReflection();
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      return Fill(node, field.is_repeated() ? *reflection.AddMessage(&message, &field)
                                            : *reflection.MutableMessage(&message, &field));
    }
    if (!node.IsScalar()) {
      return Bad(node, StrCat("'", field.name(), "' wants one value"),
                 StrCat("“", field.name(), "”应为单个值"));
    }
    return FillScalar(node, field, message);
  }

  absl::Status FillScalar(const YAML::Node& node, const FieldDescriptor& field, Message& message) {
    const auto& reflection = *message.GetReflection();
    const std::string& text = node.Scalar();
    const bool quoted = node.Tag() == "!";
    const auto set = [&](auto one, auto many, auto value) {
      if (field.is_repeated()) {
        (reflection.*many)(&message, &field, value);
      } else {
        (reflection.*one)(&message, &field, value);
      }
      return absl::OkStatus();
    };
    using R = google::protobuf::Reflection;
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return set(&R::SetString, &R::AddString, text);
      case FieldDescriptor::CPPTYPE_BOOL:
        if (quoted || (text != "true" && text != "false")) break;
        return set(&R::SetBool, &R::AddBool, text == "true");
      case FieldDescriptor::CPPTYPE_INT32: {
        int32_t value = 0;
        if (quoted || !ParseInteger(text, &value)) break;
        return set(&R::SetInt32, &R::AddInt32, value);
      }
      case FieldDescriptor::CPPTYPE_INT64: {
        int64_t value = 0;
        if (quoted || !ParseInteger(text, &value)) break;
        return set(&R::SetInt64, &R::AddInt64, value);
      }
      case FieldDescriptor::CPPTYPE_DOUBLE: {
        double value = 0;
        if (quoted || !absl::SimpleAtod(text, &value) || !std::isfinite(value)) break;
        return set(&R::SetDouble, &R::AddDouble, value);
      }
      case FieldDescriptor::CPPTYPE_ENUM: {
        const EnumDescriptor& type = *field.enum_type();
        for (int i = 0; i < type.value_count(); ++i) {
          if (type.value(i)->number() != 0 && ShortName(*type.value(i)) == text) {
            return set(&R::SetEnumValue, &R::AddEnumValue, type.value(i)->number());
          }
        }
        break;
      }
      default:
        return Bad(node, StrCat("'", field.name(), "' cannot be written in YAML"),
                   StrCat("“", field.name(), "”不能用 YAML 书写"));
    }
    return Bad(node, StrCat("'", text, "' is no ", Wanted(field)),
               StrCat("“", text, "”不符合：", Wanted(field)));
  }

  // "int64 of 'min'", or the values that an enum takes.
  static std::string Wanted(const FieldDescriptor& field) {
    std::string wanted = StrCat("value of '", field.name(), "' (", field.cpp_type_name());
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      for (int i = 0; i < field.enum_type()->value_count(); ++i) {
        const EnumValueDescriptor& value = *field.enum_type()->value(i);
        if (value.number() != 0) wanted += StrCat(" ", ShortName(value));
      }
    }
    return wanted + ")";
  }

  std::string_view file_;
};

}  // namespace

absl::Status ParseYaml(std::string_view file_name, std::string_view yaml, Message& message) {
  // yaml-cpp reports by exceptions; they end here.
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    return Reader(file_name).Fill(root, message);
  } catch (const YAML::Exception& e) {
    return Fault(file_name, e.mark.line + 1, e.msg, StrCat("不是有效的 YAML：", e.msg));
  }
}

}  // namespace gonghui::catalog
