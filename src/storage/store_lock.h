// StoreLock: one process, and one store in it, per directory; and the `abort` file that tells the
// next start whether this one was stopped. Both as Java has them, but taken before anything else
// is opened (Java recovers first and asks then).
// Threads: one. Crash: the lock goes with the process; `abort` stays.
#pragma once

#include <memory>

#include "base/file_system.h"
#include "storage/layout.h"

namespace rmq::storage {

class StoreLock {
 public:
  // Makes the root directory, takes the lock, and puts `abort` on disk.
  // Error: StoreErrc::InUse, with the directory.
  static Result<StoreLock> acquire(FileSystem& files, const Layout& layout);

  // The lock alone, for as long as the File lives: nothing is written. Null where no process can
  // have the store open: there is no lock file, or the file system is read-only.
  // Error: StoreErrc::InUse, with the directory.
  static Result<std::unique_ptr<File>> lock_only(FileSystem& files, const Layout& layout);

  // Whether `abort` was there already: the last owner did not stop.
  bool unclean() const { return unclean_; }
  // Removes `abort`; the lock stays until the object goes.
  Result<> mark_clean(FileSystem& files, const Layout& layout);

 private:
  StoreLock(std::unique_ptr<File> lock, bool unclean) : lock_(std::move(lock)), unclean_(unclean) {}

  std::unique_ptr<File> lock_;
  bool unclean_;
};

}  // namespace rmq::storage
