// What fastjson 1.2.83 reads and writes; each expected text was written by it.
#include "base/json.h"

#include <doctest/doctest.h>

#include <limits>
#include <ostream>
#include <string>

using rmq::json::JsonErrc;
using rmq::json::kPretty;
using rmq::json::kPrettySets;
using rmq::json::kStandard;
using rmq::json::parse;
using rmq::json::Value;
using rmq::json::write;

namespace {

// `text` read and written again.
std::string again(std::string_view text) {
  const rmq::Result<Value> value = parse(text);
  return value ? write(*value) : "error: " + value.error().code.message();
}

Value message_queue() {
  return Value::object().set("brokerName", "b").set("queueId", 3).set("topic", "t");
}

// A bean with one member of every kind.
Value sample() {
  const Value offsets = Value::object().set_integer_key(0, 12).set_integer_key(1, 3);
  return Value::object()
      .set("a", offsets)
      .set("big", std::int64_t{9007199254740993})
      .set("d", 0.0)
      .set("e", Value::array())
      .set("l", Value::array().push_back("x").push_back("y"))
      .set("m", Value::object())
      .set("str", "a/b")
      .set("w",
           Value::object().set("T@g", offsets).set("U@g", Value::object().set_integer_key(0, 7)))
      .set("z", Value::object().set_object_key(message_queue(), 5));
}

}  // namespace

TEST_CASE("json: compact, as fastjson writes bodies") {
  CHECK(
      write(sample()) ==
      R"({"a":{0:12,1:3},"big":9007199254740993,"d":0.0,"e":[],"l":["x","y"],"m":{},"str":"a/b",)"
      R"("w":{"T@g":{0:12,1:3},"U@g":{0:7}},"z":{{"brokerName":"b","queueId":3,"topic":"t"}:5}})");
}

TEST_CASE("json: standard, as the routes of clients from 4.9.4 on") {
  CHECK(write(sample(), kStandard) ==
        R"({"a":{"0":12,"1":3},"big":"9007199254740993","d":0.0,"e":[],"l":["x","y"],"m":{},)"
        R"("str":"a\/b","w":{"T@g":{"0":12,"1":3},"U@g":{"0":7}},)"
        R"("z":{"{\"brokerName\":\"b\",\"queueId\":3,\"topic\":\"t\"}":5}})");
}

TEST_CASE("json: pretty, as config files: only string keys and items get lines") {
  CHECK(write(sample(), kPretty) ==
        "{\n\t\"a\":{0:12,1:3\n\t},\n\t\"big\":9007199254740993,\n\t\"d\":0.0,\n\t\"e\":[],"
        "\n\t\"l\":[\n\t\t\"x\",\n\t\t\"y\"\n\t],\n\t\"m\":{},\n\t\"str\":\"a/b\","
        "\n\t\"w\":{\n\t\t\"T@g\":{0:12,1:3\n\t\t},\n\t\t\"U@g\":{0:7\n\t\t}\n\t},"
        "\n\t\"z\":{{\n\t\t\t\"brokerName\":\"b\",\n\t\t\t\"queueId\":3,\n\t\t\t\"topic\":"
        "\"t\"\n\t\t}:5\n\t}\n}");
}

TEST_CASE("json: pretty, with the arrays of Java sets") {
  const auto value = parse(R"({"l":["x","y"],"o":[{"a":1},{}],"e":[]})");
  REQUIRE(value.has_value());
  CHECK(write(*value, kPrettySets) ==
        "{\n\t\"l\":[\"x\",\"y\"],\n\t\"o\":[{\n\t\t\"a\":1\n\t},{}],\n\t\"e\":[]\n}");
}

TEST_CASE("json: escapes") {
  std::string controls;
  for (char c = 0; c < 0x20; ++c) controls += c;
  const std::string escaped =
      R"(\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000B\f\r\u000E\u000F)"
      R"(\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001A\u001B\u001C\u001D\u001E\u001F)";
  CHECK(write(controls) == '"' + escaped + '"');
  CHECK(write(controls, kStandard) == '"' + escaped + '"');
  CHECK(write("\"\\/'<>") == R"("\"\\/'<>")");
  CHECK(write("\"\\/'<>", kStandard) == R"("\"\\\/'<>")");
  // DEL, C1 controls and the line separators are escaped in any style, other letters only in the
  // standard one.
  const char* letters = "\x7F\u0080\u009F\u00A0\u2028\u2029\u20AC\U0001F600\u4E2D";
  CHECK(write(letters) == "\"\\u007F\\u0080\\u009F\u00A0\\u2028\\u2029\u20AC\U0001F600\u4E2D\"");
  CHECK(write(letters, kStandard) ==
        R"("\u007F\u0080\u009F\u00A0\u2028\u2029\u20AC\uD83D\uDE00\u4E2D")");
}

TEST_CASE("json: text that is not UTF-8 passes through, and is replaced where it must be escaped") {
  CHECK(write("a\xFF\xC3") == "\"a\xFF\xC3\"");
  CHECK(write("a\xFF\xC3", kStandard) == R"("a\uFFFD\uFFFD")");
  CHECK(parse("\"a\xFF\xC3\"")->string() == "a\xFF\xC3");
}

TEST_CASE("json: doubles as Java writes them") {
  CHECK(write(0.0) == "0.0");
  CHECK(write(-0.0) == "-0.0");
  CHECK(write(100.0) == "100.0");
  CHECK(write(3.14) == "3.14");
  CHECK(write(0.001) == "0.001");
  CHECK(write(0.0001) == "1.0E-4");
  CHECK(write(9999999.0) == "9999999.0");
  CHECK(write(1e7) == "1.0E7");
  CHECK(write(123456789.125) == "1.23456789125E8");
  CHECK(write(1e300) == "1.0E300");
  CHECK(write(0.1 + 0.2) == "0.30000000000000004");
  CHECK(write(std::numeric_limits<double>::quiet_NaN()) == "null");
  CHECK(write(std::numeric_limits<double>::infinity()) == "null");
}

TEST_CASE("json: the dialect that is read") {
  CHECK(again(R"({0:'a',1:"b"})") == R"({0:"a",1:"b"})");
  CHECK(again(R"({"0":"a"})") == R"({"0":"a"})");
  CHECK(again("{-1:1}") == "{-1:1}");
  CHECK(again("{1.5:1}") == R"({"1.5":1})");
  CHECK(again("{a:1,$x:2,null:3,true:4}") == R"({"a":1,"$x":2,"null":3,"true":4})");
  CHECK(again("{\u4E2D:1}") == "{\"\u4E2D\":1}");
  CHECK(again(R"({{"x":1}:2})") == R"({{"x":1}:2})");
  CHECK(again(R"({{"$ref":"$.a"}:5,"b":{"$ref":"$"}})") ==
        R"({{"$ref":"$.a"}:5,"b":{"$ref":"$"}})");
  CHECK(again("[[{queueId:1},5]]") == R"([[{"queueId":1},5]])");
  CHECK(again("{,\"a\":1,,\"b\":2,}") == R"({"a":1,"b":2})");
  CHECK(again("[,1,,2,]") == "[1,2]");
  CHECK(again("/*x*/ {/*c*/\"a\"//x\n:1} // end") == R"({"a":1})");
  CHECK(again("{\"a\":1L,\"b\":2D}") == R"({"a":1,"b":2})");
  CHECK(again("[+1,-0,1.5e3,1.,NaN,undefined,null,true,false]") ==
        "[1,0,1500.0,1.0,null,null,null,true,false]");
  CHECK(again("[99999999999999999999]") == "[1.0E20]");
  CHECK(again(R"("\x41\v\0\F\/\'")") == R"("A\u000B\u0000\f/'")");
  CHECK(again("\t\r\n 1 \n") == "1");
  CHECK(again("\xEF\xBB\xBF{}") == "{}");
  CHECK(again("") == "null");
  CHECK(again("  ") == "null");
  CHECK(again(R"("\uD83D\uDE00\u20ac")") == "\"\U0001F600\u20AC\"");
  CHECK(again(R"("\ud800x\udc00")") == R"("?x?")");
  CHECK(again(R"("\ud800\u0041")") == R"("?A")");
}

TEST_CASE("json: what is refused, with its place") {
  for (const char* text : {"{",
                           "[",
                           "}",
                           "{\"a\"",
                           "{\"a\":",
                           "{\"a\":}",
                           "{\"a\":1",
                           "{\"a\":1 \"b\":2}",
                           "{:1}",
                           "[1 2]",
                           "\"abc",
                           "'abc",
                           "\"abc\\\"",
                           "\"\\q\"",
                           "\"\\u12\"",
                           "\"\\u12g4\"",
                           "\"\\x1\"",
                           "\"\\",
                           "tru",
                           "TRUE",
                           "-",
                           "1-2",
                           "1e999",
                           "{\"a\":1} x",
                           "{} {}",
                           "/*",
                           "{} /* x",
                           "/",
                           "// x\n/",
                           "{a-b:1}",
                           "{'a':'it''s'}",
                           "[1;2]"}) {
    CAPTURE(text);
    const rmq::Result<Value> value = parse(text);
    REQUIRE(!value);
    CHECK(value.error().code == JsonErrc::Malformed);
  }
  CHECK(parse("{\"a\":1} x").error().detail.find("at byte 8") != std::string::npos);
}

TEST_CASE("json: every truncation of a document is an error") {
  const std::string whole = write(sample(), kPretty);
  REQUIRE(parse(whole) == sample());
  for (std::size_t size = 1; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(!parse(std::string_view(whole).substr(0, size)));
  }
}

TEST_CASE("json: deep nesting is refused, in values and in keys") {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  CHECK(parse(nested(64)));
  CHECK(parse(nested(65)).error().code == JsonErrc::TooDeep);
  CHECK(parse(std::string(1'000'000, '[')).error().code == JsonErrc::TooDeep);
  CHECK(parse(std::string(1'000'000, '{')).error().code == JsonErrc::TooDeep);
}

TEST_CASE(
    "json: members are found by name, integer keys by their digits, of equal keys the last one") {
  const Value value = *parse(R"({"a":1,"a":2,0:"zero","1":"one",{"x":1}:3})");
  CHECK(value.int_or("a", 0) == 2);
  CHECK(value.text_or("0", "") == "zero");
  CHECK(value.text_or("1", "") == "one");
  CHECK(value.find("2") == nullptr);
  CHECK(value.find("x") == nullptr);
  CHECK(Value(1).find("a") == nullptr);
  REQUIRE(value.members().size() == 5);
  CHECK(value.members()[2].key_int() == 0);
  CHECK(value.members()[2].key_text() == "0");
  CHECK(value.members()[3].key_int() == 1);
  CHECK(value.members()[0].key_int() == std::nullopt);
  CHECK(value.members()[4].key_text() == R"({"x":1})");
  CHECK(value.members()[4].key_object().int_or("x", 0) == 1);
  CHECK(value.members()[0].key_object().is_null());
}

TEST_CASE("json: a bean key may be a string of JSON") {
  const Value value = *parse(R"({"{\"brokerName\":\"b\",\"queueId\":3,\"topic\":\"t\"}":5})");
  REQUIRE(value.members().size() == 1);
  CHECK(value.members()[0].key_object() == message_queue());
}

TEST_CASE("json: conversions") {
  CHECK(Value("10").as_int() == 10);
  CHECK(Value("+10").as_int() == 10);
  CHECK(Value("10.9").as_int() == 10);
  CHECK(Value(-10.9).as_int() == -10);
  CHECK(Value(true).as_int() == 1);
  CHECK(Value("x").as_int() == std::nullopt);
  CHECK(Value("").as_int() == std::nullopt);
  CHECK(Value(1e19).as_int() == std::nullopt);
  CHECK(Value(-9223372036854775808.0).as_int() == std::numeric_limits<std::int64_t>::min());
  CHECK(Value().as_int() == std::nullopt);
  CHECK(Value::array().as_int() == std::nullopt);
  CHECK(Value("1.5").as_double() == 1.5);
  CHECK(Value(2).as_double() == 2.0);
  CHECK(Value(true).as_double() == std::nullopt);
  CHECK(Value("TRUE").as_bool() == true);
  CHECK(Value("false").as_bool() == false);
  CHECK(Value("1").as_bool() == true);
  CHECK(Value(0).as_bool() == false);
  CHECK(Value(1.0).as_bool() == true);
  CHECK(Value("yes").as_bool() == std::nullopt);
  CHECK(Value(5).as_text() == "5");
  CHECK(Value(true).as_text() == "true");
  CHECK(Value(0.5).as_text() == "0.5");
  CHECK(Value("x").as_text() == "x");
  CHECK(Value().as_text() == std::nullopt);
  CHECK(Value::object().as_text() == std::nullopt);
  CHECK(Value(5).string().empty());
}

TEST_CASE("json: defaults stand in for what is absent, null or of another kind") {
  const Value value = *parse(R"({"n":null,"o":{},"i":"7","b":"true","d":"2.5","t":9})");
  CHECK(value.int_or("i", 1) == 7);
  CHECK(value.int_or("n", 1) == 1);
  CHECK(value.int_or("o", 1) == 1);
  CHECK(value.int_or("missing", 1) == 1);
  CHECK(value.bool_or("b", false));
  CHECK(value.bool_or("n", true));
  CHECK(value.double_or("d", 1) == 2.5);
  CHECK(value.double_or("o", 1) == 1);
  CHECK(value.text_or("t", "x") == "9");
  CHECK(value.text_or("o", "x") == "x");
}
