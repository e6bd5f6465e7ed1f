#include "roles/broker/controlled/replica_manager.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "base/log.h"
#include "net/await_pool.h"
#include "protocol/header_fields.h"
#include "protocol/replica.h"
#include "protocol/request_codes.h"
#include "protocol/response_codes.h"
#include "roles/broker/broker.h"

namespace rmq::roles::broker {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;
using replication::Epoch;
using replication::ReignInfo;
using replication::Role;
using replication::RoleAction;

constexpr std::chrono::milliseconds kTick = 50ms;
constexpr std::chrono::milliseconds kRetry = 500ms;

replication::BrokerRoleConfig role_config() {
  return {.ask_interval = 200ms, .poll_interval = 1'000ms};
}

}  // namespace

ReplicaManager::ReplicaManager(Broker& broker, FileSystem& files, Beginning beginning)
    : broker_(broker),
      identity_(files, broker.config.store.root_directory,
                {broker.config.cluster_name, broker.config.broker_name}),
      epochs_(files, broker.config.store.root_directory),
      controllers_(broker.config, broker.outgoing, broker.threads.control()),
      sender_(broker.config, *broker.store, broker.cold_pulls, broker.threads),
      receiver_(broker.config, *broker.store, epochs_, broker.role_work, broker.threads,
                broker.clock, hooks()),
      beginning_(beginning) {}

EpochReceiver::Hooks ReplicaManager::hooks() {
  return {.on_cut = [this](PhysicalOffset) { broker_.log_was_cut(); },
          .on_newer_epoch =
              [this](Epoch epoch) {
                if (!stopping_) perform(role_->on_peer_epoch(epoch));
              }};
}

Result<> ReplicaManager::load() {
  RMQ_CHECK(identity_.load());
  RMQ_CHECK(epochs_.load(PhysicalOffset{broker_.store->appended().value().value}));
  // One that has seen a reign has lost its epochs, and may have what no master has.
  const bool never_controlled = epochs_.seen() == Epoch{};
  if (never_controlled && broker_.config.broker_role == BrokerRole::Slave) receiver_.log_is_copy();
  return {};
}

net::Task<Result<>> ReplicaManager::reach_controllers() {
  const auto next = co_await controllers_.next_id();
  if (!next) co_return fail(next.error());
  co_return Result<>{};
}

Result<> ReplicaManager::forget() {
  RMQ_CHECK(identity_.forget());
  return epochs_.forget();
}

Result<> ReplicaManager::listen(const std::string& address, std::uint16_t port) {
  return sender_.listen(address, port);
}

void ReplicaManager::start() {
  started_ = true;
  broker_.store->end_reign(not_master("no controller has said yet who is"));
  sender_.start();
  std::function<net::Task<>()> loop = [this] { return run(); };
  net::spawn(broker_.threads.control(), "replica manager", std::move(loop));
}

net::Task<> ReplicaManager::stop() {
  stopping_ = true;
  if (started_) (void)co_await ended_.wait_until(SteadyTime::max());
  if (working_) (void)co_await idle_.wait_until(SteadyTime::max());
  if (const auto leading = this->leading()) leading->end();
  sender_.stop();
  co_await receiver_.stop_following();
}

net::Task<bool> ReplicaManager::settled(SteadyTime deadline) {
  const net::Event settled = settled_;
  co_return co_await settled.wait_until(deadline);
}

// --- What goes on all the time

net::Task<> ReplicaManager::run() {
  co_await take_id();
  if (!stopping_) {
    id_ = *identity_.id();
    role_.emplace(role_config(), *identity_.id(), epochs_.seen());
    co_await register_broker();
  }
  while (!stopping_) {
    tick();
    co_await net::sleep_for(kTick);
  }
  ended_.set();
}

net::Task<> ReplicaManager::take_id() {
  std::string failure;
  while (!stopping_ && !identity_.id()) {
    const Result<> taken = co_await take_id_once();
    if (taken) continue;
    if (taken.error().message() != failure) {
      failure = taken.error().message();
      log::warn("replication", "no controller gives this broker an id yet",
                kv("controllers", broker_.config.controller_addr), kv("why", failure));
    }
    co_await net::sleep_for(kRetry);
  }
}

net::Task<Result<>> ReplicaManager::take_id_once() {
  if (!identity_.application()) {
    RMQ_CO_TRY(const replication::ReplicaId next, co_await controllers_.next_id());
    ReplicaIdentity::Application application;
    application.id = next;
    application.check_code = broker_.address() + ";" + std::to_string(broker_.clock.now_ms());
    RMQ_CO_CHECK(identity_.apply(std::move(application)));
  }
  const ReplicaIdentity::Application asked = *identity_.application();
  const Result<> given = co_await controllers_.apply_id(asked.id, asked.check_code);
  if (!given) {
    const bool taken = given.error().code == protocol::ResponseCode::ControllerBrokerIdInvalid;
    if (taken) {
      RMQ_CO_CHECK(identity_.give_up());
    }
    co_return given;
  }
  RMQ_CO_CHECK(identity_.accept());
  log::info("replication", "controllers know this broker as", kv("id", *identity_.id()));
  co_return Result<>{};
}

net::Task<> ReplicaManager::register_broker() {
  std::string failure;
  while (!stopping_) {
    const auto reign = co_await controllers_.register_broker(id_, broker_.address());
    if (reign) {
      // Heard of before an election may be asked for.
      beat();
      perform(role_->on_registered(*reign));
      co_return;
    }
    if (reign.error().message() != failure) {
      failure = reign.error().message();
      log::warn("replication", "no controller takes this broker yet", kv("why", failure));
    }
    co_await net::sleep_for(kRetry);
  }
}

void ReplicaManager::tick() {
  const SteadyTime now = SteadyClock::now();
  perform(role_->tick(now));
  if (role_->sends_heartbeats() && !wants_room_ && now >= next_beat_) beat();
  const auto leading = this->leading();
  if (!leading) return;
  leading->note_own_log();
  const auto proposal = leading->tick();
  if (!proposal || proposing_) return;
  proposing_ = true;
  std::function<net::Task<>()> ask = [this, wanted = *proposal] { return propose(wanted); };
  net::spawn(broker_.threads.control(), "propose set", std::move(ask));
}

void ReplicaManager::beat() {
  next_beat_ = SteadyClock::now() + broker_.config.broker_heartbeat_interval;
  const auto last = epochs_.history().last();
  const auto leading = this->leading();
  ControllerClient::Beat beat;
  beat.id = id_;
  beat.address = broker_.address();
  beat.epoch = last ? last->epoch : Epoch{};
  beat.end = PhysicalOffset{broker_.store->appended().value().value};
  beat.confirmed =
      PhysicalOffset{leading ? leading->confirmed().value : receiver_.confirmed().value};
  controllers_.beat(beat);
}

void ReplicaManager::on_notice(const ReignInfo& reign) {
  if (role_ && !stopping_) perform(role_->on_reign(reign));
}

void ReplicaManager::settings_changed() {
  if (const auto leading = this->leading()) leading->set_min_in_sync(set_config().min_in_sync);
}

void ReplicaManager::sample() {
  if (const auto leading = this->leading()) leading->sample();
  receiver_.sample();
}

bool ReplicaManager::has_slaves() const {
  const auto leading = this->leading();
  return leading && leading->has_peers();
}

// For the SyncStateSet.
bool ReplicaManager::waits() const {
  const BrokerConfig& config = broker_.config;
  return config.all_ack_in_sync_state_set || config.broker_role == BrokerRole::SyncMaster;
}

// Without a reign the store refuses.
bool ReplicaManager::has_enough() const {
  const auto leading = waits() ? this->leading() : nullptr;
  return !leading || leading->may_write();
}

void ReplicaManager::note_own_log() {
  if (const auto leading = this->leading()) leading->note_own_log();
}

protocol::HaStatus ReplicaManager::ha_status() const {
  const PhysicalOffset end{broker_.store->appended().value().value};
  const auto leading = this->leading();
  if (!leading) return slave_status(receiver_.status(), end);
  protocol::HaStatus status;
  status.is_master = true;
  status.log_end = end.value;
  for (const LeadingReign::Peer& peer : leading->peers()) {
    status.slaves.push_back({.address = peer.address,
                             .acked = peer.acked.value,
                             .behind = end - peer.acked,
                             .in_sync = peer.in_set,
                             .next = peer.sent.value,
                             .bytes_per_second = peer.sent_in_second});
  }
  return status;
}

void ReplicaManager::on_log_failed() {
  if (role_ && !stopping_) perform(role_->on_log_failed());
}

// --- What is decided is done in order

void ReplicaManager::perform(replication::RoleActions actions) {
  for (RoleAction& action : actions) actions_.push_back(std::move(action));
  if (working_ || actions_.empty()) return;
  working_ = true;
  idle_ = net::Event();
  std::function<net::Task<>()> loop = [this] { return work(); };
  net::spawn(broker_.threads.control(), "role", std::move(loop));
}

net::Task<> ReplicaManager::work() {
  while (!actions_.empty() && !stopping_) {
    RoleAction action = std::move(actions_.front());
    actions_.pop_front();
    net::Task<> step = std::visit([this](auto& what) { return begin(std::move(what)); }, action);
    co_await std::move(step);
  }
  working_ = false;
  idle_.set();
}

Error ReplicaManager::not_master(const char* why) {
  return {make_error_code(storage::StoreErrc::NoReign), std::string("not the master: ") + why};
}

std::shared_ptr<LeadingReign> ReplicaManager::leading() const {
  MutexLock lock(leading_mutex_);
  return leading_;
}

void ReplicaManager::set_leading(std::shared_ptr<LeadingReign> leading) {
  MutexLock lock(leading_mutex_);
  leading_.swap(leading);
}

void ReplicaManager::set_standing(Standing standing) {
  standing_.store(standing, std::memory_order_release);
  if (standing != Standing::Fenced) settled_.set();
}

void ReplicaManager::fatal(const char* what, const Error& why) {
  log::error("replication", what, kv("why", why.message()));
  broker_.fail_with(why);
}

}  // namespace rmq::roles::broker
