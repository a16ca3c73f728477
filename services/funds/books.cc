#include "services/funds/books.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "common/rpc/update.h"
#include "services/funds/book_states.h"

namespace gonghui::funds {
namespace {

constexpr size_t kMostKnown = 100'000;
constexpr int kScan = 500;      // Books read at a time when a list keeps only those below a union.
constexpr int kMostPeople = 3;  // Maker, checker, poster.
constexpr std::string_view kBookName = "federations/{federation}/books/{book}";

constexpr sql::Query kGetBook{
    "funds.get_book",
    "SELECT b.book_id, b.organization, b.chart, b.display_name, b.opened_on, b.automatic, "
    "b.create_time_us, s.people, s.soft_closed_through, s.hard_closed_through FROM books b "
    "JOIN book_states s ON s.tenant = b.tenant AND s.book_id = b.book_id "
    "WHERE b.tenant = $1 AND b.book_id = $2"};
constexpr sql::Query kListBooks{
    "funds.list_books",
    "SELECT b.book_id, b.organization, b.chart, b.display_name, b.opened_on, b.automatic, "
    "b.create_time_us, s.people, s.soft_closed_through, s.hard_closed_through FROM books b "
    "JOIN book_states s ON s.tenant = b.tenant AND s.book_id = b.book_id "
    "WHERE b.tenant = $1 AND b.book_id > $2 ORDER BY b.book_id LIMIT $3"};
constexpr sql::Query kInsertBook{
    "funds.insert_book",
    "INSERT INTO books (tenant, book_id, organization, chart, display_name, opened_on, automatic, "
    "create_time_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant, book_id) DO "
    "NOTHING"};
constexpr sql::Query kOpenEarlier{
    "funds.open_book_earlier",
    "UPDATE books SET opened_on = $3 WHERE tenant = $1 AND book_id = $2"};

constexpr sql::Query kBooksOfOrganization{
    "funds.books_of_organization",
    "SELECT b.book_id, b.organization, b.chart, b.display_name, b.opened_on, b.automatic, "
    "b.create_time_us, s.people, s.soft_closed_through, s.hard_closed_through FROM books b "
    "JOIN book_states s ON s.tenant = b.tenant AND s.book_id = b.book_id "
    "WHERE b.tenant = $1 AND b.organization = $2"};
constexpr sql::Query kRename{
    "funds.rename_book", "UPDATE books SET display_name = $3 WHERE tenant = $1 AND book_id = $2"};

struct StoredBook {
  v1::Book book;
  bool automatic = false;
};

StoredBook ReadBook(const rpc::Call& call, const sql::Rows::Row& row) {
  StoredBook stored;
  stored.book.set_id(row.Get<std::string>(0));
  stored.book.set_name(StrCat("federations/", call.federation, "/books/", stored.book.id()));
  stored.book.set_organization(row.Get<std::string>(1));
  stored.book.set_chart(row.Get<std::string>(2));
  stored.book.set_display_name(row.Get<std::string>(3));
  stored.book.set_opened_on(row.Get<std::string>(4));
  stored.automatic = row.Get<bool>(5);
  stored.book.set_create_time_us(row.Get<int64_t>(6));
  stored.book.set_people(row.Get<int>(7));
  stored.book.set_soft_closed_through(row.Get<std::string>(8));
  stored.book.set_hard_closed_through(row.Get<std::string>(9));
  return stored;
}

absl::StatusOr<std::optional<StoredBook>> Load(sql::Tx& tx, const rpc::Call& call,
                                               std::string_view id) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kGetBook, {call.federation, std::string(id)}));
  if (rows.empty()) return std::nullopt;
  return ReadBook(call, rows[0]);
}

absl::Status ExistsOtherwise(std::string_view id) {
  return AlreadyExists(
             common::v1::REASON_ALREADY_EXISTS,
             StrCat("The book '", id, "' exists with another organisation, chart, name or opening ",
                    "day; choose another id."),
             StrCat("账套“", id, "”已存在且内容不同；请换用其他编号。"))
      .With("book", std::string(id))
      .At("book.id");
}

absl::Status Insert(sql::Tx& tx, const rpc::Call& call, const v1::Book& book, bool automatic) {
  ASSIGN_OR_RETURN(const sql::Rows rows,
                   tx.Run(kInsertBook, {call.federation, book.id(), book.organization(),
                                        book.chart(), book.display_name(), book.opened_on(),
                                        automatic, book.create_time_us()}));
  if (rows.affected() != 1) return ExistsOtherwise(book.id());
  BookState state;
  state.people = book.people();
  return WriteStates(tx, call.federation, {{book.id(), state}});
}

bool SameContent(v1::Book a, v1::Book b) {
  for (v1::Book* book : {&a, &b}) {
    book->clear_create_time_us();
    book->clear_soft_closed_through();
    book->clear_hard_closed_through();
  }
  return a.SerializeAsString() == b.SerializeAsString();
}

absl::Status CheckPeople(v1::Book& book) {
  if (book.people() == 0) book.set_people(1);
  if (book.people() >= 1 && book.people() <= kMostPeople) return absl::OkStatus();
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat("A voucher takes 1, 2 or 3 people, not ", book.people(), "."),
                         StrCat("凭证由 1、2 或 3 人分别办理，不能是 ", book.people(), "。"))
      .At("book.people");
}

absl::Status NotFoundBook(std::string_view id) {
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("There is no book '", id, "'; ListBooks shows the books."),
                  StrCat("没有账套“", id, "”；请用 ListBooks 查看已有账套。"))
      .With("book", std::string(id));
}

// The book in which an organisation's payments are posted: the one under its own id, else the
// first.
bool Precedes(const StoredBook& a, const StoredBook& b) {
  const bool own_a = a.book.id() == a.book.organization();
  const bool own_b = b.book.id() == b.book.organization();
  return own_a != own_b ? own_a : a.book.id() < b.book.id();
}

absl::StatusOr<BookPtr> ToOpenBook(const v1::Book& book, const Charts& charts) {
  const Chart* chart = charts.Find(book.chart());
  if (chart == nullptr) {
    return Internal(StrCat("book ", book.name(), " is on the unknown chart ", book.chart()));
  }
  return std::make_shared<const OpenBook>(
      OpenBook{book.id(), book.organization(), book.opened_on(), chart});
}

}  // namespace

absl::Status NoSuchBook(std::string_view id) {
  return NotFound(common::v1::REASON_BOOK_MISSING,
                  StrCat("There is no book '", id, "'; open it with CreateBook first."),
                  StrCat("没有账套“", id, "”；请先建立账套。"))
      .With("book", std::string(id));
}

// Completes and checks a book to be opened.
absl::Status Books::Check(const rpc::Call& call, v1::Book& book) const {
  if (charts_->Find(book.chart()) == nullptr) {
    return InvalidArgument(common::v1::REASON_CODE_UNKNOWN,
                           StrCat("There is no chart of accounts '", book.chart(),
                                  "'; known are: ", charts_->Names(), "."),
                           StrCat("没有科目表“", book.chart(), "”；可用：", charts_->Names(), "。"))
        .With("chart", book.chart())
        .At("book.chart");
  }
  ASSIGN_OR_RETURN(const auto tree, host_.tree->Get(call.federation, book.organization()));
  if (!tree->Exists(book.organization())) {
    return InvalidArgument(common::v1::REASON_REFERENCE_NOT_FOUND,
                           StrCat("There is no union organisation '", book.organization(),
                                  "'; create it before its book."),
                           StrCat("没有工会组织“", book.organization(), "”；请先建立该组织。"))
        .With("organization", book.organization())
        .At("book.organization");
  }
  RETURN_IF_ERROR(CheckPeople(book));
  if (book.id().empty()) book.set_id(book.organization());
  if (book.display_name().empty()) {
    const std::string today = call.Today();
    const tree::Version* version = tree->Find(book.organization(), today);
    book.set_display_name(version == nullptr ? book.id() : version->display_name);
  }
  book.set_name(StrCat("federations/", call.federation, "/books/", book.id()));
  return absl::OkStatus();
}

absl::StatusOr<v1::Book> Books::Create(rpc::Call& call, const v1::CreateBookRequest& request) {
  v1::Book book = request.book();
  RETURN_IF_ERROR(Check(call, book));
  book.set_create_time_us(call.clock->NowMicros());
  return rpc::WriteOnce<v1::Book>(
      *host_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Book> {
        ASSIGN_OR_RETURN(const auto existing, Load(tx, call, book.id()));
        if (existing.has_value()) {
          if (SameContent(existing->book, book)) return existing->book;
          return ExistsOtherwise(book.id());
        }
        RETURN_IF_ERROR(Insert(tx, call, book, false));
        feed::v1::Event event;
        event.set_type("gonghui.funds.v1.BooksOpened");
        event.add_resources(book.name());
        RETURN_IF_ERROR(feed::Append(tx, call, std::move(event)));
        return book;
      });
}

absl::StatusOr<v1::Book> Books::Read(sql::Tx& tx, const rpc::Call& call, std::string_view id) {
  ASSIGN_OR_RETURN(const auto stored, Load(tx, call, id));
  if (!stored.has_value()) return NotFoundBook(id);
  return stored->book;
}

absl::StatusOr<v1::Book> Books::Get(rpc::Call& call, const v1::GetBookRequest& request) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kBookName, request.name()));
  std::optional<StoredBook> stored;
  RETURN_IF_ERROR(host_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(stored, Load(tx, call, name.at("book")));
    return absl::OkStatus();
  }));
  if (!stored.has_value()) return NotFoundBook(name.at("book"));
  RETURN_IF_ERROR(call.CheckScope(stored->book.organization()));
  return stored->book;
}

absl::StatusOr<v1::Book> Books::Update(rpc::Call& call, const v1::UpdateBookRequest& request) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kBookName, request.book().name()));
  ASSIGN_OR_RETURN(const BookPtr book, FindForCaller(call, name.at("book")));
  v1::Book changes = request.book();
  RETURN_IF_ERROR(CheckPeople(changes));
  ASSIGN_OR_RETURN(const std::vector<std::string> paths,
                   rpc::ReadMask(request.update_mask(), changes));
  return rpc::WriteOnce<v1::Book>(
      *host_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Book> {
        const std::string& tenant = call.federation;
        ASSIGN_OR_RETURN(const auto stored, Load(tx, call, book->id));
        v1::Book updated = stored->book;
        rpc::MergeMasked(paths, changes, updated);
        const BookMonth key{book->id, ""};
        ASSIGN_OR_RETURN(BookStates states, ReadStates(tx, tenant, {&key, 1}));
        states.at(book->id).people = updated.people();
        RETURN_IF_ERROR(WriteStates(tx, tenant, states));
        RETURN_IF_ERROR(tx.Run(kRename, {tenant, book->id, updated.display_name()}).status());
        feed::v1::Event event;
        event.set_type("gonghui.funds.v1.BookUpdated");
        event.add_resources(updated.name());
        RETURN_IF_ERROR(feed::Append(tx, call, std::move(event)));
        return updated;
      });
}

absl::StatusOr<v1::ListBooksResponse> Books::List(rpc::Call& call,
                                                  const v1::ListBooksRequest& request) {
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(auto last, rpc::ReadPageToken(request, request.page_token(), 1));
  ASSIGN_OR_RETURN(const auto tree, host_.tree->Get(call.federation, request.organization()));
  const std::string today = call.Today();
  const auto wanted = [&](const v1::Book& book) {
    return request.organization().empty() ||
           tree->IsAtOrBelow(book.organization(), request.organization(), today);
  };
  v1::ListBooksResponse response;
  RETURN_IF_ERROR(host_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    std::string after = last.empty() ? "" : last[0];
    while (true) {
      ASSIGN_OR_RETURN(const sql::Rows rows,
                       tx.Run(kListBooks, {call.federation, after, int64_t{kScan}}));
      for (size_t i = 0; i < rows.size(); ++i) {
        StoredBook stored = ReadBook(call, rows[i]);
        if (!wanted(stored.book)) continue;
        if (response.books_size() == page_size) {
          const std::string& key = response.books(page_size - 1).id();
          response.set_next_page_token(rpc::MakePageToken(request, {key}));
          return absl::OkStatus();
        }
        *response.add_books() = std::move(stored.book);
      }
      if (rows.size() < kScan) return absl::OkStatus();
      after = rows[rows.size() - 1].Get<std::string>(0);
    }
  }));
  return response;
}

absl::StatusOr<v1::ListAccountsResponse> Books::ListAccounts(
    rpc::Call& call, const v1::ListAccountsRequest& request) {
  const Chart* chart = charts_->Find(request.chart());
  if (chart == nullptr) {
    return NotFound(common::v1::REASON_NOT_FOUND,
                    StrCat("There is no chart '", request.chart(),
                           "'; known are: ", charts_->Names(), "."),
                    StrCat("没有科目表“", request.chart(), "”；可用：", charts_->Names(), "。"))
        .With("chart", request.chart());
  }
  v1::ListAccountsResponse response;
  for (const v1::Account& account : chart->accounts()) *response.add_accounts() = account;
  return response;
}

absl::StatusOr<BookPtr> Books::Find(const rpc::Call& call, std::string_view id,
                                    std::string_view on_date) {
  const std::string key = StrCat(call.federation, "/", id);
  {
    absl::ReaderMutexLock lock(&mutex_);
    const auto it = known_.find(key);
    // The opening day may have moved back since.
    if (it != known_.end() && (on_date.empty() || it->second->opened_on <= on_date)) {
      return it->second;
    }
  }
  std::optional<StoredBook> stored;
  RETURN_IF_ERROR(host_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(stored, Load(tx, call, id));
    return absl::OkStatus();
  }));
  if (!stored.has_value()) return NoSuchBook(id);
  ASSIGN_OR_RETURN(BookPtr book, ToOpenBook(stored->book, *charts_));
  absl::MutexLock lock(&mutex_);
  if (known_.size() >= kMostKnown) known_.clear();
  known_[key] = book;
  return book;
}

absl::StatusOr<BookPtr> Books::FindForCaller(const rpc::Call& call, std::string_view id,
                                             std::string_view on_date) {
  ASSIGN_OR_RETURN(BookPtr book, Find(call, id, on_date));
  RETURN_IF_ERROR(call.CheckScope(book->organization));
  return book;
}

absl::StatusOr<std::map<std::string, BookPtr>> Books::ForOrganizations(const rpc::Call& call,
                                                                       sql::Tx& tx,
                                                                       const Needs& needs) {
  std::vector<sql::Args> keys;
  for (const auto& [organization, on_date] : needs) keys.push_back({call.federation, organization});
  std::map<std::string, StoredBook> kept;
  RETURN_IF_ERROR(tx.ReadMany(kBooksOfOrganization, keys, [&](const sql::Rows::Row& row) {
    StoredBook stored = ReadBook(call, row);
    const auto [it, added] = kept.try_emplace(stored.book.organization(), stored);
    if (!added && Precedes(stored, it->second)) it->second = std::move(stored);
  }));
  std::map<std::string, BookPtr> books;
  for (const auto& [organization, on_date] : needs) {
    const auto it = kept.find(organization);
    if (it == kept.end()) {
      ASSIGN_OR_RETURN(books[organization], Open(call, tx, organization, on_date));
      continue;
    }
    StoredBook& stored = it->second;
    if (stored.automatic && on_date < stored.book.opened_on()) {
      stored.book.set_opened_on(StrCat(on_date.substr(0, 4), "-01-01"));
      RETURN_IF_ERROR(
          tx.Run(kOpenEarlier, {call.federation, stored.book.id(), stored.book.opened_on()})
              .status());
    }
    ASSIGN_OR_RETURN(books[organization], ToOpenBook(stored.book, *charts_));
  }
  return books;
}

absl::StatusOr<BookPtr> Books::Open(const rpc::Call& call, sql::Tx& tx,
                                    const std::string& organization, std::string_view on_date) {
  ASSIGN_OR_RETURN(const auto tree, host_.tree->Get(call.federation, organization));
  const std::vector<tree::Version>& versions = tree->Versions(organization);
  const tree::Version* version = tree->Find(organization, on_date);
  if (version == nullptr && !versions.empty()) version = &versions.front();
  v1::Book book;
  book.set_id(organization);
  book.set_organization(organization);
  book.set_chart(charts_->DefaultFor(version == nullptr ? "" : version->kind).message().name());
  book.set_display_name(version == nullptr ? organization : version->display_name);
  book.set_opened_on(StrCat(on_date.substr(0, 4), "-01-01"));
  book.set_create_time_us(call.clock->NowMicros());
  book.set_people(1);
  RETURN_IF_ERROR(Insert(tx, call, book, true));
  return ToOpenBook(book, *charts_);
}

}  // namespace gonghui::funds
