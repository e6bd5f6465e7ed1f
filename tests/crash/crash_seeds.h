// Random runs of the crash tests, each from a seed that can be run again.
// Environment: RMQ_CRASH_SEEDS, how many (200); RMQ_CRASH_SEED, one of them again.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <span>

namespace rmq::test {

inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// `known`: seeds that once found something.
template <class Run>
void run_seeds(std::span<const std::uint64_t> known, Run run) {
  if (std::getenv("RMQ_CRASH_SEED") != nullptr) return run(number_from("RMQ_CRASH_SEED", 0));
  for (const std::uint64_t seed : known) {
    CAPTURE(seed);
    run(seed);
  }
  const std::uint64_t count = number_from("RMQ_CRASH_SEEDS", 200);
  std::random_device fresh;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t seed = fresh();
    CAPTURE(seed);  // RMQ_CRASH_SEED=seed runs it again
    run(seed);
  }
}

}  // namespace rmq::test
