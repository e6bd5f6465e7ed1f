// A process that appends is killed at a random moment, again and again on the same store. Each time
// the store must open, and hold every message that was acknowledged, once and in order.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <random>

#include "tests/support/store_fixture.h"

namespace rmq::storage {
namespace {

constexpr QueueId kQueues = 3;

// Appends until it is killed. For each acknowledged message of queue q it writes the byte q.
[[noreturn]] void append_forever(const StoreConfig& config, int acknowledge_fd, int generation) {
  auto store = MessageStore::open(config, FileSystem::posix(), Clock::system());
  if (!store || !(*store)->start()) ::_exit(3);
  const bool sync = config.flush_disk_type == FlushDiskType::Sync;
  for (int i = 0;; ++i) {
    auto batch = std::make_unique<AppendBatch>();
    for (QueueId q = 0; q < kQueues; ++q) {
      if ((i + q) % 2 == 0) continue;
      Queue& queue = (*store)->queue("T", q);
      batch->begin_group(queue);
      test::add_record(*batch, queue, std::to_string(generation) + ":" + std::to_string(i), "tag");
    }
    test::Appended appended = test::append_batch(**store, std::move(batch));
    if (appended.outcome && sync) {
      appended.outcome = test::wait_for((*store)->flushed(), FlushedOffset{appended.end.value});
    }
    if (!appended.outcome) ::_exit(4);
    for (QueueId q = 0; q < kQueues; ++q) {
      const char name = static_cast<char>(q);
      if ((i + q) % 2 != 0 && ::write(acknowledge_fd, &name, 1) != 1) ::_exit(5);
    }
  }
}

// Reads acknowledgements until there are `count` more, kills the child, and reads the rest.
void collect_and_kill(pid_t child, int fd, int count, std::vector<std::int64_t>& acknowledged) {
  char queue = 0;
  for (int seen = 0; ::read(fd, &queue, 1) == 1; ++seen) {
    ++acknowledged[static_cast<std::size_t>(queue)];
    if (seen == count) ::kill(child, SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGKILL);
}

void check_store(test::StoreFixture& fixture, std::vector<std::int64_t>& acknowledged) {
  fixture.open();
  for (QueueId q = 0; q < kQueues; ++q) {
    const auto found = static_cast<std::int64_t>(fixture.bodies("T", q).size());
    std::int64_t& known = acknowledged[static_cast<std::size_t>(q)];
    CHECK(found >= known);      // what was written but not yet acknowledged may be there
    CHECK(found <= known + 1);  // one batch at a time
    CHECK(fixture.store->visible_end("T", q).value == found);
    known = found;
  }
}

void run(FlushDiskType flush, unsigned seed) {
  std::mt19937 random(seed);
  test::StoreFixture fixture;
  fixture.config.flush_disk_type = flush;
  fixture.config.commit_log_segment_bytes = 16 * 1024;
  std::vector<std::int64_t> acknowledged(kQueues, 0);
  for (int generation = 0; generation < 12; ++generation) {
    CAPTURE(generation);
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      append_forever(fixture.config, ends[1], generation);
    }
    ::close(ends[1]);
    const int count = std::uniform_int_distribution<int>(0, 400)(random);
    collect_and_kill(child, ends[0], count, acknowledged);
    ::close(ends[0]);
    check_store(fixture, acknowledged);
    // Half of the time the store is stopped, so that clean and unclean starts follow each other.
    if (generation % 2 == 0) fixture.store->stop();
    fixture.kill();
  }
  CHECK(acknowledged[0] > 0);
}

unsigned seed_from_environment() {
  const char* seed = std::getenv("RMQ_TEST_SEED");
  return seed != nullptr ? static_cast<unsigned>(std::atoi(seed)) : std::random_device()();
}

}  // namespace

TEST_CASE("crash: killed while appending, every acknowledged message is there") {
  const unsigned seed = seed_from_environment();
  CAPTURE(seed);
  SUBCASE("async flush") { run(FlushDiskType::Async, seed); }
  SUBCASE("sync flush") { run(FlushDiskType::Sync, seed); }
}

}  // namespace rmq::storage
