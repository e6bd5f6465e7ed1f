// Messages by key through a store: what is answered, and that nothing is missing or double after a
// restart, kill -9, damage, or a time without index.
#include "storage/message_query.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "protocol/properties.h"
#include "storage/checkpoint.h"
#include "storage/index_keys.h"
#include "storage/log_mark.h"
#include "tests/support/failing_file_system.h"
#include "tests/support/store_fixture.h"

namespace rmq::storage {
namespace {

using protocol::property::kKeys;
using protocol::property::kUniqKey;

struct Sent {
  std::string body;
  std::string keys;
  std::string unique;
  std::int32_t sys_flag = 0;
};

class QueryFixture : public test::StoreFixture {
 public:
  ~QueryFixture() { kill(); }  // before `failing` goes
  // Each in an append of its own, so that the clock decides its store time.
  test::Appended send(std::string_view topic, const Sent& sent) {
    Queue& queue = store->queue(topic, 0);
    protocol::MessageRecord record;
    record.topic = topic;
    record.body = as_bytes(sent.body);
    record.sys_flag = sent.sys_flag;
    std::string properties;
    if (!sent.unique.empty()) protocol::append_property(properties, kUniqKey, sent.unique);
    if (!sent.keys.empty()) protocol::append_property(properties, kKeys, sent.keys);
    record.properties = properties;
    auto batch = std::make_unique<AppendBatch>();
    batch->begin_group(queue);
    protocol::encode_record(record, batch->buffer());
    batch->add_record(0, 0);
    return test::append_batch(*store, std::move(batch));
  }
  void wait_indexed() {
    REQUIRE(test::wait_for(store->indexed(), IndexedOffset{store->appended().value().value}));
  }
  QueryResult ask(std::string_view topic, std::string_view key, std::size_t max = 64,
                  std::int64_t begin_ms = 0,
                  std::int64_t end_ms = std::numeric_limits<std::int64_t>::max()) {
    QueryRequest request;
    request.topic = topic;
    request.key = key;
    request.count_max = max;
    request.begin_ms = begin_ms;
    request.end_ms = end_ms;
    Result<QueryResult> result = store->query(request);
    REQUIRE(result);
    return std::move(*result);
  }
  std::vector<std::string> found(std::string_view topic, std::string_view key, std::size_t max = 64,
                                 std::int64_t begin_ms = 0,
                                 std::int64_t end_ms = std::numeric_limits<std::int64_t>::max()) {
    std::vector<std::string> bodies;
    for (const RecordSpan& span : ask(topic, key, max, begin_ms, end_ms).records) {
      bodies.emplace_back(as_text(protocol::decode_record(span.bytes)->body));
    }
    return bodies;
  }
  // Messages 0 .. count-1 are found, each once, by a key of their own and one that ten share.
  void check_complete(int count) {
    wait_indexed();
    for (int i = 0; i < count; ++i) {
      CAPTURE(i);
      CHECK(found("T", "u" + std::to_string(i)) == std::vector<std::string>{std::to_string(i)});
    }
    for (int ten = 0; ten < count / 10; ++ten) {
      CHECK(found("T", "ten" + std::to_string(ten)).size() == 10);
    }
  }
  void send_numbers(int first, int end) {
    for (int i = first; i < end; ++i) {
      REQUIRE(send("T", {std::to_string(i), "ten" + std::to_string(i / 10) + " all",
                         "u" + std::to_string(i)})
                  .outcome);
    }
  }
  std::vector<std::string> index_files() const { return files->list(layout().index()).value(); }

  test::FailingFileSystem failing;
};

using Bodies = std::vector<std::string>;

}  // namespace

TEST_CASE_FIXTURE(QueryFixture, "query: by unique key and by each of the keys") {
  open();
  send("T", {"1", "red  green", "id1"});
  send("T", {"2", "green blue", "id2"});
  send("U", {"3", "green", "id3"});
  send("T", {"4", "", ""});
  wait_indexed();
  CHECK(found("T", "id1") == Bodies{"1"});
  CHECK(found("T", "red") == Bodies{"1"});
  CHECK(found("T", "green") == Bodies{"1", "2"});
  CHECK(found("U", "green") == Bodies{"3"});
  CHECK(found("T", "yellow").empty());
  CHECK(found("V", "green").empty());
  CHECK(found("T", "").empty());
  CHECK(found("T", "red  green").empty());
}

TEST_CASE_FIXTURE(QueryFixture, "query: a message that has a key twice comes once") {
  open();
  send("T", {"1", "a a id", "id"});
  wait_indexed();
  CHECK(found("T", "a") == Bodies{"1"});
  CHECK(found("T", "id") == Bodies{"1"});
}

TEST_CASE_FIXTURE(QueryFixture, "query: keys with the same hash are told apart") {
  CHECK(index_hash("T", "Aa") == index_hash("T", "BB"));
  open();
  for (int i = 0; i < 3; ++i) {
    send("T", {"Aa" + std::to_string(i), "Aa", ""});
    send("T", {"BB" + std::to_string(i), "BB", ""});
  }
  send("TAa#x", {"other topic", "y", ""});
  send("TBB", {"split elsewhere", "x#y", ""});
  CHECK(index_hash("TAa#x", "y") == index_hash("TBB", "x#y"));
  wait_indexed();
  CHECK(found("T", "Aa") == Bodies{"Aa0", "Aa1", "Aa2"});
  // The others do not count.
  CHECK(found("T", "Aa", 2) == Bodies{"Aa1", "Aa2"});
  CHECK(found("TAa#x", "y") == Bodies{"other topic"});
}

TEST_CASE_FIXTURE(QueryFixture,
                  "query: the newest of many, in log order, and how far the index is") {
  config.index_entries_per_file = 8;
  open();
  for (int i = 0; i < 30; ++i) {
    clock.advance(std::chrono::milliseconds(700));
    send("T", {std::to_string(i), "k", ""});
  }
  const test::Appended last = send("T", {"other", "other", ""});
  send("T", {"none", "", ""});
  wait_indexed();
  CHECK(found("T", "k", 3) == Bodies{"27", "28", "29"});
  CHECK(found("T", "k", 100).size() == 30);
  CHECK(found("T", "k", 0).empty());
  const QueryResult some = ask("T", "k");
  CHECK(some.index_physical == last.physical[0]);
  CHECK(some.index_timestamp_ms == last.store_timestamp_ms);
  CHECK(ask("T", "absent").index_timestamp_ms == 0);
  CHECK(index_files().size() == 5);
}

TEST_CASE_FIXTURE(QueryFixture, "query: store times in the range, to the millisecond") {
  config.index_entries_per_file = 8;
  open();
  const std::int64_t start = clock.now_ms();
  for (int i = 0; i < 30; ++i) {
    send("T", {std::to_string(i), "k", ""});
    clock.advance(std::chrono::milliseconds(300));
  }
  wait_indexed();
  const auto at = [start](int i) { return start + i * 300; };
  for (const int i : {0, 1, 2, 6, 7, 8, 13, 28}) {
    CAPTURE(i);
    CHECK(found("T", "k", 64, at(i), at(i)) == Bodies{std::to_string(i)});
    CHECK(found("T", "k", 64, at(i) + 1, at(i + 1)) == Bodies{std::to_string(i + 1)});
    CHECK(found("T", "k", 64, at(i) + 1, at(i + 1) - 1).empty());
  }
  CHECK(found("T", "k", 64, 0, start - 1).empty());
  CHECK(found("T", "k", 64, at(29) + 1).empty());
  CHECK(found("T", "k", 64, at(5), at(3)).empty());
}

TEST_CASE_FIXTURE(QueryFixture, "query: an answer has a limit in bytes, but one message always") {
  open();
  for (int i = 0; i < 5; ++i) send("T", {std::string(1000, 'x'), "k", ""});
  wait_indexed();
  QueryRequest request;
  request.topic = "T";
  request.key = "k";
  request.end_ms = std::numeric_limits<std::int64_t>::max();
  request.bytes_max = 2500;
  CHECK(store->query(request)->records.size() == 2);
  request.bytes_max = 1;
  CHECK(store->query(request)->records.size() == 1);
}

TEST_CASE_FIXTURE(QueryFixture, "query: a rolled back transaction has no keys") {
  open();
  send("T", {"prepared", "k", "", protocol::kSysFlagTransactionPrepared});
  send("T", {"committed", "k", "", protocol::kSysFlagTransactionCommit});
  send("T", {"rolled back", "k", "", protocol::kSysFlagTransactionRollback});
  wait_indexed();
  CHECK(found("T", "k") == Bodies{"prepared", "committed"});
}

TEST_CASE_FIXTURE(QueryFixture, "query: nothing missing and nothing double after stops and kills") {
  config.index_entries_per_file = 64;
  open();
  send_numbers(0, 40);
  SUBCASE("stop") { stop(); }
  SUBCASE("kill at once") { kill(); }
  SUBCASE("kill when indexed") {
    wait_indexed();
    kill();
  }
  open();
  check_complete(40);
  send_numbers(40, 70);
  SUBCASE("stop, then kill") {
    stop();
    open();
    wait_indexed();
    kill();
  }
  SUBCASE("kill, then stop") {
    kill();
    open();
    stop();
  }
  open();
  check_complete(70);
}

TEST_CASE_FIXTURE(QueryFixture, "query: an index that is damaged or gone is built again") {
  config.index_entries_per_file = 64;
  open();
  send_numbers(0, 70);
  wait_indexed();
  const std::string index = layout().index();
  const auto damage = [&] {
    const auto names = index_files();
    REQUIRE(names.size() == 4);
    SUBCASE("all gone") { std::filesystem::remove_all(index); }
    SUBCASE("one in the middle cut off") {
      std::filesystem::resize_file(index + "/" + names[1], 77);
    }
    SUBCASE("the last one's header") {
      test::overwrite(index + "/" + names[3], 16, as_bytes("\x7f\x7f\x7f\x7f"));
    }
    SUBCASE("the marks gone, and one entry wrong") {
      std::filesystem::remove(layout().log_mark());
      test::overwrite(index + "/" + names[3], 40 + 400 + 20 + 4, as_bytes("\x7f\x7f\x7f\x7f"));
      std::FILE* abort = std::fopen(layout().abort().c_str(), "w");
      REQUIRE(abort != nullptr);
      std::fclose(abort);
    }
  };
  SUBCASE("stopped") {
    stop();
    damage();
  }
  SUBCASE("killed") {
    kill();
    damage();
  }
  open();
  check_complete(70);
}

TEST_CASE_FIXTURE(QueryFixture, "query: an index of another log is built anew") {
  open();
  send_numbers(0, 20);
  stop();
  const std::string kept = directory / "kept";
  std::filesystem::copy(layout().index(), kept);
  std::filesystem::remove_all(layout().root());
  open();
  for (int i = 0; i < 20; ++i) {
    send("T",
         {std::to_string(i), "ten" + std::to_string(i / 10) + " longer", "u" + std::to_string(i)});
  }
  stop();
  std::filesystem::remove_all(layout().index());
  std::filesystem::copy(kept, layout().index());
  open();
  check_complete(20);
}

TEST_CASE_FIXTURE(QueryFixture, "query: switched off it finds nothing, switched on again all") {
  open();
  send_numbers(0, 10);
  stop();
  config.message_index_enable = false;
  open();
  send_numbers(10, 20);
  REQUIRE(wait_dispatched());
  CHECK(found("T", "u1").empty());
  CHECK(index_files().size() == 1);
  bool killed = false;
  SUBCASE("stop") { stop(); }
  SUBCASE("kill") {
    kill();
    killed = true;
  }
  CAPTURE(killed);
  config.message_index_enable = true;
  open();
  check_complete(20);
}

TEST_CASE_FIXTURE(QueryFixture, "query: an index that cannot be written leaves the store alone") {
  files = &failing;
  open();
  send_numbers(0, 10);
  wait_indexed();
  failing.plan(test::FileCall::Write, 1, std::errc::io_error, "/index/");
  send_numbers(10, 20);
  CHECK_FALSE(test::wait_for(store->indexed(), IndexedOffset{store->appended().value().value}));
  REQUIRE(wait_dispatched());
  CHECK(bodies("T", 0).size() == 20);
  CHECK(found("T", "u3") == Bodies{"3"});
  stop();
  files = &FileSystem::posix();
  open();
  check_complete(20);
}

TEST_CASE_FIXTURE(QueryFixture,
                  "query: a note soon after a start speaks of the index that is there") {
  open();
  send_numbers(0, 10);
  restart();
  send_numbers(10, 20);
  REQUIRE(wait_dispatched());
  const PhysicalOffset end{store->appended().value().value};
  const auto mark = [this] {
    const auto checkpoint = decode_checkpoint(read_file(*files, layout().checkpoint()).value());
    return LogMarkFile::read(*files, layout().log_mark(), checkpoint).value().found();
  };
  std::optional<LogMark> noted = mark();
  for (; !noted || noted->dispatched < end; noted = mark()) std::this_thread::yield();
  REQUIRE(noted->index);
  CHECK(noted->index->file > 0);
  CHECK(noted->index->position > PhysicalOffset{0});
  kill();
  open();
  check_complete(20);
}

TEST_CASE_FIXTURE(QueryFixture, "query: Java's checkpoint follows the index while nobody sends") {
  open();
  const auto sent = send("T", {"a", "k", ""});
  REQUIRE(wait_flushed());
  wait_indexed();
  const auto values = [this] {
    return decode_checkpoint(read_file(*files, layout().checkpoint()).value());
  };
  while (values().consume_queue_timestamp_ms < sent.store_timestamp_ms) std::this_thread::yield();
  clock.advance(std::chrono::seconds(31));
  while (values().index_timestamp_ms < sent.store_timestamp_ms) std::this_thread::yield();
}

TEST_CASE_FIXTURE(QueryFixture,
                  "query: an index on a full disk is made up for when there is room") {
  files = &failing;
  open();
  send_numbers(0, 10);
  wait_indexed();
  failing.plan(test::FileCall::Write, 1, std::errc::no_space_on_device, "/index/");
  send_numbers(10, 60);  // over several files
  REQUIRE(wait_dispatched());
  const auto failed = failing.failures();
  while (failing.failures() < failed + 2) std::this_thread::yield();
  SUBCASE("there is room again") {
    failing.plan(test::FileCall::Write, 1, std::errc::no_space_on_device, "nothing");
    wait_indexed();
    check_complete(60);
  }
  SUBCASE("there is room for one more write now and then") {
    const auto complete = [this] {
      return store->indexed().value().value == store->appended().value().value;
    };
    for (int i = 0; i < 6; ++i) {
      const auto before = failing.failures();
      failing.plan(test::FileCall::Write, 2, std::errc::no_space_on_device, "/index/");
      while (failing.failures() == before && !complete()) std::this_thread::yield();
    }
    failing.plan(test::FileCall::Write, 1, std::errc::no_space_on_device, "nothing");
    wait_indexed();
    check_complete(60);
  }
  SUBCASE("stopped before there is") {
    stop();
    failing.plan(test::FileCall::Write, 1, std::errc::no_space_on_device, "nothing");
    open();
    wait_indexed();
    check_complete(60);
  }
  stop();
  open();
  check_complete(60);
}

TEST_CASE_FIXTURE(QueryFixture, "query: Java's checkpoint says how far the index is on disk") {
  open();
  send_numbers(0, 10);
  clock.advance(std::chrono::seconds(5));
  const test::Appended last = send("T", {"last", "k", ""});
  wait_indexed();
  stop();
  const Bytes bytes = read_file(*files, layout().checkpoint()).value();
  CHECK(load_big_endian<std::int64_t>(bytes.data() + 16) == last.store_timestamp_ms);
  // And the header, which Java compares with it, says the same.
  const Bytes header = read_file(*files, layout().index() + "/" + index_files()[0]).value();
  CHECK(load_big_endian<std::int64_t>(header.data() + 8) == last.store_timestamp_ms);
  CHECK(load_big_endian<std::int64_t>(header.data() + 24) == last.physical[0].value);
}

}  // namespace rmq::storage
