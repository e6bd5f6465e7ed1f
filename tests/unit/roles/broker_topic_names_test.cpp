#include <doctest/doctest.h>

#include <ostream>
#include <string>

#include "protocol/response_codes.h"
#include "roles/broker/topics/topic_attributes.h"
#include "roles/broker/topics/topic_names.h"

namespace rmq::roles::broker {
namespace {

using protocol::ResponseCode;

TEST_CASE("topic names: characters and length, with Java's remarks") {
  CHECK(check_topic_name("Az09%|_-"));
  CHECK(check_topic_name(std::string(127, 't')));
  CHECK(check_topic_name("%RETRY%" + std::string(248, 'g')));

  const auto remark = [](std::string_view topic) {
    const Result<> checked = check_topic_name(topic);
    REQUIRE_FALSE(checked.has_value());
    CHECK(checked.error().code == ResponseCode::InvalidParameter);
    return checked.error().detail;
  };
  CHECK(remark("") == "The specified topic is blank.");
  CHECK(remark(" \t") == "The specified topic is blank.");
  CHECK(remark("a b") ==
        "The specified topic: a b, contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$");
  CHECK(remark("\xC3\xA4").find("illegal characters") != std::string::npos);
  const std::string longer(128, 't');
  CHECK(remark(longer) ==
        "The specified topic: " + longer + ", is longer than topic max length: 127");
  CHECK(remark("%DLQ%" + std::string(251, 'g')).find("max length: 255") != std::string::npos);
}

TEST_CASE("group names: as topics, up to 120 bytes") {
  CHECK(check_group_name(std::string(255, 'g')));
  CHECK(check_group_name(std::string(256, 'g')).error().code == ResponseCode::InvalidParameter);
  CHECK(check_group_name("").error().detail == "The specified group is blank.");
  CHECK_FALSE(check_group_name("a@b"));
}

TEST_CASE("topics that mean something to a broker") {
  CHECK(is_well_known_system_topic("TBW102"));
  CHECK(is_well_known_system_topic("rmq_sys_anything"));
  CHECK_FALSE(is_well_known_system_topic("T"));
  CHECK(is_send_forbidden("SCHEDULE_TOPIC_XXXX"));
  CHECK_FALSE(is_send_forbidden("TBW102"));
  CHECK(retry_topic("g") == "%RETRY%g");
  CHECK(dead_letter_topic("g") == "%DLQ%g");
}

TEST_CASE("attribute changes: the text") {
  CHECK(*parse_attribute_changes("") == Attributes{});
  CHECK(*parse_attribute_changes("+a=1,-b,+c=x") ==
        Attributes{{"+a", "1"}, {"+c", "x"}, {"-b", ""}});
  const auto remark = [](std::string_view text) {
    const auto changes = parse_attribute_changes(text);
    REQUIRE_FALSE(changes.has_value());
    CHECK(changes.error().code == ResponseCode::SystemError);
    return changes.error().detail;
  };
  CHECK(remark("a=1") == "add/alter attribute format is wrong: a");
  CHECK(remark("+a") == "delete attribute format is wrong: +a");
  CHECK(remark("+a=1,+a=2") == "key duplication: +a");
  CHECK_FALSE(parse_attribute_changes("+a="));
}

TEST_CASE("attribute changes: what may change when") {
  const Attributes none;
  CHECK(*apply_topic_attribute_changes(true, none, {{"+message.type", "FIFO"}}) ==
        Attributes{{"message.type", "FIFO"}});
  CHECK(*apply_topic_attribute_changes(false, {{"message.type", "FIFO"}},
                                       {{"+message.type", "DELAY"}}) ==
        Attributes{{"message.type", "DELAY"}});
  CHECK(*apply_topic_attribute_changes(false, {{"message.type", "FIFO"}},
                                       {{"-message.type", ""}}) == none);
  CHECK(*apply_topic_attribute_changes(true, none, {{"+cleanup.policy", "COMPACTION"}}) ==
        Attributes{{"cleanup.policy", "COMPACTION"}});

  const auto remark = [](bool creating, const Attributes& current, const Attributes& changes) {
    const auto result = apply_topic_attribute_changes(creating, current, changes);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == ResponseCode::SystemError);
    return result.error().detail;
  };
  CHECK(remark(true, none, {{"-message.type", ""}}) ==
        "only add attribute is supported while creating topic. key: message.type");
  CHECK(remark(false, none, {{"-message.type", ""}}) ==
        "attempt to delete a nonexistent key: message.type");
  CHECK(remark(false, none, {{"+cleanup.policy", "DELETE"}}) ==
        "attempt to update an unchangeable attribute. key: cleanup.policy");
  CHECK(remark(true, none, {{"+colour", "red"}}) == "unsupported key: colour");
  CHECK(remark(true, none, {{"+message.type", "OTHER"}}).starts_with("value is not in set: ["));
  CHECK(remark(true, none, {{"+reserve.time", "-2"}}) ==
        "value is not in range(-1, 9223372036854775807)");
  CHECK(remark(true, none, {{"+reserve.time", "x"}}) == "For input string: \"x\"");
  CHECK(remark(true, none, {{"+a-b", "1"}}) == "kv string format wrong.");
  CHECK(remark(true, none, {{"", "1"}}) == "kv string format wrong.");
  CHECK(remark(false, {{"message.type", "FIFO"}},
               {{"+message.type", "DELAY"}, {"-message.type", ""}}) ==
        "alter duplication key. key: message.type");

  CHECK_FALSE(apply_group_attribute_changes(true, none, {{"+message.type", "FIFO"}}));
  CHECK(*apply_group_attribute_changes(true, none, {}) == none);
}

}  // namespace
}  // namespace rmq::roles::broker
