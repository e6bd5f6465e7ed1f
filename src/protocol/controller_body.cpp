#include "protocol/controller_body.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/json.h"
#include "protocol/body_json.h"
#include "protocol/protocol_errc.h"

namespace rmq::protocol {
namespace {

json::Value ids_to_json(const std::vector<std::int64_t>& ids) {
  json::Value array = json::Value::array();
  for (const std::int64_t id : ids) array.push_back(id);
  return array;
}

Result<std::vector<std::int64_t>> ids_of(const json::Value& object, std::string_view key) {
  const json::Value* array = array_member(object, key);
  if (array == nullptr) {
    return fail(ProtocolErrc::BodyMalformed, "no list '" + std::string(key) + "'");
  }
  std::vector<std::int64_t> ids;
  for (const json::Value& item : array->items()) {
    const std::optional<std::int64_t> id = item.as_int();
    if (!id) {
      return fail(ProtocolErrc::BodyMalformed, "no number in '" + std::string(key) + "'");
    }
    ids.push_back(*id);
  }
  return ids;
}

json::Value to_json(const std::vector<ReplicaState>& replicas, const std::string& broker_name) {
  json::Value array = json::Value::array();
  for (const ReplicaState& replica : replicas) {
    json::Value value = json::Value::object();
    value.set("alive", replica.alive);
    value.set("brokerAddress", replica.address);
    value.set("brokerId", replica.id);
    value.set("brokerName", broker_name);
    if (replica.unheard) value.set("rmqUnheard", true);
    array.push_back(std::move(value));
  }
  return array;
}

std::vector<ReplicaState> states_of(const json::Value& set, std::string_view key) {
  std::vector<ReplicaState> replicas;
  const json::Value* array = array_member(set, key);
  if (array == nullptr) return replicas;
  for (const json::Value& item : array->items()) {
    replicas.push_back({.id = item.int_or("brokerId", 0),
                        .address = item.text_or("brokerAddress", ""),
                        .alive = item.bool_or("alive", false),
                        .unheard = item.bool_or("rmqUnheard", false)});
  }
  return replicas;
}

}  // namespace

std::string encode_sync_state_set(const SyncStateSetBody& set) {
  json::Value value = json::Value::object();
  value.set("syncStateSet", ids_to_json(set.ids));
  value.set("syncStateSetEpoch", set.epoch);
  return json::write(value);
}

Result<SyncStateSetBody> decode_sync_state_set(std::string_view body) {
  RMQ_TRY(const json::Value value, parse_body(body));
  SyncStateSetBody set;
  RMQ_TRY(set.ids, ids_of(value, "syncStateSet"));
  set.epoch = int32_or(value, "syncStateSetEpoch", 0);
  return set;
}

std::string encode_elect_master(const ElectMasterBody& body) {
  json::Value value = json::Value::object();
  if (body.group) {
    json::Value addresses = json::Value::object();
    for (const auto& [id, address] : body.group->broker_addrs) {
      addresses.set_integer_key(id, address);
    }
    json::Value group = json::Value::object();
    group.set("brokerAddrs", std::move(addresses));
    group.set("brokerName", body.group->broker_name);
    group.set("cluster", body.group->cluster);
    value.set("brokerMemberGroup", std::move(group));
  }
  value.set("syncStateSet", ids_to_json(body.ids));
  return json::write(value);
}

Result<ElectMasterBody> decode_elect_master(std::string_view body) {
  RMQ_TRY(const json::Value value, parse_body(body));
  ElectMasterBody elected;
  RMQ_TRY(elected.ids, ids_of(value, "syncStateSet"));
  const json::Value* group = object_member(value, "brokerMemberGroup");
  if (group == nullptr) return elected;
  elected.group.emplace();
  elected.group->cluster = group->text_or("cluster", "");
  elected.group->broker_name = group->text_or("brokerName", "");
  if (const json::Value* addresses = object_member(*group, "brokerAddrs")) {
    for (const json::Member& member : addresses->members()) {
      const std::optional<std::int64_t> id = member.key_int();
      if (!id) return fail(ProtocolErrc::BodyMalformed, "a broker id is no number");
      elected.group->broker_addrs[*id] = member.value.as_text().value_or("");
    }
  }
  return elected;
}

std::string encode_replicas(const ReplicasOfSets& sets) {
  json::Value table = json::Value::object();
  for (const auto& [name, set] : sets) {
    json::Value value = json::Value::object();
    value.set("inSyncReplicas", to_json(set.in_sync, name));
    if (!set.master_address.empty()) value.set("masterAddress", set.master_address);
    if (set.master_id) value.set("masterBrokerId", *set.master_id);
    value.set("masterEpoch", set.master_epoch);
    value.set("notInSyncReplicas", to_json(set.not_in_sync, name));
    value.set("syncStateSetEpoch", set.set_epoch);
    table.set(name, std::move(value));
  }
  json::Value body = json::Value::object();
  body.set("replicasInfoTable", std::move(table));
  return json::write(body);
}

Result<ReplicasOfSets> decode_replicas(std::string_view body) {
  RMQ_TRY(const json::Value value, parse_body(body));
  ReplicasOfSets sets;
  const json::Value* table = object_member(value, "replicasInfoTable");
  if (table == nullptr) return fail(ProtocolErrc::BodyMalformed, "no replicasInfoTable");
  for (const json::Member& member : table->members()) {
    ReplicasOfSet& set = sets[member.key_text()];
    if (const json::Value* master = member.value.find("masterBrokerId")) {
      set.master_id = master->as_int();
    }
    set.master_address = member.value.text_or("masterAddress", "");
    set.master_epoch = int32_or(member.value, "masterEpoch", 0);
    set.set_epoch = int32_or(member.value, "syncStateSetEpoch", 0);
    set.in_sync = states_of(member.value, "inSyncReplicas");
    set.not_in_sync = states_of(member.value, "notInSyncReplicas");
  }
  return sets;
}

std::string encode_broker_names(const std::vector<std::string>& names) {
  json::Value array = json::Value::array();
  for (const std::string& name : names) array.push_back(name);
  return json::write(array);
}

Result<std::vector<std::string>> decode_broker_names(std::string_view body) {
  const Result<json::Value> value = json::parse(body);
  if (!value) return fail(ProtocolErrc::BodyMalformed, value.error().message());
  if (!value->is_array()) return fail(ProtocolErrc::BodyMalformed, "not a list of names");
  std::vector<std::string> names;
  for (const json::Value& item : value->items()) {
    if (std::optional<std::string> name = item.as_text()) names.push_back(*std::move(name));
  }
  return names;
}

Result<std::vector<std::int64_t>> parse_ids(std::string_view text, char separator) {
  std::vector<std::int64_t> ids;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view word = text.substr(0, end);
    std::int64_t id = 0;
    const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), id);
    if (error != std::errc{} || rest != word.data() + word.size()) {
      return fail(ProtocolErrc::FieldMalformed, "'" + std::string(word) + "' is no id");
    }
    ids.push_back(id);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return ids;
}

std::string join_ids(const std::vector<std::int64_t>& ids, char separator) {
  std::string text;
  for (const std::int64_t id : ids) {
    if (!text.empty()) text += separator;
    text += std::to_string(id);
  }
  return text;
}

}  // namespace rmq::protocol
