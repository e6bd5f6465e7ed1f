// AdminClient: single messages.
#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "client/admin_client.h"
#include "client/client_errc.h"
#include "client/server_call.h"
#include "protocol/message_id.h"
#include "protocol/response_codes.h"
#include "protocol/view.h"

namespace rmq::client {
namespace {

using protocol::RequestCode;
using protocol::ResponseCode;

// Brokers compare hashes of keys, which may be equal by chance.
bool is_meant(const ReceivedMessage& message, const MessageQuery& query) {
  if (message.queue.topic != query.topic) return false;
  if (query.unique_key) return message.message_id == query.key;
  return std::find(message.keys.begin(), message.keys.end(), query.key) != message.keys.end();
}

// "1.2.3.4:10911", "[::1]:10911"
std::string address_of(const protocol::HostAddress& host) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(host.is_v6() ? AF_INET6 : AF_INET, host.ip().data(), text.data(), text.size());
  const std::string ip = text.data();
  return (host.is_v6() ? "[" + ip + "]" : ip) + ":" + std::to_string(host.port());
}

}  // namespace

net::Task<Result<ReceivedMessage>> AdminClient::view_message(std::string offset_message_id,
                                                             std::string topic) {
  RMQ_CO_TRY(const protocol::MessageId id, protocol::decode_message_id(offset_message_id));
  const std::string broker_address = address_of(id.store_host);
  protocol::ViewMessageByIdRequest header;
  header.topic = topic;
  header.offset = id.physical_offset;
  protocol::Command request = make_request(RequestCode::ViewMessageById, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await ask_broker(broker_address, std::move(request)));
  // It does not say its broker's name.
  Result<std::vector<ReceivedMessage>> messages = decode_messages(answer.body, broker_address);
  if (!messages) co_return fail(error_at(broker_address, std::move(messages.error())));
  if (messages->size() != 1) co_return fail(ClientErrc::AnswerMalformed, broker_address);
  co_return std::move(messages->front());
}

net::Task<Result<std::vector<ReceivedMessage>>> AdminClient::query_messages(
    std::string broker_address, std::string broker_name, MessageQuery query) {
  protocol::QueryMessageRequest header;
  header.topic = query.topic;
  header.key = query.key;
  header.max_num = query.max;
  header.begin_timestamp = query.begin_ms;
  header.end_timestamp = query.end_ms;
  header.unique_key = query.unique_key;
  protocol::Command request = make_request(RequestCode::QueryMessage, header);
  const auto answer = co_await ask_broker(broker_address, std::move(request));
  if (!answer) {
    if (answer.error().code == ResponseCode::QueryNotFound) {
      co_return std::vector<ReceivedMessage>{};
    }
    co_return fail(answer.error());
  }
  Result<std::vector<ReceivedMessage>> messages = decode_messages(answer->body, broker_name);
  if (!messages) co_return fail(error_at(broker_address, std::move(messages.error())));
  std::erase_if(*messages,
                [&query](const ReceivedMessage& message) { return !is_meant(message, query); });
  co_return messages;
}

}  // namespace rmq::client
