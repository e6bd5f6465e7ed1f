#include "cli/config.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "config/load.h"

namespace rmq::cli {
namespace {

const std::filesystem::path kProject = std::filesystem::path(RMQ_TEST_SOURCE_DIR).parent_path();
const Environment kEnvironment{
    .home = "/home/rocketmq", .namesrv_addr = "", .host_name = "host-1", .working_directory = "/w"};

std::string read(const std::filesystem::path& file) {
  const Result<std::string> text = config::read_config_file(file.string());
  if (!text) FAIL(text.error().message());
  return *text;
}

ServeOptions resolved(const std::string& file) {
  RawServeOptions raw;
  raw.configs = {file};
  Result<ServeOptions> options = resolve(raw, kEnvironment);
  if (!options) FAIL(options.error().message());
  return *options;
}

// Loads what config_as_toml() wrote, as a file of its own.
ServeOptions resolved_text(const std::string& text) {
  const auto file = std::filesystem::temp_directory_path() /
                    ("rmq-config-test-" + std::to_string(::getpid()) + ".toml");
  std::ofstream(file) << text;
  ServeOptions options = resolved(file.string());
  std::filesystem::remove(file);
  return options;
}

TEST_CASE("config: docs/config.md is what the rows say") {
  // `make config` writes it anew.
  CHECK((read(kProject / "docs/config.md") == config_reference()));
}

TEST_CASE("config: every file in configs/ loads without a surprise") {
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kProject / "configs")) {
    if (!entry.is_regular_file() || entry.path().extension() == ".service") continue;
    ++files;
    CAPTURE(entry.path().string());
    const ServeOptions options = resolved(entry.path().string());
    const std::string name = entry.path().filename().string();
    const bool for_namesrv = name.starts_with("namesrv");
    const bool for_controller = name.starts_with("controller");
    CHECK(options.namesrv.has_value() == for_namesrv);
    CHECK(options.controller.has_value() == for_controller);
    CHECK(options.broker.has_value() == (!for_namesrv && !for_controller));
    CHECK(options.warnings.empty());
  }
  CHECK(files >= 4);
}

TEST_CASE("config: as TOML and back it is the same") {
  for (const char* file :
       {"configs/java/broker.conf", "configs/namesrv.toml", "configs/java/controller.conf"}) {
    const ServeOptions first = resolved((kProject / file).string());
    const std::string text = config_as_toml(first);
    ServeOptions second = resolved_text(text);
    if (second.broker) second.broker->other_keys = first.broker->other_keys;  // comments now
    CHECK(config_as_toml(second) == text);
  }
}

TEST_CASE("config: text that TOML must escape, and lists") {
  RawServeOptions raw;
  raw.roles = {"master"};
  raw.namesrv = "a:1;b:2";
  Result<ServeOptions> options = resolve(raw, kEnvironment);
  REQUIRE(options);
  options->broker->broker_name = "a \"b\" \\ \x01 \xe6\x9d\xad";
  const std::string text = config_as_toml(*options);
  CHECK(text.find("namesrv = [\"a:1\", \"b:2\"]") != std::string::npos);
  const ServeOptions back = resolved_text(text);
  CHECK(back.broker->broker_name == options->broker->broker_name);
  CHECK(back.broker->namesrv_addr == "a:1;b:2");
}

TEST_CASE("config: a key has one row or one judgement") {
  roles::namesrv::NamesrvConfig namesrv;
  roles::broker::BrokerConfig broker;
  roles::controller::ControllerConfig controller;
  roles::controller::ControllerConfig inside;
  config::Rows namesrv_rows = rows(namesrv);
  namesrv_rows.append(rows(inside, true));
  const std::pair<config::Rows, config::JavaKeys> files[] = {
      {namesrv_rows, roles::namesrv::java_keys()},
      {rows(broker), roles::broker::java_keys()},
      {rows(controller), roles::controller::java_keys()}};
  for (const auto& [file_rows, keys] : files) {
    std::set<std::string_view> seen;
    std::set<std::string_view> toml;
    for (const config::Row& row : file_rows.all()) {
      CAPTURE(row.toml_key);
      CHECK(toml.insert(row.toml_key).second);
      if (!row.java_key.empty()) CHECK(seen.insert(row.java_key).second);
      CHECK_FALSE(row.text.empty());
      CHECK(row.set(row.get()));  // the default is allowed
    }
    for (const config::JavaKey& key : keys.judged) {
      CAPTURE(key.key);
      CHECK(seen.insert(key.key).second);
    }
    for (const std::string_view key : keys.tuning) {
      CAPTURE(key);
      CHECK(seen.insert(key).second);
    }
  }
}

TEST_CASE("config: on the command line") {
  std::ostringstream out;
  std::ostringstream err;
  Console console{out, err};
  CHECK(run_command_line({"config", "reference"}, console) == 0);
  CHECK(out.str() == config_reference());
  out.str("");
  CHECK(run_command_line({"config", "show", "--role=namesrv", "--port=7"}, console) == 0);
  CHECK(out.str().find("listen_port = 7\n") != std::string::npos);
  CHECK(err.str().empty());
  CHECK(run_command_line({"config", "show", "--role=nobody"}, console) == 2);
  CHECK(err.str().find("'nobody' is not a role") != std::string::npos);
}

}  // namespace
}  // namespace rmq::cli
