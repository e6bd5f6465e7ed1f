#include "cli/completion.h"

#include <doctest/doctest.h>

#include <ostream>
#include <sstream>

using namespace rmq::cli;

namespace {

using Words = std::vector<std::string>;

// What `rmq __complete` says, without the help texts; of what needs no cluster.
Words completed(Words words) {
  words.insert(words.begin(), "__complete");
  std::ostringstream out;
  std::ostringstream err;
  Console console{out, err};
  CHECK(run_command_line(words, console) == 0);
  CHECK(err.str().empty());
  Words texts;
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);)
    texts.push_back(line.substr(0, line.find('\t')));
  return texts;
}

bool contains(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

TEST_CASE("completion: commands") {
  const Words all = completed({""});
  for (const char* noun : {"serve", "topic", "broker", "completion"}) CHECK(contains(all, noun));
  CHECK_FALSE(contains(all, "__complete"));
  CHECK(completed({}) == all);
  CHECK(completed({"to"}) == Words{"topic"});
  CHECK(completed({"topic", "de"}) == Words{"describe", "delete"});
  CHECK(completed({"broker", "config", ""}) == Words{"get", "set"});
  CHECK(completed({"nonsense", ""}) == all);
  CHECK(completed({"topic", "create", ""}).empty());  // a new name
}

TEST_CASE("completion: options, each once unless it may be repeated") {
  CHECK(completed({"topic", "create", "T", "--q"}) == Words{"--queues"});
  CHECK(completed({"topic", "create", "T", "--queues", "8", "--q"}).empty());
  CHECK(completed({"topic", "create", "T", "--queues=8", "--q"}).empty());
  CHECK(completed({"message", "send", "T", "x", "--key", "a", "--ke"}) == Words{"--key"});
  CHECK(contains(completed({"topic", "list", "--"}), "--help"));
  CHECK(contains(completed({"topic", "list", "-"}), "--output"));
  CHECK(completed({"--ver"}) == Words{"--version"});
}

TEST_CASE("completion: values that are listed") {
  CHECK(completed({"topic", "list", "--output", ""}) ==
        Words{"table", "wide", "json", "yaml", "csv"});
  CHECK(completed({"topic", "list", "--output", "j"}) == Words{"json"});
  CHECK(completed({"topic", "list", "--output=j"}) == Words{"--output=json"});
  CHECK(completed({"topic", "create", "T", "--perm", "r"}) == Words{"rw", "r"});
  CHECK(completed({"completion", ""}) == Words{"bash", "zsh"});
  CHECK(completed({"completion", "bash", ""}).empty());
  CHECK(completed({"topic", "create", "T", "--queues", ""}).empty());
}

TEST_CASE("completion: files are left to the shell") {
  CHECK(completed({"message", "send", "T", "--file", "x"}) == Words{":files"});
  CHECK(completed({"serve", "--config="}) == Words{":files"});
  CHECK(completed({"bench", "compare", "a.json", ""}) == Words{":files"});
}

TEST_CASE("completion: a name server that is not there says nothing") {
  for (const Words& words :
       std::vector<Words>{{"route", "show", "--namesrv", "127.0.0.1:1", ""},
                          {"group", "lag", "--namesrv=127.0.0.1:1", ""},
                          {"topic", "list", "--namesrv=x:y", "--cluster", ""},
                          {"topic", "list", "--context=none", "--cluster", ""}}) {
    CHECK(completed(words).empty());
  }
}
