#include "cli/contexts.h"

#include <doctest/doctest.h>

#include <ostream>

#include "config/config_errc.h"
#include "tests/support/temp_directory.h"

using namespace rmq;
using namespace rmq::cli;
using config::ConfigErrc;

namespace {

struct Fixture {
  void write(const std::string& text) {
    REQUIRE(write_file_atomically(files, path, as_bytes(text)).has_value());
  }
  Result<std::string> choose(const CommonOptions& options = {}) {
    return choose_name_servers(options, environment, files);
  }

  test::TempDirectory directory;
  FileSystem& files = FileSystem::posix();
  std::string path = directory.path() + "/contexts.toml";
  ContextEnvironment environment{path, "", "", ""};
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("contexts: where the file is") {
  CHECK(contexts_path({"/r", "/x", "/h", ""}) == "/r");
  CHECK(contexts_path({"", "/x", "/h", ""}) == "/x/rmq/contexts.toml");
  CHECK(contexts_path({"", "", "/h", ""}) == "/h/.config/rmq/contexts.toml");
  CHECK(contexts_path({}).empty());
}

TEST_CASE_FIXTURE(Fixture, "contexts: what is written is read back, directories are made") {
  const std::string deep = directory.path() + "/a/b/contexts.toml";
  Contexts contexts;
  contexts.current = "two.x";
  contexts.all["one"] = {"h:1;[::1]:2"};
  contexts.all["two.x"] = {"h"};
  REQUIRE(save_contexts(files, deep, contexts).has_value());
  const auto read = load_contexts(files, deep);
  REQUIRE(read.has_value());
  CHECK(read->current == "two.x");
  CHECK(read->all.size() == 2);
  CHECK(read->all.at("one").namesrv == "h:1;[::1]:2");
  CHECK(read->all.at("two.x").namesrv == "h");
  CHECK(load_contexts(files, path)->all.empty());  // no such file
}

TEST_CASE_FIXTURE(Fixture, "contexts: which name servers are meant") {
  CommonOptions named;
  named.context = "prod";
  CHECK(choose() == std::string(kDefaultNameServers));
  write(
      "current = \"test\"\n[contexts.test]\nnamesrv = \"t:1\"\n[contexts.prod]\nnamesrv = \"p:2\"");
  CHECK(choose() == "t:1");
  environment.namesrv_addr = "e:3";
  CHECK(choose() == "e:3");
  CHECK(choose(named) == "p:2");
  named.namesrv_given = "g:4";
  CHECK(choose(named) == "g:4");
}

TEST_CASE_FIXTURE(Fixture, "contexts: a file is only read when it is needed") {
  write("nonsense");
  environment.namesrv_addr = "e:3";
  CHECK(choose() == "e:3");
  environment.namesrv_addr.clear();
  CHECK(choose().error().code == ConfigErrc::Syntax);
}

TEST_CASE_FIXTURE(Fixture, "contexts: an unknown name gets the nearest one") {
  write("[contexts.production]\nnamesrv = \"p:2\"");
  CommonOptions options;
  options.context = "prodcution";
  const auto chosen = choose(options);
  REQUIRE_FALSE(chosen.has_value());
  CHECK(has(chosen.error().detail, "'prodcution' (--context), in " + path));
  CHECK(has(chosen.error().detail, "Did you mean 'production'?"));
  write("current = \"gone\"\n[contexts.production]\nnamesrv = \"p:2\"");
  CHECK(has(choose().error().detail, "'gone' (the current context)"));
}

TEST_CASE_FIXTURE(Fixture, "contexts: what is wrong with a file is said with its line") {
  const struct {
    const char* text;
    ConfigErrc code;
    const char* said;
  } cases[] = {{"a = \n", ConfigErrc::Syntax, ":1: "},
               {"current = 1", ConfigErrc::BadValue, ":1: current: expected a string"},
               {"\nadress = \"x\"", ConfigErrc::UnknownKey, ":2: adress: there is no such setting"},
               {"contexts = 1", ConfigErrc::UnknownKey, "contexts"},
               {"[contexts]\na = 1", ConfigErrc::BadValue, ":2: contexts.a: expected a table"},
               {"[contexts.a]\n", ConfigErrc::BadValue, "contexts.a: namesrv is missing"},
               {"[contexts.a]\nnamesrv = 1", ConfigErrc::BadValue, ":2: contexts.a.namesrv"},
               {"[contexts.a]\nnamesrv = \"h:x\"", ConfigErrc::BadValue, "'h:x' is not host:port"},
               {"[contexts.a]\nname = \"h\"", ConfigErrc::UnknownKey, "contexts.a.name"}};
  for (const auto& c : cases) {
    CAPTURE(c.text);
    write(c.text);
    const auto read = load_contexts(files, path);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code == c.code);
    CHECK(has(read.error().detail, path));
    CHECK_MESSAGE(has(read.error().detail, c.said), read.error().detail);
  }
}

TEST_CASE("contexts: names") {
  CHECK(check_context_name("prod-1_a.b").empty());
  CHECK_FALSE(check_context_name("").empty());
  CHECK_FALSE(check_context_name("a b").empty());
  CHECK_FALSE(check_context_name("a\"").empty());
}
