// Traffic: how many messages a broker took and gave, in total, per second and per day. What tools
// show as TPS. Source: StoreStatsService.java, BrokerStats.java. Threads: the note_ functions any;
// the rest on the control thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <string>

#include "base/clock.h"

namespace rmq::roles::broker {

class Traffic {
 public:
  explicit Traffic(Clock& clock);

  void note_put(std::int64_t messages, std::int64_t bytes) {
    put_.fetch_add(messages, std::memory_order_relaxed);
    put_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }
  // A pull that was answered: with so many messages, or with none.
  void note_pull(std::int64_t messages) {
    (messages > 0 ? found_ : missed_).fetch_add(1, std::memory_order_relaxed);
    given_.fetch_add(messages, std::memory_order_relaxed);
  }

  // Once a second: the memory that rates are computed from, and the turn of the day.
  void sample();

  enum class Rate { Put, Found, Missed, Given, Pulls };
  // Over the last 10, 60 and 600 seconds, "12.00 3.50 0.61"; what is not that old yet counts from
  // the start.
  std::string rates(Rate rate) const;

  struct Totals {
    std::int64_t put = 0;
    std::int64_t put_bytes = 0;
    std::int64_t given = 0;
  };
  Totals now() const;
  // As they were when the day began, by the machine's own time zone; 0 for days that began before
  // the process.
  const Totals& today_morning() const { return today_morning_; }
  const Totals& yesterday_morning() const { return yesterday_morning_; }

 private:
  struct Sample {
    SteadyTime at;
    std::array<std::int64_t, 5> counts{};  // by Rate
  };

  Sample take() const;
  std::int64_t local_day() const;

  Clock& clock_;
  std::atomic<std::int64_t> put_{0};
  std::atomic<std::int64_t> put_bytes_{0};
  std::atomic<std::int64_t> found_{0};
  std::atomic<std::int64_t> missed_{0};
  std::atomic<std::int64_t> given_{0};

  std::deque<Sample> samples_;  // the oldest first
  std::int64_t day_;
  Totals today_morning_;
  Totals yesterday_morning_;
};

}  // namespace rmq::roles::broker
