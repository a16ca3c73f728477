#include "services/membership/member_import_rejects.h"

#include <algorithm>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/sheet/headings.h"

namespace gonghui::membership {
namespace {

constexpr int64_t kRowsAtOnce = 1000;

// All that is wrong with a row, for the clerk who corrects it.
std::string FaultText(const std::vector<v1::MemberImportFault>& faults) {
  std::string text;
  for (const v1::MemberImportFault& fault : faults) {
    StrAppend(&text, text.empty() ? "" : "；", fault.heading(), fault.heading().empty() ? "" : "：",
              fault.message_zh());
    if (!fault.suggestion().empty()) StrAppend(&text, "（是否指“", fault.suggestion(), "”？）");
  }
  return text;
}

}  // namespace

absl::StatusOr<sheet::TableStream::Format> FormatOf(sql::Tx& tx, const MemberImportStore& store,
                                                    const std::string& federation,
                                                    const std::string& id) {
  constexpr std::string_view kZipMark = "PK\x03\x04";
  ASSIGN_OR_RETURN(
      const std::string head,
      store.files.Read(tx, federation, MemberImportStore::ContentFile(id), 0, kZipMark.size()));
  return head == kZipMark ? sheet::TableStream::Format::kXlsx : sheet::TableStream::Format::kCsv;
}

absl::StatusOr<bool> MemberRejectsWriter::Read(sql::Tx& tx) {
  if (stream_ == nullptr) {
    ASSIGN_OR_RETURN(const auto format, FormatOf(tx, store_, federation_, id_));
    out_.clear();
    stream_ = sheet::TableStream::Begin(format, out_);
  }
  rows_.clear();
  ASSIGN_OR_RETURN(std::vector<StoredRow> rows,
                   store_.ListRows(tx, federation_, id_, after_, kRowsAtOnce));
  for (StoredRow& row : rows) {
    Rejected& rejected = rows_.emplace_back();
    if (!row.heading) {
      ASSIGN_OR_RETURN(rejected.faults, store_.FaultsOf(tx, federation_, id_, row.number));
    }
    rejected.row = std::move(row);
  }
  return static_cast<int64_t>(rows_.size()) == kRowsAtOnce;
}

absl::Status MemberRejectsWriter::Write(bool last) {
  for (Rejected& rejected : rows_) {
    after_ = rejected.row.number;
    sheet::Cells& cells = rejected.row.cells;
    if (rejected.row.heading) {
      if (!cells.empty() && sheet::IsRejectHeading(cells.back())) cells.pop_back();
      width_ = std::max(width_, cells.size());
      head_.push_back(std::move(cells));
      continue;
    }
    for (size_t i = 0; i < head_.size(); ++i) {
      if (i + 1 == head_.size()) {
        head_[i].resize(width_);
        head_[i].emplace_back(sheet::RejectHeading(true));
      }
      stream_->Add(head_[i], true);
    }
    head_.clear();
    cells.resize(width_);
    cells.push_back(FaultText(rejected.faults));
    stream_->Add(cells);
  }
  return last ? stream_->Finish() : absl::OkStatus();
}

absl::StatusOr<int64_t> MemberRejectsWriter::Keep(sql::Tx& tx) const {
  if (out_.empty()) return size_;
  RETURN_IF_ERROR(
      store_.files.Append(tx, federation_, MemberImportStore::RejectsFile(id_), size_, out_));
  return size_ + static_cast<int64_t>(out_.size());
}

void MemberRejectsWriter::Kept() {
  size_ += static_cast<int64_t>(out_.size());
  out_.clear();
}

}  // namespace gonghui::membership
