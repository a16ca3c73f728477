// Reads the text and the citations of a DOCX.
#include <map>
#include <optional>
#include <pugixml.hpp>

#include "common/archive/zip.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "services/reports/cited_text.h"
#include "services/reports/summary_citation.h"

namespace gonghui::reports {
namespace {

constexpr int kDeepest = 200;  // No text lies deeper; a hostile file may go on and on.

// Without the namespace's prefix, which programs choose as they like.
std::string_view LocalName(const char* name) {
  const std::string_view full(name);
  const size_t colon = full.find(':');
  return colon == std::string_view::npos ? full : full.substr(colon + 1);
}

std::string_view AttributeOf(const pugi::xml_node& node, std::string_view name) {
  for (const pugi::xml_attribute& attribute : node.attributes()) {
    if (LocalName(attribute.name()) == name) return attribute.value();
  }
  return "";
}

using Targets = std::map<std::string, std::string>;  // Relationship id -> address.

Targets ReadTargets(const std::map<std::string, std::string>& files, const std::string& part) {
  Targets targets;
  const auto file = files.find(StrCat("word/_rels/", part, ".rels"));
  pugi::xml_document xml;
  if (file == files.end() || !xml.load_buffer(file->second.data(), file->second.size())) {
    return targets;
  }
  for (const pugi::xml_node& relation : xml.first_child().children()) {
    targets.emplace(AttributeOf(relation, "Id"), AttributeOf(relation, "Target"));
  }
  return targets;
}

// The address of an instruction HYPERLINK "address" …
std::string_view AddressOf(std::string_view instruction) {
  const size_t word = instruction.find("HYPERLINK");
  if (word == std::string_view::npos) return "";
  const size_t open = instruction.find('"', word);
  if (open == std::string_view::npos) return "";
  const size_t close = instruction.find('"', open + 1);
  return instruction.substr(open + 1, close == std::string_view::npos ? close : close - open - 1);
}

class PartReader {
 public:
  PartReader(const Targets& targets, CitedTextBuilder& builder)
      : targets_(targets), builder_(builder) {}

  // Everything below a node, in order.
  void Read(const pugi::xml_node& node) {
    if (depth_ == kDeepest) return;
    ++depth_;
    for (const pugi::xml_node& child : node.children()) ReadNode(child);
    --depth_;
  }

 private:
  void ReadNode(const pugi::xml_node& node) {
    const std::string_view name = LocalName(node.name());
    if (name == "p") {
      Read(node);
      builder_.EndParagraph();
    } else if (name == "t") {
      builder_.AddText(node.text().get());
    } else if (name == "tab" && LocalName(node.parent().name()) == "r") {
      builder_.AddText("\t");
    } else if (name == "br" || name == "cr") {
      builder_.AddText("\n");
    } else if (name == "hyperlink") {
      const auto target = targets_.find(std::string(AttributeOf(node, "id")));
      Link(node, target == targets_.end() ? "" : target->second);
    } else if (name == "fldSimple") {
      Link(node, AddressOf(AttributeOf(node, "instr")));
    } else if (name == "fldChar") {
      FieldMark(AttributeOf(node, "fldCharType"));
    } else if (name == "instrText") {
      if (!fields_.empty()) fields_.back() += node.text().get();
    } else if (name != "del" && name != "moveFrom" && name != "Fallback" && name != "pPr" &&
               name != "rPr") {
      Read(node);
    }
  }

  void Link(const pugi::xml_node& node, std::string_view address) {
    const std::optional<CitedValue> cited = ParseCitationUri(address);
    if (cited.has_value()) builder_.BeginSpan(cited->citation, cited->exact);
    Read(node);
    if (cited.has_value()) builder_.EndSpan();
  }

  void FieldMark(std::string_view type) {
    if (type == "begin") {
      fields_.emplace_back();
    } else if (type == "separate" && !fields_.empty()) {
      const std::optional<CitedValue> cited = ParseCitationUri(AddressOf(fields_.back()));
      if (cited.has_value()) builder_.BeginSpan(cited->citation, cited->exact);
    } else if (type == "end" && !fields_.empty()) {
      if (ParseCitationUri(AddressOf(fields_.back())).has_value()) builder_.EndSpan();
      fields_.pop_back();
    }
  }

  const Targets& targets_;
  CitedTextBuilder& builder_;
  int depth_ = 0;
  std::vector<std::string> fields_;  // Instructions of the fields that are open.
};

}  // namespace

absl::StatusOr<CitedText> ReadDocx(std::string_view bytes) {
  ASSIGN_OR_RETURN(const auto files, archive::ReadZip(bytes));
  CitedTextBuilder builder;
  for (const char* part : {"document.xml", "footnotes.xml", "endnotes.xml"}) {
    const auto file = files.find(StrCat("word/", part));
    pugi::xml_document xml;
    const bool found = file != files.end();
    // Text that is only blanks is text too.
    if (found && xml.load_buffer(file->second.data(), file->second.size(),
                                 pugi::parse_default | pugi::parse_ws_pcdata_single)) {
      const Targets targets = ReadTargets(files, part);
      PartReader(targets, builder).Read(xml);
    } else if (found || std::string_view(part) == "document.xml") {
      return InvalidArgument(
          common::v1::REASON_FIELD_INVALID,
          StrCat("the file holds no readable word/", part, ": send a DOCX, not an older Word file"),
          StrCat("文件缺少可读取的 word/", part, "：请提交 DOCX 格式"));
    }
  }
  return builder.Take();
}

}  // namespace gonghui::reports
