// Random mergers and splits of organisations with members, and taking them back: persons stay where
// a plain list of memberships says, every fact is undone exactly, and in the end all is as before.
//
// GONGHUI_SIM_SEED repeats a run; GONGHUI_FULL=1: 200 reorganisations among 2,000 members.
#include <cstdio>
#include <cstdlib>
#include <random>

#include "absl/time/clock.h"
#include "common/base/clock.h"
#include "gonghui/membership/v1/reorganization.pb.h"
#include "tests/integration/membership.h"

namespace gonghui::membership {
namespace {

uint64_t Setting(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class TransferSim : public MembershipTest {
 protected:
  // Where a person is, as a list that knows nothing of versions: organisation by day of entering.
  struct Person {
    std::string name;
    std::string sex;
    std::string joined_on;
    std::string organization;
  };
  struct Done {
    std::string name;
    std::vector<std::pair<size_t, std::string>> carried;  // Person, and where from.
    std::set<std::string> closed;
  };

  int Pick(size_t below) { return static_cast<int>(random_() % below); }

  template <typename Response, typename Request>
  absl::StatusOr<Response> Call(const std::string& method, const Request& request) {
    return admin_->Invoke<Response>("/gonghui.membership.v1.ReorganizationService/" + method,
                                    request);
  }

  void MakeMembers(int units, int members) {
    ASSERT_THAT(CreateFederation(*admin_), IsOk());
    v1::BatchCreateOrganizationsRequest request;
    request.set_parent("federations/demo");
    *request.add_organizations() = Organization("D01", "", "district", "1990-01-01");
    for (int i = 0; i < units; ++i) {
      open_.push_back(absl::StrFormat("E%03d", i));
      *request.add_organizations() = Organization(open_.back(), "D01", "enterprise", "2000-01-01");
    }
    ASSERT_THAT((Organizations<v1::BatchCreateOrganizationsResponse>(
                    *admin_, "BatchCreateOrganizations", request)),
                IsOk());
    v1::BatchCreateMembersRequest batch;
    batch.set_parent("federations/demo");
    for (int i = 0; i < members; ++i) {
      Person person{.name = "",
                    .sex = i % 2 == 1 ? "male" : "female",
                    .joined_on = absl::StrFormat("2018-%02d-01", 1 + Pick(12)),
                    .organization = open_[static_cast<size_t>(Pick(open_.size()))]};
      *batch.add_members() = Member(person.organization, i, person.joined_on);
      batch.mutable_members(batch.members_size() - 1)->set_job(absl::StrCat("job", i % 5));
      persons_.push_back(std::move(person));
      if (batch.members_size() < 1000 && i + 1 < members) continue;
      auto made = Members<v1::BatchCreateMembersResponse>(*admin_, "BatchCreateMembers", batch);
      ASSERT_THAT(made, IsOk());
      for (int k = 0; k < made->items_size(); ++k) {
        persons_[persons_.size() - static_cast<size_t>(made->items_size() - k)].name =
            made->items(k).name();
      }
      batch.clear_members();
    }
  }

  std::string TakeUnit() {
    const size_t at = static_cast<size_t>(Pick(open_.size()));
    std::string id = open_[at];
    open_.erase(open_.begin() + static_cast<ptrdiff_t>(at));
    return id;
  }
  void Carry(size_t person, const std::string& to, Done& done) {
    done.carried.emplace_back(person, persons_[person].organization);
    persons_[person].organization = to;
  }
  // A day later than every reorganisation so far.
  std::string NextDay() { return absl::StrFormat("20%02d-%02d-01", 20 + day_ / 12, 1 + day_ % 12); }

  void Merge() {
    v1::MergeOrganizationsRequest request;
    request.set_parent("federations/demo");
    Done done;
    request.mutable_merge()->add_sources(TakeUnit());
    done.closed.insert(request.merge().sources(0));
    request.mutable_merge()->set_target(open_[static_cast<size_t>(Pick(open_.size()))]);
    request.mutable_merge()->set_valid_from(NextDay());
    const auto merged = Call<v1::Reorganization>("MergeOrganizations", request);
    ASSERT_THAT(merged, IsOk());
    done.name = merged->name();
    for (size_t i = 0; i < persons_.size(); ++i) {
      if (done.closed.contains(persons_[i].organization)) {
        Carry(i, request.merge().target(), done);
      }
    }
    ASSERT_EQ(merged->counts().members_transferred(), static_cast<int64_t>(done.carried.size()));
    done_.push_back(std::move(done));
  }
  void Split() {
    v1::SplitOrganizationRequest request;
    request.set_parent("federations/demo");
    Done done;
    v1::SplitStep& split = *request.mutable_split();
    split.set_source(TakeUnit());
    done.closed.insert(split.source());
    const std::string one = open_[static_cast<size_t>(Pick(open_.size()))];
    const std::string other = open_[static_cast<size_t>(Pick(open_.size()))];
    split.add_targets(one);
    split.add_targets(other);
    split.set_valid_from(NextDay());
    split.add_rules()->set_field("job");
    split.mutable_rules(0)->add_values("job1");
    split.mutable_rules(0)->add_values("job4");
    split.mutable_rules(0)->set_target(one);
    split.add_rules()->set_target(other);
    for (size_t i = 0; i < persons_.size(); ++i) {
      if (persons_[i].organization != split.source()) continue;
      const bool named = Pick(4) == 0;
      std::string to = i % 5 == 1 || i % 5 == 4 ? one : other;
      if (named) {
        to = Pick(2) == 0 ? one : other;
        const std::string& name = persons_[i].name;
        (*split.mutable_members())[name.substr(name.rfind('/') + 1)] = to;
      }
      Carry(i, to, done);
    }
    const auto parted = Call<v1::Reorganization>("SplitOrganization", request);
    ASSERT_THAT(parted, IsOk());
    done.name = parted->name();
    done_.push_back(std::move(done));
  }
  // Takes one back; the service must refuse exactly where persons or organisations went on.
  void Revert(size_t at) {
    const Done& done = done_[at];
    bool allowed = true;
    for (size_t later = at + 1; later < done_.size(); ++later) {
      for (const auto& [person, from] : done.carried) {
        for (const auto& [again, source] : done_[later].carried) allowed &= person != again;
      }
    }
    v1::RevertReorganizationRequest request;
    request.set_name(done.name);
    const auto reverted = Call<v1::Reorganization>("RevertReorganization", request);
    if (!allowed) {
      ASSERT_THAT(reverted, HasReason(common::v1::REASON_REVERT_BLOCKED));
      return;
    }
    ASSERT_THAT(reverted, IsOk());
    for (const auto& [person, from] : done.carried) persons_[person].organization = from;
    open_.insert(open_.end(), done.closed.begin(), done.closed.end());
    done_.erase(done_.begin() + static_cast<ptrdiff_t>(at));
  }

  // Every member by organisation, as the list has it and as the service answers.
  void CompareMembers() {
    std::map<std::string, std::set<std::string>> expected;
    for (const Person& person : persons_) expected[person.organization].insert(person.name);
    std::map<std::string, std::set<std::string>> actual;
    v1::ListMembersRequest request;
    request.set_parent("federations/demo");
    request.set_page_size(1000);
    do {
      const auto page = Members<v1::ListMembersResponse>(*admin_, "ListMembers", request);
      ASSERT_THAT(page, IsOk());
      for (const v1::Member& member : page->members()) {
        actual[member.organization()].insert(member.name());
      }
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    ASSERT_EQ(actual, expected);
  }
  // The sums of all facts: measure, organisation, dimensions -> day -> sum, without zeros.
  std::map<std::string, int64_t> AllFacts() {
    std::map<std::string, int64_t> sums;
    feed::v1::ListEventsRequest request;
    request.set_source("membership");
    request.set_federation("demo");
    while (true) {
      const auto page = admin_->Invoke<feed::v1::ListEventsResponse>(
          "/gonghui.feed.v1.FeedService/ListEvents", request);
      EXPECT_THAT(page, IsOk());
      if (!page.ok() || page->events().empty()) break;
      for (const feed::v1::Event& event : page->events()) {
        request.set_after_sequence(event.sequence());
        for (const auto& record : event.facts()) {
          for (const common::v1::Fact& fact : record.facts()) {
            sums[absl::StrCat(fact.measure(), " ", fact.organization(), " ", fact.on_date(), " ",
                              fact.subject())] += fact.delta();
          }
        }
        for (const common::v1::Succession& s : event.successions()) {
          sums[absl::StrCat("succession ", s.organization(), " ", s.successor(), " ", s.on_date(),
                            " ", s.record())] += s.withdrawn() ? -1 : 1;
        }
      }
    }
    std::erase_if(sums, [](const auto& entry) { return entry.second == 0; });
    return sums;
  }
  // By the list: everybody counts where the last transfer put them.
  void CompareHeads(const std::map<std::string, int64_t>& facts) {
    std::map<std::string, int64_t> expected;
    for (const Person& person : persons_) ++expected[person.organization];
    std::map<std::string, int64_t> actual;
    for (const auto& [key, sum] : facts) {
      if (key.starts_with("members_total ")) actual[key.substr(14, key.find(' ', 14) - 14)] += sum;
      if (key.starts_with("members_left ")) FAIL() << "nobody left: " << key;
    }
    std::erase_if(actual, [](const auto& entry) { return entry.second == 0; });
    ASSERT_EQ(actual, expected);
  }

  std::mt19937_64 random_;
  std::vector<Person> persons_;
  std::vector<std::string> open_;
  std::vector<Done> done_;
  int day_ = 0;
};

TEST_P(TransferSim, PersonsGoWithTheirOrganizationsAndComeBack) {
  const bool full = std::getenv("GONGHUI_FULL") != nullptr;
  const int rounds = full ? 200 : 20;
  const uint64_t seed = Setting("GONGHUI_SIM_SEED", std::random_device{}());
  std::printf("seed %llu (GONGHUI_SIM_SEED repeats it)\n", static_cast<unsigned long long>(seed));
  SCOPED_TRACE(absl::StrCat("GONGHUI_SIM_SEED=", seed));
  random_.seed(seed);
  MakeMembers(full ? 250 : 30, full ? 2000 : 200);
  if (HasFatalFailure()) return;
  const auto before = AllFacts();
  for (; day_ < rounds; ++day_) {
    Pick(2) == 0 ? Merge() : Split();
    if (HasFatalFailure()) FAIL() << "round " << day_;
    if (Pick(3) == 0) Revert(static_cast<size_t>(Pick(done_.size())));
    if (HasFatalFailure()) FAIL() << "round " << day_;
  }
  CompareMembers();
  CompareHeads(AllFacts());
  if (HasFatalFailure()) return;
  // From the last to the first, nothing stands in the way.
  while (!done_.empty()) {
    const size_t left = done_.size();
    Revert(left - 1);
    if (HasFatalFailure()) return;
    ASSERT_EQ(done_.size(), left - 1);
  }
  CompareMembers();
  EXPECT_EQ(AllFacts(), before);
}

// One merger of 5,000 members: one transaction, one event.
TEST_P(TransferSim, FiveThousandMembersMergeAtOnce) {
  MakeMembers(1, 5000);
  v1::CreateOrganizationRequest target;
  target.set_parent("federations/demo");
  *target.mutable_organization() = Organization("E001", "D01", "enterprise", "2000-01-01");
  ASSERT_THAT(Organizations<v1::Organization>(*admin_, "CreateOrganization", target), IsOk());
  for (Person& person : persons_) person.organization = "E001";
  v1::MergeOrganizationsRequest request;
  request.set_parent("federations/demo");
  request.mutable_merge()->add_sources("E000");
  request.mutable_merge()->set_target("E001");
  request.mutable_merge()->set_valid_from("2020-07-01");
  const absl::Time start = absl::Now();
  const auto merged = Call<v1::Reorganization>("MergeOrganizations", request);
  const absl::Duration took = absl::Now() - start;
  ASSERT_THAT(merged, IsOk());
  EXPECT_EQ(merged->counts().members_transferred(), 5000);
  std::printf("5000 members transferred in %lld ms on %s\n",
              static_cast<long long>(absl::ToInt64Milliseconds(took)), GetParam().c_str());
  CompareMembers();
  CompareHeads(AllFacts());
}

INSTANTIATE_TEST_SUITE_P(Engines, TransferSim, ::testing::ValuesIn(::gonghui::testing::Engines()));

}  // namespace
}  // namespace gonghui::membership
