// NameServerFixture: a whole name server on a free port, spoken to through RpcClient.
#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <ostream>

#include "base/file_system.h"
#include "net/await.h"
#include "net/rpc_client.h"
#include "protocol/data_version.h"
#include "protocol/kv.h"
#include "protocol/registration_body.h"
#include "protocol/response_codes.h"
#include "protocol/route.h"
#include "protocol/topic.h"
#include "roles/namesrv/name_server.h"

namespace rmq::roles::namesrv {

using namespace std::chrono_literals;
using protocol::Command;
using protocol::NoFields;
using protocol::ResponseCode;

struct NameServerFixture {
  NameServerFixture() {
    char name[] = "/tmp/rmq-namesrv-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    directory = name;
    config.listen_address = "127.0.0.1";
    config.listen_port = 0;
    config.kv_config_path = directory + "/kvConfig.json";
    config.scan_not_active_broker_interval = 5ms;
    threads.start();
  }
  ~NameServerFixture() {
    broker.reset();
    tool.reset();
    if (server) server->stop();
    threads.stop();
    std::filesystem::remove_all(directory);
  }
  void start() {
    server = std::make_unique<NameServer>(threads, config, clock, FileSystem::posix());
    REQUIRE(server->start());
    broker = std::make_unique<net::RpcClient>(threads);
    tool = std::make_unique<net::RpcClient>(threads);
  }

  template <class Header>
  Command call(net::RpcClient& client, RequestCode code, const Header& header,
               std::string_view body = {}, std::int32_t version = protocol::kVersion) {
    Command request = protocol::make_request(code, header);
    request.body.assign(as_bytes(body).begin(), as_bytes(body).end());
    request.version = version;
    const std::string address = "127.0.0.1:" + std::to_string(server->port());
    std::function<net::Task<Result<Command>>()> start_call = [&client, address, request] {
      return client.call(address, request, 10s);
    };
    Result<Command> response = net::run_blocking<Result<Command>>(threads.data(0), start_call);
    REQUIRE(response);
    return *response;
  }
  template <class Header>
  Command ask(RequestCode code, const Header& header, std::string_view body = {},
              std::int32_t version = protocol::kVersion) {
    return call(*tool, code, header, body, version);
  }

  static protocol::RegisterBrokerRequest registration(std::int64_t id = 0) {
    protocol::RegisterBrokerRequest request;
    request.broker_name = "b";
    request.broker_addr = id == 0 ? "1.1.1.1:10911" : "1.1.1.2:10911";
    request.cluster_name = "c";
    request.ha_server_addr = "1.1.1.1:10912";
    request.broker_id = id;
    return request;
  }
  static std::string topics(std::initializer_list<std::string_view> names) {
    protocol::RegisterBrokerBody body;
    body.data_version.counter = 1;
    for (const std::string_view name : names) {
      body.topics.push_back({});
      body.topics.back().topic = name;
    }
    return protocol::encode_registration(body);
  }
  Command register_broker() {
    return call(*broker, RequestCode::RegisterBroker, registration(), topics({"T", "TBW102"}));
  }
  Command route(std::string_view topic, std::int32_t version = protocol::kVersion) {
    protocol::GetRouteinfoByTopicRequest request;
    request.topic = topic;
    return ask(RequestCode::GetRouteinfoByTopic, request, {}, version);
  }
  // Asks until the topic has no route; the test's time limit is the only other end.
  void wait_until_gone(std::string_view topic) {
    while (route(topic).code == 0) std::this_thread::yield();
  }

  std::string directory;
  NamesrvConfig config;
  ManualClock clock;
  net::IoThreads threads{2};
  std::unique_ptr<NameServer> server;
  std::vector<std::unique_ptr<NameServer>> stopped;  // must outlive the threads
  std::unique_ptr<net::RpcClient> broker;
  std::unique_ptr<net::RpcClient> tool;
};

inline std::string text(const Command& command) { return std::string(as_text(command.body)); }
inline std::string field(const Command& command, std::string_view key) {
  return std::string(command.view().find(key).value_or("none"));
}
inline bool is(const Command& command, ResponseCode code) {
  return command.code == static_cast<std::int32_t>(code);
}

}  // namespace rmq::roles::namesrv
