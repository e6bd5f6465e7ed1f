#include "storage/store_lock.h"

#include <unistd.h>

#include "storage/store_errc.h"

namespace rmq::storage {

namespace {

Result<> take(File& lock, const Layout& layout) {
  const Result<> locked = lock.try_lock();
  if (locked) return {};
  const std::error_code code = locked.error().code;
  if (code == std::errc::resource_unavailable_try_again || code == std::errc::permission_denied) {
    return fail(StoreErrc::InUse, layout.root());
  }
  return fail(locked.error());
}

}  // namespace

Result<std::unique_ptr<File>> StoreLock::lock_only(FileSystem& files, const Layout& layout) {
  Result<std::unique_ptr<File>> lock = files.open(layout.lock(), OpenMode::Write);
  if (!lock) {
    const std::error_code code = lock.error().code;
    const bool nobody =
        code == std::errc::no_such_file_or_directory || code == std::errc::read_only_file_system;
    if (nobody) return std::unique_ptr<File>();
    return fail(lock.error());
  }
  RMQ_CHECK(take(**lock, layout));
  return std::move(*lock);
}

Result<StoreLock> StoreLock::acquire(FileSystem& files, const Layout& layout) {
  RMQ_CHECK(files.make_directories(layout.root()));
  // A process that was killed may have made it without putting its name on disk.
  const Result<> named = files.sync_directory(parent_directory(layout.root()));
  if (!named && named.error().code != std::errc::permission_denied) return fail(named.error());
  RMQ_TRY(std::unique_ptr<File> lock, files.open(layout.lock(), OpenMode::Create));
  RMQ_CHECK(take(*lock, layout));
  RMQ_CHECK(lock->pwrite(as_bytes("lock"), 0));
  RMQ_TRY(const bool unclean, files.exists(layout.abort()));
  RMQ_TRY(const std::unique_ptr<File> abort, files.open(layout.abort(), OpenMode::Create));
  RMQ_CHECK(abort->truncate(0));
  RMQ_CHECK(abort->pwrite(as_bytes(std::to_string(::getpid())), 0));
  RMQ_CHECK(abort->sync_data());
  RMQ_CHECK(files.sync_directory(layout.root()));
  return StoreLock(std::move(lock), unclean);
}

Result<> StoreLock::mark_clean(FileSystem& files, const Layout& layout) {
  RMQ_CHECK(files.remove(layout.abort()));
  return files.sync_directory(layout.root());
}

}  // namespace rmq::storage
