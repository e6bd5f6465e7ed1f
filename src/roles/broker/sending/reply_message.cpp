#include "roles/broker/sending/reply_message.h"

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/log.h"
#include "protocol/message_id.h"
#include "protocol/message_record.h"
#include "protocol/properties.h"
#include "protocol/response_codes.h"
#include "roles/broker/broker.h"
#include "roles/broker/delivery/delayed_record.h"
#include "roles/broker/sending/append_and_wait.h"
#include "roles/broker/sending/send_checks.h"
#include "roles/broker/sending/send_thread.h"

namespace rmq::roles::broker {
namespace {

using namespace std::chrono_literals;
using protocol::Property;
using protocol::ResponseCode;
using protocol::SendMessageRequest;
namespace property = protocol::property;

constexpr std::chrono::milliseconds kPushTimeout = 10s;  // Broker2Client.callClient

protocol::Command push_request(const Broker& broker, const Caller& caller,
                               const SendMessageRequest& request) {
  const std::int64_t now = broker.clock.now_ms();
  const std::string time = std::to_string(now);
  const std::array<Property, 1> changes{{{property::kPushReplyTime, time}}};
  const std::string properties = protocol::rewrite_properties(request.properties, changes);
  const std::string born_host = caller.connection->peer().text();
  const std::string store_host = broker.address();
  protocol::PushReplyMessageToClientRequest push;
  push.producer_group = request.producer_group;
  push.topic = request.topic;
  push.default_topic = request.default_topic;
  push.default_topic_queue_nums = request.default_topic_queue_nums;
  push.queue_id = request.queue_id;
  push.sys_flag = request.sys_flag;
  push.born_timestamp = request.born_timestamp;
  push.flag = request.flag;
  push.properties = properties;
  push.reconsume_times = request.reconsume_times;
  push.unit_mode = request.unit_mode;
  push.born_host = born_host;
  push.store_host = store_host;
  push.store_timestamp = now;
  protocol::Command command =
      protocol::make_request(protocol::RequestCode::PushReplyMessageToClient, push);
  command.body = caller.command->body;
  return command;
}

// Why the client that asked has not got the reply; nothing when it has.
net::Task<std::optional<std::string>> push(Broker& broker, Caller caller,
                                           SendMessageRequest request) {
  const auto asker = protocol::find_property(request.properties, property::kReplyToClient);
  if (!asker) co_return "reply message properties[REPLY_TO_CLIENT] is null";
  const std::string id(*asker);
  const std::optional<Client> client = broker.clients.find_producer(id);
  if (!client || !client->connection)
    co_return "push reply message fail, channel of <" + id + "> not found.";
  protocol::Command command = push_request(broker, caller, request);
  const Result<protocol::Command> answer =
      co_await client->connection->call(std::move(command), kPushTimeout);
  if (answer && answer->code == static_cast<std::int32_t>(ResponseCode::Success))
    co_return std::nullopt;
  log::warn("broker", "reply not taken", kv("client", id),
            kv("why", answer ? answer->remark : answer.error().message()));
  co_return "push reply message to " + id + "fail.";
}

// The reply as it is stored: a client cannot set the broker's own properties.
Result<std::unique_ptr<storage::AppendBatch>> reply_batch(const Broker& broker,
                                                          const Caller& caller,
                                                          const SendMessageRequest& request,
                                                          QueueId queue_id) {
  static constexpr std::array<Property, 2> kRemoved{
      {{property::kPopCk, {}}, {property::kDelayMark, {}}}};
  const std::string properties = protocol::rewrite_properties(request.properties, kRemoved);
  protocol::MessageRecord record;
  record.topic = request.topic;
  record.queue_id = queue_id;
  record.flag = request.flag;
  record.born_timestamp_ms = request.born_timestamp;
  record.born_host = caller.connection->peer().host;
  record.store_host = broker.store_host;
  record.reconsume_times = request.reconsume_times;
  record.properties = properties;
  record.body = caller.command->body;
  auto batch = std::make_unique<storage::AppendBatch>();
  const auto tags = protocol::find_property(properties, property::kTags);
  RMQ_CHECK(add_to_batch(*broker.store, *batch, record, tags.value_or("")));
  return batch;
}

struct Reply {
  QueueId queue_id = 0;
  std::optional<TableVersion> topic_saved;
};

Result<Reply> check_reply(Broker& broker, const Caller& caller, const SendMessageRequest& request) {
  RMQ_CHECK(check_send(broker, request, caller.command->body));
  const protocol::SendProperties found = protocol::parse_send_properties(request.properties);
  RMQ_CHECK(refuse_special(found, request.sys_flag, broker.config));
  SendThread& thread = broker.send_thread(caller.connection->thread());
  const net::Endpoint& peer = caller.connection->peer();
  RMQ_TRY(const SendTopic topic, topic_for_send(broker, thread, request, peer));
  RMQ_CHECK(check_queue(request, topic, peer));
  Reply reply;
  reply.queue_id =
      request.queue_id >= 0 ? request.queue_id : thread.random_queue(topic.write_queue_nums);
  reply.topic_saved = broker.topics.unsaved(request.topic);
  return reply;
}

// Java clients read both from every answer to a send without a look whether they are there.
Response with_region(const Broker& broker, Response response) {
  response.fields.emplace_back(property::kMsgRegion, broker.config.region_id);
  response.fields.emplace_back(property::kTraceSwitch, broker.config.trace_on ? "true" : "false");
  return response;
}

}  // namespace

net::Task<Result<Response>> on_send_reply_message(Broker& broker, Caller caller,
                                                  SendMessageRequest request) {
  const Result<Reply> reply = check_reply(broker, caller, request);
  if (!reply) co_return with_region(broker, to_response(reply.error()));
  const std::optional<std::string> not_taken = co_await push(broker, caller, request);
  protocol::SendMessageResponse fields;
  fields.msg_id = "0";
  fields.queue_id = reply->queue_id;
  fields.msg_region = broker.config.region_id;
  fields.trace_on = broker.config.trace_on;
  protocol::MessageIdText id;  // viewed by fields
  if (broker.config.store_reply_message_enable) {
    Result<std::unique_ptr<storage::AppendBatch>> batch =
        reply_batch(broker, caller, request, reply->queue_id);
    if (!batch) co_return with_region(broker, to_response(batch.error()));
    const Result<std::unique_ptr<storage::AppendBatch>> stored =
        co_await append_and_wait(broker, std::move(*batch), reply->topic_saved);
    if (stored) {
      const storage::AppendBatch::Record& record = (*stored)->records().front();
      id = protocol::encode_message_id({broker.store_host, record.physical});
      fields.msg_id = id.view();
      fields.queue_offset = record.queue_offset;
    } else {
      log::warn("broker", "reply not stored", kv("why", stored.error().message()));
    }
  }
  if (not_taken) {
    const Error why{make_error_code(ResponseCode::SystemError), *not_taken};
    co_return with_region(broker, to_response(why));
  }
  co_return respond(fields);
}

}  // namespace rmq::roles::broker
