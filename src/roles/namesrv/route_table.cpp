#include "roles/namesrv/route_table.h"

#include <algorithm>

#include "base/log.h"
#include "protocol/topic_config.h"

namespace rmq::roles::namesrv {

using protocol::BrokerAddresses;
using protocol::BrokerData;
using protocol::DataVersion;
using protocol::kMasterId;
using protocol::QueueData;
using protocol::RegisterBrokerBody;
using protocol::TopicConfig;

namespace {

constexpr std::string_view kLog = "namesrv";

// A broker's own time-out within sane bounds: it is added to the clock.
std::chrono::milliseconds timeout_of(const Registration& registration) {
  if (!registration.heartbeat_timeout_ms) return kBrokerTimeout;
  constexpr std::chrono::milliseconds kMax = std::chrono::hours(24 * 365);
  return std::chrono::milliseconds(
      std::clamp<std::int64_t>(*registration.heartbeat_timeout_ms, 0, kMax.count()));
}

QueueData queue_data(std::string_view broker_name, const TopicConfig& topic) {
  QueueData queues;
  queues.broker_name = broker_name;
  queues.read_queue_nums = topic.read_queue_nums;
  queues.write_queue_nums = topic.write_queue_nums;
  queues.perm = topic.perm;
  queues.topic_sys_flag = topic.topic_sys_flag;
  return queues;
}

bool has_master(const BrokerAddresses& addresses) { return addresses.contains(kMasterId); }

// Takes `name` out of every value of `table` and drops the values that are empty then.
template <class Table>
void erase_name(Table& table, const std::string& name) {
  for (auto entry = table.begin(); entry != table.end();) {
    entry->second.erase(name);
    entry = entry->second.empty() ? table.erase(entry) : std::next(entry);
  }
}

}  // namespace

const BrokerData* RouteTable::find_broker(std::string_view broker_name) const {
  const auto found = cluster_info_.broker_addr_table.find(std::string(broker_name));
  return found == cluster_info_.broker_addr_table.end() ? nullptr : &found->second;
}

std::optional<RegisterResult> RouteTable::register_broker(const Registration& registration,
                                                          const RegisterBrokerBody& body) {
  const BrokerData* known = find_broker(registration.broker_name);
  if (body.topics.size() == 1 &&
      (known == nullptr || !known->broker_addrs.contains(registration.broker_id))) {
    log::warn(kLog, "registration of a single topic refused: broker not registered yet",
              kv("broker", registration.broker_name), kv("id", registration.broker_id),
              kv("topic", body.topics.front().topic));
    return std::nullopt;
  }

  cluster_info_.cluster_addr_table[registration.cluster].insert(registration.broker_name);
  BrokerData& broker = cluster_info_.broker_addr_table[registration.broker_name];
  const BrokerData before = broker;
  bool first = known == nullptr;
  if (first) {
    broker.cluster = registration.cluster;
    broker.broker_name = registration.broker_name;
  }
  broker.enable_acting_master = registration.enable_acting_master.value_or(false);
  broker.zone_name = registration.zone_name;

  // An address stands for one replica: a slave that became master moves from its old id to 0.
  BrokerAddresses& addresses = broker.broker_addrs;
  const bool lower_id = !addresses.empty() && registration.broker_id < addresses.begin()->first;
  std::erase_if(addresses, [&](const auto& entry) {
    return entry.second == registration.broker_addr && entry.first != registration.broker_id;
  });

  if (yields_to_newer_reign(registration, body)) {
    live_.erase({registration.cluster, registration.broker_addr});
    if (broker != before) changed();
    return RegisterResult{};
  }

  std::string& address = addresses[registration.broker_id];
  first = first || address.empty();
  address = registration.broker_addr;
  if (broker != before) changed();

  const bool master = registration.broker_id == kMasterId;
  const bool prime_slave = registration.enable_acting_master && !master &&
                           registration.broker_id == addresses.begin()->first;
  if (master || prime_slave) {
    take_over_topics(registration, body, first, prime_slave && broker.enable_acting_master);
  }
  set_live(registration, body);
  if (lower_id) note_min_id_change(broker, {}, registration.ha_server_addr);

  RegisterResult result;
  if (!master && has_master(addresses)) {
    const std::string& master_addr = addresses.at(kMasterId);
    const auto live = live_.find({registration.cluster, master_addr});
    if (live != live_.end()) result = {master_addr, live->second.ha_server_addr};
  }
  return result;
}

// Whether another address holds this id, lives, and was registered under a later reign.
bool RouteTable::yields_to_newer_reign(const Registration& registration,
                                       const RegisterBrokerBody& body) const {
  const BrokerAddresses& addresses = find_broker(registration.broker_name)->broker_addrs;
  const auto holder = addresses.find(registration.broker_id);
  if (holder == addresses.end() || holder->second == registration.broker_addr) return false;
  const auto live = live_.find({registration.cluster, holder->second});
  if (live == live_.end()) return false;
  const std::int64_t held = live->second.data_version.state_version;
  if (held <= body.data_version.state_version) return false;
  log::warn(kLog, "registration ignored: the id is held under a later reign",
            kv("broker", registration.broker_name), kv("id", registration.broker_id),
            kv("address", registration.broker_addr), kv("holder", holder->second),
            kv("reign", body.data_version.state_version), kv("holder_reign", held));
  return true;
}

void RouteTable::take_over_topics(const Registration& registration, const RegisterBrokerBody& body,
                                  bool first, bool wipe_write) {
  if (config_.delete_topic_with_broker_registration && body.mappings.empty()) {
    delete_missing_topics(registration.broker_name, body);
  }
  const auto live = live_.find({registration.cluster, registration.broker_addr});
  const bool news = first || live == live_.end() || live->second.data_version != body.data_version;
  for (const TopicConfig& topic : body.topics) {
    if (!news) {
      const auto known = topics_.find(topic.topic);
      if (known != topics_.end() && known->second.contains(registration.broker_name)) continue;
    }
    QueueData queues = queue_data(registration.broker_name, topic);
    // An acting master only serves what is there already.
    if (wipe_write) queues.perm &= ~protocol::kPermWrite;
    set_queues(topic.topic, std::move(queues));
  }
  if (!news) return;
  for (const auto& mapping : body.mappings) {
    auto& known = mappings_[mapping.topic][mapping.bname];
    if (known == mapping) continue;
    known = mapping;
    changed();
  }
}

void RouteTable::delete_missing_topics(std::string_view broker_name,
                                       const RegisterBrokerBody& body) {
  StringSet present;
  for (const TopicConfig& topic : body.topics) present.insert(topic.topic);
  for (auto entry = topics_.begin(); entry != topics_.end();) {
    Queues& queues = entry->second;
    const auto queue = queues.find(broker_name);
    if (queue != queues.end() && !present.contains(entry->first)) {
      log::info(kLog, "topic deleted: missing in the registration", kv("topic", entry->first),
                kv("broker", broker_name));
      queues.erase(queue);
      changed();
    }
    entry = queues.empty() ? topics_.erase(entry) : std::next(entry);
  }
}

void RouteTable::set_queues(std::string_view topic, QueueData queues) {
  auto entry = topics_.find(topic);
  if (entry == topics_.end()) entry = topics_.emplace(topic, Queues{}).first;
  QueueData& known = entry->second[queues.broker_name];
  if (known == queues) return;
  known = std::move(queues);
  changed();
}

void RouteTable::set_live(const Registration& registration, const RegisterBrokerBody& body) {
  const Address address{registration.cluster, registration.broker_addr};
  const LiveBroker live{clock_.steady_now(), timeout_of(registration), body.data_version,
                        registration.connection, registration.ha_server_addr};
  if (live_.insert_or_assign(address, live).second) {
    log::info(kLog, "broker registered", kv("broker", registration.broker_name),
              kv("id", registration.broker_id), kv("address", registration.broker_addr),
              kv("cluster", registration.cluster), kv("topics", body.topics.size()));
  }
  if (!body.filter_servers) return;
  if (!body.filter_servers->empty()) {
    auto& known = filter_servers_[address];
    if (known == *body.filter_servers) return;
    known = *body.filter_servers;
    changed();
  } else if (filter_servers_.erase(address) != 0) {
    changed();
  }
}

void RouteTable::note_min_id_change(const BrokerData& broker, std::string_view offline_addr,
                                    std::string_view ha_addr) {
  if (!config_.notify_min_broker_id_changed) return;
  MinBrokerIdChange change;
  change.broker_name = broker.broker_name;
  change.min_broker_id = broker.broker_addrs.begin()->first;
  change.min_broker_addr = broker.broker_addrs.begin()->second;
  change.offline_broker_addr = offline_addr;
  change.ha_broker_addr = ha_addr;
  // A newcomer knows that it is one; when somebody left, all others must hear of it.
  const bool all = !offline_addr.empty() || broker.broker_addrs.size() == 1;
  for (const auto& [id, address] : broker.broker_addrs) {
    if (all || id != change.min_broker_id) change.to_notify.push_back(address);
  }
  min_id_changes_.push_back(std::move(change));
}

void RouteTable::unregister(std::span<const BrokerIdentity> brokers) {
  std::set<std::string> gone;
  std::set<std::string> reduced;
  for (const BrokerIdentity& broker : brokers) {
    (remove_broker(broker) ? gone : reduced).insert(broker.broker_name);
  }
  if (!brokers.empty()) clean_topics(gone, reduced);
}

// True when it was the last replica of its name.
bool RouteTable::remove_broker(const BrokerIdentity& identity) {
  const Address address{identity.cluster, identity.broker_addr};
  const bool lived = live_.erase(address) != 0;
  if (filter_servers_.erase(address) != 0) changed();
  const auto entry = cluster_info_.broker_addr_table.find(identity.broker_name);
  if (entry == cluster_info_.broker_addr_table.end()) return false;
  BrokerData& broker = entry->second;
  const auto lowest = broker.broker_addrs.begin();
  const bool lowest_leaves =
      lowest != broker.broker_addrs.end() && lowest->second == identity.broker_addr;
  const auto removed = std::erase_if(broker.broker_addrs, [&](const auto& replica) {
    return replica.second == identity.broker_addr;
  });
  if (lived || removed != 0) {
    log::info(kLog, "broker unregistered", kv("broker", identity.broker_name),
              kv("address", identity.broker_addr), kv("cluster", identity.cluster));
  }
  if (removed != 0) changed();
  if (!broker.broker_addrs.empty()) {
    if (lowest_leaves && broker.enable_acting_master) {
      note_min_id_change(broker, identity.broker_addr, {});
    }
    return false;
  }
  cluster_info_.broker_addr_table.erase(entry);
  // A name may have come under more than one cluster; without a broker it stands for nothing in any
  // of them.
  erase_name(cluster_info_.cluster_addr_table, identity.broker_name);
  changed();
  return true;
}

void RouteTable::clean_topics(const std::set<std::string>& gone,
                              const std::set<std::string>& reduced) {
  // Acting masters: with the master gone, the remaining replicas only serve what is there.
  std::vector<std::string> read_only;
  for (const std::string& name : reduced) {
    const BrokerData* broker = find_broker(name);
    if (broker != nullptr && broker->enable_acting_master && !has_master(broker->broker_addrs)) {
      read_only.push_back(name);
    }
  }
  for (const std::string& name : read_only) wipe_write_perm(name);
  for (const std::string& name : gone) {
    erase_name(topics_, name);
    erase_name(mappings_, name);
  }
  if (!gone.empty()) changed();
}

// The broker's name from its address; the name is empty when no broker has it.
BrokerIdentity RouteTable::identify(const Address& address) const {
  BrokerIdentity identity{address.first, {}, address.second};
  for (const auto& [name, broker] : cluster_info_.broker_addr_table) {
    for (const auto& [id, broker_addr] : broker.broker_addrs) {
      if (broker_addr != address.second) continue;
      identity.broker_name = name;
      if (broker.cluster == address.first) return identity;
    }
  }
  return identity;
}

void RouteTable::connection_closed(ConnectionId connection) {
  std::vector<BrokerIdentity> lost;
  for (const auto& [address, live] : live_) {
    if (live.connection == connection) lost.push_back(identify(address));
  }
  unregister(lost);
}

std::vector<ConnectionId> RouteTable::remove_expired() {
  std::vector<ConnectionId> connections;
  std::vector<BrokerIdentity> lost;
  const SteadyTime now = clock_.steady_now();
  for (const auto& [address, live] : live_) {
    if (live.last_sign + live.timeout >= now) continue;
    log::warn(kLog, "broker expired: no sign of life", kv("address", address.second),
              kv("cluster", address.first), kv("timeout_ms", live.timeout.count()));
    connections.push_back(live.connection);
    lost.push_back(identify(address));
  }
  unregister(lost);
  return connections;
}

void RouteTable::touch(std::string_view cluster, std::string_view broker_addr) {
  const auto live = live_.find({std::string(cluster), std::string(broker_addr)});
  if (live != live_.end()) live->second.last_sign = clock_.steady_now();
}

std::optional<DataVersion> RouteTable::data_version(std::string_view cluster,
                                                    std::string_view broker_addr) const {
  const auto live = live_.find({std::string(cluster), std::string(broker_addr)});
  if (live == live_.end()) return std::nullopt;
  return live->second.data_version;
}

}  // namespace rmq::roles::namesrv
