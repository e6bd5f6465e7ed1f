#include "storage/recovery.h"

#include <filesystem>
#include <functional>
#include <set>
#include <thread>

#include "tests/support/failing_file_system.h"
#include "tests/support/store_fixture.h"

namespace rmq::storage {

using test::Appended;
using test::overwrite;
using test::StoreFixture;
using Texts = std::vector<std::string>;

namespace {

// Bytes are on disk only when a test asks for it.
struct UnflushedFixture : StoreFixture {
  UnflushedFixture() {
    config.flush_interval = std::chrono::hours(1);
    config.flush_consume_queue_interval = std::chrono::hours(1);
  }
};

Bytes zeros(std::int64_t count) { return Bytes(static_cast<std::size_t>(count)); }

std::string error_of(const Result<>& result) {
  return result ? std::string("no error") : result.error().message();
}

void remove_all(const std::string& path) { REQUIRE(FileSystem::posix().remove_all(path)); }

void pretend_crash(const StoreFixture& fixture) {
  REQUIRE(FileSystem::posix().open(fixture.layout().abort(), OpenMode::Create));
}

Texts many(int count) {
  Texts bodies;
  for (int i = 0; i < count; ++i) bodies.push_back("message " + std::to_string(i));
  return bodies;
}

}  // namespace

TEST_CASE("recovery: after a clean stop everything is there and numbers go on") {
  StoreFixture fixture;
  fixture.open();
  const Texts sent = many(250);  // three files of the queue
  REQUIRE(fixture.append("T", 3, sent).outcome);
  CHECK(*fixture.files->exists(fixture.layout().abort()));
  fixture.stop();
  CHECK_FALSE(*fixture.files->exists(fixture.layout().abort()));
  fixture.open();
  CHECK(fixture.bodies("T", 3) == sent);
  CHECK(fixture.append("T", 3, {"next"}).offsets[0] == QueueOffset{250});
}

TEST_CASE("recovery: killed, with and without our own notes, nothing written is lost") {
  StoreFixture fixture;
  SUBCASE("flushed now and then") {}
  SUBCASE("never flushed") {
    fixture.config.flush_interval = std::chrono::hours(1);
    fixture.config.flush_consume_queue_interval = std::chrono::hours(1);
  }
  SUBCASE("small segments") { fixture.config.commit_log_segment_bytes = 2000; }
  fixture.open();
  const Texts sent = many(120);
  for (const std::string& body : sent) REQUIRE(fixture.append("T", 0, {body}).outcome);
  REQUIRE(fixture.append("U", 1, {"u"}).outcome);
  fixture.kill();
  SUBCASE("our notes") {}
  SUBCASE("as Java would leave it") { remove_all(fixture.layout().own()); }
  for (int round = 0; round < 3; ++round) {  // recovery can be done again
    fixture.open();
    CHECK(fixture.bodies("T", 0) == sent);
    CHECK(fixture.bodies("U", 1) == Texts{"u"});
    fixture.kill();
  }
  fixture.open();
  CHECK(fixture.append("T", 0, {"next"}).offsets[0] == QueueOffset{120});
}

TEST_CASE("recovery: a store stopped by Java, which leaves no note of ours") {
  StoreFixture fixture;
  fixture.config.commit_log_segment_bytes = 2000;
  fixture.open();
  const Texts sent = many(50);
  REQUIRE(fixture.append("T", 0, sent).outcome);
  fixture.stop();
  remove_all(fixture.layout().own());
  fixture.open();
  CHECK(fixture.bodies("T", 0) == sent);
  CHECK(fixture.append("T", 0, {"next"}).offsets[0] == QueueOffset{50});
}

TEST_CASE("recovery: Java has appended since our stop") {
  StoreFixture ours;
  ours.open();
  REQUIRE(ours.append("T", 0, {"a"}).outcome);
  ours.stop();
  const Bytes marks = *read_file(FileSystem::posix(), ours.layout().log_mark());
  ours.open();
  ours.clock.advance(std::chrono::seconds(1));
  REQUIRE(ours.append("T", 0, {"b"}).outcome);
  ours.stop();
  // The old note beside a store that has gone on without writing it.
  overwrite(ours.layout().log_mark(), 0, marks);
  ours.open();
  CHECK(ours.bodies("T", 0) == Texts{"a", "b"});
  CHECK(ours.append("T", 0, {"c"}).offsets[0] == QueueOffset{2});
}

TEST_CASE("recovery: a last record torn at any byte goes, and the space is used again") {
  for (std::int64_t torn_at = 0;; ++torn_at) {
    UnflushedFixture fixture;
    fixture.open();
    REQUIRE(fixture.append("T", 0, {"a", "b"}).outcome);
    const Appended last = fixture.append("T", 0, {"torn"}, "tag");
    fixture.kill();
    const std::int64_t begin = last.physical[0].value;
    if (begin + torn_at == last.end.value) break;
    CAPTURE(torn_at);
    overwrite(fixture.segment_path(0), begin + torn_at, zeros(last.end.value - begin - torn_at));
    fixture.open();
    CHECK(fixture.bodies("T", 0) == Texts{"a", "b"});
    CHECK(fixture.store->appended().value().value == begin);
    const Appended again = fixture.append("T", 0, {"c"});
    CHECK(again.offsets[0] == QueueOffset{2});
    CHECK(again.physical[0].value == begin);
    REQUIRE(fixture.wait_dispatched());
    CHECK(fixture.bodies("T", 0) == Texts{"a", "b", "c"});
    const Bytes segment = *read_file(FileSystem::posix(), fixture.segment_path(0));
    const auto rest = ByteView(segment).subspan(static_cast<std::size_t>(again.end.value));
    CHECK(std::all_of(rest.begin(), rest.end(), [](std::byte b) { return b == std::byte{0}; }));
  }
}

TEST_CASE("recovery: any byte of the last body damaged, and the record goes") {
  UnflushedFixture fixture;
  fixture.open();
  REQUIRE(fixture.append("T", 0, {"a"}).outcome);
  const Appended last = fixture.append("T", 0, {"body"});
  fixture.kill();
  overwrite(fixture.segment_path(0), last.physical[0].value + 89, as_bytes("X"));
  fixture.open();
  CHECK(fixture.bodies("T", 0) == Texts{"a"});
}

TEST_CASE("recovery: a hole above what was known to be on disk is cut, with all behind it") {
  UnflushedFixture fixture;
  fixture.config.commit_log_segment_bytes = 1000;
  fixture.open();
  REQUIRE(fixture.append("T", 0, {"a"}).outcome);
  const Appended hole = fixture.append("T", 0, {"b"});
  REQUIRE(fixture.append("T", 0, many(30)).outcome);  // over several segments
  fixture.kill();
  overwrite(fixture.segment_path(0), hole.physical[0].value, zeros(8));
  fixture.open();
  CHECK(fixture.bodies("T", 0) == Texts{"a"});
  CHECK(fixture.files->list(fixture.layout().commit_log())->size() == 1);
  CHECK(fixture.append("T", 0, {"c"}).offsets[0] == QueueOffset{1});
  fixture.kill();
  fixture.open();
  CHECK(fixture.bodies("T", 0) == Texts{"a", "c"});
}

TEST_CASE("recovery: a hole below what was known to be on disk is damage, and nothing is dropped") {
  StoreFixture fixture;
  fixture.open();
  REQUIRE(fixture.append("T", 0, {"a"}).outcome);
  const Appended hole = fixture.append("T", 0, {"b"});
  REQUIRE(fixture.append("T", 0, {"c"}).outcome);
  std::string mentioned = std::to_string(hole.physical[0].value);
  SUBCASE("by Java's checkpoint") {
    fixture.clock.advance(std::chrono::seconds(10));
    REQUIRE(fixture.append("T", 0, {"much later"}).outcome);
    fixture.stop();
    remove_all(fixture.layout().own());
    overwrite(fixture.segment_path(0), hole.physical[0].value, zeros(8));
  }
  SUBCASE("by our own note") {
    fixture.stop();
    overwrite(fixture.segment_path(0), hole.physical[0].value,
              zeros(fixture.config.commit_log_segment_bytes - hole.physical[0].value));
  }
  for (int attempt = 0; attempt < 2; ++attempt) {
    const Result<> opened = fixture.try_open();
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == StoreErrc::Corrupt);
    CHECK(error_of(opened).find(mentioned) != std::string::npos);
  }
  CHECK(fixture.files->list(fixture.layout().commit_log())->size() == 1);
}

TEST_CASE("recovery: without any queue the whole log is read, whatever Java's checkpoint says") {
  StoreFixture fixture;
  fixture.config.commit_log_segment_bytes = 1000;
  fixture.open();
  Texts sent = many(20);
  REQUIRE(fixture.append("T", 0, sent).outcome);
  fixture.clock.advance(std::chrono::seconds(10));
  REQUIRE(fixture.append("T", 0, {"later"}).outcome);
  sent.emplace_back("later");
  fixture.stop();
  remove_all(fixture.layout().own());
  remove_all(fixture.layout().consume_queues());
  SUBCASE("after a stop") {}
  SUBCASE("after a crash") { pretend_crash(fixture); }
  fixture.open();
  CHECK(fixture.bodies("T", 0) == sent);
}

TEST_CASE("recovery: the segments are gone but the queues are not") {
  StoreFixture fixture;
  fixture.open();
  REQUIRE(fixture.append("T", 0, {"a"}).outcome);
  fixture.stop();
  remove_all(fixture.layout().commit_log());
  CHECK(fixture.try_open().error().code == StoreErrc::Corrupt);
}

namespace {

enum class End { Stopped, Killed, KilledWithNote, StoppedByJava };

// A store whose queues are damaged by `damage`, given the directory of one with three files.
void check_made_again(End end,
                      const std::function<void(StoreFixture&, const std::string&)>& damage) {
  StoreFixture fixture;
  fixture.config.commit_log_segment_bytes = 4000;
  fixture.open();
  const Texts sent = many(250);
  REQUIRE(fixture.append("T", 0, sent).outcome);
  REQUIRE(fixture.append("T", 1, {"one"}).outcome);
  REQUIRE(fixture.append("U", 0, {"u"}).outcome);
  REQUIRE(fixture.wait_dispatched());
  REQUIRE(fixture.wait_flushed());
  // What a kill takes from memory is no damage.
  const std::string last_file = fixture.layout().consume_queue("T", 0) + "/00000000000000004000";
  while (end == End::Killed && !*fixture.files->exists(last_file)) std::this_thread::yield();
  end == End::Killed ? fixture.kill() : fixture.stop();
  if (end == End::KilledWithNote) pretend_crash(fixture);
  if (end == End::StoppedByJava) remove_all(fixture.layout().own());
  damage(fixture, fixture.layout().consume_queue("T", 0));
  fixture.open();
  CHECK(fixture.bodies("T", 0) == sent);
  CHECK(fixture.bodies("T", 1) == Texts{"one"});
  CHECK(fixture.bodies("U", 0) == Texts{"u"});
  CHECK(fixture.append("T", 0, {"next"}).offsets[0] == QueueOffset{250});
  CHECK(fixture.append("U", 0, {"next"}).offsets[0] == QueueOffset{1});
}

}  // namespace

TEST_CASE("recovery: consume queues are made again from the log") {
  std::vector<End> ends{End::Stopped, End::Killed, End::KilledWithNote, End::StoppedByJava};
  std::function<void(StoreFixture&, const std::string&)> damage;
  const auto shorten = [](const std::string& name) {
    return [name](StoreFixture& fixture, const std::string& queue) {
      auto file = fixture.files->open(queue + "/" + name, OpenMode::Write);
      REQUIRE(file);
      REQUIRE((*file)->truncate(60));
    };
  };
  const auto remove = [](const std::string& name) {
    return [name](StoreFixture& fixture, const std::string& queue) {
      REQUIRE(fixture.files->remove(queue + "/" + name));
    };
  };
  SUBCASE("all gone") {
    damage = [](StoreFixture& fixture, const std::string&) {
      remove_all(fixture.layout().consume_queues());
    };
  }
  SUBCASE("one queue gone") {
    damage = [](StoreFixture&, const std::string& queue) { remove_all(queue); };
    ends.pop_back();  // no note says how many there were, and Java does not miss it either
  }
  SUBCASE("first file gone") { damage = remove("00000000000000000000"); }
  SUBCASE("file at the end gone") {
    damage = remove("00000000000000004000");
    ends.pop_back();  // likewise
  }
  SUBCASE("file in the middle gone") { damage = remove("00000000000000002000"); }
  SUBCASE("short file") { damage = shorten("00000000000000000000"); }
  SUBCASE("short file in the middle") { damage = shorten("00000000000000002000"); }
  SUBCASE("short file at the end") { damage = shorten("00000000000000004000"); }
  for (const End end : ends) {
    CAPTURE(static_cast<int>(end));
    check_made_again(end, damage);
  }
}

TEST_CASE("recovery: a queue is missed although others have come since the last note") {
  StoreFixture fixture;
  fixture.open();
  REQUIRE(fixture.append("T", 0, {"a"}).outcome);
  fixture.stop();
  fixture.config.flush_consume_queue_interval = std::chrono::hours(1);
  fixture.open();
  REQUIRE(fixture.append("T", 1, {"b"}).outcome);
  REQUIRE(fixture.append("T", 2, {"c"}).outcome);
  REQUIRE(fixture.wait_dispatched());
  fixture.kill();
  remove_all(fixture.layout().consume_queue("T", 0));
  fixture.open();
  CHECK(fixture.bodies("T", 0) == Texts{"a"});
  CHECK(fixture.bodies("T", 2) == Texts{"c"});
}

TEST_CASE("recovery: a queue that was being made at a kill costs no reading of the whole log") {
  test::FailingFileSystem reads;
  StoreFixture fixture;
  fixture.open();
  const Texts sent(60, std::string(3000, 'x'));
  for (const std::string& body : sent) REQUIRE(fixture.append("T", 0, {body}).outcome);
  fixture.stop();
  pretend_crash(fixture);
  const std::string made = fixture.layout().consume_queue("T", 9);
  bool whole = false;
  SUBCASE("a new one") { REQUIRE(FileSystem::posix().make_directories(made)); }
  SUBCASE("one that had entries") {
    std::filesystem::rename(fixture.layout().consume_queue("T", 0), made);
    remove_all(made + "/" + position_file_name(0));
    whole = true;
  }
  REQUIRE(FileSystem::posix().open(made + "/" + position_file_name(0), OpenMode::Create));
  std::set<std::string> read;
  reads.before_read([&read](const std::string& path) { read.insert(path); });
  fixture.files = &reads;
  fixture.open();
  CHECK(read.contains(fixture.segment_path(0)) == whole);
  CHECK(fixture.bodies("T", 0) == sent);
  CHECK(fixture.append("T", 9, {"first"}).offsets[0] == QueueOffset{0});
  REQUIRE(fixture.wait_dispatched());
  CHECK(fixture.bodies("T", 9) == Texts{"first"});
  fixture.kill();
}

TEST_CASE("recovery: after a stop the queues are looked at") {
  for (const End end : {End::Stopped, End::StoppedByJava}) {
    CAPTURE(static_cast<int>(end));
    check_made_again(end, [](StoreFixture&, const std::string& queue) {
      overwrite(queue + "/00000000000000004000", 20 * 10, zeros(20 * 90));
    });
  }
}

TEST_CASE("recovery: entries that never reached the disk are dispatched again after a crash") {
  StoreFixture fixture;
  fixture.open();
  fixture.stop();
  const Bytes mark = *read_file(*fixture.files, fixture.layout().log_mark());
  const Bytes checkpoint = *read_file(*fixture.files, fixture.layout().checkpoint());
  fixture.open();
  const Texts sent = many(30);
  REQUIRE(fixture.append("T", 0, sent).outcome);
  fixture.stop();
  // Entries reach their file before a note says so.
  overwrite(fixture.layout().log_mark(), 0, mark);
  overwrite(fixture.layout().checkpoint(), 0, checkpoint);
  pretend_crash(fixture);
  // The hole that pages written out of order leave.
  overwrite(fixture.layout().consume_queue("T", 0) + "/00000000000000000000", 20 * 3, zeros(40));
  fixture.open();
  CHECK(fixture.bodies("T", 0) == sent);
}

TEST_CASE("recovery: old segments were deleted, queues begin later") {
  StoreFixture fixture;
  fixture.config.commit_log_segment_bytes = 1000;
  fixture.config.consume_queue_file_bytes = 20 * 7;
  fixture.open();
  const Texts sent = many(40);
  for (const std::string& body : sent) REQUIRE(fixture.append("T", 0, {body}).outcome);
  fixture.stop();
  REQUIRE(fixture.files->remove(fixture.segment_path(0)));
  REQUIRE(fixture.files->remove(fixture.segment_path(1000)));
  bool fillers = false;
  SUBCASE("queue intact") {}
  SUBCASE("queue made again, with fillers") {
    remove_all(fixture.layout().consume_queues());
    fillers = true;
  }
  fixture.open();
  const std::int64_t first = fixture.store->min_offset("T", 0).value;
  CHECK(first > 0);
  CHECK(first % 7 != 0);
  CHECK(fixture.store->min_physical() == PhysicalOffset{2000});
  CHECK(fixture.bodies("T", 0, first) == Texts(sent.begin() + first, sent.end()));
  const ReadResult before = *fixture.store->read({"T", 0, QueueOffset{first - 1}, 32, {}});
  CHECK(before.status == ReadStatus::OffsetTooSmall);
  CHECK(before.next.value == first);
  const auto names = fixture.files->list(fixture.layout().consume_queue("T", 0));
  CHECK(names->front() == position_file_name(fillers ? first / 7 * 140 : 0));
  if (fillers) {
    const Bytes file =
        *read_file(*fixture.files, fixture.layout().consume_queue("T", 0) + "/" + names->front());
    const ConsumeQueueEntry filler{PhysicalOffset{0}, 0x7FFFFFFF, 0};
    for (std::int64_t i = 0; i < first % 7; ++i)
      CHECK(decode_entry(file.data() + 20 * i) == filler);
  }
  fixture.kill();
  fixture.open();
  CHECK(fixture.store->min_offset("T", 0).value == first);
}

TEST_CASE("recovery: segment files of the wrong size") {
  StoreFixture fixture;
  fixture.config.commit_log_segment_bytes = 1000;
  fixture.open();
  const Texts sent = many(20);
  for (const std::string& body : sent) REQUIRE(fixture.append("T", 0, {body}).outcome);
  fixture.stop();
  const auto names = *fixture.files->list(fixture.layout().commit_log());
  const std::string last = fixture.layout().commit_log() + "/" + names.back();
  SUBCASE("an empty last one is removed") {
    const std::int64_t next = static_cast<std::int64_t>(names.size()) * 1000;
    REQUIRE(fixture.files->open(fixture.segment_path(next), OpenMode::Create));
    fixture.open();
    CHECK(fixture.bodies("T", 0) == sent);
  }
  SUBCASE("a short last one is lengthened") {
    const std::int64_t next = static_cast<std::int64_t>(names.size()) * 1000;
    REQUIRE((*fixture.files->open(fixture.segment_path(next), OpenMode::Create))->truncate(10));
    fixture.open();
    CHECK(fixture.bodies("T", 0) == sent);
  }
  SUBCASE("a short one in the middle is an error") {
    REQUIRE((*fixture.files->open(fixture.segment_path(1000), OpenMode::Write))->truncate(999));
    const Result<> opened = fixture.try_open();
    CHECK(opened.error().code == StoreErrc::WrongFileSize);
    CHECK(error_of(opened).find(fixture.segment_path(1000)) != std::string::npos);
  }
  SUBCASE("another configured size is an error") {
    fixture.config.commit_log_segment_bytes = 500;
    CHECK(fixture.try_open().error().code == StoreErrc::WrongFileSize);
  }
  SUBCASE("another configured length of queue files is an error") {
    fixture.config.consume_queue_file_bytes = 20 * 10;
    CHECK(fixture.try_open().error().code == StoreErrc::WrongFileSize);
  }
  SUBCASE("a missing one in the middle is an error") {
    REQUIRE(fixture.files->remove(fixture.segment_path(1000)));
    CHECK(fixture.try_open().error().code == StoreErrc::WrongFileName);
  }
  SUBCASE("a foreign file is an error that names it") {
    REQUIRE(fixture.files->open(fixture.layout().commit_log() + "/notes", OpenMode::Create));
    const Result<> opened = fixture.try_open();
    CHECK(opened.error().code == StoreErrc::WrongFileName);
    CHECK(error_of(opened).find("notes") != std::string::npos);
  }
}

TEST_CASE("recovery: a note that fits nothing is not used") {
  StoreFixture fixture;
  fixture.open();
  REQUIRE(fixture.append("T", 0, {"a", "b"}).outcome);
  fixture.stop();
  SUBCASE("damaged") { overwrite(fixture.layout().log_mark(), 20, as_bytes("damage")); }
  SUBCASE("beside another checkpoint") { overwrite(fixture.layout().checkpoint(), 3, zeros(1)); }
  SUBCASE("after a crash") { pretend_crash(fixture); }
  overwrite(fixture.layout().log_mark(), 4096 + 20, as_bytes("damage"));
  fixture.open();
  CHECK(fixture.bodies("T", 0) == Texts{"a", "b"});
}

}  // namespace rmq::storage
