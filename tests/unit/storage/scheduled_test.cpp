// Scheduled messages as the store sees them: when an entry is due, and walking the log.
#include <filesystem>

#include "protocol/properties.h"
#include "storage/delay_levels.h"
#include "tests/support/store_fixture.h"

namespace rmq::storage {
namespace {

using test::StoreFixture;

// A message of level 2 (5 s); its entry.
test::Appended append_scheduled(StoreFixture& fixture, std::string_view body) {
  Queue& queue = fixture.store->queue(kScheduleTopic, 1);
  auto batch = std::make_unique<AppendBatch>();
  batch->begin_group(queue);
  protocol::MessageRecord record;
  record.topic = queue.topic();
  record.queue_id = queue.queue_id();
  record.body = as_bytes(body);
  record.properties = "TAGS\1a\2DELAY\0012\2";
  const std::size_t begin = batch->buffer().size();
  protocol::encode_record(record, batch->buffer());
  batch->add_scheduled_record(begin, fixture.store->delay_levels().delay(2));
  return test::append_batch(*fixture.store, std::move(batch));
}

std::vector<std::int64_t> due_times(StoreFixture& fixture) {
  std::array<ConsumeQueueEntry, 8> entries;
  const auto count =
      fixture.store->read_entries(fixture.store->queue(kScheduleTopic, 1), {}, entries);
  REQUIRE(count);
  std::vector<std::int64_t> times;
  for (std::size_t i = 0; i < *count; ++i) times.push_back(entries[i].tag_code);
  return times;
}

}  // namespace

TEST_CASE("delay levels: units, clamping, errors") {
  const auto levels = DelayLevels::parse("1s  5m 2h 1d");
  REQUIRE(levels);
  CHECK(levels->count() == 4);
  CHECK(levels->delay(1) == std::chrono::seconds(1));
  CHECK(levels->delay(2) == std::chrono::minutes(5));
  CHECK(levels->delay(3) == std::chrono::hours(2));
  CHECK(levels->delay(4) == std::chrono::hours(24));
  CHECK(levels->clamp(3) == 3);
  CHECK(levels->clamp(5) == 4);
  CHECK(levels->clamp(1LL << 40) == 4);
  for (const char* wrong : {"", " ", "1s x", "5", "s", "-1s", "1w", "1s 99999999999999999d"}) {
    CAPTURE(wrong);
    CHECK_FALSE(DelayLevels::parse(wrong));
  }
}

TEST_CASE("scheduled message: due at its store time and delay, also after queues were made again") {
  StoreFixture fixture;
  fixture.open();
  const test::Appended first = append_scheduled(fixture, "1");
  fixture.clock.advance(std::chrono::milliseconds(1234));
  const test::Appended second = append_scheduled(fixture, "2");
  REQUIRE(first.outcome);
  REQUIRE(fixture.wait_dispatched());
  const std::vector<std::int64_t> expected{first.store_timestamp_ms + 5000,
                                           second.store_timestamp_ms + 5000};
  CHECK(expected[1] - expected[0] == 1234);
  CHECK(due_times(fixture) == expected);
  fixture.kill();
  std::filesystem::remove_all(fixture.layout().consume_queues());
  fixture.open();
  CHECK(due_times(fixture) == expected);
}

TEST_CASE("scan: every record from a position on, over segments") {
  StoreFixture fixture;
  fixture.config.commit_log_segment_bytes = 1024;
  fixture.open();
  std::vector<PhysicalOffset> written;
  for (int i = 0; i < 20; ++i)
    written.push_back(fixture.append("T", 0, {"message"}).physical.at(0));
  CHECK(written.back().value > 1024);
  for (const std::size_t from : {std::size_t{0}, std::size_t{7}, std::size_t{19}}) {
    std::vector<PhysicalOffset> seen;
    REQUIRE(fixture.store->scan(written[from], [&](const protocol::MessageRecord& record) {
      seen.push_back(record.physical_offset);
    }));
    CHECK(seen == std::vector(written.begin() + static_cast<std::ptrdiff_t>(from), written.end()));
  }
  const auto never = [](const protocol::MessageRecord&) { FAIL("no record there"); };
  CHECK(fixture.store->scan(PhysicalOffset{fixture.store->appended().value().value}, never));
  CHECK_FALSE(fixture.store->scan(written[3] + 1, never));
}

TEST_CASE("store: delay levels that cannot be read are refused") {
  StoreFixture fixture;
  fixture.config.message_delay_level = "1s soon";
  const auto opened = fixture.try_open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == std::errc::invalid_argument);
}

}  // namespace rmq::storage
