// RMQ_ASSERT: a bug stops the process, in release builds too. A stopped broker fails over, a
// corrupt log does not.
#pragma once

namespace rmq {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);
}

#define RMQ_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::rmq::assertion_failed(#condition, __FILE__, __LINE__))
