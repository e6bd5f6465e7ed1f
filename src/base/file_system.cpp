#include "base/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

namespace rmq {
namespace {

constexpr mode_t kFileMode = 0644;
constexpr mode_t kDirectoryMode = 0755;
// Parts handed to the kernel at once; IOV_MAX is 1024.
constexpr std::size_t kPartsPerCall = 256;
constexpr std::size_t kZerosPerWrite = 64 * 1024;

class PosixMapping final : public Mapping {
 public:
  PosixMapping(void* at, std::size_t bytes)
      : Mapping(ByteView(static_cast<const std::byte*>(at), bytes)), at_(at), size_(bytes) {}
  ~PosixMapping() override { ::munmap(at_, size_); }
  PosixMapping(const PosixMapping&) = delete;
  PosixMapping& operator=(const PosixMapping&) = delete;

 private:
  void* at_;
  std::size_t size_;
};

class PosixFile final : public File {
 public:
  PosixFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~PosixFile() override { ::close(fd_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  Result<std::size_t> pread(MutableByteView into, std::int64_t at) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t got = ::pread(fd_, into.data() + done, into.size() - done,
                                  at + static_cast<std::int64_t>(done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno("read " + path_);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  Result<std::size_t> pread_cached(MutableByteView into, std::int64_t at) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const iovec rest{into.data() + done, into.size() - done};
      const ssize_t got =
          ::preadv2(fd_, &rest, 1, at + static_cast<std::int64_t>(done), RWF_NOWAIT);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && (errno == EAGAIN || errno == EOPNOTSUPP)) break;
      if (got < 0) return fail_errno("read " + path_);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  Result<> pwrite(ByteView bytes, std::int64_t at) override {
    while (!bytes.empty()) {
      const ssize_t put = ::pwrite(fd_, bytes.data(), bytes.size(), at);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return fail_errno("write " + path_);
      bytes = bytes.subspan(static_cast<std::size_t>(put));
      at += put;
    }
    return {};
  }

  Result<> pwritev(std::span<const ByteView> parts, std::int64_t at) override {
    std::array<iovec, kPartsPerCall> vector;
    while (!parts.empty()) {
      const std::size_t count = std::min(parts.size(), kPartsPerCall);
      std::size_t total = 0;
      for (std::size_t i = 0; i < count; ++i) {
        // The kernel only reads; iovec has no const.
        vector[i] = {const_cast<std::byte*>(parts[i].data()), parts[i].size()};
        total += parts[i].size();
      }
      const ssize_t put = ::pwritev(fd_, vector.data(), static_cast<int>(count), at);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return fail_errno("write " + path_);
      if (static_cast<std::size_t>(put) < total) {
        RMQ_CHECK(write_rest(parts.first(count), static_cast<std::size_t>(put), at));
      }
      at += static_cast<std::int64_t>(total);
      parts = parts.subspan(count);
    }
    return {};
  }

  Result<> allocate(std::int64_t bytes) override {
    int error = 0;
    do {
      error = ::fallocate(fd_, 0, 0, bytes) == 0 ? 0 : errno;
    } while (error == EINTR);
    // posix_fallocate writes zeros where the file system cannot allocate.
    if (error == EOPNOTSUPP) error = ::posix_fallocate(fd_, 0, bytes);
    if (error != 0) return fail({error, std::generic_category()}, "allocate " + path_);
    return {};
  }

  Result<> truncate(std::int64_t bytes) override {
    if (::ftruncate(fd_, bytes) != 0) return fail_errno("truncate " + path_);
    return {};
  }

  Result<> zero_range(std::int64_t from, std::int64_t bytes, ZeroSpace space) override {
    if (bytes <= 0) return {};
    // To give a gigabyte back and take it again costs 75 ms where the free space is in pieces.
    const int keep = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
    if (space == ZeroSpace::Kept && ::fallocate(fd_, keep, from, bytes) == 0) return {};
    const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    if (::fallocate(fd_, mode, from, bytes) == 0) return {};
    if (errno != EOPNOTSUPP && errno != EINTR) return fail_errno("zero " + path_);
    const Bytes zeros(kZerosPerWrite);
    while (bytes > 0) {
      const auto part = std::min<std::int64_t>(bytes, static_cast<std::int64_t>(zeros.size()));
      RMQ_CHECK(pwrite(ByteView(zeros).first(static_cast<std::size_t>(part)), from));
      from += part;
      bytes -= part;
    }
    return {};
  }

  Result<std::optional<std::int64_t>> next_data(std::int64_t from) override {
    const off_t at = ::lseek(fd_, from, SEEK_DATA);
    if (at >= 0) return std::optional<std::int64_t>(at);
    if (errno == ENXIO) return std::optional<std::int64_t>();
    if (errno == EINVAL) return std::optional<std::int64_t>(from);  // cannot tell
    return fail_errno("seek " + path_);
  }

  Result<> sync_data() override {
    if (::fdatasync(fd_) != 0) return fail_errno("sync " + path_);
    return {};
  }

  Result<std::int64_t> size() override {
    struct stat info {};
    if (::fstat(fd_, &info) != 0) return fail_errno("stat " + path_);
    return static_cast<std::int64_t>(info.st_size);
  }

  Result<std::shared_ptr<const Mapping>> map(std::int64_t bytes) override {
    const auto size = static_cast<std::size_t>(bytes);
    void* at = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd_, 0);
    if (at == MAP_FAILED) return fail_errno("map " + path_);
    return std::shared_ptr<const Mapping>(std::make_shared<PosixMapping>(at, size));
  }

  Result<> try_lock() override {
    // A lock of the open file, not of the process: closing another descriptor of the same file does
    // not drop it. It conflicts with the process locks that Java takes.
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_start = 0;
    range.l_len = 1;
    if (::fcntl(fd_, F_OFD_SETLK, &range) != 0) return fail_errno("lock " + path_);
    return {};
  }

 private:
  // The rest of `parts` after the first `done` bytes; `at` is where the first part begins.
  Result<> write_rest(std::span<const ByteView> parts, std::size_t done, std::int64_t at) {
    for (const ByteView part : parts) {
      const std::size_t skip = std::min(done, part.size());
      RMQ_CHECK(pwrite(part.subspan(skip), at + static_cast<std::int64_t>(skip)));
      done -= skip;
      at += static_cast<std::int64_t>(part.size());
    }
    return {};
  }

  int fd_;
  std::string path_;
};

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    int flags = O_CLOEXEC;
    switch (mode) {
      case OpenMode::Read:
        flags |= O_RDONLY;
        break;
      case OpenMode::Write:
        flags |= O_RDWR;
        break;
      case OpenMode::Create:
        flags |= O_RDWR | O_CREAT;
        break;
      case OpenMode::CreateExclusive:
        flags |= O_RDWR | O_CREAT | O_EXCL;
        break;
    }
    const int fd = ::open(path.c_str(), flags, kFileMode);
    if (fd < 0) return fail_errno("open " + path);
    return std::unique_ptr<File>(std::make_unique<PosixFile>(fd, path));
  }

  Result<> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return fail_errno("rename " + from);
    return {};
  }

  Result<> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return fail_errno("remove " + path);
    return {};
  }

  Result<> remove_all(const std::string& path) override {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) return fail(error, "remove " + path);
    return {};
  }

  Result<> make_directories(const std::string& path, SyncParents sync) override {
    if (::mkdir(path.c_str(), kDirectoryMode) != 0) {
      if (errno == EEXIST) return {};
      if (errno != ENOENT) return fail_errno("make directory " + path);
      RMQ_CHECK(make_directories(parent_directory(path), sync));
      if (::mkdir(path.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
        return fail_errno("make directory " + path);
      }
    }
    if (sync == SyncParents::No) return {};
    return sync_directory(parent_directory(path));
  }

  Result<> sync_directory(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return fail_errno("open " + path);
    const int failed = ::fsync(fd);
    const int error = errno;
    ::close(fd);
    if (failed != 0) return fail({error, std::generic_category()}, "sync " + path);
    return {};
  }
  Result<> sync_everything(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return fail_errno("open " + path);
    const int failed = ::syncfs(fd);
    const int error = errno;
    ::close(fd);
    if (failed != 0) return fail({error, std::generic_category()}, "sync all of " + path);
    return {};
  }

  Result<DiskSpace> space(const std::string& path) override {
    struct statvfs disk {};
    if (::statvfs(path.c_str(), &disk) != 0) return fail_errno("statvfs " + path);
    const auto bytes = [&disk](fsblkcnt_t blocks) {
      return static_cast<std::int64_t>(blocks) * static_cast<std::int64_t>(disk.f_frsize);
    };
    return DiskSpace{bytes(disk.f_blocks - disk.f_bfree), bytes(disk.f_bavail)};
  }

  Result<bool> exists(const std::string& path) override {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return fail_errno("stat " + path);
  }

  Result<std::vector<std::string>> list(const std::string& path) override {
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr && errno == ENOENT) return std::vector<std::string>();
    if (directory == nullptr) return fail_errno("list " + path);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(directory)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    const int error = errno;
    ::closedir(directory);
    if (error != 0) return fail({error, std::generic_category()}, "list " + path);
    std::sort(names.begin(), names.end());
    return names;
  }
};

}  // namespace

FileSystem& FileSystem::posix() {
  static PosixFileSystem files;
  return files;
}

bool is_disk_full(const Error& error) {
  const auto is = [&error](int number) {
    return error.code == std::error_code(number, std::generic_category());
  };
  return is(ENOSPC) || is(EDQUOT);
}

std::string parent_directory(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, std::max<std::size_t>(slash, 1)));
}

Result<Bytes> read_file(FileSystem& files, const std::string& path) {
  RMQ_TRY(const std::unique_ptr<File> file, files.open(path, OpenMode::Read));
  RMQ_TRY(const std::int64_t size, file->size());
  Bytes bytes(static_cast<std::size_t>(size));
  RMQ_TRY(const std::size_t got, file->pread(bytes, 0));
  bytes.resize(got);
  return bytes;
}

Result<std::string> read_text_file(FileSystem& files, const std::string& path) {
  RMQ_TRY(const Bytes bytes, read_file(files, path));
  return std::string(as_text(bytes));
}

Result<> write_file_atomically(FileSystem& files, const std::string& path, ByteView bytes,
                               Backup backup) {
  const std::string temporary = path + ".tmp";
  {
    RMQ_TRY(const std::unique_ptr<File> file, files.open(temporary, OpenMode::Create));
    RMQ_CHECK(file->truncate(0));
    RMQ_CHECK(file->pwrite(bytes, 0));
    RMQ_CHECK(file->sync_data());
  }
  if (backup == Backup::Keep) {
    // The old version is copied, not moved: there is no moment without a file at `path`.
    const Result<Bytes> previous = read_file(files, path);
    if (previous) {
      RMQ_CHECK(write_file_atomically(files, path + ".bak", *previous));
    } else if (previous.error().code != std::errc::no_such_file_or_directory) {
      return fail(previous.error());
    }
  }
  RMQ_CHECK(files.rename(temporary, path));
  return files.sync_directory(parent_directory(path));
}

}  // namespace rmq
