#include "client/topic_route.h"

#include <algorithm>

#include "protocol/topic_config.h"

namespace rmq::client {
namespace {

void add_queues(const std::string& topic, const std::string& broker_name, std::int32_t count,
                std::vector<MessageQueue>& out) {
  for (QueueId id = 0; id < count; ++id) out.push_back({topic, broker_name, id});
}

}  // namespace

TopicRoute::TopicRoute(std::string topic, protocol::TopicRouteData data)
    : topic_(std::move(topic)), data_(std::move(data)) {
  for (const protocol::QueueData& queues : data_.queue_datas) {
    const protocol::BrokerData* broker = find_broker(queues.broker_name);
    if (broker == nullptr || broker->broker_addrs.empty()) continue;
    if (protocol::is_writable(queues.perm) && broker->broker_addrs.contains(protocol::kMasterId)) {
      add_queues(topic_, queues.broker_name, queues.write_queue_nums, writable_);
    }
    if (protocol::is_readable(queues.perm)) {
      add_queues(topic_, queues.broker_name, queues.read_queue_nums, readable_);
    }
  }
  std::sort(writable_.begin(), writable_.end());
  std::sort(readable_.begin(), readable_.end());
}

std::optional<std::string> TopicRoute::master_address(std::string_view broker_name) const {
  const protocol::BrokerData* broker = find_broker(broker_name);
  if (broker == nullptr) return std::nullopt;
  const auto master = broker->broker_addrs.find(protocol::kMasterId);
  if (master == broker->broker_addrs.end()) return std::nullopt;
  return master->second;
}

std::optional<std::string> TopicRoute::read_address(std::string_view broker_name,
                                                    std::int64_t preferred_id) const {
  const protocol::BrokerData* broker = find_broker(broker_name);
  if (broker == nullptr || broker->broker_addrs.empty()) return std::nullopt;
  const auto preferred = broker->broker_addrs.find(preferred_id);
  if (preferred != broker->broker_addrs.end()) return preferred->second;
  return broker->broker_addrs.begin()->second;  // ids are sorted, the master's is 0
}

const protocol::BrokerData* TopicRoute::find_broker(std::string_view broker_name) const {
  for (const protocol::BrokerData& broker : data_.broker_datas) {
    if (broker.broker_name == broker_name) return &broker;
  }
  return nullptr;
}

TopicRoute route_of_new_topic(std::string topic, const TopicRoute& auto_create,
                              std::int32_t queues_wanted) {
  protocol::TopicRouteData data = auto_create.data();
  for (protocol::QueueData& queues : data.queue_datas) {
    const std::int32_t count = std::min(queues_wanted, queues.read_queue_nums);
    queues.read_queue_nums = count;
    queues.write_queue_nums = count;
  }
  return TopicRoute(std::move(topic), std::move(data));
}

}  // namespace rmq::client
