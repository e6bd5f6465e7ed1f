// What a broker is, master or slave, and what changes when controllers make it the other.
#include <chrono>
#include <utility>

#include "base/log.h"
#include "net/await.h"
#include "protocol/response_codes.h"
#include "protocol/route_body.h"
#include "roles/broker/broker.h"
#include "roles/broker/controlled/replica_manager.h"

namespace rmq::roles::broker {
namespace {

constexpr std::chrono::seconds kCatchUpMax{5};

}  // namespace

Replication& Broker::replication() {
  if (ReplicaManager* const manager = replicas()) return *manager;
  return classic_;
}

const Replication& Broker::replication() const {
  if (const ReplicaManager* const manager = replicas()) return *manager;
  return classic_;
}

Result<> Broker::check_role_change(const BrokerConfig& next) const {
  if (next.enable_controller_mode) {
    if (!next.controller_addr.empty() &&
        (config.controller_addr == next.controller_addr || !config.enable_controller_mode)) {
      return {};
    }
    return fail(protocol::ResponseCode::SystemError,
                "controllerAddr: a list of controllers, which can only be changed while "
                "enableControllerMode is false");
  }
  const bool slave = next.broker_role == BrokerRole::Slave;
  if (slave == (config.broker_role == BrokerRole::Slave)) return {};
  return fail(protocol::ResponseCode::SystemError,
              "brokerRole can only be changed between ASYNC_MASTER and SYNC_MASTER without a "
              "restart");
}

void Broker::register_as(std::int64_t id) {
  registration.set_broker_id(id);
  if (std::exchange(announced_, true)) return registration.settings_changed();
  registration.start({address(), config.broker_ip2 + ":" + std::to_string(config.ha_listen_port)});
}

void Broker::prepare_leading() {
  log_was_cut();
  // Of a master that died before its table came here.
  topics.restore(store->queues_with_messages());
  if (const Result<> counted = delay_progress.lead(); !counted) {
    log::warn("delay", "deliveries in the log are not counted, some may come twice",
              kv("why", counted.error().message()));
  }
}

void Broker::log_was_cut() {
  // What consumers had consumed of it is gone, and its numbers come again.
  const auto end_of = [this](std::string_view topic, QueueId queue_id) {
    return store->visible_end(topic, queue_id);
  };
  offsets.clamp(end_of);
  first_offsets.clamp(end_of);
}

void Broker::stop_leading() { delays_->stop(); }

void Broker::lead(std::int32_t epoch) {
  table_sync_.set_master({});
  offsets.keep_local_commits(false);
  topics.begin_reign(epoch);
  register_as(protocol::kMasterId);
  delays_->start();
}

void Broker::follow(std::int64_t id) {
  offsets.keep_local_commits(true);
  register_as(id);
}

// A planned stop loses nothing: whoever is elected next has all that was acknowledged, also by an
// asynchronous master.
void Broker::let_replicas_catch_up() {
  const ReplicaManager* const manager = replicas();
  const auto leading = manager != nullptr ? manager->leading() : nullptr;
  if (!leading) return;
  store->request_flush();
  const ConfirmedOffset end{store->appended().value().value};
  const SteadyTime deadline = std::chrono::steady_clock::now() + kCatchUpMax;
  std::function<net::Task<Result<>>()> wait = [&leading, end, deadline] {
    return net::await_at_least(leading->confirmed_mark(), end, deadline);
  };
  const Result<> all = net::run_blocking<Result<>>(threads.control(), std::move(wait));
  if (all) return;
  log::warn("replication", "stopping before the set has all of the log", kv("end", end.value),
            kv("confirmed", leading->confirmed().value), kv("why", all.error().message()));
}

void Broker::follow_tables_of(const std::string& master) { table_sync_.set_master(master); }

void Broker::follow_tables() { table_sync_.start(); }

void Broker::fail_with(const Error& why) {
  if (on_fatal_) on_fatal_(why);
}

}  // namespace rmq::roles::broker
