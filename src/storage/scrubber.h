// Scrubber: the thread that gives each block of the log its checksum (block_sums.h), soon after it
// is on disk, and reads old blocks again, slowly, to find out early what a disk has lost: an error
// in the log names the position. Nothing else follows from it: no message is held back.
// What a recovery has read is looked at first. A pass over the whole log begins once a day at most.
// Threads: start() and stop() on one; the rest is its own.
// Errors: a page that cannot be read is named in the log and passed over, one in a round, so that a
// disk that is gone does not fill the log; sums that cannot be written are tried again.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <thread>

#include "base/mutex.h"
#include "base/watermark.h"
#include "storage/block_sums.h"
#include "storage/commit_log.h"

namespace rmq::storage {

class Scrubber {
 public:
  struct Parts {
    const CommitLog& log;
    const Watermark<FlushedOffset>& flushed;
    BlockSums sums;
    std::int64_t bytes_per_second = 0;  // of old blocks; 0: never again
    std::chrono::milliseconds interval{1000};
  };

  explicit Scrubber(Parts parts) : parts_(std::move(parts)) {}
  ~Scrubber() { stop(); }

  // The log was read from `recovered_from` on to find its end, and ends at `end`. `continued`:
  // nobody else has written to it since sums were made.
  Result<> open(PhysicalOffset recovered_from, PhysicalOffset end, bool continued);
  // The log was cut at `end`. While it does not run.
  Result<> cut(PhysicalOffset end);
  void start();
  void stop();

  // So many blocks were found with another sum. Any thread.
  std::int64_t damaged() const { return damaged_.load(std::memory_order_relaxed); }

 private:
  void run();
  bool wait();
  void follow_log();
  void sum_new();
  void look_again();
  // Goes on from `at` to `end`, where blocks begin; not so far when something fails or it is to
  // stop.
  void look(PhysicalOffset& at, PhysicalOffset end);
  Result<std::size_t> read(PhysicalOffset at, PhysicalOffset end);
  void report(PhysicalOffset block);
  void note_failure(const std::string& what, const Error& why);

  Parts parts_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::int64_t> damaged_{0};

  PhysicalOffset followed_;  // no sums of what lay before it are left
  PhysicalOffset summed_;    // blocks before it were looked at, or belong to the slow pass
  PhysicalOffset again_;     // the slow pass is there
  PhysicalOffset pass_end_;  // and ends here
  std::chrono::steady_clock::time_point pass_began_;
  Bytes buffer_;
  std::set<PhysicalOffset> reported_;
  std::string failure_;  // in the log last

  Mutex mutex_;
  Condition changed_;
};

}  // namespace rmq::storage
