#include "storage/read_progress.h"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

namespace rmq::storage {

TEST_CASE("read progress: is told of once a step, from where reading began") {
  log::set_level(log::Level::Error);
  constexpr std::int64_t kStep = ReadProgress::kStepBytes;
  std::vector<std::pair<std::int64_t, std::int64_t>> told;
  ReadProgress progress(
      [&](std::int64_t done, std::int64_t most) { told.emplace_back(done, most); },
      PhysicalOffset{1000}, PhysicalOffset{1000 + 5 * kStep});
  for (const std::int64_t read : {std::int64_t{10}, kStep - 1, kStep, kStep + 1, 3 * kStep + 7}) {
    progress.at(PhysicalOffset{1000 + read});
  }
  const std::vector<std::pair<std::int64_t, std::int64_t>> wanted = {{kStep, 5 * kStep},
                                                                     {3 * kStep + 7, 5 * kStep}};
  CHECK(told == wanted);
}

TEST_CASE("read progress: nobody listens") {
  ReadProgress progress({}, PhysicalOffset{0}, PhysicalOffset{2 * ReadProgress::kStepBytes});
  progress.at(PhysicalOffset{ReadProgress::kStepBytes});
}

}  // namespace rmq::storage
