#include "protocol/header_json.h"

#include <doctest/doctest.h>

#include <ostream>
#include <string>

#include "protocol/protocol_errc.h"

using namespace rmq;            // NOLINT
using namespace rmq::protocol;  // NOLINT

namespace {

// A parsed header together with the bytes it views.
struct Parsed {
  std::string text;
  CommandView view;
  Result<> result;

  explicit Parsed(std::string header) : text(std::move(header)) {
    result = parse_json_header(
        MutableByteView(reinterpret_cast<std::byte*>(text.data()), text.size()), view);
  }
  Parsed(const Parsed&) = delete;
  Parsed& operator=(const Parsed&) = delete;
};

}  // namespace

TEST_CASE("JSON header: as the Java client sends it") {
  const Parsed p(
      R"({"code":310,"extFields":{"a":"p","i":"KEYS\u0001k\u0002TAGS\u0001T\u0002"},"flag":2,)"
      R"("language":"GO","opaque":-7,"remark":"x","serializeTypeCurrentRPC":"JSON","version":479})");
  REQUIRE(p.result);
  CHECK(p.view.code == 310);
  CHECK(p.view.flag == 2);
  CHECK(p.view.is_oneway());
  CHECK(p.view.language == Language::Go);
  CHECK(p.view.opaque == -7);
  CHECK(p.view.remark == "x");
  CHECK(p.view.version == 479);
  REQUIRE(p.view.fields.size() == 2);
  CHECK(p.view.fields[0].key == "a");
  CHECK(p.view.find("i") == "KEYS\x01k\x02TAGS\x01T\x02");
}

TEST_CASE("JSON header: what fastjson tolerates") {
  SUBCASE("numbers and booleans as ext values, a newline behind (C++ client)") {
    const Parsed p(
        "{\"code\":10,\"extFields\":{\"q\":5,\"n\":-1.50,\"b\":true,\"e\":\"\",\"z\":null,\"l\":1L}"
        ","
        "\"language\":1}\n");
    REQUIRE(p.result);
    CHECK(p.view.find("q") == "5");
    CHECK(p.view.find("n") == "-1.50");
    CHECK(p.view.find("b") == "true");
    CHECK(p.view.find("e") == "");
    CHECK(p.view.find("z") == std::nullopt);
    CHECK(p.view.find("l") == "1");
    CHECK(p.view.language == Language::Cpp);
  }
  SUBCASE("nested ext values stay text") {
    const Parsed p(R"({"extFields":{"o":{"b":[1,"}"]},"a":[1, 2]}})");
    REQUIRE(p.result);
    CHECK(p.view.find("o") == R"({"b":[1,"}"]})");
    CHECK(p.view.find("a") == "[1, 2]");
  }
  SUBCASE("numbers as strings, fractions, nulls") {
    const Parsed p(
        R"({"code":"10","version":10.7,"opaque":null,"flag":"","remark":5,"extFields":null,"language":null})");
    REQUIRE(p.result);
    CHECK(p.view.code == 10);
    CHECK(p.view.version == 10);
    CHECK(p.view.opaque == 0);
    CHECK(p.view.flag == 0);
    CHECK(p.view.remark == "5");
    CHECK(p.view.fields.empty());
    CHECK(p.view.language == Language::Other);
  }
  SUBCASE("quotes, unquoted keys, commas, comments, escapes in keys") {
    const Parsed p(
        "/*c*/{ ,code : 1 ,, 'opaque':'2',\"rem\\u0061rk\":\"\\x41\\/\",extFields:{,k:'it\\'s',}, "
        "}//e");
    REQUIRE(p.result);
    CHECK(p.view.code == 1);
    CHECK(p.view.opaque == 2);
    CHECK(p.view.remark == "A/");
    CHECK(p.view.find("k") == "it's");
  }
  SUBCASE("unknown keys with any value") {
    const Parsed p(
        R"({"x":{"code":9,"y":[{},[],{"z":"\""},1,true,null,foo]},"code":1,"1":2,3:{4:5,{"a":1}:6},"s":"\\"})");
    REQUIRE(p.result);
    CHECK(p.view.code == 1);
  }
  SUBCASE("of equal keys the last one counts") {
    const Parsed p(R"({"code":1,"code":2,"extFields":{"a":"1"},"extFields":{"b":"2","b":"3"}})");
    REQUIRE(p.result);
    CHECK(p.view.code == 2);
    CHECK(p.view.find("a") == std::nullopt);
    CHECK(p.view.find("b") == "3");
  }
  SUBCASE("nothing at all") {
    const Parsed p("{}");
    REQUIRE(p.result);
    CHECK(p.view.language == Language::Java);
  }
}

TEST_CASE("JSON header: languages by name in any case, by number, or unknown") {
  const auto language = [](const std::string& value) {
    return Parsed("{\"language\":" + value + "}").view.language;
  };
  CHECK(language("\"JAVA\"") == Language::Java);
  CHECK(language("\"NODE_JS\"") == Language::NodeJs);
  CHECK(language("\"go\"") == Language::Go);
  CHECK(language("13") == Language::NodeJs);
  CHECK(language("9") == Language::Go);
  CHECK(language("14") == Language::Other);
  CHECK(language("-1") == Language::Other);
  CHECK(language("99999999999") == Language::Other);
  CHECK(language("\"COBOL\"") == Language::Other);
}

TEST_CASE("JSON header: text of all planes; what is not UTF-8 passes through") {
  const Parsed p(
      "{\"remark\":\"\\u20ac\\uD83D\\uDE00\\ud83d "
      "\u00E9\xFF\xC3\",\"extFields\":{\"\\u00e9\":\"\\u0000\"}}");
  REQUIRE(p.result);
  CHECK(p.view.remark == "\u20AC\U0001F600? \u00E9\xFF\xC3");
  CHECK(p.view.find("\u00E9") == std::string_view("\0", 1));
}

TEST_CASE("JSON header: what is refused") {
  for (const char* header : {"",
                             " ",
                             "null",
                             "[]",
                             "1",
                             "\"x\"",
                             "{",
                             "}",
                             "{}}",
                             "{} x",
                             "{\"code\"}",
                             "{\"code\":}",
                             "{\"code\":1",
                             "{\"code\":x}",
                             "{\"code\":\"x\"}",
                             "{\"code\":\"1x\"}",
                             "{\"code\":\"1.5\"}",
                             "{\"code\":1.5e3}",
                             "{\"code\":1.2.3}",
                             "{\"code\":3000000000}",
                             "{\"code\":true}",
                             "{\"code\":{}}",
                             "{\"code\":-}",
                             "{\"code\":1 \"flag\":2}",
                             "{\"extFields\":[]}",
                             "{\"extFields\":\"\"}",
                             "{\"extFields\":1}",
                             "{\"extFields\":{}",
                             "{\"extFields\":{\"a\"}}",
                             "{\"extFields\":{\"a\":\"b}}",
                             "{\"extFields\":{\"a\":foo}}",
                             "{\"remark\":\"\\q\"}",
                             "{\"remark\":\"\\u12\"}",
                             "{\"x\":[}",
                             "{\"x\":{]}",
                             "{\"x\":[1 2]}",
                             "{\"x\":",
                             "{\"x\":[",
                             "/*",
                             "{/",
                             "{:1}"}) {
    CAPTURE(header);
    const Parsed p(header);
    REQUIRE(!p.result);
    CHECK(p.result.error().code == ProtocolErrc::HeaderMalformed);
  }
}

TEST_CASE("JSON header: limits on depth and number of fields") {
  const auto nested = [](std::size_t depth) {
    return "{\"x\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  CHECK(Parsed(nested(63)).result);
  CHECK(!Parsed(nested(64)).result);
  CHECK(!Parsed("{\"x\":" + std::string(1'000'000, '{')).result);
  CHECK(!Parsed("{\"extFields\":{\"x\":" + std::string(1'000'000, '[')).result);

  const auto with_fields = [](std::size_t count) {
    std::string header = "{\"extFields\":{";
    for (std::size_t i = 0; i < count; ++i) header += "a:1,";
    return header + "}}";
  };
  CHECK(Parsed(with_fields(kFieldsMax)).result);
  CHECK(!Parsed(with_fields(kFieldsMax + 1)).result);
}

TEST_CASE("JSON header: megabytes of hostile text end soon") {
  std::string quotes = "{\"remark\":\"";
  for (int i = 0; i < 2'000'000; ++i) quotes += "\\\"";
  CHECK(Parsed(quotes + "\"}").view.remark.size() == 2'000'000);
  CHECK(!Parsed(quotes).result);
  CHECK(!Parsed("{" + std::string(8'000'000, ',')).result);
  CHECK(!Parsed(std::string(8'000'000, '/')).result);
  std::string comments = "{";
  for (int i = 0; i < 1'000'000; ++i) comments += "/**/";
  CHECK(Parsed(comments + "}").result);
}
