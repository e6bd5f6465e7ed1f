// SubscriptionGroupConfig: the settings of a consumer group at its broker, and the table of all of
// them. Format: fastjson's JSON (SubscriptionGroupConfig.java, SubscriptionGroupWrapper.java,
// GroupRetryPolicy.java); the table is the body of GET_ALL_SUBSCRIPTIONGROUP_CONFIG and, pretty,
// the file subscriptionGroup.json. Threads: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "protocol/data_version.h"

namespace rmq::protocol {

enum class GroupRetryPolicyType : std::uint8_t { Exponential, Customized };

// initial * multiplier^n milliseconds, at most max.
struct ExponentialRetryPolicy {
  std::int64_t initial_ms = 5'000;
  std::int64_t max_ms = 7'200'000;
  std::int64_t multiplier = 2;
  friend bool operator==(const ExponentialRetryPolicy&, const ExponentialRetryPolicy&) = default;
};

// How long to wait before the next attempt. Neither policy present: Java's default steps.
struct GroupRetryPolicy {
  GroupRetryPolicyType type = GroupRetryPolicyType::Customized;
  std::optional<ExponentialRetryPolicy> exponential;
  std::optional<std::vector<std::int64_t>> customized_ms;
  friend bool operator==(const GroupRetryPolicy&, const GroupRetryPolicy&) = default;
};

// A subscription laid down by an administrator.
struct SimpleSubscriptionData {
  std::string topic;
  std::string expression_type;
  std::string expression;
  std::int64_t version = 0;
  friend bool operator==(const SimpleSubscriptionData&, const SimpleSubscriptionData&) = default;
};

struct SubscriptionGroupConfig {
  std::string group;
  bool consume_enable = true;
  bool consume_from_min_enable = true;
  bool consume_broadcast_enable = true;
  bool consume_message_orderly = false;
  std::int32_t retry_queue_nums = 1;
  std::int32_t retry_max_times = 16;
  GroupRetryPolicy retry_policy;
  std::int64_t broker_id = 0;
  std::int64_t which_broker_when_consume_slowly = 1;
  bool notify_consumer_ids_changed_enable = true;
  std::int32_t group_sys_flag = 0;
  std::int32_t consume_timeout_minutes = 15;
  std::optional<std::vector<SimpleSubscriptionData>> subscriptions;
  std::map<std::string, std::string> attributes;
  friend bool operator==(const SubscriptionGroupConfig&, const SubscriptionGroupConfig&) = default;
};
json::Value to_json(const SubscriptionGroupConfig& config);
// Lenient: missing members have the defaults above; the group may come out empty.
SubscriptionGroupConfig subscription_group_from(const json::Value& value);

std::string encode_subscription_group(const SubscriptionGroupConfig& config);
// Errors: ProtocolErrc::BodyMalformed.
Result<SubscriptionGroupConfig> decode_subscription_group(std::string_view body);

struct SubscriptionGroupTableBody {
  DataVersion data_version;
  std::map<std::string, std::map<std::string, std::int32_t>> forbidden;  // group -> topic -> bits
  std::map<std::string, SubscriptionGroupConfig> groups;                 // by name
  friend bool operator==(const SubscriptionGroupTableBody&,
                         const SubscriptionGroupTableBody&) = default;
};
// `style` is pretty for the file, compact for the wire.
std::string encode_subscription_groups(const SubscriptionGroupTableBody& body,
                                       const json::Style& style = {});
// Errors: ProtocolErrc::BodyMalformed.
Result<SubscriptionGroupTableBody> decode_subscription_groups(std::string_view body);

}  // namespace rmq::protocol
