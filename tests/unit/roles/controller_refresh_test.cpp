// What a controller makes of broker sets that another one of its group has changed.
#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/controller_fixture.h"

namespace rmq::roles::controller {
namespace {

using replication::BrokerSet;

// What several controllers share, one of them the test. It lives as long as who reads it.
struct Shared {
  Mutex mutex;
  std::map<std::string, BrokerSet> sets RMQ_GUARDED_BY(mutex);

  void put(const BrokerSet& set) {
    MutexLock lock(mutex);
    sets[set.name] = set;
  }
};

class SharedStore final : public ControllerStore {
 public:
  explicit SharedStore(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  Result<> open() override { return {}; }
  bool is_shared() const override { return true; }
  net::Task<Result<std::optional<BrokerSet>>> load(std::string name) override {
    MutexLock lock(shared_->mutex);
    const auto found = shared_->sets.find(name);
    if (found == shared_->sets.end()) co_return std::optional<BrokerSet>();
    co_return std::optional<BrokerSet>(found->second);
  }
  net::Task<Result<std::vector<BrokerSet>>> list() override {
    MutexLock lock(shared_->mutex);
    std::vector<BrokerSet> sets;
    for (const auto& [name, set] : shared_->sets) sets.push_back(set);
    co_return sets;
  }
  net::Task<Result<bool>> swap(BrokerSet next) override {
    MutexLock lock(shared_->mutex);
    BrokerSet& now = shared_->sets[next.name];
    if (now.version + 1 != next.version) co_return false;
    now = std::move(next);
    co_return true;
  }
  net::Task<Result<bool>> remove(std::string name, std::uint64_t version) override {
    MutexLock lock(shared_->mutex);
    const auto found = shared_->sets.find(name);
    if (found == shared_->sets.end() || found->second.version != version) co_return false;
    shared_->sets.erase(found);
    co_return true;
  }

 private:
  const std::shared_ptr<Shared> shared_;
};

struct SharingFixture : ControllerFixture {
  // Another controller has registered them, and 1 is their master.
  void register_elsewhere() {
    BrokerSet set;
    set.cluster = "c";
    set.name = "b";
    set.replicas = {{1, {first->address, "1"}}, {2, {second->address, "2"}}};
    set.master = 1;
    set.epoch = replication::Epoch{1};
    set.members = {1, 2};
    set.set_epoch = replication::SetEpoch{2};
    set.next_id = 3;
    set.version = 4;
    shared->put(set);
  }
  // Returns when the controller has read of them, and so takes 2 for alive.
  void wait_until_read() {
    for (;;) {
      const Command answer = ask(RequestCode::ControllerGetSyncStateData, NoFields{}, R"(["b"])");
      const auto sets = protocol::decode_replicas(text(answer));
      REQUIRE(sets);
      if (sets->at("b").in_sync.at(1).alive) return;
    }
  }

  const std::shared_ptr<Shared> shared = std::make_shared<Shared>();
};

}  // namespace

TEST_CASE_FIXTURE(SharingFixture,
                  "controller: a broker that was heard before it was known here counts as heard") {
  start(std::make_unique<SharedStore>(shared));
  first = std::make_unique<Replica>(1);
  second = std::make_unique<Replica>(2);
  REQUIRE(is(beat(*first), ResponseCode::Success));
  REQUIRE(is(beat(*second), ResponseCode::Success));
  register_elsewhere();
  SUBCASE("it dies later") { wait_until_read(); }
  SUBCASE("it dies in between") {}
  first->die();
  // At once: the clock stands still.
  wait_for_reign("2 epoch 2 {1,2} 3");
}

TEST_CASE_FIXTURE(
    SharingFixture,
    "controller: a heartbeat that is too old when its broker gets known is forgotten") {
  start(std::make_unique<SharedStore>(shared));
  first = std::make_unique<Replica>(1);
  second = std::make_unique<Replica>(2);
  second->timeout_ms = 600'000;
  REQUIRE(is(beat(*first), ResponseCode::Success));
  REQUIRE(is(beat(*second), ResponseCode::Success));
  clock.advance(std::chrono::milliseconds(first->timeout_ms));
  register_elsewhere();
  wait_until_read();
  // It has the time that somebody has who was never heard of.
  clock.advance(config.first_heartbeat_timeout - 1ms);
  let_it_look();
  CHECK(reign() == "1 epoch 1 {1,2} 2");
  clock.advance(1ms);
  wait_for_reign("2 epoch 2 {1,2} 3");
}

}  // namespace rmq::roles::controller
