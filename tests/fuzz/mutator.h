// Random requests: mostly plausible, so that they pass the outer checks, with borders, injections
// and damage strewn in. What the server answered is learned and sent back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "common/base/text.h"
#include "gonghui/common/v1/catalog.pb.h"
#include "gonghui/common/v1/options.pb.h"
#include "gonghui/common/v1/record.pb.h"
#include "google/protobuf/message.h"

namespace gonghui::fuzz {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  // A value worth sending in fields of this name.
  void Learn(const std::string& field, const std::string& value) {
    if (value.empty() || value.size() > 512) return;
    Keep(known_[field], value);
    if (value.find('/') != value.npos) {
      Keep(known_[Shape(value)], value);
      Keep(known_[kAnyRecord], value);
    }
  }

  void Learn(const Message& message) {
    std::vector<const FieldDescriptor*> fields;
    message.GetReflection()->ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) {
      const int size =
          field->is_repeated() ? message.GetReflection()->FieldSize(message, field) : 1;
      for (int i = 0; i < std::min(size, 20); ++i) LearnValue(message, *field, i);
    }
  }

  // The kinds of the service whose turn it is.
  void SetKinds(const common::v1::ListKindsResponse& kinds) {
    kinds_ = kinds;
    known_["kind"].clear();
    for (const common::v1::Kind& kind : kinds.kinds()) known_["kind"].push_back(kind.name());
  }

  // The bytes of a random request, some of them damaged.
  std::string Next(const Message& prototype) {
    const std::unique_ptr<Message> message(prototype.New());
    wildness_ = OneIn(4) ? 2 : 25;
    Fill(*message, 0);
    std::string wire = absl::StrReplaceAll(message->SerializePartialAsString(),
                                           {{kBadTextMarker, "\xff\xc0\x80\xed\xa0\x80"}});
    if (!wire.empty() && OneIn(12)) wire.resize(Below(wire.size()));
    for (int i = 0; i < 4 && !wire.empty() && OneIn(12); ++i) {
      wire[Below(wire.size())] ^= static_cast<char>(1 << Below(8));
    }
    if (OneIn(50)) wire += Noise(Below(200));
    wire.resize(std::min(wire.size(), kLargestRequest));
    return wire;
  }

  bool OneIn(uint64_t n) { return Below(n) == 0; }
  uint64_t Below(uint64_t n) { return random_() % n; }

 private:
  // Stands for bytes that are no UTF-8, which a string field would not take; as long as those.
  static constexpr char kBadTextMarker[] = "~bad8~";
  static constexpr size_t kLargestRequest = 8 << 20;  // What gRPC lets through to the service.
  static constexpr char kAnyRecord[] = "federations/*/*/*";

  // "federations/demo/books/T01" and "federations/{federation}/books/{book}" alike to
  // "federations/*/books/*".
  static std::string Shape(std::string_view name) {
    std::string shape;
    bool is_id = false;
    for (std::string_view part : Split(name, '/')) {
      StrAppend(&shape, shape.empty() ? "" : "/", is_id || part == "{collection}" ? "*" : part);
      is_id = !is_id;
    }
    return shape;
  }

  void Keep(std::vector<std::string>& values, const std::string& value) {
    constexpr size_t kKept = 60;
    if (values.size() < kKept) {
      values.push_back(value);
    } else {
      values[Below(kKept)] = value;
    }
  }

  void LearnValue(const Message& message, const FieldDescriptor& field, int index) {
    const Reflection& reflection = *message.GetReflection();
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Learn(field.is_repeated() ? reflection.GetRepeatedMessage(message, &field, index)
                                : reflection.GetMessage(message, &field));
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      Learn(field.name() == "next_page_token" ? "page_token" : field.name(),
            field.is_repeated() ? reflection.GetRepeatedString(message, &field, index)
                                : reflection.GetString(message, &field));
    }
  }

  template <typename T>
  const T& Pick(const std::vector<T>& values) {
    return values[Below(values.size())];
  }

  std::string Noise(uint64_t size) {
    std::string noise(size, '\0');
    for (char& c : noise) c = static_cast<char>(random_());
    return noise;
  }

  void Fill(Message& message, int depth) {
    const Reflection& reflection = *message.GetReflection();
    for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor* field = message.GetDescriptor()->field(i);
      const common::v1::FieldPolicy& policy = field->options().GetExtension(common::v1::field);
      const bool skipped = policy.required()      ? OneIn(wildness_ * 2)
                           : policy.output_only() ? !OneIn(8)
                                                  : OneIn(2);
      if (skipped || (field->message_type() != nullptr && depth > 4)) continue;
      if (!field->is_repeated()) {
        Set(message, *field, depth);
        continue;
      }
      const uint64_t size = OneIn(300) ? 1100 : 1 + Below(3);
      for (uint64_t n = 0; n < size; ++n) Add(message, *field, depth);
    }
    if (message.GetDescriptor() == common::v1::Record::descriptor() && !OneIn(wildness_)) {
      FillFields(*google::protobuf::DynamicCastToGenerated<common::v1::Record>(&message));
    }
    if (reflection.GetUnknownFields(message).empty() && OneIn(wildness_ * 8)) {
      reflection.MutableUnknownFields(&message)->AddLengthDelimited(1 + Below(5000), Noise(9));
    }
  }

  void Set(Message& message, const FieldDescriptor& field, int depth) {
    const Reflection& reflection = *message.GetReflection();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return reflection.SetString(&message, &field, Text(field));
      case FieldDescriptor::CPPTYPE_INT32:
        return reflection.SetInt32(&message, &field, static_cast<int32_t>(Integer()));
      case FieldDescriptor::CPPTYPE_INT64:
        return reflection.SetInt64(&message, &field, Integer());
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection.SetBool(&message, &field, OneIn(2));
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return reflection.SetDouble(&message, &field, static_cast<double>(Integer()));
      case FieldDescriptor::CPPTYPE_ENUM:
        return reflection.SetEnumValue(&message, &field, static_cast<int>(Below(5)));
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Fill(*reflection.MutableMessage(&message, &field), depth + 1);
      default:
        return;
    }
  }

  void Add(Message& message, const FieldDescriptor& field, int depth) {
    const Reflection& reflection = *message.GetReflection();
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      reflection.AddString(&message, &field, Text(field));
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Fill(*reflection.AddMessage(&message, &field), depth + 1);
    }
  }

  int64_t Integer() {
    if (!OneIn(wildness_)) return Pick(std::vector<int64_t>{0, 0, 100, 100, 100, 1, 7});
    constexpr auto kMost = std::numeric_limits<int64_t>::max();
    return Pick(std::vector<int64_t>{-1, -100, 1000, 1001, 999'999'999'999'999,
                                     1'000'000'000'000'000, 1'000'000'000'000'001, kMost, kMost - 1,
                                     -kMost, -kMost - 1, 1LL << 31, 1LL << 32});
  }

  std::string Date() {
    if (OneIn(20)) return Pick<std::string>({"0001-01-01", "9999-12-31", "1900-02-29", "2020-2-1"});
    return absl::StrFormat("20%02d-%02d-%02d", OneIn(5) ? 19 : 20, 1 + Below(6), 1 + Below(28));
  }

  std::string Text(const FieldDescriptor& field) {
    const common::v1::FieldPolicy& policy = field.options().GetExtension(common::v1::field);
    if (OneIn(wildness_)) return WildText();
    if (policy.date()) return Date();
    if (field.name() == "request_id") return StrCat("fuzz-", OneIn(4) ? Below(20) : ++requests_);
    const auto known =
        known_.find(policy.resource_type().empty() ? field.name() : Shape(policy.resource_type()));
    if (known != known_.end() && !known->second.empty()) return Pick(known->second);
    return OneIn(2) ? "一" : "x1";
  }

  std::string WildText() {
    static const auto& texts = *new std::vector<std::string>{
        "",
        " ",
        "' OR '1'='1",
        "'; drop table members; --",
        "\"; delete from vouchers where \"\"=\"",
        "x') union select sql from main--",
        "%s%n%x",
        "../../../etc/passwd",
        "federations/",
        "federations/other",
        "federations/demo/",
        "federations/demo/books",
        "federations//books//",
        "federations/demo/books/T01/vouchers/202013-1",
        "federations/demo/books/T01/vouchers/202005-99999999999999999999",
        "federations/demo/members/federations/demo/members/1",
        "110101199003070011",
        "11010119900307002X",
        "federations/demo/members/110101199003070011",
        "{{7*7}}",
        "${jndi:ldap://x}",
        "<script>alert(1)</script>",
        "\xEF\xBB\xBF工会",
        "\xF0\x9F\x92\xA3",
        "e\xCC\x81\xE2\x80\xAE",
        "-0",
        "1e308",
        "NaN",
        "9223372036854775808",
        "2020-02-30",
        "fields.",
        "fields.x,fields.y,name",
        "*",
        ",",
        "a=b;c=d",
        "=;=;",
        "2020H3",
        "2020-13",
        "2020Q0",
        kBadTextMarker};
    switch (Below(12)) {
      case 0:
        return std::string(1 + Below(300), 'a');
      case 1:
        return std::string(OneIn(10) ? 500'000 : 3000, 'z');
      case 2:
        return std::string("nul\0nul", 7);
      case 3: {  // What belongs elsewhere.
        if (known_.empty()) return "";
        const auto any = std::next(known_.begin(), static_cast<ptrdiff_t>(Below(known_.size())));
        return any->second.empty() ? "" : Pick(any->second);
      }
      default:
        return Pick(texts);
    }
  }

  // Fields that the record's kind has, most of them of the right type.
  void FillFields(common::v1::Record& record) {
    record.clear_fields();
    for (const common::v1::Kind& kind : kinds_.kinds()) {
      if (kind.name() != record.kind()) continue;
      for (const common::v1::KindField& field : kind.fields()) {
        if (!OneIn(8)) (*record.mutable_fields())[field.name()] = FieldText(field);
      }
    }
  }

  std::string FieldText(const common::v1::KindField& field) {
    if (OneIn(wildness_)) return WildText();
    if (!field.codes().empty()) {
      for (const common::v1::CodeList& list : kinds_.code_lists()) {
        if (list.name() == field.codes() && list.codes_size() > 0) {
          return list.codes(static_cast<int>(Below(list.codes_size()))).code();
        }
      }
    }
    if (!field.example().empty() && !OneIn(4)) return field.example();
    return OneIn(3) ? Date() : StrCat(Integer());
  }

  std::mt19937_64 random_;
  uint64_t wildness_ = 1;  // One value in so many is wild.
  uint64_t requests_ = 100;
  std::map<std::string, std::vector<std::string>> known_;  // By field name or shape of a name.
  common::v1::ListKindsResponse kinds_;
};

}  // namespace gonghui::fuzz
