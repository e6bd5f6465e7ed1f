#include "protocol/message_id.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>
#include <ostream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "protocol/protocol_errc.h"

namespace rmq::protocol {
namespace {

const Bytes& loopback() {
  static const Bytes kIp{std::byte{127}, std::byte{0}, std::byte{0}, std::byte{1}};
  return kIp;
}

// The local first of the month around `ms`, at midnight.
std::int64_t month_start_ms(std::int64_t ms) {
  const auto seconds = static_cast<std::time_t>(ms / 1000);
  std::tm local{};
  localtime_r(&seconds, &local);
  local.tm_mday = 1;
  local.tm_hour = local.tm_min = local.tm_sec = 0;
  local.tm_isdst = -1;
  return static_cast<std::int64_t>(std::mktime(&local)) * 1000;
}

std::int64_t time_in(const MessageIdText& key) {
  return std::stoll(std::string(key.view().substr(20, 8)), nullptr, 16);
}

}  // namespace

TEST_CASE("message id: hex in either case, nothing else") {
  const std::string id = "0A0000FE00002A9F0000000040000040";
  const MessageId decoded = decode_message_id(id).value();
  CHECK(decoded.store_host.port() == 10911);
  CHECK(decoded.physical_offset == PhysicalOffset{0x40000040});
  CHECK(decode_message_id("0a0000fe00002a9f0000000040000040").value() == decoded);
  for (std::size_t at = 0; at < id.size(); ++at) {
    for (const char c : {'G', 'g', '/', ':', '@', '`', ' ', '\0'}) {
      std::string bad = id;
      bad[at] = c;
      CHECK(decode_message_id(bad).error().code == ProtocolErrc::FieldMalformed);
    }
  }
  CHECK(decode_message_id("").error().code == ProtocolErrc::FieldMalformed);
  CHECK(decode_message_id(id + "00").error().code == ProtocolErrc::FieldMalformed);
}

TEST_CASE("unique key: its parts") {
  constexpr std::int64_t kNow = 1700000000123;
  UniqKeyGenerator keys(loopback(), 0x0ABC, 0xDEADBEEF);
  const MessageIdText key = keys.next(kNow);
  CHECK(key.view().size() == kMessageIdCharsV4);
  CHECK(key.view().substr(0, 20) == "7F0000010ABCDEADBEEF");
  CHECK(time_in(key) == kNow - month_start_ms(kNow));
  CHECK(key.view().substr(28) == "0000");
  CHECK(keys.next(kNow).view().substr(28) == "0001");

  UniqKeyGenerator v6(Bytes(16, std::byte{0x11}), 1, 2);
  CHECK(v6.next(kNow).view().size() == kMessageIdCharsV6);
}

TEST_CASE("unique key: time starts anew each month, and a clock set back is not negative") {
  constexpr std::int64_t kNow = 1700000000123;
  UniqKeyGenerator keys(loopback(), 1, 2);
  CHECK(time_in(keys.next(kNow)) == kNow - month_start_ms(kNow));
  const std::int64_t next_month = month_start_ms(month_start_ms(kNow) + 40LL * 86'400'000);
  CHECK(time_in(keys.next(next_month - 1)) == next_month - 1 - month_start_ms(kNow));
  CHECK(time_in(keys.next(next_month)) == 0);
  CHECK(time_in(keys.next(next_month + 5)) == 5);
  CHECK(time_in(keys.next(next_month - 5)) == 0);
}

TEST_CASE("unique key: threads never get the same one") {
  UniqKeyGenerator keys(loopback(), 1, 2);
  std::vector<std::vector<std::string>> made(4);
  std::vector<std::thread> threads;
  for (auto& mine : made) {
    threads.emplace_back([&keys, &mine] {
      for (int i = 0; i < 1000; ++i) mine.emplace_back(keys.next(1700000000123).view());
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& mine : made) all.insert(mine.begin(), mine.end());
  CHECK(all.size() == 4000);
}

}  // namespace rmq::protocol
