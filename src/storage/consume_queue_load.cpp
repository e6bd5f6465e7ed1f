// What is done to a queue before the store is in use: loading, finding the end, cutting.
#include <algorithm>
#include <cstring>
#include <utility>

#include "storage/consume_queue.h"
#include "storage/layout.h"
#include "storage/store_errc.h"

namespace rmq::storage {
namespace {

constexpr std::int64_t kUnit = static_cast<std::int64_t>(kEntryBytes);
constexpr std::size_t kBlockBytes = 4096;
constexpr std::size_t kScanBytes = kEntryBytes * 3200;
constexpr std::int64_t kCarefulFiles = 3;  // as Java

bool is_zero(ByteView bytes) {
  return bytes.empty() || (bytes[0] == std::byte{0} &&
                           std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

// How many entries at the front are valid; `last` is the physical offset before the first and
// becomes that of the last one.
std::size_t count_valid(ByteView entries, PhysicalOffset& last) {
  std::size_t count = 0;
  for (; (count + 1) * kEntryBytes <= entries.size(); ++count) {
    const ConsumeQueueEntry entry = decode_entry(entries.data() + count * kEntryBytes);
    const bool grows = entry.physical > last || is_filler(entry);
    if (!is_valid(entry) || !grows) break;
    last = is_filler(entry) ? last : entry.physical;
  }
  return count;
}

// Whether the file has bytes at or behind `from` that may not be zero. File systems know whole
// blocks only, so the rest of the one that `from` lies in is read.
Result<bool> has_data(File& file, std::int64_t from) {
  std::array<std::byte, kBlockBytes> rest{};
  const std::int64_t in_block = from % static_cast<std::int64_t>(kBlockBytes);
  const MutableByteView read = MutableByteView(rest).subspan(static_cast<std::size_t>(in_block));
  RMQ_TRY([[maybe_unused]] const std::size_t got, file.pread(read, from));
  if (!is_zero(read)) return true;
  RMQ_TRY(const std::optional<std::int64_t> data,
          file.next_data(from + static_cast<std::int64_t>(read.size())));
  return data.has_value();
}

}  // namespace

Result<> ConsumeQueue::load() {
  RMQ_TRY(const std::vector<std::string> names, cache_.files().list(directory_));
  for (const std::string& name : names) {
    RMQ_TRY(const std::int64_t position, parse_position_file_name(directory_, name));
    const std::string path = directory_ + "/" + name;
    RMQ_TRY(const std::shared_ptr<File> opened, file(position / file_bytes_));
    RMQ_TRY(const std::int64_t size, opened->size());
    if (size > file_bytes_ || position % file_bytes_ != 0) {
      return fail(StoreErrc::WrongFileSize, path + ": " + std::to_string(size) + " bytes, not " +
                                                std::to_string(file_bytes_));
    }
    if (size < file_bytes_ && has_entries()) return drop_files(names, name);
    if (size < file_bytes_) {
      damaged_ = true;
      unborn_ = names.size() == 1 && position == 0;
      RMQ_CHECK(opened->truncate(file_bytes_));
    }
    const std::int64_t index = position / file_bytes_;
    if (!has_entries()) {
      begun_ = true;
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
  Bytes bytes(kScanBytes);
  for (std::int64_t at = 0; at < file_bytes_; at += static_cast<std::int64_t>(kScanBytes)) {
    RMQ_TRY(const std::size_t got, scanned->pread(bytes, at));
    const std::size_t valid = count_valid(ByteView(bytes).first(got), last);
    if (valid < got / kEntryBytes) return at / kUnit + static_cast<std::int64_t>(valid);
  }
  return per_file_;
}

// With very many queues most are short: one file, and one read of it tells all, where a search
// would fill the page cache with what was never written. False when this one is not.
Result<bool> ConsumeQueue::recover_short() {
  if (files_end_ - first_file_ != 1) return false;
  RMQ_TRY(const std::shared_ptr<File> only, file(first_file_));
  std::array<std::byte, kBlockBytes> block{};
  RMQ_TRY(const std::size_t got, only->pread(block, 0));
  PhysicalOffset last{-1};
  const std::size_t count = count_valid(ByteView(block).first(got), last);
  if ((count + 1) * kEntryBytes > kBlockBytes) return false;
  written_end_ = files_begin() + static_cast<std::int64_t>(count);
  publish();
  if (count == 0) return true;
  Ends ends;
  ends.first = decode_entry(block.data());
  ends.last = decode_entry(block.data() + (count - 1) * kEntryBytes);
  if (is_zero(ByteView(block).subspan(count * kEntryBytes))) {
    RMQ_TRY(const std::optional<std::int64_t> data, only->next_data(kBlockBytes));
    ends.nothing_behind = !data;
  }
  ends_ = std::make_unique<const Ends>(ends);
  return true;
}

Result<> ConsumeQueue::recover(Search search) {
  RMQ_TRY(const bool recovered, recover_short());
  if (recovered) return {};
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
  return look_at_ends();
}

Result<> ConsumeQueue::look_at_ends() {
  ends_.reset();
  const std::int64_t begin = first_file_ * per_file_;
  const std::int64_t end = written_end_.value;
  if (end <= begin) return {};
  Ends ends;
  RMQ_TRY(ends.first, entry_at(begin));
  RMQ_TRY(ends.last, entry_at(end - 1));
  const std::int64_t index = end / per_file_;
  if (index >= files_end_) {
    ends.nothing_behind = true;
  } else if (index == files_end_ - 1) {
    RMQ_TRY(const std::shared_ptr<File> last, file(index));
    RMQ_TRY(const bool data, has_data(*last, end % per_file_ * kUnit));
    ends.nothing_behind = !data;
  }
  ends_ = std::make_unique<const Ends>(ends);
  return {};
}

Result<> ConsumeQueue::cut(PhysicalOffset log_end) {
  if (!has_entries()) return {};
  // Behind what was on disk a power cut leaves some of the entries, and holes.
  const auto beyond = [log_end](const ConsumeQueueEntry& entry) {
    return !is_valid(entry) || entry.physical >= log_end;
  };
  if (ends_ && ends_->nothing_behind && !beyond(ends_->last)) return {};
  ends_.reset();
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
    std::erase(dirty_files_, index);
    new_names_ = true;
  }
  if (keep < files_end_) {
    RMQ_TRY(const std::shared_ptr<File> last, file(keep));
    const std::int64_t from = end % per_file_ * kUnit;
    RMQ_TRY(const bool data, has_data(*last, from));
    if (data) {
      RMQ_CHECK(last->zero_range(from, file_bytes_ - from, ZeroSpace::Freed));
      MutexLock lock(mutex_);
      note_dirty(keep);
    }
  }
  written_end_ = QueueOffset{end};
  publish();
  return {};
}

Result<> ConsumeQueue::cut_in_use(PhysicalOffset log_end, PhysicalOffset log_begin) {
  RMQ_ASSERT(tail_bytes() == 0);
  RMQ_CHECK(cut(log_end));
  synced_end_ = std::min(synced_end_.load(), written_end_.value);
  begin_.store(files_begin().value, std::memory_order_release);
  RMQ_CHECK(correct_begin(log_begin));
  // Files that are gone may come again, under the same names.
  end_recovery();
  return {};
}

Result<> ConsumeQueue::restart_at(QueueOffset next) {
  RMQ_CHECK(reset());
  synced_end_ = 0;
  if (next.value == 0) return {};
  {
    MutexLock lock(mutex_);
    begin_with(next);
  }
  written_end_ = next;
  publish();
  RMQ_CHECK(write_tail());
  // Even an empty file says what the next offset is.
  const std::int64_t index = next.value / per_file_;
  RMQ_TRY([[maybe_unused]] const std::shared_ptr<File> file, file_for_append(index));
  MutexLock lock(mutex_);
  note_dirty(index);
  return {};
}

void ConsumeQueue::end_recovery() {
  ends_.reset();
  MutexLock lock(mutex_);
  open_ = {};
}

}  // namespace rmq::storage
