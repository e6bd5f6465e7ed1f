// What a pull gets: statuses, next offsets and limits.
#include "storage/message_reader.h"

#include <optional>
#include <thread>

#include "storage/store_errc.h"
#include "tests/support/failing_file_system.h"
#include "tests/support/store_fixture.h"

namespace rmq::storage {

using test::StoreFixture;

namespace {

ReadResult read(StoreFixture& fixture, std::int64_t from, std::size_t count = 32,
                std::string_view expression = "*") {
  const auto tags = protocol::TagFilter::parse(expression);
  const auto result = fixture.store->read({"T", 0, QueueOffset{from}, count, &*tags});
  REQUIRE(result);
  return *result;
}

// How many messages there are at once from `from` on; nothing when that takes waiting.
std::optional<std::size_t> read_at_once(StoreFixture& fixture, std::int64_t from) {
  ReadRequest request{"T", 0, QueueOffset{from}};
  request.may_wait = MayWait::No;
  const auto result = fixture.store->read(request);
  if (result) return result->message_count;
  CHECK(result.error().code == StoreErrc::NotInMemory);
  return std::nullopt;
}

void fill(StoreFixture& fixture, int count, std::size_t body_bytes = 1, std::string_view tag = {}) {
  std::vector<std::string> bodies(static_cast<std::size_t>(count), std::string(body_bytes, 'x'));
  REQUIRE(fixture.append("T", 0, bodies, tag).outcome);
  REQUIRE(fixture.wait_dispatched());
}

}  // namespace

TEST_CASE("read: offsets outside the queue") {
  StoreFixture fixture;
  fixture.open();
  CHECK(read(fixture, 0).status == ReadStatus::NoMatchedLogicQueue);
  CHECK(read(fixture, 7).next == QueueOffset{0});
  fixture.store->queue("T", 0);
  CHECK(read(fixture, 7).status == ReadStatus::NoMessageInQueue);
  CHECK(read(fixture, 7).next == QueueOffset{0});
  fill(fixture, 3);
  const ReadResult at_end = read(fixture, 3);
  CHECK(at_end.status == ReadStatus::OffsetOverflowOne);
  CHECK(at_end.next == QueueOffset{3});
  CHECK(at_end.end == QueueOffset{3});
  const ReadResult beyond = read(fixture, 4);
  CHECK(beyond.status == ReadStatus::OffsetOverflowBadly);
  CHECK(beyond.next == QueueOffset{3});
  const ReadResult before = read(fixture, -1);
  CHECK(before.status == ReadStatus::OffsetTooSmall);
  CHECK(before.next == QueueOffset{0});
}

// An entry that dispatch adds while a read is under way can point behind what the read takes for
// the log's end. That is not a message that is gone.
TEST_CASE("read: what arrives during a read is left to the next one") {
  constexpr std::int64_t kMessages = 20'000;
  StoreFixture fixture;
  fixture.open();
  std::thread writer([&] {
    for (std::int64_t i = 0; i < kMessages; ++i) fixture.append("T", 0, {"x"});
  });
  std::int64_t at = 0;
  std::int64_t passed_over = 0;
  bool within_end = true;
  while (at < kMessages) {
    const ReadResult result = read(fixture, at);
    if (result.status == ReadStatus::NoMatchedLogicQueue) continue;
    passed_over += result.next.value - at - static_cast<std::int64_t>(result.message_count);
    within_end = within_end && result.next <= result.end;
    at = result.next.value;
  }
  writer.join();
  CHECK(passed_over == 0);
  CHECK(within_end);
}

TEST_CASE("read: adjacent records are one span, others are not") {
  StoreFixture fixture;
  fixture.open();
  fill(fixture, 4);
  ReadResult result = read(fixture, 0);
  CHECK(result.status == ReadStatus::Found);
  CHECK(result.message_count == 4);
  REQUIRE(result.records.size() == 1);
  CHECK(result.records[0].bytes.size() == result.bytes);
  REQUIRE(fixture.append("other", 0, {"between"}).outcome);
  fill(fixture, 1);
  result = read(fixture, 0);
  CHECK(result.message_count == 5);
  CHECK(result.records.size() == 2);
}

TEST_CASE("read: count, bytes and the first message always") {
  StoreFixture fixture;
  fixture.config.max_transfer_bytes_in_memory = 1000;
  fixture.config.max_transfer_count_in_memory = 5;
  fixture.open();
  SUBCASE("asked for two") {
    fill(fixture, 10);
    const ReadResult result = read(fixture, 1, 2);
    CHECK(result.message_count == 2);
    CHECK(result.next == QueueOffset{3});
  }
  SUBCASE("at most five at once") {
    fill(fixture, 10);
    CHECK(read(fixture, 0).message_count == 5);
  }
  SUBCASE("at most 1000 bytes") {
    fill(fixture, 10, 300);
    const ReadResult result = read(fixture, 0);
    CHECK(result.message_count == 2);
    CHECK(result.bytes <= 1000);
  }
  SUBCASE("but one message of any size") {
    fill(fixture, 2, 5000);
    CHECK(read(fixture, 0).message_count == 1);
    CHECK(read(fixture, 1).message_count == 1);
  }
}

TEST_CASE("read: what is further behind than memory gets the limits for the disk") {
  StoreFixture fixture;
  fixture.config.access_message_in_memory_max_ratio = 0;
  fixture.config.max_transfer_count_on_disk = 2;
  fixture.open();
  fill(fixture, 5);
  const ReadResult result = read(fixture, 0);
  CHECK(result.message_count == 2);
  CHECK(result.behind_memory);
}

TEST_CASE("read: tags are judged in the queue, and what does not match is passed over") {
  StoreFixture fixture;
  fixture.open();
  fill(fixture, 2, 1, "A");
  fill(fixture, 1, 1, "B");
  fill(fixture, 2, 1, "A");
  const ReadResult result = read(fixture, 0, 32, "B");
  CHECK(result.status == ReadStatus::Found);
  CHECK(result.message_count == 1);
  CHECK(result.next == QueueOffset{5});
  const auto record = protocol::decode_record(result.records[0].bytes);
  CHECK(record->queue_offset == QueueOffset{2});
  CHECK(read(fixture, 0, 32, "A || B").message_count == 5);
  const ReadResult none = read(fixture, 1, 32, "C");
  CHECK(none.status == ReadStatus::NoMatchedMessage);
  CHECK(none.next == QueueOffset{5});
  CHECK(none.records.empty());
}

TEST_CASE("read: so many entries are looked at when none matches") {
  StoreFixture fixture;
  fixture.config.max_filter_message_bytes = 200;  // 10 entries
  fixture.open();
  fill(fixture, 30, 1, "A");
  CHECK(read(fixture, 0, 1, "B").next == QueueOffset{10});
  CHECK(read(fixture, 0, 20, "B").next == QueueOffset{20});
}

TEST_CASE("read: one pull stays in one file of the queue") {
  StoreFixture fixture;
  fixture.config.consume_queue_file_bytes = 20 * 10;
  fixture.open();
  fill(fixture, 25);
  CHECK(read(fixture, 7).next == QueueOffset{10});
  CHECK(read(fixture, 10).next == QueueOffset{20});
  CHECK(read(fixture, 20).next == QueueOffset{25});
}

TEST_CASE("read: spans stay good when the store has gone") {
  StoreFixture fixture;
  fixture.open();
  REQUIRE(fixture.append("T", 0, {"kept"}).outcome);
  REQUIRE(fixture.wait_dispatched());
  const ReadResult result = read(fixture, 0);
  fixture.stop();
  CHECK(as_text(protocol::decode_record(result.records.at(0).bytes)->body) == "kept");
}

TEST_CASE("read: what is not in memory is read only by who may wait") {
  test::FailingFileSystem files;
  StoreFixture fixture;
  fixture.files = &files;
  fixture.config.hot_log_bytes = 0;
  fixture.open();
  fill(fixture, 5);
  fixture.restart();  // until then the queue is in memory
  CHECK(read_at_once(fixture, 2) == 3);
  for (const char* evicted : {"commitlog", "consumequeue"}) {
    CAPTURE(evicted);
    files.evict(evicted);
    CHECK(read_at_once(fixture, 2) == std::nullopt);
    const ReadResult waited = read(fixture, 2);
    CHECK(waited.message_count == 3);
    REQUIRE(waited.records.size() == 1);  // they lie one behind the other
    const auto record = protocol::decode_record(waited.records[0].bytes);
    REQUIRE(record);
    CHECK(record->queue_offset == QueueOffset{2});
  }
}

TEST_CASE("read: records of several queues that lie among each other") {
  test::FailingFileSystem files;
  StoreFixture fixture;
  fixture.files = &files;
  fixture.config.hot_log_bytes = 0;
  fixture.open();
  std::vector<std::string> sent;
  for (int i = 0; i < 30; ++i) {
    sent.push_back("body" + std::to_string(i));
    REQUIRE(fixture.append("T", 0, {sent.back()}).outcome);
    // Sometimes more than is read along.
    const std::vector<std::string> other{std::string(i % 4 == 0 ? 5000 : 300, 'x')};
    REQUIRE(fixture.append("U", 1, other).outcome);
  }
  REQUIRE(fixture.wait_dispatched());
  CHECK(fixture.bodies("T", 0) == sent);
  CHECK(read(fixture, 0).records.size() == 30);
  CHECK(fixture.bodies("U", 1).size() == 30);
}

TEST_CASE("read: what this process wrote last needs no waiting") {
  test::FailingFileSystem files;
  StoreFixture fixture;
  fixture.files = &files;
  fixture.open();
  fill(fixture, 5);
  files.evict("commitlog");
  CHECK(read_at_once(fixture, 0) == 5);
  fixture.stop();
  fixture.open();
  CHECK(read_at_once(fixture, 0) == std::nullopt);
  fill(fixture, 2);
  CHECK(read_at_once(fixture, 4) == std::nullopt);
  CHECK(read_at_once(fixture, 5) == 2);
}

TEST_CASE("read: an error of the disk is an error, and passes over nothing") {
  test::FailingFileSystem files;
  StoreFixture fixture;
  fixture.files = &files;
  fixture.config.hot_log_bytes = 0;
  fixture.open();
  fill(fixture, 5);
  fixture.restart();
  for (const char* broken : {"commitlog", "consumequeue"}) {
    CAPTURE(broken);
    files.plan(test::FileCall::Read, 1, std::errc::io_error, broken, 1);
    const auto failed = fixture.store->read({"T", 0, QueueOffset{0}});
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == std::errc::io_error);
    CHECK(read(fixture, 0).message_count == 5);
  }
}

TEST_CASE("read: a file of a queue that somebody deleted is an error, and nobody passes over it") {
  StoreFixture fixture;
  fixture.config.consume_queue_file_bytes = 20 * 5;
  fixture.config.open_files_max = 1;
  fixture.open();
  fill(fixture, 12);
  fixture.restart();
  const std::string gone = fixture.layout().consume_queue("T", 0) + "/" + position_file_name(0);
  REQUIRE(fixture.files->remove(gone));
  CHECK(read(fixture, 5).message_count == 5);  // another file takes its place among the open ones
  const auto failed = fixture.store->read({"T", 0, QueueOffset{1}});
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == std::errc::no_such_file_or_directory);
  CHECK(failed.error().message().find(gone) != std::string::npos);
  CHECK(read(fixture, 5).message_count == 5);
}

}  // namespace rmq::storage
