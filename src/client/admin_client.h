// AdminClient: what operators ask and change: topics, routes, the brokers of a cluster.
// Threads: any; a call resumes on the thread that awaits it. Each call has `timeout` for each
// answer it waits for. Errors, everywhere: NetErrc, the server's ResponseCode with its remark,
// ProtocolErrc::BodyMalformed. Parts: admin_client.cpp (what name servers know), admin_topics.cpp,
// admin_groups.cpp, admin_messages.cpp, admin_brokers.cpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/java_compat.h"
#include "base/result.h"
#include "client/client.h"
#include "client/message.h"
#include "net/task.h"
#include "protocol/client_body.h"
#include "protocol/group_body.h"
#include "protocol/ha_status.h"
#include "protocol/offset_body.h"
#include "protocol/route_body.h"
#include "protocol/topic_config.h"

namespace rmq::client {

// Which messages of a topic AdminClient::query_messages() looks for.
struct MessageQuery {
  std::string topic;
  std::string key;
  bool unique_key = false;  // `key` is what its producer called one message, not one of its keys
  std::int32_t max = 64;
  std::int64_t begin_ms = 0;  // store time
  std::int64_t end_ms = std::numeric_limits<std::int64_t>::max();
};

class AdminClient {
 public:
  // `client` must outlive it.
  AdminClient(Client& client, std::chrono::milliseconds timeout)
      : client_(client), timeout_(timeout) {}

  // What the name servers know.
  net::Task<Result<protocol::ClusterInfo>> cluster_info();
  net::Task<Result<std::vector<std::string>>> topics();
  net::Task<Result<std::vector<std::string>>> topics_of_cluster(std::string cluster);
  // Asked afresh. Errors: ResponseCode::TopicNotExist.
  net::Task<Result<protocol::TopicRouteData>> route(std::string topic);

  // The name servers are independent of each other: what is changed is changed on each of them, and
  // each may know something else. `namesrv_address` is one of theirs.
  //
  // Forgets a topic; of all clusters when `cluster` is empty. What is not there counts as
  // forgotten.
  net::Task<Result<>> delete_topic_in_namesrv(std::string namesrv_address, std::string topic,
                                              std::string cluster);
  // Takes, or gives back, the permission to write of all topics of a broker. How many there are.
  net::Task<Result<std::int32_t>> wipe_write_perm(std::string namesrv_address, std::string broker);
  net::Task<Result<std::int32_t>> add_write_perm(std::string namesrv_address, std::string broker);
  // Errors: ResponseCode::QueryNotFound.
  net::Task<Result<std::string>> kv_value(std::string namesrv_address, std::string name_space,
                                          std::string key);
  net::Task<Result<protocol::KVTable>> kv_list(std::string namesrv_address, std::string name_space);
  net::Task<Result<>> put_kv(std::string namesrv_address, std::string name_space, std::string key,
                             std::string value);
  net::Task<Result<>> delete_kv(std::string namesrv_address, std::string name_space,
                                std::string key);
  net::Task<Result<JavaProperties>> namesrv_config(std::string namesrv_address);
  // Errors: ResponseCode::NoPermission, SystemError: which key, and why not.
  net::Task<Result<>> update_namesrv_config(std::string namesrv_address, JavaProperties settings);

  // Creates or changes a topic on one broker, "host:port". Errors: ResponseCode::InvalidParameter
  // (name), SystemError ...
  net::Task<Result<>> create_topic(std::string broker_address, protocol::TopicConfig topic);
  // Tells every name server how many queues of an ordered topic each broker has:
  // "broker:queues;...".
  net::Task<Result<>> put_order_config(std::string topic, std::string config);
  // Takes it back at one name server.
  net::Task<Result<>> delete_order_config(std::string namesrv_address, std::string topic);
  // That text; empty when there is none.
  net::Task<Result<std::string>> order_config(std::string topic);
  // What one broker knows about a topic. Errors: ResponseCode::TopicNotExist.
  net::Task<Result<protocol::TopicConfig>> topic_config(std::string broker_address,
                                                        std::string topic);
  net::Task<Result<protocol::TopicStats>> topic_stats(std::string broker_address,
                                                      std::string topic);
  // The groups that subscribe to a topic there, or have committed offsets of it.
  net::Task<Result<std::vector<std::string>>> groups_of_topic(std::string broker_address,
                                                              std::string topic);
  // Its messages are gone with it.
  net::Task<Result<>> delete_topic(std::string broker_address, std::string topic);

  // The groups that a broker knows, by name, with their settings.
  net::Task<Result<protocol::SubscriptionGroupTableBody>> groups(std::string broker_address);
  // How far a group has come in its queues on a broker; empty when it has committed nothing there.
  net::Task<Result<protocol::ConsumeStats>> consume_stats(std::string broker_address,
                                                          std::string group);
  // Who of a group is connected to a broker. Errors: ResponseCode::ConsumerNotOnline.
  net::Task<Result<protocol::ConsumerConnection>> consumers(std::string broker_address,
                                                            std::string group);
  // Forgets a group and its offsets.
  net::Task<Result<>> delete_group(std::string broker_address, std::string group);
  // Sets a group's offsets in a topic to the first message stored at or after `epoch_ms` (negative:
  // to the end), back or forth, and tells its consumers. Where they are now. Errors:
  // ResponseCode::ConsumerNotOnline for a broker that leaves it to consumers.
  net::Task<Result<protocol::QueueOffsetMap>> reset_offsets(std::string broker_address,
                                                            std::string topic, std::string group,
                                                            std::int64_t epoch_ms);

  // The message that an offset message id names, from the broker that it names; `topic` may be
  // empty. Errors: ProtocolErrc::FieldMalformed: no such id; ResponseCode::SystemError: no message.
  net::Task<Result<ReceivedMessage>> view_message(std::string offset_message_id, std::string topic);
  // Those of one broker, in the order of its log; none is no error. `broker_name` is who is asked.
  net::Task<Result<std::vector<ReceivedMessage>>> query_messages(std::string broker_address,
                                                                 std::string broker_name,
                                                                 MessageQuery query);

  // Figures of a running broker by name; tooling knows which.
  net::Task<Result<protocol::KVTable>> runtime_info(std::string broker_address);
  net::Task<Result<JavaProperties>> broker_config(std::string broker_address);
  // How a master's slaves stand.
  net::Task<Result<protocol::HaStatus>> ha_status(std::string broker_address);
  // Errors: as update_namesrv_config().
  net::Task<Result<>> update_broker_config(std::string broker_address, JavaProperties settings);

 private:
  net::Task<Result<protocol::Command>> ask_broker(std::string address, protocol::Command request);
  // The same for what is answered by its code alone.
  net::Task<Result<>> tell(std::string address, protocol::Command request);

  Client& client_;
  const std::chrono::milliseconds timeout_;
};

}  // namespace rmq::client
