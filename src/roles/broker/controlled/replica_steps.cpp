// What ReplicaManager does when its role changes: one step for each action of
// replication::BrokerRole, in order, and the questions that it asks then.
#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "net/await_pool.h"
#include "protocol/header_fields.h"
#include "protocol/replica.h"
#include "protocol/request_codes.h"
#include "protocol/response_codes.h"
#include "roles/broker/broker.h"
#include "roles/broker/controlled/replica_manager.h"
#include "storage/disk_full.h"

namespace rmq::roles::broker {
namespace {

using namespace std::chrono_literals;
using replication::Epoch;
using replication::ReignInfo;
using storage::MessageStore;

constexpr std::chrono::milliseconds kAskMaster = 200ms;
constexpr std::chrono::milliseconds kAskMasterTimeout = 1s;
// How soon a full disk is tried again.
constexpr std::chrono::milliseconds kRoomPause = 500ms;

}  // namespace

net::Task<Result<>> ReplicaManager::on_disk(Epoch epoch, const char* what,
                                            std::function<Result<>()> work) {
  for (;;) {
    std::function<Result<>()> attempt = work;
    const Result<> done = co_await net::run_on<void>(broker_.role_work, std::move(attempt));
    const bool wanted_room = std::exchange(wants_room_, !done && storage::wants_room(done.error()));
    if (!wants_room_) {
      if (!done) fatal(what, done.error());
      co_return done;
    }
    if (!wanted_room) {
      log::error("replication", "the disk is full: this broker neither leads nor follows",
                 kv("epoch", epoch.value), kv("what", what), kv("why", done.error().message()));
    }
    co_await net::sleep_for(kRoomPause);
    if (stopping_ || role_->epoch() != epoch) {
      wants_room_ = false;
      co_return fail(storage::StoreErrc::NoReign);
    }
  }
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
  acknowledged_.end_reign(why);
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
    // The first reign over a log that slaves have copied takes over their logs too, which may go
    // further back.
    const PhysicalOffset begin =
        beginning_ == Beginning::Live ? PhysicalOffset{} : broker_.store->min_physical();
    const PhysicalOffset start = replication::start_of_reign(epochs_.history(), begin, end);
    return epochs_.begin(epoch, start);
  };
  const Result<> stored =
      co_await on_disk(action.epoch, "the epoch cannot be stored", std::move(store));
  if (stored) perform(role_->on_stored(action.epoch));
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
  const Result<> begun =
      co_await on_disk(action.reign.epoch, "the reign cannot begin", std::move(lead));
  if (!begun) co_return;
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
  set.min_in_sync = waits() ? static_cast<std::size_t>(config.min_in_sync_replicas) : 1;
  set.not_caught_up_max = config.ha_max_time_slave_not_catchup;
  return set;
}

}  // namespace rmq::roles::broker
