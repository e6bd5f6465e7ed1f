#include "protocol/properties.h"

#include <doctest/doctest.h>

#include <ostream>
#include <string>
#include <vector>

namespace rmq::protocol {
namespace {

std::vector<Property> pairs_of(std::string_view text) {
  std::vector<Property> pairs;
  PropertyReader reader(text);
  while (const auto pair = reader.next()) pairs.push_back(*pair);
  return pairs;
}

bool is_irregular(std::string_view text) {
  PropertyReader reader(text);
  while (reader.next()) {
  }
  return reader.irregular();
}

}  // namespace

TEST_CASE("properties: pairs in order") {
  const auto pairs = pairs_of(
      "a\x01"
      "1\x02"
      "b\x01"
      "2 3\x02");
  REQUIRE(pairs.size() == 2);
  CHECK(pairs[0] == Property{"a", "1"});
  CHECK(pairs[1] == Property{"b", "2 3"});
  CHECK(pairs_of("").empty());
}

TEST_CASE("properties: regular text is what appending gives") {
  std::string text;
  CHECK_FALSE(is_irregular(text));
  append_property(text, "name", "value");
  append_property(text, "other", "v");
  CHECK(text == "name\x01value\x02other\x01v\x02");
  CHECK_FALSE(is_irregular(text));
  Bytes bytes;
  append_property(bytes, "name", "value");
  append_property(bytes, "other", "v");
  CHECK(as_text(bytes) == text);

  CHECK(
      is_irregular("a\x01"
                   "b"));
  CHECK(is_irregular("a\x01\x02"));
  CHECK(
      is_irregular("\x01"
                   "a\x02"));
  CHECK(is_irregular("a\x02"));
  CHECK(is_irregular("\x02"));
}

TEST_CASE("properties: the last of equal names counts") {
  const std::string_view text =
      "a\x01"
      "1\x02"
      "b\x01"
      "2\x02"
      "a\x01"
      "3\x02";
  CHECK(find_property(text, "a") == "3");
  CHECK(find_property(text, "b") == "2");
  CHECK_FALSE(find_property(text, "c"));
  CHECK(rewrite_properties(text) ==
        "a\x01"
        "3\x02"
        "b\x01"
        "2\x02");
}

TEST_CASE("properties: a property without value does not exist") {
  CHECK_FALSE(find_property("a\x01\x02", "a"));
  // Nor does it hide an earlier one.
  CHECK(find_property("a\x01"
                      "1\x02"
                      "a\x01\x02",
                      "a") == "1");
}

TEST_CASE("properties: rewriting sets and removes") {
  const std::string_view text =
      "a\x01"
      "1\x02"
      "b\x01"
      "2\x02"
      "c\x01"
      "3";
  const Property changes[] = {{"b", "new"}, {"a", ""}, {"d", "4"}, {"e", ""}};
  CHECK(rewrite_properties(text, changes) ==
        "c\x01"
        "3\x02"
        "b\x01new\x02"
        "d\x01"
        "4\x02");
}

TEST_CASE("properties: names and values that would break the text") {
  CHECK(is_valid_property("a", "b"));
  CHECK_FALSE(is_valid_property("a\x01", "b"));
  CHECK_FALSE(is_valid_property("a", "b\x02"));
}

TEST_CASE("properties: many pairs are rewritten in reasonable time and all kept") {
  std::string text;
  for (int i = 0; i < 8000; ++i) append_property(text, std::to_string(i), "v");
  CHECK(rewrite_properties(text) == text);
}

TEST_CASE("send properties: found in one pass") {
  std::string text;
  append_property(text, property::kUniqKey, "U");
  append_property(text, property::kKeys, "k1 k2");
  append_property(text, property::kTags, "TagA");
  append_property(text, property::kWaitStoreMsgOk, "false");
  append_property(text, property::kDelayTimeLevel, "3");
  append_property(text, property::kTransactionPrepared, "TRUE");
  append_property(text, property::kProducerGroup, "group");
  append_property(text, property::kPopCk, "ck");
  append_property(text, property::kShardingKey, "shard");
  append_property(text, property::kTimerDeliverMs, "17");
  append_property(text, "user", "value");
  const SendProperties found = parse_send_properties(text);
  CHECK(found.uniq_key == "U");
  CHECK(found.keys == "k1 k2");
  CHECK(found.tags == "TagA");
  CHECK_FALSE(found.wait_for_store());
  CHECK(found.delay_level == "3");
  CHECK(found.is_transaction_prepared());
  CHECK(found.producer_group == "group");
  CHECK(found.pop_ck == "ck");
  CHECK(found.sharding_key == "shard");
  CHECK(found.timer_deliver_ms == "17");
  CHECK(found.cluster.empty());
  CHECK_FALSE(found.irregular);
}

TEST_CASE("send properties: defaults and oddities") {
  const SendProperties none = parse_send_properties("");
  CHECK(none.wait_for_store());
  CHECK_FALSE(none.is_transaction_prepared());
  CHECK_FALSE(none.irregular);

  CHECK_FALSE(parse_send_properties("WAIT\x01yes\x02").wait_for_store());
  CHECK(parse_send_properties("WAIT\x01True\x02").wait_for_store());
  CHECK_FALSE(parse_send_properties("TRAN_MSG\x01"
                                    "1\x02")
                  .is_transaction_prepared());
  CHECK(parse_send_properties("TAGS\x01"
                              "a\x02TAGS\x01"
                              "b\x02")
            .tags == "b");
  CHECK(parse_send_properties("TAGS\x01"
                              "a")
            .irregular);
  CHECK(parse_send_properties("TAGS\x01"
                              "a")
            .tags == "a");
}

}  // namespace rmq::protocol
