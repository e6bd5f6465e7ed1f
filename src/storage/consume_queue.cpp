#include "storage/consume_queue.h"

#include <algorithm>
#include <utility>

#include "storage/layout.h"
#include "storage/store_errc.h"

namespace rmq::storage {
namespace {

constexpr std::int64_t kUnit = static_cast<std::int64_t>(kEntryBytes);
constexpr std::size_t kScanBytes = 64 * kEntryBytes * 50;
constexpr std::int64_t kCarefulFiles = 3;  // as Java
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

Result<> ConsumeQueue::load() {
  RMQ_TRY(const std::vector<std::string> names, cache_.files().list(directory_));
  for (const std::string& name : names) {
    RMQ_TRY(const std::int64_t position, parse_position_file_name(directory_, name));
    const std::string path = directory_ + "/" + name;
    RMQ_TRY(const std::unique_ptr<File> opened, cache_.files().open(path, OpenMode::Write));
    RMQ_TRY(const std::int64_t size, opened->size());
    if (size > file_bytes_ || position % file_bytes_ != 0) {
      return fail(StoreErrc::WrongFileSize, path + ": " + std::to_string(size) + " bytes, not " +
                                                std::to_string(file_bytes_));
    }
    if (size < file_bytes_ && has_entries()) return drop_files(names, name);
    if (size < file_bytes_) {
      damaged_ = true;
      RMQ_CHECK(opened->truncate(file_bytes_));
    }
    const std::int64_t index = position / file_bytes_;
    if (!has_entries()) {
      first_file_ = files_end_ = index;
      begin_ = index * per_file_;
    }
    if (index != files_end_) damaged_ = true;  // one is missing
    files_end_ = index + 1;
  }
  return {};
}

// Files from `first` on were made shortly before a power cut. What was in them is dispatched again;
// the files before say how far the queue has counted, which the log may not know any more.
Result<> ConsumeQueue::drop_files(const std::vector<std::string>& names, const std::string& first) {
  for (auto name = names.rbegin(); name != names.rend() && *name >= first; ++name) {
    RMQ_CHECK(cache_.files().remove(directory_ + "/" + *name));
  }
  lost_files_ = true;
  MutexLock lock(mutex_);
  new_names_ = true;
  return {};
}

// The number of valid entries at the front of file `index`; `last` is the physical offset before
// the first and becomes that of the last one.
Result<std::int64_t> ConsumeQueue::scan_file(std::int64_t index, PhysicalOffset& last) const {
  RMQ_TRY(const std::shared_ptr<File> scanned, file(index));
  Bytes bytes(std::min(kScanBytes, static_cast<std::size_t>(file_bytes_)));
  for (std::int64_t at = 0; at < file_bytes_; at += static_cast<std::int64_t>(bytes.size())) {
    RMQ_TRY(const std::size_t got, scanned->pread(bytes, at));
    for (std::size_t i = 0; i + kEntryBytes <= got; i += kEntryBytes) {
      const ConsumeQueueEntry entry = decode_entry(bytes.data() + i);
      const bool grows = entry.physical > last || is_filler(entry);
      if (!is_valid(entry) || !grows) return (at + static_cast<std::int64_t>(i)) / kUnit;
      last = is_filler(entry) ? last : entry.physical;
    }
  }
  return per_file_;
}

Result<> ConsumeQueue::recover(Search search) {
  std::int64_t end = first_file_ * per_file_;
  if (search == Search::Careful) {
    PhysicalOffset last{-1};
    std::int64_t index = std::max(first_file_.load(), files_end_ - kCarefulFiles);
    end = index * per_file_;
    for (; index < files_end_; ++index) {
      RMQ_TRY(const std::int64_t valid, scan_file(index, last));
      end = index * per_file_ + valid;
      if (valid < per_file_) break;
    }
  } else if (has_entries()) {
    // The last file may have been made for an entry that never came.
    std::int64_t index = files_end_ - 1;
    for (; index >= first_file_; --index) {
      const std::int64_t low = index * per_file_;
      RMQ_TRY(end, partition(low, low + per_file_,
                             [](const ConsumeQueueEntry& entry) { return !is_valid(entry); }));
      if (end > low) break;
    }
  }
  written_end_ = QueueOffset{end};
  publish();
  return {};
}

template <class Predicate>
Result<std::int64_t> ConsumeQueue::partition(std::int64_t low, std::int64_t high,
                                             Predicate reached) const {
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    RMQ_TRY(const ConsumeQueueEntry entry, entry_at(middle));
    if (reached(entry)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

Result<ConsumeQueueEntry> ConsumeQueue::entry_at(std::int64_t index) const {
  RMQ_TRY(const std::shared_ptr<File> from, file(index / per_file_));
  std::array<std::byte, kEntryBytes> bytes{};
  RMQ_TRY(const std::size_t got, from->pread(bytes, index % per_file_ * kUnit));
  if (got < kEntryBytes) return ConsumeQueueEntry{};
  return decode_entry(bytes.data());
}

Result<> ConsumeQueue::cut(PhysicalOffset log_end) {
  if (!has_entries()) return {};
  // Behind what was on disk a power cut leaves some of the entries, and holes.
  const auto beyond = [log_end](const ConsumeQueueEntry& entry) {
    return !is_valid(entry) || entry.physical >= log_end;
  };
  std::int64_t end = written_end_.value;
  const std::int64_t first = first_file_ * per_file_;
  if (end > first) {
    RMQ_TRY(const ConsumeQueueEntry last, entry_at(end - 1));
    if (beyond(last)) {
      RMQ_TRY(end, partition(first, end, beyond));
    }
  }
  // The file of the end stays even when it is empty: it says what the next offset is.
  const std::int64_t keep = std::max(first_file_.load(), end / per_file_);
  for (std::int64_t index = files_end_ - 1; index > keep; --index) {
    RMQ_CHECK(cache_.files().remove(path_of(index)));
    files_end_ = index;
    MutexLock lock(mutex_);
    dirty_files_.erase(index);
    new_names_ = true;
  }
  if (keep < files_end_) {
    RMQ_TRY(const std::shared_ptr<File> last, file(keep));
    const std::int64_t from = end % per_file_ * kUnit;
    RMQ_TRY(const std::optional<std::int64_t> data, last->next_data(from));
    if (data) {
      RMQ_CHECK(last->zero_range(from, file_bytes_ - from));
      MutexLock lock(mutex_);
      dirty_files_.insert(keep);
    }
  }
  written_end_ = QueueOffset{end};
  publish();
  return {};
}

Result<> ConsumeQueue::reset() {
  for (std::int64_t index = first_file_; index < files_end_; ++index) {
    Result<> removed = cache_.files().remove(path_of(index));
    if (!removed && removed.error().code != std::errc::no_such_file_or_directory) return removed;
  }
  first_file_ = files_end_ = 0;
  written_end_ = {};
  begin_ = 0;
  damaged_ = false;
  publish();
  MutexLock lock(mutex_);
  open_ = {};
  dirty_files_.clear();
  new_names_ = true;
  return {};
}

Result<> ConsumeQueue::correct_begin(PhysicalOffset log_begin) {
  const std::int64_t first = first_file_ * per_file_;
  if (written_end_.value > first) {
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
      dirty_files_.erase(gone);
      first_file_ = gone + 1;
      new_names_ = true;
    }
    RMQ_CHECK(cache_.files().remove(path_of(gone)));
  }
  return true;
}

void ConsumeQueue::take_back(QueueOffset end) {
  RMQ_ASSERT(end <= written_end_ && end.value >= end_.load());
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
  RMQ_TRY(const ConsumeQueueEntry first, entry_at(0));
  return !lies_from(at)(first);
}

Result<> ConsumeQueue::append(QueueOffset at, ByteView entries) {
  if (!has_entries()) {
    RMQ_CHECK(fill_before(at));
  } else {
    RMQ_ASSERT(at == written_end_);
  }
  RMQ_CHECK(write_entries(at, entries));
  written_end_ = at + static_cast<std::int64_t>(entries.size() / kEntryBytes);
  return {};
}

// The first entry of a queue need not be number 0, when older ones are gone. Java, which takes the
// first entry of size 0 for the end, wants fillers before it.
Result<> ConsumeQueue::fill_before(QueueOffset at) {
  first_file_ = files_end_ = at.value / per_file_;
  const std::int64_t count = at.value % per_file_;
  if (count > 0) {
    Bytes fillers(static_cast<std::size_t>(count * kUnit));
    for (std::int64_t i = 0; i < count; ++i) {
      encode_entry({PhysicalOffset{0}, kFillerSize, 0}, fillers.data() + i * kUnit);
    }
    RMQ_CHECK(write_entries(QueueOffset{first_file_ * per_file_}, fillers));
  }
  begin_.store(at.value, std::memory_order_release);
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
      dirty_files_.insert(index);
    }
    entries = entries.subspan(part);
    at += static_cast<std::int64_t>(part / kEntryBytes);
  }
  return {};
}

Result<std::shared_ptr<File>> ConsumeQueue::file_for_append(std::int64_t index) {
  MutexLock lock(mutex_);
  OpenFile& slot = open_[kAppendSlot];
  if (slot.index == index) {
    if (std::shared_ptr<File> open = slot.file.lock()) return open;
  }
  const bool exists = index < files_end_;
  if (!exists && !has_entries()) {
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
  const std::int64_t last = std::min(end().value, next_file(from).value);
  if (from.value >= last) return std::size_t{0};
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

Result<QueueOffset> ConsumeQueue::sync_files(std::set<std::string>& directories) {
  std::set<std::int64_t> dirty;
  bool new_names = false;
  const QueueOffset synced = end();  // written before
  {
    MutexLock lock(mutex_);
    dirty.swap(dirty_files_);
    std::swap(new_names, new_names_);
  }
  for (const std::int64_t index : dirty) {
    const auto opened = cache_.files().open(path_of(index), OpenMode::Write);
    if (!opened && index < first_file_) continue;  // removed meanwhile
    if (!opened) return fail(opened.error());
    RMQ_CHECK((*opened)->sync_data());
  }
  if (new_names) {
    const std::string topic = parent_directory(directory_);
    directories.insert({directory_, topic, parent_directory(topic)});
  }
  return synced;
}

}  // namespace rmq::storage
