#include "cli/render.h"

#include <doctest/doctest.h>

using namespace rmq::cli;

TEST_CASE("display width counts terminal cells, not bytes") {
  CHECK(display_width("") == 0);
  CHECK(display_width("abc") == 3);
  CHECK(display_width("h\xc3\xa9llo") == 5);
  CHECK(display_width("e\xcc\x81") == 1);  // e and a combining accent
  CHECK(display_width("\xe8\xae\xa2\xe5\x8d\x95") == 4);
  CHECK(display_width("\xf0\x9f\x9a\x80") == 2);
  CHECK(display_width("a\xff\xc3") == 3);  // a stray byte, and a character cut short
}

TEST_CASE("table: columns are aligned by width and lines end without blanks") {
  Table table({{"TOPIC"}, {"QUEUES", Align::Right}, {"NOTE"}});
  CHECK(table.empty());
  table.add_row({"Orders", "8", ""});
  table.add_row({"\xe8\xae\xa2\xe5\x8d\x95", "1024", "wide"});
  CHECK_FALSE(table.empty());
  CHECK(table.text() ==
        "TOPIC   QUEUES  NOTE\n"
        "Orders       8\n"
        "\xe8\xae\xa2\xe5\x8d\x95      1024  wide\n");
}

TEST_CASE("escape: nothing reaches the terminal that it would obey") {
  CHECK(escape_for_terminal("plain \xc3\xa9 \xe8\xae\xa2") == "plain \xc3\xa9 \xe8\xae\xa2");
  CHECK(escape_for_terminal("a\nb\tc\r\\") == "a\\nb\\tc\\r\\\\");
  CHECK(escape_for_terminal("\x1b[31mred") == "\\x1b[31mred");
  CHECK(escape_for_terminal(std::string_view("\0\x7f", 2)) == "\\x00\\x7f");
  CHECK(escape_for_terminal("\xff\xc3") == "\\xff\\xc3");
  CHECK(escape_for_terminal("\xc2\x9b") == "\\xc2\\x9b");           // CSI as one character
  CHECK(escape_for_terminal("\xe2\x80\xae") == "\\xe2\\x80\\xae");  // right-to-left override
  CHECK(escape_for_terminal("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // a surrogate is no UTF-8
  CHECK(escape_for_terminal("\xc0\xaf") == "\\xc0\\xaf");           // overlong
}

TEST_CASE("times are printed in UTC with milliseconds") {
  CHECK(format_time_ms(0) == "1970-01-01 00:00:00.000");
  CHECK(format_time_ms(1'700'000'000'123) == "2023-11-14 22:13:20.123");
  CHECK(format_time_ms(-1) == "1969-12-31 23:59:59.999");
}
