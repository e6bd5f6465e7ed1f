#include "cli/progress.h"

#include <ostream>

#include "cli/render.h"

namespace rmq::cli {
namespace {

constexpr const char* kWipeLine = "\r\x1b[K";

}  // namespace

Progress::Progress(Console& console, std::string what, std::chrono::milliseconds patience)
    : console_(console), patience_(patience), what_(std::move(what)) {
  if (console.err_is_terminal) thread_ = std::thread([this] { draw_until_stopped(); });
}

Progress::~Progress() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_one();
  thread_.join();
  if (drawn_) console_.err << kWipeLine << std::flush;
}

void Progress::what(std::string text) {
  MutexLock lock(mutex_);
  what_ = std::move(text);
}

void Progress::draw_until_stopped() {
  const auto begin = std::chrono::steady_clock::now();
  auto next = begin + patience_;
  MutexLock lock(mutex_);
  while (!stopping_) {
    if (stopped_.wait_until(mutex_, next)) continue;
    const auto now = std::chrono::steady_clock::now();
    const auto past = std::chrono::duration_cast<std::chrono::seconds>(now - begin);
    console_.err << kWipeLine << "rmq: " << escape_for_terminal(what_) << "  " << past.count()
                 << " s" << std::flush;
    drawn_ = true;
    next = now + patience_;
  }
}

}  // namespace rmq::cli
