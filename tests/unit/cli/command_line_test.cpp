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
  CHECK(has(nothing.err, "rmq: See 'rmq --help'"));
  CHECK(nothing.out.empty());
  const Outcome option = run({"--versoin"});
  CHECK(option.code == 2);
  CHECK(has(option.err, "Did you mean '--version'?"));
}

TEST_CASE("mistyped commands and options get the nearest name") {
  const struct {
    std::vector<std::string> arguments;
    const char* said;
  } cases[] = {{{"frobnicate"}, "unknown command 'frobnicate' after 'rmq'."},
               {{"topci"}, "Did you mean 'topic'?"},
               {{"topic", "creat", "T"}, "Did you mean 'create'?"},
               {{"topic"}, "'rmq topic' wants one of: create, list"},
               {{"topic", "create"}, "NAME is required"},
               {{"topic", "create", "T", "--queue", "8"}, "Did you mean '--queues'?"},
               {{"topic", "create", "T", "--queues", "many"}, "--queues"},
               {{"topic", "create", "T", "--queues", "0"}, "--queues"},
               {{"topic", "create", "T", "--queues", "4", "--read-queues", "4"}, "--queues"},
               {{"topic", "create", "T", "--broker", "b", "--cluster", "c"}, "--broker"},
               {{"topic", "create", "T", "--perm", "x"}, "--perm"},
               {{"topic", "list", "--output", "xml"}, "--output"},
               {{"topic", "list", "--namesrv", "nonsense:port"}, "malformed address"},
               {{"message", "send", "T"}, "the message has no body"},
               {{"message", "send", "T", "x", "--file", "f"}, "--file"},
               {{"message", "send", "T", "--file", "/nonexistent/file"}, "cannot read"},
               {{"message", "send", "T", "x", "--property", "novalue"}, "is not NAME=VALUE"},
               {{"message", "tail", "T", "--from", "yesterday"}, "'yesterday' is not"},
               {{"message", "tail", "T", "--count", "0"}, "--count"}};
  for (const auto& c : cases) {
    CAPTURE(c.said);
    const Outcome outcome = run(c.arguments);
    CHECK(outcome.code == 2);
    CHECK_MESSAGE(has(outcome.err, c.said), outcome.err);
    CHECK(outcome.err.find("rmq: ") == 0);
    CHECK(outcome.out.empty());
  }
}

TEST_CASE("with --output json a usage error is a line of JSON as well") {
  const Outcome outcome = run({"topic", "list", "--output", "json", "--nonsense"});
  CHECK(outcome.code == 2);
  CHECK(has(outcome.out, "\"kind\":\"usage\""));
  CHECK(has(outcome.err, "no option '--nonsense'"));
}

TEST_CASE("no name server: exit code 3, the address and what to do") {
  const Outcome outcome = run({"topic", "list", "--namesrv", "127.0.0.1:1"});
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "127.0.0.1:1"));
  CHECK(has(outcome.err, "rmq serve"));
}
