// Stores that change places: one of them dies at each change on disk that the cut of its log makes,
// and at random ones.
// Environment: RMQ_CRASH_SEEDS, how many random runs (200); RMQ_CRASH_SEED, one of them again.
#include "tests/crash/crash_seeds.h"
#include "tests/crash/pair_run.h"

namespace rmq::test {
namespace {

using storage::FlushDiskType;

// Seeds that once found something.
constexpr std::uint64_t kRegressionSeeds[] = {1, 3166859144};

// True when the cut was over before the nth change.
bool cut_dies_at(std::int64_t nth, Moment moment, Death death, FlushDiskType flush) {
  PairRun run(flush, static_cast<std::uint64_t>(moment));
  run.use(12);
  run.diverge(6);
  const bool died = run.change_places(nth, {"", std::nullopt, 1, moment}, death);
  run.check_same();
  run.use(4);
  run.kill_follower(Death::Power);
  run.check_same();
  return !died;
}

void run_seed(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  PairRun run(random() % 2 == 0 ? FlushDiskType::Sync : FlushDiskType::Async, random());
  for (int life = 0; life < 5; ++life) {
    CAPTURE(life);
    run.use(static_cast<int>(random() % 25));
    if (random() % 3 == 0) run.check_same();
    run.diverge(static_cast<int>(random() % 8));
    const std::int64_t nth = random() % 2 == 0 ? 0 : 1 + static_cast<std::int64_t>(random() % 60);
    CrashFileSystem::Plan plan;
    plan.moment = static_cast<Moment>(random() % 3);
    (void)run.change_places(nth, plan, random() % 2 == 0 ? Death::Process : Death::Power);
  }
  run.check_same();
}

}  // namespace

TEST_CASE("reign: each change on disk of a cut") {
  // Threads of the store change things by their own clocks, so the last one is not quite certain.
  constexpr int kSurvivedMax = 6;
  for (const Moment moment : {Moment::Before, Moment::Within, Moment::After}) {
    for (const Death death : {Death::Process, Death::Power}) {
      for (const FlushDiskType flush : {FlushDiskType::Async, FlushDiskType::Sync}) {
        CAPTURE(static_cast<int>(moment));
        CAPTURE(static_cast<int>(death));
        CAPTURE(static_cast<int>(flush));
        int survived = 0;
        std::int64_t nth = 1;
        for (; survived < kSurvivedMax; ++nth) {
          CAPTURE(nth);
          survived += cut_dies_at(nth, moment, death, flush) ? 1 : 0;
        }
        CHECK(nth > 30);
      }
    }
  }
}

TEST_CASE("reign: random moments") { run_seeds(kRegressionSeeds, run_seed); }

}  // namespace rmq::test
