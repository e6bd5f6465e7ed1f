#include "roles/broker/delivery/delay_progress.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <utility>

#include "base/file_system.h"
#include "base/log.h"
#include "protocol/body_json.h"
#include "protocol/properties.h"
#include "roles/broker/broker_errc.h"
#include "roles/broker/delivery/delay_mark.h"
#include "storage/message_store.h"

namespace rmq::roles::broker {
namespace {

// So much of the log may lie behind the position in our file.
constexpr std::int64_t kSaveEveryBytes = 16LL * 1024 * 1024;

void raise(DelayProgress::Offsets& offsets, std::int32_t level, QueueOffset to) {
  QueueOffset& next = offsets[level];
  next = std::max(next, to);
}

json::Value to_json(const DelayProgress::Offsets& offsets) {
  json::Value table = json::Value::object();
  for (const auto& [level, offset] : offsets) table.set_integer_key(level, offset.value);
  return table;
}

DelayProgress::Offsets offsets_from(const json::Value& object) {
  DelayProgress::Offsets offsets;
  const json::Value* table = protocol::object_member(object, "offsetTable");
  if (table == nullptr) return offsets;
  for (const json::Member& member : table->members()) {
    const auto level = member.key_int();
    const auto offset = member.value.as_int();
    if (level && offset && *offset >= 0) {
      offsets[static_cast<std::int32_t>(*level)] = QueueOffset{*offset};
    }
  }
  return offsets;
}

Result<> decode(std::string_view text, DelayProgress::Offsets& offsets,
                protocol::DataVersion& version) {
  RMQ_TRY(const json::Value object, protocol::parse_body(text));
  offsets = offsets_from(object);
  version = protocol::data_version_from(object.find("dataVersion"));
  return {};
}

std::string encode(const DelayProgress::Offsets& offsets, const protocol::DataVersion& version,
                   const json::Style& style) {
  json::Value object = json::Value::object();
  object.set("dataVersion", protocol::to_json(version));
  object.set("offsetTable", to_json(offsets));
  return json::write(object, style);
}

}  // namespace

DelayProgress::DelayProgress(Clock& clock, FileSystem& files, const std::string& directory)
    : clock_(clock),
      files_(files),
      own_path_(directory + "/rmq/delay-progress.json"),
      file_(files, directory + "/config/delayOffset.json") {}

Result<std::optional<DelayProgress::Saved>> DelayProgress::read_own_file() const {
  RMQ_TRY(const bool exists, files_.exists(own_path_));
  if (!exists) return std::nullopt;
  RMQ_TRY(const std::string text, read_text_file(files_, own_path_));
  const auto object = protocol::parse_body(text);
  const json::Value* position = object ? object->find("position") : nullptr;
  const auto at = position != nullptr ? position->as_int() : std::nullopt;
  if (!at || *at < 0) {
    log::error("delay", "unreadable file: delivery goes on from delayOffset.json, as Java would",
               kv("file", own_path_));
    return std::nullopt;
  }
  return Saved{offsets_from(*object), PhysicalOffset{*at}};
}

Result<> DelayProgress::write_own_file(const Saved& saved) const {
  json::Value object = json::Value::object();
  object.set("offsetTable", to_json(saved.offsets));
  object.set("position", saved.position.value);
  RMQ_CHECK(files_.make_directories(parent_directory(own_path_)));
  return write_file_atomically(files_, own_path_, as_bytes(json::write(object, json::kPretty)));
}

Result<> DelayProgress::load(storage::MessageStore& store) {
  MutexLock saving(save_mutex_);
  store_ = &store;
  Offsets offsets;
  protocol::DataVersion version{.timestamp = clock_.now_ms()};
  const PhysicalOffset end{store.appended().value().value};
  RMQ_TRY(const std::optional<Saved> saved, read_own_file());
  const Result<bool> loaded =
      file_.load([&](std::string_view text) { return decode(text, offsets, version); });
  if (!loaded) {
    const std::string why = loaded.error().message();
    if (!saved && end.value > 0) {
      return fail(BrokerErrc::MetadataLost,
                  file_.path() + ": " + why +
                      ", but the store has messages. Restore the file, or write {} into it to "
                      "deliver every delayed message that is still there, again");
    }
    log::warn("delay", "unreadable file is replaced", kv("file", file_.path()), kv("why", why));
  }
  const bool from_java = !saved && loaded.value_or(false);
  if (saved) {
    for (const auto& [level, offset] : saved->offsets) raise(offsets, level, offset);
  }
  // A store that has neither file is a new one of ours.
  if (!from_java) RMQ_CHECK(add_marks(saved ? saved->position : PhysicalOffset{}, offsets));
  clamp_to_queues(offsets);
  data_version_ = version;
  saved_position_ = saved ? saved->position : PhysicalOffset{};
  {
    MutexLock lock(mutex_);
    offsets_ = offsets;
    end_ = end;
    changes_ = 1;  // both files are written soon
  }
  if (!from_java) return {};
  // From now on marks count: the file must be there before the first of them.
  return write_own_file({offsets, end});
}

Result<> DelayProgress::lead() {
  MutexLock saving(save_mutex_);
  Offsets offsets;
  PhysicalOffset from;
  bool marks = true;
  {
    MutexLock lock(mutex_);
    offsets = offsets_;
    from = appending_from_.value_or(saved_position_);
    marks = !follows_java_;
  }
  if (marks) RMQ_CHECK(add_marks(from, offsets));
  clamp_to_queues(offsets);
  MutexLock lock(mutex_);
  offsets_ = std::move(offsets);
  appending_from_.reset();
  follows_java_ = false;
  end_ = PhysicalOffset{store_->appended().value().value};
  ++changes_;
  return {};
}

Result<> DelayProgress::add_marks(PhysicalOffset from, Offsets& offsets) const {
  const auto begin = std::chrono::steady_clock::now();
  std::int64_t marks = 0;
  const auto visit = [&](const protocol::MessageRecord& record) {
    if (record.topic == storage::kScheduleTopic) return;
    const auto text = protocol::find_property(record.properties, protocol::property::kDelayMark);
    const auto mark = text ? parse_delay_mark(*text) : std::nullopt;
    if (!mark) return;
    ++marks;
    if (mark->offset >= store_->visible_end(storage::kScheduleTopic, mark->level - 1)) return;
    raise(offsets, mark->level, mark->offset + 1);
  };
  Result<> scanned = store_->scan(from, visit);
  if (!scanned) {
    // Java has run, cut the log, and written across the position: its segment still begins a
    // record.
    log::warn("delay", "no record where deliveries were noted, reading the whole segment",
              kv("at", from.value), kv("why", scanned.error().message()));
    scanned = store_->scan(store_->segment_begin(from), visit);
  }
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  log::info("delay", "deliveries found in the log", kv("from", from.value), kv("marks", marks),
            kv("ms", static_cast<std::int64_t>(took.count())));
  return scanned;
}

// ScheduleMessageService.correctDelayOffset.
void DelayProgress::clamp_to_queues(Offsets& offsets) const {
  for (auto& [level, next] : offsets) {
    const QueueOffset begin = store_->min_offset(storage::kScheduleTopic, level - 1);
    const QueueOffset end = store_->visible_end(storage::kScheduleTopic, level - 1);
    const QueueOffset inside = std::max(begin, std::min(next, end));
    if (inside == next) continue;
    log::warn("delay", "progress outside its queue is corrected", kv("level", level),
              kv("from", next.value), kv("to", inside.value));
    next = inside;
  }
}

QueueOffset DelayProgress::next(std::int32_t level) const {
  MutexLock lock(mutex_);
  const auto it = offsets_.find(level);
  return it == offsets_.end() ? QueueOffset{} : it->second;
}

DelayProgress::Offsets DelayProgress::all() const {
  MutexLock lock(mutex_);
  return offsets_;
}

void DelayProgress::begin_append() {
  MutexLock lock(mutex_);
  appending_from_ = PhysicalOffset{store_->appended().value().value};
}

void DelayProgress::appended(const Offsets& delivered, PhysicalOffset end) {
  MutexLock lock(mutex_);
  for (const auto& [level, next] : delivered) raise(offsets_, level, next);
  end_ = end;
  appending_from_.reset();
  ++changes_;
}

void DelayProgress::append_failed() {
  MutexLock lock(mutex_);
  appending_from_.reset();
}

void DelayProgress::skip(std::int32_t level, QueueOffset next) {
  MutexLock lock(mutex_);
  raise(offsets_, level, next);
  ++changes_;
}

Result<> DelayProgress::wait_flushed(PhysicalOffset end, std::chrono::milliseconds patience) {
  const auto told = std::make_shared<std::promise<Result<>>>();
  std::future<Result<>> flushed = told->get_future();
  const auto ticket = store_->flushed().when_at_least(
      FlushedOffset{end.value}, [told](Result<> outcome) { told->set_value(std::move(outcome)); });
  if (ticket) {
    store_->request_flush();
    const bool in_time = flushed.wait_for(patience) == std::future_status::ready;
    if (!in_time && store_->flushed().cancel(*ticket)) {
      return fail(std::make_error_code(std::errc::timed_out), "flush before saving delay offsets");
    }
  }
  return flushed.get();
}

DelayProgress::ForSlave DelayProgress::for_slave() {
  MutexLock saving(save_mutex_);
  MutexLock lock(mutex_);
  const PhysicalOffset end{store_->appended().value().value};
  return {encode(offsets_, data_version_, {}), appending_from_.value_or(end), end, changes_};
}

Result<> DelayProgress::follow(std::string_view text, std::optional<PhysicalOffset> position) {
  Offsets offsets;
  protocol::DataVersion version;
  RMQ_CHECK(decode(text, offsets, version));
  MutexLock lock(mutex_);
  follows_java_ = !position;
  // Nothing is appended here, so this is where the log was when nothing else was delivered.
  appending_from_ = position;
  if (offsets == offsets_) return {};
  offsets_ = std::move(offsets);
  ++changes_;
  return {};
}

Result<> DelayProgress::remove_own_file() const {
  Result<> removed = files_.remove(own_path_);
  if (!removed && removed.error().code == std::errc::no_such_file_or_directory) return {};
  return removed;
}

Result<> DelayProgress::save_if_changed(std::chrono::milliseconds patience) {
  MutexLock saving(save_mutex_);
  Saved now;
  PhysicalOffset end;
  std::int64_t changes = 0;
  bool own_file = true;
  {
    MutexLock lock(mutex_);
    if (store_ == nullptr) return {};
    own_file = !follows_java_;
    now.position = appending_from_.value_or(PhysicalOffset{store_->appended().value().value});
    const bool far = now.position - saved_position_ >= kSaveEveryBytes;
    if (changes_ == saved_changes_ && !far) return {};
    now.offsets = offsets_;
    end = end_;
    changes = changes_;
  }
  // A power cut must not leave a file that counts what the log has lost.
  RMQ_CHECK(wait_flushed(std::max(end, now.position), patience));
  RMQ_CHECK(own_file ? write_own_file(now) : remove_own_file());
  saved_position_ = now.position;
  if (changes == saved_changes_) return {};
  data_version_.next(clock_.now_ms());
  RMQ_CHECK(file_.save(encode(now.offsets, data_version_, json::kPretty)));
  saved_changes_ = changes;
  return {};
}

}  // namespace rmq::roles::broker
