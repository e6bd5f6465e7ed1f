// What a broker is, master or slave, and what changes when controllers make it the other.
#include <utility>

#include "base/log.h"
#include "protocol/response_codes.h"
#include "protocol/route_body.h"
#include "roles/broker/broker.h"
#include "roles/broker/broker_service.h"
#include "roles/broker/controlled/replica_manager.h"

namespace rmq::roles::broker {

bool Broker::is_slave() const {
  if (replicas_) return replicas_->standing() != ReplicaManager::Standing::Master;
  return config.broker_role == BrokerRole::Slave;
}

bool Broker::is_fenced() const {
  return replicas_ && replicas_->standing() == ReplicaManager::Standing::Fenced;
}

bool Broker::follows() const {
  if (replicas_) return replicas_->receiver().connected();
  return receiver_ && receiver_->connected();
}

bool Broker::waits_for_replicas() const {
  return replicas_ ? replicas_->waits() : slaves.needed() > 1;
}

// Without controllers.
std::size_t Broker::needed_replicas() const {
  const bool waits = config.broker_role == BrokerRole::SyncMaster;
  return waits ? static_cast<std::size_t>(config.in_sync_replicas) : 1;
}

Result<> Broker::check_role_change(const BrokerConfig& next) const {
  const bool slave = next.broker_role == BrokerRole::Slave;
  if (slave == (config.broker_role == BrokerRole::Slave)) return {};
  return fail(protocol::ResponseCode::SystemError,
              "brokerRole can only be changed between ASYNC_MASTER and SYNC_MASTER without a "
              "restart");
}

void Broker::role_settings_changed() {
  if (replicas_) return replicas_->settings_changed();
  slaves.set_needed(needed_replicas(),
                    [this] { return ConfirmedOffset{store->appended().value().value}; });
}

Watermark<ConfirmedOffset>& Broker::replicated() {
  return replicas_ ? replicas_->acknowledged() : slaves.confirmed();
}

void Broker::note_own_log() {
  if (!replicas_) return;
  if (const auto leading = replicas_->leading()) leading->note_own_log();
}

Result<> Broker::listen_for_replicas(std::uint16_t port) {
  if (replicas_) return replicas_->listen(config.listen_address, port);
  sender_.emplace(config, *store, slaves, cold_pulls, threads);
  return sender_->listen(config.listen_address, port);
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

void Broker::follow_tables_of(const std::string& master) { table_sync_.set_master(master); }

void Broker::fail_with(const Error& why) {
  if (on_fatal_) on_fatal_(why);
}

}  // namespace rmq::roles::broker
