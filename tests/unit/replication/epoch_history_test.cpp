#include "replication/epoch_history.h"

#include <doctest/doctest.h>

#include <ostream>

#include "replication/replication_errc.h"

using namespace rmq;
using namespace rmq::replication;

namespace {

struct Part {
  std::int32_t epoch;
  std::int64_t start;
};

EpochHistory history_of(std::initializer_list<Part> parts) {
  EpochHistory history;
  for (const Part& part : parts) {
    REQUIRE(history.begin(Epoch{part.epoch}, PhysicalOffset{part.start}));
  }
  return history;
}

std::int64_t common(const EpochHistory& mine, std::int64_t my_end, const EpochHistory& theirs,
                    std::int64_t their_end) {
  const std::optional<PhysicalOffset> point =
      consistent_point({mine, PhysicalOffset{my_end}}, {theirs, PhysicalOffset{their_end}});
  return point ? point->value : -1;
}

}  // namespace

TEST_CASE("epoch history: both numbers grow") {
  EpochHistory history = history_of({{1, 0}, {3, 100}});
  CHECK(history.begin(Epoch{3}, PhysicalOffset{200}).error().code ==
        ReplicationErrc::EpochsOutOfOrder);
  CHECK(history.begin(Epoch{4}, PhysicalOffset{99}).error().code ==
        ReplicationErrc::EpochsOutOfOrder);
  CHECK(history == history_of({{1, 0}, {3, 100}}));
}

TEST_CASE("epoch history: a reign that wrote nothing is replaced") {
  CHECK(history_of({{1, 0}, {2, 100}, {3, 100}}) == history_of({{1, 0}, {3, 100}}));
  CHECK(history_of({{1, 0}, {2, 0}}) == history_of({{2, 0}}));
}

TEST_CASE("epoch history: which part an offset is in, and where that ends") {
  const EpochHistory history = history_of({{1, 10}, {2, 100}});
  CHECK(!history.at(PhysicalOffset{9}));
  CHECK(history.at(PhysicalOffset{10})->epoch == Epoch{1});
  CHECK(history.at(PhysicalOffset{99})->epoch == Epoch{1});
  CHECK(history.at(PhysicalOffset{100})->epoch == Epoch{2});
  CHECK(history.end_of_part(PhysicalOffset{50}, PhysicalOffset{150}) == PhysicalOffset{100});
  CHECK(history.end_of_part(PhysicalOffset{50}, PhysicalOffset{70}) == PhysicalOffset{70});
  CHECK(history.end_of_part(PhysicalOffset{100}, PhysicalOffset{150}) == PhysicalOffset{150});
}

TEST_CASE("epoch history: cut at the end, and ends follow") {
  EpochHistory history = history_of({{1, 0}, {2, 100}, {3, 200}});
  history.truncate_suffix(PhysicalOffset{150});
  CHECK(history == history_of({{1, 0}, {2, 100}}));
  CHECK(history.end_of_part(PhysicalOffset{120}, PhysicalOffset{150}) == PhysicalOffset{150});
  history.truncate_suffix(PhysicalOffset{100});
  CHECK(history == history_of({{1, 0}}));
  history.truncate_suffix(PhysicalOffset{0});
  CHECK(history.empty());
}

TEST_CASE("consistent point: the newest epoch of both, to the shorter end") {
  const EpochHistory both = history_of({{1, 0}, {2, 100}});
  CHECK(common(both, 150, both, 130) == 130);
  CHECK(common(both, 120, both, 130) == 120);
  // The other went on in a newer reign: what I wrote beyond its start is mine alone.
  CHECK(common(both, 180, history_of({{1, 0}, {2, 100}, {3, 150}}), 400) == 150);
  // My own reign 3 was never theirs.
  CHECK(common(history_of({{1, 0}, {3, 120}}), 200, history_of({{1, 0}, {4, 110}}), 300) == 110);
  CHECK(common(history_of({{1, 0}, {3, 90}}), 200, history_of({{1, 0}, {4, 110}}), 300) == 90);
}

TEST_CASE("consistent point: the same epoch with another start is not the same") {
  CHECK(common(history_of({{1, 0}, {2, 100}}), 150, history_of({{1, 0}, {2, 90}}), 150) == 90);
  CHECK(common(history_of({{2, 0}}), 150, history_of({{2, 50}}), 150) == -1);
  CHECK(common(history_of({{2, 0}, {4, 50}}), 150, history_of({{3, 0}, {5, 50}}), 150) == 0);
  CHECK(common(EpochHistory{}, 0, history_of({{2, 50}}), 150) == -1);
}

TEST_CASE("the first reign of all takes over what was there") {
  CHECK(start_of_reign(EpochHistory{}, PhysicalOffset{50}, PhysicalOffset{80}) ==
        PhysicalOffset{50});
  CHECK(start_of_reign(history_of({{1, 50}}), PhysicalOffset{50}, PhysicalOffset{80}) ==
        PhysicalOffset{80});
}
