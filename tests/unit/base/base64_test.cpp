#include "base/base64.h"

#include <doctest/doctest.h>

#include <ostream>
#include <string>

namespace rmq {

TEST_CASE("base64: the vectors of RFC 4648, both ways") {
  for (const auto& [bytes, text] : {std::pair{"", ""},
                                    {"f", "Zg=="},
                                    {"fo", "Zm8="},
                                    {"foo", "Zm9v"},
                                    {"foob", "Zm9vYg=="},
                                    {"fooba", "Zm9vYmE="},
                                    {"foobar", "Zm9vYmFy"}}) {
    CHECK(to_base64(as_bytes(bytes)) == text);
    CHECK(from_base64(text) == bytes);
  }
}

TEST_CASE("base64: every byte comes back") {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  CHECK(from_base64(to_base64(as_bytes(all))) == all);
}

TEST_CASE("base64: what is none") {
  for (const char* text : {"Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9v=", "Zm-v", "Z=9v"}) {
    CHECK_MESSAGE(!from_base64(text), text);
  }
}

}  // namespace rmq
