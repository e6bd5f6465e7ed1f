#include "storage/diverged_log.h"

#include <algorithm>
#include <ctime>

#include "storage/layout.h"
#include "storage/log_window.h"

namespace rmq::storage {
namespace {

constexpr std::size_t kCopyBytes = 1024 * 1024;

std::string time_text(std::int64_t now_ms) {
  const auto seconds = static_cast<std::time_t>(now_ms / 1000);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  char text[32];
  const std::size_t size = std::strftime(text, sizeof(text), "%Y%m%d%H%M%S", &local);
  const std::string milliseconds = std::to_string(1000 + now_ms % 1000).substr(1);
  return std::string(text, size) + milliseconds;
}

Result<> copy(const CommitLog& log, PhysicalOffset from, PhysicalOffset to, File& target) {
  LogWindow window(log, kCopyBytes);
  for (PhysicalOffset at = from; at < to;) {
    RMQ_TRY(ByteView bytes, window.at(at, 1));
    bytes = bytes.first(std::min(bytes.size(), static_cast<std::size_t>(to - at)));
    RMQ_CHECK(target.pwrite(bytes, at - from));
    at += static_cast<std::int64_t>(bytes.size());
  }
  return target.sync_data();
}

// A name that no file has.
Result<std::string> free_path(FileSystem& files, const std::string& path) {
  std::string candidate = path;
  for (int number = 2;; ++number) {
    RMQ_TRY(const bool taken, files.exists(candidate));
    if (!taken) return candidate;
    candidate = path + "." + std::to_string(number);
  }
}

}  // namespace

Result<std::string> keep_diverged(FileSystem& files, const CommitLog& log,
                                  const std::string& directory, PhysicalOffset from,
                                  PhysicalOffset to, std::int64_t now_ms) {
  RMQ_CHECK(files.make_directories(directory));
  RMQ_TRY(const std::string path,
          free_path(files, directory + "/" + position_file_name(from.value) + "-" +
                               position_file_name(to.value) + "-" + time_text(now_ms)));
  const std::string part = path + ".part";
  const auto write = [&]() -> Result<> {
    // One that a crash has left is of no use.
    RMQ_TRY(const std::unique_ptr<File> file, files.open(part, OpenMode::Create));
    RMQ_CHECK(file->truncate(0));
    RMQ_CHECK(copy(log, from, to, *file));
    RMQ_CHECK(files.rename(part, path));
    return files.sync_directory(directory);
  };
  if (Result<> written = write(); !written) {
    (void)files.remove(part);
    return fail(written.error());
  }
  return path;
}

}  // namespace rmq::storage
