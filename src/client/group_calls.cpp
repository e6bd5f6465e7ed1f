#include "client/group_calls.h"

#include <utility>

#include "client/client_errc.h"
#include "client/server_call.h"
#include "protocol/client.h"
#include "protocol/offset.h"
#include "protocol/response_codes.h"
#include "protocol/send.h"

namespace rmq::client {
namespace {

using protocol::RequestCode;
using protocol::ResponseCode;

Bytes to_body(const std::string& text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}

net::Task<Result<>> ask(net::RpcClient& rpc, std::string address, protocol::Command request) {
  const Result<protocol::Command> answer =
      co_await ask_server(rpc, std::move(address), std::move(request), kGroupCallTimeout);
  if (!answer) co_return fail(answer.error());
  co_return Result<>{};
}

protocol::LockBatchBody lock_body(const GroupMember& member,
                                  const std::vector<MessageQueue>& queues) {
  protocol::LockBatchBody body;
  body.group = member.group;
  body.client_id = member.client_id;
  for (const MessageQueue& queue : queues) body.queues.push_back(to_protocol(queue));
  return body;
}

}  // namespace

protocol::MessageQueue to_protocol(const MessageQueue& queue) {
  return {queue.topic, queue.broker_name, queue.queue_id};
}

MessageQueue from_protocol(const protocol::MessageQueue& queue) {
  return {queue.topic, queue.broker_name, queue.queue_id};
}

net::Task<Result<>> send_heartbeat(net::RpcClient& rpc, std::string address,
                                   protocol::HeartbeatData data) {
  const protocol::HeartBeatRequest header;
  protocol::Command request =
      make_request(RequestCode::HeartBeat, header, to_body(protocol::encode_heartbeat(data)));
  co_return co_await ask(rpc, std::move(address), std::move(request));
}

net::Task<Result<>> unregister(net::RpcClient& rpc, std::string address, GroupMember member,
                               GroupKind kind) {
  protocol::UnregisterClientRequest header;
  header.client_id = member.client_id;
  (kind == GroupKind::Producer ? header.producer_group : header.consumer_group) = member.group;
  protocol::Command request = make_request(RequestCode::UnregisterClient, header);
  co_return co_await ask(rpc, std::move(address), std::move(request));
}

net::Task<Result<std::vector<std::string>>> consumer_ids(net::RpcClient& rpc, std::string address,
                                                         std::string group) {
  protocol::GetConsumerListByGroupRequest header;
  header.consumer_group = group;
  protocol::Command request = make_request(RequestCode::GetConsumerListByGroup, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await ask_server(rpc, address, std::move(request), kGroupCallTimeout));
  Result<std::vector<std::string>> ids = protocol::decode_consumer_list(as_text(answer.body));
  if (!ids) co_return fail(ClientErrc::AnswerMalformed, address + ": " + ids.error().message());
  co_return ids;
}

net::Task<Result<std::optional<QueueOffset>>> committed_offset(net::RpcClient& rpc,
                                                               std::string address,
                                                               std::string group,
                                                               MessageQueue queue) {
  protocol::QueryConsumerOffsetRequest header;
  header.consumer_group = group;
  header.topic = queue.topic;
  header.queue_id = queue.queue_id;
  protocol::Command request = make_request(RequestCode::QueryConsumerOffset, header);
  const Result<protocol::Command> answer =
      co_await ask_server(rpc, address, std::move(request), kGroupCallTimeout);
  if (!answer) {
    if (answer.error().code == ResponseCode::QueryNotFound) {
      co_return std::optional<QueueOffset>();
    }
    co_return fail(answer.error());
  }
  const protocol::CommandView view = answer->view();
  const auto fields = protocol::decode_fields<protocol::OffsetResponse>(view);
  if (!fields) {
    co_return fail(ClientErrc::AnswerMalformed, address + ": " + fields.error().message());
  }
  co_return std::optional<QueueOffset>(fields->offset);
}

net::Task<Result<>> commit_offset(net::RpcClient& rpc, std::string address, std::string group,
                                  MessageQueue queue, QueueOffset offset) {
  protocol::UpdateConsumerOffsetRequest header;
  header.consumer_group = group;
  header.topic = queue.topic;
  header.queue_id = queue.queue_id;
  header.commit_offset = offset;
  protocol::Command request = make_request(RequestCode::UpdateConsumerOffset, header);
  co_return co_await ask(rpc, std::move(address), std::move(request));
}

net::Task<Result<std::set<MessageQueue>>> lock_queues(net::RpcClient& rpc, std::string address,
                                                      GroupMember member,
                                                      std::vector<MessageQueue> queues) {
  const protocol::LockBatchMqRequest header;
  const std::string body = protocol::encode_lock_batch(lock_body(member, queues));
  protocol::Command request = make_request(RequestCode::LockBatchMq, header, to_body(body));
  RMQ_CO_TRY(const protocol::Command answer,
             co_await ask_server(rpc, address, std::move(request), kGroupCallTimeout));
  const auto owned = protocol::decode_lock_batch_answer(as_text(answer.body));
  if (!owned) co_return fail(ClientErrc::AnswerMalformed, address + ": " + owned.error().message());
  std::set<MessageQueue> held;
  for (const protocol::MessageQueue& queue : *owned) held.insert(from_protocol(queue));
  co_return held;
}

net::Task<Result<>> unlock_queues(net::RpcClient& rpc, std::string address, GroupMember member,
                                  std::vector<MessageQueue> queues) {
  const protocol::UnlockBatchMqRequest header;
  const std::string body = protocol::encode_lock_batch(lock_body(member, queues));
  protocol::Command request = make_request(RequestCode::UnlockBatchMq, header, to_body(body));
  co_return co_await ask(rpc, std::move(address), std::move(request));
}

net::Task<Result<>> send_back(net::RpcClient& rpc, std::string address, SendBack how,
                              PhysicalOffset at, std::string message_id, std::string topic) {
  protocol::ConsumerSendMsgBackRequest header;
  header.offset = at;
  header.group = how.group;
  header.delay_level = how.delay_level;
  header.origin_msg_id = message_id;
  header.origin_topic = topic;
  header.max_reconsume_times = how.reconsume_times_max;
  protocol::Command request = make_request(RequestCode::ConsumerSendMsgBack, header);
  co_return co_await ask(rpc, std::move(address), std::move(request));
}

}  // namespace rmq::client
