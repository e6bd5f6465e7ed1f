// EpochMember: one replica of a broker set under a controller, without the broker around it: a
// store, its epoch file and both ends of the epoch stream. The test is the controller.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/blocking_pool.h"
#include "net/await.h"
#include "roles/broker/replication/epoch_file.h"
#include "roles/broker/replication/epoch_receiver.h"
#include "roles/broker/replication/epoch_sender.h"
#include "tests/support/store_fixture.h"

namespace rmq::test {

// How long a test waits for what must happen.
inline constexpr std::chrono::seconds kPatience{20};

// Waits until `mark` has reached `at`.
template <class Offset>
void await_mark(Watermark<Offset>& mark, std::int64_t at) {
  const auto told = std::make_shared<std::promise<Result<>>>();
  auto future = told->get_future();
  mark.when_at_least(Offset{at}, [told](Result<> outcome) { told->set_value(std::move(outcome)); });
  REQUIRE(future.wait_for(kPatience) == std::future_status::ready);
  const Result<> outcome = future.get();
  REQUIRE_MESSAGE(outcome.has_value(), (outcome ? "" : outcome.error().message()));
}

// Told things on any thread, for the test to take one after the other.
template <class T>
class Told {
 public:
  void tell(T value) {
    {
      MutexLock lock(mutex_);
      all_.push_back(std::move(value));
    }
    changed_.notify_all();
  }
  // Waits for the next one.
  T take() {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    MutexLock lock(mutex_);
    while (all_.empty()) REQUIRE(changed_.wait_until(mutex_, deadline));
    T value = std::move(all_.front());
    all_.erase(all_.begin());
    return value;
  }
  std::size_t size() {
    MutexLock lock(mutex_);
    return all_.size();
  }

 private:
  Mutex mutex_;
  Condition changed_;
  std::vector<T> all_ RMQ_GUARDED_BY(mutex_);
};

class EpochMember {
 public:
  using ReplicaId = replication::ReplicaId;
  using Epoch = replication::Epoch;
  using LeadingReign = roles::broker::LeadingReign;

  explicit EpochMember(ReplicaId replica,
                       std::function<void(roles::broker::BrokerConfig&)> set = {})
      : id(replica) {
    config.store = fixture.config;
    config.ha_send_heartbeat_interval = std::chrono::milliseconds(100);
    if (set) set(config);
    fixture.config = config.store;
    fixture.open();
    REQUIRE(epochs.load(end()));
    threads.start();
    sender.emplace(config, store(), disk, threads);
    REQUIRE(sender->listen("127.0.0.1", 0));
    sender->start();
    roles::broker::EpochReceiver::Hooks hooks;
    hooks.on_cut = [this](PhysicalOffset at) { cuts.tell(at); };
    hooks.on_newer_epoch = [this](Epoch epoch) { newer.tell(epoch); };
    receiver.emplace(config, store(), epochs, disk, threads, Clock::system(), std::move(hooks));
  }
  ~EpochMember() {
    stop_following();
    sender->stop();
    disk.stop();
    threads.stop();
    if (reign) reign->end();
    fixture.stop();
  }

  storage::MessageStore& store() { return *fixture.store; }
  PhysicalOffset end() { return PhysicalOffset{store().appended().value().value}; }
  std::string ha_address() const { return "127.0.0.1:" + std::to_string(sender->port()); }

  void lead(Epoch epoch, replication::ReplicaIds members, replication::SyncSetConfig rules = {}) {
    stop_following();
    const ConfirmedOffset known = receiver->confirmed();
    store().end_reign(over());
    REQUIRE(store().begin_reign(storage::MessageStore::Reign::Leading, {}, known));
    acknowledged.end_reign(over(), known);
    REQUIRE(epochs.begin(epoch, start_of_reign(epochs.history(), store().min_physical(), end())));
    replication::ReignStart start;
    start.self = id;
    start.epoch = epoch;
    start.start = epochs.history().last()->start;
    start.confirmed = PhysicalOffset{known.value};
    start.members = members;
    start.set_epoch = replication::SetEpoch{1};
    const bool flushed = config.store.flush_disk_type == storage::FlushDiskType::Sync;
    reign = std::make_shared<LeadingReign>(rules, start, epochs.history(), store(), acknowledged,
                                           flushed);
    set(epoch, std::move(members), 1);
    sender->lead(reign);
  }
  // The controller's word.
  void set(Epoch epoch, replication::ReplicaIds members, std::int32_t set_epoch) {
    replication::ReignInfo info;
    info.master = id;
    info.epoch = epoch;
    info.members = std::move(members);
    info.set_epoch = replication::SetEpoch{set_epoch};
    info.replicas = {1, 2, 3};
    reign->on_set(info);
  }
  void end_lead() {
    reign->end();
    sender->end_reign();
    acknowledged.end_reign(over());
    store().end_reign(over());
  }
  void follow(EpochMember& master) { follow(master.ha_address(), master.reign->epoch()); }
  void follow(const std::string& address, Epoch epoch) {
    const ConfirmedOffset known = reign ? reign->confirmed() : ConfirmedOffset{};
    on_control([this, address, epoch, known] {
      replication::ReignInfo info;
      info.epoch = epoch;
      receiver->follow(id, info, address, known);
    });
  }
  void stop_following() {
    std::function<net::Task<>()> stop = [this] { return receiver->stop_following(); };
    net::run_blocking<void>(threads.control(), stop);
  }
  void on_control(std::function<void()> work) {
    std::promise<void> done;
    threads.control().post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  // Appends as a sender does; where the record ends.
  std::int64_t append(const std::string& body, QueueId queue = 0) {
    const Appended appended = fixture.append("T", queue, {body}, "tag");
    REQUIRE_MESSAGE(appended.outcome.has_value(),
                    (appended.outcome ? "" : appended.outcome.error().message()));
    reign->note_own_log();
    return appended.end.value;
  }

  static Error over() {
    return {std::make_error_code(std::errc::operation_canceled), "the reign is over"};
  }

  const ReplicaId id;
  StoreFixture fixture;
  roles::broker::BrokerConfig config;
  roles::broker::EpochFile epochs{FileSystem::posix(), fixture.config.root_directory};
  Watermark<ConfirmedOffset> acknowledged;
  net::IoThreads threads{2};
  BlockingPool disk;
  std::shared_ptr<LeadingReign> reign;
  std::optional<roles::broker::EpochSender> sender;
  std::optional<roles::broker::EpochReceiver> receiver;
  Told<PhysicalOffset> cuts;
  Told<Epoch> newer;
};

// Log and queues of both are the same.
inline void check_same(EpochMember& a, EpochMember& b) {
  CHECK(a.end() == b.end());
  CHECK(a.epochs.history() == b.epochs.history());
  CHECK(a.store().queues() == b.store().queues());
  for (const auto& [topic, queue] : a.store().queues()) {
    CHECK(a.fixture.bodies(topic, queue) == b.fixture.bodies(topic, queue));
  }
  for (PhysicalOffset at = a.store().min_physical(); at < a.end();) {
    const auto one = a.store().read_log(at, 1 << 20, storage::MayWait::Yes);
    const auto other = b.store().read_log(at, 1 << 20, storage::MayWait::Yes);
    REQUIRE(one);
    REQUIRE(other);
    REQUIRE_FALSE(one->bytes.empty());
    REQUIRE(
        std::equal(one->bytes.begin(), one->bytes.end(), other->bytes.begin(), other->bytes.end()));
    at += static_cast<std::int64_t>(one->bytes.size());
  }
}

}  // namespace rmq::test
