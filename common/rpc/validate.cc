#include "common/rpc/validate.h"

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/base/date.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/field_path.h"
#include "gonghui/common/v1/options.pb.h"
#include "re2/re2.h"

namespace gonghui::rpc {
namespace {

using common::v1::FieldPolicy;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr int kLongestText = 256;  // FieldPolicy.max_len 0.
constexpr int kMostItems = 1000;   // FieldPolicy.max_items 0.

// The first rule that a message breaks. The path grows towards the front on the way out.
struct Violation {
  Reason reason;
  std::string path;
  std::string message;  // After "<path> ".
  std::string message_zh;
};
using Verdict = std::optional<Violation>;

// Whether required fields must be there: not in the resource of an update, whose mask says which
// fields count.
enum class Extent { kWhole, kMasked };

struct Plan;

// What one field may hold, ready for use.
struct FieldRule {
  const FieldDescriptor* field;
  FieldPolicy policy;
  int max_len;
  int max_items;
  std::unique_ptr<RE2> pattern;
  std::unique_ptr<RE2> name_pattern;
  const Plan* nested = nullptr;  // Of a message field that is no map.
  Extent inside = Extent::kWhole;
};

struct Plan {
  std::vector<FieldRule> rules;
};

// "federations/{federation}/members/{member}" -> an expression for such names.
std::unique_ptr<RE2> NamePattern(std::string_view resource_type) {
  std::string expression = RE2::QuoteMeta(resource_type);
  RE2::GlobalReplace(&expression, R"(\\\{[a-z_]+\\\})", "[A-Za-z0-9._~@-]{1,128}");
  return std::make_unique<RE2>(expression);
}

// Plans of all message types seen so far; they live as long as the process.
class Plans {
 public:
  const Plan& Of(const Descriptor* message) {
    {
      absl::ReaderMutexLock lock(&mutex_);
      if (const auto found = plans_.find(message); found != plans_.end()) return *found->second;
    }
    absl::MutexLock lock(&mutex_);
    return Make(message);
  }

 private:
  const Plan& Make(const Descriptor* message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    auto [at, is_new] = plans_.try_emplace(message);
    if (!is_new) return *at->second;  // Also a type that contains itself.
    Plan& plan = *(at->second = std::make_unique<Plan>());
    const bool is_update = message->FindFieldByName("update_mask") != nullptr;
    for (int i = 0; i < message->field_count(); ++i) {
      const FieldDescriptor* field = message->field(i);
      FieldRule rule{.field = field, .policy = field->options().GetExtension(common::v1::field)};
      if (rule.policy.output_only()) continue;
      rule.max_len = rule.policy.max_len() > 0 ? rule.policy.max_len() : kLongestText;
      rule.max_items = rule.policy.max_items() > 0 ? rule.policy.max_items() : kMostItems;
      if (!rule.policy.pattern().empty()) {
        rule.pattern = std::make_unique<RE2>(rule.policy.pattern());
        GOOGLE_CHECK(rule.pattern->ok()) << field->full_name() << ": " << rule.pattern->error();
      }
      if (!rule.policy.resource_type().empty()) {
        rule.name_pattern = NamePattern(rule.policy.resource_type());
      }
      if (field->message_type() != nullptr && !field->is_map()) {
        rule.nested = &Make(field->message_type());
        if (is_update && !field->is_repeated()) rule.inside = Extent::kMasked;
      }
      plan.rules.push_back(std::move(rule));
    }
    return plan;
  }

  absl::Mutex mutex_;
  std::unordered_map<const Descriptor*, std::unique_ptr<Plan>> plans_ ABSL_GUARDED_BY(mutex_);
};

const Plan& PlanOf(const Message& message) {
  static Plans& plans = *new Plans;
  return plans.Of(message.GetDescriptor());
}

// Number of characters; nullopt when the text is not UTF-8 (RFC 3629) or holds NUL.
std::optional<int> CountCharacters(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  int count = 0;
  for (size_t i = 0; i < text.size(); ++count) {
    const unsigned char lead = byte(i);
    if (lead == 0) return std::nullopt;
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || i + size > text.size()) return std::nullopt;
    for (size_t k = 1; k < size; ++k) {
      if ((byte(i + k) & 0xC0) != 0x80) return std::nullopt;
    }
    const unsigned char second = byte(i + 1);
    const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
    const bool surrogate = lead == 0xED && second >= 0xA0;
    if (overlong || surrogate || (lead == 0xF4 && second >= 0x90)) return std::nullopt;
    i += size;
  }
  return count;
}

Violation TooLong(int limit, std::string_view unit, std::string_view unit_zh) {
  return {common::v1::REASON_FIELD_TOO_LONG, "",
          StrCat("is longer than ", limit, " ", unit, "; shorten it"),
          StrCat("超过", limit, unit_zh, "；请缩短")};
}

Violation Invalid(std::string message, std::string message_zh) {
  return {common::v1::REASON_FIELD_INVALID, "", std::move(message), std::move(message_zh)};
}

Verdict CheckText(const FieldRule& rule, std::string_view text) {
  const std::optional<int> characters = CountCharacters(text);
  if (!characters.has_value()) {
    return Invalid("is not UTF-8 text without NUL; send clean text",
                   "不是有效的UTF-8文本或含有空字符；请更正");
  }
  if (*characters > rule.max_len) return TooLong(rule.max_len, "characters", "个字符");
  if (text.empty()) return std::nullopt;
  if (rule.pattern != nullptr && !RE2::FullMatch(text, *rule.pattern)) {
    return Invalid(StrCat("does not match the pattern ", rule.policy.pattern()),
                   StrCat("不符合格式要求（", rule.policy.pattern(), "）"));
  }
  if (rule.name_pattern != nullptr && !RE2::FullMatch(text, *rule.name_pattern)) {
    return Invalid(StrCat("is no name of the form ", rule.policy.resource_type()),
                   StrCat("不是“", rule.policy.resource_type(), "”形式的资源名"));
  }
  if (rule.policy.date() && !ParseDate(text).ok()) {
    return Invalid("is no calendar date written YYYY-MM-DD",
                   "不是有效日期；请按“年-月-日”填写，如2020-05-13");
  }
  return std::nullopt;
}

Verdict CheckMessage(const Plan& plan, const Message& message, Extent extent);

// One value: of a singular field (index -1) or of a repeated one.
Verdict CheckValue(const FieldRule& rule, const Message& message, int index, Extent extent) {
  const Reflection& reflection = *message.GetReflection();
  const FieldDescriptor* field = rule.field;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string scratch;
      const std::string& text =
          index < 0 ? reflection.GetStringReference(message, field, &scratch)
                    : reflection.GetRepeatedStringReference(message, field, index, &scratch);
      if (field->type() == FieldDescriptor::TYPE_STRING) return CheckText(rule, text);
      if (text.size() > static_cast<size_t>(rule.max_len)) {
        return TooLong(rule.max_len, "bytes", "字节");
      }
      return std::nullopt;
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int number = index < 0 ? reflection.GetEnumValue(message, field)
                                   : reflection.GetRepeatedEnumValue(message, field, index);
      if (field->enum_type()->FindValueByNumber(number) != nullptr) return std::nullopt;
      return Invalid(StrCat("holds ", number, ", which is no ", field->enum_type()->name()),
                     StrCat("的取值", number, "不存在"));
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return CheckMessage(*rule.nested,
                          index < 0 ? reflection.GetMessage(message, field)
                                    : reflection.GetRepeatedMessage(message, field, index),
                          rule.inside == Extent::kMasked ? Extent::kMasked : extent);
    default:
      return std::nullopt;
  }
}

Verdict CheckMapEntry(const FieldRule& rule, const Message& entry) {
  for (const FieldDescriptor* part :
       {rule.field->message_type()->map_key(), rule.field->message_type()->map_value()}) {
    if (part->type() != FieldDescriptor::TYPE_STRING) continue;
    std::string scratch;
    if (Verdict verdict =
            CheckText(rule, entry.GetReflection()->GetStringReference(entry, part, &scratch))) {
      return verdict;
    }
  }
  return std::nullopt;
}

Verdict CheckRepeated(const FieldRule& rule, const Message& message, Extent extent) {
  const Reflection& reflection = *message.GetReflection();
  const int size = reflection.FieldSize(message, rule.field);
  if (size > rule.max_items) {
    return Violation{
        common::v1::REASON_TOO_MANY_ITEMS, "",
        StrCat("has ", size, " entries where ", rule.max_items, " are allowed; split the request"),
        StrCat("有", size, "项，最多允许", rule.max_items, "项；请分批提交")};
  }
  if (rule.policy.items_in_operation()) return std::nullopt;
  for (int i = 0; i < size; ++i) {
    Verdict verdict =
        rule.field->is_map()
            ? CheckMapEntry(rule, reflection.GetRepeatedMessage(message, rule.field, i))
            : CheckValue(rule, message, i, extent);
    if (!verdict.has_value()) continue;
    // Map entries have no order, so their position says nothing; their keys may be personal.
    if (!rule.field->is_map()) {
      verdict->path = StrCat("[", i, "]", verdict->path.empty() ? "" : ".", verdict->path);
    }
    return verdict;
  }
  return std::nullopt;
}

Verdict CheckField(const FieldRule& rule, const Message& message, Extent extent) {
  const Reflection& reflection = *message.GetReflection();
  const bool present = rule.field->is_repeated() ? reflection.FieldSize(message, rule.field) > 0
                                                 : reflection.HasField(message, rule.field);
  if (!present) {
    if (!rule.policy.required() || extent == Extent::kMasked) return std::nullopt;
    return Violation{common::v1::REASON_FIELD_REQUIRED, "", "is required; fill it", "必填；请填写"};
  }
  return rule.field->is_repeated() ? CheckRepeated(rule, message, extent)
                                   : CheckValue(rule, message, -1, extent);
}

Verdict CheckMessage(const Plan& plan, const Message& message, Extent extent) {
  for (const FieldRule& rule : plan.rules) {
    Verdict verdict = CheckField(rule, message, extent);
    if (!verdict.has_value()) continue;
    const bool joins = verdict->path.empty() || verdict->path[0] == '[';
    verdict->path = StrCat(rule.field->name(), joins ? "" : ".", verdict->path);
    return verdict;
  }
  return std::nullopt;
}

void RedactField(const FieldDescriptor& field, Message& message) {
  const Reflection& reflection = *message.GetReflection();
  if (field.type() != FieldDescriptor::TYPE_STRING) {
    reflection.ClearField(&message, &field);
    return;
  }
  for (int i = 0; field.is_repeated() && i < reflection.FieldSize(message, &field); ++i) {
    reflection.SetRepeatedString(&message, &field, i, "*");
  }
  if (!field.is_repeated()) reflection.SetString(&message, &field, "*");
}

void Redact(Message& message) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const FieldPolicy& policy = field->options().GetExtension(common::v1::field);
    if (policy.pii() || policy.secret()) {
      RedactField(*field, message);
    } else if (field->message_type() != nullptr && field->is_repeated()) {
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        Redact(*reflection.MutableRepeatedMessage(&message, field, i));
      }
    } else if (field->message_type() != nullptr) {
      Redact(*reflection.MutableMessage(&message, field));
    }
  }
}

}  // namespace

absl::Status Validate(const Message& message) {
  Verdict verdict = CheckMessage(PlanOf(message), message, Extent::kWhole);
  if (!verdict.has_value()) return absl::OkStatus();
  return InvalidArgument(verdict->reason, StrCat(verdict->path, " ", verdict->message),
                         StrCat(verdict->path, verdict->message_zh))
      .At(verdict->path);
}

std::string FieldAt(const Message& message, std::string_view path) {
  const std::optional<FieldPath> resolved = FieldPath::Resolve(message.GetDescriptor(), path);
  return resolved.has_value() ? resolved->Get(message) : "";
}

std::string Redacted(const Message& message) {
  const std::unique_ptr<Message> copy(message.New());
  copy->CopyFrom(message);
  Redact(*copy);
  return copy->ShortDebugString();
}

}  // namespace gonghui::rpc
