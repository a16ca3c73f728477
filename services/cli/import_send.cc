#include "services/cli/import_send.h"

#include <algorithm>
#include <memory>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "gonghui/membership/v1/member.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace gonghui::cli {
namespace {

using common::v1::ItemFailure;
using google::protobuf::Message;

constexpr int kLanes = 2;
constexpr absl::Duration kFirstDelay = absl::Milliseconds(200);
constexpr absl::Duration kLongestDelay = absl::Seconds(5);

// The batch method of a noun.
struct Method {
  std::string path;
  const Message* request;
  const Message* response;
  const char* items;
};

Method MethodOf(const KindEntry& entry) {
  if (entry.noun() == "organization") {
    return {"/gonghui.membership.v1.OrganizationService/BatchCreateOrganizations",
            &membership::v1::BatchCreateOrganizationsRequest::default_instance(),
            &membership::v1::BatchCreateOrganizationsResponse::default_instance(), "organizations"};
  }
  if (entry.noun() == "member") {
    return {"/gonghui.membership.v1.MemberService/BatchCreateMembers",
            &membership::v1::BatchCreateMembersRequest::default_instance(),
            &membership::v1::BatchCreateMembersResponse::default_instance(), "members"};
  }
  if (entry.noun() == "voucher") {
    return {"/gonghui.funds.v1.LedgerService/BatchPostVouchers",
            &funds::v1::BatchPostVouchersRequest::default_instance(),
            &funds::v1::BatchPostVouchersResponse::default_instance(), "vouchers"};
  }
  return {"/" + entry.service() + "/BatchCreateRecords",
          &common::v1::BatchCreateRecordsRequest::default_instance(),
          &common::v1::BatchCreateRecordsResponse::default_instance(), "records"};
}

// True where a later item may need an earlier one, or numbers follow the order of the file.
bool KeepsOrder(const KindEntry& entry) {
  if (entry.noun() == "organization" || entry.noun() == "voucher" || entry.noun() == "book") {
    return true;
  }
  const auto& fields = entry.kind().fields();
  return std::any_of(fields.begin(), fields.end(), [&](const auto& field) {
    return field.type() == common::v1::FIELD_TYPE_RECORD &&
           field.refers_to() == entry.kind().name();
  });
}

// True where the service itself knows the item again by a key.
bool HasKey(const KindEntry& entry, const Item& item) {
  if (const auto* voucher = dynamic_cast<const funds::v1::Voucher*>(item.message.get())) {
    return !voucher->source().empty();
  }
  const auto* record = dynamic_cast<const common::v1::Record*>(item.message.get());
  return record == nullptr || !record->number().empty() || !entry.kind().key().empty();
}

bool IsTransient(const absl::Status& status) {
  const auto reason = ReasonOf(status);
  // A server that goes away cancels the calls it has; nobody else cancels ours.
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsCancelled(status) || absl::IsUnknown(status) ||
         reason == common::v1::REASON_OVERLOADED || reason == common::v1::REASON_CONFLICT ||
         reason == common::v1::REASON_RATE_LIMITED || reason == common::v1::REASON_OUTCOME_UNKNOWN;
}

// Reasons that lie in the item alone: they do not go away by themselves.
bool IsFinal(const ItemFailure& failure) {
  static constexpr const char* kFinal[] = {"DUPLICATE_IN_REQUEST", "FIELD_REQUIRED",
                                           "FIELD_INVALID",        "FIELD_TOO_LONG",
                                           "ID_NUMBER_INVALID",    "VOUCHER_UNBALANCED"};
  return std::find(std::begin(kFinal), std::end(kFinal), failure.reason()) != std::end(kFinal);
}

// The item that a path such as "records[3].on_date" points to; -1 where it points to none.
int IndexIn(const std::string& path, std::string_view items, size_t size) {
  const std::string prefix = std::string(items) + "[";
  int index = -1;
  if (!path.starts_with(prefix)) return -1;
  const size_t close = path.find(']');
  if (!absl::SimpleAtoi(path.substr(prefix.size(), close - prefix.size()), &index)) return -1;
  return index >= 0 && index < static_cast<int>(size) ? index : -1;
}

int IntField(const Message& message, const char* name) {
  const auto* field = message.GetDescriptor()->FindFieldByName(name);
  return field == nullptr ? 0 : message.GetReflection()->GetInt32(message, field);
}

// The failures or warnings of an answer; none where it has no such field.
std::vector<ItemFailure> ItemsOf(const Message& response, const char* name) {
  const auto* field = response.GetDescriptor()->FindFieldByName(name);
  std::vector<ItemFailure> failures;
  if (field == nullptr || field->message_type() != ItemFailure::descriptor()) return failures;
  for (int i = 0; i < response.GetReflection()->FieldSize(response, field); ++i) {
    failures.push_back(static_cast<const ItemFailure&>(
        response.GetReflection()->GetRepeatedMessage(response, field, i)));
  }
  return failures;
}

void SetText(Message& message, const char* name, const std::string& value) {
  message.GetReflection()->SetString(&message, message.GetDescriptor()->FindFieldByName(name),
                                     value);
}

void SetFlag(Message& message, const char* name, bool value) {
  message.GetReflection()->SetBool(&message, message.GetDescriptor()->FindFieldByName(name), value);
}

std::string CanonicalBytes(const Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);  // Maps in key order.
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

}  // namespace

// What a batch answered.
struct Sender::Answer {
  int created = 0;
  int existing = 0;
  std::vector<ItemFailure> failures;
  std::vector<ItemFailure> warnings;
};

Sender::Sender(const rpc::Client& client, std::string federation, const ImportFile& file,
               Options options, Progress& progress)
    : client_(client),
      federation_(std::move(federation)),
      file_(file),
      options_(std::move(options)),
      progress_(progress) {
  for (const Item& item : file.items()) {
    if (batches_.empty() || static_cast<int>(batches_.back().size()) >= options_.batch) {
      batches_.emplace_back();
    }
    batches_.back().push_back(&item);
  }
}

absl::StatusOr<Outcome> Sender::Run() {
  const int lanes = KeepsOrder(file_.entry()) ? 1 : kLanes;
  std::vector<std::thread> threads;
  for (int i = 1; i < lanes; ++i) threads.emplace_back([this] { Work(); });
  Work();
  for (std::thread& thread : threads) thread.join();
  absl::MutexLock lock(&mutex_);
  if (!failure_.ok()) return failure_;
  return std::move(outcome_);
}

void Sender::Work() {
  for (size_t i = next_++; i < batches_.size(); i = next_++) {
    {
      absl::MutexLock lock(&mutex_);
      if (!failure_.ok()) return;
    }
    absl::Status status;
    if (file_.entry().noun() == "book") {
      for (const Item* item : batches_[i]) {
        if (status.ok()) status = SendOne(*item);
      }
    } else {
      status = Send(batches_[i], absl::StrCat("batch ", i), /*first=*/true);
    }
    int rows = 0;
    for (const Item* item : batches_[i]) rows += static_cast<int>(item->rows.size());
    progress_.Add(rows);
    absl::MutexLock lock(&mutex_);
    if (!status.ok() && failure_.ok()) failure_ = status;
  }
}

std::string Sender::RequestId(const Message& request, const std::string& salt) const {
  return ContentId(absl::StrCat(federation_, "\n", file_.entry().kind().name(), "\n", salt, "\n",
                                CanonicalBytes(request)));
}

absl::Status Sender::Invoke(const std::string& path, const Message& request, Message& response) {
  absl::Time give_up = absl::InfiniteFuture();
  for (absl::Duration delay = kFirstDelay;; delay = std::min(delay * 2, kLongestDelay)) {
    const absl::Status status = client_.InvokeMessage(path, request, response, nullptr);
    if (!IsTransient(status)) return status;
    if (give_up == absl::InfiniteFuture()) {
      give_up = absl::Now() + options_.patience;
      progress_.Note(options_.waiting);
    }
    if (absl::Now() + delay > give_up) return status;
    absl::SleepFor(delay);
  }
}

absl::StatusOr<Sender::Answer> Sender::Call(const Batch& items, const std::string& salt,
                                            bool validate_only) {
  const Method method = MethodOf(file_.entry());
  std::unique_ptr<Message> request(method.request->New());
  std::unique_ptr<Message> response(method.response->New());
  SetText(*request, "parent", "federations/" + federation_);
  const auto* field = request->GetDescriptor()->FindFieldByName(method.items);
  for (const Item* item : items) {
    request->GetReflection()->AddMessage(request.get(), field)->CopyFrom(*item->message);
  }
  if (auto* records = dynamic_cast<common::v1::BatchCreateRecordsRequest*>(request.get())) {
    for (size_t i = 0; i < items.size(); ++i) {
      for (const Advance& advance : items[i]->advances) {
        auto* step = records->add_advances();
        step->set_index(static_cast<int>(i));
        step->set_transition(advance.transition);
        step->set_on_date(advance.on_date);
      }
    }
  }
  SetFlag(*request, "partial", true);
  SetFlag(*request, "validate_only", validate_only);
  // A check must not be remembered as the answer to a write.
  SetText(*request, "request_id",
          validate_only || salt.empty() ? NewId(absl::Now()) : RequestId(*request, salt));
  RETURN_IF_ERROR(Invoke(method.path, *request, *response));
  Answer answer;
  answer.created = IntField(*response, "created") + IntField(*response, "posted");
  answer.existing = IntField(*response, "existing");
  answer.failures = ItemsOf(*response, "failures");
  if (file_.entry().noun() == "record") answer.warnings = ItemsOf(*response, "warnings");
  if (file_.entry().noun() == "voucher" && !validate_only) {  // Its answer does not count them.
    std::set<int> failed;
    for (const ItemFailure& failure : answer.failures) failed.insert(failure.index());
    answer.existing = static_cast<int>(items.size() - failed.size()) - answer.created;
  }
  for (const ItemFailure& failure : answer.failures) {
    if (failure.index() >= 0 && failure.index() < static_cast<int>(items.size())) continue;
    return Internal("a batch's answer names an item that was not sent");
  }
  return answer;
}

absl::Status Sender::Send(Batch items, const std::string& salt, bool first) {
  const Method method = MethodOf(file_.entry());
  while (!items.empty()) {
    auto answer = Call(items, salt, options_.dry_run);
    if (answer.ok()) {
      {
        absl::MutexLock lock(&mutex_);
        outcome_.created += answer->created;
        outcome_.existing += answer->existing;
        for (const ItemFailure& warning : answer->warnings) {
          if (warning.index() < 0 || warning.index() >= static_cast<int>(items.size())) continue;
          outcome_.warnings.push_back(file_.Explain(*items[warning.index()], warning));
        }
      }
      if (first && !options_.dry_run) return LookAgain(answer->failures, items, salt);
      for (const ItemFailure& failure : answer->failures) Reject(*items[failure.index()], failure);
      return absl::OkStatus();
    }
    const int bad = IndexIn(FieldOf(answer.status()), method.items, items.size());
    if (absl::IsInvalidArgument(answer.status()) && bad >= 0) {
      Reject(*items[bad], ToItemFailure(bad, answer.status()));
      items.erase(items.begin() + bad);
    } else if (ReasonOf(answer.status()) == common::v1::REASON_REQUEST_TOO_LARGE &&
               items.size() > 1) {
      const auto middle = items.begin() + static_cast<long>(items.size() / 2);
      RETURN_IF_ERROR(Send(Batch(items.begin(), middle), salt, first));
      items.erase(items.begin(), middle);
    } else {
      return answer.status();
    }
  }
  return absl::OkStatus();
}

// The answer may be that of an earlier run, remembered under the same request_id: what failed then
// may pass now, for example because the missing parents have been loaded since. So failed items are
// checked afresh, and those that pass are sent under another key.
absl::Status Sender::LookAgain(const std::vector<ItemFailure>& failures, const Batch& items,
                               const std::string& salt) {
  Batch open;
  for (const ItemFailure& failure : failures) {
    if (IsFinal(failure)) {
      Reject(*items[failure.index()], failure);
    } else if (open.empty() || open.back() != items[failure.index()]) {
      open.push_back(items[failure.index()]);
    }
  }
  if (open.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Answer answer, Call(open, "", /*validate_only=*/true));
  std::set<int> still;
  for (const ItemFailure& failure : answer.failures) {
    Reject(*open[failure.index()], failure);
    still.insert(failure.index());
  }
  Batch keyed;
  for (size_t i = 0; i < open.size(); ++i) {
    if (still.count(static_cast<int>(i)) > 0) continue;
    if (HasKey(file_.entry(), *open[i])) {
      keyed.push_back(open[i]);
    } else {
      // Without a key of its own only the request_id keeps it from being written twice.
      RETURN_IF_ERROR(Send({open[i]}, salt + " again", /*first=*/false));
    }
  }
  return Send(std::move(keyed), "", /*first=*/false);
}

absl::Status Sender::SendOne(const Item& book) {
  funds::v1::CreateBookRequest request;
  request.set_parent("federations/" + federation_);
  *request.mutable_book() = static_cast<const funds::v1::Book&>(*book.message);
  request.set_request_id(RequestId(request, "book"));
  if (options_.dry_run) return absl::OkStatus();  // The service has no check without a write.
  funds::v1::Book created;
  const absl::Status status =
      Invoke("/gonghui.funds.v1.LedgerService/CreateBook", request, created);
  if (status.ok()) {
    absl::MutexLock lock(&mutex_);
    ++(created.create_time_us() < absl::ToUnixMicros(start_) ? outcome_.existing
                                                             : outcome_.created);
    return status;
  }
  const bool fault_of_row = absl::IsInvalidArgument(status) || absl::IsNotFound(status) ||
                            absl::IsAlreadyExists(status) || absl::IsFailedPrecondition(status);
  if (!fault_of_row) return status;
  Reject(book, ToItemFailure(0, status));
  return absl::OkStatus();
}

void Sender::Reject(const Item& item, const ItemFailure& failure) {
  RowError error = file_.Explain(item, failure);
  absl::MutexLock lock(&mutex_);
  outcome_.errors.push_back(std::move(error));
  outcome_.rejected.insert(item.rows.begin(), item.rows.end());
}

}  // namespace gonghui::cli
