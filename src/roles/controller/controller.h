// Controller: gives the brokers of each broker set their ids, keeps its SyncStateSet, notices when
// a master is gone, and names the next one. The rules are those of src/replication; here they are
// joined with a port, a store and the time.
//
// Every change is: read the set, apply a rule, compare-and-swap; when somebody else was faster,
// again. What a request is answered with, and what brokers are told, is stored by then.
// Threads: everything runs on the control thread; the store answers from its own.
// Crash: sets are in the store. Who lives is not: a new process takes nobody for dead before it had
// time to be heard (ControllerConfig::first_heartbeat_timeout).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/await.h"
#include "net/io_threads.h"
#include "net/resolver.h"
#include "net/rpc_client.h"
#include "net/rpc_server.h"
#include "replication/broker_set.h"
#include "replication/liveness.h"
#include "roles/controller/controller_config.h"
#include "roles/controller/controller_store.h"
#include "roles/controller/requests.h"

namespace rmq::roles::controller {

// Who hears of a change: every replica that lives, or those that asked for changes of the set.
enum class Audience { All, SetNotices };

class Controller {
 public:
  // `io` must run when start() is called, and after a start() that succeeded it must have ended
  // before this object goes. `clock` outlives it.
  Controller(net::IoThreads& io, ControllerConfig settings, Clock& clock,
             std::unique_ptr<ControllerStore> store);
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  // Owner's thread, which is no io thread. After start() the port accepts.
  // Errors: of ControllerStore::open() and list(), NetErrc::AddressInUse, AddressMalformed, errno.
  Result<> start();
  std::uint16_t port() const { return server_.port(); }
  // "host:port", as brokers and tools are told. After start().
  const std::string& address() const { return address_; }
  // Answers what has arrived, then closes the port and all connections.
  void stop();

  // The rest: control thread, for handlers.
  net::IoThreads& threads;
  ControllerConfig config;  // what is marked live in its rows may change

  using BrokerSets = std::map<std::string, replication::BrokerSet>;
  // As they were read or written last.
  const BrokerSets& sets() const { return sets_; }
  ControllerStore& store() { return *store_; }

  template <class Answer>
  using Rule = std::function<replication::Applied<Answer>(const replication::BrokerSet&)>;
  // Applies `rule` to the set as it is, and stores what it makes of it. A set that there is not is
  // an empty one with this name. Errors: StoreFailed, and the store's; the change may have
  // happened.
  template <class Answer>
  net::Task<Result<replication::Applied<Answer>>> change(std::string name, Rule<Answer> rule);
  // Forgets a set that has this version; false when it has another one.
  net::Task<Result<bool>> remove(std::string name, std::uint64_t version);

  // A replica has spoken. `set_notices`: it wants Audience::SetNotices.
  void heard(replication::Heartbeat beat, net::Connection& connection, bool set_notices);
  // One has spoken, but not by a heartbeat.
  void expect(const replication::ReplicaKey& replica) { liveness_->expect(replica, now()); }
  void forget(const replication::ReplicaKey& replica);
  replication::ReplicaIds alive(const std::string& set) const;
  // Those that are not known to be dead.
  replication::ReplicaIds perhaps_alive(const replication::BrokerSet& set) const;
  bool is_dead(const std::string& set, replication::ReplicaId id) const;
  replication::Electorate electorate(const replication::BrokerSet& set) const;
  void tell(const replication::BrokerSet& set, const replication::ReignInfo& reign,
            Audience audience);

 private:
  friend class ControllerService;

  SteadyTime now() const { return clock_.steady_now(); }
  void saw(const replication::BrokerSet& set) {
    sets_[set.name] = set;
    ++changes_;
  }
  bool is_on_record(const replication::ReplicaKey& replica) const;
  struct Heard {
    replication::Heartbeat beat;
    std::uint64_t connection = 0;
    bool set_notices = false;
    SteadyTime at;
    bool closed = false;  // the connection is, since
  };
  void note(const Heard& heard);
  void note_early();
  void connection_closed(std::uint64_t connection);
  net::Task<> probe(replication::ReplicaKey replica, std::uint64_t connection, std::string address);
  bool is_suspect(const replication::ReplicaKey& replica, std::uint64_t connection) const;
  void tick();
  net::Task<> tick_loop();
  net::Task<> refresh_loop();
  void take_over(const std::vector<replication::BrokerSet>& sets);
  net::Task<> elect_unasked(std::string name);
  net::Task<bool> is_outvoted(std::string name);
  net::Task<bool> is_heard_by_others(replication::ReplicaKey replica);
  net::Task<std::optional<bool>> ask_other(std::string address, replication::ReplicaKey replica);

  Clock& clock_;
  std::unique_ptr<ControllerStore> store_;
  BrokerSets sets_;
  std::uint64_t changes_ = 0;  // of sets_, by this controller
  std::optional<replication::Liveness> liveness_;
  std::set<replication::ReplicaKey> set_notices_;  // who wants them
  // Heartbeats of replicas that are not on record here, yet perhaps with another controller.
  std::map<replication::ReplicaKey, Heard> early_;
  // Own elections under way, or that failed: until when none is tried.
  std::map<std::string, SteadyTime> elections_;
  std::set<std::string> outvoted_;  // sets whose master others hear
  std::string address_;
  std::vector<std::string> others_;  // addresses of the other controllers of the group
  ControllerService service_;
  net::RpcServer server_;
  net::RpcClient client_;
  net::Resolver resolver_;
  net::Event stopping_;
};

template <class Answer>
net::Task<Result<replication::Applied<Answer>>> Controller::change(std::string name,
                                                                   Rule<Answer> rule) {
  constexpr int kAttemptsMax = 10;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    Result<std::optional<replication::BrokerSet>> loaded = co_await store_->load(name);
    if (!loaded) co_return fail(std::move(loaded.error()));
    replication::BrokerSet before;
    before.name = name;
    if (*loaded) before = std::move(**loaded);
    replication::Applied<Answer> applied = rule(before);
    if (!applied.changed) co_return std::move(applied);
    Result<bool> stored = co_await store_->swap(applied.value);
    if (!stored) co_return fail(std::move(stored.error()));
    if (*stored) {
      saw(applied.value);
      co_return std::move(applied);
    }
  }
  co_return fail(replication::ControllerErrc::StoreFailed,
                 name + " was changed by others again and again");
}

}  // namespace rmq::roles::controller
