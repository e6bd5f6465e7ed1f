#include "base/java_compat.h"

#include <doctest/doctest.h>

#include <limits>

#include "base/utf8.h"

using rmq::java_hash;
using rmq::JavaProperties;
using rmq::parse_properties;
using rmq::write_properties;

TEST_CASE("java_hash: String.hashCode() over UTF-16 units") {
  CHECK(java_hash("") == 0);
  CHECK(java_hash("a") == 97);
  CHECK(java_hash("TagA") == 2598919);
  CHECK(java_hash("polygenelubricants") == std::numeric_limits<std::int32_t>::min());
  CHECK(java_hash("\u4E2D\u6587") == 646394);
  CHECK(java_hash("\U0001F600") == 0xD83D * 31 + 0xDE00);
  CHECK(java_hash("\xFF") == 0xFFFD);
}

TEST_CASE("utf8: malformed bytes read as one U+FFFD for each maximal part") {
  const auto read = [](std::string_view text) {
    std::u32string all;
    for (std::size_t at = 0; at < text.size();) all += rmq::next_code_point(text, at);
    return all;
  };
  CHECK(read("a\u00E9\u20AC\U0001F600") == U"a\u00E9\u20AC\U0001F600");
  CHECK(read("\x80") == U"\uFFFD");
  CHECK(read("\xC0\xAF") == U"\uFFFD\uFFFD");  // overlong
  CHECK(read("\xE0\x80\x80") == U"\uFFFD\uFFFD\uFFFD");
  CHECK(read("\xED\xA0\x80") == U"\uFFFD\uFFFD\uFFFD");  // a surrogate
  CHECK(read("\xF5\x80") == U"\uFFFD\uFFFD");            // above U+10FFFF
  CHECK(read("\xF4\x90\x80\x80") == U"\uFFFD\uFFFD\uFFFD\uFFFD");
  CHECK(read("\xE2\x82") == U"\uFFFD");  // cut off
  CHECK(read("\xE2\x82x") == U"\uFFFDx");
  CHECK(read("\xF0\x9F\x98") == U"\uFFFD");
}

TEST_CASE("utf8: every code point survives, what is none becomes a question mark") {
  char bytes[rmq::kUtf8BytesMax];
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    const std::string_view text(bytes, rmq::encode_utf8(c, bytes));
    std::size_t at = 0;
    const char32_t expected = c >= 0xD800 && c < 0xE000 ? U'?' : c;
    if (rmq::next_code_point(text, at) != expected || at != text.size()) {
      FAIL_CHECK("code point " << static_cast<unsigned>(c));
    }
  }
  CHECK(rmq::encode_utf8(0x110000, bytes) == 1);
  CHECK(bytes[0] == '?');
}

TEST_CASE("properties: separators, comments and blank lines") {
  CHECK(parse_properties("a=1\nb:2\nc 3\n d = 4 \n# x\n! y\n\n\te\t:\t5\r\nf\n=g\nh=\na=6") ==
        JavaProperties{{"a", "1"},
                       {"b", "2"},
                       {"c", "3"},
                       {"d", "4 "},
                       {"e", "5"},
                       {"f", ""},
                       {"", "g"},
                       {"h", ""},
                       {"a", "6"}});
  CHECK(parse_properties("").empty());
  CHECK(parse_properties("\n  \n#only\n").empty());
  CHECK(parse_properties("a==1") == JavaProperties{{"a", "=1"}});
  CHECK(parse_properties("a : = 1") == JavaProperties{{"a", "= 1"}});
  CHECK(parse_properties("a=1\rb=2") == JavaProperties{{"a", "1"}, {"b", "2"}});
  CHECK(parse_properties("a=#1!") == JavaProperties{{"a", "#1!"}});
}

TEST_CASE("properties: continued lines") {
  CHECK(parse_properties("a=1\\\n   2\\\r\n\t3\nb=4") == JavaProperties{{"a", "123"}, {"b", "4"}});
  CHECK(parse_properties("a=1\\\\\nb=2") == JavaProperties{{"a", "1\\"}, {"b", "2"}});
  CHECK(parse_properties("a\\\n=1") == JavaProperties{{"a", "1"}});
  CHECK(parse_properties("a=1\\") == JavaProperties{{"a", "1"}});
  CHECK(parse_properties("# no \\\nb=2") == JavaProperties{{"b", "2"}});
}

TEST_CASE("properties: escapes") {
  CHECK(parse_properties(R"(a\=b\:c\ d=\t\n\r\f\\\q\=)") ==
        JavaProperties{{"a=b:c d", "\t\n\r\f\\q="}});
  CHECK(parse_properties(R"(a=\u20AC\uD83D\uDE00\u00e9)") ==
        JavaProperties{{"a", "\u20AC\U0001F600\u00E9"}});
  CHECK(parse_properties("a=\u20AC") == JavaProperties{{"a", "\u20AC"}});
  CHECK(parse_properties(R"(a=\u12)") == JavaProperties{{"a", "u12"}});
  CHECK(parse_properties(R"(a=\uD83Dx)") == JavaProperties{{"a", "?x"}});
}

TEST_CASE("properties: written so that they are read back") {
  const JavaProperties properties{
      {"a b", " x y"}, {"k=:#!", "v=:#!"}, {"\u20AC", "\U0001F600\t\n\r\f\\"}, {"e", ""}};
  CHECK(write_properties(properties) ==
        "a\\ b=\\ x y\nk\\=\\:\\#\\!=v\\=\\:\\#\\!\n\\u20AC=\\uD83D\\uDE00\\t\\n\\r\\f\\\\\ne=\n");
  CHECK(parse_properties(write_properties(properties)) == properties);
}
