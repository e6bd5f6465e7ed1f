// What a process of this machine used so far, from /proc (proc(5)).
// Threads: any.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/result.h"

namespace rmq::load {

struct ProcessUsage {
  std::chrono::microseconds cpu{0};  // of all its threads, in user and kernel
  std::int64_t memory_bytes = 0;     // resident now, without files that are mapped
};

// `pid` 0: this process. Errors: of /proc, ENOENT when there is no such process.
Result<ProcessUsage> process_usage(int pid);

}  // namespace rmq::load
