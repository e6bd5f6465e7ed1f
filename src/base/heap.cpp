#include "base/heap.h"

#include <malloc.h>

namespace rmq {

void return_free_memory() { ::malloc_trim(0); }

}  // namespace rmq
