#include "storage/segment.h"

#include <utility>

#include "storage/layout.h"

namespace rmq::storage {
namespace {

Result<> take_space(File& file, std::int64_t bytes) {
  RMQ_CHECK(file.allocate(bytes));
  return file.sync_data();
}

}  // namespace

Segment::Segment(FileCache& cache, const std::string& directory, PhysicalOffset base,
                 std::int64_t bytes)
    : cache_(cache),
      path_(directory + "/" + position_file_name(base.value)),
      base_(base),
      bytes_(bytes) {}

Result<std::shared_ptr<Segment>> Segment::create(FileCache& cache, const std::string& directory,
                                                 PhysicalOffset base, std::int64_t bytes) {
  auto segment = std::make_shared<Segment>(cache, directory, base, bytes);
  RMQ_TRY(std::shared_ptr<File> file, cache.open(segment->path(), OpenMode::CreateExclusive));
  Result<> taken = take_space(*file, bytes);
  if (taken) taken = cache.files().sync_directory(directory);
  if (!taken) {
    // Left behind it would hold space that is already short; a name that stays is tolerated by
    // loading.
    cache.close(file);
    (void)cache.files().remove(segment->path());
    return fail(taken.error());
  }
  MutexLock lock(segment->mutex_);
  segment->file_ = file;
  segment->kept_open_ = std::move(file);
  return segment;
}

Result<std::shared_ptr<File>> Segment::file() {
  MutexLock lock(mutex_);
  if (std::shared_ptr<File> open = file_.lock()) return open;
  RMQ_TRY(std::shared_ptr<File> opened, cache_.open(path_, OpenMode::Write));
  file_ = opened;
  return opened;
}

Result<> Segment::keep_open() {
  RMQ_TRY(std::shared_ptr<File> opened, file());
  MutexLock lock(mutex_);
  kept_open_ = std::move(opened);
  return {};
}

void Segment::all_on_disk() {
  MutexLock lock(mutex_);
  kept_open_ = nullptr;
}

Result<std::shared_ptr<const Mapping>> Segment::mapping() {
  {
    MutexLock lock(mutex_);
    if (mapping_) return mapping_;
  }
  RMQ_TRY(const std::shared_ptr<File> mapped, file());
  MutexLock lock(mutex_);
  if (!mapping_) {
    RMQ_TRY(mapping_, mapped->map(bytes_));
  }
  return mapping_;
}

void Segment::unmap() {
  std::shared_ptr<const Mapping> unmapped;  // outside the lock
  MutexLock lock(mutex_);
  unmapped = std::exchange(mapping_, nullptr);
}

void Segment::close() {
  unmap();
  std::shared_ptr<File> open;
  {
    MutexLock lock(mutex_);
    kept_open_ = nullptr;
    open = file_.lock();
  }
  if (open) cache_.close(open);
}

}  // namespace rmq::storage
