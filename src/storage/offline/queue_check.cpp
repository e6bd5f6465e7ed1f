#include "storage/offline/queue_check.h"

#include <algorithm>
#include <utility>

#include "storage/dispatch_entry.h"
#include "storage/placeholder.h"

namespace rmq::storage::offline {
namespace {

constexpr std::size_t kBufferBytesInAll = 64 * 1024 * 1024;
constexpr std::size_t kBufferEntriesMin = 64;
constexpr std::size_t kBufferEntriesMax = 4096;
constexpr std::size_t kWaitingMax = 1'000'000;
constexpr std::size_t kOutsideKept = 100'000;
// Queues whose entries are of messages of other topics.
constexpr std::string_view kMultiQueue = "%LMQ%";

std::string text_of(const ConsumeQueueEntry& entry) {
  if (entry == ConsumeQueueEntry{}) return "empty";
  return "of " + std::to_string(entry.size) + " bytes at " + std::to_string(entry.physical.value);
}

}  // namespace

// What a record says about itself.
struct QueueCheck::Claim {
  PhysicalOffset at;
  std::int64_t size = 0;
  std::int64_t number = 0;
  std::int64_t tag_code = 0;
  std::int64_t store_timestamp_ms = 0;
  bool damaged = false;
  bool elsewhere = false;  // its entry is of another place in the log

  bool is_in(const ConsumeQueueEntry& entry) const {
    return entry.physical == at && entry.size == size;
  }
};

struct QueueCheck::State {
  std::string topic;
  QueueId queue_id = 0;
  std::unique_ptr<QueueReader> reader;  // null: there is no such directory
  bool multi = false;

  std::int64_t next = -1;      // the number that follows; -1: none yet
  PhysicalOffset last_at{-1};  // where the record of the one before begins
  std::vector<Claim> waiting;
  std::size_t waiting_elsewhere = 0;
  std::int64_t dropped = 0;         // claims that waited and did not fit into memory
  std::int64_t dropped_number = 0;  // of the last of them

  std::int64_t taken = 0;        // records
  std::int64_t not_yet = 0;      // without an entry, which the next start makes
  std::int64_t missing_of = -1;  // the last file that was missed
  bool broken = false;
};

std::string queue_text(std::string_view topic, QueueId queue_id) {
  return std::string(topic) + "/" + std::to_string(queue_id);
}

QueueCheck::QueueCheck(Setting setting, Findings& findings)
    : setting_(std::move(setting)), findings_(findings), log_begin_(setting_.survey.log_begin()) {}
QueueCheck::~QueueCheck() = default;

Result<> QueueCheck::open() {
  const Survey& survey = setting_.survey;
  RMQ_TRY(has_ext_, setting_.files.exists(survey.layout.root() + "/consumequeue_ext"));
  const std::size_t share =
      kBufferBytesInAll / kEntryBytes / std::max<std::size_t>(1, survey.queues.size());
  for (const QueueFiles& queue : survey.queues) {
    State& state = state_of(queue.topic, queue.queue_id);
    state.reader =
        std::make_unique<QueueReader>(setting_.files, queue, survey.queue_file_bytes,
                                      std::clamp(share, kBufferEntriesMin, kBufferEntriesMax));
    RMQ_CHECK(state.reader->find_bounds());
    RMQ_CHECK(check_files(state));
  }
  return {};
}

QueueCheck::State& QueueCheck::state_of(std::string_view topic, QueueId queue_id) {
  auto of_topic = states_.find(topic);
  if (of_topic == states_.end()) of_topic = states_.try_emplace(std::string(topic)).first;
  std::unique_ptr<State>& state = of_topic->second[queue_id];
  if (!state) {
    state = std::make_unique<State>();
    state->topic = topic;
    state->queue_id = queue_id;
    state->multi = topic.starts_with(kMultiQueue);
  }
  return *state;
}

void QueueCheck::add(State& state, FindingKind kind, Harm harm, const std::string& file,
                     std::int64_t position, std::string what) {
  if (harm != Harm::Note) state.broken = true;
  findings_.add({kind, harm, file, position, std::move(what)});
}

// Lengths, and gaps between the files.
Result<> QueueCheck::check_files(State& state) {
  const QueueFiles& queue = state.reader->files();
  const std::int64_t file_bytes = setting_.survey.queue_file_bytes;
  std::int64_t expected = queue.files.empty() ? 0 : queue.files.front().position;
  for (const PositionFile& file : queue.files) {
    const std::string path = queue.path_of(file.position);
    const bool last = &file == &queue.files.back();
    if (file.bytes != file_bytes || file.position % file_bytes != 0) {
      // Files are lengthened when they are made; a crash comes between.
      const bool new_one = last && file.bytes == 0 && setting_.survey.unclean;
      add(state, FindingKind::QueueFile, new_one ? Harm::Note : Harm::Nothing, path, 0,
          std::to_string(file.bytes) + " bytes instead of " + std::to_string(file_bytes));
    } else if (file.position != expected) {
      add(state, FindingKind::QueueFile, Harm::Nothing, queue.path_of(expected), 0,
          "missing: the next file is " + position_file_name(file.position));
    }
    expected = file.position + file_bytes;
  }
  return {};
}

Result<ConsumeQueueEntry> QueueCheck::entry_of(State& state, std::int64_t number) {
  if (!state.reader) return ConsumeQueueEntry{};
  return state.reader->at(number);
}

bool QueueCheck::points_into_log(const ConsumeQueueEntry& entry) const {
  return is_valid(entry) && !is_filler(entry) && entry.physical >= log_begin_;
}

Result<> QueueCheck::on_record(const protocol::MessageRecord& record, bool damaged) {
  if (!has_queue_entry(record)) return {};
  State& state = state_of(record.topic, record.queue_id);
  if (state.multi) return {};
  Claim claim{record.physical_offset,    static_cast<std::int64_t>(record.total_bytes),
              record.queue_offset.value, tag_code_of(record, setting_.delays),
              record.store_timestamp_ms, damaged};
  RMQ_TRY(const ConsumeQueueEntry entry, entry_of(state, claim.number));
  if (claim.is_in(entry)) {
    RMQ_CHECK(settle(state, claim.number, claim.at));
    check_tag(state, claim, entry);
    accept(state, claim);
    ++entry_count_;
    return {};
  }
  // What a damaged record says counts when somebody else says it too.
  if (damaged && state.next != claim.number) return {};
  claim.elsewhere = points_into_log(entry);
  const bool expected = state.next < 0 || state.next == claim.number;
  if (!claim.elsewhere && expected && state.waiting.empty()) {
    return take_without_entry(state, claim, entry);
  }
  keep(state, claim);
  // Nothing will confirm them, but two that follow each other are no accident.
  const std::size_t count = state.waiting.size();
  const bool run = state.waiting_elsewhere == 0 && state.dropped == 0 && count >= 2 &&
                   state.waiting[count - 2].number + 1 == claim.number;
  if (!run) return {};
  const Claim before = state.waiting[count - 2];
  state.waiting.resize(count - 2);
  waiting_ -= 2;
  RMQ_CHECK(settle(state, before.number, before.at));
  RMQ_TRY(const ConsumeQueueEntry entry_before, entry_of(state, before.number));
  RMQ_CHECK(take_without_entry(state, before, entry_before));
  return take_without_entry(state, claim, entry);
}

void QueueCheck::keep(State& state, const Claim& claim) {
  if (waiting_ >= kWaitingMax) {
    ++state.dropped;
    state.dropped_number = claim.number;
    return;
  }
  ++waiting_;
  state.waiting.push_back(claim);
  if (claim.elsewhere) ++state.waiting_elsewhere;
}

void QueueCheck::accept(State& state, const Claim& claim) {
  if (claim.damaged) {
    lose({state.topic, state.queue_id, QueueOffset{claim.number}, claim.at, claim.size, claim.at,
          claim.at + claim.size});
  }
  ++state.taken;
  state.next = claim.number + 1;
  state.last_at = claim.at;
}

void QueueCheck::lose(LostMessage lost) {
  ++lost_count_;
  if (lost_.size() < kLostMax) lost_.push_back(std::move(lost));
}

// Its number is right, but its entry is not there, or not right.
Result<> QueueCheck::take_without_entry(State& state, const Claim& claim,
                                        const ConsumeQueueEntry& entry) {
  accept(state, claim);
  if (claim.at >= setting_.settled) {
    ++state.not_yet;
    return {};
  }
  if (!state.reader) return {};  // said once, at the end
  const QueueReader& reader = *state.reader;
  if (!reader.has_file_of(claim.number)) {
    const std::int64_t file =
        claim.number - reader.position_of(claim.number) / static_cast<std::int64_t>(kEntryBytes);
    if (std::exchange(state.missing_of, file) != file) {
      add(state, FindingKind::QueueFile, Harm::Nothing, reader.path_of(claim.number), 0,
          "missing: the log has messages from number " + std::to_string(claim.number) + " on");
    }
    return {};
  }
  add(state, FindingKind::QueueEntry, Harm::Nothing, reader.path_of(claim.number),
      reader.position_of(claim.number),
      "the entry of message " + std::to_string(claim.number) + " is " + text_of(entry) +
          "; the message has " + std::to_string(claim.size) + " bytes at " +
          std::to_string(claim.at.value));
  return {};
}

void QueueCheck::check_tag(State& state, const Claim& claim, const ConsumeQueueEntry& entry) {
  if (claim.damaged || entry.tag_code == claim.tag_code) return;
  const bool placeholder = claim.tag_code == kDamagedTagCode;
  // When a message is due was computed with the delays of that time.
  if (!placeholder && state.topic == kScheduleTopic && entry.tag_code >= claim.store_timestamp_ms) {
    return;
  }
  if (has_ext_ && entry.tag_code < INT32_MIN) return;
  if (claim.at >= setting_.settled) {
    ++state.not_yet;
    return;
  }
  add(state, FindingKind::QueueEntry, Harm::Nothing, state.reader->path_of(claim.number),
      state.reader->position_of(claim.number),
      "the tag code of message " + std::to_string(claim.number) + " is " +
          std::to_string(entry.tag_code) + ", its record at " + std::to_string(claim.at.value) +
          " has " + std::to_string(claim.tag_code) + ": one of them is damaged");
}

std::vector<QueueCheck::Broken> QueueCheck::broken() const {
  std::vector<Broken> all;
  for (const auto& [topic, by_id] : states_) {
    for (const auto& [id, state] : by_id) {
      if (state->broken) all.push_back({topic, id, state->taken > 0});
    }
  }
  std::sort(all.begin(), all.end(), [](const Broken& a, const Broken& b) {
    return a.topic != b.topic ? a.topic < b.topic : a.queue_id < b.queue_id;
  });
  return all;
}

void QueueCheck::leave_outside(State& state, const std::vector<Claim>& claims) {
  outside_count_ += static_cast<std::int64_t>(claims.size()) + state.dropped;
  state.dropped = 0;
  for (const Claim& claim : claims) {
    if (outside_.size() < kOutsideKept) outside_.insert(claim.at);
  }
}

// The number of the first message of the queue that the log should have, when `number` is the first
// that it is sure to have.
Result<std::int64_t> QueueCheck::first_number(State& state, std::int64_t number,
                                              PhysicalOffset at) {
  std::set<std::int64_t> waiting;
  for (const Claim& claim : state.waiting) waiting.insert(claim.number);
  while (number > 0) {
    RMQ_TRY(const ConsumeQueueEntry entry, entry_of(state, number - 1));
    const bool points = points_into_log(entry) && entry.physical < at;
    if (!points && !waiting.contains(number - 1)) break;
    if (points) at = entry.physical;
    --number;
  }
  return number;
}

// Message `number` lies at `at`: what became of those before it, and of what waited?
Result<> QueueCheck::settle(State& state, std::int64_t number, PhysicalOffset at) {
  if (state.waiting.empty() && state.next == number) return {};
  std::int64_t missing = state.next;
  if (missing < 0) {
    RMQ_TRY(missing, first_number(state, number, at));
  }
  std::vector<Claim> claims = std::exchange(state.waiting, {});
  waiting_ -= claims.size();
  state.waiting_elsewhere = 0;
  if (state.next > number) missing = number;  // a topic that was deleted counts from 0 again
  const bool dropped = state.dropped > 0 && missing < number;
  if (dropped) state.dropped = 0;
  std::unordered_map<std::int64_t, std::size_t> by_number;
  for (std::size_t i = 0; i < claims.size(); ++i) by_number.try_emplace(claims[i].number, i);
  std::vector<bool> taken(claims.size());
  for (; missing < number; ++missing) {
    RMQ_TRY(const ConsumeQueueEntry entry, entry_of(state, missing));
    const auto found = by_number.find(missing);
    if (found != by_number.end() && claims[found->second].at > state.last_at) {
      taken[found->second] = true;
      RMQ_CHECK(take_without_entry(state, claims[found->second], entry));
      continue;
    }
    if (dropped) continue;
    LostMessage lost{state.topic, state.queue_id, QueueOffset{missing}, {}, 0, state.last_at, at};
    if (points_into_log(entry) && entry.physical > state.last_at && entry.physical < at) {
      lost.at = entry.physical;
      lost.size = entry.size;
      state.last_at = entry.physical;
    }
    lose(std::move(lost));
  }
  state.next = number;
  std::size_t left = 0;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    if (!taken[i]) claims[left++] = claims[i];
  }
  claims.resize(left);
  leave_outside(state, claims);
  return {};
}

Result<> QueueCheck::finish(PhysicalOffset log_end) {
  for (auto& [topic, by_id] : states_) {
    for (auto& [id, state] : by_id) {
      if (!state->multi) RMQ_CHECK(finish(*state, log_end));
    }
  }
  return {};
}

Result<> QueueCheck::finish(State& state, PhysicalOffset log_end) {
  const std::int64_t end = state.reader ? state.reader->end() : 0;
  const std::int64_t begin = state.reader ? state.reader->begin() : 0;
  std::int64_t number = state.next;
  if (number < 0 && !state.waiting.empty()) number = state.waiting.front().number;
  PhysicalOffset last = state.last_at;
  for (std::int64_t i = std::max(begin, state.next); i < end; ++i) {
    RMQ_TRY(const ConsumeQueueEntry entry, entry_of(state, i));
    if (!points_into_log(entry) || entry.physical <= last || entry.physical >= log_end) continue;
    last = entry.physical;
    number = i + 1;
  }
  for (const Claim& claim : state.waiting) {
    if (claim.number == number) ++number;
  }
  if (number >= 0) RMQ_CHECK(settle(state, number, log_end));
  RMQ_CHECK(check_rest(state, log_end));
  if (state.not_yet > 0) {
    findings_.add({FindingKind::QueueEntry, Harm::Note,
                   state.reader ? state.reader->files().directory : "", 0,
                   queue_text(state.topic, state.queue_id) + ": " + std::to_string(state.not_yet) +
                       " messages are not in the queue yet; the next start puts them there"});
  }
  if (!state.reader && state.taken > state.not_yet) {
    const bool exists = !setting_.topics || setting_.topics->contains(state.topic);
    add(state, FindingKind::QueueFile, exists ? Harm::Nothing : Harm::Note,
        setting_.survey.layout.consume_queue(state.topic, state.queue_id), 0,
        (exists ? "missing: the log has "
                : "no queue of a topic that does not exist: the log has ") +
            std::to_string(state.taken) + " messages of it");
  }
  return {};
}

// Entries behind the last message.
Result<> QueueCheck::check_rest(State& state, PhysicalOffset log_end) {
  if (!state.reader || state.next < 0) return {};
  std::int64_t count = 0;
  std::int64_t first = 0;
  for (std::int64_t i = std::max(state.reader->begin(), state.next); i < state.reader->end(); ++i) {
    RMQ_TRY(const ConsumeQueueEntry entry, entry_of(state, i));
    if (entry == ConsumeQueueEntry{}) continue;
    if (count++ == 0) first = i;
  }
  if (count == 0) return {};
  const bool cut = setting_.survey.unclean || setting_.settled < log_end;
  add(state, FindingKind::QueueEntry, cut ? Harm::Note : Harm::Nothing,
      state.reader->path_of(first), state.reader->position_of(first),
      std::to_string(count) + " entries behind the last message, from number " +
          std::to_string(first) + " on");
  return {};
}

}  // namespace rmq::storage::offline
