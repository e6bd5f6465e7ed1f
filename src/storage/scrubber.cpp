#include "storage/scrubber.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace rmq::storage {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::int64_t kReadBytes = 256 * 1024;
constexpr std::int64_t kPageBytes = 4096;
constexpr std::chrono::hours kPassInterval{24};
constexpr std::size_t kReportedMax = 10'000;

}  // namespace

Result<> Scrubber::open(PhysicalOffset recovered_from, PhysicalOffset end, bool continued) {
  if (continued) {
    RMQ_CHECK(parts_.sums.cut(end));
  } else {
    RMQ_CHECK(parts_.sums.forget_all());
  }
  summed_ = parts_.sums.block_begin(recovered_from);
  again_ = parts_.log.begin();
  pass_end_ = summed_;
  return {};
}

Result<> Scrubber::cut(PhysicalOffset end) {
  const PhysicalOffset begin = parts_.sums.block_begin(end);
  summed_ = std::min(summed_, begin);
  again_ = std::min(again_, begin);
  pass_end_ = std::min(pass_end_, begin);
  reported_.erase(reported_.lower_bound(begin), reported_.end());
  return parts_.sums.cut(end);
}

void Scrubber::start() {
  RMQ_ASSERT(!thread_.joinable());
  stopping_ = false;
  thread_ = std::thread([this] { run(); });
}

void Scrubber::stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Scrubber::run() {
  pass_began_ = SteadyClock::now();
  do {
    follow_log();
    sum_new();
    look_again();
  } while (wait());
}

// False when it is to stop.
bool Scrubber::wait() {
  const auto due = SteadyClock::now() + parts_.interval;
  MutexLock lock(mutex_);
  while (!stopping_ && changed_.wait_until(mutex_, due)) {
  }
  return !stopping_;
}

void Scrubber::follow_log() {
  const PhysicalOffset begin = parts_.log.begin();
  if (begin == followed_) return;
  const Result<> dropped = parts_.sums.drop_before(begin);
  if (!dropped) return note_failure("checksums of expired segments not removed", dropped.error());
  followed_ = begin;
}

void Scrubber::sum_new() {
  look(summed_, parts_.sums.block_begin(PhysicalOffset{parts_.flushed.value().value}));
}

void Scrubber::look_again() {
  if (again_ >= pass_end_) {
    if (SteadyClock::now() < pass_began_ + kPassInterval) return;
    pass_began_ = SteadyClock::now();
    again_ = parts_.log.begin();
    pass_end_ = summed_;
  }
  const auto seconds = std::chrono::duration<double>(parts_.interval).count();
  const auto share =
      static_cast<std::int64_t>(seconds * static_cast<double>(parts_.bytes_per_second));
  if (share == 0) return;
  look(again_, std::min(pass_end_, parts_.sums.block_end(again_ + share)));
}

void Scrubber::look(PhysicalOffset& at, PhysicalOffset end) {
  std::int64_t step = kReadBytes;
  while (!stopping_) {
    at = std::max(at, parts_.log.begin());
    if (at >= end) return;
    const Result<std::size_t> got = read(at, std::min(end, at + step));
    if (!got) {
      if (at < parts_.log.begin()) continue;  // expired meanwhile
      if (std::exchange(step, kPageBytes) != kPageBytes) continue;
      note_failure("commit log cannot be read at " + std::to_string(at.value), got.error());
      at = std::min(end, parts_.sums.block_begin(at + kPageBytes));
      return;
    }
    const auto found =
        parts_.sums.check(ByteView(buffer_).first(*got), at, BlockSums::Missing::Add);
    if (!found) return note_failure("checksums not kept", found.error());
    for (const PhysicalOffset block : *found) report(block);
    at += static_cast<std::int64_t>(*got);
  }
}

// Into buffer_: whole blocks of one segment.
Result<std::size_t> Scrubber::read(PhysicalOffset at, PhysicalOffset end) {
  const std::shared_ptr<Segment> segment = parts_.log.segment_of(at);
  if (!segment) return fail(std::make_error_code(std::errc::no_such_file_or_directory));
  end = std::min(end, segment->end());
  const auto wanted = static_cast<std::size_t>(end - at);
  if (buffer_.size() < wanted) buffer_.resize(wanted);
  RMQ_TRY(const std::shared_ptr<File> file, segment->file());
  RMQ_TRY(const std::size_t got,
          file->pread(MutableByteView(buffer_).first(wanted), at - segment->base()));
  if (got < wanted) return fail(std::make_error_code(std::errc::io_error), segment->path());
  return got;
}

void Scrubber::report(PhysicalOffset block) {
  if (reported_.size() >= kReportedMax || !reported_.insert(block).second) return;
  damaged_.fetch_add(1, std::memory_order_relaxed);
  log::error("store", "commit log damaged: bytes are not those that were written",
             kv("at", block.value), kv("bytes", parts_.sums.block_end(block) - block),
             kv("advice", "'rmq store verify' names the messages"));
}

void Scrubber::note_failure(const std::string& what, const Error& why) {
  std::string failure = what + ": " + why.message();
  if (failure != failure_) log::error("store", what, kv("error", why.message()));
  failure_ = std::move(failure);
}

}  // namespace rmq::storage
