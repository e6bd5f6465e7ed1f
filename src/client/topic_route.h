// TopicRoute: where a topic's queues are, in the form that producers and consumers need. Immutable.
// Threads: any.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/message_queue.h"
#include "protocol/route_body.h"

namespace rmq::client {

// The topic that brokers copy when they create an unknown one at its first message.
inline constexpr std::string_view kAutoCreateTopic = "TBW102";

class TopicRoute {
 public:
  TopicRoute(std::string topic, protocol::TopicRouteData data);

  const std::string& topic() const { return topic_; }
  const protocol::TopicRouteData& data() const { return data_; }

  // Queues that take messages now: writable, and their broker has a master. Sorted by broker, then
  // by queue.
  const std::vector<MessageQueue>& writable() const { return writable_; }
  // Queues that give messages now: readable, and their broker has any replica. Sorted likewise.
  const std::vector<MessageQueue>& readable() const { return readable_; }

  // "host:port" of the broker's master.
  std::optional<std::string> master_address(std::string_view broker_name) const;
  // Of the replica with `preferred_id`; else of the master; else of the slave with the lowest id.
  std::optional<std::string> read_address(std::string_view broker_name,
                                          std::int64_t preferred_id) const;

 private:
  const protocol::BrokerData* find_broker(std::string_view broker_name) const;

  std::string topic_;
  protocol::TopicRouteData data_;
  std::vector<MessageQueue> writable_;
  std::vector<MessageQueue> readable_;
};

// The route of a topic that does not exist yet: brokers that create topics by themselves will make
// it from `auto_create`, the route of kAutoCreateTopic, with at most `queues_wanted` queues each.
TopicRoute route_of_new_topic(std::string topic, const TopicRoute& auto_create,
                              std::int32_t queues_wanted);

}  // namespace rmq::client
