// DelayProgress: the next offset to deliver of each delay level, on disk and after a crash.
// Formats: config/delayOffset.json (DelayOffsetSerializeWrapper.java):
// {"dataVersion":{...},"offsetTable":{level:offset}}, pretty. rmq/delay-progress.json, ours:
// {"offsetTable":{level:offset},"position":P}: every delivery that its offsets do not count lies at
// or behind physical offset P. So the true progress is the greatest of both files and of the marks
// (delay_mark.h) in the log from P on; without either file, in the whole log. Without ours alone
// (Java's directory) delayOffset.json counts, as in Java.
// Threads: any, except load(). Crash: each file is whole, old or new, and holds no delivery that is
// not on disk itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/units.h"
#include "protocol/data_version.h"
#include "roles/broker/metadata_file.h"

namespace rmq::storage {
class MessageStore;
}

namespace rmq::roles::broker {

class DelayProgress {
 public:
  using Offsets = std::map<std::int32_t, QueueOffset>;  // by level

  // `directory` is the store's. All references outlive this object.
  DelayProgress(Clock& clock, FileSystem& files, const std::string& directory);

  // Before anything is delivered, once; `store` is open, and outlives this object. Errors:
  // BrokerErrc::MetadataLost when delayOffset.json and its backup exist but cannot be read, there
  // is no file of ours and the store has messages; of reading the log; of writing our file.
  Result<> load(storage::MessageStore& store);

  // A slave becomes the master: the deliveries in its log that the progress does not count yet are
  // counted. Reads that part of the log. Errors: of reading it; the progress stays.
  Result<> lead();

  QueueOffset next(std::int32_t level) const;
  Offsets all() const;

  // Around an append of due messages, one at a time: what it writes lies at or behind the log's
  // end as it is at begin_append(). `delivered`: the next offsets of the levels in it.
  void begin_append();
  void appended(const Offsets& delivered, PhysicalOffset end);
  void append_failed();
  // What cannot be delivered is passed over.
  void skip(std::int32_t level, QueueOffset next);

  // For GET_ALL_DELAY_OFFSET. Waits while a save is under way.
  struct ForSlave {
    std::string text;  // delayOffset.json without line breaks
    // As in our file; and the deliveries that the offsets count lie before log_end.
    PhysicalOffset position;
    PhysicalOffset log_end;
    std::int64_t changes = 0;
  };
  ForSlave for_slave();
  // A slave takes its master's progress: `text` as above; `position`: so far our file would say;
  // nothing from a Java master, whose deliveries have no marks: there is no file of ours then.
  // Error: ProtocolErrc::BodyMalformed.
  Result<> follow(std::string_view text, std::optional<PhysicalOffset> position);

  // Writes both files if something changed, and ours when the log has grown much since, so that
  // load() reads little of it. Waits until the deliveries that they count are on disk:
  // not on a data thread. Errors: errno; what failed the store; timed_out when the flush takes more
  // than `patience`.
  Result<> save_if_changed(std::chrono::milliseconds patience = std::chrono::seconds(5));

 private:
  struct Saved {  // rmq/delay-progress.json
    Offsets offsets;
    PhysicalOffset position;
  };

  Result<std::optional<Saved>> read_own_file() const;
  Result<> write_own_file(const Saved& saved) const;
  Result<> remove_own_file() const;
  Result<> add_marks(PhysicalOffset from, Offsets& offsets) const;
  void clamp_to_queues(Offsets& offsets) const;
  Result<> wait_flushed(PhysicalOffset end, std::chrono::milliseconds patience);

  Clock& clock_;
  FileSystem& files_;
  const std::string own_path_;
  storage::MessageStore* store_ = nullptr;  // set by load()

  mutable Mutex mutex_;
  Offsets offsets_ RMQ_GUARDED_BY(mutex_);
  std::int64_t changes_ RMQ_GUARDED_BY(mutex_) = 0;
  // One past the last delivery that offsets_ counts.
  PhysicalOffset end_ RMQ_GUARDED_BY(mutex_);
  // The log's end before the append that is under way.
  std::optional<PhysicalOffset> appending_from_ RMQ_GUARDED_BY(mutex_);
  bool follows_java_ RMQ_GUARDED_BY(mutex_) = false;

  Mutex save_mutex_;  // one save at a time; taken before mutex_
  MetadataFile file_ RMQ_GUARDED_BY(save_mutex_);
  protocol::DataVersion data_version_ RMQ_GUARDED_BY(save_mutex_);
  std::int64_t saved_changes_ RMQ_GUARDED_BY(save_mutex_) = 0;
  PhysicalOffset saved_position_ RMQ_GUARDED_BY(save_mutex_);  // in our file
};

}  // namespace rmq::roles::broker
