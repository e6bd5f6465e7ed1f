// for_each_parallel: the same work for many things, on several threads.
#pragma once

#include <cstddef>
#include <functional>

#include "base/result.h"

namespace rmq {

// work(0) to work(count - 1), each once, on this thread and on others that end before it returns.
// Few things are left to this thread alone, in their order. The first error ends it: some of the
// rest is not done then.
Result<> for_each_parallel(std::size_t count, const std::function<Result<>(std::size_t)>& work);

}  // namespace rmq
