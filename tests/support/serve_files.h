// Config files of `rmq serve` in a temporary directory, and what its options come to.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "cli/serve_options.h"
#include "config/config_errc.h"

namespace rmq::cli {

using config::ConfigErrc;

// A directory of config files, removed at the end.
class Files {
 public:
  Files() {
    std::string name = (std::filesystem::temp_directory_path() / "rmq-cli-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    directory_ = name;
  }
  ~Files() { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ / name) << text;
    return (directory_ / name).string();
  }
  std::string path(const std::string& name) const { return (directory_ / name).string(); }

 private:
  std::filesystem::path directory_;
};

inline const Environment kEnvironment{.home = "/home/rocketmq",
                                      .namesrv_addr = "10.9.8.7:9876",
                                      .host_name = "host-1",
                                      .working_directory = "/srv/here"};

inline ServeOptions resolved(const RawServeOptions& raw,
                             const Environment& environment = kEnvironment) {
  Result<ServeOptions> options = resolve(raw, environment);
  if (!options) FAIL(options.error().message());
  return *options;
}

inline std::string refusal(const RawServeOptions& raw, ConfigErrc code) {
  const Result<ServeOptions> options = resolve(raw, kEnvironment);
  REQUIRE_FALSE(options);
  CHECK(options.error().code == code);
  return options.error().detail;
}

inline bool any_contains(const std::vector<std::string>& lines, std::string_view part) {
  for (const std::string& line : lines) {
    if (line.find(part) != std::string::npos) return true;
  }
  return false;
}

}  // namespace rmq::cli
