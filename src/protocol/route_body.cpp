#include "protocol/route_body.h"

#include <utility>

#include "protocol/body_json.h"
#include "protocol/protocol_errc.h"

namespace rmq::protocol {
namespace {

// The ordinal of V4_9_4 in MQVersion.java: from here on clients read strict JSON.
constexpr std::int32_t kVersionStandardJson = 401;

json::Style style(JsonForm form) {
  json::Style result;
  result.quote_integer_keys = form == JsonForm::Standard;
  result.escape_like_standard = form == JsonForm::Standard;
  return result;
}

json::Value to_json(const BrokerAddresses& addresses) {
  json::Value value = json::Value::object();
  for (const auto& [id, address] : addresses) value.set_integer_key(id, address);
  return value;
}

json::Value to_json(const BrokerData& broker) {
  json::Value value = json::Value::object();
  value.set("brokerAddrs", to_json(broker.broker_addrs));
  value.set("brokerName", broker.broker_name);
  value.set("cluster", broker.cluster);
  value.set("enableActingMaster", broker.enable_acting_master);
  if (broker.zone_name) value.set("zoneName", *broker.zone_name);
  return value;
}

json::Value to_json(const QueueData& queue) {
  json::Value value = json::Value::object();
  value.set("brokerName", queue.broker_name);
  value.set("perm", queue.perm);
  value.set("readQueueNums", queue.read_queue_nums);
  value.set("topicSysFlag", queue.topic_sys_flag);
  value.set("writeQueueNums", queue.write_queue_nums);
  return value;
}

template <class Strings>
json::Value text_array(const Strings& strings) {
  json::Value array = json::Value::array();
  for (const std::string& text : strings) array.push_back(text);
  return array;
}

Result<BrokerAddresses> broker_addresses_from(const json::Value& broker) {
  BrokerAddresses addresses;
  const json::Value* table = object_member(broker, "brokerAddrs");
  if (table == nullptr) return addresses;
  for (const auto& member : table->members()) {
    const auto id = member.key_int();
    if (!id) return fail(ProtocolErrc::BodyMalformed, "broker id " + member.key_text());
    if (auto address = member.value.as_text()) addresses[*id] = *std::move(address);
  }
  return addresses;
}

Result<BrokerData> broker_data_from(const json::Value& value) {
  BrokerData broker;
  broker.cluster = value.text_or("cluster", "");
  broker.broker_name = value.text_or("brokerName", "");
  RMQ_TRY(broker.broker_addrs, broker_addresses_from(value));
  if (const json::Value* zone = value.find("zoneName")) broker.zone_name = zone->as_text();
  broker.enable_acting_master = value.bool_or("enableActingMaster", false);
  return broker;
}

QueueData queue_data_from(const json::Value& value) {
  QueueData queue;
  queue.broker_name = value.text_or("brokerName", "");
  queue.read_queue_nums = int32_or(value, "readQueueNums", 0);
  queue.write_queue_nums = int32_or(value, "writeQueueNums", 0);
  queue.perm = int32_or(value, "perm", 0);
  queue.topic_sys_flag = int32_or(value, "topicSysFlag", 0);
  return queue;
}

std::vector<std::string> texts_from(const json::Value& array) {
  std::vector<std::string> texts;
  for (const json::Value& item : array.items()) {
    if (auto text = item.as_text()) texts.push_back(*std::move(text));
  }
  return texts;
}

}  // namespace

JsonForm route_form(std::int32_t client_version, bool accept_standard_json_only) {
  return client_version >= kVersionStandardJson || accept_standard_json_only ? JsonForm::Standard
                                                                             : JsonForm::Fastjson;
}

json::Value to_json(const TopicQueueMappingInfo& info) {
  json::Value value = json::Value::object();
  value.set("bname", info.bname);
  json::Value ids = json::Value::object();
  for (const auto& [logical, physical] : info.curr_id_map) ids.set_integer_key(logical, physical);
  value.set("currIdMap", std::move(ids));
  value.set("dirty", info.dirty);
  value.set("epoch", info.epoch);
  value.set("scope", info.scope);
  value.set("topic", info.topic);
  value.set("totalQueues", info.total_queues);
  return value;
}

TopicQueueMappingInfo topic_queue_mapping_info_from(const json::Value& value) {
  TopicQueueMappingInfo info;
  info.topic = value.text_or("topic", "");
  info.scope = value.text_or("scope", info.scope);
  info.total_queues = int32_or(value, "totalQueues", 0);
  info.bname = value.text_or("bname", "");
  info.epoch = value.int_or("epoch", 0);
  info.dirty = value.bool_or("dirty", false);
  if (const json::Value* ids = object_member(value, "currIdMap")) {
    for (const auto& member : ids->members()) {
      const auto logical = member.key_int();
      const auto physical = member.value.as_int();
      if (!logical || !physical) continue;
      info.curr_id_map[static_cast<std::int32_t>(*logical)] = static_cast<std::int32_t>(*physical);
    }
  }
  return info;
}

std::string encode_topic_route(const TopicRouteData& route, JsonForm form) {
  json::Value value = json::Value::object();
  json::Value brokers = json::Value::array();
  for (const BrokerData& broker : route.broker_datas) brokers.push_back(to_json(broker));
  value.set("brokerDatas", std::move(brokers));
  json::Value filters = json::Value::object();
  for (const auto& [address, servers] : route.filter_server_table) {
    filters.set(address, text_array(servers));
  }
  value.set("filterServerTable", std::move(filters));
  if (route.order_topic_conf) value.set("orderTopicConf", *route.order_topic_conf);
  json::Value queues = json::Value::array();
  for (const QueueData& queue : route.queue_datas) queues.push_back(to_json(queue));
  value.set("queueDatas", std::move(queues));
  if (route.topic_queue_mapping_by_broker) {
    json::Value mappings = json::Value::object();
    for (const auto& [broker, info] : *route.topic_queue_mapping_by_broker) {
      mappings.set(broker, to_json(info));
    }
    value.set("topicQueueMappingByBroker", std::move(mappings));
  }
  return json::write(value, style(form));
}

std::string encode_cluster_info(const ClusterInfo& info) {
  json::Value brokers = json::Value::object();
  for (const auto& [name, broker] : info.broker_addr_table) brokers.set(name, to_json(broker));
  json::Value clusters = json::Value::object();
  for (const auto& [cluster, names] : info.cluster_addr_table) {
    clusters.set(cluster, text_array(names));
  }
  json::Value value = json::Value::object();
  value.set("brokerAddrTable", std::move(brokers));
  value.set("clusterAddrTable", std::move(clusters));
  return json::write(value, style(JsonForm::Fastjson));
}

std::string encode_topic_list(const TopicList& list) {
  json::Value value = json::Value::object();
  if (list.broker_addr) value.set("brokerAddr", *list.broker_addr);
  value.set("topicList", text_array(list.topic_list));
  return json::write(value, style(JsonForm::Fastjson));
}

std::string encode_broker_member_group(const BrokerMemberGroup& group) {
  json::Value inner = json::Value::object();
  inner.set("brokerAddrs", to_json(group.broker_addrs));
  inner.set("brokerName", group.broker_name);
  inner.set("cluster", group.cluster);
  json::Value value = json::Value::object();
  value.set("brokerMemberGroup", std::move(inner));
  return json::write(value, style(JsonForm::Fastjson));
}

std::string encode_kv_table(const KVTable& table) {
  json::Value entries = json::Value::object();
  for (const auto& [key, text] : table.table) entries.set(key, text);
  json::Value value = json::Value::object();
  value.set("table", std::move(entries));
  return json::write(value, style(JsonForm::Fastjson));
}

Result<TopicRouteData> decode_topic_route(std::string_view body) {
  RMQ_TRY(const json::Value value, parse_body(body));
  TopicRouteData route;
  if (const json::Value* order = value.find("orderTopicConf")) {
    route.order_topic_conf = order->as_text();
  }
  if (const json::Value* queues = array_member(value, "queueDatas")) {
    for (const json::Value& item : queues->items()) {
      if (item.is_object()) route.queue_datas.push_back(queue_data_from(item));
    }
  }
  if (const json::Value* brokers = array_member(value, "brokerDatas")) {
    for (const json::Value& item : brokers->items()) {
      if (!item.is_object()) continue;
      RMQ_TRY(BrokerData broker, broker_data_from(item));
      route.broker_datas.push_back(std::move(broker));
    }
  }
  if (const json::Value* filters = object_member(value, "filterServerTable")) {
    for (const auto& member : filters->members()) {
      if (member.value.is_array()) {
        route.filter_server_table[member.key_text()] = texts_from(member.value);
      }
    }
  }
  if (const json::Value* mappings = object_member(value, "topicQueueMappingByBroker")) {
    auto& by_broker = route.topic_queue_mapping_by_broker.emplace();
    for (const auto& member : mappings->members()) {
      if (member.value.is_object()) {
        by_broker[member.key_text()] = topic_queue_mapping_info_from(member.value);
      }
    }
  }
  return route;
}

Result<ClusterInfo> decode_cluster_info(std::string_view body) {
  RMQ_TRY(const json::Value value, parse_body(body));
  ClusterInfo info;
  if (const json::Value* brokers = object_member(value, "brokerAddrTable")) {
    for (const auto& member : brokers->members()) {
      if (!member.value.is_object()) continue;
      RMQ_TRY(info.broker_addr_table[member.key_text()], broker_data_from(member.value));
    }
  }
  if (const json::Value* clusters = object_member(value, "clusterAddrTable")) {
    for (const auto& member : clusters->members()) {
      if (!member.value.is_array()) continue;
      for (std::string& name : texts_from(member.value)) {
        info.cluster_addr_table[member.key_text()].insert(std::move(name));
      }
    }
  }
  return info;
}

Result<TopicList> decode_topic_list(std::string_view body) {
  RMQ_TRY(const json::Value value, parse_body(body));
  TopicList list;
  if (const json::Value* topics = array_member(value, "topicList")) {
    list.topic_list = texts_from(*topics);
  }
  if (const json::Value* address = value.find("brokerAddr")) list.broker_addr = address->as_text();
  return list;
}

Result<BrokerMemberGroup> decode_broker_member_group(std::string_view body) {
  RMQ_TRY(const json::Value value, parse_body(body));
  BrokerMemberGroup group;
  if (const json::Value* inner = object_member(value, "brokerMemberGroup")) {
    group.cluster = inner->text_or("cluster", "");
    group.broker_name = inner->text_or("brokerName", "");
    RMQ_TRY(group.broker_addrs, broker_addresses_from(*inner));
  }
  return group;
}

Result<KVTable> decode_kv_table(std::string_view body) {
  RMQ_TRY(const json::Value value, parse_body(body));
  KVTable table;
  if (const json::Value* entries = object_member(value, "table")) {
    for (const auto& member : entries->members()) {
      if (auto text = member.value.as_text()) table.table[member.key_text()] = *std::move(text);
    }
  }
  return table;
}

}  // namespace rmq::protocol
