// .properties text: what was read once is read again from what was written.
#include "base/java_compat.h"
#include "tests/fuzz/fuzz_target.h"

void fuzz_one_input(rmq::ByteView input) {
  const rmq::JavaProperties first = rmq::parse_properties(rmq::as_text(input));
  const std::string text = rmq::write_properties(first);
  const rmq::JavaProperties second = rmq::parse_properties(text);
  FUZZ_CHECK(second.size() == first.size());
  // Bytes that are not UTF-8 were replaced the first time; from then on nothing changes.
  FUZZ_CHECK(rmq::write_properties(second) == text);
  (void)rmq::java_hash(rmq::as_text(input));
}
