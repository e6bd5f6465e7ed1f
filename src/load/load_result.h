// LoadResult: what a load came to within the time that was measured.
// Threads: a plain value.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "load/latency_histogram.h"

namespace rmq::load {

struct LoadResult {
  std::chrono::nanoseconds measured{0};
  std::uint64_t requests = 0;  // answered
  std::uint64_t messages = 0;  // acknowledged, or received
  std::uint64_t bytes = 0;     // of their bodies when sent; of their records when received
  // Of what was due within that time, whenever it was answered: a request, or a message end to end,
  // from the time it was meant to be sent.
  LatencyHistogram latency;
  // What did not go well, by what it was, with how many requests: "SYSTEM_BUSY (2): ...".
  std::map<std::string, std::uint64_t> errors;

  double messages_per_second() const {
    const double seconds = std::chrono::duration<double>(measured).count();
    return seconds > 0 ? static_cast<double>(messages) / seconds : 0;
  }
  void merge(const LoadResult& other) {
    requests += other.requests;
    messages += other.messages;
    bytes += other.bytes;
    latency.merge(other.latency);
    for (const auto& [what, count] : other.errors) errors[what] += count;
  }
};

// When requests count: from `begin` on, before `end`.
struct Window {
  std::chrono::steady_clock::time_point begin;
  std::chrono::steady_clock::time_point end;

  bool contains(std::chrono::steady_clock::time_point at) const { return at >= begin && at < end; }
};

}  // namespace rmq::load
