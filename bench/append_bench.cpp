// Appends per second of a MessageStore, from one thread, with batches of 1 and of 32 messages.
//   append_bench [DIRECTORY [MESSAGES [BODY_BYTES]]]
// The messages have a unique key and one more; each size runs with and without the message index.
// Encoding and the lookup of the queue are measured with it, because a sender has to do both;
// flushing is asynchronous.
#include <time.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include "base/log.h"
#include "protocol/message_record.h"
#include "protocol/properties.h"
#include "storage/message_store.h"

namespace rmq::storage {
namespace {

constexpr QueueId kQueues = 8;

struct Load {
  std::string directory;
  std::int64_t messages = 0;
  std::string body;
};

// Processor time of this thread or of all: a loaded machine does not change it much.
std::chrono::nanoseconds processor_time(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// UNIQ_KEY and KEYS of message `number`, as long as a Java client's.
std::string properties_of(std::int64_t number) {
  char unique[40];
  char key[24];
  std::snprintf(unique, sizeof unique, "7F00000100A118B4AAC2%012llX",
                static_cast<unsigned long long>(number));
  std::snprintf(key, sizeof key, "order-%lld", static_cast<long long>(number));
  std::string text;
  protocol::append_property(text, protocol::property::kUniqKey, unique);
  protocol::append_property(text, protocol::property::kKeys, key);
  return text;
}

// Encodes `size` messages, one per queue in turn.
void encode(AppendBatch& batch, MessageStore& store, const Load& load, std::int64_t sent,
            std::size_t size) {
  protocol::MessageRecord record;
  record.topic = "BenchmarkTest";
  record.body = as_bytes(load.body);
  for (std::size_t i = 0; i < size; ++i) {
    record.queue_id = static_cast<QueueId>(i % kQueues);
    const std::string properties = properties_of(sent + static_cast<std::int64_t>(i));
    record.properties = properties;
    batch.begin_group(store.queue(record.topic, record.queue_id));
    const std::size_t begin = batch.buffer().size();
    protocol::encode_record(record, batch.buffer());
    batch.add_record(begin, 0);
  }
}

void run(const Load& load, std::size_t batch_size, bool indexed) {
  StoreConfig config;
  config.message_index_enable = indexed;
  config.root_directory = load.directory + "/append-bench";
  std::filesystem::remove_all(config.root_directory);
  auto store = MessageStore::open(config, FileSystem::posix(), Clock::system());
  if (!store || !(*store)->start()) {
    std::fprintf(stderr, "%s\n", store ? "not started" : store.error().message().c_str());
    std::exit(1);
  }
  auto spare = std::make_unique<AppendBatch>();
  const auto all_began = processor_time(CLOCK_PROCESS_CPUTIME_ID);
  const auto thread_began = processor_time(CLOCK_THREAD_CPUTIME_ID);
  const auto began = std::chrono::steady_clock::now();
  for (std::int64_t sent = 0; sent < load.messages; sent += static_cast<std::int64_t>(batch_size)) {
    spare->clear();
    encode(*spare, **store, load, sent, batch_size);
    (*store)->append(std::move(spare), [&spare](Result<> done, std::unique_ptr<AppendBatch> batch) {
      if (!done) std::exit(1);
      spare = std::move(batch);
    });
    // Another thread may have taken the batch over; with one sender it never does.
    if (!spare) std::abort();
  }
  const auto thread_taken = processor_time(CLOCK_THREAD_CPUTIME_ID) - thread_began;
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - began;
  const auto end = (*store)->appended().value();
  while ((*store)->dispatched().value().value < end.value) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const std::chrono::duration<double> dispatched = std::chrono::steady_clock::now() - began;
  const auto count = static_cast<double>(load.messages);
  const auto all_taken = processor_time(CLOCK_PROCESS_CPUTIME_ID) - all_began;
  std::printf(
      "batch %2zu, body %zu, index %s: %.0f appends/s, %.0f ns each, %.0f ns of the sender's "
      "processor, %.0f of all threads; dispatched at %.0f/s\n",
      batch_size, load.body.size(), indexed ? "on" : "off", count / taken.count(),
      taken.count() / count * 1e9, static_cast<double>(thread_taken.count()) / count,
      static_cast<double>(all_taken.count()) / count, count / dispatched.count());
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
    for (const bool indexed : {false, true}) rmq::storage::run(load, size, indexed);
  }
}
