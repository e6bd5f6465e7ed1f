#include "load/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace rmq::load {

std::size_t LatencyHistogram::bucket_of(std::uint64_t value) {
  const int width = static_cast<int>(std::bit_width(value));
  const int shift = std::max(0, width - kBits - 1);
  return static_cast<std::size_t>(shift) * kHalf + static_cast<std::size_t>(value >> shift);
}

std::uint64_t LatencyHistogram::highest_in(std::size_t bucket) {
  if (bucket < 2 * kHalf) return bucket;
  const std::size_t shift = bucket / kHalf - 1;
  return ((static_cast<std::uint64_t>(bucket - shift * kHalf) + 1) << shift) - 1;
}

void LatencyHistogram::record(Duration value) {
  const Duration counted = std::max(value, Duration(0));
  ++counts_[bucket_of(static_cast<std::uint64_t>(counted.count()))];
  ++count_;
  sum_ += counted;
  max_ = std::max(max_, counted);
}

void LatencyHistogram::merge(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

LatencyHistogram::Duration LatencyHistogram::mean() const {
  return count_ == 0 ? Duration(0) : sum_ / static_cast<std::int64_t>(count_);
}

LatencyHistogram::Duration LatencyHistogram::percentile(double percent) const {
  const auto wanted = static_cast<std::uint64_t>(
      std::ceil(std::clamp(percent, 0.0, 100.0) / 100 * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket];
    if (seen >= std::max<std::uint64_t>(wanted, 1) && counts_[bucket] > 0) {
      return std::min(max_, Duration(static_cast<std::int64_t>(highest_in(bucket))));
    }
  }
  return Duration(0);
}

}  // namespace rmq::load
