// Appends per second of a MessageStore, from one thread, with batches of 1 and of 32 messages.
//   append_bench [DIRECTORY [MESSAGES [BODY_BYTES]]]
// Encoding and the lookup of the queue are measured with it, because a sender has to do both;
// flushing is asynchronous.
#include <time.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/log.h"
#include "protocol/message_record.h"
#include "storage/message_store.h"

namespace rmq::storage {
namespace {

constexpr QueueId kQueues = 8;

struct Load {
  std::string directory;
  std::int64_t messages = 0;
  std::string body;
};

// Processor time of this thread: a loaded machine does not change it much.
std::chrono::nanoseconds thread_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// Encodes `size` messages, one per queue in turn.
void encode(AppendBatch& batch, MessageStore& store, const Load& load, std::size_t size) {
  protocol::MessageRecord record;
  record.topic = "BenchmarkTest";
  record.body = as_bytes(load.body);
  for (std::size_t i = 0; i < size; ++i) {
    record.queue_id = static_cast<QueueId>(i % kQueues);
    batch.begin_group(store.queue(record.topic, record.queue_id));
    const std::size_t begin = batch.buffer().size();
    protocol::encode_record(record, batch.buffer());
    batch.add_record(begin, 0);
  }
}

void run(const Load& load, std::size_t batch_size, bool wait_for_dispatch) {
  StoreConfig config;
  config.root_directory = load.directory + "/append-bench";
  std::filesystem::remove_all(config.root_directory);
  auto store = MessageStore::open(config, FileSystem::posix(), Clock::system());
  if (!store || !(*store)->start()) {
    std::fprintf(stderr, "%s\n", store ? "not started" : store.error().message().c_str());
    std::exit(1);
  }
  auto spare = std::make_unique<AppendBatch>();
  const auto thread_began = thread_time();
  const auto began = std::chrono::steady_clock::now();
  for (std::int64_t sent = 0; sent < load.messages; sent += static_cast<std::int64_t>(batch_size)) {
    spare->clear();
    encode(*spare, **store, load, batch_size);
    (*store)->append(std::move(spare), [&spare](Result<> done, std::unique_ptr<AppendBatch> batch) {
      if (!done) std::exit(1);
      spare = std::move(batch);
    });
    // Another thread may have taken the batch over; with one sender it never does.
    if (!spare) std::abort();
  }
  const auto thread_taken = thread_time() - thread_began;
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - began;
  const auto end = (*store)->appended().value();
  while (wait_for_dispatch && (*store)->dispatched().value().value < end.value) {
  }
  const std::chrono::duration<double> dispatched = std::chrono::steady_clock::now() - began;
  const auto count = static_cast<double>(load.messages);
  std::printf(
      "batch %2zu, body %zu: %.0f appends/s, %.0f ns each, %.0f ns of the sender's processor; "
      "dispatched at %.0f/s\n",
      batch_size, load.body.size(), count / taken.count(), taken.count() / count * 1e9,
      static_cast<double>(thread_taken.count()) / count, count / dispatched.count());
  (*store)->stop();
  store->reset();
  std::filesystem::remove_all(config.root_directory);
}

}  // namespace
}  // namespace rmq::storage

int main(int argc, char** argv) {
  rmq::log::set_level(rmq::log::Level::Warn);
  rmq::storage::Load load;
  load.directory = argc > 1 ? argv[1] : ".";
  load.messages = argc > 2 ? std::atoll(argv[2]) : 2'000'000;
  load.body.assign(argc > 3 ? static_cast<std::size_t>(std::atoll(argv[3])) : 128, 'x');
  for (const std::size_t size : {std::size_t{1}, std::size_t{32}}) {
    rmq::storage::run(load, size, true);
  }
}
