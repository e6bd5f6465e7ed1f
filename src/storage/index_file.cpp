#include "storage/index_file.h"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "storage/store_errc.h"

namespace rmq::storage {
namespace {

constexpr std::int64_t kMsPerSecond = 1000;
constexpr std::size_t kEntriesPerRead = 4096;
constexpr std::size_t kEntrySize = static_cast<std::size_t>(kIndexEntryBytes);

void append_index_entry(const IndexEntry& entry, Bytes& out) {
  const std::size_t at = out.size();
  out.resize(at + kEntrySize);
  store_big_endian(out.data() + at, entry.hash);
  store_big_endian(out.data() + at + 4, entry.physical.value);
  store_big_endian(out.data() + at + 12, entry.seconds);
  store_big_endian(out.data() + at + 16, entry.previous);
}

// IndexFile.putKey: for the first entry of a file that is not the first, since the end of the file
// before.
std::int32_t seconds_since(std::int64_t begin_ms, std::int64_t time_ms) {
  if (begin_ms <= 0) return 0;
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(
      (time_ms - begin_ms) / kMsPerSecond, 0, std::numeric_limits<std::int32_t>::max()));
}

// The store time that an entry has kept, whole seconds behind the first one.
std::int64_t time_of(const IndexHeader& header, std::int32_t number, const IndexEntry& entry) {
  return header.begin_timestamp_ms + (number == 1 ? 0 : kMsPerSecond * entry.seconds);
}

bool is_possible(const IndexHeader& header, const IndexShape& shape) {
  return header.entry_count >= 1 && header.entry_count <= shape.entries && header.slot_count >= 0 &&
         header.slot_count < header.entry_count && header.begin_physical.value >= 0 &&
         header.begin_physical <= header.end_physical;
}

}  // namespace

void encode_index_header(const IndexHeader& header, Bytes& out) {
  BigEndianWriter writer(out);
  writer.write(header.begin_timestamp_ms);
  writer.write(header.end_timestamp_ms);
  writer.write(header.begin_physical.value);
  writer.write(header.end_physical.value);
  writer.write(header.slot_count);
  writer.write(header.entry_count);
}

IndexHeader decode_index_header(ByteView bytes) {
  BigEndianReader reader(bytes);
  IndexHeader header;
  header.begin_timestamp_ms = reader.read<std::int64_t>();
  header.end_timestamp_ms = reader.read<std::int64_t>();
  header.begin_physical.value = reader.read<std::int64_t>();
  header.end_physical.value = reader.read<std::int64_t>();
  header.slot_count = reader.read<std::int32_t>();
  // As in Java: a file that nothing was put into says 0.
  header.entry_count = std::max(1, reader.read<std::int32_t>());
  return header;
}

IndexEntry decode_index_entry(const std::byte* from) {
  return {load_big_endian<std::int32_t>(from),
          PhysicalOffset{load_big_endian<std::int64_t>(from + 4)},
          load_big_endian<std::int32_t>(from + 12), load_big_endian<std::int32_t>(from + 16)};
}

Result<std::shared_ptr<IndexFile>> IndexFile::create(FileSystem& files, std::string path,
                                                     const IndexShape& shape,
                                                     const IndexHeader& before) {
  RMQ_TRY(std::unique_ptr<File> file, files.open(path, OpenMode::CreateExclusive));
  if (Result<> grown = file->truncate(shape.file_bytes()); !grown) {
    (void)files.remove(path);
    return fail(grown.error());
  }
  std::shared_ptr<IndexFile> made(new IndexFile(std::move(file), std::move(path), shape, true));
  made->header_.begin_timestamp_ms = made->header_.end_timestamp_ms = before.end_timestamp_ms;
  made->header_.begin_physical = made->header_.end_physical = before.end_physical;
  made->table_changed_ = true;
  return made;
}

Result<std::shared_ptr<IndexFile>> IndexFile::open(FileSystem& files, std::string path,
                                                   const IndexShape& shape) {
  RMQ_TRY(std::unique_ptr<File> file, files.open(path, OpenMode::Write));
  RMQ_TRY(const std::int64_t size, file->size());
  if (size != shape.file_bytes()) {
    const auto why = size > shape.file_bytes() ? StoreErrc::WrongFileSize : StoreErrc::Corrupt;
    return fail(why, path + ": " + std::to_string(size) + " bytes, not " +
                         std::to_string(shape.file_bytes()));
  }
  std::array<std::byte, static_cast<std::size_t>(kIndexHeaderBytes)> bytes{};
  RMQ_TRY([[maybe_unused]] const std::size_t got, file->pread(bytes, 0));
  std::shared_ptr<IndexFile> opened(new IndexFile(std::move(file), std::move(path), shape, false));
  opened->header_ = decode_index_header(bytes);
  if (!is_possible(opened->header_, shape)) {
    return fail(StoreErrc::Corrupt, opened->path_ + ": header");
  }
  return opened;
}

Result<> IndexFile::put(const IndexKey& key) {
  RMQ_ASSERT(!full() && key.hash >= 0);
  const std::int32_t number = header_.entry_count;
  RMQ_TRY(const std::int32_t newest, slots_.exchange(*file_, key.hash % shape_.slots, number));
  const std::int32_t previous = newest > 0 && newest < number ? newest : 0;
  if (pending_.empty()) written_ = header_;
  append_index_entry({key.hash, key.physical,
                      seconds_since(header_.begin_timestamp_ms, key.store_timestamp_ms), previous},
                     pending_);
  if (number == 1) {
    header_.begin_physical = key.physical;
    header_.begin_timestamp_ms = key.store_timestamp_ms;
  }
  if (previous == 0) ++header_.slot_count;
  header_.entry_count = number + 1;
  header_.end_physical = key.physical;
  header_.end_timestamp_ms = key.store_timestamp_ms;
  table_changed_ = true;
  return {};
}

Result<> IndexFile::write_entries() {
  if (pending_.empty()) return {};
  const auto count = static_cast<std::int32_t>(pending_.size() / kEntrySize);
  Result<> done = file_->pwrite(pending_, shape_.entry_at(header_.entry_count - count));
  if (!done) undo_pending();
  pending_.clear();
  return done;
}

void IndexFile::undo_pending() {
  for (std::size_t end = pending_.size(); end > 0; end -= kEntrySize) {
    const IndexEntry entry = decode_index_entry(pending_.data() + end - kEntrySize);
    // The page is in memory since put().
    (void)slots_.exchange(*file_, entry.hash % shape_.slots, entry.previous);
  }
  header_ = written_;
}

Result<> IndexFile::write_table() {
  if (!table_changed_) return {};
  RMQ_CHECK(slots_.write_back(*file_));
  Bytes bytes;
  encode_index_header(header_, bytes);
  RMQ_CHECK(file_->pwrite(bytes, 0));
  table_changed_ = false;
  return {};
}

Result<bool> IndexFile::restore(const IndexHeader& header, PhysicalOffset log_end) {
  if (!is_possible(header, shape_)) return false;
  std::vector<std::int32_t> slots(static_cast<std::size_t>(shape_.slots));
  Bytes bytes(kEntriesPerRead * kEntrySize);
  IndexHeader found;
  found.begin_timestamp_ms = header.begin_timestamp_ms;
  found.end_timestamp_ms = header.begin_timestamp_ms;
  found.begin_physical = found.end_physical = header.begin_physical;
  for (bool more = true; more && found.entry_count < header.entry_count;) {
    const auto wanted = std::min<std::size_t>(
        kEntriesPerRead, static_cast<std::size_t>(header.entry_count - found.entry_count));
    const MutableByteView into = MutableByteView(bytes).first(wanted * kEntrySize);
    RMQ_TRY(const std::size_t got, file_->pread(into, shape_.entry_at(found.entry_count)));
    if (got < into.size()) return false;
    for (std::size_t i = 0; i < wanted; ++i) {
      const IndexEntry entry = decode_index_entry(bytes.data() + i * kEntrySize);
      if (entry.hash < 0 || entry.seconds < 0 || entry.physical < found.end_physical) return false;
      std::int32_t& slot = slots[static_cast<std::size_t>(entry.hash % shape_.slots)];
      if (entry.previous != slot) return false;
      more = entry.physical < log_end;
      if (!more) break;
      if (slot == 0) ++found.slot_count;
      found.end_timestamp_ms = time_of(header, found.entry_count, entry);
      found.end_physical = entry.physical;
      slot = found.entry_count++;
    }
  }
  if (found.entry_count == header.entry_count) {
    if (found.end_physical != header.end_physical || found.slot_count != header.slot_count) {
      return false;
    }
    found = header;
  }
  header_ = found;
  RMQ_CHECK(slots_.assign(*file_, slots));
  pending_.clear();
  table_changed_ = true;
  return true;
}

Result<std::int32_t> IndexFile::newest(std::int32_t hash) const {
  return slots_.get(*file_, hash % shape_.slots);
}

Result<std::int32_t> newest_in_slot(File& file, const IndexShape& shape, std::int32_t hash) {
  std::array<std::byte, 4> bytes{};
  RMQ_TRY([[maybe_unused]] const std::size_t got,
          file.pread(bytes, shape.slot_at(hash % shape.slots)));
  return load_big_endian<std::int32_t>(bytes.data());
}

Result<bool> walk_chain(File& file, const IndexShape& shape, const IndexHeader& header,
                        std::int32_t newest, const IndexSearch& search) {
  for (std::int32_t number = newest < header.entry_count ? newest : 0; number > 0;) {
    std::array<std::byte, kEntrySize> bytes{};
    RMQ_TRY([[maybe_unused]] const std::size_t got, file.pread(bytes, shape.entry_at(number)));
    const IndexEntry entry = decode_index_entry(bytes.data());
    if (entry.seconds < 0) return true;  // never written
    const std::int64_t earliest = time_of(header, number, entry);
    const std::int64_t latest = earliest + kMsPerSecond - 1;
    if (latest < search.begin_ms) return true;  // those before it are older still
    const bool found = entry.hash == search.hash && earliest <= search.end_ms;
    if (found && !search.take(entry.physical)) return false;
    // A chain only goes back; where a damaged one does not, it ends.
    number = entry.previous < number ? entry.previous : 0;
  }
  return true;
}

}  // namespace rmq::storage
