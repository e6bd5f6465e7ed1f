// AdminClient: what operators ask and change: topics, routes, the brokers of a cluster.
// Threads: any; a call resumes on the thread that awaits it. Each call has `timeout` for each
// answer it waits for. Errors, everywhere: NetErrc, the server's ResponseCode with its remark,
// ProtocolErrc::BodyMalformed.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/client.h"
#include "net/task.h"
#include "protocol/client_body.h"
#include "protocol/group_body.h"
#include "protocol/offset_body.h"
#include "protocol/route_body.h"
#include "protocol/topic_config.h"

namespace rmq::client {

class AdminClient {
 public:
  // `client` must outlive it.
  AdminClient(Client& client, std::chrono::milliseconds timeout)
      : client_(client), timeout_(timeout) {}

  // What the name servers know.
  net::Task<Result<protocol::ClusterInfo>> cluster_info();
  net::Task<Result<std::vector<std::string>>> topics();
  net::Task<Result<std::vector<std::string>>> topics_of_cluster(std::string cluster);
  // Asked afresh. Errors: ResponseCode::TopicNotExist.
  net::Task<Result<protocol::TopicRouteData>> route(std::string topic);

  // Creates or changes a topic on one broker, "host:port". Errors: ResponseCode::InvalidParameter
  // (name), SystemError ...
  net::Task<Result<>> create_topic(std::string broker_address, protocol::TopicConfig topic);
  // Tells every name server how many queues of an ordered topic each broker has:
  // "broker:queues;...".
  net::Task<Result<>> put_order_config(std::string topic, std::string config);
  // That text; empty when there is none.
  net::Task<Result<std::string>> order_config(std::string topic);

  // The groups that a broker knows, by name, with their settings.
  net::Task<Result<protocol::SubscriptionGroupTableBody>> groups(std::string broker_address);
  // How far a group has come in its queues on a broker; empty when it has committed nothing there.
  net::Task<Result<protocol::ConsumeStats>> consume_stats(std::string broker_address,
                                                          std::string group);
  // Who of a group is connected to a broker. Errors: ResponseCode::ConsumerNotOnline.
  net::Task<Result<protocol::ConsumerConnection>> consumers(std::string broker_address,
                                                            std::string group);
  // Forgets a group and its offsets.
  net::Task<Result<>> delete_group(std::string broker_address, std::string group);
  // Sets a group's offsets in a topic to the first message stored at or after `epoch_ms` (negative:
  // to the end), back or forth, and tells its consumers. Where they are now. Errors:
  // ResponseCode::ConsumerNotOnline for a broker that leaves it to consumers.
  net::Task<Result<protocol::QueueOffsetMap>> reset_offsets(std::string broker_address,
                                                            std::string topic, std::string group,
                                                            std::int64_t epoch_ms);

  // Figures of a running broker by name; tooling knows which.
  net::Task<Result<protocol::KVTable>> runtime_info(std::string broker_address);

 private:
  net::Task<Result<protocol::Command>> ask_broker(std::string address, protocol::Command request);

  Client& client_;
  const std::chrono::milliseconds timeout_;
};

}  // namespace rmq::client
