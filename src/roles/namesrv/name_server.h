// NameServer: one name server: a port, the route table and the key-value table. Name servers do not
// know each other; every broker registers with all of them. Threads: everything runs on the control
// thread, so handlers need no locks; only refusals of unknown requests happen on data threads.
// Crash: routes come back with the brokers' next registrations; the key-value table is on disk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/result.h"
#include "net/await.h"
#include "net/io_threads.h"
#include "net/rpc_client.h"
#include "net/rpc_server.h"
#include "roles/namesrv/kv_store.h"
#include "roles/namesrv/namesrv_config.h"
#include "roles/namesrv/requests.h"
#include "roles/namesrv/route_table.h"

namespace rmq::roles::namesrv {

class NameServer {
 public:
  // `io` must run when start() is called, and after a start() that succeeded it must have ended
  // before this object goes. `clock` and `files` outlive it.
  NameServer(net::IoThreads& io, NamesrvConfig settings, Clock& clock, FileSystem& files);
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  // Owner's thread, which is no io thread. After start() the port accepts.
  // Errors: of KvStore::load(), NetErrc::AddressInUse, AddressMalformed, errno.
  Result<> start();
  std::uint16_t port() const { return server_.port(); }
  // Answers what has arrived, then closes the port and all connections.
  void stop();

  // The rest: control thread, for handlers.
  net::IoThreads& threads;
  NamesrvConfig config;  // what is marked live in its rows may change
  RouteTable routes;
  KvStore kv;

  // True while brokers still get time to register after a start (needWaitForService).
  bool warming_up() const;
  // A broker registered on `connection`: it is closed when the broker expires.
  void remember(const std::shared_ptr<net::Connection>& connection);
  // Tells brokers of changed lowest ids, if there are any.
  void notify_min_id_changes();

 private:
  friend class NameService;

  void forget(ConnectionId connection);
  void scan();
  net::Task<> scan_loop();

  Clock& clock_;
  SteadyTime started_;
  std::unordered_map<ConnectionId, std::weak_ptr<net::Connection>> broker_connections_;
  NameService service_;
  net::RpcServer server_;
  net::RpcClient client_;
  net::Event stopping_;
};

}  // namespace rmq::roles::namesrv
