#include "storage/log_directories.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/log.h"
#include "storage/layout.h"
#include "storage/store_errc.h"

namespace rmq::storage {
namespace {

bool contains(const std::vector<std::string>& list, const std::string& one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}

void sort_each_once(std::vector<std::string>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

}  // namespace

LogDirectories::LogDirectories(FileSystem& files, std::vector<std::string> directories,
                               const std::vector<std::string>& read_only)
    : files_(files), all_(std::move(directories)) {
  sort_each_once(all_);
  for (const std::string& directory : all_) {
    if (!contains(read_only, directory)) writable_.push_back(directory);
  }
  all_.insert(all_.end(), read_only.begin(), read_only.end());
  sort_each_once(all_);
  open_ = writable_;
}

Result<> LogDirectories::check() const {
  if (!writable_.empty()) return {};
  return fail(std::make_error_code(std::errc::invalid_argument),
              "every directory of the commit log is read-only (readOnlyCommitLogStorePaths), give "
              "storePathCommitLog another one: " +
                  text());
}

std::string LogDirectories::text() const {
  std::string joined;
  for (const std::string& directory : all_) joined += (joined.empty() ? "" : ",") + directory;
  return joined;
}

std::vector<std::string> LogDirectories::choose(std::int64_t number) const {
  RMQ_ASSERT(!writable_.empty());
  MutexLock lock(mutex_);
  std::vector<std::string> chosen = open_.empty() ? writable_ : open_;
  const auto first = static_cast<std::size_t>(number) % chosen.size();
  std::rotate(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(first), chosen.end());
  for (const std::string& directory : writable_) {
    if (!contains(chosen, directory)) chosen.push_back(directory);
  }
  return chosen;
}

void LogDirectories::set_full(const std::vector<std::string>& full) {
  MutexLock lock(mutex_);
  open_ = writable_;
  std::erase_if(open_, [&full](const std::string& one) { return contains(full, one); });
}

Result<std::vector<LogDirectories::Found>> LogDirectories::list() {
  std::vector<Found> found;
  for (const std::string& directory : all_) {
    RMQ_TRY(const std::vector<std::string> names, files_.list(directory));
    for (const std::string& name : names) {
      if (name == kLostAndFound) continue;
      RMQ_TRY(const std::int64_t position, parse_position_file_name(directory, name));
      found.push_back({directory, name, position});
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Found& a, const Found& b) { return a.position < b.position; });
  std::vector<Found> unique;
  for (Found& file : found) {
    if (unique.empty() || unique.back().position != file.position) {
      unique.push_back(std::move(file));
      continue;
    }
    Found& other = unique.back();
    RMQ_TRY(const bool surplus, holds_nothing(file));
    RMQ_TRY(const bool other_surplus, holds_nothing(other));
    if (!surplus && !other_surplus) {
      return fail(StoreErrc::WrongFileName,
                  other.path() + " and " + file.path() +
                      " are both called the same part of the commit log; move the one that does "
                      "not belong to it elsewhere");
    }
    if (!surplus) std::swap(file, other);
    log::warn("store", "empty segment removed, another directory has it", kv("file", file.path()));
    RMQ_CHECK(files_.remove(file.path()));
  }
  return unique;
}

// A segment begins with a record.
Result<bool> LogDirectories::holds_nothing(const Found& file) {
  RMQ_TRY(const std::unique_ptr<File> opened, files_.open(file.path(), OpenMode::Read));
  std::array<std::byte, 8> head{};
  RMQ_TRY([[maybe_unused]] const std::size_t got, opened->pread(head, 0));
  return std::ranges::all_of(head, [](std::byte b) { return b == std::byte{0}; });
}

Result<> LogDirectories::make() {
  for (const std::string& directory : writable_) RMQ_CHECK(files_.make_directories(directory));
  return {};
}

Result<> LogDirectories::sync() {
  for (const std::string& directory : all_) {
    RMQ_TRY(const bool exists, files_.exists(directory));
    if (exists) RMQ_CHECK(files_.sync_directory(directory));
  }
  return {};
}

}  // namespace rmq::storage
