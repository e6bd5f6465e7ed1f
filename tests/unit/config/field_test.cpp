#include "config/field.h"

#include <doctest/doctest.h>

namespace rmq::config {
namespace {

using namespace std::chrono_literals;

enum class Colour { Red, Green };
constexpr Choice<Colour> kColours[] = {{Colour::Red, "RED"}, {Colour::Green, "GREEN"}};

struct Example {
  bool on = false;
  std::uint16_t port = 80;
  std::int64_t bytes = 1;
  std::chrono::milliseconds pause{500};
  std::string host;
  Colour colour = Colour::Red;
};

constexpr std::tuple kFields{
    Field{"x.on", "xOn", &Example::on, Reload::Live, "On."},
    Field{"x.port", "xPort", &Example::port, 0, 65535, Reload::Restart, "Port."},
    Field{"x.bytes", "xBytes", &Example::bytes, 1, std::numeric_limits<std::int64_t>::max(),
          Reload::Restart, "Bytes."},
    Field{"x.pause_ms", "xPause", &Example::pause, 1ms, 60s, Reload::Live, "Pause."},
    Field{"x.host", "", &Example::host, Kind::Text, host_or_empty, Reload::Live, "Host."},
    Field{"x.colour", "xColour", &Example::colour, kColours, Reload::Live, "Colour."},
};

TEST_CASE("field: every kind of member is read and written back as text") {
  Example example;
  const Rows rows = bind(example, kFields);
  CHECK(rows.find_toml("x.on")->set("TRUE"));
  CHECK(rows.find_java("xPort")->set("65535"));
  CHECK(rows.find_java("xBytes")->set(" 9223372036854775807 "));
  CHECK(rows.find_toml("x.pause_ms")->set("60000"));
  CHECK(rows.find_toml("x.host")->set("::1"));
  CHECK(rows.find_toml("x.colour")->set("GREEN"));
  CHECK(example.on);
  CHECK(example.port == 65535);
  CHECK(example.bytes == std::numeric_limits<std::int64_t>::max());
  CHECK(example.pause == 60s);
  CHECK(example.host == "::1");
  CHECK(example.colour == Colour::Green);
  std::string texts;
  for (const Row& row : rows.all()) texts += row.get() + " ";
  CHECK(texts == "true 65535 9223372036854775807 60000 ::1 GREEN ");
}

TEST_CASE("field: a bad value is refused with its range and changes nothing") {
  Example example;
  const Rows rows = bind(example, kFields);
  const auto refusal = [&](std::string_view key, std::string_view value) {
    const Result<> set = rows.find_toml(key)->set(value);
    REQUIRE_FALSE(set);
    CHECK(set.error().code == ConfigErrc::BadValue);
    return set.error().detail;
  };
  CHECK(refusal("x.on", "yes") == "'yes' is not true or false");
  CHECK(refusal("x.port", "65536") == "'65536' is not an integer in 0..65535");
  CHECK(refusal("x.port", "-1") == "'-1' is not an integer in 0..65535");
  CHECK(refusal("x.port", "80x") == "'80x' is not an integer in 0..65535");
  CHECK(refusal("x.port", "") == "'' is not an integer in 0..65535");
  CHECK(refusal("x.bytes", "0") == "'0' is not an integer of 1 or more");
  CHECK(refusal("x.bytes", "9223372036854775808").starts_with("'9223372036854775808'"));
  CHECK(refusal("x.pause_ms", "60001") == "'60001' is not an integer in 1..60000");
  CHECK(refusal("x.host", "a b").starts_with("'a b' is not an IP address"));
  CHECK(refusal("x.colour", "green") == "'green' is not RED or GREEN");
  CHECK(example.port == 80);
  CHECK(example.pause == 500ms);
  CHECK(example.colour == Colour::Red);
}

TEST_CASE("field: a key that Java does not have is not found under the empty name") {
  Example example;
  CHECK(bind(example, kFields).find_java("") == nullptr);
}

TEST_CASE("field: address lists") {
  for (const char* right :
       {"", "a:1", "a:1;b:65535", "10.0.0.1:9876;", " a:1 ; b:2 ", "[::1]:9876"}) {
    CAPTURE(right);
    CHECK(address_list(right).empty());
  }
  for (const char* wrong :
       {"a", ":1", "a:", "a:0", "a:65536", "a:1,b:2", "a:1;b", "a b:1", "[]:1"}) {
    CAPTURE(wrong);
    CHECK_FALSE(address_list(wrong).empty());
  }
}

}  // namespace
}  // namespace rmq::config
