// Heartbeats: tells every broker of the known routes which groups this client belongs to: at once
// when one joins or changes, then every 30 s; and at once again when a connection was lost, because
// its broker has then forgotten the client. One heartbeat is for all groups of a client. Threads:
// any; the work is done on the io threads' control thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "client/group_calls.h"
#include "client/route_cache.h"
#include "client/server_requests.h"
#include "client/task_group.h"
#include "net/io_threads.h"
#include "net/rpc_client.h"
#include "protocol/client_body.h"

namespace rmq::client {

inline constexpr std::chrono::seconds kHeartbeatInterval{30};

class Heartbeats {
 public:
  using Describe = std::function<protocol::ConsumerData()>;

  // All references must outlive this object, which must outlive its last leave_...().
  Heartbeats(net::IoThreads& threads, net::RpcClient& rpc, RouteCache& routes,
             const ServerRequests& requests, std::string client_id)
      : threads_(threads),
        rpc_(rpc),
        routes_(routes),
        requests_(requests),
        client_id_(std::move(client_id)) {}

  const std::string& client_id() const { return client_id_; }

  // On the control thread: return when every broker of the known routes has been told, or did not
  // answer. A group joins as a consumer once per client: false when it is there already.
  net::Task<> join_producer(std::string group);
  net::Task<bool> join_consumer(std::string group, Describe describe);
  // Unregister the group everywhere.
  net::Task<> leave_producer(std::string group);
  net::Task<> leave_consumer(std::string group);
  // Tells all brokers now.
  net::Task<> beat();

 private:
  protocol::HeartbeatData data();
  bool has_members();
  net::Task<> beat_due(bool all);
  net::Task<> keep_beating(TaskGroup loop);
  void start_loop();
  net::Task<> leave(std::string group, GroupKind kind);

  net::IoThreads& threads_;
  net::RpcClient& rpc_;
  RouteCache& routes_;
  const ServerRequests& requests_;
  const std::string client_id_;
  Mutex mutex_;
  std::map<std::string, int> producers_ RMQ_GUARDED_BY(mutex_);  // how many of each group
  std::map<std::string, Describe> consumers_ RMQ_GUARDED_BY(mutex_);
  // The control thread only.
  TaskGroup loop_;
  bool beating_ = false;
  std::map<std::string, SteadyTime> due_;  // by address
  std::uint64_t closed_seen_ = 0;
};

}  // namespace rmq::client
