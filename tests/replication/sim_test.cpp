// Clusters of src/replication through faults, in simulations that are the same for the same seed.
// Environment: RMQ_SIM_SEEDS, how many fresh seeds (1000; 50 in a build for debugging);
// RMQ_SIM_BASE, the first of them, otherwise by chance and printed; RMQ_SIM_SEED, one seed alone,
// with its whole trace.
#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <numeric>
#include <random>
#include <sstream>
#include <vector>

#include "tests/replication/simulator.h"

namespace rmq::sim {
namespace {

// Seeds that find a mistake which was once made: reigns resumed after a restart (1), OK for one
// copy (5), offsets merged before the cut (10), logs without a common epoch (17), sets reduced by
// elections (29), proposals without set epoch (125), joins below the epoch's start (540), proposals
// that nothing ends (976).
constexpr std::uint64_t kRegressionSeeds[] = {1, 5, 10, 17, 29, 125, 540, 976};

#ifdef NDEBUG
constexpr std::uint64_t kFreshSeeds = 1'000;
#else
constexpr std::uint64_t kFreshSeeds = 50;
#endif

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct Total {
  std::int64_t seeds = 0;
  std::int64_t steps = 0;
  std::size_t confirmed = 0;
  std::size_t answered = 0;
  std::size_t reigns = 0;
};

// What went wrong, with the way there; a second run with the same seed tells it.
std::string story_of(std::uint64_t seed, const Outcome& outcome) {
  const Outcome again = simulate(seed, Tracing::LastLines);
  std::ostringstream story;
  story << "FAIL seed " << seed << ", step " << outcome.steps << ": " << *outcome.violation << "\n";
  if (again.violation != outcome.violation) story << "and differently in the second run\n";
  for (const std::string& line : again.last_lines) story << "  " << line << "\n";
  story << "RMQ_SIM_SEED=" << seed << " shows all of it\n";
  return story.str();
}

bool run_seed(std::uint64_t seed, Total& total) {
  const Outcome outcome = simulate(seed, Tracing::Off);
  ++total.seeds;
  total.steps += outcome.steps;
  total.confirmed += outcome.confirmed;
  total.answered += outcome.answered;
  total.reigns += outcome.reigns;
  if (!outcome.violation) return true;
  const std::string story = story_of(seed, outcome);
  std::cout << story << "found after " << total.seeds << " seeds, " << total.steps << " steps\n";
  FAIL_CHECK(*outcome.violation);
  return false;
}

}  // namespace

TEST_CASE("who is frozen twice gets what came in the order in which it came") {
  // The second time ends before the first, or after it.
  for (const Ticks second : {5, 50}) {
    World world(1, Tracing::Off);
    world.set_up(1);
    std::vector<int> order;
    for (int i = 0; i < 20; ++i) {
      world.at(1, 2 * i, [&order, i] { order.push_back(i); });
    }
    world.freeze(1, 20);
    world.outside(7, [&] { world.freeze(1, second); });
    while (world.step()) continue;
    std::vector<int> expected(20);
    std::iota(expected.begin(), expected.end(), 0);
    CHECK(order == expected);
  }
}

TEST_CASE("simulator") {
  if (std::getenv("RMQ_SIM_SEED") != nullptr) {
    const Outcome outcome = simulate(number_from("RMQ_SIM_SEED", 0), Tracing::All);
    std::cout << outcome.steps << " steps, " << outcome.reigns << " reigns, " << outcome.confirmed
              << " confirmed, " << outcome.answered << " answered with OK\n";
    CHECK_MESSAGE(!outcome.violation, outcome.violation.value_or(""));
    return;
  }
  Total total;
  for (const std::uint64_t seed : kRegressionSeeds) {
    if (!run_seed(seed, total)) return;
  }
  const std::uint64_t count = number_from("RMQ_SIM_SEEDS", kFreshSeeds);
  const std::uint64_t base = number_from("RMQ_SIM_BASE", std::random_device{}());
  std::cout << "seeds from " << base << " on\n";
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!run_seed(base + i, total)) return;
  }
  std::cout << total.seeds << " seeds, " << total.steps << " steps; " << total.reigns << " reigns, "
            << total.confirmed << " records confirmed, " << total.answered << " answered with OK\n";
  // A simulation in which nothing happens finds nothing.
  CHECK(total.confirmed > 0);
  CHECK(total.reigns > static_cast<std::size_t>(total.seeds));
}

}  // namespace rmq::sim
