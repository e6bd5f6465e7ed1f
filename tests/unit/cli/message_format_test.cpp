#include "cli/message_format.h"

#include <doctest/doctest.h>

#include <ostream>

#include "client/client_errc.h"

using namespace rmq;
using namespace rmq::cli;

namespace {

client::ReceivedMessage a_message(std::string_view body) {
  client::ReceivedMessage message;
  message.queue = {"Orders", "broker-a", 3};
  message.offset = QueueOffset{12};
  message.store_timestamp_ms = 1'700'000'000'123;
  message.body.assign(as_bytes(body).begin(), as_bytes(body).end());
  return message;
}

}  // namespace

TEST_CASE("message line: what matters, and nothing that a terminal obeys") {
  client::ReceivedMessage message = a_message("two\nteapots");
  CHECK(message_line(message) == "2023-11-14 22:13:20.123  broker-a/3 @12  two\\nteapots");
  message.tag = "Tag\x1b[1m";
  message.keys = {"k1", "k2"};
  CHECK(message_line(message) ==
        "2023-11-14 22:13:20.123  broker-a/3 @12  [Tag\\x1b[1m]  keys=k1,k2  two\\nteapots");
  message.body_error = Error{client::ClientErrc::BodyMalformed, "zlib"};
  CHECK(message_line(message).find("cannot be decompressed") != std::string::npos);
}

TEST_CASE("message line: binary and long bodies") {
  const std::string prefix = "2023-11-14 22:13:20.123  broker-a/3 @12  ";
  CHECK(message_line(a_message(std::string_view("\0\xff", 2))) == prefix + "<2 bytes: 00ff>");
  const std::string zeros(33, '\0');
  CHECK(message_line(a_message(zeros)) == prefix + "<33 bytes: " + std::string(64, '0') + "...>");
  CHECK(message_line(a_message(std::string(1024, 'x'))) == prefix + std::string(1024, 'x'));
  // Cut between characters.
  std::string text(1023, 'x');
  text += "\xc3\xa9";
  CHECK(message_line(a_message(text)) == prefix + std::string(1023, 'x') + "... <1025 bytes>");
}

TEST_CASE("message JSON: text as body, anything else as base64") {
  const json::Value text = message_json(a_message("h\xc3\xa9"));
  CHECK(text.text_or("body", "") == "h\xc3\xa9");
  CHECK(text.find("body_base64") == nullptr);
  CHECK(text.int_or("offset", 0) == 12);
  CHECK(text.text_or("broker", "") == "broker-a");
  const json::Value binary = message_json(a_message(std::string_view("\xff\xfe\xfd\xfc", 4)));
  CHECK(binary.text_or("body_base64", "") == "//79/A==");
  CHECK(binary.find("body") == nullptr);
}

TEST_CASE("times: epoch milliseconds, dates, dates with time") {
  CHECK(parse_time_ms("0") == 0);
  CHECK(parse_time_ms("1700000000123") == 1'700'000'000'123);
  CHECK(parse_time_ms("2023-11-14T22:13:20.123Z") == 1'700'000'000'123);
  CHECK(parse_time_ms("2023-11-14 22:13:20") == 1'700'000'000'000);
  CHECK(parse_time_ms("2023-11-14T22:13") == 1'699'999'980'000);
  CHECK(parse_time_ms("1970-01-02") == 86'400'000);
  for (const char* wrong :
       {"", "-1", "latest", "2023", "1700000000", "2023-13-01", "2023-11-14T", "2023-11-14T25:00",
        "2023-11-14T22:13:20.1", "2023-11-14x", "1700000000123x"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_time_ms(wrong).has_value());
  }
}
