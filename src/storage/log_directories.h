// LogDirectories: the directories in which the commit log's segments lie, and which of them gets
// a new one (RocketMQ MultiPathMappedFileQueue.java): number n goes to directory n modulo their
// count, in the order of their names, of those that are neither read-only nor full; when all are
// full, of those that are not read-only. Where a segment lies means nothing to a reader.
// Threads: any.
// Crash: keeps nothing; what is full is found out again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/mutex.h"

namespace rmq::storage {

class LogDirectories {
 public:
  // A directory that is in both lists is read-only: segments are read there, and removed when they
  // are old, but none is made. `directories` must have another.
  LogDirectories(FileSystem& files, std::vector<std::string> directories,
                 const std::vector<std::string>& read_only);

  // Whether there is one to make segments in. Error: EINVAL.
  Result<> check() const;
  // Those that segments are made in, sorted by name.
  const std::vector<std::string>& writable() const { return writable_; }
  // "a,b", for people.
  std::string text() const;

  // The directory for the segment number `number`, its first byte's offset by its length; behind
  // it the others that may be written to, for when there is no room.
  std::vector<std::string> choose(std::int64_t number) const;
  // These are full now, and all others are not.
  void set_full(const std::vector<std::string>& full);

  // A file in one of the directories.
  struct Found {
    std::string directory;
    std::string name;
    std::int64_t position = 0;  // as the name says

    std::string path() const { return directory + "/" + name; }
  };
  // All files, by position. Of two with the same name one may hold nothing: Java makes segments
  // ahead, and again elsewhere when the directory has become full; that one is removed.
  // Errors: StoreErrc::WrongFileName for a name that is no position, or two files with records
  // under one name.
  Result<std::vector<Found>> list();

  // Makes those that are missing and may be written to.
  Result<> make();
  // Every name in them is on disk afterwards.
  Result<> sync();

 private:
  Result<bool> holds_nothing(const Found& file);

  FileSystem& files_;
  std::vector<std::string> all_;
  std::vector<std::string> writable_;

  mutable Mutex mutex_;
  std::vector<std::string> open_ RMQ_GUARDED_BY(mutex_);  // writable and not full
};

}  // namespace rmq::storage
