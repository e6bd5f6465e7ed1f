#include "storage/offline/repair.h"

#include <filesystem>
#include <set>

#include "tests/support/damage.h"
#include "tests/support/failing_file_system.h"

namespace rmq::storage::offline {

using test::DamageFixture;
using test::FailingFileSystem;
using test::FileCall;
using test::overwrite;
using test::text_of;
using Message = std::pair<QueueId, int>;
using Kind = PlannedRecord::Kind;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

RepairPlan plan_of(DamageFixture& fixture) { return plan_repair(fixture.verify()); }

// What consumers get of a queue: numbers and bodies.
std::map<std::int64_t, std::string> read_queue(DamageFixture& fixture, QueueId id) {
  std::map<std::int64_t, std::string> found;
  ReadRequest request;
  request.topic = "T";
  request.queue_id = id;
  request.from = fixture.store->min_offset("T", id);
  for (;;) {
    const auto read = fixture.store->read(request);
    REQUIRE(read);
    const bool more =
        read->status == ReadStatus::Found || read->status == ReadStatus::NoMatchedMessage;
    if (!more || read->next == request.from) return found;
    for (const RecordSpan& span : read->records) {
      for (ByteView bytes = span.bytes; !bytes.empty();) {
        const auto record = protocol::decode_record(bytes, protocol::CheckBody::Yes);
        REQUIRE(record);
        found[record->queue_offset.value] = as_text(record->body);
        bytes = bytes.subspan(record->total_bytes);
      }
    }
    request.from = read->next;
  }
}

// Everything is there except `lost`, with the numbers it had, and the queues go on counting.
void check_repaired(DamageFixture& fixture, const std::set<Message>& lost) {
  const VerifyReport report = fixture.verify();
  INFO(text_of(report.findings));
  CHECK(report.findings.count() == 0);
  CHECK(report.records == report.queue_entries);
  CHECK(report.placeholders == static_cast<std::int64_t>(lost.size()));
  fixture.open();
  for (QueueId id = 0; id < DamageFixture::kQueues; ++id) {
    CAPTURE(id);
    std::map<std::int64_t, std::string> wanted;
    for (int i = 0; i < DamageFixture::kMessages; ++i) {
      if (!lost.contains({id, i})) wanted[i] = fixture.sent[id][static_cast<std::size_t>(i)];
    }
    CHECK(read_queue(fixture, id) == wanted);
    CHECK(fixture.append("T", id, {"next"}).offsets[0].value == DamageFixture::kMessages);
  }
  fixture.stop();
  const VerifyReport after = fixture.verify();
  INFO(text_of(after.findings));
  CHECK(after.findings.count() == 0);
}

void repair_all(DamageFixture& fixture) {
  const VerifyReport report = fixture.verify();
  const RepairPlan plan = plan_repair(report);
  INFO(text_of(report.findings));
  CHECK(plan.left.empty());
  const auto saved = repair(*fixture.files, report.survey, plan);
  REQUIRE(saved);
  CHECK(saved->size() == plan.ranges.size());
  const Result<> opened = reopen(*fixture.files, fixture.store_place(), report.survey);
  REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message()));
}

using Damage = std::function<void(DamageFixture&, std::int64_t at, std::int64_t size)>;

// Ways to damage the record at `at`.
std::vector<std::pair<std::string, Damage>> ways_to_damage() {
  const auto flip = [](std::int64_t where, std::uint8_t bits) {
    return [=](DamageFixture& fixture, std::int64_t at, std::int64_t) {
      fixture.flip(at + where, bits);
    };
  };
  return {{"total size", flip(3, 0x01)},
          {"total size, too large", flip(0, 0x20)},
          {"magic", flip(5, 0x40)},
          {"checksum", flip(9, 0x04)},
          {"queue id", flip(15, 0x01)},
          {"queue offset", flip(27, 0x01)},
          {"queue offset, high", flip(22, 0x10)},
          {"physical offset", flip(35, 0x02)},
          {"host is IPv6", flip(39, 0x10)},
          {"body length", flip(87, 0x02)},
          {"body", flip(90, 0x80)},
          {"head", [](auto& fixture, std::int64_t at, std::int64_t) { fixture.zero(at, 60); }},
          {"properties", [](auto& fixture, std::int64_t at,
                            std::int64_t size) { fixture.zero(at + size - 20, 20); }},
          {"topic",
           [](auto& fixture, std::int64_t at, std::int64_t size) {
             // "T", its length of 2 bytes, and the properties end it.
             const std::string path = fixture.segment_path(at / 4096 * 4096);
             const Bytes bytes = *read_file(*fixture.files, path);
             for (std::int64_t i = at % 4096 + size; i > at % 4096; --i) {
               if (bytes[static_cast<std::size_t>(i)] != std::byte{'T'} ||
                   bytes[static_cast<std::size_t>(i) - 1] != std::byte{1}) {
                 continue;
               }
               fixture.flip_in(path, i, 0x02);
               return;
             }
             FAIL("no topic");
           }},
          {"all of it",
           [](auto& fixture, std::int64_t at, std::int64_t size) { fixture.zero(at, size); }}};
}

}  // namespace

TEST_CASE("repair: one damaged record, however it is damaged, costs one message") {
  for (const auto& [way, damage] : ways_to_damage()) {
    const std::string& name = way;  // clang 14 captures no bindings
    CAPTURE(name);
    DamageFixture fixture;
    const Message message{1, 20};
    const std::int64_t at = fixture.place(1, 20);
    const std::int64_t size = fixture.size(1, 20);
    damage(fixture, at, size);
    const Bytes before = *read_file(*fixture.files, fixture.segment_path(at / 4096 * 4096));
    repair_all(fixture);
    // Its bytes are kept.
    const auto kept =
        read_file(*fixture.files, fixture.layout().damaged() + "/" + position_file_name(at));
    REQUIRE(kept);
    const auto original = ByteView(before).subspan(static_cast<std::size_t>(at % 4096),
                                                   static_cast<std::size_t>(size));
    CHECK(std::equal(kept->begin(), kept->end(), original.begin(), original.end()));
    check_repaired(fixture, {message});
  }
}

TEST_CASE("repair: the first and the last record of the log and of a segment") {
  for (int which = 0; which < 4; ++which) {
    for (const bool zeros : {false, true}) {
      CAPTURE(which);
      CAPTURE(zeros);
      DamageFixture fixture;
      Message message = which == 0 ? Message{0, 0} : Message{1, 59};
      std::int64_t last = 0;
      for (const auto& [candidate, at] : fixture.places) {
        if (which == 2 && at == 4096) message = candidate;
        if (which == 3 && at < 4096 && at > last)
          std::tie(last, message) = std::pair(at, candidate);
      }
      const std::int64_t at = fixture.place(message.first, message.second);
      zeros ? fixture.zero(at, fixture.size(message.first, message.second))
            : fixture.flip(at + 90, 1);
      repair_all(fixture);
      check_repaired(fixture, {message});
    }
  }
}

TEST_CASE("repair: a log in several directories") {
  DamageFixture fixture;
  const std::string other = fixture.directory / "other";
  std::filesystem::create_directories(other + "/lost+found");
  const std::string first = fixture.layout().commit_log();
  fixture.config.commit_log_directory = first;
  fixture.config.commit_log_read_only_directories = other;
  CHECK(fixture.verify().findings.count() == 0);
  const std::string moved = other + "/" + position_file_name(4096);
  std::filesystem::rename(first + "/" + position_file_name(4096), moved);
  // As Java leaves it behind when a directory becomes full.
  std::filesystem::copy_file(moved, first + "/" + position_file_name(4096));
  overwrite(first + "/" + position_file_name(4096), 0, Bytes(4096));
  CHECK(fixture.verify().findings.count() == 0);
  int number = 0;
  while (fixture.place(1, number) < 4096) ++number;
  fixture.flip_in(moved, fixture.place(1, number) % 4096 + 90, 0x80);
  CHECK(fixture.verify().messages_lost == 1);
  repair_all(fixture);
  check_repaired(fixture, {Message{1, number}});
}

TEST_CASE("repair: zeroed sectors cost the messages that they touch") {
  for (const std::int64_t bytes : {512, 4096, 6000}) {
    CAPTURE(bytes);
    DamageFixture fixture;
    const std::int64_t from = bytes == 4096 ? 4096 : 1024;
    std::set<Message> lost;
    for (const auto& [message, at] : fixture.places) {
      if (at < from + bytes && fixture.ends.at(message) > from) lost.insert(message);
    }
    for (std::int64_t at = from; at < from + bytes; at += 4)
      fixture.zero(at, std::min<std::int64_t>(4, from + bytes - at));
    repair_all(fixture);
    check_repaired(fixture, lost);
  }
}

TEST_CASE("repair: damaged log and damaged entries together") {
  DamageFixture fixture;
  // Nothing says any more where message 20 was, only that it is missing.
  fixture.flip(fixture.place(1, 20) + 5, 0x40);
  overwrite(fixture.queue_file(1, 20), fixture.in_queue_file(20), Bytes(20));
  // Neither where these two were.
  fixture.zero(fixture.place(0, 40), fixture.ends.at({1, 40}) - fixture.place(0, 40));
  overwrite(fixture.queue_file(0, 40), fixture.in_queue_file(40), Bytes(20));
  overwrite(fixture.queue_file(1, 40), fixture.in_queue_file(40), Bytes(20));
  repair_all(fixture);
  check_repaired(fixture, {{1, 20}, {0, 40}, {1, 40}});
}

TEST_CASE("repair: what is derived is made again, and costs nothing") {
  std::vector<std::pair<std::string, std::function<void(DamageFixture&)>>> ways{
      {"entry", [](auto& f) { f.flip_in(f.queue_file(0, 20), f.in_queue_file(20) + 6, 1); }},
      {"entry's tag", [](auto& f) { f.flip_in(f.queue_file(0, 20), f.in_queue_file(20) + 19, 1); }},
      {"middle file", [](auto& f) { REQUIRE(f.files->remove(f.queue_file(0, 20))); }},
      {"first file", [](auto& f) { REQUIRE(f.files->remove(f.queue_file(0, 0))); }},
      {"queue", [](auto& f) { REQUIRE(f.files->remove_all(f.layout().consume_queue("T", 0))); }},
      {"all queues", [](auto& f) { REQUIRE(f.files->remove_all(f.layout().consume_queues())); }},
      {"long file",
       [](auto& f) {
         REQUIRE((*f.files->open(f.queue_file(0, 20), OpenMode::Write))->truncate(900));
       }},
      {"index", [](auto& f) {
         const auto names = *f.files->list(f.layout().index());
         f.flip_in(f.layout().index() + "/" + names[1], 40 + 80 + 20 * 7 + 3, 1);
       }}};
  for (const bool marks : {true, false}) {
    for (const bool clean : {true, false}) {
      for (const auto& [way, damage] : ways) {
        const std::string& name = way;
        CAPTURE(marks);
        CAPTURE(clean);
        CAPTURE(name);
        DamageFixture fixture;
        damage(fixture);
        if (!marks) REQUIRE(fixture.files->remove_all(fixture.layout().own()));
        if (!clean) REQUIRE(fixture.files->open(fixture.layout().abort(), OpenMode::Create));
        repair_all(fixture);
        check_repaired(fixture, {});
      }
    }
  }
}

TEST_CASE("repair: a damaged log without our marks, as Java leaves it") {
  for (const bool clean : {true, false}) {
    CAPTURE(clean);
    DamageFixture fixture;
    fixture.flip(fixture.place(1, 20) + 90, 0x80);
    fixture.zero(fixture.place(0, 30), 60);
    REQUIRE(fixture.files->remove_all(fixture.layout().own()));
    if (!clean) REQUIRE(fixture.files->open(fixture.layout().abort(), OpenMode::Create));
    repair_all(fixture);
    check_repaired(fixture, {{1, 20}, {0, 30}});
  }
}

TEST_CASE("repair: the rest is found by key afterwards") {
  DamageFixture fixture;
  fixture.flip(fixture.place(1, 20) + 90, 0x80);
  repair_all(fixture);
  fixture.open();
  REQUIRE(test::wait_for(fixture.store->indexed(),
                         IndexedOffset{fixture.store->appended().value().value}));
  for (int i = 0; i < DamageFixture::kMessages; ++i) {
    CAPTURE(i);
    QueryRequest request;
    request.topic = "T";
    const std::string key = "key" + std::to_string(i);
    request.key = key;
    request.end_ms = std::numeric_limits<std::int64_t>::max();
    const auto found = fixture.store->query(request);
    REQUIRE(found);
    CHECK(found->records.size() == (i == 20 ? 1U : 2U));
  }
}

TEST_CASE("repair: a torn tail is left to recovery") {
  DamageFixture fixture;
  fixture.config.flush_interval = std::chrono::hours(1);
  fixture.open();
  const test::Appended torn = fixture.append("T", 0, {"torn"});
  fixture.kill();
  fixture.zero(torn.physical[0].value + 20, 60);
  const RepairPlan plan = plan_of(fixture);
  CHECK(plan.empty());
  CHECK(plan.torn_tail);
  CHECK(plan.left.empty());
}

TEST_CASE("repair: a store that does not open says that a repair may help, and it does") {
  DamageFixture fixture;
  REQUIRE(fixture.files->open(fixture.layout().abort(), OpenMode::Create));
  fixture.flip(fixture.place(1, 59) + 90, 0x80);  // the record that our mark names
  const Result<> opened = fixture.try_open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == StoreErrc::Corrupt);
  CHECK(has(opened.error().message(), "rmq store repair"));
  repair_all(fixture);
  check_repaired(fixture, {{1, 59}});
}

TEST_CASE("repair: killed at any write, it can be done again") {
  for (int nth = 1;; ++nth) {
    CAPTURE(nth);
    DamageFixture fixture;
    fixture.zero(fixture.place(1, 20), 60);
    fixture.flip(fixture.place(0, 40) + 90, 0x80);
    fixture.flip(fixture.place(1, 59) + 5, 0x80);
    bool done = false;
    {
      // What was not written before is not written at all; the last write is torn.
      FailingFileSystem failing;
      failing.plan(FileCall::Write, nth, std::errc::io_error);
      const VerifyReport report = fixture.verify();
      const auto saved = repair(failing, report.survey, plan_repair(report));
      done = saved.has_value();
      if (!done) CHECK(failing.failures() == 1);
    }
    if (!done) repair_all(fixture);
    if (done) REQUIRE(reopen(*fixture.files, fixture.store_place(), fixture.verify().survey));
    check_repaired(fixture, {{1, 20}, {0, 40}, {1, 59}});
    if (done) break;
    REQUIRE(nth < 50);
  }
}

TEST_CASE("repair: nothing of the log is written before the damaged bytes are saved and synced") {
  DamageFixture fixture;
  fixture.zero(fixture.place(1, 20), 60);
  FailingFileSystem failing;
  failing.plan(FileCall::Sync, 1, std::errc::io_error, "/damaged/");
  const Bytes before = *read_file(*fixture.files, fixture.segment_path(4096));
  const VerifyReport report = fixture.verify();
  REQUIRE_FALSE(repair(failing, report.survey, plan_repair(report)));
  CHECK(*read_file(*fixture.files, fixture.segment_path(4096)) == before);
}

TEST_CASE("repair: the mark stays as long as the log is not synced") {
  DamageFixture fixture;
  fixture.zero(fixture.place(1, 20), 60);
  FailingFileSystem failing;
  failing.plan(FileCall::Sync, 1, std::errc::io_error, "/commitlog/");
  const VerifyReport report = fixture.verify();
  REQUIRE_FALSE(repair(failing, report.survey, plan_repair(report)));
  CHECK(*fixture.files->exists(fixture.layout().log_mark()));
}

TEST_CASE("repair: the mark goes with the record that it names, and the next start does the rest") {
  DamageFixture fixture;
  fixture.zero(fixture.place(1, 59), 60);
  const VerifyReport report = fixture.verify();
  REQUIRE(repair(*fixture.files, report.survey, plan_repair(report)));
  CHECK_FALSE(*fixture.files->exists(fixture.layout().log_mark()));
  fixture.open();
  fixture.stop();
  check_repaired(fixture, {{1, 59}});
}

TEST_CASE("repair plan: records of any borders fill the damaged bytes exactly") {
  DamageFixture fixture;
  // Behind the queues' knowledge: a stretch that no entry is about.
  fixture.zero(fixture.place(0, 10), fixture.ends.at({1, 12}) - fixture.place(0, 10));
  for (int i = 10; i <= 12; ++i) {
    overwrite(fixture.queue_file(0, i), fixture.in_queue_file(i), Bytes(20));
  }
  const RepairPlan plan = plan_of(fixture);
  REQUIRE(plan.ranges.size() == 1);
  PhysicalOffset at = plan.ranges[0].from;
  for (const PlannedRecord& record : plan.records) {
    CHECK(record.at == at);
    at += record.size;
  }
  CHECK(at == plan.ranges[0].to);
  CHECK(plan.placeholders() == 6);
}

TEST_CASE("repair plan: a message without a place in the log is said to be left") {
  DamageFixture fixture;
  REQUIRE(fixture.files->remove(fixture.segment_path(4096)));
  const RepairPlan plan = plan_of(fixture);
  CHECK_FALSE(plan.left.empty());
  CHECK(plan.queues.empty());
}

TEST_CASE("placeholder: any size from the smallest on is a sound record") {
  for (const std::string& topic :
       {std::string("T"), std::string(200, 'x'), std::string(kScheduleTopic)}) {
    const std::size_t least = placeholder_bytes_min(topic);
    for (std::size_t size = least; size < least + 100; ++size) {
      const Placeholder wanted{topic, 3, QueueOffset{7}, PhysicalOffset{1000}, 5, false};
      const Bytes bytes = encode_placeholder(wanted, size);
      REQUIRE(bytes.size() == size);
      const auto scan =
          protocol::scan_record(bytes, PhysicalOffset{1000}, protocol::CheckBody::Yes);
      REQUIRE(scan);
      CHECK(scan->size == size);
      CHECK(is_placeholder(scan->record));
      CHECK(scan->record.topic == topic);
      CHECK(scan->record.queue_offset.value == 7);
      const bool room = size >= least + kDamagedProperty.size() + 3;
      if (topic != kScheduleTopic)
        CHECK(has(std::string(scan->record.properties), "RMQ_DAMAGED") == room);
    }
  }
}

}  // namespace rmq::storage::offline
