#include "common/tree/organization_tree.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/date.h"
#include "common/base/status.h"
#include "common/tree/tree_cache.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gonghui::tree {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Version Of(std::string version_id, std::string id, std::string parent, std::string from,
           std::string to = "9999-12-31", int64_t recorded = 1) {
  Version version;
  version.version_id = std::move(version_id);
  version.id = std::move(id);
  version.parent = std::move(parent);
  version.state = "open";
  version.valid_from = std::move(from);
  version.valid_to = std::move(to);
  version.recorded_from_us = recorded;
  return version;
}

OrganizationTree District() {
  OrganizationTree tree;
  tree.Apply(Of("1", "D01", "", "2000-01-01"));
  tree.Apply(Of("2", "T01", "D01", "2001-01-01"));
  tree.Apply(Of("3", "T02", "D01", "2001-01-01"));
  tree.Apply(Of("4", "E01", "T01", "2010-01-01", "2020-04-01"));
  tree.Apply(Of("5", "E01", "T02", "2020-04-01"));
  return tree;
}

TEST(OrganizationTree, AnswersByValidDate) {
  OrganizationTree tree = District();
  EXPECT_EQ(tree.Root(), "D01");
  EXPECT_THAT(tree.Path("E01", "2020-03-31"), ElementsAre("E01", "T01", "D01"));
  EXPECT_THAT(tree.Path("E01", "2020-04-01"), ElementsAre("E01", "T02", "D01"));
  EXPECT_TRUE(tree.IsAtOrBelow("E01", "T01", "2019-01-01"));
  EXPECT_FALSE(tree.IsAtOrBelow("E01", "T01", "2021-01-01"));
  EXPECT_THAT(tree.Subtree("D01", "2020-04-01"), ElementsAre("D01", "T01", "T02", "E01"));
  EXPECT_THAT(tree.Children("T01", "2020-04-01"), IsEmpty());
}

TEST(OrganizationTree, BeforeItsFoundingAnOrganizationLiesAsOnItsFirstDay) {
  OrganizationTree tree = District();
  EXPECT_EQ(tree.Find("E01", "2009-12-31"), nullptr);
  EXPECT_THAT(tree.Path("E01", "1999-01-01"), ElementsAre("E01", "T01", "D01"));
  EXPECT_THAT(tree.Path("E99", "2020-01-01"), IsEmpty());
  EXPECT_FALSE(tree.IsAtOrBelow("E99", "D01", "2020-01-01"));
}

TEST(OrganizationTree, KeepsWhatWasBelievedBefore) {
  OrganizationTree tree = District();
  // At instant 10 it becomes known that E01 moved a year earlier already.
  Version withdrawn = Of("4", "E01", "T01", "2010-01-01", "2020-04-01");
  withdrawn.recorded_to_us = 10;
  tree.Apply(withdrawn);
  tree.Apply(Of("6", "E01", "T01", "2010-01-01", "2019-04-01", 10));
  tree.Apply(Of("7", "E01", "T02", "2019-04-01", "2020-04-01", 10));
  EXPECT_THAT(tree.Path("E01", "2019-12-01", 9), ElementsAre("E01", "T01", "D01"));
  EXPECT_THAT(tree.Path("E01", "2019-12-01", 10), ElementsAre("E01", "T02", "D01"));
  EXPECT_THAT(tree.Path("E01", "2019-12-01"), ElementsAre("E01", "T02", "D01"));
  EXPECT_THAT(tree.Path("E01", "2019-12-01", 0), IsEmpty());
}

TEST(OrganizationTree, SecondLinesLeadBesideTheTree) {
  OrganizationTree tree = District();
  tree.Apply(Of("6", "I01", "D01", "2000-01-01"));
  tree.Apply(Of("7", "J01", "I01", "2000-01-01"));
  Version on_line = Of("3", "T02", "D01", "2001-01-01", "2020-04-01");
  tree.Apply(on_line);
  on_line = Of("8", "T02", "D01", "2020-04-01", "2021-01-01");
  on_line.affiliated_to = "J01";
  tree.Apply(on_line);
  tree.Apply(Of("9", "T02", "D01", "2021-01-01"));
  // From April 2020 E01 lies below T02 and goes along.
  EXPECT_THAT(tree.AffiliatedBelow("I01", "2020-04-01"), ElementsAre("E01", "T02"));
  EXPECT_THAT(tree.AffiliatedBelow("J01", "2020-12-31"), ElementsAre("E01", "T02"));
  EXPECT_THAT(tree.AffiliatedBelow("I01", "2020-03-31"), IsEmpty());
  EXPECT_THAT(tree.AffiliatedBelow("I01", "2021-01-01"), IsEmpty());
  EXPECT_THAT(tree.AffiliatedBelow("D01", "2020-04-01"), IsEmpty());  // They lie below it anyway.
  EXPECT_THAT(tree.AffiliatedBelow("I01", "2020-04-01", 0), IsEmpty());  // Not known yet.
  EXPECT_EQ(tree.recorded_us(), 1);
}

// The same questions answered from the flat list of versions, as slowly as can be.
struct Oracle {
  std::vector<Version> versions;

  const Version* At(const std::string& id, const std::string& day, int64_t known) const {
    for (const Version& v : versions) {
      bool believed =
          v.recorded_from_us <= known && (v.recorded_to_us == kNow || known < v.recorded_to_us);
      if (v.id == id && believed && v.valid_from <= day && day < v.valid_to) return &v;
    }
    return nullptr;
  }
  const Version* AtOrFirst(const std::string& id, const std::string& day, int64_t known) const {
    const Version* best = At(id, day, known);
    if (best != nullptr) return best;
    for (const Version& v : versions) {
      bool believed =
          v.recorded_from_us <= known && (v.recorded_to_us == kNow || known < v.recorded_to_us);
      if (v.id != id || !believed) continue;
      if (best == nullptr || v.valid_from < best->valid_from) best = &v;
    }
    return best;
  }
  std::vector<std::string> Path(const std::string& id, const std::string& day,
                                int64_t known) const {
    std::vector<std::string> path;
    for (const Version* v = AtOrFirst(id, day, known); v != nullptr && path.size() < 50;
         v = AtOrFirst(v->parent, day, known)) {
      path.push_back(v->id);
    }
    return path;
  }
  std::vector<std::string> Subtree(const std::string& id, const std::vector<std::string>& all,
                                   const std::string& day, int64_t known) const {
    std::vector<std::string> subtree;
    if (At(id, day, known) == nullptr) return subtree;
    subtree.push_back(id);
    for (const std::string& child : all) {
      const Version* v = At(child, day, known);
      if (v == nullptr || v->parent != id) continue;
      for (std::string& below : Subtree(child, all, day, known)) subtree.push_back(below);
    }
    return subtree;
  }
};

std::string Day(int number) { return FormatDate(absl::CivilDay(2000, 1, 1) + number * 50); }

// A random life of a tree: foundings, moves, renames and closings, each as of any date, also long
// before what is already recorded.
struct History {
  std::mt19937_64 random;
  Oracle oracle;
  OrganizationTree tree;
  std::vector<std::string> ids;
  int64_t recorded = 0;

  explicit History(uint64_t seed) : random(seed) {}
  int Pick(int below) { return static_cast<int>(random() % below); }

  void Put(const Version& version) {
    std::erase_if(oracle.versions,
                  [&](const Version& v) { return v.version_id == version.version_id; });
    oracle.versions.push_back(version);
    tree.Apply(version);
  }

  void Found() {
    std::string id = absl::StrCat("O", 100 + ids.size());
    std::string parent = ids.empty() ? "" : ids[Pick(static_cast<int>(ids.size()))];
    ++recorded;
    Put(Of(absl::StrCat("v", recorded), id, parent, ids.empty() ? Day(0) : Day(Pick(60)),
           "9999-12-31", recorded));
    ids.push_back(id);
  }

  bool Allowed(const std::string& id, const std::string& parent) {
    for (const Version& v : oracle.versions) {
      for (const std::string& above : oracle.Path(parent, v.valid_from, kNow)) {
        if (above == id) return false;
      }
    }
    return true;
  }

  void Change() {
    const std::string id = ids[1 + Pick(static_cast<int>(ids.size()) - 1)];
    const std::string parent = ids[Pick(static_cast<int>(ids.size()))];
    const std::string from = Day(Pick(80));
    const int what = Pick(3);
    if (what == 0 && !Allowed(id, parent)) return;
    ++recorded;
    std::vector<Version> touched;
    for (const Version& v : oracle.versions) {
      if (v.id == id && v.recorded_to_us == kNow && v.valid_to > from) touched.push_back(v);
    }
    int part = 0;
    for (Version v : touched) {
      v.recorded_to_us = recorded;
      Put(v);
      v.recorded_from_us = recorded;
      v.recorded_to_us = kNow;
      Version right = v;
      if (v.valid_from < from) {
        v.valid_to = from;
        v.version_id = absl::StrCat("v", recorded, ".", ++part);
        Put(v);
        right.valid_from = from;
      }
      if (what == 0) right.parent = parent;
      if (what == 1) right.display_name = absl::StrCat("name ", recorded);
      if (what == 2) right.state = "closed";
      right.version_id = absl::StrCat("v", recorded, ".", ++part);
      Put(right);
    }
  }
};

TEST(OrganizationTree, AgreesWithTheListOfVersionsOverRandomHistories) {
  const uint64_t first_seed = std::random_device{}();
  for (uint64_t seed = first_seed; seed < first_seed + 30; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    History history(seed);
    for (int i = 0; i < 8; ++i) history.Found();
    for (int i = 0; i < 40; ++i) history.Pick(5) == 0 ? history.Found() : history.Change();
    for (int i = 0; i < 200; ++i) {
      const std::string id = history.ids[history.Pick(static_cast<int>(history.ids.size()))];
      const std::string other = history.ids[history.Pick(static_cast<int>(history.ids.size()))];
      const std::string day = Day(history.Pick(90));
      const int64_t known = history.Pick(4) == 0 ? kNow : history.Pick(history.recorded + 2);
      SCOPED_TRACE(absl::StrCat(id, " at ", day, " known at ", known));
      const std::vector<std::string> path = history.oracle.Path(id, day, known);
      ASSERT_EQ(history.tree.Path(id, day, known), path);
      ASSERT_EQ(history.tree.IsAtOrBelow(id, other, day, known),
                std::find(path.begin(), path.end(), other) != path.end());
      ASSERT_EQ(history.tree.Subtree(id, day, known),
                history.oracle.Subtree(id, history.ids, day, known));
      const Version* expected = history.oracle.At(id, day, known);
      const Version* actual = history.tree.Find(id, day, known);
      ASSERT_EQ(actual == nullptr, expected == nullptr);
      if (actual != nullptr) {
        ASSERT_EQ(actual->version_id, expected->version_id);
      }
    }
  }
}

// A source of versions that can be away, and counts how often it is asked.
struct Source {
  std::vector<Version> versions;
  bool away = false;
  int asked = 0;

  TreeCache::Loader Loader() {
    return [this](const std::string&, int64_t after) -> absl::StatusOr<TreeCache::Page> {
      ++asked;
      if (away) return Unavailable(common::v1::REASON_UNAVAILABLE, "away", "不可用");
      TreeCache::Page page;
      page.sequence = after;
      // One version a page, as a source with small pages would do.
      if (after < static_cast<int64_t>(versions.size())) {
        page.versions.push_back(versions[after]);
        page.sequence = after + 1;
      }
      return page;
    };
  }
};

TEST(TreeCache, RefreshesByAgeByUnknownOrganizationAndByExpiry) {
  ManualClock clock(absl::FromUnixSeconds(1'600'000'000));
  Source source;
  source.versions = {Of("1", "D01", "", "2000-01-01"), Of("2", "T01", "D01", "2001-01-01")};
  TreeCache cache(source.Loader(), &clock);
  EXPECT_EQ(*cache.RootOf("demo"), "D01");
  EXPECT_TRUE(*cache.IsAtOrBelow("demo", "T01", "D01"));
  EXPECT_EQ(source.asked, 3);  // Two pages and the empty one; the second question asks nothing.
  EXPECT_TRUE(cache.IsFresh("demo"));

  source.versions.push_back(Of("3", "T02", "D01", "2001-01-01"));
  EXPECT_TRUE(*cache.IsAtOrBelow("demo", "T02", "D01"));  // Unknown: refreshed at once.

  source.versions.push_back(Of("3", "T02", "T01", "2001-01-01"));
  EXPECT_FALSE(*cache.IsAtOrBelow("demo", "T02", "T01"));
  clock.Advance(absl::Seconds(2));
  EXPECT_FALSE(cache.IsFresh("demo"));
  EXPECT_TRUE(*cache.IsAtOrBelow("demo", "T02", "T01"));

  source.versions.push_back(Of("4", "T03", "D01", "2002-01-01"));
  EXPECT_EQ((*cache.Get("demo"))->size(), 3u);
  cache.Expire("demo");
  EXPECT_EQ((*cache.Get("demo"))->size(), 4u);
}

TEST(TreeCache, KeepsTheOldTreeWhileTheSourceIsAway) {
  ManualClock clock(absl::FromUnixSeconds(1'600'000'000));
  Source source;
  TreeCache cache(source.Loader(), &clock);
  source.away = true;
  EXPECT_EQ(ReasonOf(cache.Get("demo").status()), common::v1::REASON_UNAVAILABLE);
  source.away = false;
  source.versions = {Of("1", "D01", "", "2000-01-01")};
  ASSERT_TRUE(cache.Get("demo").ok());
  source.away = true;
  clock.Advance(absl::Seconds(5));
  EXPECT_EQ(*cache.RootOf("demo"), "D01");
  EXPECT_EQ(ReasonOf(cache.IsAtOrBelow("demo", "T09", "D01").status()),
            common::v1::REASON_UNAVAILABLE);
}

}  // namespace
}  // namespace gonghui::tree
