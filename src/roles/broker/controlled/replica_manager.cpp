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
using storage::MessageStore;

constexpr std::chrono::milliseconds kTick = 50ms;
constexpr std::chrono::milliseconds kRetry = 500ms;
constexpr std::chrono::milliseconds kAskMaster = 200ms;
constexpr std::chrono::milliseconds kAskMasterTimeout = 1s;

Error not_master(const char* why) {
  return {make_error_code(storage::StoreErrc::NoReign), std::string("not the master: ") + why};
}

replication::BrokerRoleConfig role_config() {
  return {.ask_interval = 200ms, .poll_interval = 1'000ms};
}

}  // namespace

ReplicaManager::ReplicaManager(Broker& broker, FileSystem& files)
    : broker_(broker),
      identity_(files, broker.config.store.root_directory,
                {broker.config.cluster_name, broker.config.broker_name}),
      epochs_(files, broker.config.store.root_directory),
      controllers_(broker.config, broker.outgoing, broker.threads.control()),
      sender_(broker.config, *broker.store, broker.cold_pulls, broker.threads),
      receiver_(broker.config, *broker.store, epochs_, broker.role_work, broker.threads,
                broker.clock, hooks()),
      waits_(broker.config.all_ack_in_sync_state_set ||
             broker.config.broker_role == BrokerRole::SyncMaster) {}

EpochReceiver::Hooks ReplicaManager::hooks() {
  return {.on_cut = [this](PhysicalOffset) { broker_.log_was_cut(); },
          .on_newer_epoch =
              [this](Epoch epoch) {
                if (!stopping_) perform(role_->on_peer_epoch(epoch));
              }};
}

Result<> ReplicaManager::load() {
  RMQ_CHECK(identity_.load());
  return epochs_.load(PhysicalOffset{broker_.store->appended().value().value});
}

Result<> ReplicaManager::listen(const std::string& address, std::uint16_t port) {
  return sender_.listen(address, port);
}

void ReplicaManager::start() {
  broker_.store->end_reign(not_master("no controller has said yet who is"));
  sender_.start();
  std::function<net::Task<>()> loop = [this] { return run(); };
  net::spawn(broker_.threads.control(), "replica manager", std::move(loop));
}

net::Task<> ReplicaManager::stop() {
  stopping_ = true;
  (void)co_await ended_.wait_until(SteadyTime::max());
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
  if (role_->sends_heartbeats() && now >= next_beat_) beat();
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

net::Task<> ReplicaManager::begin(replication::EndReign action) {
  log::warn("replication", "the reign ends", kv("epoch", action.epoch.value),
            kv("why", action.why));
  set_standing(Standing::Fenced);
  const Error why = not_master(action.why);
  if (const auto leading = this->leading()) {
    leading->end();
    confirmed_ = std::max(confirmed_, leading->confirmed());
  }
  set_leading(nullptr);
  acknowledged_.end_reign(why, ConfirmedOffset{});
  sender_.end_reign();
  std::function<Result<>()> end = [this, why]() -> Result<> {
    broker_.store->end_reign(why);
    broker_.stop_leading();
    return {};
  };
  const Result<> done = co_await net::run_on<void>(broker_.role_work, std::move(end));
  if (!done) fatal("the reign cannot be ended", done.error());
}

net::Task<> ReplicaManager::begin(replication::StopFollowing) {
  set_standing(Standing::Fenced);
  broker_.follow_tables_of({});
  co_await receiver_.stop_following();
  std::function<Result<>()> end = [this]() -> Result<> {
    broker_.store->end_reign(not_master("nobody is followed"));
    return {};
  };
  const Result<> done = co_await net::run_on<void>(broker_.role_work, std::move(end));
  if (!done) fatal("following cannot be ended", done.error());
}

net::Task<> ReplicaManager::begin(replication::StoreReign action) {
  const bool begins = action.begins && role_->epoch() == action.epoch;
  std::function<Result<>()> store = [this, epoch = action.epoch, begins]() -> Result<> {
    RMQ_CHECK(epochs_.see(epoch));
    if (!begins) return {};
    const PhysicalOffset end{broker_.store->appended().value().value};
    const PhysicalOffset start =
        replication::start_of_reign(epochs_.history(), broker_.store->min_physical(), end);
    return epochs_.begin(epoch, start);
  };
  const Result<> stored = co_await net::run_on<void>(broker_.role_work, std::move(store));
  if (!stored) {
    fatal("the epoch cannot be stored", stored.error());
    co_return;
  }
  perform(role_->on_stored(action.epoch));
}

net::Task<> ReplicaManager::begin(replication::BecomeMaster action) {
  const auto end = broker_.store->appended().value();
  std::function<Result<>()> lead = [this, end]() -> Result<> {
    // What consumers could read is confirmed; what came since waits for the set.
    const bool all = !followed_ && !was_master_;
    const auto shown = all ? std::optional(ConfirmedOffset{end.value}) : std::nullopt;
    RMQ_CHECK(broker_.store->begin_reign(MessageStore::Reign::Leading, {}, shown));
    broker_.prepare_leading();
    return {};
  };
  const Result<> begun = co_await net::run_on<void>(broker_.role_work, std::move(lead));
  if (!begun) {
    fatal("the reign cannot begin", begun.error());
    co_return;
  }
  was_master_ = true;
  const replication::EpochHistory history = epochs_.history();
  replication::ReignStart start;
  start.self = id_;
  start.epoch = action.reign.epoch;
  start.start = history.last()->start;
  confirmed_ = std::max(confirmed_, receiver_.confirmed());
  start.confirmed = PhysicalOffset{confirmed_.value};
  start.members = action.reign.members;
  start.set_epoch = action.reign.set_epoch;
  start.dead = action.reign.dead;
  const bool flushed = broker_.config.store.flush_disk_type == storage::FlushDiskType::Sync;
  acknowledged_.end_reign(not_master("a reign begins"), ConfirmedOffset{start.confirmed.value});
  auto leading = std::make_shared<LeadingReign>(set_config(), start, history, *broker_.store,
                                                acknowledged_, flushed);
  leading->on_set(action.reign);
  leading->note_own_log();
  set_leading(leading);
  sender_.lead(leading);
  log::info("replication", "this broker is the master", kv("epoch", start.epoch.value),
            kv("from", start.start.value), kv("set", replication::to_string(start.members)));
  set_standing(Standing::Master);
  broker_.lead(start.epoch.value);
}

net::Task<> ReplicaManager::begin(replication::Follow action) {
  std::function<net::Task<>()> find = [this, reign = action.reign] {
    return find_and_follow(reign);
  };
  net::spawn(broker_.threads.control(), "find master", std::move(find));
  co_return;
}

// The controller knows the master's address for clients; where its log is to be had it says itself.
net::Task<> ReplicaManager::find_and_follow(ReignInfo reign) {
  const auto current = [this, epoch = reign.epoch] {
    return !stopping_ && role_->is_slave_in(epoch);
  };
  while (current()) {
    const protocol::ExchangeBrokerHaInfoRequest header;
    protocol::Command question =
        protocol::make_request(protocol::RequestCode::ExchangeBrokerHaInfo, header);
    const auto answer = co_await broker_.outgoing.call(reign.master_address, std::move(question),
                                                       kAskMasterTimeout);
    if (!current()) co_return;
    if (answer && answer->code == 0) {
      const auto there =
          protocol::decode_fields<protocol::ExchangeBrokerHaInfoResponse>(answer->view());
      if (there && !there->master_ha_address.empty()) {
        log::info("replication", "following", kv("master", reign.master_address),
                  kv("epoch", reign.epoch.value));
        followed_ = true;
        receiver_.follow(id_, reign, std::string(there->master_ha_address), confirmed_);
        broker_.follow_tables_of(reign.master_address);
        set_standing(Standing::Slave);
        broker_.follow(id_);
        co_return;
      }
    }
    co_await net::sleep_for(kAskMaster);
  }
}

net::Task<> ReplicaManager::begin(replication::UpdateSet action) {
  if (const auto leading = this->leading()) leading->on_set(action.reign);
  co_return;
}

net::Task<> ReplicaManager::begin(replication::AskController) {
  if (std::exchange(asking_, true)) co_return;
  std::function<net::Task<>()> ask = [this] { return ask_reign(); };
  net::spawn(broker_.threads.control(), "ask controller", std::move(ask));
}

net::Task<> ReplicaManager::ask_reign() {
  const auto reign = co_await controllers_.ask_reign();
  asking_ = false;
  if (stopping_) co_return;
  if (reign) {
    perform(role_->on_reign(*reign));
  } else if (reign.error().code == protocol::ResponseCode::ControllerBrokerMetadataNotExist) {
    log::warn("replication", "controllers do not know this broker set any more");
  }
}

net::Task<> ReplicaManager::begin(replication::AskToElect action) {
  std::function<net::Task<>()> ask = [this, over = action.over] { return ask_to_elect(over); };
  net::spawn(broker_.threads.control(), "ask to elect", std::move(ask));
  co_return;
}

net::Task<> ReplicaManager::ask_to_elect(std::optional<Epoch> over) {
  const auto reign = co_await controllers_.elect(id_, over);
  if (reign && !stopping_) perform(role_->on_reign(*reign));
}

net::Task<> ReplicaManager::propose(replication::SetProposal proposal) {
  const auto reign = co_await controllers_.alter(proposal);
  proposing_ = false;
  if (stopping_) co_return;
  if (!reign) {
    log::info("replication", "the set stays as it is",
              kv("wanted", replication::to_string(proposal.members)),
              kv("why", reign.error().message()));
    perform({replication::AskController{}});
    co_return;
  }
  log::info("replication", "the set is", kv("members", replication::to_string(reign->members)),
            kv("set_epoch", reign->set_epoch.value));
  perform(role_->on_reign(*reign));
}

// inSyncReplicas is for sets without controllers: here the set itself says who counts, and shrinks
// when its members die.
replication::SyncSetConfig ReplicaManager::set_config() const {
  const BrokerConfig& config = broker_.config;
  replication::SyncSetConfig set;
  set.min_in_sync = waits_ ? static_cast<std::size_t>(config.min_in_sync_replicas) : 1;
  set.not_caught_up_max = config.ha_max_time_slave_not_catchup;
  return set;
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
