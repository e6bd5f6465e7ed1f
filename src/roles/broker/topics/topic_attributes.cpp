#include "roles/broker/topics/topic_attributes.h"

#include <charconv>
#include <cstdint>
#include <limits>
#include <set>
#include <span>
#include <vector>

#include "protocol/response_codes.h"

namespace rmq::roles::broker {

using protocol::ResponseCode;

namespace {

// One attribute that exists: an enumeration, or a whole number within bounds when `values` is
// empty.
struct Attribute {
  std::string_view name;
  bool changeable = false;  // after creation
  std::vector<std::string_view> values;
  std::int64_t min = 0;
  std::int64_t max = 0;
};

const std::vector<Attribute>& topic_attributes() {
  static const std::vector<Attribute> kAttributes{
      {.name = "queue.type", .values = {"BatchCQ", "SimpleCQ"}},
      {.name = "cleanup.policy", .values = {"DELETE", "COMPACTION"}},
      {.name = "message.type",
       .changeable = true,
       .values = {"UNSPECIFIED", "NORMAL", "FIFO", "DELAY", "TRANSACTION", "MIXED"}},
      {.name = "reserve.time",
       .changeable = true,
       .values = {},
       .min = -1,
       .max = std::numeric_limits<std::int64_t>::max()}};
  return kAttributes;
}

auto refuse(std::string remark) { return fail(ResponseCode::SystemError, std::move(remark)); }

Result<> verify(const Attribute& attribute, const std::string& value) {
  if (attribute.values.empty()) {
    std::int64_t number = 0;
    const char* const end = value.data() + value.size();
    const auto [at, error] = std::from_chars(value.data(), end, number);
    if (error != std::errc{} || at != end) {
      return refuse("For input string: \"" + value + "\"");
    }
    if (number < attribute.min || number > attribute.max) {
      return refuse("value is not in range(" + std::to_string(attribute.min) + ", " +
                    std::to_string(attribute.max) + ")");
    }
    return {};
  }
  std::string all;
  for (const std::string_view known : attribute.values) {
    if (known == value) return {};
    if (!all.empty()) all += ", ";
    all += known;
  }
  return refuse("value is not in set: [" + all + "]");
}

Result<> check_real_key(std::string_view key) {
  if (key.empty() || key.find('+') != key.npos || key.find('-') != key.npos) {
    return refuse("kv string format wrong.");
  }
  return {};
}

Result<> check_change(std::span<const Attribute> known, bool creating, bool removing,
                      const std::string& key, const std::string& value) {
  for (const Attribute& attribute : known) {
    if (attribute.name != key) continue;
    if (!creating && !attribute.changeable) {
      return refuse("attempt to update an unchangeable attribute. key: " + key);
    }
    return removing ? Result<>{} : verify(attribute, value);
  }
  return refuse("unsupported key: " + key);
}

Result<Attributes> apply(std::span<const Attribute> known, bool creating, const Attributes& current,
                         const Attributes& changes) {
  Attributes result = current;
  std::set<std::string> seen;
  for (const auto& [signed_key, value] : changes) {
    const std::string key = signed_key.empty() ? "" : signed_key.substr(1);
    RMQ_CHECK(check_real_key(key));
    if (!seen.insert(key).second) return refuse("alter duplication key. key: " + key);
    const bool adding = signed_key.front() == '+';
    const bool removing = signed_key.front() == '-';
    if (creating && !adding) {
      return refuse("only add attribute is supported while creating topic. key: " + key);
    }
    if (!adding && !removing) return refuse("wrong format key: " + key);
    if (removing && !current.contains(key)) {
      return refuse("attempt to delete a nonexistent key: " + key);
    }
    RMQ_CHECK(check_change(known, creating, removing, key, value));
    if (removing) {
      result.erase(key);
    } else {
      result.insert_or_assign(key, value);
    }
  }
  return result;
}

}  // namespace

bool has_batch_queues(const Attributes& attributes) {
  // Some Java tools leave the plus of a change in the file.
  for (const char* key : {"queue.type", "+queue.type"}) {
    const auto type = attributes.find(key);
    if (type != attributes.end() && type->second == "BatchCQ") return true;
  }
  return false;
}

Result<Attributes> parse_attribute_changes(std::string_view text) {
  Attributes changes;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view change = text.substr(0, comma);
    text = comma == text.npos ? std::string_view{} : text.substr(comma + 1);
    if (change.empty() && text.empty()) break;  // Java's split drops a trailing comma
    const std::size_t equals = change.find('=');
    const std::string key(change.substr(0, equals));
    std::string value;
    if (equals != change.npos) {
      value = change.substr(equals + 1, change.find('=', equals + 1) - equals - 1);
      if (value.empty()) return refuse("Index 1 out of bounds for length 1");
      if (key.find('+') == key.npos) {
        return refuse("add/alter attribute format is wrong: " + key);
      }
    } else if (key.find('-') == key.npos) {
      return refuse("delete attribute format is wrong: " + key);
    }
    if (!changes.emplace(key, value).second) return refuse("key duplication: " + key);
  }
  return changes;
}

Result<Attributes> apply_topic_attribute_changes(bool creating, const Attributes& current,
                                                 const Attributes& changes) {
  RMQ_TRY(Attributes changed, apply(topic_attributes(), creating, current, changes));
  if (has_batch_queues(changed)) return refuse("queue.type=BatchCQ is not supported");
  return changed;
}

Result<Attributes> apply_group_attribute_changes(bool creating, const Attributes& current,
                                                 const Attributes& changes) {
  return apply({}, creating, current, changes);
}

}  // namespace rmq::roles::broker
