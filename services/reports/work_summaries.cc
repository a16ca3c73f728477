#include "services/reports/work_summaries.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/sheet/text.h"
#include "services/reports/basis.h"
#include "services/reports/explanations.h"
#include "services/reports/frozen_figures.h"
#include "services/reports/target_completions.h"

namespace gonghui::reports {
namespace {

constexpr size_t kCitationsMost = 5000;
constexpr std::string_view kReadEditions = "reports.editions.read";
constexpr std::string_view kReadTargets = "reports.targets.get";
constexpr int64_t kEver = std::numeric_limits<int64_t>::max();

struct FormatName {
  v1::SummaryFormat format;
  std::string_view file;
  std::string_view media_type;
};

constexpr FormatName kFormats[] = {
    {v1::SUMMARY_FORMAT_MARKDOWN, "summary.md", "text/markdown; charset=utf-8"},
    {v1::SUMMARY_FORMAT_HTML, "summary.html", "text/html; charset=utf-8"},
    {v1::SUMMARY_FORMAT_DOCX, "summary.docx",
     "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {v1::SUMMARY_FORMAT_XLSX, "annex.xlsx",
     "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {v1::SUMMARY_FORMAT_CSV, "figures.csv", "text/csv; charset=utf-8"}};

void AddItems(const std::vector<SummarySectionForm>& sections, std::vector<v1::PlanItems>& items) {
  for (const SummarySectionForm& section : sections) {
    if (section.items.has_value()) items.push_back(*section.items);
    AddItems(section.sections, items);
  }
}

bool Holds(const v1::GenerateSummaryRequest& request, v1::SummaryFormat format) {
  return std::find(request.formats().begin(), request.formats().end(), format) !=
         request.formats().end();
}

absl::Status EditionFieldInvalid(std::string_view field, std::string_view why,
                                 std::string_view why_zh) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID, StrCat("with an edition ", why),
                         StrCat("使用版本时", why_zh))
      .At(std::string(field));
}

absl::Status OtherFederation() {
  return PermissionDenied(common::v1::REASON_WRONG_FEDERATION,
                          "this figure is of another federation", "该指标属于其他联合会");
}

SummaryCheck::Said Unreadable(const absl::Status& status) {
  SummaryCheck::Said said;
  said.unreadable.set_en(std::string(FromAbsl(status.message())));
  const std::string zh = MessageZhOf(status);
  said.unreadable.set_zh(zh.empty() ? said.unreadable.en() : zh);
  return said;
}

absl::Status TooManyCitations() {
  return InvalidArgument(common::v1::REASON_TOO_MANY_ITEMS,
                         StrCat("the text has more than ", kCitationsMost,
                                " different citations: check it in parts"),
                         StrCat("文中引用超过", kCitationsMost, "个，请分部分核对"))
      .At("content");
}

absl::Status FormatUnreadable() {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         "a summary is checked as MARKDOWN, HTML or DOCX",
                         "只能核对 MARKDOWN、HTML 或 DOCX 格式的总结")
      .At("format");
}

absl::StatusOr<CitedText> ReadFormat(const v1::CheckSummaryRequest& request) {
  if (request.format() == v1::SUMMARY_FORMAT_DOCX) return ReadDocx(request.content());
  ASSIGN_OR_RETURN(const std::string text, sheet::DecodeText(request.content()));
  return request.format() == v1::SUMMARY_FORMAT_HTML ? ReadHtml(text) : ReadMarkdown(text);
}

// Answers hold text of the file, and answers are UTF-8.
bool IsText(const CitedText& text) {
  return std::all_of(text.begin(), text.end(), [](const CitedParagraph& paragraph) {
    return sheet::IsUtf8(paragraph.text) &&
           std::all_of(paragraph.spans.begin(), paragraph.spans.end(), [](const CitedSpan& span) {
             return sheet::IsUtf8(span.citation) && sheet::IsUtf8(span.exact);
           });
  });
}

absl::StatusOr<CitedText> ReadText(const v1::CheckSummaryRequest& request) {
  if (request.format() != v1::SUMMARY_FORMAT_MARKDOWN &&
      request.format() != v1::SUMMARY_FORMAT_HTML && request.format() != v1::SUMMARY_FORMAT_DOCX) {
    return FormatUnreadable();
  }
  auto text = ReadFormat(request);
  if (text.ok() && IsText(*text)) return text;
  if (text.ok()) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           "the text is damaged: it is not UTF-8; save the file again as UTF-8",
                           "文本已损坏，不是 UTF-8 编码，请以 UTF-8 重新保存")
        .At("content");
  }
  return InvalidArgument(ReasonOf(text.status()), std::string(FromAbsl(text.status().message())),
                         MessageZhOf(text.status()))
      .At("content");
}

}  // namespace

absl::StatusOr<v1::ListSummaryTemplatesResponse> WorkSummaries::ListTemplates(
    rpc::Call& call, const v1::ListSummaryTemplatesRequest& request) {
  const v1::SummaryCatalog& catalog = options_.forms->catalog();
  v1::ListSummaryTemplatesResponse response;
  *response.mutable_templates() = catalog.templates();
  response.set_version(catalog.version());
  *response.mutable_allowed_numerals() = catalog.allowed_numerals();
  return response;
}

absl::StatusOr<SummaryComposer::Frame> WorkSummaries::FrameOf(
    const rpc::Call& call, const v1::GenerateSummaryRequest& request, const Period& period,
    std::string* kind) const {
  RETURN_IF_ERROR(CheckOrganization(*options_.tree, call.federation, request.organization()));
  ASSIGN_OR_RETURN(const auto tree, options_.tree->Get(call.federation));
  const tree::Version* version = tree->Find(request.organization(), period.last_day);
  SummaryComposer::Frame frame{.organization = request.organization(),
                               .period = PeriodInChinese(period),
                               .written_on = call.Today(),
                               .attachment = ""};
  if (version != nullptr) {
    frame.organization = version->display_name;
    *kind = version->kind;
  }
  if (Holds(request, v1::SUMMARY_FORMAT_XLSX)) {
    frame.attachment = StrCat(frame.organization, frame.period, "工作总结指标表");
  }
  return frame;
}

absl::Status WorkSummaries::ReadItems(const rpc::Call& call, const SummaryForm& form,
                                      const std::string& organization, const Period& period,
                                      SummaryComposer::Source& source,
                                      v1::GenerateSummaryResponse& response) {
  std::vector<v1::PlanItems> wanted;
  AddItems(form.sections, wanted);
  for (const v1::PlanItems& items : wanted) {
    auto found = items_.List(call, organization, items, period);
    if (absl::IsPermissionDenied(found.status())) {
      common::v1::Label& note = *response.add_notes();
      note.set_en(
          "plan items are left out: you may not list activities of this organisation; ask for a "
          "role that may");
      note.set_zh("未写入计划事项：您无权查看该组织的活动记录，请申请相应角色");
      return absl::OkStatus();
    }
    if (!found.ok()) return found.status();
    source.items[{items.item_type(), items.dated()}] = *std::move(found);
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::GenerateSummaryResponse> WorkSummaries::Generate(
    rpc::Call& call, const v1::GenerateSummaryRequest& request) {
  ASSIGN_OR_RETURN(const Period period,
                   options_.measures->periods().Parse(request.period(), "period"));
  std::string kind;
  ASSIGN_OR_RETURN(const SummaryComposer::Frame frame, FrameOf(call, request, period, &kind));
  ASSIGN_OR_RETURN(const SummaryForm* form,
                   options_.forms->Choose(request.template_(), kind, period));
  v1::GenerateSummaryResponse response;
  response.set_template_(form->source->name());
  SummaryComposer::Source source;
  RETURN_IF_ERROR(ReadItems(call, *form, request.organization(), period, source, response));

  ASSIGN_OR_RETURN(const FigureScope scope, ScopeOf(call, request, period));
  ASSIGN_OR_RETURN(const std::optional<EditionId> edition, EditionOf(call, request));
  const bool all_figures =
      Holds(request, v1::SUMMARY_FORMAT_XLSX) || Holds(request, v1::SUMMARY_FORMAT_CSV);
  const bool sees_targets = call.CheckScope(kReadTargets, request.organization()).ok();
  SummaryDocument document;
  std::vector<v1::Figure> all;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    FigureReader reader(tx, *options_.measures, call.federation, &call,
                        {v1::COMPARISON_YEAR_ON_YEAR, v1::COMPARISON_PERIOD_ON_PERIOD});
    std::optional<FrozenFigures> frozen;
    if (edition.has_value()) {
      ASSIGN_OR_RETURN(
          frozen, FrozenFigures::Load(tx, *options_.measures, *edition, request.organization()));
    }
    source.figure = [&](const FigureSlot& slot) -> absl::StatusOr<StatedFigure> {
      const v1::Measure& measure = *options_.measures->Find(slot.measure);
      ASSIGN_OR_RETURN(const DimensionFilter filter,
                       ParseFilter(*options_.measures, measure, scope.period, slot.dimensions));
      StatedFigure stated;
      if (frozen.has_value()) {
        stated.figure = frozen->Read(measure, filter);
      } else {
        ASSIGN_OR_RETURN(stated.figure, reader.Read(scope, measure, filter));
      }
      if (!sees_targets) return stated;
      const TargetCompletions targets(tx, *options_.measures,
                                      frozen.has_value() ? frozen->closed_us() : kEver);
      ASSIGN_OR_RETURN(stated.completion,
                       targets.Of(scope, measure, filter, stated.figure, slot.aspect));
      return stated;
    };
    ASSIGN_OR_RETURN(document, SummaryComposer(wording_, source).Compose(*form, frame));
    if (!all_figures) return absl::OkStatus();
    if (frozen.has_value()) {
      all = frozen->All();
    } else {
      ASSIGN_OR_RETURN(all, reader.All(scope));
    }
    return absl::OkStatus();
  }));
  for (const v1::SummaryCitation& citation : document.citations) {
    *response.add_citations() = citation;
  }
  RETURN_IF_ERROR(WriteFiles(call, request, document, all, response));
  return response;
}

absl::StatusOr<FigureScope> WorkSummaries::ScopeOf(const rpc::Call& call,
                                                   const v1::GenerateSummaryRequest& request,
                                                   Period period) const {
  v1::QueryFiguresRequest asked;
  asked.set_tree_mode(request.tree_mode());
  asked.set_tree_date(request.tree_date());
  asked.set_line(request.line());
  ASSIGN_OR_RETURN(Basis basis, BasisOf(asked));
  RETURN_IF_ERROR(ResolveBasis(call, *options_.tree, basis));
  return FigureScope{call.federation, request.organization(), std::move(period), std::move(basis)};
}

absl::StatusOr<std::optional<EditionId>> WorkSummaries::EditionOf(
    const rpc::Call& call, const v1::GenerateSummaryRequest& request) const {
  if (request.edition().empty()) return std::optional<EditionId>();
  ASSIGN_OR_RETURN(EditionId id, ParseEdition(request.edition(), "edition"));
  if (id.tenant != call.federation) return OtherFederation();
  RETURN_IF_ERROR(call.CheckScope(kReadEditions, id.organization));
  if (id.period != request.period()) {
    return EditionFieldInvalid("period", StrCat("of ", id.period, " the period is ", id.period),
                               StrCat("期间应为该版本的期间 ", id.period));
  }
  if (request.tree_mode() != v1::TREE_MODE_UNSPECIFIED || request.line() != v1::LINE_UNSPECIFIED) {
    return EditionFieldInvalid("tree_mode", "leave tree and line empty: it has its own",
                               "请勿再指定组织树或隶属线，版本中已固定");
  }
  return std::optional(std::move(id));
}

absl::StatusOr<FigureName> WorkSummaries::NameOfToday(const std::string& name) const {
  if (!IsEditionFigure(name)) return ParseFigureName(*options_.measures, name);
  ASSIGN_OR_RETURN(const EditionFigureName frozen,
                   ParseEditionFigureName(*options_.measures, name));
  FigureName today{.scope = {}, .measure = frozen.measure, .filter = frozen.filter};
  today.scope.tenant = frozen.edition.tenant;
  today.scope.organization = frozen.organization;
  ASSIGN_OR_RETURN(today.scope.period,
                   options_.measures->periods().Parse(frozen.edition.period, "name"));
  ASSIGN_OR_RETURN(today.scope.basis, ParseBasis(frozen.edition.basis));
  return today;
}

DimensionLabels WorkSummaries::ReadLabels(const rpc::Call& call,
                                          v1::GenerateSummaryResponse& response) const {
  DimensionLabels labels(*options_.measures);
  for (const auto& [service, client] : options_.kinds) {
    const auto kinds = client->InvokeFor<common::v1::ListKindsResponse>(
        call, StrCat("/", service, "/ListKinds"), common::v1::ListKindsRequest());
    if (kinds.ok()) {
      labels.Add(*kinds);
      continue;
    }
    common::v1::Label& note = *response.add_notes();
    note.set_en(StrCat("some dimensions of the annex stand as codes: ", service,
                       " does not answer; try again later"));
    note.set_zh(StrCat("附表部分维度只写代码：", service, " 无应答，请稍后重试"));
  }
  return labels;
}

AnnexFigure WorkSummaries::Explained(const DimensionLabels& labels,
                                     const v1::Figure& figure) const {
  AnnexFigure explained{.figure = figure,
                        .dimensions = labels.Of(figure),
                        .formula = "",
                        .definition = "",
                        .unit = figure.unit()};
  const auto& units = options_.forms->catalog().units();
  if (const auto unit = units.find(figure.unit()); unit != units.end()) {
    explained.unit = unit->second;
  }
  const auto name = NameOfToday(figure.name());
  if (name.ok()) {
    const std::string formula = FormulaOf(*name);
    explained.formula = formula.substr(0, formula.find("; "));  // Its Chinese half.
    explained.definition = name->measure->definition().zh();
  }
  return explained;
}

absl::Status WorkSummaries::WriteFiles(const rpc::Call& call,
                                       const v1::GenerateSummaryRequest& request,
                                       const SummaryDocument& document,
                                       const std::vector<v1::Figure>& all,
                                       v1::GenerateSummaryResponse& response) const {
  std::vector<AnnexFigure> figures;
  std::map<std::string, AnnexFigure> cited;
  if (!all.empty()) {
    const DimensionLabels labels = ReadLabels(call, response);
    for (const v1::Figure& figure : all) figures.push_back(Explained(labels, figure));
    for (const v1::SummaryCitation& citation : document.citations) {
      if (!citation.has_figure()) continue;
      cited.emplace(citation.figure().name(), Explained(labels, citation.figure()));
    }
  }
  std::vector<int> formats(request.formats().begin(), request.formats().end());
  if (formats.empty()) formats.push_back(v1::SUMMARY_FORMAT_MARKDOWN);
  for (const int format : formats) {
    const auto known = std::find_if(std::begin(kFormats), std::end(kFormats),
                                    [&](const FormatName& f) { return f.format == format; });
    if (known == std::end(kFormats)) {
      return InvalidArgument(common::v1::REASON_FIELD_INVALID, "name the formats to write",
                             "请写明文件格式")
          .At("formats");
    }
    v1::SummaryFile& file = *response.add_files();
    file.set_format(known->format);
    file.set_file_name(std::string(known->file));
    file.set_media_type(std::string(known->media_type));
    switch (known->format) {
      case v1::SUMMARY_FORMAT_HTML:
        file.set_content(WriteHtml(document));
        break;
      case v1::SUMMARY_FORMAT_DOCX: {
        ASSIGN_OR_RETURN(*file.mutable_content(), WriteDocx(document));
        break;
      }
      case v1::SUMMARY_FORMAT_XLSX: {
        ASSIGN_OR_RETURN(*file.mutable_content(), WriteAnnex(document, cited, figures));
        break;
      }
      case v1::SUMMARY_FORMAT_CSV:
        file.set_content(WriteFiguresCsv(figures));
        break;
      default:
        file.set_content(WriteMarkdown(document));
    }
  }
  return absl::OkStatus();
}

SummaryCheck::Said WorkSummaries::RecordSaid(const rpc::Call& call,
                                             const Citation& citation) const {
  const auto text = items_.TextOf(call, citation.name);
  if (!text.ok()) return Unreadable(text.status());
  return {.exact = *text, .unit = "", .unreadable = {}};
}

absl::StatusOr<FigureName> WorkSummaries::NameOf(const rpc::Call& call,
                                                 const Citation& citation) const {
  ASSIGN_OR_RETURN(FigureName name, ParseFigureName(*options_.measures, citation.name));
  if (name.scope.tenant != call.federation) {
    return OtherFederation();
  }
  RETURN_IF_ERROR(CheckOrganization(*options_.tree, call.federation, name.scope.organization));
  RETURN_IF_ERROR(call.CheckScope(name.scope.organization));
  if (IsOfTarget(citation.aspect)) {
    RETURN_IF_ERROR(call.CheckScope(kReadTargets, name.scope.organization));
  }
  RETURN_IF_ERROR(ResolveBasis(call, *options_.tree, name.scope.basis));
  return name;
}

void WorkSummaries::AddNames(const rpc::Call& call, const std::string& organization,
                             SummaryCheck::Source& source) const {
  const auto tree = options_.tree->Get(call.federation);
  if (!tree.ok()) return;
  for (const tree::Version& version : (*tree)->Versions(organization)) {
    if (!version.display_name.empty()) source.names.insert(version.display_name);
  }
}

absl::StatusOr<EditionFigureName> WorkSummaries::FrozenNameOf(const rpc::Call& call,
                                                              const Citation& citation) const {
  ASSIGN_OR_RETURN(EditionFigureName name,
                   ParseEditionFigureName(*options_.measures, citation.name));
  if (name.edition.tenant != call.federation) return OtherFederation();
  RETURN_IF_ERROR(CheckOrganization(*options_.tree, call.federation, name.edition.organization));
  RETURN_IF_ERROR(call.CheckScope(kReadEditions, name.edition.organization));
  if (IsOfTarget(citation.aspect)) {
    RETURN_IF_ERROR(CheckOrganization(*options_.tree, call.federation, name.organization));
    RETURN_IF_ERROR(call.CheckScope(kReadTargets, name.organization));
  }
  return name;
}

absl::StatusOr<WorkSummaries::SaidByCitation> WorkSummaries::Recompute(
    rpc::Call& call, const CitedText& text, SummaryCheck::Source& source) const {
  SaidByCitation said;
  Cited cited;
  for (const CitedParagraph& paragraph : text) {
    for (const CitedSpan& span : paragraph.spans) {
      const auto [entry, fresh] = said.try_emplace(span.citation);
      if (!fresh) continue;
      if (said.size() > kCitationsMost) return TooManyCitations();
      const Citation citation = Citation::Parse(span.citation);
      if (!citation.IsFigure()) {
        entry->second = RecordSaid(call, citation);
      } else if (IsEditionFigure(citation.name)) {
        auto name = FrozenNameOf(call, citation);
        if (!name.ok()) {
          entry->second = Unreadable(name.status());
          continue;
        }
        AddNames(call, name->organization, source);
        cited.frozen[{name->edition.Name(), name->organization}].emplace(span.citation,
                                                                         *std::move(name));
      } else {
        auto name = NameOf(call, citation);
        if (!name.ok()) {
          entry->second = Unreadable(name.status());
          continue;
        }
        AddNames(call, name->scope.organization, source);
        cited.today.emplace(span.citation, *std::move(name));
      }
    }
  }
  RETURN_IF_ERROR(options_.db->ReadOnly(
      call.deadline, [&](sql::Tx& tx) { return ReadCited(tx, call, cited, said); }));
  return said;
}

absl::Status WorkSummaries::ReadCited(sql::Tx& tx, const rpc::Call& call, const Cited& cited,
                                      SaidByCitation& said) const {
  const auto say = [&](const std::string& citation, const FigureScope& scope,
                       const v1::Measure& measure, const DimensionFilter& filter,
                       StatedFigure stated, int64_t known_us) -> absl::Status {
    const Aspect aspect = Citation::Parse(citation).aspect;
    const TargetCompletions targets(tx, *options_.measures, known_us);
    ASSIGN_OR_RETURN(stated.completion, targets.Of(scope, measure, filter, stated.figure, aspect));
    said[citation] = {.exact = wording_.Exact(stated, aspect).value_or(std::string(kNone)),
                      .unit = stated.figure.unit(),
                      .unreadable = {}};
    return absl::OkStatus();
  };
  FigureReader reader(tx, *options_.measures, call.federation, &call,
                      {v1::COMPARISON_YEAR_ON_YEAR, v1::COMPARISON_PERIOD_ON_PERIOD});
  for (const auto& [citation, name] : cited.today) {  // In order: measures stand together.
    ASSIGN_OR_RETURN(v1::Figure figure, reader.Read(name.scope, *name.measure, name.filter));
    RETURN_IF_ERROR(
        say(citation, name.scope, *name.measure, name.filter, {std::move(figure)}, kEver));
  }
  for (const auto& [of, names] : cited.frozen) {
    const auto& [edition, organization] = of;
    const auto frozen =
        FrozenFigures::Load(tx, *options_.measures, names.begin()->second.edition, organization);
    if (!frozen.ok() && !absl::IsNotFound(frozen.status())) return frozen.status();
    for (const auto& [citation, name] : names) {
      if (!frozen.ok()) {
        said[citation] = Unreadable(frozen.status());
        continue;
      }
      const FigureScope scope{call.federation, organization, frozen->period(), {}};
      RETURN_IF_ERROR(say(citation, scope, *name.measure, name.filter,
                          {frozen->Read(*name.measure, name.filter)}, frozen->closed_us()));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::CheckSummaryResponse> WorkSummaries::Check(
    rpc::Call& call, const v1::CheckSummaryRequest& request) {
  ASSIGN_OR_RETURN(const CitedText text, ReadText(request));
  SummaryCheck::Source source;
  ASSIGN_OR_RETURN(const SaidByCitation said, Recompute(call, text, source));
  source.said = [&](const Citation& citation) { return said.at(citation.Text()); };
  return SummaryCheck(*options_.forms, source).Check(text);
}

}  // namespace gonghui::reports
