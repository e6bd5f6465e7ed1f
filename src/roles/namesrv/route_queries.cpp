// The reading half of RouteTable, and the changes that administrators ask for.
#include <algorithm>

#include "base/log.h"
#include "protocol/topic_config.h"
#include "roles/namesrv/route_table.h"

namespace rmq::roles::namesrv {

using protocol::BrokerAddresses;
using protocol::BrokerData;
using protocol::kMasterId;
using protocol::QueueData;
using protocol::TopicList;
using protocol::TopicRouteData;

namespace {

// Topics of this prefix tell replicas about each other: their routes must show the true ids.
constexpr std::string_view kMemberGroupTopicPrefix = "rmq_sys_SYNC_BROKER_MEMBER_";

// Shows the replica with the lowest id as the master when there is none and the queues are
// read-only, so that clients keep locking queues and asking for offsets.
void show_acting_masters(TopicRouteData& route) {
  for (BrokerData& broker : route.broker_datas) {
    BrokerAddresses& addresses = broker.broker_addrs;
    if (!broker.enable_acting_master || addresses.empty() || addresses.contains(kMasterId))
      continue;
    const auto queues =
        std::find_if(route.queue_datas.begin(), route.queue_datas.end(),
                     [&](const QueueData& q) { return q.broker_name == broker.broker_name; });
    if (queues == route.queue_datas.end() || protocol::is_writable(queues->perm)) continue;
    auto acting = addresses.extract(addresses.begin());
    acting.key() = kMasterId;
    addresses.insert(std::move(acting));
  }
}

}  // namespace

void RouteTable::register_topic(std::string_view topic, const std::vector<QueueData>& queues) {
  for (const QueueData& queue : queues) {
    if (find_broker(queue.broker_name) == nullptr) {
      log::warn("namesrv", "topic registration ignored: unknown broker", kv("topic", topic),
                kv("broker", queue.broker_name));
      return;
    }
  }
  for (const QueueData& queue : queues) set_queues(topic, queue);
}

void RouteTable::delete_topic(std::string_view topic) {
  const auto entry = topics_.find(topic);
  if (entry == topics_.end()) return;
  log::info("namesrv", "topic deleted", kv("topic", topic));
  topics_.erase(entry);
  changed();
}

void RouteTable::delete_topic(std::string_view topic, std::string_view cluster) {
  const auto names = cluster_info_.cluster_addr_table.find(std::string(cluster));
  const auto entry = topics_.find(topic);
  if (names == cluster_info_.cluster_addr_table.end() || entry == topics_.end()) return;
  std::size_t erased = 0;
  for (const std::string& name : names->second) erased += entry->second.erase(name);
  if (erased == 0) return;
  log::info("namesrv", "topic deleted", kv("topic", topic), kv("cluster", cluster),
            kv("brokers", erased));
  if (entry->second.empty()) topics_.erase(entry);
  changed();
}

std::int32_t RouteTable::wipe_write_perm(std::string_view broker_name) {
  return change_perm(broker_name, ~protocol::kPermWrite, 0);
}

std::int32_t RouteTable::add_write_perm(std::string_view broker_name) {
  return change_perm(broker_name, 0, protocol::kPermRead | protocol::kPermWrite);
}

std::int32_t RouteTable::change_perm(std::string_view broker_name, std::int32_t keep,
                                     std::int32_t set) {
  std::int32_t topics = 0;
  for (auto& [topic, queues] : topics_) {
    const auto queue = queues.find(broker_name);
    if (queue == queues.end()) continue;
    queue->second.perm = (queue->second.perm & keep) | set;
    ++topics;
  }
  if (topics != 0) changed();
  return topics;
}

std::optional<TopicRouteData> RouteTable::find_route(std::string_view topic) const {
  const auto entry = topics_.find(topic);
  if (entry == topics_.end()) return std::nullopt;
  TopicRouteData route;
  for (const auto& [name, queues] : entry->second) {
    route.queue_datas.push_back(queues);
    const BrokerData* broker = find_broker(name);
    if (broker == nullptr) continue;
    route.broker_datas.push_back(*broker);
    for (const auto& [id, address] : broker->broker_addrs) {
      const auto servers = filter_servers_.find({broker->cluster, address});
      if (servers != filter_servers_.end()) route.filter_server_table[address] = servers->second;
    }
  }
  if (route.broker_datas.empty()) return std::nullopt;
  if (const auto mappings = mappings_.find(topic); mappings != mappings_.end()) {
    route.topic_queue_mapping_by_broker = mappings->second;
  }
  if (config_.support_acting_master && !topic.starts_with(kMemberGroupTopicPrefix)) {
    show_acting_masters(route);
  }
  return route;
}

const std::string* RouteTable::encoded_route(std::string_view topic, protocol::JsonForm form) {
  const auto which = static_cast<std::size_t>(form);
  auto cached = routes_.find(topic);
  if (cached == routes_.end()) {
    // Only topics with a route get an entry, so asking for names at random costs no memory.
    const auto route = find_route(topic);
    if (!route) return nullptr;
    cached = routes_.emplace(topic, EncodedRoute{}).first;
    cached->second.bodies[which] = encode_topic_route(*route, form);
  } else if (cached->second.bodies[which].empty()) {
    cached->second.bodies[which] = encode_topic_route(*find_route(topic), form);
  }
  return &cached->second.bodies[which];
}

protocol::BrokerMemberGroup RouteTable::member_group(std::string_view cluster,
                                                     std::string_view broker_name) const {
  protocol::BrokerMemberGroup group;
  group.cluster = cluster;
  group.broker_name = broker_name;
  if (const BrokerData* broker = find_broker(broker_name)) {
    group.broker_addrs = broker->broker_addrs;
  }
  return group;
}

TopicList RouteTable::all_topics() const {
  TopicList list;
  list.topic_list.reserve(topics_.size());
  for (const auto& [topic, queues] : topics_) list.topic_list.push_back(topic);
  std::sort(list.topic_list.begin(), list.topic_list.end());
  return list;
}

TopicList RouteTable::topics_of_cluster(std::string_view cluster) const {
  TopicList list;
  const auto names = cluster_info_.cluster_addr_table.find(std::string(cluster));
  if (names == cluster_info_.cluster_addr_table.end()) return list;
  for (const auto& [topic, queues] : topics_) {
    const bool here = std::any_of(queues.begin(), queues.end(), [&](const auto& queue) {
      return names->second.contains(queue.first);
    });
    if (here) list.topic_list.push_back(topic);
  }
  std::sort(list.topic_list.begin(), list.topic_list.end());
  return list;
}

TopicList RouteTable::system_topics() const {
  std::set<std::string> topics;
  for (const auto& [cluster, names] : cluster_info_.cluster_addr_table) {
    topics.insert(cluster);
    topics.insert(names.begin(), names.end());
  }
  TopicList list;
  list.topic_list.assign(topics.begin(), topics.end());
  for (const auto& [name, broker] : cluster_info_.broker_addr_table) {
    if (broker.broker_addrs.empty()) continue;
    list.broker_addr = broker.broker_addrs.begin()->second;
    break;
  }
  return list;
}

TopicList RouteTable::topics_by_flags(std::int32_t with, std::int32_t without) const {
  TopicList list;
  for (const auto& [topic, queues] : topics_) {
    const std::int32_t flags = queues.begin()->second.topic_sys_flag;
    if ((flags & with) == with && (flags & without) == 0) list.topic_list.push_back(topic);
  }
  std::sort(list.topic_list.begin(), list.topic_list.end());
  return list;
}

}  // namespace rmq::roles::namesrv
