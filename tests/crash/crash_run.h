// CrashRun: one store that is used, dies, and is opened again, any number of times, on files in
// memory; and the truth about what it must still have.
//
// What must hold after each death:
//   - the store opens;
//   - of each queue it has a prefix of what was sent, in order, without gaps, and behind it
//   nothing:
//     at least all that was acknowledged, if the death was that of the process, or under sync
//     flush; after a power cut under async flush at least all that was known to be flushed;
//   - under sync flush nothing is visible that is not on disk, so that nobody sees what vanishes;
//   - deleted messages stay deleted, and files that expired take only the oldest;
//   - each message is found by its key, once;
//   - no checksum of a block of the log is that of other bytes;
//   - what a cut has taken back never comes again, nothing is left of it behind the end of the log,
//   and it is kept in rmq/diverged.
// Threads: the test's; the store has its own.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "storage/block_sums.h"
#include "storage/layout.h"
#include "tests/crash/diverged_files.h"
#include "tests/support/crash_file_system.h"
#include "tests/support/store_fixture.h"

namespace rmq::test {

class CrashRun {
 public:
  CrashRun(storage::FlushDiskType flush, std::uint64_t seed) : random_(seed) {
    fixture_.files = &files;
    fixture_.config.root_directory = "/store";
    fixture_.config.flush_disk_type = flush;
    fixture_.config.commit_log_segment_bytes = 4 * 1024;
    fixture_.config.max_message_bytes = 1024;
    fixture_.config.consume_queue_file_bytes = 20 * 16;
    fixture_.config.index_slots_per_file = 16;
    fixture_.config.index_entries_per_file = 64;
    fixture_.config.flush_interval = std::chrono::milliseconds(1);
    fixture_.config.flush_consume_queue_interval = std::chrono::milliseconds(1);
    fixture_.config.clean_resource_interval = std::chrono::milliseconds(1);
    fixture_.config.delete_when = "";  // never by itself
    fixture_.config.block_checksums_enable = true;
    fixture_.config.block_checksums_interval = std::chrono::milliseconds(1);
  }

  CrashFileSystem files;

  // Opens; false when it died meanwhile.
  bool open() {
    const Result<> opened = fixture_.try_open();
    if (!opened && !files.dead()) FAIL("the store does not open: " << opened.error().message());
    if (!opened) fixture_.kill();
    return opened.has_value();
  }

  // Uses the store until it dies, or for `turns`.
  void use(int turns) {
    for (int turn = 0; turn < turns && !files.dead(); ++turn) {
      const auto choice = random_() % 100;
      if (choice < 91) {
        send();
      } else if (choice < 94) {
        change_reign();
      } else if (choice < 96) {
        remove_topic();
      } else if (choice < 98) {
        expire();
      } else {
        fixture_.clock.advance(std::chrono::hours(1));
      }
    }
  }
  // A reign ends, and the next one begins at the end of the log or at an earlier record.
  void change_reign() {
    const Error over{std::make_error_code(std::errc::operation_canceled), "over"};
    fixture_.store->end_reign(over);
    using Reign = storage::MessageStore::Reign;
    if (random_() % 3 == 0) {
      begin_reign(Reign::Following, {});
      fixture_.store->end_reign(over);
    }
    begin_reign(Reign::Leading, random_() % 4 == 0 ? std::nullopt : choose_cut());
  }

  // A clean end, unless it dies on the way.
  void stop() { fixture_.store->stop(); }

  // The end of the process, if it has not died yet, and what is left.
  void die(Death death) {
    const bool opened = fixture_.store != nullptr;
    if (opened) note_flushed();
    files.die();
    fixture_.kill();
    files.restart(death, random_);
    if (!opened) {
      // What had to be there has to be there still, but what only the page cache had may go now.
      if (death == Death::Process || sync()) return;
      for (Queue& queue : queues_) queue.surely = std::min(queue.surely, queue.flushed);
      return;
    }
    const bool all = death == Death::Process || sync();
    for (Queue& queue : queues_) queue.surely = all ? queue.acknowledged : queue.flushed;
  }

  // After open(): everything that must hold. What is found is the truth from now on.
  void check() {
    REQUIRE(wait_for(fixture_.store->indexed(),
                     IndexedOffset{fixture_.store->appended().value().value}));
    for (std::size_t i = 0; i < queues_.size(); ++i) {
      CAPTURE(i);
      check(queues_[i], static_cast<QueueId>(i));
    }
    check_sums();
    check_diverged(files, fixture_.layout().diverged(), kept_);
  }

  // "4711-5000": what was cut off the log; for who looks for the reason of a failure.
  std::string cuts() const {
    std::string text;
    for (const Kept& one : kept_) {
      text += std::to_string(one.from.value) + "-" + std::to_string(one.to.value) + " ";
    }
    return text;
  }

  std::size_t sent() const {
    std::size_t count = 0;
    for (const Queue& queue : queues_) count += queue.sent.size();
    return count;
  }

 private:
  struct Queue {
    std::vector<std::string> sent;   // all that may be there, in order
    std::vector<std::int64_t> ends;  // where each ends in the log
    std::size_t acknowledged = 0;    // so many of the first
    std::size_t flushed = 0;         // likewise, known to be on disk
    std::size_t surely = 0;          // that must be there after the last death
    std::size_t deleted = 0;         // likewise must not

    std::size_t count_before(std::int64_t at) const {
      return static_cast<std::size_t>(std::ranges::upper_bound(ends, at) - ends.begin());
    }
  };
  static constexpr const char* kTopic = "T";

  // The end of one of the last records; nothing when there is none.
  std::optional<PhysicalOffset> choose_cut() {
    constexpr std::int64_t kTailMax = 48 * 1024;
    const std::int64_t end = fixture_.store->appended().value().value;
    std::vector<std::int64_t> ends;
    for (const Queue& queue : queues_)
      ends.insert(ends.end(), queue.ends.begin(), queue.ends.end());
    std::erase_if(ends, [&](std::int64_t at) {
      return at < fixture_.store->min_physical().value || at > end || end - at > kTailMax;
    });
    if (ends.empty()) return std::nullopt;
    std::ranges::sort(ends);
    // The newest ones more often.
    const std::size_t back = random_() % (random_() % 2 == 0 ? ends.size() : 1 + ends.size() / 8);
    return PhysicalOffset{ends[ends.size() - 1 - back]};
  }

  void begin_reign(storage::MessageStore::Reign reign, std::optional<PhysicalOffset> cut) {
    const std::int64_t end = fixture_.store->appended().value().value;
    if (!cut || cut->value == end) cut.reset();
    Bytes behind;
    if (cut) {
      behind = log_bytes(*fixture_.store, *cut);
      // It may go from now on, and what lies before need not be on disk already.
      note_flushed();
      for (Queue& queue : queues_) {
        queue.acknowledged = std::min(queue.acknowledged, queue.count_before(cut->value));
        queue.flushed = std::min(queue.flushed, queue.acknowledged);
      }
    }
    const Result<> begun = fixture_.store->begin_reign(reign, cut);
    if (!begun && cut && begun.error().code == storage::StoreErrc::OffsetOutOfRange) {
      return begin_reign(reign, {});  // expired meanwhile
    }
    if (!begun && !files.dead()) FAIL("no reign: " << begun.error().message());
    if (!begun || !cut) return;
    for (Queue& queue : queues_) {
      const std::size_t left = queue.count_before(cut->value);
      queue.sent.resize(left);
      queue.ends.resize(left);
      queue.acknowledged = queue.flushed = left;
      queue.deleted = std::min(queue.deleted, left);
    }
    kept_.push_back({*cut, PhysicalOffset{end}, std::move(behind)});
    if (!files.dead()) check_nothing_behind(files, fixture_, *cut);
  }

  bool sync() const { return fixture_.config.flush_disk_type == storage::FlushDiskType::Sync; }

  void send() {
    auto batch = std::make_unique<storage::AppendBatch>();
    const std::size_t messages = 1 + random_() % 4;
    for (std::size_t i = 0; i < messages; ++i) {
      const std::size_t at = random_() % queues_.size();
      storage::Queue& queue = fixture_.store->queue(kTopic, static_cast<QueueId>(at));
      batch->begin_group(queue);
      // Its number and some bytes that tell one message's from another's.
      std::string body = std::to_string(number_++) + ":";
      body.resize(body.size() + random_() % 600, static_cast<char>('a' + random_() % 26));
      add_record(*batch, queue, body, "tag", key_of(at, body));
      queues_[at].sent.push_back(body);
    }
    const std::int64_t now = fixture_.clock.now_ms();
    Appended appended = append_batch(*fixture_.store, std::move(batch));
    CHECK((!appended.outcome || appended.store_timestamp_ms >= now));
    for (Queue& queue : queues_) queue.ends.resize(queue.sent.size(), appended.end.value);
    if (sync()) check_visible();
    if (appended.outcome && sync()) {
      appended.outcome = wait_for(fixture_.store->flushed(), FlushedOffset{appended.end.value});
    }
    if (appended.outcome) {
      for (Queue& queue : queues_) queue.acknowledged = queue.sent.size();
    }
    if (!appended.outcome && !files.dead()) FAIL("refused: " << appended.outcome.error().message());
    note_flushed();
  }

  // Under sync flush nobody sees what is not on disk.
  void check_visible() {
    for (std::size_t i = 0; i < queues_.size(); ++i) {
      const auto visible = static_cast<std::size_t>(
          fixture_.store->visible_end(kTopic, static_cast<QueueId>(i)).value);
      const std::int64_t flushed = fixture_.store->flushed().value().value;
      REQUIRE(visible <= queues_[i].sent.size());
      CHECK((visible == 0 || queues_[i].ends[visible - 1] <= flushed));
    }
  }

  void note_flushed() {
    const std::int64_t flushed = fixture_.store->flushed().value().value;
    for (Queue& queue : queues_) {
      while (queue.flushed < queue.acknowledged && queue.ends[queue.flushed] <= flushed)
        ++queue.flushed;
    }
  }

  void remove_topic() {
    if (!fixture_.wait_dispatched()) return;
    const PhysicalOffset end{fixture_.store->appended().value().value};
    if (!fixture_.store->delete_messages(kTopic, end)) return;
    for (Queue& queue : queues_) queue.deleted = queue.sent.size();
  }

  void expire() {
    fixture_.clock.advance(std::chrono::hours(100));
    fixture_.store->delete_expired();
  }

  static std::string key_of(std::size_t queue, const std::string& body) {
    return std::to_string(queue) + "-" + body.substr(0, body.find(':'));
  }

  void check(Queue& queue, QueueId id) {
    const std::int64_t end = fixture_.store->visible_end(kTopic, id).value;
    const std::int64_t begin = fixture_.store->min_offset(kTopic, id).value;
    const auto found = static_cast<std::size_t>(end);
    CHECK(found >= queue.surely);
    REQUIRE(found <= queue.sent.size());
    CHECK(begin <= end);
    // What was deleted may have been lost before it was on disk, and with it its number.
    CHECK(static_cast<std::size_t>(begin) >= std::min(queue.deleted, found));
    queue.sent.resize(found);
    queue.ends.resize(found);
    // Of the last batch a part may be there, also when it has failed.
    const std::int64_t log_end = fixture_.store->appended().value().value;
    for (std::int64_t& at : queue.ends) at = at == 0 ? log_end : std::min(at, log_end);
    const std::vector<std::string> expected(queue.sent.begin() + begin, queue.sent.end());
    const std::vector<std::string> bodies = fixture_.bodies(kTopic, id, begin);
    REQUIRE(bodies.size() == expected.size());
    for (std::size_t k = 0; k < bodies.size(); ++k) {
      CAPTURE(k);
      CAPTURE(begin);
      REQUIRE(bodies[k].substr(0, 12) == expected[k].substr(0, 12));
    }
    REQUIRE(bodies == expected);
    for (std::size_t i = 0; i < std::min<std::size_t>(expected.size(), 3); ++i) {
      check_key(expected[expected.size() - 1 - i], id);
    }
    queue.acknowledged = queue.flushed = found;
    queue.deleted = std::min(queue.deleted, found);
  }

  void check_sums() {
    storage::BlockSums sums(files, fixture_.layout().checksums(),
                            fixture_.config.commit_log_segment_bytes);
    const std::string directory = fixture_.layout().commit_log();
    const auto names = files.list(directory);
    REQUIRE(names);
    for (const std::string& name : *names) {
      const Bytes bytes = read_file(files, directory + "/" + name).value();
      const PhysicalOffset base{storage::parse_position_file_name(directory, name).value()};
      const PhysicalOffset end{fixture_.store->appended().value().value};
      if (base >= end) continue;
      // Of what is complete; the store may write behind it.
      const auto whole = static_cast<std::size_t>(std::min<std::int64_t>(
          sums.block_begin(end) - base, fixture_.config.commit_log_segment_bytes));
      CAPTURE(name);
      const auto different =
          sums.check(ByteView(bytes).first(whole), base, storage::BlockSums::Missing::Skip);
      REQUIRE(different);
      CHECK(different->empty());
    }
  }

  void check_key(const std::string& body, QueueId id) {
    storage::QueryRequest request;
    request.topic = kTopic;
    const std::string key = key_of(static_cast<std::size_t>(id), body);
    request.key = key;
    request.end_ms = std::numeric_limits<std::int64_t>::max();
    const auto found = fixture_.store->query(request);
    REQUIRE(found);
    REQUIRE(found->records.size() == 1);
    CHECK(as_text(protocol::decode_record(found->records[0].bytes)->body) == body);
  }

  StoreFixture fixture_;
  std::mt19937_64 random_;
  std::array<Queue, 3> queues_;
  std::vector<Kept> kept_;
  std::int64_t number_ = 0;
};

}  // namespace rmq::test
