#include "roles/controller/broker_set_json.h"

#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "protocol/protocol_errc.h"

namespace rmq::roles::controller {
namespace {

using protocol::ProtocolErrc;
using replication::BrokerSet;

tl::unexpected<Error> wrong(const std::string& what) {
  return fail(ProtocolErrc::BodyMalformed, what);
}

Result<std::int64_t> number(const json::Value& object, std::string_view key, std::int64_t least,
                            std::int64_t most) {
  const json::Value* value = object.find(key);
  if (value == nullptr || value->kind() != json::Value::Kind::Int) {
    return wrong("no number '" + std::string(key) + "'");
  }
  const std::int64_t found = value->as_int().value_or(0);
  if (found < least || found > most) {
    return wrong("'" + std::string(key) + "' is " + std::to_string(found));
  }
  return found;
}

Result<std::string> text(const json::Value& object, std::string_view key) {
  const json::Value* value = object.find(key);
  if (value == nullptr || !value->is_string()) return wrong("no text '" + std::string(key) + "'");
  return std::string(value->string());
}

constexpr std::int64_t kIdMax = std::numeric_limits<std::int64_t>::max() - 1;
constexpr std::int64_t kEpochMax = std::numeric_limits<std::int32_t>::max();

Result<> read_replicas(const json::Value& value, BrokerSet& set) {
  const json::Value* replicas = value.find("replicas");
  if (replicas == nullptr || !replicas->is_array()) return wrong("no list 'replicas'");
  for (const json::Value& item : replicas->items()) {
    RMQ_TRY(const std::int64_t id, number(item, "id", 1, kIdMax));
    replication::Replica& replica = set.replicas[id];
    RMQ_TRY(replica.address, text(item, "address"));
    RMQ_TRY(replica.check_code, text(item, "checkCode"));
  }
  return {};
}

Result<> read_members(const json::Value& value, BrokerSet& set) {
  const json::Value* members = value.find("members");
  if (members == nullptr || !members->is_array()) return wrong("no list 'members'");
  for (const json::Value& item : members->items()) {
    const std::optional<std::int64_t> id = item.as_int();
    if (!id || !set.knows(*id)) return wrong("a member that is no replica");
    set.members.add(*id);
  }
  return {};
}

}  // namespace

json::Value to_json(const BrokerSet& set) {
  json::Value value = json::Value::object();
  value.set("cluster", set.cluster);
  value.set("name", set.name);
  value.set("version", set.version);
  value.set("nextId", set.next_id);
  if (set.master) value.set("master", *set.master);
  value.set("epoch", set.epoch.value);
  value.set("setEpoch", set.set_epoch.value);
  json::Value members = json::Value::array();
  for (const replication::ReplicaId id : set.members) members.push_back(id);
  value.set("members", std::move(members));
  json::Value replicas = json::Value::array();
  for (const auto& [id, replica] : set.replicas) {
    json::Value one = json::Value::object();
    one.set("id", id);
    one.set("address", replica.address);
    one.set("checkCode", replica.check_code);
    replicas.push_back(std::move(one));
  }
  value.set("replicas", std::move(replicas));
  return value;
}

Result<BrokerSet> broker_set_from_json(const json::Value& value) {
  if (!value.is_object()) return wrong("not an object");
  BrokerSet set;
  RMQ_TRY(set.cluster, text(value, "cluster"));
  RMQ_TRY(set.name, text(value, "name"));
  RMQ_TRY(const std::int64_t version,
          number(value, "version", 1, std::numeric_limits<std::int64_t>::max()));
  set.version = static_cast<std::uint64_t>(version);
  RMQ_TRY(set.next_id, number(value, "nextId", 1, kIdMax));
  RMQ_TRY(const std::int64_t epoch, number(value, "epoch", 0, kEpochMax));
  set.epoch.value = static_cast<std::int32_t>(epoch);
  RMQ_TRY(const std::int64_t set_epoch, number(value, "setEpoch", 0, kEpochMax));
  set.set_epoch.value = static_cast<std::int32_t>(set_epoch);
  RMQ_CHECK(read_replicas(value, set));
  RMQ_CHECK(read_members(value, set));
  if (value.find("master") != nullptr) {
    RMQ_TRY(const std::int64_t master, number(value, "master", 1, kIdMax));
    if (!set.knows(master)) return wrong("a master that is no replica");
    set.master = master;
  }
  return set;
}

}  // namespace rmq::roles::controller
