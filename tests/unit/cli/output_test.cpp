#include "cli/output.h"

#include <doctest/doctest.h>

#include <sstream>

#include "cli/yaml.h"

using namespace rmq;
using namespace rmq::cli;

namespace {

Listing two_tables() {
  Table first({{"NAME"}, {"LAST SEEN", Align::Right}, {"MORE", Align::Left, Detail::Wide}});
  first.add_row({"a", "1", "x"});
  first.add_row({"b,\"c\"\n", "22", ""});
  Table second({{"OTHER"}});
  second.add_row({"\x1b[31m"});
  Listing listing;
  listing.tables.push_back(std::move(first));
  listing.tables.push_back(std::move(second));
  listing.note = "two of them";
  listing.value = json::Value::object();
  listing.value.set("names", 2);
  return listing;
}

std::string shown(OutputFormat format) {
  std::ostringstream out;
  std::ostringstream err;
  Console console{out, err};
  show(two_tables(), format, console);
  CHECK(err.str().empty());
  return out.str();
}

json::Value parsed(const char* text) {
  const auto value = json::parse(text);
  REQUIRE(value.has_value());
  return *value;
}

}  // namespace

TEST_CASE("output: the same result in every form") {
  CHECK(shown(OutputFormat::Table) ==
        "NAME     LAST SEEN\n"
        "a                1\n"
        "b,\"c\"\\n         22\n"
        "\n"
        "OTHER\n"
        "\\x1b[31m\n"
        "two of them\n");
  CHECK(shown(OutputFormat::Wide).find("NAME     LAST SEEN  MORE\n") == 0);
  CHECK(shown(OutputFormat::Json) == "{\"names\":2}\n");
  CHECK(shown(OutputFormat::Yaml) == "---\nnames: 2\n");
  // RFC 4180: lines end with CR LF, quotes are doubled, and what is in a cell stays as it is.
  CHECK(shown(OutputFormat::Csv) ==
        "name,last_seen,more\r\n"
        "a,1,x\r\n"
        "\"b,\"\"c\"\"\n\",22,\r\n");
}

TEST_CASE("output: lines for people are escaped, and only for people") {
  std::ostringstream out;
  Console console{out, out};
  for (const OutputFormat format : {OutputFormat::Json, OutputFormat::Yaml, OutputFormat::Csv}) {
    say("nothing", format, console);
  }
  CHECK(out.str().empty());
  say("a\tb", OutputFormat::Table, console);
  CHECK(out.str() == "a\\tb\n");
}

TEST_CASE("yaml: nested values in block style") {
  CHECK(to_yaml(parsed(R"({"a":{"b":[1,2.5,{"c":null,"d":[]},[true,"x"]],"e":{}},"f":"g"})")) ==
        "a:\n"
        "  b:\n"
        "    - 1\n"
        "    - 2.5\n"
        "    - c: null\n"
        "      d: []\n"
        "    - - true\n"
        "      - x\n"
        "  e: {}\n"
        "f: g\n");
  CHECK(to_yaml(parsed("[]")) == "[]\n");
  CHECK(to_yaml(parsed("7")) == "7\n");
}

TEST_CASE("yaml: strings that could be something else are in quotes") {
  for (const char* text : {"true",
                           "No",
                           "null",
                           "~",
                           "1",
                           "1.5",
                           "",
                           " a",
                           "a ",
                           "a: b",
                           "a #b",
                           "- a",
                           "[a",
                           "{",
                           "&a",
                           "*a",
                           "!a",
                           "%a",
                           "@a",
                           "`a",
                           "'a",
                           "\"",
                           "a\nb",
                           "2024-05-01",
                           "0x1F",
                           "-",
                           "=",
                           "\xc3\xa9",
                           "10.0.0.1:9876",
                           "NaN"}) {
    CAPTURE(text);
    const std::string yaml = to_yaml(json::Value(text));
    CHECK(yaml == json::write(json::Value(text)) + "\n");
    CHECK(yaml.front() == '"');
  }
  for (const char* text : {"a", "broker-a", "V5_3_3", "a/b.c"}) {
    CHECK(to_yaml(json::Value(text)) == std::string(text) + "\n");
  }
}

TEST_CASE("formats have names") {
  CHECK(parse_output_format("wide") == OutputFormat::Wide);
  CHECK(parse_output_format("csv") == OutputFormat::Csv);
  CHECK_FALSE(parse_output_format("xml").has_value());
  CHECK(format_asked_for({"topic", "list", "--output", "yaml"}) == OutputFormat::Yaml);
  CHECK(format_asked_for({"topic", "list", "--output=json"}) == OutputFormat::Json);
  CHECK(format_asked_for({"message", "send", "T", "--", "--output=json"}) == OutputFormat::Table);
  CHECK(format_asked_for({"--output"}) == OutputFormat::Table);
}
