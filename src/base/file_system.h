// File and FileSystem: every file that rmq keeps is opened, written and synced through these two
// interfaces, so that tests can make any of it fail. FileSystem::posix() is the real one.
//
// Writes are complete or an error; a short write is continued. Errors carry errno
// (std::generic_category) and the path. After a failed sync_data() the file's state on disk is
// unknown: never sync again and believe it.
// Threads: a File's calls may overlap; a FileSystem is for any thread.
// Crash: what was written before a sync_data() that returned is on disk; a name is on disk after
// sync_directory() of its directory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace rmq {

// Part of a file, mapped read-only for as long as the Mapping lives; unlinking the file does not
// matter. Reading a page beyond the file's end raises SIGBUS: do not shrink a mapped file.
class Mapping {
 public:
  virtual ~Mapping() = default;
  ByteView bytes() const { return bytes_; }

 protected:
  explicit Mapping(ByteView bytes) : bytes_(bytes) {}

 private:
  ByteView bytes_;
};

enum class ZeroSpace { Freed, Kept };

class File {
 public:
  virtual ~File() = default;

  // Reads until `into` is full or the file ends; the number of bytes read.
  virtual Result<std::size_t> pread(MutableByteView into, std::int64_t at) = 0;
  // Likewise, but only what is in the page cache: fewer bytes when the rest is not, and none where
  // the file system cannot tell. Never waits for the device.
  virtual Result<std::size_t> pread_cached(MutableByteView into, std::int64_t at) = 0;
  virtual Result<> pwrite(ByteView bytes, std::int64_t at) = 0;
  // Writes the parts one behind the other, from `at` on; any number of them. One system call as
  // long as the kernel takes it.
  virtual Result<> pwritev(std::span<const ByteView> parts, std::int64_t at) = 0;

  // Makes the first `bytes` bytes of the file exist on the device, so that a full disk is an error
  // here and not in a later write. Grows the file, never shrinks it.
  virtual Result<> allocate(std::int64_t bytes) = 0;
  // Sets the length; what is new reads as zeros and takes no space.
  virtual Result<> truncate(std::int64_t bytes) = 0;
  // Zeros within the file's length; where the file system can do that, they take no space any more,
  // or keep what they have.
  virtual Result<> zero_range(std::int64_t from, std::int64_t bytes, ZeroSpace space) = 0;
  // Where the next byte at or after `from` lies that may not be zero; empty when only zeros follow.
  virtual Result<std::optional<std::int64_t>> next_data(std::int64_t from) = 0;

  // fdatasync: the bytes and what is needed to find them, not the name.
  virtual Result<> sync_data() = 0;
  virtual Result<std::int64_t> size() = 0;
  // The first `bytes` bytes, which must exist.
  virtual Result<std::shared_ptr<const Mapping>> map(std::int64_t bytes) = 0;

  // An exclusive lock of byte 0 that other processes (Java's FileChannel.lock too) and other opens
  // in this process see, held until the File goes. Error: EAGAIN or EACCES when another holds it.
  virtual Result<> try_lock() = 0;
};

enum class OpenMode {
  Read,             // must exist
  Write,            // read and write, must exist
  Create,           // read and write, made when missing
  CreateExclusive,  // read and write, EEXIST when it exists
};

enum class SyncParents { No, Yes };

// Of the file system that holds a path. What only root may use counts as neither.
struct DiskSpace {
  std::int64_t used_bytes = 0;
  std::int64_t available_bytes = 0;

  // 0 to 1.
  double used_share() const {
    const auto all = static_cast<double>(used_bytes + available_bytes);
    return all > 0 ? static_cast<double>(used_bytes) / all : 0;
  }
};

// Whether `error` says that the disk, or what this user may have of it, is full.
bool is_disk_full(const Error& error);

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Result<> rename(const std::string& from, const std::string& to) = 0;
  // A file. Error ENOENT when it does not exist.
  virtual Result<> remove(const std::string& path) = 0;
  // The directory and everything in it; fine when it does not exist.
  virtual Result<> remove_all(const std::string& path) = 0;
  // With all missing parents. SyncParents::Yes: every new name is on disk afterwards.
  virtual Result<> make_directories(const std::string& path,
                                    SyncParents sync = SyncParents::Yes) = 0;
  virtual Result<> sync_directory(const std::string& path) = 0;
  // Everything that was written so far, with its names, on the file system that holds `path`: for
  // very many files.
  virtual Result<> sync_everything(const std::string& path) = 0;
  virtual Result<bool> exists(const std::string& path) = 0;
  virtual Result<DiskSpace> space(const std::string& path) = 0;
  // The names in a directory, sorted, without "." and ".."; empty when it does not exist.
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;

  static FileSystem& posix();
};

// The directory part of `path`; "." when it has none.
std::string parent_directory(std::string_view path);

// The whole file. Error ENOENT when it does not exist.
Result<Bytes> read_file(FileSystem& files, const std::string& path);
Result<std::string> read_text_file(FileSystem& files, const std::string& path);

enum class Backup { None, Keep };

// Replaces a file's content so that a reader and a crash see the old or the new one, never a mix:
// `path`.tmp, fsync, rename, fsync of the directory. Backup::Keep leaves the version before at
// `path`.bak, as Java does.
Result<> write_file_atomically(FileSystem& files, const std::string& path, ByteView bytes,
                               Backup backup = Backup::None);

}  // namespace rmq
