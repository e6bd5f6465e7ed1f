// Client: what the producers, consumers and the admin client of one application share: connections,
// name servers and the routes they gave. Heartbeats and push consumers will hang here too. Threads:
// any; tasks resume on the thread that awaits them. Lifetime: `threads` must outlive it and be
// running.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/clock.h"
#include "client/name_servers.h"
#include "client/route_cache.h"
#include "net/io_threads.h"
#include "net/rpc_client.h"
#include "protocol/message_id.h"

namespace rmq::client {

struct ClientOptions {
  std::vector<std::string> name_servers;  // "host:port", at least one
  std::chrono::milliseconds route_max_age{30'000};
};

class Client {
 public:
  Client(net::IoThreads& threads, ClientOptions options, Clock& clock = Clock::system());

  net::IoThreads& threads() { return threads_; }
  net::RpcClient& rpc() { return rpc_; }
  NameServers& name_servers() { return name_servers_; }
  RouteCache& routes() { return routes_; }
  Clock& clock() { return clock_; }
  // A unique key for a new message.
  protocol::MessageIdText next_message_id() { return message_ids_.next(clock_.now_ms()); }

 private:
  net::IoThreads& threads_;
  Clock& clock_;
  net::RpcClient rpc_;
  NameServers name_servers_;
  RouteCache routes_;
  protocol::UniqKeyGenerator message_ids_;
};

}  // namespace rmq::client
