#include "client/send_request.h"

#include <optional>
#include <utility>

#include "client/body_codec.h"
#include "client/client_errc.h"
#include "client/server_call.h"
#include "client/topic_route.h"
#include "protocol/message_batch.h"
#include "protocol/message_record.h"
#include "protocol/properties.h"
#include "protocol/request_codes.h"
#include "protocol/response_codes.h"
#include "protocol/send.h"

namespace rmq::client {
namespace {

using protocol::RequestCode;
using protocol::ResponseCode;

constexpr std::string_view kRetryTopicPrefix = "%RETRY%";

std::optional<SendStatus> stored_status(std::int32_t code) {
  switch (static_cast<ResponseCode>(code)) {
    case ResponseCode::Success:
      return SendStatus::Ok;
    case ResponseCode::FlushDiskTimeout:
      return SendStatus::FlushDiskTimeout;
    case ResponseCode::FlushSlaveTimeout:
      return SendStatus::FlushSlaveTimeout;
    case ResponseCode::SlaveNotAvailable:
      return SendStatus::SlaveNotAvailable;
    default:
      return std::nullopt;
  }
}

Result<> check_size(const SendFormat& format, std::size_t bytes) {
  if (bytes <= format.body_bytes_max) return {};
  return fail(ClientErrc::MessageInvalid, "its body has " + std::to_string(bytes) +
                                              " bytes, more than " +
                                              std::to_string(format.body_bytes_max));
}

bool is_delayed(const Message& message) {
  return message.delay_level > 0 || message.delay_ms > 0 || message.deliver_at_ms > 0;
}

Result<> check_batch(const std::vector<Message>& messages) {
  if (messages.empty()) return fail(ClientErrc::MessageInvalid, "a batch of no messages");
  const Message& first = messages.front();
  for (const Message& message : messages) {
    if (is_delayed(message)) {
      return fail(ClientErrc::MessageInvalid, "a delayed message cannot be in a batch");
    }
    if (message.topic.starts_with(kRetryTopicPrefix)) {
      return fail(ClientErrc::MessageInvalid, "a batch cannot go to a retry topic");
    }
    if (message.topic != first.topic) {
      return fail(ClientErrc::MessageInvalid, "the messages of a batch have different topics");
    }
    if (message.wait_store_ok != first.wait_store_ok) {
      return fail(ClientErrc::MessageInvalid,
                  "some messages of a batch wait for the store and some do not");
    }
  }
  return {};
}

}  // namespace

const char* send_status_name(SendStatus status) {
  switch (status) {
    case SendStatus::Ok:
      return "SEND_OK";
    case SendStatus::FlushDiskTimeout:
      return "FLUSH_DISK_TIMEOUT";
    case SendStatus::FlushSlaveTimeout:
      return "FLUSH_SLAVE_TIMEOUT";
    case SendStatus::SlaveNotAvailable:
      return "SLAVE_NOT_AVAILABLE";
  }
  return "UNKNOWN";
}

Result<PreparedSend> prepare_send(Client& client, const SendFormat& format, Message message) {
  RMQ_CHECK(check_size(format, message.body.size()));
  PreparedSend prepared;
  prepared.message_id = client.next_message_id().view();
  RMQ_TRY(prepared.properties, encode_message_properties(message, prepared.message_id));
  prepared.topic = std::move(message.topic);
  prepared.flag = message.flag;
  prepared.born_timestamp_ms = client.clock().now_ms();
  prepared.body = std::move(message.body);
  if (prepared.body.size() >= format.compress_from_bytes) {
    if (auto compressed = compress_zlib(prepared.body)) {
      prepared.body = std::move(*compressed);
      prepared.sys_flag = protocol::kSysFlagCompressed | kCompressionZlib;
    }
  }
  return prepared;
}

Result<PreparedSend> prepare_batch(Client& client, const SendFormat& format,
                                   std::vector<Message> messages) {
  RMQ_CHECK(check_batch(messages));
  PreparedSend prepared;
  prepared.batch = true;
  prepared.topic = messages.front().topic;
  prepared.born_timestamp_ms = client.clock().now_ms();
  protocol::append_property(prepared.properties, protocol::property::kWaitStoreMsgOk,
                            messages.front().wait_store_ok ? "true" : "false");
  for (const Message& message : messages) {
    const std::string id(client.next_message_id().view());
    RMQ_TRY(const std::string properties, encode_message_properties(message, id));
    protocol::BatchEntry entry;
    entry.flag = message.flag;
    entry.body = message.body;
    entry.properties = properties;
    RMQ_CHECK(protocol::append_batch_entry(entry, prepared.body));
    prepared.message_id += (prepared.message_id.empty() ? "" : ",") + id;
  }
  RMQ_CHECK(check_size(format, prepared.body.size()));
  return prepared;
}

protocol::Command make_send_request(const SendFormat& format, const PreparedSend& send,
                                    const MessageQueue& queue) {
  protocol::SendMessageRequest header;
  header.producer_group = format.producer_group;
  header.topic = send.topic;
  header.default_topic = kAutoCreateTopic;
  header.default_topic_queue_nums = format.new_topic_queues;
  header.queue_id = queue.queue_id;
  header.sys_flag = send.sys_flag;
  header.born_timestamp = send.born_timestamp_ms;
  header.flag = send.flag;
  header.properties = send.properties;
  header.batch = send.batch;
  header.broker_name = queue.broker_name;
  const RequestCode code = send.batch ? RequestCode::SendBatchMessage : RequestCode::SendMessageV2;
  return make_request(code, header, send.body);
}

Result<SendResult> parse_send_answer(const protocol::Command& answer, const PreparedSend& send,
                                     MessageQueue queue, const std::string& address) {
  const auto status = stored_status(answer.code);
  if (!status) return fail(refusal(address, answer));
  const protocol::CommandView view = answer.view();
  const auto header = protocol::decode_fields<protocol::SendMessageResponse>(view);
  if (!header) return fail(ClientErrc::AnswerMalformed, address + ": " + header.error().message());
  SendResult result;
  result.status = *status;
  result.message_id = send.message_id;
  result.offset_message_id = header->msg_id;
  result.queue = std::move(queue);
  result.queue.queue_id = header->queue_id;  // the broker's choice, when it was asked to choose
  result.offset = header->queue_offset;
  result.broker_address = address;
  return result;
}

}  // namespace rmq::client
