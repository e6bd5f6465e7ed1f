// ControllerStoreFixture: a ControllerStore from a test's thread, and sets to put into it.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "net/await.h"
#include "roles/controller/controller_store.h"
#include "tests/support/temp_directory.h"

namespace rmq::test {

using roles::controller::ControllerStore;

struct ControllerStoreFixture {
  ControllerStoreFixture() { threads.start(); }
  ~ControllerStoreFixture() { threads.stop(); }

  template <class T>
  Result<T> run(std::function<net::Task<Result<T>>()> start) {
    return net::run_blocking<Result<T>>(threads.control(), std::move(start));
  }
  Result<bool> swap(ControllerStore& store, const replication::BrokerSet& set) {
    return run<bool>([&] { return store.swap(set); });
  }
  std::optional<replication::BrokerSet> load(ControllerStore& store, const std::string& name) {
    const auto set = run<std::optional<replication::BrokerSet>>([&] { return store.load(name); });
    REQUIRE(set);
    return *set;
  }
  std::vector<replication::BrokerSet> list(ControllerStore& store) {
    const auto sets = run<std::vector<replication::BrokerSet>>([&] { return store.list(); });
    REQUIRE(sets);
    return *sets;
  }

  test::TempDirectory directory;
  net::IoThreads threads{1};
};

inline replication::BrokerSet set_of(const std::string& name, std::uint64_t version) {
  replication::BrokerSet set;
  set.cluster = "c";
  set.name = name;
  set.version = version;
  set.replicas[1] = {"10.0.0.1:10911", "10.0.0.1:10911;17"};
  set.replicas[3] = {"", "\"quoted\"\n"};
  set.master = 3;
  set.epoch = replication::Epoch{7};
  set.members = {1, 3};
  set.set_epoch = replication::SetEpoch{9};
  set.next_id = 4;
  return set;
}

}  // namespace rmq::test
