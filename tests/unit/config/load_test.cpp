#include "config/load.h"

#include <doctest/doctest.h>

namespace rmq::config {
namespace {

using namespace std::chrono_literals;

struct Example {
  std::chrono::milliseconds flush_interval{500};
  std::int32_t port = 80;
  bool on = false;
  std::string name;
  std::string peers;
};

constexpr std::tuple kFields{
    Field{"store.flush_interval_ms", "flushIntervalCommitLog", &Example::flush_interval, 1ms, 60s,
          Reload::Live, "Pause."},
    Field{"broker.port", "listenPort", &Example::port, 0, 65535, Reload::Restart, "Port."},
    Field{"broker.on", "switchedOn", &Example::on, Reload::Live, "On."},
    Field{"broker.name", "brokerName", &Example::name, Kind::Text, any_text, Reload::Live, "Name."},
    Field{"broker.peers", "peers", &Example::peers, Kind::List, address_list, Reload::Live,
          "Peers."},
};

constexpr JavaKey kJudged[] = {
    {"storeType", "default", Handling::Refused, "RocksDB cannot be read"},
    {"metrics", "false", Handling::Missing, "there are no metrics"},
};
constexpr std::string_view kTuning[] = {"threadPoolNums"};
constexpr JavaKeys kKnown{kJudged, kTuning};

std::string toml_error(std::string_view text, ConfigErrc code) {
  Example example;
  const Result<> loaded = load_toml(text, "b.toml", bind(example, kFields));
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().code == code);
  return loaded.error().detail;
}

TEST_CASE("load: TOML tables and dotted keys are the same thing") {
  for (const char* text :
       {"store.flush_interval_ms = 7\nbroker.on = true\nbroker.peers = \"a:1;b:2\"",
        "[store]\nflush_interval_ms = 7\n[broker]\non = true\npeers = [\"a:1\", \"b:2\"]"}) {
    Example example;
    REQUIRE(load_toml(text, "b.toml", bind(example, kFields)));
    CHECK(example.flush_interval == 7ms);
    CHECK(example.on);
    CHECK(example.peers == "a:1;b:2");
    CHECK(example.port == 80);
  }
}

TEST_CASE("load: an unknown TOML key is an error that names the nearest") {
  CHECK(toml_error("[store]\n\nflush_intervall_ms = 7", ConfigErrc::UnknownKey) ==
        "b.toml:3: store.flush_intervall_ms: there is no such setting; the nearest is "
        "store.flush_interval_ms");
  // RocketMQ's name, and the right name in the wrong table.
  CHECK(toml_error("flushIntervalCommitLog = 7", ConfigErrc::UnknownKey)
            .ends_with("the nearest is store.flush_interval_ms"));
  CHECK(toml_error("[broker]\nflush_interval_ms = 7", ConfigErrc::UnknownKey)
            .ends_with("the nearest is store.flush_interval_ms"));
  CHECK(toml_error("[broker]\nxylophone_orchestra = 7", ConfigErrc::UnknownKey)
            .ends_with("there is no such setting"));
}

TEST_CASE("load: a bad TOML value is an error with file, line, key, value and range") {
  CHECK(toml_error("[broker]\nport = 65536", ConfigErrc::BadValue) ==
        "b.toml:2: broker.port: '65536' is not an integer in 0..65535");
  CHECK(toml_error("[broker]\nport = \"80\"", ConfigErrc::BadValue) ==
        "b.toml:2: broker.port: expected an integer, without quotes (0..65535)");
  CHECK(toml_error("[broker]\non = \"true\"", ConfigErrc::BadValue)
            .starts_with("b.toml:2: broker.on: expected true or false"));
  CHECK(toml_error("[broker]\nname = 5", ConfigErrc::BadValue)
            .starts_with("b.toml:2: broker.name: expected a string in quotes"));
  CHECK(toml_error("[broker]\npeers = [1]", ConfigErrc::BadValue)
            .starts_with("b.toml:2: broker.peers: expected a string or an array"));
  CHECK(toml_error("[broker\nport = 1", ConfigErrc::Syntax).starts_with("b.toml:1: "));
}

TEST_CASE("load: a Java file sets rows and keeps the other keys") {
  Example example;
  const KeyValues properties{{"listenPort", "81 "},    {"brokerName", "b"},
                             {"peers", "a:1"},         {"switchedOn", "True"},
                             {"threadPoolNums", "7"},  {"fileReserverdTime", "1"},
                             {"storeType", "default"}, {"metrics", "true"}};
  const Result<JavaRemains> remains =
      load_java(properties, "broker.conf", bind(example, kFields), kKnown);
  REQUIRE(remains);
  CHECK(example.port == 81);
  CHECK(example.name == "b");
  CHECK(example.on);
  CHECK(remains->other_keys == KeyValues{{"threadPoolNums", "7"},
                                         {"fileReserverdTime", "1"},
                                         {"storeType", "default"},
                                         {"metrics", "true"}});
  CHECK(
      remains->warnings ==
      std::vector<std::string>{"broker.conf: fileReserverdTime: unknown setting, kept but not used",
                               "broker.conf: metrics: 'true': there are no metrics"});
}

TEST_CASE("load: a Java file with a bad value or a refused key is an error") {
  Example example;
  const Rows rows = bind(example, kFields);
  const Result<JavaRemains> bad = load_java({{"listenPort", "x"}}, "broker.conf", rows, kKnown);
  REQUIRE_FALSE(bad);
  CHECK(bad.error().code == ConfigErrc::BadValue);
  CHECK(bad.error().detail == "broker.conf: listenPort: 'x' is not an integer in 0..65535");
  const Result<JavaRemains> refused =
      load_java({{"storeType", "defaultRocksDB"}}, "broker.conf", rows, kKnown);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ConfigErrc::Refused);
  CHECK(refused.error().detail ==
        "broker.conf: storeType: 'defaultRocksDB': RocksDB cannot be read");
}

TEST_CASE("load: the tables of a TOML file, and which files are TOML") {
  const Result<std::vector<std::string>> tables = toml_tables("[store]\nx=1\n[broker]\ny=1", "f");
  REQUIRE(tables);
  CHECK(tables->size() == 2);
  CHECK(is_toml("a/b.toml"));
  CHECK_FALSE(is_toml("broker.conf"));
  CHECK_FALSE(is_toml("toml"));
}

TEST_CASE("load: a file that cannot be read is named") {
  for (const char* file : {"/nonexistent/broker.conf", "/"}) {
    const Result<std::string> text = read_config_file(file);
    REQUIRE_FALSE(text);
    CHECK(text.error().code == ConfigErrc::Unreadable);
    CHECK(text.error().detail.starts_with(file));
  }
}

}  // namespace
}  // namespace rmq::config
