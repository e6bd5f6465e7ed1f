// RouteTable: which brokers live, and which topics they serve: the rules of a name server without
// its sockets. Rules: RocketMQ RouteInfoManager.java; where this one differs, the member says so.
// Everything is in memory: brokers register again every 30 s with every name server, so a crash
// loses nothing. Threads: one (the control thread). Time comes from the Clock; nothing here waits.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/string_map.h"
#include "protocol/registration_body.h"
#include "protocol/route_body.h"
#include "roles/namesrv/namesrv_config.h"

namespace rmq::roles::namesrv {

// net::Connection::id() of the connection on which a broker registered.
using ConnectionId = std::uint64_t;

// How long a broker that names no time of its own lives without a sign.
inline constexpr std::chrono::milliseconds kBrokerTimeout{120'000};

// The header of a REGISTER_BROKER request.
struct Registration {
  std::string cluster;
  std::string broker_name;
  std::string broker_addr;
  std::int64_t broker_id = protocol::kMasterId;
  std::string ha_server_addr;
  std::optional<std::string> zone_name;
  std::optional<std::int64_t> heartbeat_timeout_ms;
  std::optional<bool> enable_acting_master;  // nothing: a broker that does not know acting masters
  ConnectionId connection = 0;
};

// What a broker learns from registering; empty for a master, and for a slave whose master is not
// alive.
struct RegisterResult {
  std::string master_addr;
  std::string ha_server_addr;
};

struct BrokerIdentity {
  std::string cluster;
  std::string broker_name;
  std::string broker_addr;
};

// The lowest living id of a broker name changed, so another replica is (or stops being) the acting
// master.
struct MinBrokerIdChange {
  std::string broker_name;
  std::int64_t min_broker_id = 0;
  std::string min_broker_addr;
  std::string offline_broker_addr;  // empty when a replica came
  std::string ha_broker_addr;       // empty when a replica left
  std::vector<std::string> to_notify;
};

class RouteTable {
 public:
  // `config` is read at each call, so that it may be changed while running. Both must outlive the
  // table.
  RouteTable(const NamesrvConfig& config, const Clock& clock) : config_(config), clock_(clock) {}

  // Nothing: refused. Registrations of single topics (exactly one in the body) cannot come first.
  // Unlike Java, a refused registration leaves no empty broker behind.
  std::optional<RegisterResult> register_broker(const Registration& registration,
                                                const protocol::RegisterBrokerBody& body);
  // Takes effect at once (Java: batched, moments later).
  void unregister(std::span<const BrokerIdentity> brokers);
  // Unregisters all brokers that registered on `connection` last. Java only looks for one of them.
  void connection_closed(ConnectionId connection);
  // Unregisters brokers that gave no sign of life for too long. Their connections, which should be
  // closed.
  std::vector<ConnectionId> remove_expired();
  // A sign of life without news. Unknown brokers are ignored.
  void touch(std::string_view cluster, std::string_view broker_addr);
  // The version of the last registration, if that broker lives.
  std::optional<protocol::DataVersion> data_version(std::string_view cluster,
                                                    std::string_view broker_addr) const;
  // Who must be told of a new lowest id; forgotten afterwards.
  std::vector<MinBrokerIdChange> take_min_id_changes() {
    return std::exchange(min_id_changes_, {});
  }

  // Sets or adds queues of one topic; nothing happens when a queue's broker is unknown.
  void register_topic(std::string_view topic, const std::vector<protocol::QueueData>& queues);
  void delete_topic(std::string_view topic);
  // Only from the brokers of `cluster`.
  void delete_topic(std::string_view topic, std::string_view cluster);
  // Number of topics touched. Both last until the broker's next registration with a new data
  // version.
  std::int32_t wipe_write_perm(std::string_view broker_name);
  std::int32_t add_write_perm(std::string_view broker_name);

  // Nothing: unknown topic, or none of its brokers is known.
  std::optional<protocol::TopicRouteData> find_route(std::string_view topic) const;
  // find_route() as GET_ROUTEINFO_BY_TOPIC's body, kept until something changes. Null: no route.
  // Valid until the next call of a non-const member.
  const std::string* encoded_route(std::string_view topic, protocol::JsonForm form);
  const protocol::ClusterInfo& cluster_info() const { return cluster_info_; }
  protocol::BrokerMemberGroup member_group(std::string_view cluster,
                                           std::string_view broker_name) const;
  // Topic lists are sorted.
  protocol::TopicList all_topics() const;
  protocol::TopicList topics_of_cluster(std::string_view cluster) const;
  // Names of clusters and brokers, and the address of one broker to ask for its system topics.
  protocol::TopicList system_topics() const;
  // Topics with all flags of `with` and none of `without` (kTopicUnit...).
  protocol::TopicList topics_by_flags(std::int32_t with, std::int32_t without) const;

 private:
  using Queues = std::map<std::string, protocol::QueueData, std::less<>>;  // by broker name
  using Mappings = std::map<std::string, protocol::TopicQueueMappingInfo>;
  using Address = std::pair<std::string, std::string>;  // cluster, broker address
  struct LiveBroker {
    SteadyTime last_sign;
    std::chrono::milliseconds timeout;
    protocol::DataVersion data_version;
    ConnectionId connection;
    std::string ha_server_addr;
  };
  struct EncodedRoute {
    std::array<std::string, 2> bodies;  // by JsonForm; empty: not asked for yet
  };

  const protocol::BrokerData* find_broker(std::string_view broker_name) const;
  bool yields_to_newer_reign(const Registration& registration,
                             const protocol::RegisterBrokerBody& body) const;
  void take_over_topics(const Registration& registration, const protocol::RegisterBrokerBody& body,
                        bool first, bool wipe_write);
  void delete_missing_topics(std::string_view broker_name,
                             const protocol::RegisterBrokerBody& body);
  void set_queues(std::string_view topic, protocol::QueueData queues);
  void set_live(const Registration& registration, const protocol::RegisterBrokerBody& body);
  void note_min_id_change(const protocol::BrokerData& broker, std::string_view offline_addr,
                          std::string_view ha_addr);
  bool remove_broker(const BrokerIdentity& identity);
  void clean_topics(const std::set<std::string>& gone, const std::set<std::string>& reduced);
  std::int32_t change_perm(std::string_view broker_name, std::int32_t keep, std::int32_t set);
  BrokerIdentity identify(const Address& address) const;
  void changed() { routes_.clear(); }

  const NamesrvConfig& config_;
  const Clock& clock_;
  protocol::ClusterInfo cluster_info_;  // brokers by name, and their names by cluster
  StringMap<Queues> topics_;            // no topic without queues
  StringMap<Mappings> mappings_;        // static topics: topic -> broker name -> mapping
  std::map<Address, LiveBroker> live_;
  std::map<Address, std::vector<std::string>> filter_servers_;
  std::vector<MinBrokerIdChange> min_id_changes_;
  StringMap<EncodedRoute> routes_;  // cache; emptied by every change
};

}  // namespace rmq::roles::namesrv
