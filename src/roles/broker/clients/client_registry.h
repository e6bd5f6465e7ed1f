// ClientRegistry: who is connected: producers and consumers by group, and what each consumer group
// subscribes to. Source: ConsumerManager.java, ConsumerGroupInfo.java, ProducerManager.java. In
// memory only: clients repeat themselves every 30 s.
//
// The subscriptions belong to the group: the last heartbeat wins. Topics it lacks go, new ones
// come, an expression is replaced only by one with a greater version. A change of members or topics
// is told to the whole group. Threads: any. Changes come from the control thread, where the
// listener runs too, outside the lock.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/string_map.h"
#include "protocol/client_body.h"
#include "protocol/tag_filter.h"

namespace rmq::net {
class Connection;
}

namespace rmq::roles::broker {

using ConnectionId = std::uint64_t;

// One client as one of its connections announced it.
struct Client {
  ConnectionId connection_id = 0;
  std::shared_ptr<net::Connection> connection;  // empty in tests
  std::string address;                          // "ip:port"
  std::string client_id;
  protocol::Language language = protocol::Language::Java;
  std::int32_t version = 0;
  std::int64_t last_update_ms = 0;
};

struct TopicSubscription {
  explicit TopicSubscription(const protocol::SubscriptionData& subscription);

  protocol::SubscriptionData data;
  // From the expression, not from the hashes that the client sent with it: those of the Go client
  // are not Java's where a tag is not ASCII. Nothing passes an expression that cannot be read.
  protocol::TagFilter tags;
};

// What a consumer group wants, immutable: replaced when it changes.
struct GroupSubscription {
  StringMap<TopicSubscription> topics;
  std::optional<protocol::ConsumeType> consume_type;
  std::optional<protocol::MessageModel> message_model;
  std::optional<protocol::ConsumeFromWhere> consume_from_where;

  const TopicSubscription* find(std::string_view topic) const {
    const auto it = topics.find(topic);
    return it == topics.end() ? nullptr : &it->second;
  }
};

// Whether the group begins at the end of a queue where it has no offset yet: its members read
// the deprecated values so too.
bool from_last_offset(const GroupSubscription& group);

class ClientRegistry {
 public:
  // A client that is silent for `expiry` is forgotten. `clock` outlives the registry.
  ClientRegistry(Clock& clock, std::chrono::milliseconds expiry);

  // Told after the members or topics of a group changed: everyone who must look again. Broadcast
  // groups are not, nor groups whose config says so. Set before the first client.
  using ChangeListener = std::function<void(const std::string& group, std::vector<Client> members)>;
  void on_group_changed(ChangeListener listener) { on_group_changed_ = std::move(listener); }

  void register_producer(std::string_view group, const Client& client);
  // `notify`: the group wants to hear of changes. `without_sub` leaves the group's subscriptions as
  // they are (second form of the heartbeat, whose `fingerprint` is not 0).
  struct Registered {
    bool changed = false;  // members or topics
    // The client must send its subscriptions: the group's last heartbeat had another fingerprint,
    // or this one left them out and none are known here.
    bool send_subscriptions = false;
  };
  Registered register_consumer(const protocol::ConsumerData& data, const Client& client,
                               std::int32_t fingerprint, bool without_sub, bool notify);

  void unregister_producer(std::string_view group, ConnectionId connection);
  void unregister_consumer(std::string_view group, ConnectionId connection, bool notify);
  // Forgets every client of that connection.
  void connection_closed(ConnectionId connection);
  // Forgets those that were silent for too long, and returns them: their connections are to be
  // closed.
  std::vector<Client> expire();

  // Null when the group has no member. Costs one lock and one reference count.
  std::shared_ptr<const GroupSubscription> subscription(std::string_view group) const;
  // Empty when the group has no member.
  std::vector<Client> consumers(std::string_view group) const;
  std::vector<Client> producers(std::string_view group) const;
  std::vector<std::string> consumer_ids(std::string_view group) const;
  std::optional<Client> find_consumer(std::string_view group, std::string_view client_id) const;
  // Whether that connection announced itself as a consumer of the group.
  bool is_consumer(std::string_view group, ConnectionId connection) const;
  // A producer of any group. One client is in many groups by one connection.
  std::optional<Client> find_producer(std::string_view client_id) const;
  // Groups with a member that subscribe to `topic`.
  std::vector<std::string> groups_of(std::string_view topic) const;
  std::vector<std::string> producer_groups() const;

 private:
  using Members = std::map<ConnectionId, Client>;  // in the order of connecting
  struct ConsumerGroup {
    Members members;
    std::shared_ptr<const GroupSubscription> subscription = std::make_shared<GroupSubscription>();
    std::optional<std::int32_t> fingerprint;  // of the last heartbeat
    bool notify = true;
  };
  // Which groups a connection is in, so that its end costs no search.
  struct Roles {
    std::set<std::string> producer_groups;
    std::set<std::string> consumer_groups;
  };
  struct Change {
    std::string group;
    std::vector<Client> members;
  };

  // Removes `connection` from `group`; a group without members goes. The change to tell, if any.
  std::optional<Change> remove_member(const std::string& group, ConnectionId connection)
      RMQ_REQUIRES(mutex_);
  void remove_producer(const std::string& group, ConnectionId connection) RMQ_REQUIRES(mutex_);
  void forget_role(ConnectionId connection, std::set<std::string> Roles::*groups,
                   const std::string& group) RMQ_REQUIRES(mutex_);
  std::optional<Change> change_of(const std::string& group, const ConsumerGroup& state) const;
  void tell(std::optional<Change> change) const;
  static std::vector<Client> list(const Members* members);

  Clock& clock_;
  const std::chrono::milliseconds expiry_;
  ChangeListener on_group_changed_;

  mutable Mutex mutex_;
  StringMap<Members> producers_ RMQ_GUARDED_BY(mutex_);
  // The newest connection of each client that produces.
  StringMap<ConnectionId> producer_ids_ RMQ_GUARDED_BY(mutex_);
  StringMap<ConsumerGroup> consumers_ RMQ_GUARDED_BY(mutex_);
  std::unordered_map<ConnectionId, Roles> roles_ RMQ_GUARDED_BY(mutex_);
};

}  // namespace rmq::roles::broker
