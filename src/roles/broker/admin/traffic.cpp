#include "roles/broker/admin/traffic.h"

#include <time.h>

#include <chrono>
#include <cstdio>

namespace rmq::roles::broker {

using namespace std::chrono_literals;

namespace {

constexpr std::chrono::seconds kLongestWindow = 600s;

}  // namespace

Traffic::Traffic(Clock& clock) : clock_(clock), day_(local_day()) { samples_.push_back(take()); }

Traffic::Sample Traffic::take() const {
  const auto load = [](const auto& counter) { return counter.load(std::memory_order_relaxed); };
  const std::int64_t found = load(found_);
  const std::int64_t missed = load(missed_);
  return {clock_.steady_now(), {load(put_), found, missed, load(given_), found + missed}};
}

std::int64_t Traffic::local_day() const {
  const time_t seconds = clock_.now_ms() / 1000;
  tm local{};
  localtime_r(&seconds, &local);
  return static_cast<std::int64_t>(local.tm_year) * 366 + local.tm_yday;
}

void Traffic::sample() {
  samples_.push_back(take());
  const SteadyTime oldest = samples_.back().at - kLongestWindow;
  while (samples_.size() > 2 && samples_[1].at <= oldest) samples_.pop_front();
  if (const std::int64_t day = local_day(); day != day_) {
    day_ = day;
    yesterday_morning_ = today_morning_;
    today_morning_ = now();
  }
}

std::string Traffic::rates(Rate rate) const {
  const Sample& last = samples_.back();
  const auto index = static_cast<std::size_t>(rate);
  std::string text;
  for (const std::chrono::seconds window : {10s, 60s, kLongestWindow}) {
    // The youngest sample that is old enough, or the oldest there is.
    auto from = samples_.rbegin();
    while (from + 1 != samples_.rend() && last.at - from->at < window) ++from;
    const double seconds = std::chrono::duration<double>(last.at - from->at).count();
    const auto count = static_cast<double>(last.counts[index] - from->counts[index]);
    std::array<char, 32> number{};
    std::snprintf(number.data(), number.size(), "%.2f", seconds > 0 ? count / seconds : 0.0);
    if (!text.empty()) text += ' ';
    text += number.data();
  }
  return text;
}

Traffic::Totals Traffic::now() const {
  return {put_.load(std::memory_order_relaxed), put_bytes_.load(std::memory_order_relaxed),
          given_.load(std::memory_order_relaxed)};
}

}  // namespace rmq::roles::broker
