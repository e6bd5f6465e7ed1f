// LatencyHistogram: counts of durations in buckets that grow with the value, as an HDR histogram
// does: every figure it gives is at most 1/128 too large.
// Threads: none of its own; one writer, merged when it has ended.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace rmq::load {

class LatencyHistogram {
 public:
  using Duration = std::chrono::nanoseconds;

  // A negative duration counts as 0.
  void record(Duration value);
  void merge(const LatencyHistogram& other);

  std::uint64_t count() const { return count_; }
  Duration max() const { return max_; }
  Duration mean() const;
  // The value that `percent` (0 to 100) of all are not above; 0 when there is none.
  Duration percentile(double percent) const;

 private:
  // Buckets of one size: 2^kBits below 2^(kBits + 1), then kHalf for each further power of two.
  static constexpr int kBits = 7;
  static constexpr std::size_t kHalf = std::size_t{1} << kBits;
  static constexpr std::size_t kBuckets = (64 - kBits) * kHalf + kHalf;

  static std::size_t bucket_of(std::uint64_t value);
  static std::uint64_t highest_in(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  Duration sum_{0};
  Duration max_{0};
};

}  // namespace rmq::load
