#include "storage/log_mark.h"

#include <xxhash.h>

#include <algorithm>
#include <array>

#include "storage/log_window.h"
#include "storage/store_errc.h"

namespace rmq::storage {
namespace {

constexpr std::int64_t kMagic = 0x524D'514C'4F47'4D31;  // "RMQLOGM1"
constexpr std::int64_t kSlotDistance = 4096;
constexpr std::size_t kSlotBytes = 200;

std::int64_t hash_of(ByteView bytes) {
  return static_cast<std::int64_t>(XXH3_64bits(bytes.data(), bytes.size()));
}

Bytes encode_slot(const LogMark& mark, std::int64_t sequence) {
  Bytes bytes;
  BigEndianWriter writer(bytes);
  writer.write(kMagic);
  writer.write(sequence);
  writer.write<std::int64_t>(mark.clean ? 1 : 0);
  writer.write(mark.flushed.value);
  writer.write(mark.dispatched.value);
  writer.write(mark.last_record.value);
  writer.write(mark.last_record_bytes);
  writer.write(mark.last_record_hash);
  writer.write(mark.last_store_timestamp_ms);
  writer.write(mark.queue_count);
  writer.write(mark.queues_hash);
  writer.write_bytes(encode_checkpoint(mark.checkpoint));
  const IndexMark index = mark.index.value_or(IndexMark{});
  writer.write<std::int64_t>(mark.index ? 1 : 0);
  writer.write(index.file);
  encode_index_header(index.header, bytes);
  writer.write(index.position.value);
  writer.write(hash_of(bytes));
  RMQ_ASSERT(bytes.size() == kSlotBytes);
  return bytes;
}

// Empty for what was never written whole.
std::optional<std::pair<std::int64_t, LogMark>> decode_slot(ByteView bytes) {
  BigEndianReader reader(bytes);
  if (reader.read<std::int64_t>() != kMagic) return std::nullopt;
  const auto sequence = reader.read<std::int64_t>();
  LogMark mark;
  mark.clean = reader.read<std::int64_t>() == 1;
  mark.flushed.value = reader.read<std::int64_t>();
  mark.dispatched.value = reader.read<std::int64_t>();
  mark.last_record.value = reader.read<std::int64_t>();
  mark.last_record_bytes = reader.read<std::int64_t>();
  mark.last_record_hash = reader.read<std::int64_t>();
  mark.last_store_timestamp_ms = reader.read<std::int64_t>();
  mark.queue_count = reader.read<std::int64_t>();
  mark.queues_hash = reader.read<std::int64_t>();
  mark.checkpoint = decode_checkpoint(reader.read_bytes(kCheckpointBytes));
  const bool indexed = reader.read<std::int64_t>() == 1;
  IndexMark index;
  index.file = reader.read<std::int64_t>();
  index.header =
      decode_index_header(reader.read_bytes(static_cast<std::size_t>(kIndexHeaderBytes)));
  index.position.value = reader.read<std::int64_t>();
  if (indexed) mark.index = index;
  const std::size_t hashed = reader.position();
  if (reader.read<std::int64_t>() != hash_of(bytes.first(hashed))) return std::nullopt;
  return std::pair(sequence, mark);
}

}  // namespace

Result<std::int64_t> hash_record(const CommitLog& log, PhysicalOffset at, std::int64_t bytes) {
  const std::shared_ptr<Segment> segment = log.segment_of(at);
  if (!segment || bytes < 0 || at + bytes > segment->end()) {
    return fail(StoreErrc::OffsetOutOfRange, std::to_string(at.value));
  }
  LogWindow window(log, 0);
  RMQ_TRY(const ByteView record, window.at(at, static_cast<std::size_t>(bytes)));
  return hash_of(record);
}

bool fits(const LogMark& mark, const CommitLog& log) {
  if (mark.dispatched < log.begin() || mark.dispatched > log.capacity_end()) return false;
  if (mark.last_record_bytes == 0) return mark.dispatched == log.begin();
  const auto hash = hash_record(log, mark.last_record, mark.last_record_bytes);
  return hash && *hash == mark.last_record_hash;
}

Result<LogMarkFile> LogMarkFile::open(FileSystem& files, const std::string& path,
                                      const CheckpointValues& checkpoint) {
  const std::string directory = parent_directory(path);
  RMQ_CHECK(files.make_directories(directory));
  RMQ_TRY(std::unique_ptr<File> file, files.open(path, OpenMode::Create));
  RMQ_TRY(const std::int64_t size, file->size());
  if (size < 2 * kSlotDistance) {
    RMQ_CHECK(file->truncate(2 * kSlotDistance));
    RMQ_CHECK(file->sync_data());
    RMQ_CHECK(files.sync_directory(directory));
  }
  LogMarkFile marks(std::move(file));
  RMQ_CHECK(marks.load(checkpoint));
  return marks;
}

Result<LogMarkFile> LogMarkFile::read(FileSystem& files, const std::string& path,
                                      const CheckpointValues& checkpoint) {
  RMQ_TRY(const bool exists, files.exists(path));
  if (!exists) return LogMarkFile(nullptr);
  RMQ_TRY(std::unique_ptr<File> file, files.open(path, OpenMode::Read));
  LogMarkFile marks(std::move(file));
  RMQ_CHECK(marks.load(checkpoint));
  return marks;
}

Result<> LogMarkFile::load(const CheckpointValues& checkpoint) {
  std::int64_t newest = 0;
  std::int64_t fitting = 0;  // its checkpoint is there
  for (const std::int64_t at : {std::int64_t{0}, kSlotDistance}) {
    std::array<std::byte, kSlotBytes> bytes{};
    RMQ_TRY([[maybe_unused]] const std::size_t got, file_->pread(bytes, at));
    const auto slot = decode_slot(bytes);
    if (!slot) continue;
    const auto& [sequence, mark] = *slot;
    if (mark.checkpoint == checkpoint) fitting = std::max(fitting, sequence);
    if (sequence <= newest) continue;
    newest = sequence;
    found_ = mark;
  }
  if (fitting == 0) found_.reset();
  // Without the fitting one none would count: the next mark takes the place of the other.
  sequence_ = fitting != 0 ? fitting : newest;
  return {};
}

Result<> LogMarkFile::write(const LogMark& mark) {
  const std::int64_t sequence = sequence_ + 1;
  RMQ_CHECK(file_->pwrite(encode_slot(mark, sequence), sequence % 2 * kSlotDistance));
  RMQ_CHECK(file_->sync_data());
  sequence_ = sequence;
  return {};
}

}  // namespace rmq::storage
