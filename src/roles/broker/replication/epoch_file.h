// EpochFile: what a broker under a controller knows of reigns, in its store directory:
//   epochFileCheckpoint  which part of the log belongs to which epoch, as RocketMQ has it
//                        (replication/epoch_text.h); .bak beside it has the same content
//   rmq/reign            the newest epoch seen, a decimal number and a line end
// Threads: any; changes come one at a time. Crash: a change that returned is on disk. The log is
// cut before the history, and a reign's entry is there before its first record: load() puts right
// what lies between.
#pragma once

#include <string>
#include <string_view>

#include "base/file_system.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/units.h"
#include "replication/epoch_history.h"
#include "replication/replica_ids.h"

namespace rmq::roles::broker {

class EpochFile {
 public:
  EpochFile(FileSystem& files, std::string store_root);

  // Once, after recovery, which found that the log ends at `log_end`: what begins there or later is
  // dropped. Errors: ReplicationErrc::Malformed, EpochsOutOfOrder, naming a file that is damaged
  // and what to do; a damaged history does no harm while the log is empty, or when .bak is sound.
  // I/O.
  Result<> load(PhysicalOffset log_end);

  replication::EpochHistory history() const;
  replication::Epoch seen() const;

  // A part of the log begins, or is about to be written, that belongs to `epoch`, which then has
  // been seen. Errors: EpochsOutOfOrder; I/O, after which it may be on disk or not, and this may be
  // called again. So it is with the next two.
  Result<> begin(replication::Epoch epoch, PhysicalOffset start);
  // The log was cut to `end`. Errors: I/O.
  Result<> truncate(PhysicalOffset end);
  // The history of a log that had none. Errors: I/O.
  Result<> adopt(const replication::EpochHistory& history);
  // The broker leaves its controllers: both files go. Errors: I/O.
  Result<> forget();
  // An older one than seen() changes nothing. Errors: I/O.
  Result<> see(replication::Epoch epoch);

 private:
  Result<replication::EpochHistory> read_history(const std::string& path) const;
  Result<replication::EpochHistory> load_history(PhysicalOffset log_end);
  Result<replication::Epoch> read_seen() const;
  Result<> save(const replication::EpochHistory& history);
  Result<> save_seen(replication::Epoch epoch);

  FileSystem& files_;
  const std::string path_;
  const std::string seen_path_;
  Mutex change_mutex_;  // one change at a time; before mutex_
  mutable Mutex mutex_;
  replication::EpochHistory history_ RMQ_GUARDED_BY(mutex_);
  replication::Epoch seen_ RMQ_GUARDED_BY(mutex_);
};

}  // namespace rmq::roles::broker
