#include "common/rpc/update.h"

#include <algorithm>

#include "common/base/status.h"
#include "common/base/text.h"
#include "gonghui/common/v1/options.pb.h"

namespace gonghui::rpc {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool IsChangeable(const FieldDescriptor& field) {
  const common::v1::FieldPolicy& policy = field.options().GetExtension(common::v1::field);
  return !policy.output_only() && !policy.immutable() && field.name() != "name" &&
         field.name() != "etag";
}

// "fields.x" -> {"fields", "x"}; the second part is empty for a plain field.
std::pair<std::string_view, std::string_view> SplitPath(std::string_view path) {
  const size_t dot = path.find('.');
  if (dot == path.npos) return {path, {}};
  return {path.substr(0, dot), path.substr(dot + 1)};
}

// Position of the entry in a map field; -1 when there is none.
int FindEntry(const Message& message, const FieldDescriptor& map, std::string_view key) {
  const FieldDescriptor* key_field = map.message_type()->map_key();
  for (int i = 0; i < message.GetReflection()->FieldSize(message, &map); ++i) {
    const Message& entry = message.GetReflection()->GetRepeatedMessage(message, &map, i);
    if (entry.GetReflection()->GetString(entry, key_field) == key) return i;
  }
  return -1;
}

void MergeEntry(const FieldDescriptor& map, std::string_view key, const Message& from,
                Message& to) {
  const google::protobuf::Reflection& reflection = *to.GetReflection();
  const FieldDescriptor* value_field = map.message_type()->map_value();
  const int old_entry = FindEntry(to, map, key);
  const int new_entry = FindEntry(from, map, key);
  const Message* source =
      new_entry < 0 ? nullptr : &reflection.GetRepeatedMessage(from, &map, new_entry);
  if (source == nullptr || (value_field->type() == FieldDescriptor::TYPE_STRING &&
                            source->GetReflection()->GetString(*source, value_field).empty())) {
    if (old_entry < 0) return;
    reflection.SwapElements(&to, &map, old_entry, reflection.FieldSize(to, &map) - 1);
    reflection.RemoveLast(&to, &map);
    return;
  }
  Message* target = old_entry < 0 ? reflection.AddMessage(&to, &map)
                                  : reflection.MutableRepeatedMessage(&to, &map, old_entry);
  target->CopyFrom(*source);
}

void MergeField(const FieldDescriptor& field, const Message& from, Message& to) {
  // A copy that holds this field alone: merging it does the right thing for every type.
  const std::unique_ptr<Message> only(from.New());
  only->CopyFrom(from);
  const google::protobuf::Reflection& reflection = *from.GetReflection();
  for (int i = 0; i < from.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* other = from.GetDescriptor()->field(i);
    if (other != &field) reflection.ClearField(only.get(), other);
  }
  reflection.ClearField(&to, &field);
  to.MergeFrom(*only);
}

Error BadPath(std::string_view path, std::string_view why, std::string_view why_zh) {
  return InvalidArgument(common::v1::REASON_UPDATE_MASK_INVALID,
                         StrCat("The update mask names \"", path, "\", which ", why),
                         StrCat("更新掩码中的“", path, "”", why_zh))
      .With("path", std::string(path))
      .At("update_mask");
}

absl::Status CheckPath(std::string_view path, const google::protobuf::Descriptor& message) {
  const auto [name, entry] = SplitPath(path);
  const FieldDescriptor* field = message.FindFieldByName(std::string(name));
  if (field == nullptr || (name != path && (!field->is_map() || entry.empty()))) {
    return BadPath(path, "is no field of this resource; see its message for the names",
                   "不是该资源的字段；请查阅接口定义中的字段名");
  }
  if (!IsChangeable(*field)) {
    return BadPath(path, "callers cannot change; leave it out", "不允许修改；请从掩码中去掉");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ReadMask(std::string_view mask, const Message& message) {
  const google::protobuf::Descriptor& descriptor = *message.GetDescriptor();
  std::vector<std::string> paths;
  if (Strip(mask) == "*") {
    for (int i = 0; i < descriptor.field_count(); ++i) {
      if (IsChangeable(*descriptor.field(i))) paths.push_back(descriptor.field(i)->name());
    }
    return paths;
  }
  for (std::string_view part : Split(mask, ',')) {
    const std::string_view path = Strip(part);
    if (path.empty()) {
      return InvalidArgument(common::v1::REASON_UPDATE_MASK_INVALID,
                             "The update mask is empty or has an empty entry; name the fields to "
                             "change, separated by commas, or send \"*\"",
                             "更新掩码为空或含空项；请用逗号分隔要修改的字段名，或填“*”")
          .At("update_mask");
    }
    RETURN_IF_ERROR(CheckPath(path, descriptor));
    if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.emplace_back(path);
  }
  return paths;
}

void MergeMasked(const std::vector<std::string>& paths, const Message& from, Message& to) {
  for (const std::string& path : paths) {
    const auto [name, entry] = SplitPath(path);
    const FieldDescriptor* field = from.GetDescriptor()->FindFieldByName(std::string(name));
    if (entry.empty()) {
      MergeField(*field, from, to);
    } else {
      MergeEntry(*field, entry, from, to);
    }
  }
}

std::string MakeEtag(int64_t version) { return StrCat("\"", version, "\""); }

absl::Status CheckEtag(std::string_view given, int64_t version) {
  if (given.empty() || given == MakeEtag(version)) return absl::OkStatus();
  return Aborted(common::v1::REASON_ETAG_MISMATCH,
                 "The resource was changed after it was read; read it again and repeat the change",
                 "该资源在读取之后已被修改；请重新读取后再提交修改")
      .With("etag", MakeEtag(version))
      .At("etag");
}

}  // namespace gonghui::rpc
