// What a caller may not see leaves no trace: two installations, one of which holds members and
// records of organisations elsewhere, answer the same to every call of callers of several roles who
// are restricted to a street or a union.
//
// Not compared, because it is meant to be seen or is the caller's own: ids and random numbers (by
// the order in which they appear), the sequences of the log of accesses and of the feed, and that a
// person whose number the caller knows is a member elsewhere.
#include <algorithm>
#include <functional>
#include <random>
#include <regex>

#include "common/testing/jobs.h"
#include "common/testing/settings.h"
#include "gonghui/common/v1/job.pb.h"
#include "gonghui/common/v1/record.pb.h"
#include "gonghui/membership/v1/access.pb.h"
#include "gonghui/membership/v1/application.pb.h"
#include "gonghui/membership/v1/card.pb.h"
#include "gonghui/membership/v1/employment.pb.h"
#include "gonghui/membership/v1/member_export.pb.h"
#include "gonghui/membership/v1/member_history.pb.h"
#include "gonghui/membership/v1/member_import.pb.h"
#include "gonghui/membership/v1/member_merge.pb.h"
#include "gonghui/membership/v1/personal_data.pb.h"
#include "gonghui/membership/v1/transfer.pb.h"
#include "gonghui/reports/v1/report.pb.h"
#include "tests/integration/membership.h"

namespace gonghui::membership {
namespace {

using Random = std::mt19937_64;

constexpr int kVisible = 40;
constexpr int kHidden = 600;  // More than any search looks at.

template <typename T>
const T& Pick(Random& random, const std::vector<T>& from) {
  return from[random() % from.size()];
}

// One installation with the members that the caller may see, and maybe others.
class Installation : public MembershipTest {
 public:
  Installation(std::string engine, const std::string& folder, const Clock& clock)
      : engine_(std::move(engine)) {
    folder_ = std::filesystem::path(::testing::TempDir()) / folder;
    std::filesystem::remove_all(folder_);
    Suite::Options options;
    options.data_dir = folder_.string();
    options.dev = true;
    options.log_calls = false;
    options.clock = &clock;
    if (engine_ != "sqlite") {
      database_ = std::make_unique<::gonghui::testing::TempDatabase>(engine_);
      options.database_urls["membership"] = database_->Close();
    }
    auto suite = Suite::Start(std::move(options));
    EXPECT_TRUE(suite.ok()) << suite.status();
    suite_ = *std::move(suite);
    admin_ = ClientOf("demo", "admin", "*");
    callers_.push_back(ClientOf("demo", "registrar", "T01", true));
    callers_.push_back(ClientOf("demo", "admin", "T01", true));
    callers_.push_back(ClientOf("demo", "clerk", "E01"));
    callers_.push_back(ClientOf("demo", "auditor", "T01", true));
    callers_.push_back(ClientOf("demo", "statistician", "T01", true));
    MakeDistrict();
  }
  ~Installation() override {
    callers_.clear();
    TearDown();
  }
  using MembershipTest::Member;
  void TestBody() override {}

  // Members at the organisation, with cards and records; serials from `first` on.
  void Fill(const std::string& organization, int first, int count, bool visible) {
    v1::BatchCreateMembersRequest request;
    request.set_parent("federations/demo");
    for (int i = first; i < first + count; ++i) {
      *request.add_members() = Member(organization, i, absl::StrFormat("2019-%02d-01", 1 + i % 12));
    }
    const auto made =
        Members<v1::BatchCreateMembersResponse>(*admin_, "BatchCreateMembers", request);
    ASSERT_THAT(made, IsOk());
    ASSERT_EQ(made->created(), count);
    for (int i = 0; i < made->items_size(); ++i) {
      const std::string& name = made->items(i).name();
      if (visible) members_.push_back(name);
      if (i % 4 == 0) Issue(name);
      if (i % 10 == 0) Record(organization, absl::StrCat(organization, "-", i), first + i);
    }
    v1::SubmitApplicationRequest apply;
    apply.set_parent("federations/demo");
    *apply.mutable_member() = Member(organization, first + count);
    ASSERT_THAT(admin_->Invoke<v1::Application>(
                    "/gonghui.membership.v1.ApplicationService/SubmitApplication", apply),
                IsOk());
  }

  static constexpr size_t kCallers = 5;
  // From here on calls are this caller's.
  void LetCall(size_t caller) { caller_ = callers_[caller].get(); }

  // What the caller reads, ids by the order in which this installation showed them first.
  template <typename Response, typename Request>
  std::string Ask(const std::string& method, const Request& request) {
    const auto answer = caller_->Invoke<Response>("/gonghui." + method, request);
    if (answer.ok()) Remember(*answer);
    const std::string text = answer.ok() ? answer->DebugString() : ErrorText(answer.status());
    return absl::StrCat(method, " ", Neutral(request.ShortDebugString()), "\n", Neutral(text));
  }
  // The same of a job that is started and awaited: its result, or why there is none. `result`
  // becomes the result where there is one.
  template <typename Result, typename Request>
  std::string Work(const std::string& method, const Request& request, Result* result) {
    const auto ended = ::gonghui::testing::RunJob<Result>(
        *caller_, "/gonghui." + method, "gonghui.membership.v1.JobService", request);
    if (ended.ok()) *result = *ended;
    return absl::StrCat(method, " ", Neutral(request.ShortDebugString()), "\n",
                        Neutral(ended.ok() ? ended->DebugString() : ErrorText(ended.status())));
  }
  // The file of an export.
  std::string Download(const v1::MemberExport& made) {
    v1::DownloadMemberExportRequest request;
    request.set_name(made.name());
    const auto piece = caller_->Invoke<v1::MemberExportPiece>(
        "/gonghui.membership.v1.MemberExportService/DownloadMemberExport", request);
    return Neutral(piece.ok() ? piece->content() : ErrorText(piece.status()));
  }
  // The name of an import of a file, and what the caller was told on the way.
  std::string Upload(const std::string& organization, const std::string& text, std::string* name) {
    const std::string service = "membership.v1.MemberImportService/";
    v1::CreateMemberImportRequest create;
    create.set_parent("federations/demo");
    create.mutable_member_import()->set_organization(organization);
    const auto made =
        caller_->Invoke<v1::MemberImport>("/gonghui." + service + "CreateMemberImport", create);
    if (!made.ok()) return Neutral(ErrorText(made.status()));
    *name = made->name();
    v1::AppendMemberImportRequest append;
    append.set_name(made->name());
    append.set_content(text);
    return Neutral(made->DebugString()) +
           Ask<v1::MemberImport>(service + "AppendMemberImport", append);
  }
  // Accesses by kind and method: how many of them share an entry depends on when it was written.
  std::string SumAccesses(const v1::ListAccessesRequest& request) {
    const auto answer = caller_->Invoke<v1::ListAccessesResponse>(
        "/gonghui.membership.v1.AccessService/ListAccesses", request);
    if (!answer.ok()) return Neutral(ErrorText(answer.status()));
    std::map<std::string, int> times;
    for (const v1::Access& access : answer->accesses()) {
      times[absl::StrCat(v1::AccessKind_Name(access.kind()), " ", access.method(), " ",
                         access.actor(), " ", access.purpose())] += access.times();
    }
    std::string text;
    for (const auto& [key, sum] : times) absl::StrAppend(&text, key, "=", sum, "\n");
    return text;
  }
  // What the federation's administrator counts.
  std::string CountAll() {
    v1::CountCardsRequest request;
    request.set_parent("federations/demo");
    const auto answer = admin_->Invoke<v1::CountCardsResponse>(
        "/gonghui.membership.v1.CardService/CountCards", request);
    return answer.ok() ? answer->ShortDebugString() : answer.status().ToString();
  }
  const std::vector<std::string>& members() const { return members_; }
  const std::string& token() const { return token_; }
  Suite& suite() { return *suite_; }

 private:
  void Issue(const std::string& member) {
    v1::IssueCardRequest request;
    request.set_parent("federations/demo");
    request.set_member(member);
    request.set_medium("paper");
    request.set_issued_on("2020-01-01");
    ASSERT_THAT(admin_->Invoke<v1::Card>("/gonghui.membership.v1.CardService/IssueCard", request),
                IsOk());
  }
  void Record(const std::string& organization, const std::string& number, int person) {
    common::v1::CreateRecordRequest request;
    request.set_parent("federations/demo");
    common::v1::Record& record = *request.mutable_record();
    record.set_kind("merit_citation");
    record.set_number(number);
    record.set_organization(organization);
    record.set_title("抢险");
    record.set_on_date("2020-01-01");
    for (const auto& [field, value] : {std::pair{"cause", "incident"},
                                       {"cause_number", "Q1"},
                                       {"grade", "1"},
                                       {"target", "person"},
                                       {"full_name", "张三"}}) {
      (*record.mutable_fields())[field] = value;
    }
    (*record.mutable_fields())["person"] = IdNumber(person);
    ASSERT_THAT(admin_->Invoke<common::v1::Record>(
                    "/gonghui.membership.v1.RegisterService/CreateRecord", request),
                IsOk());
  }
  void Remember(const google::protobuf::Message& answer) {
    const auto* field = answer.GetDescriptor()->FindFieldByName("next_page_token");
    token_ = field == nullptr ? "" : answer.GetReflection()->GetString(answer, field);
  }
  // Everything that an error says.
  static std::string ErrorText(const absl::Status& status) {
    std::string text =
        absl::StrCat(status.message(), "\n", MessageZhOf(status), "\n",
                     common::v1::Reason_Name(ReasonOf(status)), " at ", FieldOf(status));
    std::vector<std::pair<std::string, std::string>> metadata = MetadataOf(status);
    std::sort(metadata.begin(), metadata.end());
    for (const auto& [key, value] : metadata) {
      if (key != "trace_id") absl::StrAppend(&text, "\n", key, "=", value);
    }
    return text;
  }
  std::string Neutral(const std::string& text) {
    static const std::regex varying(
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32,64}|[0-9]{16}|"
        "page_token: \"[^\"]*\"|(sequence|applied|head): [0-9]+|etag: \"[^\"]*\"");
    std::string neutral;
    auto from = text.begin();
    for (std::sregex_iterator match(text.begin(), text.end(), varying), end; match != end;
         ++match) {
      neutral.append(from, (*match)[0].first);
      const std::string found = match->str();
      if ((*match)[1].matched) {
        neutral += (*match)[1].str();
      } else if (found.rfind("page_token", 0) == 0) {
        neutral += found.size() > sizeof("page_token: \"\"") ? "page_token" : "";
      } else if (found.size() == 32) {
        neutral += "trace";
      } else {
        neutral += absl::StrCat("#", seen_.emplace(found, seen_.size()).first->second);
      }
      from = (*match)[0].second;
    }
    return neutral.append(from, text.end());
  }

  const std::string engine_;
  std::vector<std::unique_ptr<rpc::Client>> callers_;
  const rpc::Client* caller_ = nullptr;
  std::vector<std::string> members_;
  std::map<std::string, size_t> seen_;
  std::string token_;
};

// A call made of random parts that are the same in both installations.
using Call = std::function<std::string(Installation&, Random&)>;

const std::vector<std::string>& Places() {
  static const std::vector<std::string> places = {"T01", "E01", "T01", "D01",
                                                  "T02", "E02", "",    "X99"};
  return places;
}

template <typename Request>
Request In(Random& random) {
  Request request;
  request.set_parent("federations/demo");
  request.set_organization(Pick(random, Places()));
  return request;
}

template <typename Response, typename Request>
std::string Pages(Installation& at, const std::string& method, Request request, int page_size) {
  std::string all;
  request.set_page_size(page_size);
  for (int page = 0; page < 5; ++page) {
    absl::StrAppend(&all, at.Ask<Response>(method, request));
    if (at.token().empty()) break;
    request.set_page_token(at.token());
  }
  return all;
}

std::vector<Call> MemberCalls() {
  return {
      [](Installation& at, Random& random) {
        auto request = In<v1::ListMembersRequest>(random);
        request.set_state(Pick<std::string>(random, {"", "all", "left", "retained"}));
        const int size = Pick<int>(random, {3, 7, 1000});
        switch (random() % 5) {
          case 0:
            request.set_id_number(IdNumber(static_cast<int>(random() % 2000)));
            break;
          case 1:
            request.set_as_of("2019-06-15");
            break;
          case 2:
            request.mutable_filter()->set_name_query("张");
            break;
          default:
            break;
        }
        return Pages<v1::ListMembersResponse>(at, "membership.v1.MemberService/ListMembers",
                                              request, size);
      },
      [](Installation& at, Random& random) {
        v1::GetMemberRequest request;
        request.set_name(Pick(random, at.members()));
        return at.Ask<v1::Member>("membership.v1.MemberService/GetMember", request);
      },
      [](Installation& at, Random& random) {
        auto request = In<v1::FindDuplicatesRequest>(random);
        if (random() % 2 == 0) {
          request.set_member_name(Pick(random, at.members()));
        } else {
          const int serial = static_cast<int>(random() % 2000);
          request.mutable_member()->set_full_name("章三");
          request.mutable_member()->set_id_number(IdNumber(serial));
          request.mutable_member()->set_phone("13800001234");
        }
        return at.Ask<v1::FindDuplicatesResponse>("membership.v1.MemberMergeService/FindDuplicates",
                                                  request);
      },
      [](Installation& at, Random& random) {
        auto request = In<v1::GetMemberFlowRequest>(random);
        request.set_period(Pick<std::string>(random, {"2019", "2019H1", "2020"}));
        return at.Ask<v1::MemberFlow>("membership.v1.MemberHistoryService/GetMemberFlow", request);
      },
      [](Installation& at, Random& random) {
        v1::ListMemberEventsRequest request;
        request.set_parent(Pick(random, at.members()));
        return at.Ask<v1::ListMemberEventsResponse>(
            "membership.v1.MemberHistoryService/ListMemberEvents", request);
      },
      [](Installation& at, Random& random) {
        v1::RevealFieldRequest request;
        request.set_name(Pick(random, at.members()));
        request.set_field(Pick<std::string>(random, {"phone", "id_number", "job"}));
        request.set_purpose("contact");
        return at.Ask<v1::RevealFieldResponse>("membership.v1.AccessService/RevealField", request);
      },
      [](Installation& at, Random& random) {
        v1::UpdateMemberRequest request;
        request.mutable_member()->set_name(Pick(random, at.members()));
        request.mutable_member()->set_job(absl::StrCat("job", random() % 9));
        request.set_update_mask("job");
        return at.Ask<v1::Member>("membership.v1.MemberService/UpdateMember", request);
      },
      [](Installation& at, Random& random) {
        v1::CreateMemberRequest request;
        request.set_parent("federations/demo");
        *request.mutable_member() = Installation::Member(
            Pick(random, Places()), 5000 + static_cast<int>(random() % 2000), "2020-02-01");
        return at.Ask<v1::Member>("membership.v1.MemberService/CreateMember", request);
      },
  };
}

std::vector<Call> OtherCalls() {
  return {
      [](Installation& at, Random& random) {
        return Pages<v1::ListApplicationsResponse>(
            at, "membership.v1.ApplicationService/ListApplications",
            In<v1::ListApplicationsRequest>(random), 1);
      },
      [](Installation& at, Random& random) {
        return Pages<v1::ListTransfersResponse>(at, "membership.v1.TransferService/ListTransfers",
                                                In<v1::ListTransfersRequest>(random), 5);
      },
      [](Installation& at, Random& random) {
        return Pages<v1::ListCardsResponse>(at, "membership.v1.CardService/ListCards",
                                            In<v1::ListCardsRequest>(random), 4);
      },
      [](Installation& at, Random& random) {
        return at.Ask<v1::CountCardsResponse>("membership.v1.CardService/CountCards",
                                              In<v1::CountCardsRequest>(random));
      },
      [](Installation& at, Random& random) {
        auto request = In<common::v1::ListRecordsRequest>(random);
        request.set_kind("merit_citation");
        if (random() % 2 == 0) request.set_number(Pick<std::string>(random, {"E01-0", "E02-0"}));
        return Pages<common::v1::ListRecordsResponse>(
            at, "membership.v1.RegisterService/ListRecords", request, 2);
      },
      [](Installation& at, Random& random) {
        auto request = In<common::v1::GetBoardRequest>(random);
        request.set_kind("merit_citation");
        return at.Ask<common::v1::GetBoardResponse>("membership.v1.RegisterService/GetBoard",
                                                    request);
      },
      [](Installation& at, Random& random) {
        return at.Ask<v1::Organization>("membership.v1.OrganizationService/GetOrganization", [&] {
          v1::GetOrganizationRequest request;
          request.set_name(absl::StrCat("federations/demo/organizations/", Pick(random, Places())));
          return request;
        }());
      },
      [](Installation& at, Random& random) {
        auto request = In<v1::GetTreeRequest>(random);
        return at.Ask<v1::GetTreeResponse>("membership.v1.OrganizationService/GetTree", request);
      },
      [](Installation& at, Random& random) {
        v1::ListAccessesRequest request;
        request.set_parent("federations/demo");
        if (random() % 4 != 0) request.set_member(Pick(random, at.members()));
        request.set_page_size(1000);
        return at.SumAccesses(request);
      },
      [](Installation& at, Random&) {
        v1::ListPersonalKeysRequest request;
        request.set_parent("federations/demo");
        return at.Ask<v1::ListPersonalKeysResponse>(
            "membership.v1.PersonalDataService/ListPersonalKeys", request);
      },
      [](Installation& at, Random& random) {
        auto request = In<common::v1::ListJobsRequest>(random);
        return at.Ask<common::v1::ListJobsResponse>("membership.v1.JobService/ListJobs", request);
      },
      [](Installation& at, Random&) {
        feed::v1::ListEventsRequest request;
        request.set_source("membership");
        request.set_federation("demo");
        return at.Ask<feed::v1::ListEventsResponse>("feed.v1.FeedService/ListEvents", request);
      },
      [](Installation& at, Random& random) {
        EXPECT_THAT(at.suite().CatchUp(), IsOk());
        auto request = In<reports::v1::QueryFiguresRequest>(random);
        request.set_period(Pick<std::string>(random, {"2019", "2020H1"}));
        request.set_children(random() % 2 == 0);
        return at.Ask<reports::v1::QueryFiguresResponse>("reports.v1.ReportService/QueryFigures",
                                                         request);
      },
      [](Installation& at, Random& random) {
        EXPECT_THAT(at.suite().CatchUp(), IsOk());
        reports::v1::ExplainFigureRequest request;
        request.set_name(absl::StrCat("federations/demo/organizations/", Pick(random, Places()),
                                      "/figures/members_total/2020H1"));
        return at.Ask<reports::v1::ExplainFigureResponse>("reports.v1.ReportService/ExplainFigure",
                                                          request);
      },
  };
}

// Files and transfers.
std::vector<Call> MovingCalls() {
  return {
      [](Installation& at, Random& random) {
        auto request = In<v1::ExportMembersRequest>(random);
        request.set_format(v1::MEMBER_EXPORT_FORMAT_CSV);
        request.set_state(Pick<std::string>(random, {"", "all", "left"}));
        switch (random() % 4) {
          case 0:
            request.mutable_filter()->set_name_query("张");
            break;
          case 1:
            request.set_as_of("2019-06-15");
            break;
          case 2:
            request.set_clear_numbers(true);
            request.set_purpose("verification");
            break;
          default:
            break;
        }
        v1::MemberExport made;
        std::string told =
            at.Work("membership.v1.MemberExportService/ExportMembers", request, &made);
        return made.name().empty() ? told : told + at.Download(made);
      },
      [](Installation& at, Random& random) {
        std::string text = "姓名,证件号码,入会日期,所属工会\n";
        for (int row = 0; row < 4; ++row) {
          const int serial = 8000 + static_cast<int>(random() % 1000);
          absl::StrAppend(&text, "张三,", random() % 4 == 0 ? "1.1E+17" : IdNumber(serial),
                          ",2020-01-01,", Pick(random, Places()), "\n");
        }
        const std::string& organization = Pick(random, Places());
        std::string name;
        std::string told = at.Upload(organization, text, &name);
        if (name.empty()) return told;
        v1::StartMemberImportRequest start;
        start.set_name(name);
        start.set_mode(Pick<v1::MemberImportMode>(
            random, {v1::MEMBER_IMPORT_MODE_PARTIAL, v1::MEMBER_IMPORT_MODE_VALIDATE_ONLY}));
        v1::MemberImport import;
        told += at.Work("membership.v1.MemberImportService/StartMemberImport", start, &import);
        v1::ListMemberImportFaultsRequest faults;
        faults.set_name(name);
        return told + at.Ask<v1::ListMemberImportFaultsResponse>(
                          "membership.v1.MemberImportService/ListMemberImportFaults", faults);
      },
      [](Installation& at, Random& random) {
        return Pages<v1::ListMemberImportsResponse>(
            at, "membership.v1.MemberImportService/ListMemberImports",
            In<v1::ListMemberImportsRequest>(random), 3);
      },
      [](Installation& at, Random& random) {
        v1::StartTransferRequest request;
        request.set_parent("federations/demo");
        request.set_target(Pick(random, Places()));
        request.set_reason("employment_changed");
        request.set_effective_on("2020-05-01");
        if (random() % 2 == 0) {
          request.set_side(v1::TRANSFER_SIDE_SOURCE);
          request.set_member(Pick(random, at.members()));
        } else {
          request.set_side(v1::TRANSFER_SIDE_TARGET);
          request.set_id_number(IdNumber(static_cast<int>(random() % 2000)));
        }
        return at.Ask<v1::Transfer>("membership.v1.TransferService/StartTransfer", request);
      },
  };
}

class HiddenDataTest : public ::testing::TestWithParam<std::string> {};

TEST_P(HiddenDataTest, LeavesNoTrace) {
  const ManualClock clock(absl::FromUnixSeconds(1'780'000'000));
  Installation without(GetParam(), absl::StrCat("without_", getpid()), clock);
  Installation with(GetParam(), absl::StrCat("with_", getpid()), clock);
  ASSERT_FALSE(::testing::Test::HasFailure());
  with.Fill("E02", 10'000, kHidden, false);
  without.Fill("E01", 0, kVisible, true);
  with.Fill("E01", 0, kVisible, true);
  with.Fill("T02", 20'000, kVisible, false);
  ASSERT_FALSE(::testing::Test::HasFailure());
  ASSERT_NE(with.CountAll(), without.CountAll());  // There is something to hide.

  std::vector<Call> calls = MemberCalls();
  for (auto more : {OtherCalls, MovingCalls}) {
    for (Call& call : more()) calls.push_back(std::move(call));
  }
  const uint64_t seed = ::gonghui::testing::Seed();
  Random random(seed);
  const int rounds = ::gonghui::testing::FullSize() ? 20'000 : 600;
  for (int i = 0; i < rounds; ++i) {
    const Call& call = Pick(random, calls);
    const size_t caller = random() % Installation::kCallers;
    without.LetCall(caller);
    with.LetCall(caller);
    const uint64_t draw = random();
    Random here(draw), there(draw);
    const std::string expected = call(without, here);
    ASSERT_EQ(call(with, there), expected)
        << "seed " << seed << ", call " << i << ", caller " << caller;
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, HiddenDataTest,
                         ::testing::ValuesIn(::gonghui::testing::Engines()));

}  // namespace
}  // namespace gonghui::membership
