// json::parse and json::write: what was read comes out the same when it is written, in two styles,
// and read again.
#include "base/json.h"
#include "tests/fuzz/fuzz_target.h"

void fuzz_one_input(rmq::ByteView input) {
  using namespace rmq::json;  // NOLINT
  const rmq::Result<Value> value = parse(rmq::as_text(input));
  if (!value) return;
  for (const Style style : {Style{}, kPretty}) {
    const std::string text = write(*value, style);
    const rmq::Result<Value> again = parse(text);
    FUZZ_CHECK(again);
    FUZZ_CHECK(*again == *value);
    FUZZ_CHECK(write(*again, style) == text);
  }
  for (const Member& member : value->members()) {
    (void)member.key_object();
    (void)member.key_int();
    FUZZ_CHECK(value->find(member.key_text()) != nullptr || member.key.is_object() ||
               member.key.is_array());
  }
  // Standard JSON is ASCII, whatever went in.
  for (const char c : write(*value, kStandard)) FUZZ_CHECK(static_cast<unsigned char>(c) < 0x80);
  FUZZ_CHECK(parse(write(*value, kStandard)));
}
