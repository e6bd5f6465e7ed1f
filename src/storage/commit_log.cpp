#include "storage/commit_log.h"

#include <algorithm>
#include <array>

#include "base/log.h"
#include "storage/layout.h"
#include "storage/store_errc.h"

namespace rmq::storage {
namespace {

// What a write to new ground puts behind itself: the kernel makes room in the page cache, and
// changes the file's map in a sync, once for many writes
// (docs/decisions/0023-zeros-ahead-of-the-log.md).
constexpr std::int64_t kZerosAhead = 64 * 1024;
constexpr std::array<std::byte, kZerosAhead> kZeros{};

// Plain writes: they need no space, which may be what has run out.
Result<> write_zeros(File& file, std::int64_t from, std::int64_t bytes) {
  while (bytes > 0) {
    const std::int64_t part = std::min(bytes, kZerosAhead);
    RMQ_CHECK(file.pwrite(ByteView(kZeros).first(static_cast<std::size_t>(part)), from));
    from += part;
    bytes -= part;
  }
  return {};
}

}  // namespace

CommitLog::CommitLog(FileCache& cache, LogDirectories& directories, std::int64_t segment_bytes)
    : cache_(cache),
      files_(cache.files()),
      directories_(directories),
      segment_bytes_(segment_bytes) {}

Result<> CommitLog::load() {
  RMQ_CHECK(directories_.make());
  RMQ_TRY(const std::vector<LogDirectories::Found> found, directories_.list());
  Segments segments;
  for (const LogDirectories::Found& file : found) {
    RMQ_TRY(const std::int64_t size, load_one(file.path(), &file == &found.back()));
    if (size == 0) break;
    if (file.position % segment_bytes_ != 0) {
      return fail(StoreErrc::WrongFileName,
                  file.path() + ": segments have " + std::to_string(segment_bytes_) + " bytes");
    }
    if (!segments.empty() && file.position != segments.back()->end().value) {
      return fail(StoreErrc::WrongFileName,
                  file.path() + " does not follow " + segments.back()->path() + ": " +
                      position_file_name(segments.back()->end().value) +
                      " is missing. Put it back; without it everything from there on is lost");
    }
    segments.push_back(std::make_shared<Segment>(cache_, file.directory,
                                                 PhysicalOffset{file.position}, segment_bytes_));
  }
  segments_.publish(std::make_shared<const Segments>(std::move(segments)));
  return {};
}

// The size of the segment file after what was tolerable about it has been put right; 0: removed.
Result<std::int64_t> CommitLog::load_one(const std::string& path, bool last) {
  RMQ_TRY(const std::unique_ptr<File> file, files_.open(path, OpenMode::Write));
  RMQ_TRY(const std::int64_t size, file->size());
  if (size == segment_bytes_) return size;
  if (!last || size > segment_bytes_) {
    return fail(StoreErrc::WrongFileSize, path + ": " + std::to_string(size) + " bytes, not " +
                                              std::to_string(segment_bytes_));
  }
  if (size == 0) {
    log::warn("store", "empty segment removed", kv("file", path));
    RMQ_CHECK(files_.remove(path));
    return 0;
  }
  log::warn("store", "short segment lengthened", kv("file", path), kv("bytes", size));
  RMQ_CHECK(file->allocate(segment_bytes_));
  return segment_bytes_;
}

// Where there is room: a directory can be full before anybody has noticed.
Result<std::shared_ptr<Segment>> CommitLog::create(PhysicalOffset base) {
  Result<std::shared_ptr<Segment>> made;
  for (const std::string& directory : directories_.choose(base.value / segment_bytes_)) {
    made = Segment::create(cache_, directory, base, segment_bytes_);
    if (made || !is_disk_full(made.error())) break;
    if (!said_full_) {
      log::warn("store", "no room for a commit log file", kv("directory", directory));
    }
  }
  said_full_ = !made && is_disk_full(made.error());
  return made;
}

// From the last one on: what remains after a crash still follows each other.
Result<> CommitLog::drop_behind(PhysicalOffset end, Segments& kept) {
  while (!kept.empty() && kept.back()->base() > end) {
    RMQ_CHECK(files_.remove(kept.back()->path()));
    kept.back()->close();
    kept.pop_back();
  }
  return {};
}

Result<> CommitLog::cut(PhysicalOffset end, PhysicalOffset sync_from) {
  Segments kept = *segments_.load();
  RMQ_CHECK(drop_behind(end, kept));
  if (!kept.empty() && kept.back()->end() > end) {
    // Java's files are sparse, and old bytes behind the end would pass for records later.
    RMQ_TRY(const std::shared_ptr<File> file, kept.back()->file());
    const std::int64_t from = end - kept.back()->base();
    RMQ_TRY(const std::optional<std::int64_t> data, file->next_data(from));
    if (data) {
      RMQ_CHECK(file->zero_range(from, segment_bytes_ - from, ZeroSpace::Kept));
    }
    RMQ_CHECK(file->allocate(segment_bytes_));
  }
  RMQ_ASSERT(kept.empty() || kept.back()->end() >= end);
  if (kept.empty() || kept.back()->end() == end) {
    RMQ_TRY(std::shared_ptr<Segment> fresh, create(end));
    kept.push_back(std::move(fresh));
  }
  current_ = kept.back();
  segments_.publish(std::make_shared<const Segments>(std::move(kept)));
  return write_on(sync_from);
}

Result<> CommitLog::truncate(PhysicalOffset end, PhysicalOffset written_end) {
  Segments kept = *segments_.load();
  {
    MutexLock lock(next_mutex_);
    if (next_) kept.push_back(std::exchange(next_, nullptr));
  }
  RMQ_CHECK(drop_behind(end, kept));
  RMQ_ASSERT(!kept.empty() && kept.back()->base() <= end && end < kept.back()->end());
  current_ = kept.back();
  segments_.publish(std::make_shared<const Segments>(std::move(kept)));
  RMQ_CHECK(wipe(end, std::min(written_end, current_->end())));
  return write_on(end);
}

// Makes current_ the segment that is written to, and syncs what is there from `sync_from` on.
Result<> CommitLog::write_on(PhysicalOffset sync_from) {
  RMQ_CHECK(sync(sync_from, current_->end()));
  RMQ_CHECK(current_->keep_open());
  RMQ_TRY(written_, current_->file());
  // A process that was killed may have made a segment whose name is not on disk yet.
  RMQ_CHECK(directories_.sync());
  MutexLock lock(next_mutex_);
  next_base_ = current_->end();
  return {};
}

Result<> CommitLog::write(std::span<const ByteView> parts, PhysicalOffset at) {
  const std::int64_t from = at - current_->base();
  std::int64_t end = from;
  for (const ByteView part : parts) end += static_cast<std::int64_t>(part.size());
  const bool reaches_new = current_->base() + end > zeros_end_;
  const std::int64_t zeros =
      reaches_new ? std::min(kZerosAhead - end % kZerosAhead, segment_bytes_ - end) : 0;
  if (zeros == 0) return written_->pwritev(parts, from);
  with_zeros_.assign(parts.begin(), parts.end());
  with_zeros_.push_back(ByteView(kZeros).first(static_cast<std::size_t>(zeros)));
  RMQ_CHECK(written_->pwritev(with_zeros_, from));
  zeros_end_ = current_->base() + (end + zeros);
  return {};
}

Result<> CommitLog::go_back_to(PhysicalOffset at) { return write_to(segment_of(at)); }

Result<> CommitLog::write_to(std::shared_ptr<Segment> segment) {
  RMQ_TRY(written_, segment->file());
  current_ = std::move(segment);
  return {};
}

Result<> CommitLog::roll() {
  if (std::shared_ptr<Segment> behind = segment_of(current_->end())) {
    return write_to(std::move(behind));  // made by a turn that failed
  }
  std::shared_ptr<Segment> next;
  {
    MutexLock lock(next_mutex_);
    next = std::move(next_);
    next_ = nullptr;
    if (!next) {
      RMQ_TRY(next, create(current_->end()));
    }
    next_base_ = next->end();
  }
  RMQ_TRY(written_, next->file());
  log::info("store", "segment rolled", kv("file", next->path()));
  MutexLock lock(segments_mutex_);
  Segments segments = *segments_.load();
  segments.push_back(next);
  current_ = std::move(next);
  segments_.publish(std::make_shared<const Segments>(std::move(segments)));
  return {};
}

Result<> CommitLog::begin_at(PhysicalOffset at) {
  MutexLock next_lock(next_mutex_);
  MutexLock lock(segments_mutex_);
  Segments old = *segments_.load();
  if (next_) old.push_back(std::exchange(next_, nullptr));
  segments_.publish(std::make_shared<const Segments>());
  for (auto it = old.rbegin(); it != old.rend(); ++it) {
    RMQ_CHECK(files_.remove((*it)->path()));
    (*it)->close();
  }
  // First, so that a crash leaves no files that do not follow each other.
  RMQ_CHECK(directories_.sync());
  RMQ_TRY(std::shared_ptr<Segment> fresh, create(at));
  RMQ_CHECK(fresh->keep_open());
  next_base_ = fresh->end();
  segments_.publish(std::make_shared<const Segments>(Segments{fresh}));
  return write_to(std::move(fresh));
}

void CommitLog::unmap_before(PhysicalOffset at) {
  const auto segments = segments_.load();
  for (const std::shared_ptr<Segment>& segment : *segments) {
    if (segment->end() > at) return;
    segment->unmap();
  }
}

Result<> CommitLog::drop_first() {
  std::shared_ptr<Segment> first;
  {
    MutexLock lock(segments_mutex_);
    Segments segments = *segments_.load();
    RMQ_ASSERT(segments.size() > 1);
    first = segments.front();
    segments.erase(segments.begin());
    segments_.publish(std::make_shared<const Segments>(std::move(segments)));
  }
  RMQ_CHECK(files_.remove(first->path()));
  first->close();
  return files_.sync_directory(parent_directory(first->path()));
}

Result<> CommitLog::wipe(PhysicalOffset from, PhysicalOffset to) {
  Result<> outcome;
  const auto segments = segments_.load();
  for (const std::shared_ptr<Segment>& segment : *segments) {
    const PhysicalOffset first = std::max(from, segment->base());
    const PhysicalOffset last = std::min(to, segment->end());
    if (first >= last) continue;
    const Result<std::shared_ptr<File>> file = segment->file();
    Result<> wiped = file ? write_zeros(**file, first - segment->base(), last - first)
                          : Result<>(fail(file.error()));
    if (!wiped) outcome = std::move(wiped);
  }
  return outcome;
}

Result<> CommitLog::prepare_next() {
  MutexLock lock(next_mutex_);
  if (next_) return {};
  RMQ_TRY(next_, create(next_base_));
  return {};
}

PhysicalOffset CommitLog::begin() const {
  const auto segments = segments_.load();
  return segments->empty() ? PhysicalOffset{} : segments->front()->base();
}

PhysicalOffset CommitLog::capacity_end() const {
  const auto segments = segments_.load();
  return segments->empty() ? PhysicalOffset{} : segments->back()->end();
}

std::shared_ptr<Segment> CommitLog::segment_of(PhysicalOffset at) const {
  const auto segments = segments_.load();
  if (segments->empty() || at < segments->front()->base()) return nullptr;
  const auto index = static_cast<std::size_t>((at - segments->front()->base()) / segment_bytes_);
  return index < segments->size() ? (*segments)[index] : nullptr;
}

Result<> CommitLog::sync(PhysicalOffset from, PhysicalOffset to) {
  const auto segments = segments_.load();
  for (const std::shared_ptr<Segment>& segment : *segments) {
    if (segment->end() <= from || segment->base() >= to) continue;
    RMQ_TRY(const std::shared_ptr<File> file, segment->file());
    RMQ_CHECK(file->sync_data());
    if (segment->end() <= to) segment->all_on_disk();
  }
  return {};
}

}  // namespace rmq::storage
