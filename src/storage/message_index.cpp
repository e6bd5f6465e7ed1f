#include "storage/message_index.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "base/log.h"
#include "storage/store_errc.h"

namespace rmq::storage {
namespace {

// So many keys before one is put its slot is fetched.
constexpr std::size_t kAhead = 8;
constexpr std::size_t kNameDigits = 17;

// yyyyMMddHHmmssSSS in local time.
std::int64_t name_at(std::int64_t now_ms) {
  const auto seconds = static_cast<std::time_t>(now_ms / 1000);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  const std::int64_t day =
      (local.tm_year + 1900LL) * 10'000 + (local.tm_mon + 1LL) * 100 + local.tm_mday;
  const std::int64_t time = local.tm_hour * 10'000LL + local.tm_min * 100LL + local.tm_sec;
  return (day * 1'000'000 + time) * 1000 + now_ms % 1000;
}

// Nothing for what is not the name of an index file.
std::optional<std::int64_t> parse_name(std::string_view text) {
  std::int64_t name = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, name);
  if (text.size() != kNameDigits || error != std::errc() || stop != end || name <= 0) {
    return std::nullopt;
  }
  return name;
}

}  // namespace

MessageIndex::MessageIndex(FileSystem& files, std::string directory, const IndexShape& shape,
                           Clock& clock, std::chrono::milliseconds sync_interval)
    : files_(files),
      directory_(std::move(directory)),
      shape_(shape),
      clock_(clock),
      sync_interval_(sync_interval) {}

std::string MessageIndex::path_of(std::int64_t name) const {
  const std::string digits = std::to_string(name);
  return directory_ + "/" + std::string(kNameDigits - std::min(kNameDigits, digits.size()), '0') +
         digits;
}

// Leaves every file in closed_, up to the first that is damaged; that and those behind it are gone.
Result<> MessageIndex::load() {
  RMQ_TRY(const std::vector<std::string> found, files_.list(directory_));
  MutexLock lock(mutex_);
  closed_.clear();
  current_.reset();
  current_name_ = 0;
  unsynced_.clear();
  std::optional<Error> damage;
  for (const std::string& text : found) {
    const std::optional<std::int64_t> name = parse_name(text);
    if (!name) {
      log::warn("store", "no index file, left alone", kv("file", directory_ + "/" + text));
      continue;
    }
    if (!damage) {
      const Result<std::shared_ptr<IndexFile>> file =
          IndexFile::open(files_, path_of(*name), shape_);
      if (file) {
        const IndexHeader& header = (*file)->header();
        const bool follows =
            closed_.empty() || closed_.back().header.end_physical <= header.begin_physical;
        if (follows) {
          closed_.push_back({*name, header});
          continue;
        }
        damage = Error{make_error_code(StoreErrc::Corrupt), path_of(*name) + ": out of order"};
      } else if (file.error().code != StoreErrc::Corrupt) {
        return fail(file.error());
      } else {
        damage = file.error();
      }
      log::warn("store", "index file damaged, built again", kv("error", damage->message()));
    }
    RMQ_CHECK(files_.remove(path_of(*name)));
  }
  return {};
}

// closed_[first] and those behind it; the newest goes first, so that a crash leaves no gap.
Result<> MessageIndex::drop_from(std::size_t first) {
  MutexLock lock(mutex_);
  while (closed_.size() > first) {
    RMQ_CHECK(files_.remove(path_of(closed_.back().name)));
    closed_.pop_back();
  }
  return {};
}

Result<> MessageIndex::drop_expired(PhysicalOffset log_begin) {
  MutexLock lock(mutex_);
  while (closed_.size() + (current_ ? 1 : 0) > 1 &&
         closed_.front().header.end_physical < log_begin) {
    const std::string path = path_of(closed_.front().name);
    closed_.erase(closed_.begin());
    RMQ_CHECK(files_.remove(path));
  }
  return {};
}

Result<> MessageIndex::open(const IndexSituation& situation) {
  RMQ_CHECK(load());
  RMQ_CHECK(drop_expired(situation.log_begin));
  const auto& mark = situation.mark;
  const auto beyond = [&](const Closed& file) {
    // Made after the mark, or for records that the log has lost.
    return (mark && file.name > mark->file) ||
           (file.header.entry_count > 1 && file.header.begin_physical >= situation.log_end);
  };
  std::size_t kept = 0;
  {
    MutexLock lock(mutex_);
    kept = closed_.size();
    while (kept > 0 && beyond(closed_[kept - 1])) --kept;
  }
  RMQ_CHECK(drop_from(kept));
  RMQ_CHECK(take_last(situation));
  MutexLock lock(mutex_);
  position_ = std::clamp(position_, situation.log_begin, situation.log_end);
  // What was found is on disk; a note may speak of it before the next sync.
  synced_ = IndexMark{current_name_, current_ ? current_->header() : IndexHeader{}, position_};
  new_names_ = true;
  synced_at_ = clock_.steady_now();
  return {};
}

// Makes the last of closed_ the current file and finds the position.
Result<> MessageIndex::take_last(const IndexSituation& situation) {
  const bool marked = situation.mark.has_value();
  for (bool first = true;; first = false) {
    std::optional<Closed> last;
    {
      MutexLock lock(mutex_);
      if (!closed_.empty()) last = closed_.back();
    }
    const bool as_marked = marked && (last ? last->name : 0) == situation.mark->file;
    if (!last) {
      MutexLock lock(mutex_);
      position_ = as_marked && first ? situation.mark->position : situation.log_begin;
      return {};
    }
    // A file before the one that is gone is full and was synced when it was.
    const bool trusted = first && situation.clean && (!marked || as_marked);
    RMQ_TRY(std::shared_ptr<IndexFile> file, IndexFile::open(files_, path_of(last->name), shape_));
    bool sound = trusted && file->header().end_physical < situation.log_end &&
                 (!marked || file->header() == situation.mark->header);
    if (!sound) {
      RMQ_TRY(sound, file->restore(as_marked ? situation.mark->header : file->header(),
                                   situation.log_end));
      if (sound) {
        log::info("store", "index file checked", kv("file", file->path()));
        RMQ_CHECK(file->write_table());
        RMQ_CHECK(file->file()->sync_data());
      }
    }
    if (!sound) {
      log::warn("store", "index file damaged, built again", kv("file", file->path()));
      std::size_t behind = 0;
      {
        MutexLock lock(mutex_);
        behind = closed_.size() - 1;
      }
      RMQ_CHECK(drop_from(behind));
      continue;
    }
    file->release();
    MutexLock lock(mutex_);
    // Without a mark the last record is taken again: all its keys may not be there.
    position_ = as_marked && file->header() == situation.mark->header ? situation.mark->position
                                                                      : file->header().end_physical;
    current_name_ = last->name;
    current_ = std::move(file);
    closed_.pop_back();
    return {};
  }
}

Result<> MessageIndex::reset(PhysicalOffset position) {
  {
    MutexLock lock(mutex_);
    if (current_) closed_.push_back({current_name_, current_->header()});
    current_.reset();
    unsynced_.clear();
    current_name_ = 0;
    position_ = position;
    synced_ = IndexMark{0, IndexHeader{}, position};
  }
  return drop_from(0);
}

PhysicalOffset MessageIndex::position() const {
  MutexLock lock(mutex_);
  return position_;
}

// Names grow, also when the clock goes back or winter time begins.
std::int64_t MessageIndex::next_name() const {
  const std::int64_t last = current_ ? current_name_ : (closed_.empty() ? 0 : closed_.back().name);
  return std::max(last + 1, name_at(clock_.now_ms()));
}

Result<> MessageIndex::roll() {
  const std::int64_t name = next_name();
  IndexHeader before;
  if (current_) {
    RMQ_CHECK(current_->write_table());
    before = current_->header();
  } else {
    RMQ_CHECK(files_.make_directories(directory_));
    if (!closed_.empty()) before = closed_.back().header;
  }
  RMQ_TRY(std::shared_ptr<IndexFile> fresh,
          IndexFile::create(files_, path_of(name), shape_, before));
  if (current_) {
    unsynced_.push_back(current_->file());
    closed_.push_back({current_name_, before});
  }
  current_ = std::move(fresh);
  current_name_ = name;
  new_names_ = true;
  log::info("store", "new index file", kv("file", current_->path()));
  return {};
}

Result<> MessageIndex::add(std::span<const IndexKey> keys, PhysicalOffset position) {
  MutexLock lock(mutex_);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    // Slots are anywhere in a table that no cache of the processor holds.
    if (current_ && i + kAhead < keys.size()) current_->prefetch(keys[i + kAhead]);
    const IndexKey& key = keys[i];
    if (!current_ || current_->full()) {
      if (current_) RMQ_CHECK(current_->write_entries());
      // All keys of earlier records are written, also when this fails.
      position_ = std::max(position_, key.physical);
      RMQ_CHECK(roll());
    }
    RMQ_CHECK(current_->put(key));
  }
  if (!keys.empty()) RMQ_CHECK(current_->write_entries());
  position_ = position;
  return {};
}

Result<IndexMark> MessageIndex::sync(Force force) {
  const SteadyTime now = clock_.steady_now();
  std::vector<std::shared_ptr<File>> unsynced;
  bool new_names = false;
  IndexMark mark;
  {
    MutexLock lock(mutex_);
    const bool early = unsynced_.empty() && now - synced_at_ < sync_interval_;
    if (force == Force::No && early) return synced_;
    mark.position = position_;
    if (current_) {
      if (Result<> written = current_->write_table(); !written) {
        if (!is_disk_full(written.error())) return fail(written.error());
        if (force == Force::Yes) return fail(StoreErrc::DiskFull, written.error().message());
        return synced_;  // the table is in memory still
      }
    }
    unsynced.swap(unsynced_);
    std::swap(new_names, new_names_);
    if (current_) {
      // Nothing came since: the memory is better used elsewhere.
      if (position_ == synced_.position) current_->release();
      mark.file = current_name_;
      mark.header = current_->header();
      if (mark.header != synced_.header) unsynced.push_back(current_->file());
    }
  }
  for (const std::shared_ptr<File>& file : unsynced) RMQ_CHECK(file->sync_data());
  RMQ_TRY(const bool exists, files_.exists(directory_));
  if (new_names && exists) {
    RMQ_CHECK(files_.sync_directory(directory_));
    RMQ_CHECK(files_.sync_directory(parent_directory(directory_)));
  }
  synced_ = mark;
  synced_at_ = now;
  return mark;
}

Result<> MessageIndex::find(const IndexSearch& search) const {
  std::vector<Closed> closed;
  std::shared_ptr<File> file;
  IndexHeader header;
  std::int32_t newest = 0;
  {
    MutexLock lock(mutex_);
    closed = closed_;
    if (current_) {
      file = current_->file();
      header = current_->header();
      RMQ_TRY(newest, current_->newest(search.hash));
    }
  }
  if (file) {
    RMQ_TRY(const bool more, walk_chain(*file, shape_, header, newest, search));
    if (!more || header.begin_timestamp_ms < search.begin_ms) return {};
  }
  for (auto it = closed.rbegin(); it != closed.rend(); ++it) {
    const bool in_time = it->header.begin_timestamp_ms <= search.end_ms &&
                         it->header.end_timestamp_ms >= search.begin_ms;
    if (in_time) {
      const auto old = files_.open(path_of(it->name), OpenMode::Read);
      // Expired meanwhile, and so are all before it.
      if (!old && old.error().code == std::errc::no_such_file_or_directory) return {};
      if (!old) return fail(old.error());
      RMQ_TRY(const std::int32_t first, newest_in_slot(**old, shape_, search.hash));
      RMQ_TRY(const bool more, walk_chain(**old, shape_, it->header, first, search));
      if (!more) return {};
    }
    if (it->header.begin_timestamp_ms < search.begin_ms) return {};
  }
  return {};
}

MessageIndex::Last MessageIndex::last() const {
  MutexLock lock(mutex_);
  const IndexHeader* header = nullptr;
  if (current_) {
    header = &current_->header();
  } else if (!closed_.empty()) {
    header = &closed_.back().header;
  }
  return header == nullptr ? Last{} : Last{header->end_timestamp_ms, header->end_physical};
}

}  // namespace rmq::storage
