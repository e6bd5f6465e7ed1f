// StorePair: a store that leads, and one that gets its log by append_log().
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/store_fixture.h"

namespace rmq::test {

// A store that leads, and one that follows it.
struct StorePair {
  StoreFixture leader;
  StoreFixture follower;

  StorePair() {
    leader.open();
    open_follower();
  }

  void open_follower() {
    follower.store.reset();
    auto opened = storage::MessageStore::open(follower.config, *follower.files, follower.clock);
    REQUIRE(opened);
    follower.store = std::move(*opened);
    if (follower.listener) follower.store->on_arrival(follower.listener);
    if (follower.fatal) follower.store->on_fatal(follower.fatal);
    REQUIRE(follower.store->start(storage::MessageStore::Reign::Following));
  }

  // Enough for several segments, in several queues, with bodies of all sizes.
  void produce(int batches = 60) {
    for (int i = 0; i < batches; ++i) {
      std::vector<std::string> bodies;
      for (int j = 0; j < 5; ++j) {
        bodies.push_back("message " + std::to_string(number_) +
                         std::string(number_ * 7 % 900, 'x'));
        ++number_;
      }
      REQUIRE(leader.append("T" + std::to_string(i % 3), i % 2, bodies, "tag").outcome);
    }
    REQUIRE(leader.wait_dispatched());
  }

  std::int64_t leader_end() { return leader.store->appended().value().value; }
  std::int64_t follower_end() { return follower.store->appended().value().value; }

  // The leader's log from `from` on.
  Bytes log(std::int64_t from) {
    Bytes bytes;
    for (PhysicalOffset at{from};;) {
      const auto read = leader.store->read_log(at, 1000, storage::MayWait::Yes);
      REQUIRE(read);
      if (read->bytes.empty()) return bytes;
      bytes.insert(bytes.end(), read->bytes.begin(), read->bytes.end());
      at += static_cast<std::int64_t>(read->bytes.size());
    }
  }

  // Sends `bytes` in pieces of `piece`.
  Result<> feed(std::int64_t from, ByteView bytes, std::size_t piece) {
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      const std::size_t size = std::min(piece, bytes.size() - at);
      RMQ_CHECK(follower.store->append_log(PhysicalOffset{from + static_cast<std::int64_t>(at)},
                                           bytes.subspan(at, size)));
    }
    return {};
  }

  void catch_up(std::size_t piece = 4096) {
    const std::int64_t from = follower.store->resume_log().value;
    const Result<> fed = feed(from, log(from), piece);
    REQUIRE_MESSAGE(fed.has_value(), (fed ? "" : fed.error().message()));
    REQUIRE(follower.wait_dispatched());
  }

  void check_same() {
    CHECK(follower_end() == leader_end());
    CHECK(follower.store->queues() == leader.store->queues());
    for (const auto& [topic, queue] : leader.store->queues()) {
      CHECK(follower.bodies(topic, queue) == leader.bodies(topic, queue));
    }
    const std::int64_t segment = leader.config.commit_log_segment_bytes;
    const std::int64_t first = leader.store->min_physical().value;
    for (std::int64_t base = first; base < leader_end(); base += segment) {
      CHECK(contents(leader.segment_path(base)) == contents(follower.segment_path(base)));
    }
  }

  static Bytes contents(const std::string& path) {
    auto file = FileSystem::posix().open(path, OpenMode::Write);
    REQUIRE(file);
    Bytes bytes(static_cast<std::size_t>(*(*file)->size()));
    REQUIRE(*(*file)->pread(bytes, 0) == bytes.size());
    return bytes;
  }

 private:
  std::size_t number_ = 0;
};

}  // namespace rmq::test
