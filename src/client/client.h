// Client: what the producers, consumers and the admin client of one application share: connections,
// name servers and the routes they gave, its name and its heartbeats. Threads: any; tasks resume on
// the thread that awaits them. Lifetime: `threads` must outlive it and be running; what was started
// with it must be shut down before it goes.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "client/heartbeat.h"
#include "client/name_servers.h"
#include "client/route_cache.h"
#include "client/server_requests.h"
#include "net/io_threads.h"
#include "net/rpc_client.h"
#include "protocol/message_id.h"

namespace rmq::client {

struct ClientOptions {
  std::vector<std::string> name_servers;  // "host:port", at least one
  std::chrono::milliseconds route_max_age{30'000};
  // What brokers and the other members of its groups know it by: "ip@instance". Empty: one that
  // nobody else has. Give it one to find a broadcasting consumer's offsets again.
  std::string client_id;
};

class Client {
 public:
  Client(net::IoThreads& threads, ClientOptions options, Clock& clock = Clock::system());

  net::IoThreads& threads() { return threads_; }
  net::RpcClient& rpc() { return rpc_; }
  NameServers& name_servers() { return name_servers_; }
  RouteCache& routes() { return routes_; }
  Clock& clock() { return clock_; }
  const std::string& client_id() const { return heartbeats_.client_id(); }
  Heartbeats& heartbeats() { return heartbeats_; }
  ServerRequests& server_requests() { return *requests_.shared; }
  // A unique key for a new message.
  protocol::MessageIdText next_message_id() { return message_ids_.next(clock_.now_ms()); }

 private:
  // Connections close on their threads, after ~RpcClient, and tell it: it goes after them.
  struct LastingRequests {
    explicit LastingRequests(net::IoThreads& t) : threads(t) {}
    ~LastingRequests();
    net::IoThreads& threads;
    std::shared_ptr<ServerRequests> shared = std::make_shared<ServerRequests>();
  };

  net::IoThreads& threads_;
  Clock& clock_;
  LastingRequests requests_;
  net::RpcClient rpc_;
  NameServers name_servers_;
  RouteCache routes_;
  Heartbeats heartbeats_;
  protocol::UniqKeyGenerator message_ids_;
};

}  // namespace rmq::client
