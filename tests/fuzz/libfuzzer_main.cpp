// The entry point that libFuzzer calls.
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  fuzz_one_input({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
