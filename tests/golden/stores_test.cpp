// Whole stores of Java's brokers, opened in place: tests/golden/stores, made by make_stores.py.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "protocol/message_id.h"
#include "protocol/message_record.h"
#include "protocol/properties.h"
#include "storage/checkpoint.h"
#include "storage/layout.h"
#include "storage/message_store.h"
#include "tests/support/store_fixture.h"
#include "tests/support/temp_directory.h"

namespace rmq::storage {
namespace {

constexpr const char* kStores[] = {"java-4.9.7-stop", "java-4.9.7-kill", "java-5.3.3-stop",
                                   "java-5.3.3-kill"};

// A line of the list beside the archive.
struct Message {
  std::string topic;
  QueueId queue_id = 0;
  QueueOffset offset;
  PhysicalOffset physical;
  std::int64_t bytes = 0;
  std::int32_t crc = 0;
  std::int64_t store_timestamp_ms = 0;
  std::int64_t born_timestamp_ms = 0;
  std::string id;
  std::string keys;
  std::string body;  // its beginning
};

struct Listed {
  std::vector<Message> messages;
  std::int64_t log_timestamp_ms = 0;
  std::int64_t consume_queue_timestamp_ms = 0;
  std::int64_t index_timestamp_ms = 0;
};

std::vector<std::string> columns_of(const std::string& line) {
  std::vector<std::string> columns{""};
  for (const char c : line) {
    if (c == '\t') {
      columns.emplace_back();
    } else {
      columns.back() += c;
    }
  }
  return columns;
}

Listed read_list(const std::string& path) {
  Listed listed;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> c = columns_of(line);
    if (c[0] == "checkpoint") {
      REQUIRE(c.size() == 4);
      listed.log_timestamp_ms = std::stoll(c[1]);
      listed.consume_queue_timestamp_ms = std::stoll(c[2]);
      listed.index_timestamp_ms = std::stoll(c[3]);
      continue;
    }
    REQUIRE(c.size() == 11);
    listed.messages.push_back({c[0], std::stoi(c[1]), QueueOffset{std::stoll(c[2])},
                               PhysicalOffset{std::stoll(c[3])}, std::stoll(c[4]),
                               std::stoi(c[5], nullptr, 16), std::stoll(c[6]), std::stoll(c[7]),
                               c[8], c[9], c[10]});
  }
  REQUIRE(listed.messages.size() > 130);
  return listed;
}

struct JavaStore {
  explicit JavaStore(const std::string& name) {
    log::set_level(log::Level::Error);
    const std::string stores = RMQ_TEST_SOURCE_DIR "/golden/stores/";
    listed = read_list(stores + name + ".txt");
    const std::string unpack = "tar -C " + directory.path() + " -xzf " + stores + name + ".tar.gz";
    REQUIRE(std::system(unpack.c_str()) == 0);
    // As tests/interop/store_broker.py says.
    config.root_directory = directory / "store";
    config.commit_log_segment_bytes = 64 * 1024;
    config.consume_queue_file_bytes = 20 * 20;
    config.index_slots_per_file = 100;
    config.index_entries_per_file = 300;
    config.message_delay_level = "1s 8s 16s";
    clock.set_wall_ms(listed.messages.back().store_timestamp_ms + 60'000);
  }
  void open() {
    store.reset();
    auto opened = MessageStore::open(config, FileSystem::posix(), clock);
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message()));
    store = std::move(*opened);
    REQUIRE(store->start());
    REQUIRE(test::wait_for(store->indexed(), IndexedOffset{store->appended().value().value}));
  }

  // The record at `offset` of a queue, by way of the consume queue.
  std::optional<Bytes> pull(const Message& message) {
    ReadRequest request;
    request.topic = message.topic;
    request.queue_id = message.queue_id;
    request.from = message.offset;
    request.count_max = 1;
    const auto read = store->read(request);
    REQUIRE(read);
    if (read->status != ReadStatus::Found) return std::nullopt;
    REQUIRE(read->records.size() == 1);
    const ByteView bytes = read->records[0].bytes;
    return Bytes(bytes.begin(), bytes.end());
  }

  void check_message(const Message& message) {
    CAPTURE(message.topic);
    CAPTURE(message.offset.value);
    const std::optional<Bytes> bytes = pull(message);
    REQUIRE(bytes);
    CHECK(protocol::body_crc(*bytes) == message.crc);
    const auto record = protocol::decode_record(*bytes, protocol::CheckBody::Yes);
    REQUIRE(record);
    CHECK(record->topic == message.topic);
    CHECK(record->queue_id == message.queue_id);
    CHECK(record->queue_offset == message.offset);
    CHECK(record->physical_offset == message.physical);
    CHECK(static_cast<std::int64_t>(record->total_bytes) == message.bytes);
    CHECK(record->store_timestamp_ms == message.store_timestamp_ms);
    CHECK(record->born_timestamp_ms == message.born_timestamp_ms);
    CHECK(protocol::encode_message_id({record->store_host, record->physical_offset}).view() ==
          message.id);
    CHECK(std::string(as_text(record->body)).starts_with(message.body));
    const auto by_id = store->record_at(message.physical);
    REQUIRE(by_id);
    CHECK(Bytes(by_id->bytes.begin(), by_id->bytes.end()) == *bytes);
  }

  void check_key(const Message& message) {
    QueryRequest request;
    request.topic = message.topic;
    const std::string key = message.keys.substr(0, message.keys.find(' '));
    request.key = key;
    request.count_max = 64;
    request.end_ms = std::numeric_limits<std::int64_t>::max();
    const Result<QueryResult> found = store->query(request);
    REQUIRE(found);
    CAPTURE(request.key);
    const bool there = std::any_of(
        found->records.begin(), found->records.end(), [&message](const RecordSpan& span) {
          const auto record = protocol::decode_record(span.bytes, protocol::CheckBody::No);
          return record && record->physical_offset == message.physical;
        });
    CHECK(there);
  }

  void check_all() {
    std::map<std::pair<std::string, QueueId>, QueueOffset> ends;
    for (const Message& message : listed.messages) {
      check_message(message);
      if (!message.keys.empty()) check_key(message);
      ends[{message.topic, message.queue_id}] = message.offset + 1;
    }
    for (const auto& [queue, end] : ends) {
      CHECK(store->min_offset(queue.first, queue.second) == QueueOffset{0});
      CHECK(store->visible_end(queue.first, queue.second) == end);
    }
  }

  test::TempDirectory directory;
  Listed listed;
  StoreConfig config;
  ManualClock clock;
  std::unique_ptr<MessageStore> store;
};

test::Appended append(MessageStore& store, std::string_view topic, QueueId queue_id) {
  auto batch = std::make_unique<AppendBatch>();
  Queue& queue = store.queue(topic, queue_id);
  batch->begin_group(queue);
  test::add_record(*batch, queue, "ours", "Tag", "ours-key");
  return test::append_batch(store, std::move(batch));
}

}  // namespace

TEST_CASE("Java's stores: every message under its offset, by pull, id and key") {
  for (const char* name : kStores) {
    CAPTURE(name);
    JavaStore java(name);
    const Layout layout(java.config);
    CHECK(FileSystem::posix().exists(layout.abort()).value() ==
          std::string_view(name).ends_with("kill"));
    const auto checkpoint =
        decode_checkpoint(read_file(FileSystem::posix(), layout.checkpoint()).value());
    CHECK(checkpoint.log_timestamp_ms == java.listed.log_timestamp_ms);
    CHECK(checkpoint.consume_queue_timestamp_ms == java.listed.consume_queue_timestamp_ms);
    CHECK(checkpoint.index_timestamp_ms == java.listed.index_timestamp_ms);
    java.open();
    java.check_all();
  }
}

TEST_CASE("Java's stores: what comes later follows, and the rest stays as it was") {
  for (const char* name : kStores) {
    for (const bool clean : {true, false}) {
      CAPTURE(name);
      CAPTURE(clean);
      JavaStore java(name);
      java.open();
      const QueueOffset next = java.store->visible_end("orders", 0);
      const PhysicalOffset end{java.store->appended().value().value};
      const test::Appended appended = append(*java.store, "orders", 0);
      REQUIRE(appended.outcome);
      CHECK(appended.offsets[0] == next);
      CHECK(appended.physical[0] >= end);
      REQUIRE(test::wait_for(java.store->dispatched(), DispatchedOffset{appended.end.value}));
      if (clean) java.store->stop();
      java.open();
      CHECK(java.store->visible_end("orders", 0) == next + 1);
      CHECK(append(*java.store, "orders", 0).offsets.at(0) == next + 1);
      for (const Message& message : java.listed.messages) {
        java.check_message(message);
        if (!message.keys.empty()) java.check_key(message);
      }
    }
  }
}

}  // namespace rmq::storage
