// A process that appends is killed at a random moment, again and again on the same store. Each time
// the store must open, and hold every message that was acknowledged, once and in order; and each is
// found by its key, once.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <random>

#include "tests/support/store_fixture.h"

namespace rmq::storage {
namespace {

constexpr QueueId kQueues = 3;

std::string key_of(QueueId queue, const std::string& body) {
  return std::to_string(queue) + "/" + body;
}

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
      const std::string body = std::to_string(generation) + ":" + std::to_string(i);
      test::add_record(*batch, queue, body, "tag", key_of(q, body));
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

// Of the oldest messages some, of the newest all.
void check_keys(const MessageStore& store, QueueId queue, const std::vector<std::string>& bodies) {
  constexpr std::size_t kStride = 17;
  constexpr std::size_t kNewest = 100;
  for (std::size_t i = 0; i < bodies.size();
       i += i + kNewest < bodies.size() ? std::min(kStride, bodies.size() - kNewest - i) : 1) {
    const std::string key = key_of(queue, bodies[i]);
    CAPTURE(key);
    QueryRequest request;
    request.topic = "T";
    request.key = key;
    request.end_ms = std::numeric_limits<std::int64_t>::max();
    const Result<QueryResult> found = store.query(request);
    REQUIRE(found);
    REQUIRE(found->records.size() == 1);
    CHECK(as_text(protocol::decode_record(found->records[0].bytes)->body) == bodies[i]);
  }
}

void check_store(test::StoreFixture& fixture, std::vector<std::int64_t>& acknowledged) {
  fixture.open();
  MessageStore& store = *fixture.store;
  REQUIRE(test::wait_for(store.indexed(), IndexedOffset{store.appended().value().value}));
  for (QueueId q = 0; q < kQueues; ++q) {
    const std::vector<std::string> bodies = fixture.bodies("T", q);
    check_keys(store, q, bodies);
    const auto found = static_cast<std::int64_t>(bodies.size());
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
