// FileCache: keeps at most so many files of the store open. Whoever uses a file holds it through a
// weak_ptr and asks again when it is gone; the cache lets go of the one opened longest ago.
// Threads: any.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/file_system.h"
#include "base/mutex.h"

namespace rmq::storage {

class FileCache {
 public:
  FileCache(FileSystem& files, std::size_t open_max) : files_(files), open_(open_max) {}

  Result<std::shared_ptr<File>> open(const std::string& path, OpenMode mode) {
    RMQ_TRY(std::unique_ptr<File> opened, files_.open(path, mode));
    std::shared_ptr<File> file = std::move(opened);
    std::shared_ptr<File> evicted;  // closed outside the lock
    {
      MutexLock lock(mutex_);
      evicted = std::exchange(open_[next_], file);
      next_ = (next_ + 1) % open_.size();
    }
    return file;
  }
  // Lets go of `file` at once: it was removed, and its space is wanted.
  void close(const std::shared_ptr<File>& file) {
    MutexLock lock(mutex_);
    std::ranges::replace(open_, file, nullptr);
  }
  FileSystem& files() { return files_; }

 private:
  FileSystem& files_;
  Mutex mutex_;
  std::vector<std::shared_ptr<File>> open_ RMQ_GUARDED_BY(mutex_);
  std::size_t next_ RMQ_GUARDED_BY(mutex_) = 0;
};

}  // namespace rmq::storage
