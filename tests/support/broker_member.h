// BrokerMember: one client of a BrokerNode with a connection of its own, as a consumer or producer
// has; it keeps what the broker sends and answers as a test says.
// Lifetime: it goes before the node.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/response_frame.h"
#include "protocol/client.h"
#include "protocol/client_body.h"
#include "tests/support/broker_node.h"

namespace rmq::roles::broker {

class BrokerMember {
 public:
  using Answer = std::function<std::optional<net::Response>(const protocol::CommandView&)>;

  BrokerMember(Node& node, std::string id, protocol::Language language = protocol::Language::Java)
      : node_(node), id_(std::move(id)), language_(language) {
    node.services.push_back(inbox_);
  }

  template <class Header>
  Command call(RequestCode code, const Header& header, std::string_view body = {},
               int port_shift = 0) {
    const ByteView bytes = as_bytes(body);
    Command request = protocol::make_request(code, header, Bytes(bytes.begin(), bytes.end()));
    request.language = language_;
    const std::string address = "127.0.0.1:" + std::to_string(node_.broker.port() + port_shift);
    std::function<net::Task<Result<Command>>()> start = [this, address, request] {
      return client_.call(address, request, 20s);
    };
    Result<Command> response = net::run_blocking<Result<Command>>(node_.threads.control(), start);
    REQUIRE_MESSAGE(response, (response ? "" : response.error().message()));
    return *response;
  }

  Command heartbeat(const protocol::HeartbeatData& data) {
    return call(RequestCode::HeartBeat, protocol::HeartBeatRequest{},
                protocol::encode_heartbeat(data));
  }
  // Joins `group`, which wants all of "T".
  void join(const std::string& group) {
    protocol::HeartbeatData data;
    data.client_id = id_;
    protocol::ConsumerData consumer;
    consumer.group = group;
    consumer.consume_type = protocol::ConsumeType::Passively;
    consumer.message_model = protocol::MessageModel::Clustering;
    consumer.consume_from_where = protocol::ConsumeFromWhere::FirstOffset;
    protocol::SubscriptionData wanted;
    wanted.topic = "T";
    wanted.sub_string = "*";
    consumer.subscriptions.push_back(wanted);
    data.consumers.push_back(consumer);
    REQUIRE(heartbeat(data).code == 0);
  }
  void leave(const std::string& group) {
    protocol::UnregisterClientRequest header;
    header.client_id = id_;
    header.consumer_group = group;
    REQUIRE(call(RequestCode::UnregisterClient, header).code == 0);
  }
  Command pull(std::int64_t from, std::int32_t sys_flag = protocol::kPullSubscription,
               std::int64_t commit = 0) {
    PullMessageRequest header = pull_header("T", from, sys_flag);
    header.commit_offset = QueueOffset{commit};
    header.suspend_timeout_millis = 15'000;
    return call(RequestCode::PullMessage, header);
  }
  Command commit(std::int64_t offset) {
    const protocol::UpdateConsumerOffsetRequest header{
        .consumer_group = "g", .topic = "T", .queue_id = 0, .commit_offset = QueueOffset{offset}};
    return call(RequestCode::UpdateConsumerOffset, header);
  }

  // Waits for a request of the broker, and takes it.
  Command wait_for(RequestCode code) {
    std::unique_lock lock(inbox_->mutex);
    auto& received = inbox_->received;
    auto found = received.end();
    REQUIRE(inbox_->arrived.wait_for(lock, 10s, [&] {
      found = std::find_if(received.begin(), received.end(), [code](const Command& c) {
        return c.code == static_cast<std::int32_t>(code);
      });
      return found != received.end();
    }));
    Command command = std::move(*found);
    received.erase(found);
    return command;
  }
  // Before the broker asks.
  void answer_with(Answer answer) {
    const std::lock_guard lock(inbox_->mutex);
    inbox_->answer = std::move(answer);
  }

 private:
  struct Inbox final : net::Service {
    void on_request(net::ReadTurn& turn, const protocol::CommandView& command) override {
      std::optional<net::Response> response;
      {
        const std::lock_guard lock(mutex);
        received.emplace_back(command);
        if (answer) response = answer(command);
      }
      arrived.notify_all();
      if (response) net::write_response(turn.connection.out(), net::Asked(command), *response);
    }
    void on_turn_end(net::ReadTurn&) override {}
    void on_closed(net::Connection&) override {}

    std::mutex mutex;
    std::condition_variable arrived;
    std::list<Command> received;
    Answer answer;
  };

  Node& node_;
  const std::string id_;
  const protocol::Language language_;
  // Shared with the node: a connection calls it even after this object is gone.
  std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  net::RpcClient client_{node_.threads, inbox_.get()};
};

}  // namespace rmq::roles::broker
