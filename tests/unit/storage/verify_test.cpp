#include "storage/offline/verify.h"

#include "storage/offline/inspect.h"
#include "storage/store_lock.h"
#include "tests/support/damage.h"
#include "tests/support/failing_file_system.h"

namespace rmq::storage::offline {

using test::DamageFixture;
using test::overwrite;
using test::StoreFixture;
using test::text_of;

namespace {

// The findings of this kind, and that there are no others except notes.
std::vector<Finding> only(const VerifyReport& report, FindingKind kind) {
  INFO(text_of(report.findings));
  std::vector<Finding> found;
  for (const Finding& finding : report.findings.kept()) {
    if (finding.harm == Harm::Note) continue;
    CHECK(finding.kind == kind);
    if (finding.kind == kind) found.push_back(finding);
  }
  return found;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// One message is lost, at its place, and the report knows which one.
void check_lost(DamageFixture& fixture, QueueId id, int number) {
  const VerifyReport report = fixture.verify();
  INFO(text_of(report.findings));
  CHECK_FALSE(report.findings.sound());
  CHECK(report.messages_lost == 1);
  CHECK(report.findings.count_of(FindingKind::Record) == 1);
  REQUIRE(report.ranges.size() == 1);
  CHECK(report.ranges[0].from.value == fixture.place(id, number));
  CHECK(report.ranges[0].to - report.ranges[0].from == fixture.size(id, number));
  REQUIRE(report.lost.size() == 1);
  CHECK(report.lost[0].topic == "T");
  CHECK(report.lost[0].queue_id == id);
  CHECK(report.lost[0].number.value == number);
  REQUIRE(report.lost[0].at);
  CHECK(report.lost[0].at->value == fixture.place(id, number));
  CHECK(report.lost[0].size == fixture.size(id, number));
}

}  // namespace

TEST_CASE("verify: a store that was stopped is sound") {
  DamageFixture fixture;
  const VerifyReport report = fixture.verify();
  INFO(text_of(report.findings));
  CHECK(report.findings.count() == 0);
  CHECK(report.records == 120);
  CHECK(report.queue_entries == 120);
  CHECK(report.index_entries == 120);
  CHECK(report.survey.index.size() == 3);
  CHECK(report.log_end.value == fixture.ends.at({1, 59}));
  CHECK_FALSE(*fixture.files->exists(fixture.layout().abort()));
}

TEST_CASE("verify: lengths are found from the files") {
  DamageFixture fixture;
  StorePlace place;
  place.config.root_directory = fixture.config.root_directory;
  const auto report = verify(*fixture.files, place, {});
  REQUIRE(report);
  INFO(text_of(report->findings));
  CHECK(report->findings.count() == 0);
  CHECK(report->survey.segment_bytes == fixture.config.commit_log_segment_bytes);
  CHECK(report->survey.queue_file_bytes == fixture.config.consume_queue_file_bytes);
  REQUIRE(report->survey.index_shape);
  CHECK(report->survey.index_shape->slots == 20);
  CHECK(report->survey.index_shape->entries == 60);
}

TEST_CASE("verify: the store of a killed process has notes, not damage") {
  DamageFixture fixture;
  fixture.config.flush_interval = std::chrono::hours(1);
  fixture.config.flush_consume_queue_interval = std::chrono::hours(1);
  fixture.open();
  const test::Appended last = fixture.append("T", 0, {"a", "b", "c"});
  REQUIRE(fixture.wait_dispatched());
  fixture.kill();
  SUBCASE("as it is") {}
  SUBCASE("a torn tail") { fixture.zero(last.physical[1].value + 50, 512); }
  SUBCASE("queues without the last entries") {
    overwrite(fixture.queue_file(0, 60), fixture.in_queue_file(60), Bytes(60));
  }
  SUBCASE("no log mark") { REQUIRE(fixture.files->remove_all(fixture.layout().own())); }
  const VerifyReport report = fixture.verify();
  INFO(text_of(report.findings));
  CHECK(report.findings.sound());
  CHECK(report.records >= 121);
}

TEST_CASE("verify: a flipped bit anywhere in a record is found where it is") {
  DamageFixture fixture;
  const int number = 20;
  const std::int64_t at = fixture.place(1, number);
  SUBCASE("total size") { fixture.flip(at + 3, 0x01); }
  SUBCASE("total size, much too large") { fixture.flip(at, 0x20); }
  SUBCASE("magic") { fixture.flip(at + 5, 0x40); }
  SUBCASE("checksum") { fixture.flip(at + 9, 0x04); }
  SUBCASE("queue id: that of the other queue") { fixture.flip(at + 15, 0x01); }
  SUBCASE("queue id: of none") { fixture.flip(at + 14, 0x01); }
  SUBCASE("queue offset, low") { fixture.flip(at + 27, 0x01); }
  SUBCASE("queue offset, high") { fixture.flip(at + 22, 0x10); }
  SUBCASE("physical offset") { fixture.flip(at + 35, 0x02); }
  SUBCASE("host is IPv6") { fixture.flip(at + 39, 0x10); }
  SUBCASE("body length") { fixture.flip(at + 87, 0x02); }
  SUBCASE("body") { fixture.flip(at + 90, 0x80); }
  SUBCASE("topic length") {
    fixture.flip(at + 88 + static_cast<std::int64_t>(fixture.sent[1][number].size()), 0x01);
  }
  SUBCASE("topic") {
    fixture.flip(at + 89 + static_cast<std::int64_t>(fixture.sent[1][number].size()), 0x02);
  }
  SUBCASE("topic becomes a slash") {
    fixture.flip(at + 89 + static_cast<std::int64_t>(fixture.sent[1][number].size()), 'T' ^ '/');
  }
  SUBCASE("all zeros") { fixture.zero(at, fixture.size(1, number)); }
  SUBCASE("zeros in the head") { fixture.zero(at, 60); }
  SUBCASE("zeros in the properties") { fixture.zero(at + fixture.size(1, number) - 20, 20); }
  check_lost(fixture, 1, number);
}

namespace {

using Message = std::pair<QueueId, int>;

// The first and the last of the log, and of a segment.
std::vector<Message> outer_messages(const DamageFixture& fixture) {
  Message first;
  Message last;
  std::int64_t last_at = 0;
  for (const auto& [message, at] : fixture.places) {
    if (at == 4096) first = message;
    if (at < 4096 && at > last_at) std::tie(last_at, last) = std::pair(at, message);
  }
  return {{0, 0}, {1, 59}, first, last};
}

}  // namespace

TEST_CASE("verify: the first and the last record of a segment, and of the log") {
  for (std::size_t which = 0; which < 4; ++which) {
    for (int how = 0; how < 3; ++how) {
      CAPTURE(which);
      CAPTURE(how);
      DamageFixture fixture;
      const auto [id, number] = outer_messages(fixture)[which];
      const std::int64_t at = fixture.place(id, number);
      if (how == 0) fixture.flip(at + 4, 0x01);
      if (how == 1) fixture.zero(at, fixture.size(id, number));
      if (how == 2) fixture.flip(at + 89, 0x01);
      check_lost(fixture, id, number);
    }
  }
}

TEST_CASE("verify: a zeroed sector over several records") {
  DamageFixture fixture;
  const std::int64_t sector = 1024;
  fixture.zero(sector, 512);
  std::int64_t hit = 0;
  for (const auto& [message, at] : fixture.places) {
    if (at < sector + 512 && fixture.ends.at(message) > sector) ++hit;
  }
  const VerifyReport report = fixture.verify();
  INFO(text_of(report.findings));
  CHECK(report.messages_lost == hit);
  for (const LostMessage& lost : report.lost) {
    REQUIRE(lost.at);
    CHECK(lost.at->value == fixture.place(lost.queue_id, static_cast<int>(lost.number.value)));
  }
}

TEST_CASE("verify: entries of queues") {
  DamageFixture fixture;
  const int number = 20;
  const std::string path = fixture.queue_file(0, number);
  const std::int64_t at = fixture.in_queue_file(number);
  SUBCASE("place") { fixture.flip_in(path, at + 6, 0x01); }
  SUBCASE("place, behind the log") { fixture.flip_in(path, at + 2, 0x01); }
  SUBCASE("size") { fixture.flip_in(path, at + 11, 0x01); }
  SUBCASE("tag") { fixture.flip_in(path, at + 19, 0x01); }
  SUBCASE("tag, beyond 32 bits") { fixture.flip_in(path, at + 13, 0x01); }
  SUBCASE("zeros") { overwrite(path, at, Bytes(20)); }
  SUBCASE("that of the message before") {
    overwrite(
        path, at,
        ByteView(*read_file(*fixture.files, path)).subspan(static_cast<std::size_t>(at) - 20, 20));
  }
  const VerifyReport report = fixture.verify();
  const auto found = only(report, FindingKind::QueueEntry);
  REQUIRE(found.size() == 1);
  CHECK(found[0].harm == Harm::Nothing);
  CHECK(found[0].file == path);
  CHECK(found[0].position == at);
  CHECK(report.messages_lost == 0);
  REQUIRE(report.broken_queues.size() == 1);
  CHECK(report.broken_queues[0].queue_id == 0);
}

TEST_CASE("verify: files of queues") {
  DamageFixture fixture;
  std::string path = fixture.queue_file(1, 20);
  SUBCASE("missing in the middle") { REQUIRE(fixture.files->remove(path)); }
  SUBCASE("missing, the first one") {
    path = fixture.queue_file(1, 0);
    REQUIRE(fixture.files->remove(path));
  }
  SUBCASE("short") { REQUIRE((*fixture.files->open(path, OpenMode::Write))->truncate(100)); }
  SUBCASE("the whole queue") {
    path = fixture.layout().consume_queue("T", 1);
    REQUIRE(fixture.files->remove_all(path));
  }
  const VerifyReport report = fixture.verify();
  INFO(text_of(report.findings));
  CHECK(report.messages_lost == 0);
  CHECK_FALSE(report.findings.sound());
  bool named = false;
  for (const Finding& finding : report.findings.kept()) {
    CHECK(finding.harm == Harm::Nothing);
    if (finding.kind == FindingKind::QueueFile) named = named || finding.file == path;
  }
  CHECK(named);
  REQUIRE(report.broken_queues.size() == 1);
  CHECK(report.broken_queues[0].queue_id == 1);
}

TEST_CASE("verify: the index") {
  DamageFixture fixture;
  const IndexShape shape{20, 60};
  const auto names = *fixture.files->list(fixture.layout().index());
  REQUIRE(names.size() == 3);
  const std::string path = fixture.layout().index() + "/" + names[1];
  std::int64_t at = shape.entry_at(7);
  SUBCASE("hash") { fixture.flip_in(path, at + 3, 0x01); }
  SUBCASE("place") { fixture.flip_in(path, at + 11, 0x01); }
  SUBCASE("chain") { fixture.flip_in(path, at + 19, 0x01); }
  SUBCASE("slot") {
    // Whichever has entries.
    const Bytes bytes = *read_file(*fixture.files, path);
    at = kIndexHeaderBytes;
    while (bytes[static_cast<std::size_t>(at) + 3] == std::byte{0}) at += 4;
    fixture.flip_in(path, at + 3, 0x01);
  }
  SUBCASE("header") {
    at = 32;
    fixture.flip_in(path, 35, 0x02);
  }
  SUBCASE("header cannot be") {
    at = 0;
    fixture.flip_in(path, 36, 0x01);
  }
  SUBCASE("short") {
    at = 0;
    REQUIRE((*fixture.files->open(path, OpenMode::Write))->truncate(100));
  }
  const VerifyReport report = fixture.verify();
  const auto found = only(report, FindingKind::Index);
  REQUIRE(!found.empty());
  bool placed = false;
  for (const Finding& finding : found) {
    CHECK(finding.harm == Harm::Nothing);
    CHECK(finding.file == path);
    placed = placed || finding.position == at;
  }
  CHECK(placed);
  CHECK(report.first_broken_index == 1);
}

TEST_CASE("verify: segments that are missing or have another length") {
  DamageFixture fixture;
  SUBCASE("missing") {
    REQUIRE(fixture.files->remove(fixture.segment_path(4096)));
    const VerifyReport report = fixture.verify();
    INFO(text_of(report.findings));
    CHECK(report.messages_lost > 20);
    CHECK(report.findings.kept()[0].file == fixture.segment_path(4096));
  }
  SUBCASE("short") {
    REQUIRE((*fixture.files->open(fixture.segment_path(4096), OpenMode::Write))->truncate(2000));
    const VerifyReport report = fixture.verify();
    CHECK(report.findings.count_of(FindingKind::LogFile) == 1);
    CHECK(report.messages_lost > 10);
  }
  SUBCASE("of another name") {
    REQUIRE(fixture.files->open(fixture.layout().commit_log() + "/notes", OpenMode::Create));
    const VerifyReport report = fixture.verify();
    REQUIRE(only(report, FindingKind::LogFile).size() == 1);
    CHECK(has(report.findings.kept()[0].file, "notes"));
  }
}

TEST_CASE("verify: old segments were deleted") {
  DamageFixture fixture;
  REQUIRE(fixture.files->remove(fixture.segment_path(0)));
  const VerifyReport report = fixture.verify();
  INFO(text_of(report.findings));
  CHECK(report.findings.count() == 0);
  CHECK(report.log_begin.value == 4096);
}

TEST_CASE("verify: all findings are counted, few are kept") {
  DamageFixture fixture;
  for (int number = 10; number < 20; ++number) {
    fixture.flip_in(fixture.queue_file(0, number), fixture.in_queue_file(number) + 19, 0x01);
  }
  fixture.flip(fixture.place(1, 50) + 90, 0x01);
  const auto report = verify(*fixture.files, fixture.store_place(), {3, {}});
  REQUIRE(report);
  CHECK(report->findings.count_of(FindingKind::QueueEntry) == 10);
  CHECK(report->findings.kept().size() == 3);
  // What costs messages comes first.
  CHECK(report->findings.kept()[0].kind == FindingKind::Record);
}

TEST_CASE("verify: a bad sector is a finding, and the rest is read") {
  DamageFixture fixture;
  test::FailingFileSystem failing;
  const std::string path = fixture.segment_path(4096);
  failing.plan(test::FileCall::Read, 1, std::errc::io_error, path, 2);
  const auto report = verify(failing, fixture.store_place(), {});
  REQUIRE(report);
  INFO(text_of(report->findings));
  CHECK(report->findings.count_of(FindingKind::Record) == 2);  // the block, and what it held
  CHECK(report->messages_lost > 20);
  CHECK(report->records > 60);
}

TEST_CASE("verify: an open store is not touched, but can be inspected") {
  DamageFixture fixture;
  fixture.open();
  const auto lock = lock_store(*fixture.files, fixture.store_place());
  REQUIRE_FALSE(lock);
  CHECK(lock.error().code == StoreErrc::InUse);
  const auto found = inspect(*fixture.files, fixture.store_place());
  REQUIRE(found);
  CHECK(found->survey.unclean);
  CHECK(found->log_end.value == fixture.ends.at({1, 59}));
  REQUIRE(found->queues.size() == 2);
  CHECK(found->queues[1].max == 60);
  CHECK(found->first_timestamp_ms > 0);
  CHECK(found->last_timestamp_ms > found->first_timestamp_ms);
  fixture.stop();
  CHECK(lock_store(*fixture.files, fixture.store_place()));
}

TEST_CASE("verify: no store is an error, not damage") {
  StoreFixture fixture;
  const auto report = verify(*fixture.files, {fixture.config, true}, {});
  REQUIRE_FALSE(report);
  CHECK(report.error().code == std::errc::no_such_file_or_directory);
}

}  // namespace rmq::storage::offline
