// Books and charts through the public RPCs.
#include "tests/integration/funds_suite.h"

namespace gonghui::funds {
namespace {

using testing::HasReason;
using testing::HasReasonAt;
using testing::IsOk;

class BooksTest : public FundsTest {
 protected:
  static absl::StatusOr<v1::Book> Create(const rpc::Client& client,
                                         const v1::CreateBookRequest& request) {
    return client.Invoke<v1::Book>(StrCat(kLedger, "CreateBook"), request);
  }
  static absl::StatusOr<v1::Book> Get(const rpc::Client& client, const std::string& name) {
    v1::GetBookRequest request;
    request.set_name(name);
    return client.Invoke<v1::Book>(StrCat(kLedger, "GetBook"), request);
  }
  static absl::StatusOr<v1::ListBooksResponse> List(const rpc::Client& client,
                                                    const v1::ListBooksRequest& request) {
    return client.Invoke<v1::ListBooksResponse>(StrCat(kLedger, "ListBooks"), request);
  }
};

TEST_P(BooksTest, BookIsOpenedUnderTheOrganisationsId) {
  const auto client = Accountant();
  ASSERT_OK_AND_ASSIGN(const v1::Book book, Create(*client, BookRequest("T01", "county-2022")));
  EXPECT_EQ(book.name(), "federations/demo/books/T01");
  EXPECT_EQ(book.id(), "T01");
  EXPECT_EQ(book.display_name(), "T01工会");
  EXPECT_GT(book.create_time_us(), 0);
  ASSERT_OK_AND_ASSIGN(const v1::Book read, Get(*client, book.name()));
  EXPECT_EQ(read.SerializeAsString(), book.SerializeAsString());
}

TEST_P(BooksTest, CreateBookNamesTheFieldAtFault) {
  const auto client = Accountant();
  v1::CreateBookRequest request = BookRequest("T01", "county-1949");
  EXPECT_THAT(Create(*client, request), HasReasonAt(common::v1::REASON_CODE_UNKNOWN, "book.chart"));
  request = BookRequest("T01");
  request.mutable_book()->set_opened_on("2020-02-30");
  EXPECT_THAT(Create(*client, request),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "book.opened_on"));
  request = BookRequest("T01");
  request.mutable_book()->clear_chart();
  EXPECT_THAT(Create(*client, request),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "book.chart"));
  const auto everywhere = As("admin", "*");
  EXPECT_THAT(Create(*everywhere, BookRequest("X99")),
              HasReasonAt(common::v1::REASON_REFERENCE_NOT_FOUND, "book.organization"));
}

TEST_P(BooksTest, RepeatedCreateBookOpensOneBook) {
  const auto client = Accountant();
  const v1::CreateBookRequest request = BookRequest("T01", "county-2022", "open-t01");
  ASSERT_OK_AND_ASSIGN(const v1::Book book, Create(*client, request));
  ASSERT_OK_AND_ASSIGN(const v1::Book again, Create(*client, request));
  EXPECT_EQ(again.SerializeAsString(), book.SerializeAsString());
  // The same book under another request_id, and another book under the same id.
  ASSERT_OK_AND_ASSIGN(const v1::Book same,
                       Create(*client, BookRequest("T01", "county-2022", "open-t01-b")));
  EXPECT_EQ(same.create_time_us(), book.create_time_us());
  EXPECT_THAT(Create(*client, BookRequest("T01", "grassroots-2022", "open-t01-c")),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "book.id"));
  EXPECT_THAT(Create(*client, BookRequest("T02", "county-2022", "open-t01")),
              HasReason(common::v1::REASON_REQUEST_ID_REUSED));
}

TEST_P(BooksTest, ScopeAndFederationAreChecked) {
  OpenBook("E02");
  const std::string name = "federations/demo/books/E02";
  const auto street = As("accountant", "T01");
  EXPECT_THAT(Create(*street, BookRequest("E02")), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Create(*street, BookRequest("E01")), IsOk());
  EXPECT_THAT(Get(*street, name), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Get(*As("accountant", "*", "other"), name),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  EXPECT_THAT(Get(*As("accountant", "*", "other"), "federations/other/books/E02"),
              HasReason(common::v1::REASON_NOT_FOUND));
  EXPECT_THAT(Create(*As("statistician", "D01"), BookRequest("D01")),
              HasReason(common::v1::REASON_PERMISSION_MISSING));
  v1::ListBooksRequest list;
  list.set_parent(std::string(kDemo));
  list.set_organization("T02");
  EXPECT_THAT(List(*street, list), HasReason(common::v1::REASON_OUT_OF_SCOPE));
}

TEST_P(BooksTest, ListBooksPagesThroughASubtree) {
  for (const char* organization : {"D01", "T01", "E01", "T02", "E02"}) OpenBook(organization);
  const auto client = Accountant();
  v1::ListBooksRequest request;
  request.set_parent(std::string(kDemo));
  request.set_organization("T01");
  ASSERT_OK_AND_ASSIGN(const auto below, List(*client, request));
  ASSERT_EQ(below.books_size(), 2);
  EXPECT_EQ(below.books(0).id(), "E01");
  EXPECT_EQ(below.books(1).id(), "T01");
  request.clear_organization();
  request.set_page_size(2);
  std::vector<std::string> ids;
  do {
    ASSERT_OK_AND_ASSIGN(const auto page, List(*client, request));
    for (const v1::Book& book : page.books()) ids.push_back(book.id());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(ids, (std::vector<std::string>{"D01", "E01", "E02", "T01", "T02"}));
  request.set_page_token("nonsense");
  EXPECT_THAT(List(*client, request), HasReason(common::v1::REASON_PAGE_TOKEN_INVALID));
  request.clear_page_token();
  request.set_page_size(-1);
  EXPECT_THAT(List(*client, request), HasReasonAt(common::v1::REASON_FIELD_INVALID, "page_size"));
}

TEST_P(BooksTest, ListAccountsShowsTheChart) {
  const auto client = As("statistician", "E01");
  v1::ListAccountsRequest request;
  request.set_chart("grassroots-2022");
  const std::string method = StrCat(kLedger, "ListAccounts");
  ASSERT_OK_AND_ASSIGN(const auto chart, client->Invoke<v1::ListAccountsResponse>(method, request));
  int level_one = 0;
  for (const v1::Account& account : chart.accounts()) level_one += account.code().size() == 3;
  EXPECT_EQ(level_one, 24);
  request.set_chart("grassroots-2009");
  EXPECT_THAT(client->Invoke<v1::ListAccountsResponse>(method, request),
              HasReason(common::v1::REASON_NOT_FOUND));
  request.clear_chart();
  EXPECT_THAT(client->Invoke<v1::ListAccountsResponse>(method, request),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "chart"));
}

INSTANTIATE_TEST_SUITE_P(Engines, BooksTest, ::testing::ValuesIn(testing::Engines()));

}  // namespace
}  // namespace gonghui::funds
