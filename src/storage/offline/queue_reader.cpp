#include "storage/offline/queue_reader.h"

#include <algorithm>

namespace rmq::storage::offline {
namespace {

constexpr std::int64_t kUnit = static_cast<std::int64_t>(kEntryBytes);
constexpr std::size_t kScanBytes = 64 * 1024;

}  // namespace

Result<> QueueReader::find_bounds() {
  if (queue_.files.empty()) return {};
  begin_ = end_ = queue_.files.front().position / kUnit;
  for (auto file = queue_.files.rbegin(); file != queue_.files.rend(); ++file) {
    RMQ_TRY(const std::int64_t used, used_of(*file));
    if (used == 0) continue;
    end_ = file->position / kUnit + used;
    return {};
  }
  return {};
}

Result<std::int64_t> QueueReader::used_of(const PositionFile& file) {
  RMQ_TRY(const std::unique_ptr<File> opened,
          files_.open(queue_.path_of(file.position), OpenMode::Read));
  std::int64_t used = 0;
  Bytes bytes(kScanBytes);
  for (std::int64_t at = 0;;) {
    RMQ_TRY(const std::optional<std::int64_t> data, opened->next_data(at));
    if (!data) return used;
    RMQ_TRY(const std::size_t got, opened->pread(bytes, *data));
    if (got == 0) return used;
    for (std::size_t i = got; i > 0; --i) {
      if (bytes[i - 1] == std::byte{0}) continue;
      used = std::min((*data + static_cast<std::int64_t>(i) - 1) / kUnit + 1, per_file());
      break;
    }
    at = *data + static_cast<std::int64_t>(got);
  }
}

std::string QueueReader::path_of(std::int64_t number) const {
  return queue_.path_of(number / per_file() * file_bytes_);
}

std::int64_t QueueReader::position_of(std::int64_t number) const {
  return number % per_file() * kUnit;
}

bool QueueReader::has_file_of(std::int64_t number) const {
  const std::int64_t position = number / per_file() * file_bytes_;
  const auto at = std::lower_bound(
      queue_.files.begin(), queue_.files.end(), position,
      [](const PositionFile& file, std::int64_t wanted) { return file.position < wanted; });
  return at != queue_.files.end() && at->position == position;
}

Result<ConsumeQueueEntry> QueueReader::at(std::int64_t number) {
  if (number < begin_ || number >= end_) return ConsumeQueueEntry{};
  const std::int64_t buffered = static_cast<std::int64_t>(buffer_.size()) / kUnit;
  if (buffer_begin_ < 0 || number < buffer_begin_ || number >= buffer_begin_ + buffered) {
    RMQ_CHECK(fill(number));
  }
  return decode_entry(buffer_.data() + (number - buffer_begin_) * kUnit);
}

Result<> QueueReader::fill(std::int64_t number) {
  const std::int64_t in_file = number % per_file();
  const std::int64_t count = std::min(buffer_entries_, per_file() - in_file);
  buffer_.assign(static_cast<std::size_t>(count * kUnit), std::byte{0});
  buffer_begin_ = number;
  if (!has_file_of(number)) return {};
  RMQ_TRY(const std::unique_ptr<File> file, files_.open(path_of(number), OpenMode::Read));
  const Result<std::size_t> got = file->pread(buffer_, in_file * kUnit);
  // A bad sector: as good as no entries, and made again from the log.
  if (!got && got.error().code != std::errc::io_error) return fail(got.error());
  return {};
}

}  // namespace rmq::storage::offline
