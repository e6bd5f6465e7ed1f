// Delivery of delayed messages on a real store, with a clock that stands still: when, what, and how
// often, over crashes.
#include <array>
#include <random>
#include <set>

#include "base/file_system.h"
#include "protocol/properties.h"
#include "roles/broker/broker_errc.h"
#include "roles/broker/delivery/delay_progress.h"
#include "roles/broker/delivery/delayed_record.h"
#include "roles/broker/delivery/due_messages.h"
#include "storage/offline/repair.h"
#include "storage/store_errc.h"
#include "tests/support/failing_file_system.h"
#include "tests/support/store_fixture.h"

namespace rmq::roles::broker {
namespace {

using std::chrono::milliseconds;

struct DelayFixture : test::StoreFixture {
  DelayFixture() { config.message_delay_level = "1s 5s 10s"; }

  Result<> try_start() {
    due.reset();
    progress = std::make_unique<DelayProgress>(clock, *files, config.root_directory);
    open();
    RMQ_CHECK(progress->load(*store));
    due = std::make_unique<DueMessages>(*store, *progress, clock);
    return {};
  }
  void start() {
    const Result<> started = try_start();
    REQUIRE_MESSAGE(started, (started ? "" : started.error().message()));
  }
  // As kill -9 would leave it, then a new process.
  void crash() {
    due.reset();
    kill();
    start();
  }
  void delay(std::string_view body, std::int64_t level, std::string_view topic = "T",
             std::string_view more_properties = {}) {
    protocol::MessageRecord record;
    record.topic = topic;
    record.queue_id = 2;
    record.body = as_bytes(body);
    record.flag = 7;
    record.born_timestamp_ms = 12345;
    record.reconsume_times = 3;
    record.prepared_transaction_offset = 99;
    std::string properties = "TAGS\1a\2KEYS\1k\2" + std::string(more_properties);
    record.properties = properties;
    schedule(record, level, store->delay_levels(), properties);
    auto batch = std::make_unique<storage::AppendBatch>();
    REQUIRE(add_to_batch(*store, *batch, record, "a"));
    REQUIRE(test::append_batch(*store, std::move(batch)).outcome);
    REQUIRE(wait_dispatched());
  }
  std::vector<std::string> delivered() {
    REQUIRE(wait_dispatched());
    return bodies("T", 2);
  }
  std::string path(std::string_view name) {
    return config.root_directory + "/" + std::string(name);
  }

  std::unique_ptr<DelayProgress> progress;
  std::unique_ptr<DueMessages> due;
};

using Bodies = std::vector<std::string>;

}  // namespace

TEST_CASE("delay mark: text and back") {
  const DelayMark mark{18, QueueOffset{1'234'567'890'123}};
  CHECK(to_text(mark) == "18:1234567890123");
  CHECK(parse_delay_mark(to_text(mark)) == mark);
  for (const char* wrong : {"", ":", "1", "1:", ":1", "1:2x", "x1:2", "0:1", "-1:1", "1:-1"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_delay_mark(wrong));
  }
}

TEST_CASE_FIXTURE(DelayFixture, "delay: delivered when due, not before, each level by itself") {
  start();
  delay("5s", 2);
  delay("1s", 1);
  delay("10s", 99);  // the highest there is
  const std::int64_t sent_ms = clock.now_ms();
  DueMessages::Round round = due->deliver();
  CHECK(round.delivered == 0);
  CHECK(round.next_due_ms == sent_ms + 1000);
  clock.advance(milliseconds(999));
  CHECK(due->deliver().delivered == 0);
  clock.advance(milliseconds(1));
  round = due->deliver();
  CHECK(round.delivered == 1);
  CHECK(round.next_due_ms == sent_ms + 5000);
  CHECK(delivered() == Bodies{"1s"});
  clock.advance(milliseconds(4000));
  CHECK(due->deliver().delivered == 1);
  clock.advance(milliseconds(5000));
  CHECK(due->deliver().delivered == 1);
  CHECK_FALSE(due->deliver().next_due_ms);
  CHECK(delivered() == Bodies{"1s", "5s", "10s"});
  CHECK(progress->all() ==
        DelayProgress::Offsets{{1, QueueOffset{1}}, {2, QueueOffset{1}}, {3, QueueOffset{1}}});
}

TEST_CASE_FIXTURE(DelayFixture, "delay: what is delivered is what was sent") {
  start();
  delay("body", 2, "T", "x\1y\2");
  clock.advance(milliseconds(5000));
  REQUIRE(due->deliver().delivered == 1);
  REQUIRE(wait_dispatched());
  const auto tags = protocol::TagFilter::parse("a");
  const storage::ReadResult found = *store->read({"T", 2, {}, 32, &*tags});
  REQUIRE(found.message_count == 1);
  const auto record = protocol::decode_record(found.records[0].bytes, protocol::CheckBody::Yes);
  REQUIRE(record);
  CHECK(record->topic == "T");
  CHECK(record->queue_id == 2);
  CHECK(as_text(record->body) == "body");
  CHECK(record->flag == 7);
  CHECK(record->born_timestamp_ms == 12345);
  CHECK(record->reconsume_times == 3);
  CHECK(record->prepared_transaction_offset == 0);
  CHECK(record->store_timestamp_ms == clock.now_ms());
  CHECK(record->properties ==
        "TAGS\1a\2KEYS\1k\2x\1y\2DELAY\0012\2REAL_TOPIC\1T\2REAL_QID\0012\2"
        "RMQ_DELAY_MARK\0012:0\2");
}

TEST_CASE_FIXTURE(DelayFixture, "delay: many at once, in order, over many batches") {
  start();
  Bodies expected;
  for (int i = 0; i < 1500; ++i) {
    expected.push_back(std::to_string(i));
    delay(expected.back(), 1);
  }
  clock.advance(milliseconds(1000));
  std::size_t rounds = 0;
  while (due->deliver().delivered > 0) ++rounds;
  CHECK(rounds < 6);
  CHECK(delivered() == expected);
}

TEST_CASE_FIXTURE(DelayFixture, "delay: after a crash the log says what was delivered") {
  start();
  for (const char* body : {"1", "2", "3"}) delay(body, 1);
  clock.advance(milliseconds(1000));
  REQUIRE(due->deliver().delivered == 3);
  SUBCASE("nothing saved") {}
  SUBCASE("all saved") { REQUIRE(progress->save_if_changed()); }
  SUBCASE("some saved") {
    REQUIRE(progress->save_if_changed());
    delay("4", 1);
    clock.advance(milliseconds(1000));
    REQUIRE(due->deliver().delivered == 1);
  }
  const Bodies before = delivered();
  crash();
  CHECK(progress->next(1).value == static_cast<std::int64_t>(before.size()));
  CHECK(due->deliver().delivered == 0);
  delay("last", 1);
  clock.advance(milliseconds(1000));
  CHECK(due->deliver().delivered == 1);
  Bodies expected = before;
  expected.emplace_back("last");
  CHECK(delivered() == expected);
}

TEST_CASE_FIXTURE(DelayFixture, "delay: exactly once over crashes at random moments") {
  const unsigned seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const auto one_in = [&random](int n) {
    return std::uniform_int_distribution<>(1, n)(random) == 1;
  };
  config.commit_log_segment_bytes = 8 * 1024;
  start();
  std::multiset<std::string> sent;
  for (int i = 0; i < 400; ++i) {
    const std::string body = std::to_string(i);
    delay(body, std::uniform_int_distribution<>(1, 3)(random));
    sent.insert(body);
    if (one_in(5)) clock.advance(milliseconds(700));
    if (one_in(4)) due->deliver();
    if (one_in(20)) REQUIRE(progress->save_if_changed());
    if (one_in(15)) crash();
  }
  clock.advance(milliseconds(10'000));
  while (due->deliver().delivered > 0) {
  }
  const Bodies found = delivered();
  CHECK(std::multiset<std::string>(found.begin(), found.end()) == sent);
}

TEST_CASE_FIXTURE(DelayFixture, "delay: Java's file, as it is and as it is written") {
  start();
  for (const char* body : {"1", "2", "3"}) delay(body, 2);
  clock.advance(milliseconds(5000));
  REQUIRE(due->deliver().delivered == 3);
  REQUIRE(progress->save_if_changed());
  const auto text = read_text_file(*files, path("config/delayOffset.json"));
  REQUIRE(text);
  CHECK(text->find("\"offsetTable\":{2:3\n") != std::string::npos);
  CHECK(text->find("\"dataVersion\":{") != std::string::npos);
  due.reset();
  stop();
  // A directory that Java has written: there is no file of ours, and marks are not looked for.
  REQUIRE(files->remove_all(path("rmq")));
  const std::string java =
      "{\n\t\"dataVersion\":{\"counter\":4,\"stateVersion\":0,\"timestamp\":1},\n"
      "\t\"offsetTable\":{2:1\n\t}\n}";
  REQUIRE(write_file_atomically(*files, path("config/delayOffset.json"), as_bytes(java)));
  start();
  CHECK(progress->next(2) == QueueOffset{1});
  CHECK(due->deliver().delivered == 2);
  CHECK(delivered() == Bodies{"1", "2", "3", "2", "3"});
  // From then on a crash repeats nothing.
  crash();
  CHECK(progress->next(2) == QueueOffset{3});
}

TEST_CASE_FIXTURE(DelayFixture, "delay: a file as Java's own classes write it") {
  start();
  for (int i = 0; i < 6; ++i) delay("m", 1);
  REQUIRE(progress->save_if_changed());
  due.reset();
  stop();
  REQUIRE(files->remove_all(path("rmq")));
  const auto java = read_text_file(
      *files, std::string(RMQ_TEST_SOURCE_DIR) + "/golden/data/config_delay_offset.json");
  REQUIRE(java);
  REQUIRE(write_file_atomically(*files, path("config/delayOffset.json"), as_bytes(*java)));
  start();
  CHECK(progress->next(1) == QueueOffset{5});
  CHECK(progress->next(3) == QueueOffset{0});  // 4294967299 there, which the queue never had
  // Written again it has the same layout and the next version; keys are in order.
  REQUIRE(progress->save_if_changed());
  std::string expected = *java;
  const auto replace = [&expected](std::string_view from, std::string_view to) {
    expected.replace(expected.find(from), from.size(), to);
  };
  replace("\"counter\":7", "\"counter\":8");
  replace("1700000000000", std::to_string(clock.now_ms()));
  replace("{1:5,18:0,3:4294967299\n", "{1:5,3:0,18:0\n");
  CHECK(*read_text_file(*files, path("config/delayOffset.json")) == expected);
}

TEST_CASE_FIXTURE(DelayFixture, "delay: the greater of both files counts") {
  start();
  for (int i = 0; i < 5; ++i) delay("m", 1);
  REQUIRE(progress->save_if_changed());
  due.reset();
  stop();
  // Java has run meanwhile and delivered some.
  const std::string java = "{\"offsetTable\":{1:4,7:9}}";
  REQUIRE(write_file_atomically(*files, path("config/delayOffset.json"), as_bytes(java)));
  start();
  CHECK(progress->next(1) == QueueOffset{4});
  CHECK(progress->next(7) == QueueOffset{0});  // beyond the queue's end
}

TEST_CASE_FIXTURE(DelayFixture,
                  "delay: a log that was cut and written by another broker is still read") {
  start();
  delay("1", 1);
  clock.advance(milliseconds(1000));
  REQUIRE(due->deliver().delivered == 1);
  REQUIRE(wait_dispatched());
  const std::int64_t end = store->appended().value().value;
  due.reset();
  kill();
  // As if the position lay in the middle of a record.
  const std::string own = "{\"offsetTable\":{},\"position\":" + std::to_string(end - 10) + "}";
  REQUIRE(write_file_atomically(*files, path("rmq/delay-progress.json"), as_bytes(own)));
  start();
  CHECK(progress->next(1) == QueueOffset{1});
  due.reset();
  kill();
  const std::string beyond = "{\"offsetTable\":{},\"position\":" + std::to_string(end + 10) + "}";
  REQUIRE(write_file_atomically(*files, path("rmq/delay-progress.json"), as_bytes(beyond)));
  start();
}

TEST_CASE_FIXTURE(DelayFixture, "delay: an unreadable delayOffset.json is not taken for none") {
  start();
  delay("1", 1);
  REQUIRE(progress->save_if_changed());
  due.reset();
  stop();
  REQUIRE(write_file_atomically(*files, path("config/delayOffset.json"), as_bytes("broken")));
  SUBCASE("our file has it all") {
    start();
    CHECK(progress->next(1) == QueueOffset{0});
  }
  SUBCASE("no file of ours") {
    REQUIRE(files->remove(path("rmq/delay-progress.json")));
    const Result<> started = try_start();
    REQUIRE_FALSE(started);
    CHECK(started.error().code == BrokerErrc::MetadataLost);
  }
}

TEST_CASE("delay: a failed append is tried again from the same offset") {
  test::FailingFileSystem failing;  // outlives the store
  DelayFixture fixture;
  fixture.files = &failing;
  fixture.start();
  fixture.delay("1", 1);
  fixture.delay("2", 1);
  REQUIRE(fixture.progress->save_if_changed());
  fixture.clock.advance(milliseconds(1000));
  std::size_t left = 2;
  SUBCASE("undone") { failing.plan(test::FileCall::Write, 1, std::errc::io_error, "commitlog", 1); }
  SUBCASE("what was written stays in the log, and is found there") {
    failing.plan(test::FileCall::Write, 1, std::errc::no_space_on_device, "commitlog");
    left = 0;
  }
  CHECK(fixture.due->deliver().failed);
  CHECK(fixture.due->deliver().failed);
  CHECK(fixture.progress->next(1) == QueueOffset{0});
  fixture.files = &FileSystem::posix();
  fixture.crash();
  CHECK(fixture.due->deliver().delivered == left);
  CHECK(fixture.delivered() == Bodies{"1", "2"});
}

TEST_CASE("delay: no file counts a delivery that may not be on disk") {
  test::FailingFileSystem failing;
  DelayFixture fixture;
  fixture.files = &failing;
  fixture.config.flush_interval = std::chrono::hours(1);
  fixture.start();
  fixture.delay("1", 1);
  REQUIRE(fixture.progress->save_if_changed());
  const auto before = read_text_file(failing, fixture.path("config/delayOffset.json"));
  REQUIRE(before);
  fixture.clock.advance(milliseconds(1000));
  REQUIRE(fixture.due->deliver().delivered == 1);
  failing.plan(test::FileCall::Sync, 1, std::errc::io_error, "commitlog");
  CHECK_FALSE(fixture.progress->save_if_changed());
  CHECK(*read_text_file(failing, fixture.path("config/delayOffset.json")) == *before);
}

TEST_CASE_FIXTURE(DelayFixture, "delay: what can never be delivered is passed over") {
  start();
  delay("no such name", 1, "a b");
  delay("half", 1, "RMQ_SYS_TRANS_HALF_TOPIC");
  clock.advance(milliseconds(1000));
  CHECK(due->deliver().delivered == 0);
  CHECK(progress->next(1) == QueueOffset{2});
  delay("good", 1);
  clock.advance(milliseconds(1000));
  CHECK(due->deliver().delivered == 1);
  CHECK(delivered() == Bodies{"good"});
}

TEST_CASE_FIXTURE(DelayFixture, "delay: a clock that was set back delays nothing for longer") {
  start();
  delay("1", 1);
  clock.set_wall_ms(clock.now_ms() - 3'600'000);
  CHECK(due->deliver().delivered == 1);
}

TEST_CASE_FIXTURE(DelayFixture, "delay: levels that the setting no longer has are delivered") {
  start();
  delay("10s", 3);
  due.reset();
  stop();
  config.message_delay_level = "1s";
  start();
  CHECK(due->levels() == 3);
  clock.advance(milliseconds(10'000));
  CHECK(due->deliver().delivered == 1);
  CHECK(delivered() == Bodies{"10s"});
}

TEST_CASE_FIXTURE(DelayFixture, "delay: properties leave room for the mark") {
  start();
  protocol::MessageRecord record;
  record.topic = "T";
  storage::AppendBatch batch;
  std::string properties = "a\1" + std::string(protocol::kPropertiesBytesMax - 40, 'x') + "\2";
  record.properties = properties;
  REQUIRE(protocol::record_bytes(record));
  schedule(record, 1, store->delay_levels(), properties);
  REQUIRE(protocol::record_bytes(record));
  const Result<> added = add_to_batch(*store, batch, record, "");
  REQUIRE_FALSE(added);
  CHECK(added.error().code == protocol::RecordErrc::TooLarge);
  CHECK(batch.empty());
  // Stored by Java it is delivered, without its mark.
  const auto due_one = due_record(record, {1, QueueOffset{5}});
  REQUIRE(due_one);
  CHECK(((*due_one)->properties == properties));
}

TEST_CASE_FIXTURE(DelayFixture, "delay: a message that a repair gave up is passed over") {
  start();
  delay("damaged", 1);
  delay("sound", 1);
  due.reset();
  stop();
  test::overwrite(segment_path(0), 90, as_bytes("X"));
  const storage::offline::StorePlace place{config, true};
  const auto report = storage::offline::verify(*files, place, {});
  REQUIRE(report);
  CHECK(report->messages_lost == 1);
  REQUIRE(storage::offline::repair(*files, report->survey, storage::offline::plan_repair(*report)));
  REQUIRE(storage::offline::reopen(*files, place, report->survey));
  start();
  clock.advance(milliseconds(1000));
  CHECK(due->deliver().delivered == 1);
  CHECK(delivered() == Bodies{"sound"});
  CHECK_FALSE(due->deliver().next_due_ms);
  CHECK(progress->next(1) == QueueOffset{2});
}

}  // namespace rmq::roles::broker
