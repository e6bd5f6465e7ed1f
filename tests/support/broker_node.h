// BrokerNode: a broker on a free port with its data in a temporary directory, and a client that
// speaks to it in raw requests.
#pragma once

// The data path of a broker through its port: what is sent can be pulled, what is refused is not
// stored.
#include <doctest/doctest.h>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>
#include "base/file_system.h"
#include "net/await.h"
#include "net/rpc_client.h"
#include "protocol/header_fields.h"
#include "protocol/message_id.h"
#include "protocol/message_record.h"
#include "protocol/offset.h"
#include "protocol/properties.h"
#include "protocol/pull.h"
#include "protocol/response_codes.h"
#include "protocol/send.h"
#include "roles/broker/broker.h"
#include "tests/support/temp_directory.h"

namespace rmq::roles::broker {
using namespace std::chrono_literals;
using protocol::Command;
using protocol::PullMessageRequest;
using protocol::RequestCode;
using protocol::ResponseCode;
using protocol::SendMessageRequest;

inline BrokerConfig test_config(const std::string& directory) {
  BrokerConfig config;
  config.broker_name = "test-broker";
  config.listen_address = "127.0.0.1";
  config.broker_ip1 = "127.0.0.1";
  config.listen_port = 0;
  config.namesrv_addr = "";
  config.store.root_directory = directory;
  config.store.commit_log_segment_bytes = 1024 * 1024;
  return config;
}

// A broker on a free port, and a client of it.
struct Node {
  explicit Node(BrokerConfig config, FileSystem& files = FileSystem::posix(),
                std::size_t data_threads = 2)
      : threads(data_threads), broker(threads, std::move(config), files, Clock::system()) {
    threads.start();
    const Result<> started = broker.start();
    REQUIRE_MESSAGE(started, (started ? "" : started.error().message()));
  }
  ~Node() {
    client.reset();
    broker.stop();
    threads.stop();
  }
  std::string address(int port_shift = 0) const {
    return "127.0.0.1:" + std::to_string(broker.port() + port_shift);
  }
  Command call(const Command& request, std::chrono::milliseconds timeout = 10s,
               int port_shift = 0) {
    const std::string address = this->address(port_shift);
    std::function<net::Task<Result<Command>>()> start = [this, address, request, timeout] {
      return client->call(address, request, timeout);
    };
    Result<Command> answer = net::run_blocking<Result<Command>>(threads.control(), start);
    REQUIRE_MESSAGE(answer, (answer ? "" : answer.error().message()));
    return *answer;
  }
  Command pull(const PullMessageRequest& request, std::chrono::milliseconds timeout = 10s) {
    return call(protocol::make_request(RequestCode::PullMessage, request), timeout);
  }
  // Returns when all that was answered so far can be pulled: dispatch runs beside the answers.
  void settle() {
    std::promise<void> done;
    broker.store->dispatched().when_at_least(DispatchedOffset{log_end()},
                                             [&done](Result<>) { done.set_value(); });
    done.get_future().wait();
  }
  // The log's end: unchanged when nothing was stored.
  std::int64_t log_end() { return broker.store->appended().value().value; }

  net::IoThreads threads;
  Broker broker;
  std::unique_ptr<net::RpcClient> client = std::make_unique<net::RpcClient>(threads);
  // What connections of tests may still call until the threads have stopped.
  std::vector<std::shared_ptr<net::Service>> services;
};

struct Fixture {
  test::TempDirectory directory;
  std::unique_ptr<Node> node = std::make_unique<Node>(test_config(directory.path()));

  void restart() {
    BrokerConfig config = test_config(directory.path());
    node.reset();
    node = std::make_unique<Node>(config);
  }
};

inline SendMessageRequest send_header(std::string_view topic, std::string_view properties = {}) {
  SendMessageRequest header;
  header.producer_group = "p";
  header.topic = topic;
  header.default_topic = "TBW102";
  header.default_topic_queue_nums = 4;
  header.queue_id = 0;
  header.born_timestamp = 1'700'000'000'000;
  header.properties = properties;
  return header;
}

inline Command send_request(const SendMessageRequest& header, std::string_view body) {
  return protocol::make_request(RequestCode::SendMessageV2, header,
                                Bytes(as_bytes(body).begin(), as_bytes(body).end()));
}

inline PullMessageRequest pull_header(std::string_view topic, std::int64_t from,
                                      std::int32_t sys_flag = protocol::kPullSubscription) {
  PullMessageRequest header;
  header.consumer_group = "g";
  header.topic = topic;
  header.queue_offset = QueueOffset{from};
  header.max_msg_nums = 32;
  header.sys_flag = sys_flag;
  header.subscription = "*";
  return header;
}

inline std::string field(const Command& answer, std::string_view key) {
  return std::string(answer.view().find(key).value_or("(absent)"));
}

// The records of a pull's answer, which they view.
struct Records {
  Command answer;
  std::vector<protocol::MessageRecord> list;

  std::size_t size() const { return list.size(); }
  const protocol::MessageRecord& operator[](std::size_t i) const { return list[i]; }
  auto begin() const { return list.begin(); }
  auto end() const { return list.end(); }
};

inline Records records_of(Command answer) {
  Records records{std::move(answer), {}};
  ByteView rest(records.answer.body);
  while (!rest.empty()) {
    const auto record = protocol::decode_record(rest, protocol::CheckBody::Yes);
    REQUIRE(record);
    records.list.push_back(*record);
    rest = rest.subspan(record->total_bytes);
  }
  return records;
}

inline std::string property(std::string_view name, std::string_view value) {
  std::string text;
  protocol::append_property(text, name, value);
  return text;
}

// Waits for the message at `from` when it is not there yet.
inline Command pull_waiting(Node& node, std::string_view topic, std::int64_t from,
                            std::string_view expression = "*") {
  node.settle();
  PullMessageRequest header =
      pull_header(topic, from, protocol::kPullSubscription | protocol::kPullSuspend);
  header.subscription = expression;
  header.suspend_timeout_millis = 10'000;
  return node.pull(header, 20s);
}

}  // namespace rmq::roles::broker
