#include "protocol/properties.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <vector>

#include "base/assert.h"
#include "base/string_map.h"

namespace rmq::protocol {
namespace {

struct SendField {
  std::string_view name;
  std::string_view SendProperties::*member;
};

constexpr std::array kSendFields{
    SendField{property::kUniqKey, &SendProperties::uniq_key},
    SendField{property::kKeys, &SendProperties::keys},
    SendField{property::kTags, &SendProperties::tags},
    SendField{property::kWaitStoreMsgOk, &SendProperties::wait},
    SendField{property::kDelayTimeLevel, &SendProperties::delay_level},
    SendField{property::kTimerDelaySec, &SendProperties::timer_delay_sec},
    SendField{property::kTimerDelayMs, &SendProperties::timer_delay_ms},
    SendField{property::kTimerDeliverMs, &SendProperties::timer_deliver_ms},
    SendField{property::kTimerDelUniqKey, &SendProperties::timer_del_uniq_key},
    SendField{property::kTransactionPrepared, &SendProperties::transaction_prepared},
    SendField{property::kProducerGroup, &SendProperties::producer_group},
    SendField{property::kCheckImmunityTimeInSeconds, &SendProperties::check_immunity_seconds},
    SendField{property::kPopCk, &SendProperties::pop_ck},
    SendField{property::kShardingKey, &SendProperties::sharding_key},
    SendField{property::kMessageType, &SendProperties::message_type},
    SendField{property::kRetryTopic, &SendProperties::retry_topic},
    SendField{property::kOriginMessageId, &SendProperties::origin_message_id},
    SendField{property::kReconsumeTime, &SendProperties::reconsume_time},
    SendField{property::kMaxReconsumeTimes, &SendProperties::max_reconsume_times},
    SendField{property::kInnerMultiDispatch, &SendProperties::inner_multi_dispatch},
    SendField{property::kCluster, &SendProperties::cluster},
    SendField{property::kMsgRegion, &SendProperties::msg_region},
    SendField{property::kTraceSwitch, &SendProperties::trace_switch},
    SendField{property::kDelayMark, &SendProperties::delay_mark},
};

// Boolean.parseBoolean: "true" in any case is true, all else is false.
bool parse_java_boolean(std::string_view text) {
  constexpr std::string_view kTrue = "true";
  return text.size() == kTrue.size() &&
         std::equal(text.begin(), text.end(), kTrue.begin(),
                    [](char c, char lower) { return (c | 0x20) == lower; });
}

// The pairs of `text`, each name once, with its last value, where it first appeared.
std::vector<Property> unique_properties(std::string_view text) {
  std::vector<Property> pairs;
  std::unordered_map<std::string_view, std::size_t, StringHash> index;
  PropertyReader reader(text);
  while (const auto pair = reader.next()) {
    const auto [at, inserted] = index.emplace(pair->name, pairs.size());
    if (inserted) {
      pairs.push_back(*pair);
    } else {
      pairs[at->second].value = pair->value;
    }
  }
  return pairs;
}

template <class Out>
void append_pair(Out& out, std::string_view name, std::string_view value) {
  RMQ_ASSERT(!name.empty() && !value.empty());
  using Unit = typename Out::value_type;
  const auto append = [&out](std::string_view text) {
    const auto* begin = reinterpret_cast<const Unit*>(text.data());
    out.insert(out.end(), begin, begin + text.size());
  };
  append(name);
  out.push_back(static_cast<Unit>(kNameValueSeparator));
  append(value);
  out.push_back(static_cast<Unit>(kPropertySeparator));
}

}  // namespace

std::optional<Property> PropertyReader::next() {
  while (!rest_.empty()) {
    const std::size_t end = rest_.find(kPropertySeparator);
    if (end == std::string_view::npos) irregular_ = true;
    const std::string_view pair = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    const std::size_t middle = pair.find(kNameValueSeparator);
    if (middle != std::string_view::npos && middle > 0 && middle + 1 < pair.size()) {
      return Property{pair.substr(0, middle), pair.substr(middle + 1)};
    }
    irregular_ = true;
  }
  return std::nullopt;
}

std::optional<std::string_view> find_property(std::string_view text, std::string_view name) {
  std::optional<std::string_view> found;
  PropertyReader reader(text);
  while (const auto pair = reader.next()) {
    if (pair->name == name) found = pair->value;
  }
  return found;
}

bool is_valid_property(std::string_view name, std::string_view value) {
  constexpr std::string_view kSeparators("\x01\x02", 2);
  return name.find_first_of(kSeparators) == std::string_view::npos &&
         value.find_first_of(kSeparators) == std::string_view::npos;
}

void append_property(std::string& out, std::string_view name, std::string_view value) {
  append_pair(out, name, value);
}
void append_property(Bytes& out, std::string_view name, std::string_view value) {
  append_pair(out, name, value);
}

std::string rewrite_properties(std::string_view text, std::span<const Property> changes) {
  std::string out;
  out.reserve(text.size() + 1);
  for (const Property& pair : unique_properties(text)) {
    const bool changed = std::any_of(changes.begin(), changes.end(), [&](const Property& change) {
      return change.name == pair.name;
    });
    if (!changed) append_property(out, pair.name, pair.value);
  }
  for (const Property& change : changes) {
    if (!change.value.empty()) append_property(out, change.name, change.value);
  }
  return out;
}

bool SendProperties::wait_for_store() const { return wait.empty() || parse_java_boolean(wait); }

bool SendProperties::is_transaction_prepared() const {
  return parse_java_boolean(transaction_prepared);
}

SendProperties parse_send_properties(std::string_view text) {
  SendProperties found;
  PropertyReader reader(text);
  while (const auto pair = reader.next()) {
    const auto field = std::find_if(kSendFields.begin(), kSendFields.end(),
                                    [&](const SendField& f) { return f.name == pair->name; });
    if (field != kSendFields.end()) found.*(field->member) = pair->value;
  }
  found.irregular = reader.irregular();
  return found;
}

}  // namespace rmq::protocol
