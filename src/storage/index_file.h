// IndexFile: one file of the message index: which records have a key. Derived data.
// Format (RocketMQ IndexFile.java, IndexHeader.java), big-endian:
//   0 i64 store time of the first record, ms | 8 i64 of the last | 16 i64 physical offset of the
//   first record | 24 i64 of the last | 32 i32 slots in use | 36 i32 number of the next entry
//   40 i32 per hash slot: number of its newest entry, 0: none
//   then 20 bytes per entry, numbered from 0, of which 0 is never used: i32 hash of the key
//   8 i64 physical offset | 12 i32 seconds since the header's first time | 16 i32 number of the
//   entry before it in the slot, 0: none
// Slot and hash are of topic "#" key. Only the hash is kept, so that an entry may be of another
// key: whoever looks one up must look at the record.
// Threads: one at a time; the free functions on any.
// Crash: entries are written as they come, slots and header only by write_table(). After a crash
// the file has the entries of the last sync at least, and restore() makes the slots from them.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/units.h"
#include "storage/slot_table.h"

namespace rmq::storage {

inline constexpr std::int64_t kIndexHeaderBytes = 40;
inline constexpr std::int64_t kIndexEntryBytes = 20;

// The numbers of slots and entries; every file of an index has the same.
struct IndexShape {
  std::int32_t slots = 5'000'000;     // maxHashSlotNum
  std::int32_t entries = 20'000'000;  // maxIndexNum; entry 0 counts
  std::int64_t slot_at(std::int32_t slot) const { return kIndexHeaderBytes + 4LL * slot; }
  std::int64_t entry_at(std::int32_t entry) const {
    return slot_at(slots) + kIndexEntryBytes * entry;
  }
  std::int64_t file_bytes() const { return entry_at(entries); }
};

struct IndexHeader {
  std::int64_t begin_timestamp_ms = 0;
  std::int64_t end_timestamp_ms = 0;
  PhysicalOffset begin_physical;
  PhysicalOffset end_physical;  // where the last record begins
  std::int32_t slot_count = 0;
  std::int32_t entry_count = 1;

  friend bool operator==(const IndexHeader&, const IndexHeader&) = default;
};
void encode_index_header(const IndexHeader& header, Bytes& out);
// `bytes` has at least kIndexHeaderBytes.
IndexHeader decode_index_header(ByteView bytes);

// An entry as it stands in the file.
struct IndexEntry {
  std::int32_t hash = 0;
  PhysicalOffset physical;
  std::int32_t seconds = 0;   // since the header's first store time
  std::int32_t previous = 0;  // number of the entry before it in the slot
};
// `from` has kIndexEntryBytes.
IndexEntry decode_index_entry(const std::byte* from);

// One key of one record.
struct IndexKey {
  std::int32_t hash = 0;  // never negative
  PhysicalOffset physical;
  std::int64_t store_timestamp_ms = 0;
};

class IndexFile {
 public:
  // A sparse file of full length. `before`: the header of the file before it, or an empty one.
  static Result<std::shared_ptr<IndexFile>> create(FileSystem& files, std::string path,
                                                   const IndexShape& shape,
                                                   const IndexHeader& before);
  // Reads the header only. Errors: StoreErrc::WrongFileSize for a longer file, Corrupt for a
  // shorter one and for a header that cannot be.
  static Result<std::shared_ptr<IndexFile>> open(FileSystem& files, std::string path,
                                                 const IndexShape& shape);

  const std::string& path() const { return path_; }
  const IndexHeader& header() const { return header_; }
  bool has_entries() const { return header_.entry_count > 1; }
  bool full() const { return header_.entry_count >= shape_.entries; }

  // A hint that this key is put soon.
  void prefetch(const IndexKey& key) const { slots_.prefetch(key.hash % shape_.slots); }
  // Not when full. The entry can be read after write_entries(), which takes back what it cannot
  // write.
  Result<> put(const IndexKey& key);
  Result<> write_entries();
  // Slots, then header; nothing when they are written already.
  Result<> write_table();
  // Forgets the slots that write_table() has written.
  void release() { slots_.release(); }

  // Takes the entries of `header`, as far as their records begin before `log_end`, and makes the
  // slots from them; whatever the file has in their place is replaced by the next write_table().
  // False when the entries are not those of an index.
  Result<bool> restore(const IndexHeader& header, PhysicalOffset log_end);

  // The newest entry in the slot of `hash`; anything when there is none.
  Result<std::int32_t> newest(std::int32_t hash) const;
  // For walk_chain(), and for sync_data().
  const std::shared_ptr<File>& file() const { return file_; }

 private:
  IndexFile(std::unique_ptr<File> file, std::string path, const IndexShape& shape, bool fresh)
      : file_(std::move(file)),
        path_(std::move(path)),
        shape_(shape),
        slots_(shape.slots, shape.slot_at(0), fresh) {}

  void undo_pending();

  const std::shared_ptr<File> file_;
  const std::string path_;
  const IndexShape shape_;
  IndexHeader header_;
  IndexHeader written_;  // without the pending entries, while there are any
  SlotTable slots_;
  Bytes pending_;  // encoded entries before header_.entry_count
  bool table_changed_ = false;
};

// What is looked for.
struct IndexSearch {
  std::int32_t hash = 0;
  // Store times, which an index knows to the second: what may lie in [begin_ms, end_ms] is found.
  std::int64_t begin_ms = 0;
  std::int64_t end_ms = 0;
  // Gets the records found, the newest first, some perhaps twice; false: enough.
  std::function<bool(PhysicalOffset)> take;
};

// The newest entry in the slot of `hash`, in a file that is not written to any more.
Result<std::int32_t> newest_in_slot(File& file, const IndexShape& shape, std::int32_t hash);

// Follows the chain that begins with the entry `newest`; it and `header` as they were at one
// moment. False when `search` has enough.
Result<bool> walk_chain(File& file, const IndexShape& shape, const IndexHeader& header,
                        std::int32_t newest, const IndexSearch& search);

}  // namespace rmq::storage
