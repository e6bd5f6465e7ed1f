#include <doctest/doctest.h>

#include <ostream>

#include "roles/broker/admin/runtime_info.h"
#include "roles/broker/admin/traffic.h"

namespace rmq::roles::broker {
namespace {

using namespace std::chrono_literals;
using Rate = Traffic::Rate;

TEST_CASE("traffic: rates over 10, 60 and 600 seconds") {
  ManualClock clock;
  Traffic traffic(clock);
  CHECK(traffic.rates(Rate::Put) == "0.00 0.00 0.00");
  const auto second = [&](std::int64_t put, std::int64_t pulled) {
    traffic.note_put(put, put * 100);
    traffic.note_pull(pulled);
    clock.advance(1s);
    traffic.sample();
  };
  for (int i = 0; i < 5; ++i) second(10, 4);
  CHECK(traffic.rates(Rate::Put) == "10.00 10.00 10.00");  // as far as there is a past
  CHECK(traffic.rates(Rate::Given) == "4.00 4.00 4.00");
  CHECK(traffic.rates(Rate::Found) == "1.00 1.00 1.00");
  CHECK(traffic.rates(Rate::Missed) == "0.00 0.00 0.00");
  for (int i = 0; i < 55; ++i) second(0, 0);
  CHECK(traffic.rates(Rate::Put) == "0.00 0.83 0.83");
  CHECK(traffic.rates(Rate::Missed) == "1.00 0.92 0.92");
  CHECK(traffic.rates(Rate::Pulls) == "1.00 1.00 1.00");
  for (int i = 0; i < 1000; ++i) second(2, 0);
  CHECK(traffic.rates(Rate::Put) == "2.00 2.00 2.00");
  CHECK(traffic.now().put == 2050);
  CHECK(traffic.now().put_bytes == 205'000);
  CHECK(traffic.now().given == 20);
}

TEST_CASE("traffic: totals of the mornings") {
  ManualClock clock;
  Traffic traffic(clock);
  traffic.note_put(5, 50);
  traffic.sample();
  CHECK(traffic.today_morning().put == 0);
  clock.advance(24h);
  traffic.sample();
  CHECK(traffic.today_morning().put == 5);
  CHECK(traffic.yesterday_morning().put == 0);
  traffic.note_put(2, 20);
  clock.advance(24h);
  traffic.sample();
  CHECK(traffic.today_morning().put == 7);
  CHECK(traffic.yesterday_morning().put == 5);
}

TEST_CASE("runtime info: sizes and durations as tools parse them") {
  CHECK(readable_bytes(0) == "0 B");
  CHECK(readable_bytes(1023) == "1023 B");
  CHECK(readable_bytes(1024) == "1.0 KiB");
  CHECK(readable_bytes(1536) == "1.5 KiB");
  CHECK(readable_bytes(269'509'197'824) == "251.0 GiB");
  CHECK(readable_duration(0) == "[ 0 days, 0 hours, 0 minutes, 0 seconds ]");
  CHECK(readable_duration(((2 * 24 + 1) * 3600 + 2 * 60 + 3) * 1000 + 999) ==
        "[ 2 days, 1 hours, 2 minutes, 3 seconds ]");
}

}  // namespace
}  // namespace rmq::roles::broker
