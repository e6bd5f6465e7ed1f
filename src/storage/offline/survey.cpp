#include "storage/offline/survey.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "storage/consume_queue.h"
#include "storage/store_errc.h"
#include "storage/store_format.h"

namespace rmq::storage::offline {
namespace {

constexpr std::size_t kIndexNameDigits = 17;

template <class Number>
std::optional<Number> to_number(std::string_view text) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

bool is_gone(const Error& error) { return error.code == std::errc::no_such_file_or_directory; }

// Empty: it was deleted meanwhile.
Result<std::optional<std::int64_t>> size_of(FileSystem& files, const std::string& path) {
  const Result<std::unique_ptr<File>> file = files.open(path, OpenMode::Read);
  if (!file && is_gone(file.error())) return std::optional<std::int64_t>();
  if (!file) return fail(file.error());
  RMQ_TRY(const std::int64_t size, (*file)->size());
  return std::optional<std::int64_t>(size);
}

Result<std::vector<PositionFile>> position_files(FileSystem& files, const std::string& directory,
                                                 std::vector<std::string>& foreign) {
  std::vector<PositionFile> found;
  RMQ_TRY(const std::vector<std::string> names, files.list(directory));
  for (const std::string& name : names) {
    if (name == kLostAndFound) continue;
    const Result<std::int64_t> position = parse_position_file_name(directory, name);
    if (!position) {
      foreign.push_back(directory + "/" + name);
      continue;
    }
    RMQ_TRY(const std::optional<std::int64_t> size, size_of(files, directory + "/" + name));
    if (size) found.push_back({*position, *size});
  }
  return found;
}

// The length that most files have; of several the greatest.
std::int64_t usual_length(const std::map<std::int64_t, std::size_t>& lengths,
                          std::int64_t otherwise) {
  std::int64_t usual = otherwise;
  std::size_t most = 0;
  for (const auto& [length, count] : lengths) {
    if (length > 0 && count >= most) {
      usual = length;
      most = count;
    }
  }
  return usual;
}

std::vector<std::string> directories_of(const Layout& layout) {
  std::vector<std::string> all = layout.commit_logs();
  const std::vector<std::string>& read_only = layout.read_only_commit_logs();
  all.insert(all.end(), read_only.begin(), read_only.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

// A segment begins with a record.
Result<bool> holds_nothing(FileSystem& files, const std::string& path) {
  RMQ_TRY(const std::unique_ptr<File> file, files.open(path, OpenMode::Read));
  std::array<std::byte, 8> head{};
  RMQ_TRY([[maybe_unused]] const std::size_t got, file->pread(head, 0));
  return std::ranges::all_of(head, [](std::byte b) { return b == std::byte{0}; });
}

Result<> find_segments(FileSystem& files, Survey& found) {
  for (const std::string& directory : directories_of(found.layout)) {
    RMQ_TRY(const auto in_it, position_files(files, directory, found.foreign));
    for (const PositionFile& file : in_it) {
      found.segments.push_back({file, directory + "/" + position_file_name(file.position)});
    }
  }
  std::ranges::stable_sort(found.segments, {}, &SegmentFile::position);
  // Of two under one name the next start removes the one that holds nothing.
  for (std::size_t i = 1; i < found.segments.size();) {
    SegmentFile& one = found.segments[i - 1];
    SegmentFile& other = found.segments[i];
    if (one.position != other.position) {
      ++i;
      continue;
    }
    RMQ_TRY(const bool first_is_empty, holds_nothing(files, one.path));
    RMQ_TRY(const bool other_is_empty, holds_nothing(files, other.path));
    if (!first_is_empty && !other_is_empty) found.foreign.push_back(other.path);
    const std::size_t gone = first_is_empty ? i - 1 : i;
    found.segments.erase(found.segments.begin() + static_cast<std::ptrdiff_t>(gone));
  }
  return {};
}

Result<> find_queues(FileSystem& files, const StorePlace& place, Survey& found) {
  std::map<std::int64_t, std::size_t> lengths;
  RMQ_TRY(const std::vector<std::string> topics, files.list(found.layout.consume_queues()));
  for (const std::string& topic : topics) {
    RMQ_TRY(const std::vector<std::string> ids, files.list(found.layout.topic(topic)));
    for (const std::string& name : ids) {
      const auto id = to_number<QueueId>(name);
      if (!id) {
        found.foreign.push_back(found.layout.topic(topic) + "/" + name);
        continue;
      }
      QueueFiles queue{topic, *id, found.layout.consume_queue(topic, *id), {}};
      RMQ_TRY(queue.files, position_files(files, queue.directory, found.foreign));
      for (const PositionFile& file : queue.files) ++lengths[file.bytes];
      found.queues.push_back(std::move(queue));
    }
  }
  std::sort(found.queues.begin(), found.queues.end(), [](const auto& a, const auto& b) {
    return a.topic != b.topic ? a.topic < b.topic : a.queue_id < b.queue_id;
  });
  const auto unit = static_cast<std::int64_t>(kEntryBytes);
  const std::int64_t configured = (place.config.consume_queue_file_bytes + unit - 1) / unit * unit;
  found.queue_file_bytes = place.sizes_known ? configured : usual_length(lengths, configured);
  return {};
}

Result<> find_index(FileSystem& files, const StorePlace& place, Survey& found) {
  RMQ_TRY(const std::vector<std::string> names, files.list(found.layout.index()));
  for (const std::string& name : names) {
    const std::string path = found.layout.index() + "/" + name;
    const auto number = to_number<std::int64_t>(name);
    if (!number || name.size() != kIndexNameDigits) continue;  // nobody minds it
    const Result<std::unique_ptr<File>> file = files.open(path, OpenMode::Read);
    if (!file && is_gone(file.error())) continue;
    if (!file) return fail(file.error());
    IndexFiles index{*number, path, 0, {}};
    RMQ_TRY(index.bytes, (*file)->size());
    std::array<std::byte, static_cast<std::size_t>(kIndexHeaderBytes)> bytes{};
    RMQ_TRY([[maybe_unused]] const std::size_t got, (*file)->pread(bytes, 0));
    index.header = decode_index_header(bytes);
    found.index.push_back(std::move(index));
  }
  const IndexShape shape{place.config.index_slots_per_file, place.config.index_entries_per_file};
  if (place.sizes_known) {
    found.index_shape = shape;
    return {};
  }
  for (const IndexFiles& index : found.index) {
    if (index.bytes == shape.file_bytes()) {
      found.index_shape = shape;
    } else {
      RMQ_TRY(found.index_shape, find_index_shape(files, index));
    }
    if (found.index_shape) break;
  }
  return {};
}

Result<> find_marks(FileSystem& files, Survey& found) {
  RMQ_TRY(found.unclean, files.exists(found.layout.abort()));
  RMQ_TRY(const bool checkpoint, files.exists(found.layout.checkpoint()));
  if (checkpoint) {
    RMQ_TRY(Bytes bytes, read_file(files, found.layout.checkpoint()));
    bytes.resize(std::max(bytes.size(), kCheckpointBytes));
    found.checkpoint = decode_checkpoint(bytes);
  }
  RMQ_TRY(found.has_mark_file, files.exists(found.layout.log_mark()));
  RMQ_TRY(const LogMarkFile marks,
          LogMarkFile::read(files, found.layout.log_mark(),
                            found.checkpoint.value_or(CheckpointValues{})));
  found.mark = marks.found();
  RMQ_TRY(found.config_files, files.list(found.layout.config()));
  return {};
}

}  // namespace

std::string Survey::segment_path(std::int64_t base) const {
  const SegmentFile* segment = segment_of(PhysicalOffset{base});
  if (segment != nullptr && segment->position == base) return segment->path;
  return layout.commit_log() + "/" + position_file_name(base);
}

std::string Survey::log_directories() const {
  std::string text;
  for (const std::string& directory : directories_of(layout)) {
    text += (text.empty() ? "" : ", ") + directory;
  }
  return text;
}

const SegmentFile* Survey::segment_of(PhysicalOffset at) const {
  for (const SegmentFile& segment : segments) {
    if (at.value >= segment.position && at.value < segment.position + segment_bytes) {
      return &segment;
    }
  }
  return nullptr;
}

Result<Survey> survey(FileSystem& files, const StorePlace& place) {
  Survey found(place);
  RMQ_CHECK(check_store_format(files, found.layout));
  RMQ_CHECK(find_segments(files, found));
  RMQ_TRY(const bool log, files.exists(found.layout.commit_log()));
  RMQ_TRY(const bool queues, files.exists(found.layout.consume_queues()));
  if (!log && !queues && found.segments.empty()) {
    return fail(std::make_error_code(std::errc::no_such_file_or_directory),
                "no store in " + found.layout.root() + ": it has no commitlog");
  }
  if (!place.sizes_known) {
    std::map<std::int64_t, std::size_t> lengths;
    for (const PositionFile& segment : found.segments) ++lengths[segment.bytes];
    found.segment_bytes = usual_length(lengths, found.segment_bytes);
  }
  RMQ_CHECK(find_queues(files, place, found));
  RMQ_CHECK(find_index(files, place, found));
  RMQ_CHECK(find_marks(files, found));
  return found;
}

namespace {

constexpr std::size_t kShapeWindowBytes = 1024 * 1024;

Result<bool> has_entry(File& file, std::int64_t at, std::int32_t number, PhysicalOffset physical) {
  std::array<std::byte, static_cast<std::size_t>(kIndexEntryBytes)> bytes{};
  RMQ_TRY(const std::size_t got, file.pread(bytes, at));
  const IndexEntry entry = decode_index_entry(bytes.data());
  return got == bytes.size() && entry.physical == physical && entry.hash >= 0 &&
         entry.seconds >= 0 && entry.previous >= 0 && entry.previous < number &&
         (entry.hash != 0 || physical.value != 0);
}

}  // namespace

Result<std::optional<IndexShape>> find_index_shape(FileSystem& files, const IndexFiles& index) {
  const std::int32_t last = index.header.entry_count - 1;
  if (last < 1) return std::optional<IndexShape>();
  RMQ_TRY(const std::unique_ptr<File> file, files.open(index.path, OpenMode::Read));
  std::array<std::byte, 8> wanted{};
  store_big_endian(wanted.data(), index.header.end_physical.value);
  std::optional<IndexShape> found;
  Bytes window(kShapeWindowBytes);
  RMQ_TRY(std::optional<std::int64_t> at, file->next_data(kIndexHeaderBytes));
  while (at && *at < index.bytes) {
    RMQ_TRY(const std::size_t got, file->pread(window, *at));
    if (got < wanted.size()) break;
    const auto end = window.begin() + static_cast<std::ptrdiff_t>(got);
    for (auto hit = window.begin();; ++hit) {
      hit = std::search(hit, end, wanted.begin(), wanted.end());
      if (hit == end) break;
      // The entry begins 4 bytes before its physical offset.
      const std::int64_t entry = *at + (hit - window.begin()) - 4;
      const std::int64_t slots_end = entry - kIndexEntryBytes * last;
      const std::int64_t slots = (slots_end - kIndexHeaderBytes) / 4;
      const bool whole = slots > 0 && (slots_end - kIndexHeaderBytes) % 4 == 0 &&
                         (index.bytes - slots_end) % kIndexEntryBytes == 0;
      const std::int64_t entries = whole ? (index.bytes - slots_end) / kIndexEntryBytes : 0;
      if (entries <= last || slots > INT32_MAX || entries > INT32_MAX) continue;
      RMQ_TRY(const bool newest, has_entry(*file, entry, last, index.header.end_physical));
      RMQ_TRY(const bool first,
              has_entry(*file, slots_end + kIndexEntryBytes, 1, index.header.begin_physical));
      if (!newest || !first) continue;
      const IndexShape shape{static_cast<std::int32_t>(slots), static_cast<std::int32_t>(entries)};
      if (found && found->slots != shape.slots) return std::optional<IndexShape>();
      found = shape;
    }
    RMQ_TRY(at, file->next_data(*at + static_cast<std::int64_t>(got - wanted.size() + 1)));
    if (got < window.size()) break;
  }
  return found;
}

}  // namespace rmq::storage::offline
