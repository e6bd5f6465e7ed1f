// FakeCluster: a name server and brokers on free ports, each of which answers as a test says, and a
// client of them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/client.h"
#include "net/await.h"
#include "protocol/response_codes.h"
#include "protocol/route.h"
#include "protocol/route_body.h"
#include "tests/support/fake_server.h"

namespace rmq::test {

class FakeCluster {
 public:
  FakeCluster() {
    threads.start();
    name_server =
        std::make_unique<FakeServer>(threads, [this](const protocol::CommandView& request) {
          return std::optional<net::Response>(answer_route(request));
        });
  }
  ~FakeCluster() { threads.stop(); }

  // A broker "<name>" with `queues` of `topic`; call before the first request.
  FakeServer& add_broker(const std::string& name, const std::string& topic, std::int32_t queues,
                         FakeServer::Answer answer) {
    brokers.push_back(std::make_unique<FakeServer>(threads, std::move(answer)));
    add_route(name, topic, queues, brokers.back()->address());
    return *brokers.back();
  }
  void add_route(const std::string& name, const std::string& topic, std::int32_t queues,
                 const std::string& address) {
    protocol::QueueData queue_data;
    queue_data.broker_name = name;
    queue_data.read_queue_nums = queues;
    queue_data.write_queue_nums = queues;
    queue_data.perm = 6;
    protocol::BrokerData broker_data;
    broker_data.cluster = "c";
    broker_data.broker_name = name;
    broker_data.broker_addrs[protocol::kMasterId] = address;
    routes[topic].queue_datas.push_back(queue_data);
    routes[topic].broker_datas.push_back(broker_data);
  }

  client::Client& client() {
    if (!client_) {
      client::ClientOptions options;
      options.name_servers = {name_server->address()};
      client_ = std::make_unique<client::Client>(threads, options, clock);
    }
    return *client_;
  }

  template <class T>
  T run(std::function<net::Task<T>()> start) {
    return net::run_blocking<T>(threads.control(), std::move(start));
  }

  net::IoThreads threads{2};
  ManualClock clock;
  std::map<std::string, protocol::TopicRouteData> routes;  // by topic
  std::unique_ptr<FakeServer> name_server;
  std::vector<std::unique_ptr<FakeServer>> brokers;

 private:
  net::Response answer_route(const protocol::CommandView& request) {
    const auto header = protocol::decode_fields<protocol::GetRouteinfoByTopicRequest>(request);
    if (!header) return refuse(1, "bad request");
    const auto route = routes.find(std::string(header->topic));
    if (route == routes.end()) return refuse(17, "No topic route info");
    return respond_body(protocol::encode_topic_route(route->second, protocol::JsonForm::Standard));
  }

  std::unique_ptr<client::Client> client_;
};

}  // namespace rmq::test
