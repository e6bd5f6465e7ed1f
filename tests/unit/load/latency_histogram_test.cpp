#include "load/latency_histogram.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

using namespace rmq::load;
using std::chrono::nanoseconds;

TEST_CASE("histogram: nothing recorded") {
  const LatencyHistogram histogram;
  CHECK(histogram.count() == 0);
  CHECK(histogram.percentile(50) == nanoseconds(0));
  CHECK(histogram.mean() == nanoseconds(0));
}

TEST_CASE("histogram: percentiles are at most 1/128 above the true ones") {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> distribution(11, 3);
  std::vector<std::int64_t> values;
  LatencyHistogram histogram;
  LatencyHistogram second;
  for (int i = 0; i < 100'000; ++i) {
    values.push_back(static_cast<std::int64_t>(distribution(random)));
    (i % 3 == 0 ? second : histogram).record(nanoseconds(values.back()));
  }
  histogram.merge(second);
  std::sort(values.begin(), values.end());
  CHECK(histogram.count() == values.size());
  CHECK(histogram.max().count() == values.back());
  for (const double percent : {0.0, 1.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
    CAPTURE(percent);
    const auto rank = static_cast<std::size_t>(
        std::max(1.0, std::ceil(percent / 100 * static_cast<double>(values.size()))));
    const auto exact = static_cast<double>(values[rank - 1]);
    const auto found = static_cast<double>(histogram.percentile(percent).count());
    CHECK(found >= exact);
    CHECK(found <= exact * (1 + 1.0 / 128));
  }
}

TEST_CASE("histogram: the smallest and the largest values") {
  LatencyHistogram histogram;
  histogram.record(nanoseconds(-5));
  CHECK(histogram.percentile(100) == nanoseconds(0));
  histogram.record(nanoseconds::max());
  CHECK(histogram.percentile(100) == nanoseconds::max());
}
