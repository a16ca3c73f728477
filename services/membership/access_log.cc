#include "services/membership/access_log.h"

#include <map>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/crypto/personal.h"
#include "common/rpc/service.h"

namespace gonghui::membership {
namespace {

constexpr absl::Duration kFlushEvery = absl::Seconds(1);
constexpr absl::Duration kFlushWithin = absl::Seconds(10);
constexpr size_t kWaitingMost = 200'000;
constexpr size_t kAtOnce = 1000;  // Entries in a transaction.

constexpr sql::Query kMakeHead{
    "membership.make_access_head",
    "INSERT INTO access_heads (tenant, sequence, digest) VALUES ($1, 0, '') ON "
    "CONFLICT DO NOTHING"};
constexpr sql::Query kTakeNumbers{
    "membership.take_access_numbers",
    "UPDATE access_heads SET sequence=sequence+$2 WHERE tenant=$1 RETURNING "
    "sequence, digest"};
constexpr sql::Query kSetHead{"membership.set_access_head",
                              "UPDATE access_heads SET digest=$2 WHERE tenant=$1"};
constexpr sql::InsertQuery kInsert{
    "membership.insert_access",
    "INSERT INTO accesses (tenant, sequence, at_us, kind, actor, method, member_id, field, "
    "purpose, remark, times, trace, digest)",
    ""};

}  // namespace

AccessRow NewAccess(const rpc::Call& call, v1::AccessKind kind, std::string_view member_id) {
  AccessRow row;
  row.member_id = member_id;
  row.access.set_at_us(call.clock->NowMicros());
  row.access.set_kind(kind);
  row.access.set_actor(call.actor.subject);
  row.access.set_method(call.method->full_name);
  row.access.set_times(1);
  row.access.set_trace(call.trace_id());
  return row;
}

std::string AccessDigest(std::string_view before, const AccessRow& row) {
  const v1::Access& a = row.access;
  std::string bytes = "1";
  const auto add = [&](std::string_view text) { StrAppend(&bytes, ";", text.size(), ":", text); };
  add(before);
  for (const int64_t number : {a.sequence(), a.at_us(), int64_t{a.kind()}, int64_t{a.times()}}) {
    add(StrCat(number));
  }
  for (const std::string& text :
       {a.actor(), a.method(), row.member_id, a.field(), a.purpose(), a.remark(), a.trace()}) {
    add(text);
  }
  return crypto::Sm3Hex(bytes);
}

void AccessLog::Start() {
  thread_ = std::thread([this] { Run(); });
}

void AccessLog::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void AccessLog::Run() {
  for (bool stopping = false; !stopping;) {
    {
      absl::MutexLock lock(&mutex_);
      mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kFlushEvery);
      stopping = stopping_;
    }
    if (const absl::Status status = Flush(absl::Now() + kFlushWithin); !status.ok()) {
      log::Error("accesses not written", {{"reason", ReasonName(ReasonOf(status))}});
    }
  }
}

absl::Status AccessLog::Note(const rpc::Call& call, v1::AccessKind kind,
                             std::string_view member_id) {
  const std::string& method = call.method->full_name;
  std::string key =
      StrCat(call.federation, "\n", call.actor.subject, "\n", method, "\n", member_id);
  absl::MutexLock lock(&mutex_);
  if (waiting_.size() >= kWaitingMost) {
    return ResourceExhausted(common::v1::REASON_OVERLOADED,
                             "too many accesses wait to be logged, and nobody is shown without; "
                             "try again in a second",
                             "待写入的查阅日志过多，未记录前不予显示，请稍后重试");
  }
  const auto [place, fresh] = places_.try_emplace(std::move(key), waiting_.size());
  if (!fresh) {
    v1::Access& access = waiting_[place->second].row.access;
    access.set_times(access.times() + 1);
    return absl::OkStatus();
  }
  waiting_.push_back({call.federation, NewAccess(call, kind, member_id)});
  return absl::OkStatus();
}

absl::Status AccessLog::Flush(absl::Time deadline) {
  absl::MutexLock writing(&writing_);
  std::vector<Waiting> taken;
  {
    absl::MutexLock lock(&mutex_);
    taken.swap(waiting_);
    places_.clear();
  }
  std::map<std::string, std::vector<AccessRow>> by_federation;
  for (Waiting& one : taken) by_federation[one.federation].push_back(std::move(one.row));
  absl::Status status;
  for (auto& [federation, rows] : by_federation) {
    size_t written = 0;
    while (status.ok() && written < rows.size()) {
      const size_t end = std::min(rows.size(), written + kAtOnce);
      status = Write(federation, {rows.begin() + written, rows.begin() + end}, deadline);
      if (status.ok()) written = end;
    }
    if (written == rows.size()) continue;
    // Entered again, behind what came meanwhile.
    absl::MutexLock lock(&mutex_);
    for (; written < rows.size(); ++written) {
      waiting_.push_back({federation, std::move(rows[written])});
    }
  }
  return status;
}

absl::Status AccessLog::Write(const std::string& federation, std::vector<AccessRow> rows,
                              absl::Time deadline) {
  return db_.ReadWrite(deadline,
                       [&](sql::Tx& tx) { return Append(tx, federation, absl::MakeSpan(rows)); });
}

absl::Status AccessLog::Append(sql::Tx& tx, const std::string& federation,
                               absl::Span<AccessRow> rows) {
  const auto count = static_cast<int64_t>(rows.size());
  RETURN_IF_ERROR(tx.Run(kMakeHead, {federation}).status());
  ASSIGN_OR_RETURN(const sql::Rows head, tx.Run(kTakeNumbers, {federation, count}));
  int64_t sequence = head[0].Get<int64_t>(0) - count;
  auto digest = head[0].Get<std::string>(1);
  std::vector<sql::Args> args;
  for (AccessRow& row : rows) {
    v1::Access& a = row.access;
    a.set_sequence(++sequence);
    digest = AccessDigest(digest, row);
    a.set_digest(digest);
    args.push_back({federation, sequence, a.at_us(), int64_t{a.kind()}, a.actor(), a.method(),
                    row.member_id, a.field(), a.purpose(), a.remark(), int64_t{a.times()},
                    a.trace(), digest});
  }
  RETURN_IF_ERROR(tx.InsertMany(kInsert, args).status());
  return tx.Run(kSetHead, {federation, digest}).status();
}

}  // namespace gonghui::membership
