#include "storage/consume_queue.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "storage/layout.h"
#include "storage/store_errc.h"

namespace rmq::storage {
namespace {

constexpr std::int64_t kUnit = static_cast<std::int64_t>(kEntryBytes);
constexpr std::size_t kAppendSlot = 0;
constexpr std::size_t kReadSlot = 1;

// Whether an entry is that of a record at `at` or later.
auto lies_from(PhysicalOffset at) {
  return [at](const ConsumeQueueEntry& entry) { return !is_filler(entry) && entry.physical >= at; };
}

}  // namespace

void encode_entry(const ConsumeQueueEntry& entry, std::byte* to) {
  store_big_endian(to, entry.physical.value);
  store_big_endian(to + 8, entry.size);
  store_big_endian(to + 12, entry.tag_code);
}

ConsumeQueueEntry decode_entry(const std::byte* from) {
  return {PhysicalOffset{load_big_endian<std::int64_t>(from)},
          load_big_endian<std::int32_t>(from + 8), load_big_endian<std::int64_t>(from + 12)};
}

ConsumeQueue::ConsumeQueue(FileCache& cache, std::string directory, std::int64_t file_bytes)
    : cache_(cache),
      directory_(std::move(directory)),
      file_bytes_(file_bytes),
      per_file_(file_bytes / kUnit) {}

std::string ConsumeQueue::path_of(std::int64_t index) const {
  return directory_ + "/" + position_file_name(index * file_bytes_);
}

Result<ConsumeQueueEntry> ConsumeQueue::entry_at(std::int64_t index) const {
  {
    MutexLock lock(mutex_);
    if (!tail_.empty() && index >= tail_begin_.value) {
      const auto at = static_cast<std::size_t>(index - tail_begin_.value) * kEntryBytes;
      return at < tail_.size() ? decode_entry(tail_.data() + at) : ConsumeQueueEntry{};
    }
  }
  RMQ_TRY(const std::shared_ptr<File> from, file(index / per_file_));
  std::array<std::byte, kEntryBytes> bytes{};
  RMQ_TRY(const std::size_t got, from->pread(bytes, index % per_file_ * kUnit));
  if (got < kEntryBytes) return ConsumeQueueEntry{};
  return decode_entry(bytes.data());
}

Result<> ConsumeQueue::reset() {
  const bool had_files = first_file_ < files_end_;  // else not even directories, perhaps
  for (std::int64_t index = first_file_; index < files_end_; ++index) {
    Result<> removed = cache_.files().remove(path_of(index));
    if (!removed && removed.error().code != std::errc::no_such_file_or_directory) return removed;
  }
  first_file_ = files_end_ = 0;
  written_end_ = {};
  begin_ = 0;
  damaged_ = false;
  unborn_ = false;
  ends_.reset();
  publish();
  MutexLock lock(mutex_);
  begun_ = false;
  tail_.clear();
  open_ = {};
  dirty_files_.clear();
  new_names_ = new_names_ || had_files;
  return {};
}

Result<> ConsumeQueue::correct_begin(PhysicalOffset log_begin) {
  const std::int64_t first = first_file_ * per_file_;
  if (ends_ && lies_from(log_begin)(ends_->first)) {
    begin_.store(first, std::memory_order_release);
  } else if (written_end_.value > first) {
    RMQ_TRY(const std::int64_t begin, partition(first, written_end_.value, lies_from(log_begin)));
    begin_.store(begin, std::memory_order_release);
  }
  return {};
}

Result<bool> ConsumeQueue::drop_before(PhysicalOffset at) {
  RMQ_CHECK(hide_before(at));
  while (first_file_ + 1 < files_end_ && (first_file_ + 1) * per_file_ <= begin().value) {
    const std::int64_t gone = first_file_;
    if ((gone + 1) * per_file_ >= synced_end_.load(std::memory_order_acquire)) return false;
    {
      MutexLock lock(mutex_);
      std::erase(dirty_files_, gone);
      first_file_ = gone + 1;
      new_names_ = true;
    }
    RMQ_CHECK(cache_.files().remove(path_of(gone)));
  }
  const std::int64_t last_file_end = files_end_ * per_file_;
  const bool last_may_go = begin().value >= last_file_end && end().value > last_file_end;
  return !last_may_go;  // it goes once what lies in memory has a file
}

void ConsumeQueue::take_back(QueueOffset end) {
  RMQ_ASSERT(end <= written_end_ && end.value >= end_.load());
  MutexLock lock(mutex_);
  if (written_end_ > end) {
    RMQ_ASSERT(end >= tail_begin_);  // what nobody has seen is not in files
    tail_.resize(static_cast<std::size_t>(end - tail_begin_) * kEntryBytes);
  }
  written_end_ = end;
}

Result<> ConsumeQueue::hide_before(PhysicalOffset at) {
  RMQ_TRY(const std::int64_t begin, partition(this->begin().value, end().value, lies_from(at)));
  begin_.store(begin, std::memory_order_release);
  return {};
}

Result<PhysicalOffset> ConsumeQueue::covered() const {
  if (written_end_.value <= first_file_ * per_file_) return PhysicalOffset{};
  RMQ_TRY(const ConsumeQueueEntry last, entry_at(written_end_.value - 1));
  if (is_filler(last)) return PhysicalOffset{};
  return last.physical + last.size;
}

Result<bool> ConsumeQueue::began_before(PhysicalOffset at) const {
  if (written_end_.value == 0) return false;
  if (first_file_ > 0) return true;
  if (ends_) return !lies_from(at)(ends_->first);
  RMQ_TRY(const ConsumeQueueEntry first, entry_at(0));
  return !lies_from(at)(first);
}

void ConsumeQueue::append(QueueOffset at, ByteView entries) {
  ends_.reset();
  MutexLock lock(mutex_);
  if (!begun_) {
    begin_with(at);
  } else {
    RMQ_ASSERT(at == written_end_);
    if (tail_.empty()) tail_begin_ = at;
  }
  tail_.insert(tail_.end(), entries.begin(), entries.end());
  written_end_ = at + static_cast<std::int64_t>(entries.size() / kEntryBytes);
}

// The first entry of a queue need not be number 0, when older ones are gone. Java, which takes the
// first entry of size 0 for the end, wants fillers before it.
void ConsumeQueue::begin_with(QueueOffset at) {
  begun_ = true;
  first_file_ = files_end_ = at.value / per_file_;
  tail_begin_ = files_begin();
  tail_.clear();
  for (QueueOffset filler = tail_begin_; filler < at; filler += 1) {
    tail_.resize(tail_.size() + kEntryBytes);
    encode_entry({PhysicalOffset{0}, kFillerSize, 0}, tail_.data() + tail_.size() - kEntryBytes);
  }
  begin_.store(at.value, std::memory_order_release);
}

std::size_t ConsumeQueue::tail_bytes() const {
  MutexLock lock(mutex_);
  return tail_.size();
}

Result<> ConsumeQueue::write_tail() {
  MutexLock writing(write_mutex_);
  Bytes seen;
  QueueOffset at;
  {
    MutexLock lock(mutex_);
    if (tail_.empty()) return {};
    at = tail_begin_;
    const auto published = static_cast<std::size_t>(std::max<std::int64_t>(0, end() - at));
    seen.assign(tail_.begin(), tail_.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                   published * kEntryBytes, tail_.size())));
  }
  RMQ_CHECK(write_entries(at, seen));
  MutexLock lock(mutex_);
  tail_.erase(tail_.begin(), tail_.begin() + static_cast<std::ptrdiff_t>(seen.size()));
  tail_begin_ += static_cast<std::int64_t>(seen.size() / kEntryBytes);
  if (tail_.empty()) Bytes().swap(tail_);
  return {};
}

Result<> ConsumeQueue::write_entries(QueueOffset at, ByteView entries) {
  while (!entries.empty()) {
    const std::int64_t index = at.value / per_file_;
    const std::int64_t from = at.value % per_file_ * kUnit;
    const auto part = std::min(entries.size(), static_cast<std::size_t>(file_bytes_ - from));
    RMQ_TRY(const std::shared_ptr<File> target, file_for_append(index));
    RMQ_CHECK(target->pwrite(entries.first(part), from));
    {
      // After the write: a sync that comes between would take the file off the list without it.
      MutexLock lock(mutex_);
      note_dirty(index);
    }
    entries = entries.subspan(part);
    at += static_cast<std::int64_t>(part / kEntryBytes);
  }
  return {};
}

void ConsumeQueue::note_dirty(std::int64_t index) {
  if (std::ranges::find(dirty_files_, index) == dirty_files_.end()) dirty_files_.push_back(index);
}

Result<std::shared_ptr<File>> ConsumeQueue::file_for_append(std::int64_t index) {
  MutexLock lock(mutex_);
  OpenFile& slot = open_[kAppendSlot];
  if (slot.index == index) {
    if (std::shared_ptr<File> open = slot.file.lock()) return open;
  }
  const bool exists = index < files_end_;
  if (!exists && first_file_ == files_end_) {
    RMQ_CHECK(cache_.files().make_directories(directory_, SyncParents::No));
  }
  RMQ_TRY(std::shared_ptr<File> opened,
          cache_.open(path_of(index), exists ? OpenMode::Write : OpenMode::Create));
  if (!exists) {
    RMQ_CHECK(opened->truncate(file_bytes_));
    files_end_ = index + 1;
    new_names_ = true;
  }
  // A process that was killed may have made files whose names are not on disk yet.
  if (!std::exchange(names_synced_, true)) new_names_ = true;
  slot = {index, opened};
  return opened;
}

Result<std::shared_ptr<File>> ConsumeQueue::file(std::int64_t index) const {
  MutexLock lock(mutex_);
  for (const OpenFile& slot : open_) {
    if (slot.index != index) continue;
    if (std::shared_ptr<File> open = slot.file.lock()) return open;
  }
  RMQ_TRY(std::shared_ptr<File> opened, cache_.open(path_of(index), OpenMode::Write));
  open_[kReadSlot] = {index, opened};
  return opened;
}

Result<std::size_t> ConsumeQueue::read(QueueOffset from, MutableByteView into,
                                       MayWait may_wait) const {
  std::int64_t last = std::min(end().value, next_file(from).value);
  if (from.value >= last) return std::size_t{0};
  {
    MutexLock lock(mutex_);
    if (!tail_.empty() && from >= tail_begin_) return read_tail(from, last, into);
    if (!tail_.empty()) last = std::min(last, tail_begin_.value);
  }
  const auto bytes = std::min(into.size() / kEntryBytes * kEntryBytes,
                              static_cast<std::size_t>((last - from.value) * kUnit));
  RMQ_TRY(const std::shared_ptr<File> source, file(from.value / per_file_));
  const std::int64_t at = from.value % per_file_ * kUnit;
  RMQ_TRY(const std::size_t got, may_wait == MayWait::Yes
                                     ? source->pread(into.first(bytes), at)
                                     : source->pread_cached(into.first(bytes), at));
  if (may_wait == MayWait::No && got < kEntryBytes) return fail(StoreErrc::NotInMemory);
  return got / kEntryBytes;
}

std::size_t ConsumeQueue::read_tail(QueueOffset from, std::int64_t last,
                                    MutableByteView into) const {
  const auto count =
      std::min(into.size() / kEntryBytes, static_cast<std::size_t>(last - from.value));
  const auto at = static_cast<std::size_t>(from - tail_begin_) * kEntryBytes;
  std::memcpy(into.data(), tail_.data() + at, count * kEntryBytes);
  return count;
}

ConsumeQueue::Unsynced ConsumeQueue::take_unsynced() {
  Unsynced unsynced;
  MutexLock lock(mutex_);
  unsynced.end = tail_.empty() ? written_end() : tail_begin_;
  unsynced.files.swap(dirty_files_);
  if (std::exchange(new_names_, false)) {
    const std::string topic = parent_directory(directory_);
    unsynced.directories = {directory_, topic, parent_directory(topic)};
  }
  return unsynced;
}

Result<> ConsumeQueue::sync_files(const Unsynced& unsynced) {
  for (const std::int64_t index : unsynced.files) {
    const auto opened = cache_.files().open(path_of(index), OpenMode::Write);
    if (!opened && index < first_file_) continue;  // removed meanwhile
    if (!opened) return fail(opened.error());
    RMQ_CHECK((*opened)->sync_data());
  }
  return {};
}

}  // namespace rmq::storage
