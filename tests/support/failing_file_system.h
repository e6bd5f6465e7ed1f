// FailingFileSystem: the real one, but the n-th call of a kind fails, and perhaps all after it; and
// it says what is in the page cache.
// Threads: any.
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/file_system.h"
#include "base/mutex.h"

namespace rmq::test {

enum class FileCall { Read, Write, Sync, Allocate, kCount };

class FailingFileSystem final : public FileSystem {
 public:
  explicit FailingFileSystem(FileSystem& real = FileSystem::posix()) : real_(real) {}

  // The call number `nth` (1 is the next) of this kind to a file whose path contains `in` fails
  // with `error`; so do `count - 1` calls after it.
  void plan(FileCall call, std::int64_t nth, std::errc error, std::string in = "",
            std::int64_t count = std::numeric_limits<std::int32_t>::max()) {
    MutexLock lock(mutex_);
    in_ = std::move(in);
    error_ = error;
    Plan& plan = plans_[static_cast<std::size_t>(call)];
    plan.first = plan.seen + nth;
    plan.last = plan.first + count - 1;
  }
  // Files whose path contains `in` are not in the page cache; all others are, and all are before
  // the first call.
  void evict(std::string in) {
    MutexLock lock(mutex_);
    evicted_ = std::move(in);
  }
  // `hook` runs before every read that may wait. Set before files are read.
  void before_read(std::function<void(const std::string& path)> hook) {
    before_read_ = std::move(hook);
  }
  // Likewise, before every sync_data().
  void before_sync(std::function<void(const std::string& path)> hook) {
    before_sync_ = std::move(hook);
  }
  // Calls of this kind since the first plan, to files it is about.
  std::int64_t calls(FileCall call) const {
    MutexLock lock(mutex_);
    return plans_[static_cast<std::size_t>(call)].seen;
  }
  // How often somebody wanted to know.
  std::int64_t space_asked() const {
    MutexLock lock(mutex_);
    return space_asked_;
  }
  // What the disk is said to have; nothing: what it has. Of `path` alone, or of all others.
  void set_space(std::optional<DiskSpace> space, const std::string& path = "") {
    MutexLock lock(mutex_);
    spaces_[path] = space;
  }
  std::int64_t failures() const {
    MutexLock lock(mutex_);
    return failures_;
  }

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    RMQ_TRY(std::unique_ptr<File> file, real_.open(path, mode));
    return std::unique_ptr<File>(std::make_unique<FailingFile>(*this, std::move(file), path));
  }
  Result<> rename(const std::string& from, const std::string& to) override {
    return real_.rename(from, to);
  }
  Result<> remove(const std::string& path) override { return real_.remove(path); }
  Result<> remove_all(const std::string& path) override { return real_.remove_all(path); }
  Result<> make_directories(const std::string& path, SyncParents sync) override {
    return real_.make_directories(path, sync);
  }
  Result<> sync_directory(const std::string& path) override { return real_.sync_directory(path); }
  Result<> sync_everything(const std::string& path) override {
    RMQ_CHECK(count(FileCall::Sync, path));
    return real_.sync_everything(path);
  }
  Result<bool> exists(const std::string& path) override { return real_.exists(path); }
  Result<DiskSpace> space(const std::string& path) override {
    MutexLock lock(mutex_);
    ++space_asked_;
    const auto own = spaces_.find(path);
    const auto& space = own != spaces_.end() ? own->second : spaces_[""];
    if (space) return *space;
    return real_.space(path);
  }
  Result<std::vector<std::string>> list(const std::string& path) override {
    return real_.list(path);
  }

 private:
  struct Plan {
    std::int64_t seen = 0;
    std::int64_t first = std::numeric_limits<std::int64_t>::max();
    std::int64_t last = 0;
  };

  class FailingFile final : public File {
   public:
    FailingFile(FailingFileSystem& owner, std::unique_ptr<File> real, std::string path)
        : owner_(owner), real_(std::move(real)), path_(std::move(path)) {}

    Result<std::size_t> pread(MutableByteView into, std::int64_t at) override {
      if (owner_.before_read_) owner_.before_read_(path_);
      RMQ_CHECK(owner_.count(FileCall::Read, path_));
      return real_->pread(into, at);
    }
    Result<std::size_t> pread_cached(MutableByteView into, std::int64_t at) override {
      if (owner_.is_evicted(path_)) return std::size_t{0};
      return real_->pread(into, at);
    }
    Result<> pwrite(ByteView bytes, std::int64_t at) override {
      RMQ_CHECK(owner_.count(FileCall::Write, path_));
      return real_->pwrite(bytes, at);
    }
    Result<> pwritev(std::span<const ByteView> parts, std::int64_t at) override {
      const Result<> allowed = owner_.count(FileCall::Write, path_);
      if (allowed) return real_->pwritev(parts, at);
      // As a full disk does it: some of it is there already.
      RMQ_CHECK(real_->pwritev(parts.first(1), at));
      return allowed;
    }
    Result<> allocate(std::int64_t bytes) override {
      RMQ_CHECK(owner_.count(FileCall::Allocate, path_));
      return real_->allocate(bytes);
    }
    Result<> truncate(std::int64_t bytes) override { return real_->truncate(bytes); }
    Result<> zero_range(std::int64_t from, std::int64_t bytes, ZeroSpace space) override {
      return real_->zero_range(from, bytes, space);
    }
    Result<std::optional<std::int64_t>> next_data(std::int64_t from) override {
      return real_->next_data(from);
    }
    Result<> sync_data() override {
      if (owner_.before_sync_) owner_.before_sync_(path_);
      RMQ_CHECK(owner_.count(FileCall::Sync, path_));
      return real_->sync_data();
    }
    Result<std::int64_t> size() override { return real_->size(); }
    Result<std::shared_ptr<const Mapping>> map(std::int64_t bytes) override {
      return real_->map(bytes);
    }
    Result<> try_lock() override { return real_->try_lock(); }

   private:
    FailingFileSystem& owner_;
    std::unique_ptr<File> real_;
    std::string path_;
  };

  bool is_evicted(const std::string& path) const {
    MutexLock lock(mutex_);
    return evicted_ && path.find(*evicted_) != std::string::npos;
  }
  Result<> count(FileCall call, const std::string& path) {
    MutexLock lock(mutex_);
    if (path.find(in_) == std::string::npos) return {};
    Plan& plan = plans_[static_cast<std::size_t>(call)];
    const std::int64_t number = ++plan.seen;
    if (number < plan.first || number > plan.last) return {};
    ++failures_;
    return fail(std::make_error_code(error_), "planned: " + path);
  }

  FileSystem& real_;
  std::function<void(const std::string& path)> before_read_;
  std::function<void(const std::string& path)> before_sync_;
  mutable Mutex mutex_;
  std::string in_ RMQ_GUARDED_BY(mutex_);
  std::optional<std::string> evicted_ RMQ_GUARDED_BY(mutex_);
  std::int64_t space_asked_ RMQ_GUARDED_BY(mutex_) = 0;
  std::map<std::string, std::optional<DiskSpace>> spaces_ RMQ_GUARDED_BY(mutex_);
  std::errc error_ RMQ_GUARDED_BY(mutex_){};
  Plan plans_[static_cast<std::size_t>(FileCall::kCount)] RMQ_GUARDED_BY(mutex_);
  std::int64_t failures_ RMQ_GUARDED_BY(mutex_) = 0;
};

}  // namespace rmq::test
