#include "services/reports/edition_content.h"

#include <vector>

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::reports {
namespace {

constexpr std::string_view kFirstLine = "gonghui-edition 1";
constexpr std::string_view kFigure = "figure";
constexpr size_t kFigureFields = 8;

absl::StatusOr<int64_t> Number(std::string_view text) {
  int64_t number = 0;
  if (!ParseInteger(text, &number)) return Internal(StrCat("edition with the number '", text, "'"));
  return number;
}

absl::Status ReadFigureLine(const std::vector<std::string_view>& fields, EditionFigures& figures) {
  if (fields.size() != kFigureFields) return Internal("edition with a damaged figure");
  EditionFigure figure;
  ASSIGN_OR_RETURN(figure.outcome.sum.value, Number(fields[4]));
  if (!fields[5].empty()) {
    ASSIGN_OR_RETURN(const int64_t denominator, Number(fields[5]));
    figure.outcome.denominator = Sum{.value = denominator, .records = 0};
  }
  ASSIGN_OR_RETURN(figure.outcome.sum.records, Number(fields[6]));
  figure.text = fields[7];
  figures.emplace_hint(
      figures.end(),
      EditionKey{std::string(fields[1]), std::string(fields[2]), std::string(fields[3])},
      std::move(figure));
  return absl::OkStatus();
}

}  // namespace

std::string WriteEdition(const EditionHead& head, const EditionFigures& figures) {
  std::string text = StrCat(kFirstLine, "\n");
  const auto line = [&](std::string_view name, std::string_view value) {
    StrAppend(&text, name, "\t", value, "\n");
  };
  line("federation", head.scope.tenant);
  line("organization", head.scope.organization);
  line("period", head.scope.period.text);
  line("first day", head.scope.period.first_day);
  line("last day", head.scope.period.last_day);
  line("basis", head.scope.basis.Text());
  line("catalogue", head.catalogue);
  line("fingerprint", head.fingerprint);
  for (const auto& [source, sequence] : head.followed) {
    StrAppend(&text, "source\t", source, "\t", sequence, "\n");
  }
  for (const auto& [key, figure] : figures) {
    const std::string denominator = figure.outcome.denominator.has_value()
                                        ? StrCat(figure.outcome.denominator->value)
                                        : std::string();
    StrAppend(&text, kFigure, "\t", key.organization, "\t", key.measure, "\t", key.dimensions, "\t",
              figure.outcome.sum.value, "\t", denominator, "\t", figure.outcome.sum.records, "\t",
              figure.text, "\n");
  }
  return text;
}

absl::Status EditionReader::Add(std::string_view piece) {
  for (size_t end = piece.find('\n'); end != std::string_view::npos; end = piece.find('\n')) {
    StrAppend(&rest_, piece.substr(0, end));
    RETURN_IF_ERROR(AddLine(rest_));
    rest_.clear();
    piece.remove_prefix(end + 1);
  }
  StrAppend(&rest_, piece);
  return absl::OkStatus();
}

absl::Status EditionReader::AddLine(std::string_view line) {
  if (!begun_) {
    begun_ = true;
    return line == kFirstLine ? absl::OkStatus() : Internal("edition of an unknown form");
  }
  const std::vector<std::string_view> fields = Split(line, '\t');
  if (fields[0] != kFigure) return absl::OkStatus();
  if (!only_.empty() && fields.size() > 1 && fields[1] != only_) return absl::OkStatus();
  return ReadFigureLine(fields, figures_);
}

}  // namespace gonghui::reports
