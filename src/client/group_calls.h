// The requests by which a client takes part in a group, one function each. The member that a
// request speaks for is a GroupMember. Threads: free functions; they resume on the thread that
// awaits them. Errors of all: as ask_server(), with the server's address in the detail.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "client/message.h"
#include "client/message_queue.h"
#include "net/rpc_client.h"
#include "net/task.h"
#include "protocol/client_body.h"

namespace rmq::client {

// How long one of these requests may take.
inline constexpr std::chrono::milliseconds kGroupCallTimeout{3'000};

struct GroupMember {
  std::string group;
  std::string client_id;
};

// HEART_BEAT.
net::Task<Result<>> send_heartbeat(net::RpcClient& rpc, std::string address,
                                   protocol::HeartbeatData data);
// UNREGISTER_CLIENT.
enum class GroupKind { Producer, Consumer };
net::Task<Result<>> unregister(net::RpcClient& rpc, std::string address, GroupMember member,
                               GroupKind kind);
// GET_CONSUMER_LIST_BY_GROUP: the client ids of a group's members.
net::Task<Result<std::vector<std::string>>> consumer_ids(net::RpcClient& rpc, std::string address,
                                                         std::string group);

// QUERY_CONSUMER_OFFSET: nothing when the group has none there.
net::Task<Result<std::optional<QueueOffset>>> committed_offset(net::RpcClient& rpc,
                                                               std::string address,
                                                               std::string group,
                                                               MessageQueue queue);
// UPDATE_CONSUMER_OFFSET.
net::Task<Result<>> commit_offset(net::RpcClient& rpc, std::string address, std::string group,
                                  MessageQueue queue, QueueOffset offset);

// LOCK_BATCH_MQ: those of `queues`, which must be of this broker, that the member now holds.
net::Task<Result<std::set<MessageQueue>>> lock_queues(net::RpcClient& rpc, std::string address,
                                                      GroupMember member,
                                                      std::vector<MessageQueue> queues);
// UNLOCK_BATCH_MQ.
net::Task<Result<>> unlock_queues(net::RpcClient& rpc, std::string address, GroupMember member,
                                  std::vector<MessageQueue> queues);

// CONSUMER_SEND_MSG_BACK: `message` comes again after a while. `delay_level` 0: the broker
// chooses by how often it failed; negative: to the dead letter queue.
struct SendBack {
  std::string group;
  std::int32_t delay_level = 0;
  std::int32_t reconsume_times_max = 16;
};
net::Task<Result<>> send_back(net::RpcClient& rpc, std::string address, SendBack how,
                              PhysicalOffset at, std::string message_id, std::string topic);

protocol::MessageQueue to_protocol(const MessageQueue& queue);
MessageQueue from_protocol(const protocol::MessageQueue& queue);

}  // namespace rmq::client
