#include "services/funds/benefits.h"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/catalog/fact_rules.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "services/funds/cash_facts.h"
#include "services/funds/postings.h"
#include "services/funds/voucher_rows.h"

namespace gonghui::funds {
namespace {

using catalog::FactSource;
using common::v1::PostingRule;

constexpr sql::Query kLatestOfSource{
    "funds.latest_of_source",
    "SELECT month, number, revision, reversed_by FROM vouchers WHERE tenant = $1 AND book_id = $2 "
    "AND source = $3 AND source <> '' AND part = $4 ORDER BY revision DESC LIMIT 1"};

std::string FieldOr(const FactSource& source, std::string_view name, const std::string& fallback) {
  const auto it = source.fields.find(name);
  return it == source.fields.end() || it->second.empty() ? fallback : it->second;
}

// The day of the voucher; nullopt while the rule does not apply.
std::optional<std::string> DateOf(const PostingRule& rule, const FactSource& source) {
  if (source.cancelled || !catalog::Holds(rule.when(), source)) return std::nullopt;
  std::string date = FieldOr(source, "on_date", "");
  if (!rule.in_state().empty()) {
    const auto entered = source.entered.find(rule.in_state());
    if (entered == source.entered.end()) return std::nullopt;
    date = entered->second;
  }
  return rule.on().empty() ? date : FieldOr(source, rule.on(), date);
}

absl::StatusOr<int64_t> AmountOf(const FactSource& source, const std::string& field) {
  const std::string text = FieldOr(source, field, "0");
  int64_t fen = 0;
  if (ParseInteger(text, &fen)) return fen;
  return Internal(StrCat("field ", field, " of a record holds no amount"));
}

std::string DimensionOf(const common::v1::Source& value, const FactSource& source) {
  return value.field().empty() ? value.constant()
                               : std::string(catalog::ValueOf(source, value.field()));
}

// Whose book takes the voucher.
std::string OrganizationOf(const PostingRule& rule, const FactSource& source) {
  return rule.organization().empty() ? source.organization
                                     : FieldOr(source, rule.organization(), source.organization);
}

// What the rule calls for; nullopt when nothing, also for a record without money.
absl::StatusOr<std::optional<v1::Voucher>> VoucherOf(const PostingRule& rule,
                                                     const FactSource* source) {
  if (source == nullptr) return std::nullopt;
  std::optional<std::string> date = DateOf(rule, *source);
  if (!date.has_value()) return std::nullopt;
  v1::Voucher voucher;
  voucher.set_on_date(*std::move(date));
  const std::string number = FieldOr(*source, "number", "");
  voucher.set_memo(number.empty() ? rule.memo().zh() : StrCat(rule.memo().zh(), " ", number));
  for (const auto& side : rule.entries()) {
    ASSIGN_OR_RETURN(const int64_t fen, AmountOf(*source, side.amount()));
    if (fen == 0) continue;
    v1::Entry& entry = *voucher.add_entries();
    entry.set_account(side.account_from().empty()
                          ? side.account()
                          : std::string(catalog::ValueOf(*source, side.account_from())));
    (side.debit() ? entry.set_debit_fen(fen) : entry.set_credit_fen(fen));
    for (const auto& dimension : side.dimensions()) {
      const std::string value = DimensionOf(dimension.value(), *source);
      if (!value.empty()) (*entry.mutable_dimensions())[dimension.key()] = value;
    }
  }
  if (voucher.entries().empty()) return std::nullopt;
  return voucher;
}

// One rule of one changed record whose voucher is new, different or gone.
struct Step {
  std::string source;  // Name of the record.
  int64_t part = 0;    // Position of the rule.
  std::string old_organization;
  std::string new_organization;
  bool elsewhere = false;  // Not only in the book of the record's own organisation.
  std::optional<v1::Voucher> before;
  std::optional<v1::Voucher> after;
};

// The same bytes for the same voucher: maps have no order of their own.
std::string BytesOf(const v1::Voucher& voucher) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream out(&stream);
  out.SetSerializationDeterministic(true);
  voucher.SerializeToCodedStream(&out);
  out.Trim();
  return bytes;
}

bool SameVoucher(const Step& step) {
  if (step.before.has_value() != step.after.has_value()) return false;
  return !step.after.has_value() || (step.old_organization == step.new_organization &&
                                     BytesOf(*step.before) == BytesOf(*step.after));
}

absl::StatusOr<std::vector<Step>> StepsOf(absl::Span<const records::Change> changes) {
  std::vector<Step> steps;
  for (const records::Change& change : changes) {
    for (int i = 0; i < change.kind->postings_size(); ++i) {
      const PostingRule& rule = change.kind->postings(i);
      Step step;
      ASSIGN_OR_RETURN(step.before, VoucherOf(rule, change.before));
      ASSIGN_OR_RETURN(step.after, VoucherOf(rule, change.after));
      const std::string& own = change.after->organization;
      step.new_organization = OrganizationOf(rule, *change.after);
      if (change.before != nullptr) step.old_organization = OrganizationOf(rule, *change.before);
      if (SameVoucher(step)) continue;
      step.elsewhere = (step.before.has_value() && step.old_organization != own) ||
                       (step.after.has_value() && step.new_organization != own);
      step.source = change.record->name();
      step.part = i;
      steps.push_back(std::move(step));
    }
  }
  return steps;
}

void Need(Books::Needs& needs, const std::string& organization, const v1::Voucher& voucher) {
  const auto [it, added] = needs.try_emplace(organization, voucher.on_date());
  if (!added && voucher.on_date() < it->second) it->second = voucher.on_date();
}

// Gathers the vouchers of one transaction.
class Round {
 public:
  Round(const rpc::Call& call, sql::Tx& tx, std::map<std::string, BookPtr> books)
      : call_(call), tx_(tx), books_(std::move(books)) {}

  absl::Status Take(Step& step, bool known_record) {
    int64_t revision = 0;
    if (step.before.has_value()) RETURN_IF_ERROR(Undo(step));
    if (!step.after.has_value()) return absl::OkStatus();
    const BookPtr& book = books_.at(step.new_organization);
    if (known_record) {
      ASSIGN_OR_RETURN(const std::optional<Latest> latest, Find(*book, step));
      if (latest.has_value()) revision = latest->revision + 1;
    }
    step.after->set_source(step.source);
    RETURN_IF_ERROR(CheckVoucher(*book, *step.after, ""));
    Draft& draft = Add(book, *std::move(step.after));
    draft.part = step.part;
    draft.revision = revision;
    return absl::OkStatus();
  }

  absl::Status PostAll(feed::v1::Event& event) {
    std::vector<Draft*> drafts;
    for (Draft& draft : drafts_) drafts.push_back(&draft);
    RETURN_IF_ERROR(Post(tx_, call_, drafts));
    AddCashFacts(call_.federation, drafts, event);
    return absl::OkStatus();
  }

 private:
  struct Latest {
    VoucherKey key;
    int64_t revision = 0;
    bool reversed = false;
  };

  absl::StatusOr<std::optional<Latest>> Find(const OpenBook& book, const Step& step) {
    ASSIGN_OR_RETURN(const sql::Rows rows,
                     tx_.Run(kLatestOfSource, {call_.federation, book.id, step.source, step.part}));
    if (rows.empty()) return std::nullopt;
    return Latest{{rows[0].Get<std::string>(0), rows[0].Get<int64_t>(1)},
                  rows[0].Get<int64_t>(2),
                  !rows[0].Get<std::string>(3).empty()};
  }

  // Somebody may have reversed the voucher by hand before.
  absl::Status Undo(const Step& step) {
    const BookPtr& book = books_.at(step.old_organization);
    ASSIGN_OR_RETURN(const std::optional<Latest> latest, Find(*book, step));
    if (!latest.has_value() || latest->reversed) return absl::OkStatus();
    ASSIGN_OR_RETURN(const v1::Voucher posted,
                     LoadVoucher(tx_, call_.federation, book->id, latest->key));
    Add(book, RedLetter(posted, posted.on_date(), posted.memo())).reverses = latest->key.Id();
    return absl::OkStatus();
  }

  Draft& Add(const BookPtr& book, v1::Voucher voucher) {
    vouchers_.push_back(std::move(voucher));
    Draft& draft = drafts_.emplace_back();
    draft.book = book;
    draft.voucher = &vouchers_.back();
    return draft;
  }

  const rpc::Call& call_;
  sql::Tx& tx_;
  const std::map<std::string, BookPtr> books_;
  std::deque<v1::Voucher> vouchers_;  // Do not move: drafts point to them.
  std::deque<Draft> drafts_;
};

}  // namespace

absl::Status BenefitPostings::OnChange(const rpc::Call& call, sql::Tx& tx,
                                       absl::Span<const records::Change> changes,
                                       feed::v1::Event& event) const {
  ASSIGN_OR_RETURN(std::vector<Step> steps, StepsOf(changes));
  if (steps.empty()) return absl::OkStatus();
  Books::Needs needs;
  for (const Step& step : steps) {
    if (step.before.has_value()) {
      if (step.elsewhere) RETURN_IF_ERROR(call.CheckScope(step.old_organization));
      Need(needs, step.old_organization, *step.before);
    }
    if (step.after.has_value()) {
      if (step.elsewhere) RETURN_IF_ERROR(call.CheckScope(step.new_organization));
      Need(needs, step.new_organization, *step.after);
    }
  }
  ASSIGN_OR_RETURN(auto books, books_->ForOrganizations(call, tx, needs));
  Round round(call, tx, std::move(books));
  for (Step& step : steps) RETURN_IF_ERROR(round.Take(step, !step.old_organization.empty()));
  return round.PostAll(event);
}

}  // namespace gonghui::funds
