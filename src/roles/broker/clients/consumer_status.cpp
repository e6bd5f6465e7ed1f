#include "roles/broker/clients/consumer_status.h"

#include <chrono>
#include <string>

#include "base/log.h"
#include "protocol/offset_body.h"
#include "protocol/response_codes.h"
#include "roles/broker/broker.h"

namespace rmq::roles::broker {

using namespace std::chrono_literals;
using protocol::ResponseCode;

namespace {

constexpr std::chrono::milliseconds kClientTimeout = 5s;

}  // namespace

net::Task<Result<Response>> on_invoke_broker_to_get_consumer_status(
    Broker& broker, Caller caller, protocol::InvokeBrokerToGetConsumerStatusRequest request) {
  log::info("clients", "status of consumers asked for", kv("group", request.group),
            kv("topic", request.topic), kv("peer", caller.connection->peer().text()));
  const auto consumers = broker.clients.consumers(request.group);
  if (consumers.empty()) {
    co_return fail(ResponseCode::SystemError, "No Any Consumer online in the consumer group: [" +
                                                  std::string(request.group) + "]");
  }
  protocol::GetConsumerStatusFromClientRequest header;
  header.topic = request.topic;
  header.group = request.group;
  protocol::ConsumerStatus status;
  for (const Client& consumer : consumers) {
    if (!consumer.connection) continue;
    if (!request.client_addr.empty() && request.client_addr != consumer.client_id) continue;
    protocol::Command question =
        protocol::make_request(RequestCode::GetConsumerStatusFromClient, header);
    const Result<protocol::Command> answer =
        co_await consumer.connection->call(std::move(question), kClientTimeout);
    std::string why;
    if (!answer) {
      why = answer.error().message();
    } else if (answer->code != 0) {
      why = std::to_string(answer->code) + " " + answer->remark;
    } else if (auto offsets = protocol::decode_client_status(as_text(answer->body))) {
      status[consumer.client_id] = std::move(*offsets);
    } else {
      why = offsets.error().message();
    }
    if (!why.empty()) {
      log::warn("clients", "a consumer does not tell its status", kv("group", request.group),
                kv("client", consumer.client_id), kv("why", why));
    }
  }
  co_return respond_body(protocol::encode_consumer_status(status));
}

}  // namespace rmq::roles::broker
