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

  // Figures of a running broker by name; tooling knows which.
  net::Task<Result<protocol::KVTable>> runtime_info(std::string broker_address);

 private:
  net::Task<Result<protocol::Command>> ask_broker(std::string address, protocol::Command request);

  Client& client_;
  const std::chrono::milliseconds timeout_;
};

}  // namespace rmq::client
