// PairRun: a store that leads and one that follows it, which change places and die, on files in
// memory each; and what must be true of both.
//
// What must hold:
//   - the log of the store that follows is a beginning of the other one's bytes, and has what it
//   had acknowledged: appended bytes after the death of the process, under sync flush flushed ones
//   after a power cut too;
//   - a store that follows, and leads from now on, has all that it had, and gives the next numbers;
//   - a log that was cut has what was flushed before the cut, and nothing behind it comes back: in
//   the end both logs, all queues and the index are the same.
// Threads: the test's; the stores have their own.
#pragma once

#include <doctest/doctest.h>

#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "storage/block_sums.h"
#include "tests/crash/diverged_files.h"
#include "tests/support/crash_file_system.h"
#include "tests/support/store_fixture.h"

namespace rmq::test {

class PairRun {
 public:
  using Reign = storage::MessageStore::Reign;

  PairRun(storage::FlushDiskType flush, std::uint64_t seed) : random_(seed) {
    for (Side* side : {&first_, &second_}) {
      storage::StoreConfig& config = side->fixture.config;
      side->fixture.files = &side->files;
      config.root_directory = "/store";
      config.flush_disk_type = flush;
      config.commit_log_segment_bytes = 4 * 1024;
      config.consume_queue_file_bytes = 20 * 16;
      config.index_slots_per_file = 16;
      config.index_entries_per_file = 64;
      config.flush_interval = std::chrono::milliseconds(1);
      config.flush_consume_queue_interval = std::chrono::milliseconds(1);
      config.delete_when = "";
      config.block_checksums_enable = true;
      config.block_checksums_interval = std::chrono::milliseconds(1);
    }
    REQUIRE(open(*leader_, Reign::Leading));
    REQUIRE(open(*follower_, Reign::Following));
  }

  // Messages come, and some of the log goes over; the store that follows may die on the way.
  void use(int turns) {
    if (random_() % 2 == 0) plan_death(*follower_, 150);
    for (int turn = 0; turn < turns; ++turn) {
      if (random_() % 3 != 0) send();
      if (random_() % 4 != 0) copy(1 + random_() % 5, 1 + random_() % 3000);
      if (!follower_->files.dead()) continue;
      restart_follower();
      if (random_() % 2 == 0) plan_death(*follower_, 150);
    }
    // It lives on.
    disarm(*follower_);
    if (follower_->files.dead()) restart_follower();
  }

  // Messages come that the store that follows does not get.
  void diverge(int turns) {
    for (int turn = 0; turn < turns; ++turn) send();
  }

  // The store that follows leads from now on; the other one, which lives or dies meanwhile, gives
  // up what only it has, and follows. It may die while it does, at the `nth` change; 0: it does
  // not. True when it died there.
  bool change_places(std::int64_t nth, CrashFileSystem::Plan plan, Death death) {
    const std::int64_t common = end_of(*follower_);
    std::swap(leader_, follower_);
    leader_->store().end_reign(over());
    require(leader_->store().begin_reign(Reign::Leading), "lead");
    Side& old = *follower_;
    if (nth == 0 && random_() % 2 == 0) {
      restart(old, random_() % 2 == 0 ? Death::Process : Death::Power);
    } else {
      old.store().end_reign(over());
      REQUIRE(old.store().begin_reign(Reign::Following));
    }
    for (int i = 0; i < 5; ++i) send();
    plan.nth = nth;
    if (nth > 0) old.files.plan_death(plan);
    const bool died = !cut(old, common);
    disarm(old);
    if (old.files.dead()) {
      restart(old, death);
      REQUIRE(cut(old, common));
    }
    note(old);
    copied_ = old.store().resume_log();
    return died;
  }

  // Everything goes over; then both are the same.
  void check_same() {
    while (copied_.value < end_of(*leader_)) copy(100, 3000);
    REQUIRE(end_of(*follower_) == end_of(*leader_));
    REQUIRE(log_bytes(follower_->store(), PhysicalOffset{0}) ==
            log_bytes(leader_->store(), PhysicalOffset{0}));
    for (Side* side : {leader_, follower_}) {
      const std::int64_t end = end_of(*side);
      REQUIRE(wait_for(side->store().dispatched(), DispatchedOffset{end}));
      REQUIRE(wait_for(side->store().indexed(), IndexedOffset{end}));
      check_diverged(side->files, side->fixture.layout().diverged(), side->kept);
      check_sums(*side);
    }
    for (QueueId id = 0; id < kQueues; ++id) {
      CAPTURE(id);
      const std::vector<std::string> bodies = leader_->fixture.bodies(kTopic, id);
      CHECK(bodies == follower_->fixture.bodies(kTopic, id));
      CHECK(leader_->store().visible_end(kTopic, id).value ==
            static_cast<std::int64_t>(bodies.size()));
      for (std::size_t i = bodies.size() - std::min<std::size_t>(bodies.size(), 5);
           i < bodies.size(); ++i) {
        check_key(*leader_, bodies[i]);
        check_key(*follower_, bodies[i]);
      }
    }
  }

  // The store that follows dies, and has what it had acknowledged.
  void kill_follower(Death death) {
    restart(*follower_, death);
    copied_ = follower_->store().resume_log();
  }

  std::uint64_t random() { return random_(); }

 private:
  struct Side {
    CrashFileSystem files;
    StoreFixture fixture;
    std::int64_t acknowledged = 0;  // the log ended there, and somebody was told
    std::int64_t flushed = 0;
    std::vector<Kept> kept{};

    storage::MessageStore& store() { return *fixture.store; }
  };
  static constexpr const char* kTopic = "T";
  static constexpr QueueId kQueues = 3;

  static Error over() { return {std::make_error_code(std::errc::operation_canceled), "over"}; }
  static void require(const Result<>& outcome, const char* what) {
    if (!outcome) FAIL(what << ": " << outcome.error().message());
  }
  static std::int64_t end_of(Side& side) { return side.store().appended().value().value; }

  static Result<> open(Side& side, Reign reign) {
    auto opened = storage::MessageStore::open(side.fixture.config, side.files, side.fixture.clock);
    if (!opened) return fail(opened.error());
    side.fixture.store = std::move(*opened);
    return side.fixture.store->start(reign);
  }

  void plan_death(Side& side, std::uint64_t changes) {
    CrashFileSystem::Plan plan;
    plan.nth = 1 + static_cast<std::int64_t>(random_() % changes);
    plan.moment = static_cast<Moment>(random_() % 3);
    side.files.plan_death(plan);
  }

  static std::string cuts_of(const Side& side) {
    std::string text;
    for (const Kept& one : side.kept) {
      text += std::to_string(one.from.value) + "-" + std::to_string(one.to.value) + " ";
    }
    return text;
  }

  static void disarm(Side& side) {
    side.files.plan_death({"no file has this name", Change::Write, 1, Moment::Before});
  }

  static void note(Side& side) {
    side.acknowledged = end_of(side);
    side.flushed = side.store().flushed().value().value;
  }

  // It dies, if it has not yet, and follows then.
  void restart(Side& side, Death death) {
    if (!side.files.dead()) note(side);
    const std::string where = side.files.died_at();
    const std::string cuts = cuts_of(side);
    CAPTURE(where);
    CAPTURE(cuts);
    CAPTURE(static_cast<int>(death));
    side.files.die();
    side.fixture.kill();
    side.files.restart(death, random_);
    require(open(side, Reign::Following), "open");
    CHECK(end_of(side) >= (death == Death::Process ? side.acknowledged : side.flushed));
    side.acknowledged = side.flushed = end_of(side);
  }

  void restart_follower() {
    kill_follower(random_() % 2 == 0 ? Death::Process : Death::Power);
    const Bytes log = log_bytes(leader_->store(), PhysicalOffset{0});
    const Bytes part = log_bytes(follower_->store(), PhysicalOffset{0});
    REQUIRE(part.size() <= log.size());
    REQUIRE(std::equal(part.begin(), part.end(), log.begin()));
  }

  // False when it died.
  bool cut(Side& side, std::int64_t common) {
    side.store().end_reign(over());
    const std::int64_t end = end_of(side);
    const PhysicalOffset to{std::min(common, end)};
    const Bytes behind = log_bytes(side.store(), to);
    side.acknowledged = std::min(side.acknowledged, to.value);
    side.flushed = std::min({side.flushed, side.store().flushed().value().value, to.value});
    const Result<> begun = side.store().begin_reign(Reign::Following, to);
    if (!begun) {
      if (!side.files.dead()) FAIL("cut: " << begun.error().message());
      return false;
    }
    CHECK(end_of(side) == to.value);
    if (to.value < end) {
      side.kept.push_back({to, PhysicalOffset{end}, behind});
      side.acknowledged = side.flushed = to.value;
    }
    // What runs by its own clock may have died right then.
    if (!side.files.dead()) check_nothing_behind(side.files, side.fixture, to);
    return !side.files.dead();
  }

  void send() {
    storage::MessageStore& store = leader_->store();
    auto batch = std::make_unique<storage::AppendBatch>();
    const std::size_t messages = 1 + random_() % 4;
    for (std::size_t i = 0; i < messages; ++i) {
      storage::Queue& queue = store.queue(kTopic, static_cast<QueueId>(random_() % kQueues));
      batch->begin_group(queue);
      const std::string number = std::to_string(number_++);
      std::string body = number + ":";
      body.resize(body.size() + random_() % 600, static_cast<char>('a' + random_() % 26));
      add_record(*batch, queue, body, "tag", number);
    }
    const Appended appended = append_batch(store, std::move(batch));
    if (!appended.outcome) FAIL("refused: " << appended.outcome.error().message());
  }

  // The next pieces of the log, and the acknowledgement.
  void copy(std::uint64_t pieces, std::uint64_t piece_bytes) {
    for (std::uint64_t i = 0; i < pieces && !follower_->files.dead(); ++i) {
      const auto read = leader_->store().read_log(copied_, piece_bytes, storage::MayWait::Yes);
      if (!read) FAIL("read: " << read.error().message());
      if (read->bytes.empty()) break;
      const Result<> taken = follower_->store().append_log(copied_, read->bytes);
      if (!taken && !follower_->files.dead()) FAIL("taken: " << taken.error().message());
      if (!taken) return;
      copied_ += static_cast<std::int64_t>(read->bytes.size());
    }
    if (!follower_->files.dead()) note(*follower_);
  }

  static void check_sums(Side& side) {
    storage::BlockSums sums(side.files, side.fixture.layout().checksums(),
                            side.fixture.config.commit_log_segment_bytes);
    const Bytes log = log_bytes(side.store(), PhysicalOffset{0});
    const auto segment = static_cast<std::size_t>(side.fixture.config.commit_log_segment_bytes);
    for (std::size_t base = 0; base < log.size(); base += segment) {
      const std::size_t whole = std::min(segment, (log.size() - base) / 512 * 512);
      const auto different = sums.check(ByteView(log).subspan(base, whole),
                                        PhysicalOffset{static_cast<std::int64_t>(base)},
                                        storage::BlockSums::Missing::Skip);
      REQUIRE(different);
      CHECK(different->empty());
    }
  }

  static void check_key(Side& side, const std::string& body) {
    const std::string key = body.substr(0, body.find(':'));
    storage::QueryRequest request;
    request.topic = kTopic;
    request.key = key;
    request.end_ms = std::numeric_limits<std::int64_t>::max();
    const auto found = side.store().query(request);
    REQUIRE(found);
    CAPTURE(key);
    REQUIRE(found->records.size() == 1);
    CHECK(as_text(protocol::decode_record(found->records[0].bytes)->body) == body);
  }

  Side first_;
  Side second_;
  Side* leader_ = &first_;
  Side* follower_ = &second_;
  std::mt19937_64 random_;
  PhysicalOffset copied_;  // so far
  std::int64_t number_ = 0;
};

}  // namespace rmq::test
