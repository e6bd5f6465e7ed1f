#include "cli/command_line.h"

#include <doctest/doctest.h>

#include <sstream>

using namespace rmq::cli;

namespace {

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

Outcome run(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  Console console{out, err};
  const int code = run_command_line(arguments, console);
  return {code, out.str(), err.str()};
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("--version and --help go to standard output with code 0") {
  const Outcome version = run({"--version"});
  CHECK(version.code == 0);
  CHECK(version.out.rfind("rmq ", 0) == 0);
  const Outcome help = run({"--help"});
  CHECK(help.code == 0);
  CHECK(has(help.out, "Exit codes:"));
  CHECK(help.err.empty());
}

TEST_CASE("no command and an unknown option are usage errors") {
  const Outcome nothing = run({});
  CHECK(nothing.code == 2);
  CHECK(has(nothing.err, "rmq: see 'rmq --help'"));
  CHECK(nothing.out.empty());
  const Outcome option = run({"--versoin"});
  CHECK(option.code == 2);
  CHECK(has(option.err, "Did you mean '--version'?"));
}
