#include "cli/reference.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "cli/command_line.h"

using namespace rmq::cli;

namespace {

std::string read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string help_of(std::vector<std::string> words) {
  std::ostringstream out;
  Console console{out, out};
  words.push_back("--help");
  CHECK(run_command_line(words, console) == 0);
  return out.str();
}

// The commands that the document has: "rmq topic create".
std::vector<std::string> commands() {
  std::vector<std::string> paths;
  std::istringstream lines(command_line_reference());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("### rmq ")) paths.push_back(line.substr(4));
  }
  return paths;
}

}  // namespace

TEST_CASE("docs/cli.md is what the help texts say; else: make cli-docs") {
  CHECK((read(std::string(RMQ_TEST_SOURCE_DIR) + "/../docs/cli.md") == command_line_reference()));
}

TEST_CASE("every command has a help text with an example that is a call of it") {
  CHECK(commands().size() > 35);
  for (const std::string& path : commands()) {
    CAPTURE(path);
    std::istringstream stream(path.substr(4));
    const std::vector<std::string> words{std::istream_iterator<std::string>(stream), {}};
    const std::string help = help_of(words);
    CHECK(help.find("Usage: " + path + " ") != std::string::npos);
    const auto example = help.find("Example");
    REQUIRE(example != std::string::npos);
    CHECK(help.find(path, example) != std::string::npos);
  }
}
