// Segment: one file of the commit log. Its name is the physical offset of its first byte; its
// length is fixed. Written with pwritev, read with pread, or through one read-only mapping of the
// whole file where it is new enough. It keeps its file open until all of it is on disk; later the
// FileCache decides.
// Threads: any; who writes where is the commit log's business.
// Crash: create() returns when bytes and name of the empty file are on disk.
#pragma once

#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/mutex.h"
#include "base/units.h"
#include "storage/file_cache.h"

namespace rmq::storage {

class Segment {
 public:
  // Takes the space at once, so that a full disk is an error here. A file that could not be
  // completed is removed again.
  static Result<std::shared_ptr<Segment>> create(FileCache& cache, const std::string& directory,
                                                 PhysicalOffset base, std::int64_t bytes);
  // Of a file that exists and has `bytes` bytes; it is opened when first asked for.
  Segment(FileCache& cache, const std::string& directory, PhysicalOffset base, std::int64_t bytes);
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  PhysicalOffset base() const { return base_; }
  PhysicalOffset end() const { return base_ + bytes_; }
  const std::string& path() const { return path_; }

  // Error ENOENT when it is gone.
  Result<std::shared_ptr<File>> file();
  // The file stays open until all_on_disk(), because it is written and synced all the time.
  Result<> keep_open();
  void all_on_disk();

  // The whole segment. It is mapped once, until unmap(); who has got it keeps it.
  Result<std::shared_ptr<const Mapping>> mapping();
  void unmap();

  // Lets go of file and mapping, so that nobody but readers holds their space.
  void close();

 private:
  FileCache& cache_;
  const std::string path_;
  const PhysicalOffset base_;
  const std::int64_t bytes_;

  Mutex mutex_;
  std::weak_ptr<File> file_ RMQ_GUARDED_BY(mutex_);
  std::shared_ptr<File> kept_open_ RMQ_GUARDED_BY(mutex_);
  std::shared_ptr<const Mapping> mapping_ RMQ_GUARDED_BY(mutex_);
};

}  // namespace rmq::storage
