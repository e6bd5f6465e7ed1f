#include "storage/offline/repair.h"

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "storage/message_store.h"
#include "storage/placeholder.h"

namespace rmq::storage::offline {
namespace {

constexpr std::size_t kCopyBytes = 1024 * 1024;
constexpr int kNamesMax = 1000;

// Where the bytes from `at` on can be kept: what an earlier repair has kept stays.
Result<std::string> free_name(FileSystem& files, const std::string& directory, PhysicalOffset at) {
  const std::string name = directory + "/" + position_file_name(at.value);
  for (int i = 1; i < kNamesMax; ++i) {
    std::string path = i == 1 ? name : name + "." + std::to_string(i);
    RMQ_TRY(const bool taken, files.exists(path));
    if (!taken) return path;
  }
  return fail(std::make_error_code(std::errc::file_exists), name);
}

Result<std::string> save(FileSystem& files, LogBytes& log, const std::string& directory,
                         const DamagedRange& range) {
  RMQ_TRY(const std::string path, free_name(files, directory, range.from));
  RMQ_TRY(const std::unique_ptr<File> file, files.open(path, OpenMode::CreateExclusive));
  for (PhysicalOffset at = range.from; at < range.to;) {
    const auto want = std::min(kCopyBytes, static_cast<std::size_t>(range.to - at));
    RMQ_TRY(ByteView bytes, log.view(at, want));
    if (bytes.empty()) break;  // a file that is too short
    bytes = bytes.first(std::min(want, bytes.size()));
    RMQ_CHECK(file->pwrite(bytes, at - range.from));
    at += static_cast<std::int64_t>(bytes.size());
  }
  RMQ_CHECK(file->sync_data());
  return path;
}

Bytes encode(const PlannedRecord& record) {
  const auto size = static_cast<std::size_t>(record.size);
  if (record.kind == PlannedRecord::Kind::Blank) {
    Bytes bytes(size);
    const auto head = protocol::encode_blank_record(static_cast<std::int32_t>(record.size));
    std::copy(head.begin(), head.end(), bytes.begin());
    return bytes;
  }
  Placeholder placeholder;
  placeholder.topic = record.topic;
  placeholder.queue_id = record.queue_id;
  placeholder.queue_offset = record.number;
  placeholder.physical = record.at;
  placeholder.store_timestamp_ms = record.timestamp_ms;
  placeholder.filler = record.kind == PlannedRecord::Kind::Filler;
  return encode_placeholder(placeholder, size);
}

Result<> write_log(FileSystem& files, const Survey& survey, const RepairPlan& plan) {
  std::unique_ptr<File> file;
  std::int64_t base = -1;
  for (const PlannedRecord& record : plan.records) {
    const SegmentFile* segment = survey.segment_of(record.at);
    RMQ_ASSERT(segment != nullptr);
    if (segment->position != base) {
      if (file) RMQ_CHECK(file->sync_data());
      base = segment->position;
      RMQ_TRY(file, files.open(segment->path, OpenMode::Write));
    }
    RMQ_CHECK(file->pwrite(encode(record), record.at.value - base));
  }
  return file ? file->sync_data() : Result<>();
}

Result<> remove_if_there(FileSystem& files, const std::string& path) {
  const Result<> removed = files.remove(path);
  if (removed || removed.error().code == std::errc::no_such_file_or_directory) return {};
  return removed;
}

// A first file without length is damage to everyone who loads the queue.
Result<> spoil_queue(FileSystem& files, const Survey& survey, const std::string& topic,
                     QueueId queue_id) {
  const std::string directory = survey.layout.consume_queue(topic, queue_id);
  RMQ_CHECK(files.make_directories(directory));
  RMQ_TRY(const std::vector<std::string> names, files.list(directory));
  const std::string first = names.empty() ? position_file_name(0) : names.front();
  RMQ_TRY(const std::unique_ptr<File> file, files.open(directory + "/" + first, OpenMode::Create));
  RMQ_CHECK(file->truncate(0));
  RMQ_CHECK(file->sync_data());
  for (const std::string& name : names) {
    if (name != first) RMQ_CHECK(remove_if_there(files, directory + "/" + name));
  }
  return files.sync_directory(directory);
}

}  // namespace

Result<std::vector<std::string>> repair(FileSystem& files, const Survey& survey,
                                        const RepairPlan& plan) {
  std::vector<std::string> saved;
  if (!plan.ranges.empty()) {
    const std::string directory = survey.layout.damaged();
    RMQ_CHECK(files.make_directories(directory));
    LogBytes log(files, survey, kCopyBytes);
    for (const DamagedRange& range : plan.ranges) {
      RMQ_TRY(std::string path, save(files, log, directory, range));
      saved.push_back(std::move(path));
    }
    RMQ_CHECK(files.sync_directory(directory));
    RMQ_CHECK(write_log(files, survey, plan));
    RMQ_CHECK(remove_if_there(files, survey.layout.log_mark()));
    RMQ_CHECK(files.sync_directory(survey.layout.own()));
  }
  for (const auto& [topic, queue_id] : plan.queues) {
    RMQ_CHECK(spoil_queue(files, survey, topic, queue_id));
  }
  for (const std::string& path : plan.index_files) RMQ_CHECK(remove_if_there(files, path));
  if (!plan.index_files.empty()) RMQ_CHECK(files.sync_directory(survey.layout.index()));
  return saved;
}

Result<> reopen(FileSystem& files, const StorePlace& place, const Survey& survey) {
  StoreConfig config = place.config;
  config.commit_log_segment_bytes = survey.segment_bytes;
  config.consume_queue_file_bytes = survey.queue_file_bytes;
  // The server goes on with it where it ends.
  config.message_index_enable = false;
  config.file_reserved_time = std::chrono::hours(876'000);
  config.clean_file_forcibly_enable = false;
  RMQ_TRY(const std::unique_ptr<MessageStore> store,
          MessageStore::open(config, files, Clock::system()));
  std::optional<Error> failed;
  store->on_fatal([&failed](const Error& why) { failed = why; });
  RMQ_CHECK(store->start());
  store->stop();
  if (failed) return fail(*failed);
  return {};
}

}  // namespace rmq::storage::offline
