// How a broker that runs turns to controllers, or from them. The store begins a new reign at the
// same place, and nothing is cut; what is left and what is begun use the same port, one after the
// other. Clients notice that their sends take longer once.
#include <chrono>
#include <thread>
#include <utility>

#include "base/log.h"
#include "net/await.h"
#include "protocol/route_body.h"
#include "roles/broker/broker.h"
#include "roles/broker/controlled/replica_manager.h"
#include "roles/broker/sending/append_turn.h"

namespace rmq::roles::broker {
namespace {

using namespace std::chrono_literals;
using storage::MessageStore;
using Reign = MessageStore::Reign;

// For what was sent before to be on disk and with the slaves; for a controller to say who is
// master; for the port to be free.
constexpr auto kDrainMax = 2s;
constexpr auto kSettleMax = 3s;
constexpr auto kListenMax = 2s;
constexpr auto kListenPause = 5ms;
// An answer that waits for something takes fewer steps than this, one behind the other, on the
// thread of its connection once that has come.
constexpr int kSteps = 16;

// Returns when each io thread has done what it had to do, so many times.
void pass_through(net::IoThreads& threads, int times) {
  const std::function<net::Task<>()> nothing = []() -> net::Task<> { co_return; };
  for (int i = 0; i < times; ++i) {
    net::run_blocking<void>(threads.control(), nothing);
    for (std::size_t index = 0; index < threads.data_count(); ++index) {
      net::run_blocking<void>(threads.data(index), nothing);
    }
  }
}

template <class Offset>
Result<> wait_for(net::IoThreads& threads, Watermark<Offset>& mark, Offset at) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + kDrainMax;
  std::function<net::Task<Result<>>()> wait = [&mark, at, deadline] {
    return net::await_at_least(mark, at, deadline);
  };
  return net::run_blocking<Result<>>(threads.control(), std::move(wait));
}

// Whoever listened there before may not have ended yet.
Result<> listen_again(const std::function<Result<>()>& listen) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + kListenMax;
  Result<> listening = listen();
  while (!listening && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kListenPause);
    listening = listen();
  }
  return listening;
}

// Sends wait as long as this lives.
class HeldSends {
 public:
  explicit HeldSends(Broker& broker) : broker_(broker) { broker_.send_gate.close(); }
  ~HeldSends() { submit_kept(broker_, broker_.send_gate.open()); }
  HeldSends(const HeldSends&) = delete;
  HeldSends& operator=(const HeldSends&) = delete;

 private:
  Broker& broker_;
};

Error no_master(const char* why) { return {make_error_code(storage::StoreErrc::NoReign), why}; }

}  // namespace

// While the gate is closed: what has passed it is stored and answered.
Result<> Broker::settle_sends() {
  pass_through(threads, 2);
  const AppendedOffset end = store->appended().value();
  RMQ_CHECK(wait_for(threads, topics.saved(), topics.version()));
  if (config.store.flush_disk_type == storage::FlushDiskType::Sync) {
    store->request_flush();
    RMQ_CHECK(wait_for(threads, store->flushed(), FlushedOffset{end.value}));
    replication().note_own_log();
  }
  if (replication().waits()) {
    RMQ_CHECK(wait_for(threads, replication().acknowledged(), ConfirmedOffset{end.value}));
  }
  pass_through(threads, kSteps);
  return {};
}

void Broker::set_controllers(bool enabled, const std::string& addresses) {
  std::function<net::Task<>()> set = [this, enabled, addresses]() -> net::Task<> {
    config.enable_controller_mode = enabled;
    config.controller_addr = addresses;
    co_return;
  };
  net::run_blocking<void>(threads.control(), std::move(set));
}

Result<> Broker::turn_to_controllers(const std::string& addresses) {
  if (replicas() != nullptr || stopping_) return {};
  const std::string before = config.controller_addr;
  set_controllers(true, addresses);
  managers_.push_back(
      std::make_unique<ReplicaManager>(*this, files_, ReplicaManager::Beginning::Live));
  ReplicaManager& manager = *managers_.back();
  const bool leads = !is_slave();
  const auto go_back = [&](const Error& why) {
    set_controllers(false, before);
    return fail(why);
  };
  if (const Result<> loaded = manager.load(); !loaded) return go_back(loaded.error());
  std::function<net::Task<Result<>>()> reach = [&manager] { return manager.reach_controllers(); };
  const Result<> reached = net::run_blocking<Result<>>(threads.control(), std::move(reach));
  if (!reached) return go_back(reached.error());

  const HeldSends held(*this);
  if (leads) delays_->stop();
  if (const Result<> settled = leads ? settle_sends() : Result<>(); !settled) {
    if (leads) delays_->start();
    return go_back(settled.error());
  }
  classic_.stop();
  classic_.wait_for_end();
  const Result<> listening =
      listen_again([&] { return manager.listen(config.listen_address, config.ha_listen_port); });
  const Result<> begun = listening ? begin_controlled(manager) : listening;
  if (begun) {
    replicas_.store(&manager, std::memory_order_release);
    log::info("broker", "controllers say who is master from now on", kv("controllers", addresses));
    return {};
  }
  log::warn("broker", "the broker does not turn to controllers",
            kv("why", begun.error().message()));
  if (listening) {
    std::function<net::Task<>()> leave = [&manager] { return manager.stop(); };
    net::run_blocking<void>(threads.control(), std::move(leave));
  }
  (void)manager.forget();
  delays_->stop();  // it may have become master at the last moment
  store->end_reign(no_master("it goes back to being without controllers"));
  set_controllers(false, before);
  RMQ_CHECK(begin_uncontrolled(leads));
  return begun;
}

// Ends when a controller has said who is master, and this broker leads or follows.
Result<> Broker::begin_controlled(ReplicaManager& manager) {
  std::function<net::Task<>()> tables = [this]() -> net::Task<> {
    follow_tables_of({});
    follow_tables();
    co_return;
  };
  net::run_blocking<void>(threads.control(), std::move(tables));
  manager.start();
  const SteadyTime deadline = std::chrono::steady_clock::now() + kSettleMax;
  std::function<net::Task<bool>()> settle = [&manager, deadline] {
    return manager.settled(deadline);
  };
  if (net::run_blocking<bool>(threads.control(), std::move(settle))) return {};
  return fail(net::NetErrc::TimedOut,
              "no controller has said who is master, or the master does "
              "not answer yet (" +
                  config.controller_addr + ")");
}

Result<> Broker::turn_from_controllers() {
  ReplicaManager* const manager = replicas();
  if (manager == nullptr || stopping_) return {};
  if (manager->standing() == ReplicaManager::Standing::Fenced) {
    return fail(storage::StoreErrc::NoReign, "nobody is known to be the master");
  }
  const bool leads = manager->standing() == ReplicaManager::Standing::Master;
  const HeldSends held(*this);
  if (leads) {
    delays_->stop();
    Result<> ready = settle_sends();
    if (ready) {
      // From here on nobody is elected.
      std::function<net::Task<Result<>>()> dissolve = [manager] { return manager->dissolve_set(); };
      ready = net::run_blocking<Result<>>(threads.control(), std::move(dissolve));
    }
    if (!ready) {
      delays_->start();
      return ready;
    }
  }
  std::function<net::Task<>()> leave = [this, manager]() -> net::Task<> {
    table_sync_.set_master({});
    co_await manager->stop();
  };
  net::run_blocking<void>(threads.control(), std::move(leave));
  store->end_reign(no_master("the broker turns from its controllers"));
  std::function<net::Task<>()> settle_config = [this, manager, leads]() -> net::Task<> {
    if (!leads) config.broker_role = BrokerRole::Slave;
    config.broker_id = leads ? protocol::kMasterId : manager->id();
    co_return;
  };
  net::run_blocking<void>(threads.control(), std::move(settle_config));
  set_controllers(false, config.controller_addr);
  replicas_.store(nullptr, std::memory_order_release);
  const Result<> forgotten = manager->forget();
  if (!forgotten) {
    log::error("broker", "what the broker knows of its controllers is still on disk",
               kv("why", forgotten.error().message()));
  }
  RMQ_CHECK(begin_uncontrolled(leads));
  log::info("broker", "the broker is without controllers from now on");
  return {};
}

// The store is between two reigns.
Result<> Broker::begin_uncontrolled(bool leads) {
  RMQ_CHECK(store->begin_reign(leads ? Reign::Leading : Reign::Following, {},
                               MessageStore::kAllConfirmed));
  RMQ_CHECK(
      listen_again([&] { return classic_.listen(config.listen_address, config.ha_listen_port); }));
  classic_.start();
  std::function<net::Task<>()> announce = [this]() -> net::Task<> {
    register_as(config.broker_id);
    co_return;
  };
  net::run_blocking<void>(threads.control(), std::move(announce));
  if (leads) delays_->start();
  return {};
}

}  // namespace rmq::roles::broker
