#include "client/fault_latency.h"

#include <doctest/doctest.h>

#include <ostream>

using namespace rmq;
using namespace rmq::client;
using namespace std::chrono_literals;

TEST_CASE("penalties by latency are Java's") {
  CHECK(penalty_of(0ms) == 0ms);
  CHECK(penalty_of(549ms) == 0ms);
  CHECK(penalty_of(550ms) == 2s);
  CHECK(penalty_of(1'799ms) == 2s);
  CHECK(penalty_of(1'800ms) == 5s);
  CHECK(penalty_of(3s) == 6s);
  CHECK(penalty_of(5s) == 10s);
  CHECK(penalty_of(14'999ms) == 10s);
  CHECK(penalty_of(15s) == 30s);
}

TEST_CASE("a broker that failed once is avoided until its penalty ends") {
  ManualClock clock;
  FaultLatency faults(clock);
  CHECK_FALSE(faults.avoided("a"));
  faults.failed("a");
  CHECK(faults.avoided("a"));
  CHECK_FALSE(faults.avoided("b"));
  clock.advance(kSilencePenalty - 1ms);
  CHECK(faults.avoided("a"));
  clock.advance(1ms);
  CHECK_FALSE(faults.avoided("a"));
  // Whoever still probes it should go on.
  CHECK(faults.silent() == std::vector<std::string>{"a"});
}

TEST_CASE("a probe ends the penalty, or renews it") {
  ManualClock clock;
  FaultLatency faults(clock);
  faults.failed("a");
  faults.probed("a", true);
  CHECK_FALSE(faults.avoided("a"));
  CHECK(faults.silent().empty());

  faults.answered("a", 1ms);
  faults.failed("a");
  clock.advance(9s);
  faults.probed("a", false);
  clock.advance(9s);
  CHECK(faults.avoided("a"));
  // A probe of one that nobody accused means nothing.
  faults.probed("b", false);
  CHECK_FALSE(faults.avoided("b"));
}

TEST_CASE("a broker that answers probes only must be well longer each time") {
  ManualClock clock;
  FaultLatency faults(clock);
  faults.failed("a");
  faults.probed("a", true);
  for (const auto distrust : {1s, 2s, 4s}) {
    faults.failed("a");
    clock.advance(distrust - 1ms);
    faults.probed("a", true);
    CHECK(faults.avoided("a"));
    clock.advance(1ms);
    faults.probed("a", true);
    CHECK_FALSE(faults.avoided("a"));
  }
  // A message that it takes makes it a new broker.
  faults.answered("a", 1ms);
  faults.failed("a");
  faults.probed("a", true);
  CHECK_FALSE(faults.avoided("a"));
}

TEST_CASE("a slow broker is avoided as well, without probes") {
  ManualClock clock;
  FaultLatency faults(clock);
  faults.answered("a", 600ms);
  CHECK(faults.avoided("a"));
  CHECK(faults.silent().empty());
  clock.advance(2s);
  CHECK_FALSE(faults.avoided("a"));
  faults.answered("a", 600ms);
  faults.answered("a", 10ms);
  CHECK_FALSE(faults.avoided("a"));
}
