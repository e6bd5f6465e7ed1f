// Segment: one file of the commit log. Its name is the physical offset of its first byte; its
// length is fixed. Written with pwritev, read through one read-only mapping of the whole file,
// which is made when first asked for and kept as long as anyone holds the Segment.
// Threads: any; who writes where is the commit log's business.
// Crash: create() returns when bytes and name of the empty file are on disk.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/mutex.h"
#include "base/units.h"

namespace rmq::storage {

class Segment {
 public:
  // Takes the space at once, so that a full disk is an error here. A file that could not be
  // completed is removed again.
  static Result<std::shared_ptr<Segment>> create(FileSystem& files, const std::string& directory,
                                                 PhysicalOffset base, std::int64_t bytes);
  // The file exists and has `bytes` bytes.
  static Result<std::shared_ptr<Segment>> open(FileSystem& files, const std::string& directory,
                                               PhysicalOffset base, std::int64_t bytes);

  PhysicalOffset base() const { return base_; }
  PhysicalOffset end() const { return base_ + bytes_; }
  const std::string& path() const { return path_; }
  File& file() { return *file_; }

  // The whole segment; valid as long as the Segment.
  Result<ByteView> bytes();

 private:
  Segment(std::unique_ptr<File> file, std::string path, PhysicalOffset base, std::int64_t bytes)
      : file_(std::move(file)), path_(std::move(path)), base_(base), bytes_(bytes) {}

  const std::unique_ptr<File> file_;
  const std::string path_;
  const PhysicalOffset base_;
  const std::int64_t bytes_;

  std::atomic<const std::byte*> mapped_{nullptr};  // set once, after mapping_
  Mutex mutex_;
  std::shared_ptr<const Mapping> mapping_ RMQ_GUARDED_BY(mutex_);
};

}  // namespace rmq::storage
