#include "storage/checkpoint.h"

#include <algorithm>

namespace rmq::storage {
namespace {

constexpr std::int64_t kFileBytes = 4096;  // Java maps a page of it
constexpr std::int64_t kSlackMs = 3000;    // StoreCheckpoint.getMinTimestamp

}  // namespace

std::int64_t CheckpointValues::safe_timestamp_ms() const {
  return std::max<std::int64_t>(0,
                                std::min(log_timestamp_ms, consume_queue_timestamp_ms) - kSlackMs);
}

std::array<std::byte, kCheckpointBytes> encode_checkpoint(const CheckpointValues& values) {
  std::array<std::byte, kCheckpointBytes> bytes;
  store_big_endian(bytes.data(), values.log_timestamp_ms);
  store_big_endian(bytes.data() + 8, values.consume_queue_timestamp_ms);
  store_big_endian(bytes.data() + 16, values.index_timestamp_ms);
  store_big_endian(bytes.data() + 24, values.master_flushed_offset);
  store_big_endian(bytes.data() + 32, values.confirmed_offset);
  return bytes;
}

CheckpointValues decode_checkpoint(ByteView bytes) {
  BigEndianReader reader(bytes.first(kCheckpointBytes));
  CheckpointValues values;
  values.log_timestamp_ms = reader.read<std::int64_t>();
  values.consume_queue_timestamp_ms = reader.read<std::int64_t>();
  values.index_timestamp_ms = reader.read<std::int64_t>();
  values.master_flushed_offset = reader.read<std::int64_t>();
  values.confirmed_offset = reader.read<std::int64_t>();
  return values;
}

Result<Checkpoint> Checkpoint::open(FileSystem& files, const std::string& path) {
  RMQ_TRY(std::unique_ptr<File> file, files.open(path, OpenMode::Create));
  RMQ_TRY(const std::int64_t size, file->size());
  if (size < kFileBytes) {
    RMQ_CHECK(file->truncate(kFileBytes));
    RMQ_CHECK(file->sync_data());
    RMQ_CHECK(files.sync_directory(parent_directory(path)));
  }
  std::array<std::byte, kCheckpointBytes> bytes{};
  RMQ_TRY([[maybe_unused]] const std::size_t got, file->pread(bytes, 0));
  Checkpoint checkpoint(std::move(file));
  checkpoint.values_ = decode_checkpoint(bytes);
  return checkpoint;
}

Result<> Checkpoint::write(const CheckpointValues& values) {
  RMQ_CHECK(file_->pwrite(encode_checkpoint(values), 0));
  RMQ_CHECK(file_->sync_data());
  values_ = values;
  return {};
}

}  // namespace rmq::storage
