#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace rmq {

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "rmq: assertion failed: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace rmq
