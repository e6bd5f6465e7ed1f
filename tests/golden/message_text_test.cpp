// Identifiers, properties, tags and hashes, as RocketMQ makes them.
#include <doctest/doctest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "base/java_compat.h"
#include "golden/golden.h"
#include "protocol/message_id.h"
#include "protocol/message_record.h"
#include "protocol/properties.h"
#include "protocol/protocol_errc.h"
#include "protocol/tag_filter.h"

namespace rmq::protocol {
namespace {

Bytes ip_bytes(std::string_view text) {
  if (text == "10.0.0.1") return {std::byte{10}, {}, {}, std::byte{1}};
  if (text == "255.254.253.252") {
    return {std::byte{255}, std::byte{254}, std::byte{253}, std::byte{252}};
  }
  REQUIRE(text == "2001:db8::1:2");
  Bytes ip(16);
  ip[0] = std::byte{0x20};
  ip[1] = std::byte{0x01};
  ip[2] = std::byte{0x0d};
  ip[3] = std::byte{0xb8};
  ip[13] = std::byte{1};
  ip[15] = std::byte{2};
  return ip;
}

std::string unhex(std::string_view digits) {
  REQUIRE(digits.substr(0, 1) == "x");
  std::string out;
  for (std::size_t i = 1; i < digits.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  }
  return out;
}

// "all[][]" or "some[a, b][1, 2]", as the generator prints a subscription.
std::string print(const TagFilter& filter) {
  std::vector<std::string> tags = filter.tags();
  std::vector<std::int32_t> hashes = filter.hashes();
  std::sort(tags.begin(), tags.end());
  std::sort(hashes.begin(), hashes.end());
  std::string text = filter.matches_all() ? "all[" : "some[";
  for (std::size_t i = 0; i < tags.size(); ++i) text += (i == 0 ? "" : ", ") + tags[i];
  text += "][";
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(hashes[i]);
  }
  return text + "]";
}

}  // namespace

TEST_CASE("golden text: offset message ids") {
  const auto lines = golden::read_lines("message_ids.txt");
  CHECK(lines.size() == 9);
  for (const std::string& line : lines) {
    CAPTURE(line);
    const std::size_t first = line.find(' ');
    const std::size_t second = line.find(' ', first + 1);
    const std::string id = line.substr(0, first);
    const MessageId expected{
        HostAddress(ip_bytes(line.substr(first + 1, second - first - 1)), 10911),
        PhysicalOffset{std::stoll(line.substr(second + 1))}};
    CHECK(encode_message_id(expected).view() == id);
    CHECK(decode_message_id(id).value() == expected);
    golden::for_each_truncation(as_bytes(id), [](ByteView prefix) {
      if (prefix.size() == kMessageIdCharsV4) return;  // that of an IPv4 host
      CHECK(decode_message_id(as_text(prefix)).error().code == ProtocolErrc::FieldMalformed);
    });
  }
}

TEST_CASE("golden text: ids that a broker answers for a batch") {
  for (const std::string name : {"batch_records_v4", "batch_records_v6"}) {
    const Bytes records = golden::read(name + "_appended.bin");
    std::string ids;
    for (ByteView rest = records; !rest.empty();) {
      const auto record = decode_record(rest);
      REQUIRE(record);
      if (!ids.empty()) ids += ',';
      ids += encode_message_id({record->store_host, record->physical_offset}).view();
      rest = rest.subspan(record->total_bytes);
    }
    CHECK(ids == golden::read_text(name + "_ids.txt"));
  }
}

TEST_CASE("golden text: tag hashes") {
  const auto lines = golden::read_lines("tag_hashes.txt");
  CHECK(lines.size() == 11);
  for (const std::string& line : lines) {
    CAPTURE(line);
    const auto [hash, tag] = golden::split(line);
    CHECK(tag_hash(tag) == std::stol(hash));
  }
}

TEST_CASE("golden text: tag expressions") {
  const auto lines = golden::read_lines("tag_expressions.txt");
  CHECK(lines.size() == 15);
  for (const std::string& line : lines) {
    CAPTURE(line);
    // The expression may itself begin with a tab: only the first one divides.
    const auto [expected, expression] = golden::split(line);
    const auto filter = TagFilter::parse(expression);
    CHECK((filter ? print(*filter) : "error") == expected);
  }
}

TEST_CASE("golden text: properties that are not regular") {
  const auto lines = golden::read_lines("message_properties.txt");
  CHECK(lines.size() == 14);
  for (const std::string& line : lines) {
    CAPTURE(line);
    const auto [text, expected] = golden::split(line);
    // Java's map has no order: the generator sorted it.
    std::vector<std::string> pairs;
    const std::string rewritten = rewrite_properties(text);
    PropertyReader reader(rewritten);
    while (const auto pair = reader.next()) {
      std::string one;
      append_property(one, pair->name, pair->value);
      pairs.push_back(one);
    }
    CHECK_FALSE(reader.irregular());
    std::sort(pairs.begin(), pairs.end());
    std::string sorted;
    for (const std::string& pair : pairs) sorted += pair;
    CHECK(sorted == expected);
  }
}

TEST_CASE("golden text: java.util.Properties") {
  const auto loaded = parse_properties(golden::read_text("java_properties_source.txt"));
  const auto lines = golden::read_lines("java_properties_loaded.txt");
  std::size_t seen = 0;
  for (const std::string& line : lines) {
    CAPTURE(line);
    const std::size_t space = line.find(' ');
    const std::string key = unhex(std::string_view(line).substr(0, space));
    const auto pair =
        std::find_if(loaded.rbegin(), loaded.rend(), [&](const auto& p) { return p.first == key; });
    REQUIRE(pair != loaded.rend());
    CHECK(pair->second == unhex(std::string_view(line).substr(space + 1)));
    seen += static_cast<std::size_t>(
        std::count_if(loaded.begin(), loaded.end(), [&](const auto& p) { return p.first == key; }));
  }
  CHECK(seen == loaded.size());
  // What is written must read back the same.
  CHECK(parse_properties(write_properties(loaded)) == loaded);
}

}  // namespace rmq::protocol
