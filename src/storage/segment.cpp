#include "storage/segment.h"

#include "storage/layout.h"

namespace rmq::storage {
namespace {

Result<> take_space(File& file, std::int64_t bytes) {
  RMQ_CHECK(file.allocate(bytes));
  return file.sync_data();
}

}  // namespace

Result<std::shared_ptr<Segment>> Segment::create(FileSystem& files, const std::string& directory,
                                                 PhysicalOffset base, std::int64_t bytes) {
  std::string path = directory + "/" + position_file_name(base.value);
  RMQ_TRY(std::unique_ptr<File> file, files.open(path, OpenMode::CreateExclusive));
  Result<> taken = take_space(*file, bytes);
  if (taken) taken = files.sync_directory(directory);
  if (!taken) {
    // Left behind it would hold space that is already short; a name that stays is tolerated by
    // loading.
    (void)files.remove(path);
    return fail(taken.error());
  }
  return std::shared_ptr<Segment>(new Segment(std::move(file), std::move(path), base, bytes));
}

Result<std::shared_ptr<Segment>> Segment::open(FileSystem& files, const std::string& directory,
                                               PhysicalOffset base, std::int64_t bytes) {
  std::string path = directory + "/" + position_file_name(base.value);
  RMQ_TRY(std::unique_ptr<File> file, files.open(path, OpenMode::Write));
  return std::shared_ptr<Segment>(new Segment(std::move(file), std::move(path), base, bytes));
}

Result<ByteView> Segment::bytes() {
  const auto size = static_cast<std::size_t>(bytes_);
  if (const std::byte* at = mapped_.load(std::memory_order_acquire)) return ByteView(at, size);
  MutexLock lock(mutex_);
  if (!mapping_) {
    RMQ_TRY(mapping_, file_->map(bytes_));
    mapped_.store(mapping_->bytes().data(), std::memory_order_release);
  }
  return ByteView(mapped_.load(std::memory_order_relaxed), size);
}

}  // namespace rmq::storage
